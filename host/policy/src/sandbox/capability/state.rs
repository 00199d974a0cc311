//! `state`: values that the policy keeps between its calls.

use std::sync::Arc;
use std::time::Duration;

use pointsman_state::{StateCall, WriteError as StateWriteError};
use wasmtime::StoreContextMut;
use wasmtime::component::{ComponentType, Lower};

use super::{Capability, Grant, OfferedInterface};
use crate::contract::interface;
use crate::sandbox::StoreData;
use crate::spec::Grants;
use crate::trace::ImportCall;

pub(super) const CAPABILITY: Capability = Capability {
    interfaces: &[OfferedInterface {
        name: "pointsman:policy/state",
        functions: Some(&["get", "set", "delete", "add", "list"]),
        allows: "keep values between requests",
    }],
    version_line: interface::VERSION_LINE,
    grant: Some(Grant { flag: Grants::STATE, name: "state" }),
    link: |linker, _| {
        let mut state = linker.instance(interface::STATE)?;
        state.func_wrap("get", |mut store: Store<'_>, (key,): (String,)| {
            let value = store.data_mut().state_call()?.get(&key);
            let bytes = value.as_ref().map_or(0, |value| value.len());
            store.data().record_import(|| ImportCall::new("state", "get", key, bytes));
            Ok((value.map(Vec::from),))
        })?;
        state.func_wrap(
            "list",
            |mut store: Store<'_>, (prefix, after, limit): (String, Option<String>, u32)| {
                let call = store.data_mut().state_call()?;
                let entries = call.list(&prefix, after.as_deref(), limit as usize);
                let entry = |(key, entry): (Box<str>, pointsman_state::StateEntry)| Entry {
                    key: key.into(),
                    value: entry.value.into(),
                };
                let entries: Vec<Entry> = entries.into_iter().map(entry).collect();
                let bytes = entries.iter().map(|entry| entry.key.len() + entry.value.len()).sum();
                store.data().record_import(|| ImportCall::new("state", "list", prefix, bytes));
                Ok((entries,))
            },
        )?;
        state.func_wrap(
            "set",
            |mut store: Store<'_>, (key, value, ttl_ms): (String, Vec<u8>, Option<u64>)| {
                store.data().record_import(|| {
                    ImportCall::new("state", "set", format!("{key}, {} bytes", value.len()), 0)
                });
                let result = store.data_mut().state_call()?.set(&key, value.into(), time(ttl_ms));
                Ok((result.map_err(WriteError::from),))
            },
        )?;
        state.func_wrap("delete", |mut store: Store<'_>, (key,): (String,)| {
            let result = store.data_mut().state_call()?.delete(&key);
            store.data().record_import(|| ImportCall::new("state", "delete", key, 0));
            Ok((result.map_err(WriteError::from),))
        })?;
        state.func_wrap("add", |mut store: Store<'_>, (key, amount, ttl_ms): (String, i64, Option<u64>)| {
            let result = store.data_mut().state_call()?.add(&key, amount, time(ttl_ms));
            store.data().record_import(|| ImportCall::new("state", "add", format!("{key}, {amount}"), 0));
            Ok((result.map_err(WriteError::from),))
        })
    },
};

type Store<'a> = StoreContextMut<'a, StoreData>;

#[derive(ComponentType, Lower)]
#[component(record)]
struct Entry {
    key: String,
    value: Vec<u8>,
}

#[derive(ComponentType, Lower, Clone, Copy)]
#[component(enum)]
#[repr(u8)]
enum WriteError {
    #[component(name = "invalid-key")]
    InvalidKey,
    #[component(name = "too-large")]
    TooLarge,
    #[component(name = "full")]
    Full,
    #[component(name = "too-many-writes")]
    TooManyWrites,
    #[component(name = "not-a-number")]
    NotANumber,
}

impl From<StateWriteError> for WriteError {
    fn from(error: StateWriteError) -> Self {
        match error {
            StateWriteError::InvalidKey => Self::InvalidKey,
            StateWriteError::TooLarge => Self::TooLarge,
            StateWriteError::Full => Self::Full,
            StateWriteError::TooManyWrites => Self::TooManyWrites,
            StateWriteError::NotANumber => Self::NotANumber,
        }
    }
}

impl StoreData {
    /// Charges the call for one function, and returns its access to the state, which begins with the
    /// first one.
    fn state_call(&mut self) -> wasmtime::Result<&mut StateCall> {
        self.charge_host_call()?;
        if self.state.is_none() {
            let Some(state) = &self.policy.state else {
                return Err(wasmtime::Error::msg("the policy has no state"));
            };
            let usage = self.state_use.usage.clone().unwrap_or_default();
            self.state = Some(StateCall::new(Arc::clone(state), &self.state_use.access, usage));
        }
        self.state.as_mut().ok_or_else(|| wasmtime::Error::msg("the policy has no state"))
    }
}

fn time(ms: Option<u64>) -> Option<Duration> {
    ms.map(Duration::from_millis)
}
