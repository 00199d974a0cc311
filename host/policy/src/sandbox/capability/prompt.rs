//! `prompt`: the content of the request.

use pointsman_domain::prompt::Prompt;
use wasmtime::StoreContextMut;
use wasmtime::component::Linker;

use super::{Capability, Grant, OfferedInterface};
use crate::contract::{interface, saturating_u32};
use crate::sandbox::StoreData;
use crate::spec::{Grants, Limits};
use crate::trace::ImportCall;

/// Role whose newest message `last-user-text` returns.
const USER: &str = "user";

pub(super) const CAPABILITY: Capability = Capability {
    interfaces: &[OfferedInterface {
        name: "pointsman:policy/prompt",
        functions: Some(&["message-count", "role", "text", "last-user-text", "tool-names"]),
        allows: "read what the request says, and the names of its tools",
    }],
    version_line: interface::VERSION_LINE,
    grant: Some(Grant { flag: Grants::PROMPT, name: "prompt" }),
    link,
};

fn link(linker: &mut Linker<StoreData>, _: Grants) -> wasmtime::Result<()> {
    let mut prompt = linker.instance(interface::PROMPT)?;
    prompt.func_wrap("message-count", |mut store: StoreContextMut<'_, StoreData>, (): ()| {
        let data = store.data_mut();
        data.charge_host_call()?;
        let messages = data.input.as_ref().map_or(0, |input| input.prompt.message_count());
        data.record_import(|| ImportCall::new("prompt", "message-count", "", 0));
        Ok((saturating_u32(messages),))
    })?;
    prompt.func_wrap("role", |mut store: StoreContextMut<'_, StoreData>, (message,): (u32,)| {
        let data = store.data_mut();
        data.charge_host_call()?;
        let role = data.read_prompt(u32::MAX, |prompt| prompt.role(message as usize));
        data.record_read("role", || message.to_string(), role.as_deref());
        Ok((role,))
    })?;
    prompt.func_wrap(
        "text",
        |mut store: StoreContextMut<'_, StoreData>, (message, max_bytes): (u32, u32)| {
            let data = store.data_mut();
            data.charge_host_call()?;
            let text = data.read_prompt(max_bytes, |prompt| prompt.text(message as usize));
            data.record_read("text", || format!("{message}, {max_bytes}"), text.as_deref());
            Ok((text,))
        },
    )?;
    prompt.func_wrap(
        "last-user-text",
        |mut store: StoreContextMut<'_, StoreData>, (max_bytes,): (u32,)| {
            let data = store.data_mut();
            data.charge_host_call()?;
            let text = data.read_prompt(max_bytes, |prompt| {
                let newest = (0..prompt.message_count()).rev().find(|&it| prompt.role(it) == Some(USER))?;
                prompt.text(newest)
            });
            data.record_read("last-user-text", || max_bytes.to_string(), text.as_deref());
            Ok((text.unwrap_or_default(),))
        },
    )?;
    prompt.func_wrap("tool-names", |mut store: StoreContextMut<'_, StoreData>, (): ()| {
        let data = store.data_mut();
        data.charge_host_call()?;
        let names = data.tool_names();
        let bytes = names.iter().map(String::len).sum();
        data.record_import(|| ImportCall::new("prompt", "tool-names", "", bytes));
        Ok((names,))
    })
}

/// Bytes of content left to one call, shared by `prompt` and `outputs`.
pub(in crate::sandbox) struct ContentAllowance {
    bytes: usize,
}

impl ContentAllowance {
    pub(in crate::sandbox) fn new(limits: &Limits) -> Self {
        Self { bytes: limits.prompt_bytes as usize }
    }

    /// Copies the beginning of a text, as far as the allowance and `max_bytes` go.
    pub(super) fn copy(&mut self, text: &str, max_bytes: u32) -> String {
        let end = text.floor_char_boundary(self.bytes.min(max_bytes as usize));
        self.bytes -= end;
        text[..end].to_owned()
    }

    /// Copies a text that is useless in part, if the allowance covers all of it.
    fn copy_whole(&mut self, text: &str) -> Option<String> {
        self.bytes = self.bytes.checked_sub(text.len())?;
        Some(text.to_owned())
    }
}

impl StoreData {
    fn record_read(&self, function: &'static str, arguments: impl FnOnce() -> String, text: Option<&str>) {
        let bytes = text.map_or(0, str::len);
        self.record_import(|| ImportCall::new("prompt", function, arguments(), bytes));
    }

    fn read_prompt(
        &mut self,
        max_bytes: u32,
        select: impl FnOnce(&dyn Prompt) -> Option<&str>,
    ) -> Option<String> {
        let text = select(&*self.input.as_ref()?.prompt)?;
        Some(self.content.copy(text, max_bytes))
    }

    /// Returns tool names up to the first that the allowance does not cover.
    fn tool_names(&mut self) -> Vec<String> {
        let Self { input: Some(input), content, .. } = self else { return Vec::new() };
        input.prompt.tool_names().iter().map_while(|name| content.copy_whole(name)).collect()
    }
}
