//! `outputs`: the models' output for the tasks of earlier plans.

use wasmtime::StoreContextMut;

use super::{Capability, Grant, OfferedInterface};
use crate::contract::interface;
use crate::sandbox::StoreData;
use crate::spec::Grants;
use crate::trace::ImportCall;

pub(super) const CAPABILITY: Capability = Capability {
    interfaces: &[OfferedInterface {
        name: "pointsman:policy/outputs",
        functions: Some(&["text"]),
        allows: "read what models answered in its tasks",
    }],
    version_line: interface::VERSION_LINE,
    grant: Some(Grant { flag: Grants::OUTPUTS, name: "outputs" }),
    link: |linker, _| {
        let mut outputs = linker.instance(interface::OUTPUTS)?;
        outputs.func_wrap(
            "text",
            |mut store: StoreContextMut<'_, StoreData>, (task, max_bytes): (u32, u32)| {
                let data = store.data_mut();
                data.charge_host_call()?;
                let text = data.read_output(task, max_bytes);
                let bytes = text.as_ref().map_or(0, String::len);
                data.record_import(|| {
                    ImportCall::new("outputs", "text", format!("{task}, {max_bytes}"), bytes)
                });
                Ok((text,))
            },
        )
    },
};

impl StoreData {
    fn read_output(&mut self, task: u32, max_bytes: u32) -> Option<String> {
        let Self { input: Some(input), content, .. } = self else { return None };
        let output = input.orchestration.results.get(task as usize)?.output.as_deref()?;
        Some(content.copy(output, max_bytes))
    }
}
