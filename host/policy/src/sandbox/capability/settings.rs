//! `settings`: the policy's table in the configuration.

use std::sync::Arc;

use wasmtime::StoreContextMut;

use super::{Capability, OfferedInterface};
use crate::contract::interface;
use crate::sandbox::StoreData;
use crate::trace::ImportCall;

pub(super) const CAPABILITY: Capability = Capability {
    interfaces: &[OfferedInterface {
        name: "pointsman:policy/settings",
        functions: Some(&["json"]),
        allows: "read its own settings",
    }],
    version_line: interface::VERSION_LINE,
    grant: None,
    link: |linker, _| {
        let mut settings = linker.instance(interface::SETTINGS)?;
        settings.func_wrap("json", |mut store: StoreContextMut<'_, StoreData>, (): ()| {
            let data = store.data_mut();
            data.charge_host_call()?;
            data.record_import(|| ImportCall::new("settings", "json", "", data.policy.settings.len()));
            Ok((Arc::clone(&data.policy.settings),))
        })
    },
};
