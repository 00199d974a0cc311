//! Imports are capabilities: a policy can reach only what it imports.
//!
//! Each submodule defines one [`Capability`] completely: its interfaces and what they allow, the
//! grant they require, the functions that are linked for them, and the state they keep in
//! [`StoreData`]. [`ALL`] lists them. The load gate, the linker and `inspect` read that list, so
//! a new import is a submodule and a line here, beside its types in `contract` and its WIT.
//!
//! Functions of `pointsman:policy` return without waiting, because a policy's ticks are counted
//! only while its own code runs. Of WASI, only `poll` waits: for real clocks, where those are
//! granted, and no longer than the deadline of the call.

use wasmtime::component::Linker;

use super::StoreData;
use crate::contract::interface;
use crate::spec::Grants;

mod details;
pub(super) mod log;
pub(super) mod outline;
mod outputs;
pub(super) mod prompt;
mod settings;
mod state;
mod types;
pub(super) mod wasi;

/// Every capability, in the order in which they are listed and linked.
static ALL: [&Capability; 9] = [
    &types::CAPABILITY,
    &settings::CAPABILITY,
    &log::CAPABILITY,
    &details::CAPABILITY,
    &outline::CAPABILITY,
    &prompt::CAPABILITY,
    &outputs::CAPABILITY,
    &state::CAPABILITY,
    &wasi::CAPABILITY,
];

/// Interfaces that a policy may import, all under the same grant.
pub(crate) struct Capability {
    interfaces: &'static [OfferedInterface],
    /// Leading part of the versions that are offered: wasmtime links any version that differs
    /// in the last number only.
    version_line: &'static str,
    /// Grant that the configuration has to give; `None` for what every policy may have.
    grant: Option<Grant>,
    link: fn(&mut Linker<StoreData>, Grants) -> wasmtime::Result<()>,
}

/// An interface that Pointsman offers, or a package of interfaces.
pub(crate) struct OfferedInterface {
    /// Package and interface without the version; the package and a slash for a whole package.
    name: &'static str,
    /// Functions of the interface; `None` where only linking determines them.
    functions: Option<&'static [&'static str]>,
    /// Effect of the interface for a policy, in plain English. Continues the words "lets it".
    pub(crate) allows: &'static str,
}

/// A grant with its name in the configuration.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Grant {
    pub(crate) flag: Grants,
    pub(crate) name: &'static str,
}

/// A match of an import with what is offered.
#[derive(Clone, Copy)]
pub(crate) struct Offer {
    pub(crate) interface: &'static OfferedInterface,
    pub(crate) grant: Option<Grant>,
}

/// Finds an import, given with its version. `None` if Pointsman does not offer it.
pub(crate) fn find(import: &str) -> Option<Offer> {
    let (name, version) = import.split_once('@')?;
    ALL.iter().find_map(|capability| {
        let interface = capability.interfaces.iter().find(|interface| interface.matches(name))?;
        interface::is_in_line(version, capability.version_line)
            .then_some(Offer { interface, grant: capability.grant })
    })
}

/// Links the capabilities that these grants allow.
pub(crate) fn add_to_linker(linker: &mut Linker<StoreData>, grants: Grants) -> wasmtime::Result<()> {
    let is_granted = |capability: &&&Capability| capability.grant.is_none_or(|it| grants.contains(it.flag));
    ALL.iter().filter(is_granted).try_for_each(|capability| (capability.link)(linker, grants))
}

impl OfferedInterface {
    fn matches(&self, name: &str) -> bool {
        if self.name.ends_with('/') { name.starts_with(self.name) } else { name == self.name }
    }

    /// Returns whether the interface may have a function of this name.
    pub(crate) fn may_have(&self, function: &str) -> bool {
        self.functions.is_none_or(|functions| functions.contains(&function))
    }
}

#[cfg(test)]
mod tests;
