//! The functions that policies import. None of them blocks: a policy's deadline
//! is watched only while its own code runs.

use std::sync::Arc;

use pointsman_domain::candidate::Candidate;
use pointsman_domain::text::printable;
use wasmtime::StoreContextMut;
use wasmtime::component::{Linker, WasmStr};

use super::{Host, LOG_LINE_BYTES, MAX_PARTS};
use crate::contract::plan::{ContentPart, count};
use crate::contract::{Level, interface};

/// The role whose newest message `last-user-text` gives.
const USER: &str = "user";

/// Offers the contract's interfaces. What a policy may have of them is decided
/// before: the load gate refuses one that imports more than it was granted.
pub(crate) fn add_contract(linker: &mut Linker<Host>) -> wasmtime::Result<()> {
    add_settings(linker)?;
    add_log(linker)?;
    add_details(linker)?;
    add_prompt(linker)?;
    add_outline(linker)?;
    add_outputs(linker)
}

fn add_settings(linker: &mut Linker<Host>) -> wasmtime::Result<()> {
    let mut settings = linker.instance(interface::SETTINGS)?;
    settings.func_wrap("json", |mut store: StoreContextMut<'_, Host>, (): ()| {
        let host = store.data_mut();
        host.count_call()?;
        Ok((Arc::clone(&host.policy.settings),))
    })
}

fn add_log(linker: &mut Linker<Host>) -> wasmtime::Result<()> {
    let mut log = linker.instance(interface::LOG)?;
    log.func_wrap("write", |mut store: StoreContextMut<'_, Host>, (level, message): (Level, WasmStr)| {
        let host = store.data_mut();
        host.count_call()?;
        host.log_printed(false);
        if host.may_log() {
            let line = printable(&message.to_str(&store)?, LOG_LINE_BYTES);
            store.data().write_line(level, &line);
        }
        Ok(())
    })
}

fn add_details(linker: &mut Linker<Host>) -> wasmtime::Result<()> {
    let mut details = linker.instance(interface::DETAILS)?;
    details.func_wrap("request-attribute", |mut store: StoreContextMut<'_, Host>, (key,): (WasmStr,)| {
        store.data_mut().count_call()?;
        let key = key.to_str(&store)?;
        let value =
            store.data().input.as_ref().and_then(|input| input.request.attributes.get(&*key)).cloned();
        Ok((value,))
    })?;
    details.func_wrap(
        "candidate-attribute",
        |mut store: StoreContextMut<'_, Host>, (index, key): (u32, WasmStr)| {
            store.data_mut().count_call()?;
            let key = key.to_str(&store)?;
            let value = candidate(store.data(), index).and_then(|it| it.model.attributes.get(&*key)).cloned();
            Ok((value,))
        },
    )?;
    details.func_wrap(
        "task-quality",
        |mut store: StoreContextMut<'_, Host>, (index, task): (u32, WasmStr)| {
            store.data_mut().count_call()?;
            let task = task.to_str(&store)?;
            let quality =
                candidate(store.data(), index).and_then(|it| it.model.quality.by_task.get(&*task)).copied();
            Ok((quality,))
        },
    )?;
    details.func_wrap("candidate-operations", |mut store: StoreContextMut<'_, Host>, (index,): (u32,)| {
        store.data_mut().count_call()?;
        let operations: Vec<&'static str> = candidate(store.data(), index)
            .map(|it| it.model.operations.iter().map(|operation| operation.name()).collect())
            .unwrap_or_default();
        Ok((operations,))
    })
}

fn candidate(host: &Host, index: u32) -> Option<&Candidate> {
    host.input.as_ref()?.candidates.get(index as usize)
}

fn add_prompt(linker: &mut Linker<Host>) -> wasmtime::Result<()> {
    let mut prompt = linker.instance(interface::PROMPT)?;
    prompt.func_wrap("message-count", |mut store: StoreContextMut<'_, Host>, (): ()| {
        let host = store.data_mut();
        host.count_call()?;
        let messages = host.input.as_ref().map_or(0, |input| input.prompt.message_count());
        Ok((count(messages),))
    })?;
    prompt.func_wrap("role", |mut store: StoreContextMut<'_, Host>, (message,): (u32,)| {
        let host = store.data_mut();
        host.count_call()?;
        Ok((host.read(u32::MAX, |prompt| prompt.role(message as usize)),))
    })?;
    prompt.func_wrap("text", |mut store: StoreContextMut<'_, Host>, (message, max_bytes): (u32, u32)| {
        let host = store.data_mut();
        host.count_call()?;
        Ok((host.read(max_bytes, |prompt| prompt.text(message as usize)),))
    })?;
    prompt.func_wrap("last-user-text", |mut store: StoreContextMut<'_, Host>, (max_bytes,): (u32,)| {
        let host = store.data_mut();
        host.count_call()?;
        let text = host.read(max_bytes, |prompt| {
            let newest = (0..prompt.message_count()).rev().find(|&it| prompt.role(it) == Some(USER))?;
            prompt.text(newest)
        });
        Ok((text.unwrap_or_default(),))
    })?;
    prompt.func_wrap("tool-names", |mut store: StoreContextMut<'_, Host>, (): ()| {
        let host = store.data_mut();
        host.count_call()?;
        Ok((host.tool_names(),))
    })
}

fn add_outline(linker: &mut Linker<Host>) -> wasmtime::Result<()> {
    let mut outline = linker.instance(interface::OUTLINE)?;
    outline.func_wrap("parts", |mut store: StoreContextMut<'_, Host>, (): ()| {
        let host = store.data_mut();
        host.count_call()?;
        Ok((content_parts(host),))
    })?;
    outline.func_wrap("whole", |mut store: StoreContextMut<'_, Host>, (): ()| {
        let host = store.data_mut();
        host.count_call()?;
        Ok((host.input.as_ref().map_or(0, |input| count(input.orchestration.whole)),))
    })
}

fn content_parts(host: &Host) -> Vec<ContentPart> {
    let Some(input) = &host.input else { return Vec::new() };
    let parts = input.prompt.parts();
    let newest = parts.get(parts.len().saturating_sub(MAX_PARTS)..).unwrap_or_default();
    newest
        .iter()
        .map(|part| ContentPart {
            message: count(part.message),
            part: count(part.part),
            role: input.prompt.role(part.message).map_or("", known_role),
            kind: part.kind.into(),
            bytes: count(part.bytes),
        })
        .collect()
}

/// A role as the contract names it. Any other is words of the client, which
/// `outline` must not tell, and of any length.
fn known_role(role: &str) -> &'static str {
    const ROLES: [&str; 6] = ["system", "developer", USER, "assistant", "tool", "function"];
    ROLES.into_iter().find(|known| *known == role).unwrap_or_default()
}

fn add_outputs(linker: &mut Linker<Host>) -> wasmtime::Result<()> {
    let mut outputs = linker.instance(interface::OUTPUTS)?;
    outputs.func_wrap("text", |mut store: StoreContextMut<'_, Host>, (task, max_bytes): (u32, u32)| {
        let host = store.data_mut();
        host.count_call()?;
        Ok((host.read_output(task, max_bytes),))
    })
}

#[cfg(test)]
mod tests;
