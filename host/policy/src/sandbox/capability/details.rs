//! `details`: rare facts, looked up by name instead of being copied into every call.

use pointsman_domain::candidate::Candidate;
use wasmtime::StoreContextMut;
use wasmtime::component::{Linker, WasmStr};

use super::{Capability, OfferedInterface};
use crate::contract::interface;
use crate::sandbox::StoreData;
use crate::spec::Grants;
use crate::trace::ImportCall;

pub(super) const CAPABILITY: Capability = Capability {
    interfaces: &[OfferedInterface {
        name: "pointsman:policy/details",
        functions: Some(&[
            "request-attribute",
            "candidate-attribute",
            "task-quality",
            "candidate-operations",
        ]),
        allows: "look up named facts of the request and of the models",
    }],
    version_line: interface::VERSION_LINE,
    grant: None,
    link,
};

fn link(linker: &mut Linker<StoreData>, _: Grants) -> wasmtime::Result<()> {
    let mut details = linker.instance(interface::DETAILS)?;
    details.func_wrap(
        "request-attribute",
        |mut store: StoreContextMut<'_, StoreData>, (key,): (WasmStr,)| {
            store.data_mut().charge_host_call()?;
            let key = key.to_str(&store)?;
            let data = store.data();
            let value = data.input.as_ref().and_then(|input| input.request.attributes.get(&*key)).cloned();
            data.record_import(|| {
                let bytes = value.as_ref().map_or(0, String::len);
                ImportCall::new("details", "request-attribute", format!("{key:?}"), bytes)
            });
            Ok((value,))
        },
    )?;
    details.func_wrap(
        "candidate-attribute",
        |mut store: StoreContextMut<'_, StoreData>, (index, key): (u32, WasmStr)| {
            store.data_mut().charge_host_call()?;
            let key = key.to_str(&store)?;
            let value = candidate(store.data(), index).and_then(|it| it.model.attributes.get(&*key)).cloned();
            store.data().record_import(|| {
                let bytes = value.as_ref().map_or(0, String::len);
                ImportCall::new("details", "candidate-attribute", format!("{index}, {key:?}"), bytes)
            });
            Ok((value,))
        },
    )?;
    details.func_wrap(
        "task-quality",
        |mut store: StoreContextMut<'_, StoreData>, (index, task): (u32, WasmStr)| {
            store.data_mut().charge_host_call()?;
            let task = task.to_str(&store)?;
            let quality =
                candidate(store.data(), index).and_then(|it| it.model.quality.by_task.get(&*task)).copied();
            store.data().record_import(|| {
                ImportCall::new("details", "task-quality", format!("{index}, {task:?}"), 0)
            });
            Ok((quality,))
        },
    )?;
    details.func_wrap(
        "candidate-operations",
        |mut store: StoreContextMut<'_, StoreData>, (index,): (u32,)| {
            store.data_mut().charge_host_call()?;
            let operations: Vec<&'static str> = candidate(store.data(), index)
                .map(|it| it.model.operations.iter().map(|operation| operation.name()).collect())
                .unwrap_or_default();
            store.data().record_import(|| {
                let bytes = operations.iter().map(|name| name.len()).sum();
                ImportCall::new("details", "candidate-operations", index.to_string(), bytes)
            });
            Ok((operations,))
        },
    )
}

fn candidate(data: &StoreData, index: u32) -> Option<&Candidate> {
    data.input.as_ref()?.candidates.get(index as usize)
}
