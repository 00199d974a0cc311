//! The load gate: no policy serves that has not passed it.
//!
//! The checks run from the cheapest to the most expensive: size, format, complexity, compilation,
//! imports, exports, linking, and a probe, in which the policy validates its settings and makes one
//! decision.

use std::sync::Arc;

use pointsman_domain::ids::Digest;
use pointsman_domain::text::printable;
use pointsman_state::PolicyState;
use wasmtime::component::{Component, Linker};

use crate::code::Code;
use crate::contract::interface;
use crate::instance::Exports;
use crate::load_error::{LoadError, MAX_QUOTED_NAMES, error_text};
use crate::policy::Policy;
use crate::runtime::Runtime;
use crate::sandbox::capability;
use crate::spec::{Grants, PolicySpec};

mod probe;

impl Runtime {
    /// Checks, compiles and probes a policy: a component, or the core module with an embedded
    /// component type that cargo builds. Blocks while the compiler runs, possibly for seconds:
    /// call it outside the async runtime.
    ///
    /// # Errors
    /// Fails when the policy must not serve; see [`LoadError`]. Nothing of it is kept then.
    pub fn load(&self, spec: PolicySpec, code: &Code) -> Result<Policy, LoadError> {
        check_size(&spec, code)?;
        self.check_memory(&spec)?;
        let component = self.compile_service().component(code)?;
        self.admit_component(spec, code.digest(), component)
    }

    /// Loads the code of a loaded policy with another specification, without its bytes.
    ///
    /// # Errors
    /// Fails as [`load`](Self::load) does.
    pub fn respecify(&self, policy: &Policy, spec: PolicySpec) -> Result<Policy, LoadError> {
        self.check_memory(&spec)?;
        self.admit_component(spec, policy.digest(), Arc::clone(policy.component()))
    }

    /// Runs the checks that follow compilation.
    fn admit_component(
        &self,
        spec: PolicySpec,
        digest: Digest,
        component: Arc<Component>,
    ) -> Result<Policy, LoadError> {
        check_imports(&component, spec.grants)?;
        let exports = Exports::find(&component)
            .map_err(|missing| LoadError::MissingExport { missing, exported: export_names(&component) })?;
        let mut linker = Linker::new(self.engine());
        let template = capability::add_to_linker(&mut linker, spec.grants)
            .and_then(|()| linker.instantiate_pre(&component))
            .map_err(|error| LoadError::Link(error_text(&error)))?;
        let state = self.state_for(&spec, &component)?;
        let policy = Policy::new(self.clone(), spec, digest, component, template, exports, state);
        probe::run(self, &policy)?;
        Ok(policy)
    }

    /// Loads the state of a policy that imports it.
    fn state_for(
        &self,
        spec: &PolicySpec,
        component: &Component,
    ) -> Result<Option<Arc<PolicyState>>, LoadError> {
        let component_type = component.component_type();
        let mut imports = component_type.imports(component.engine());
        if !imports.any(|(import, _)| interface::short_name(import) == Some("state")) {
            return Ok(None);
        }
        let owner = spec.state_of.as_ref().unwrap_or(&spec.name);
        self.states().of(owner).map(Some).map_err(LoadError::State)
    }

    fn check_memory(&self, spec: &PolicySpec) -> Result<(), LoadError> {
        let (limit, most) = (spec.limits.memory_bytes, self.config().max_memory_bytes);
        if limit > most {
            return Err(LoadError::MemoryLimit { limit, most });
        }
        Ok(())
    }
}

fn check_size(spec: &PolicySpec, code: &Code) -> Result<(), LoadError> {
    let (bytes, limit) = (code.bytes().len(), spec.limits.max_component_bytes);
    if bytes > limit {
        return Err(LoadError::TooLarge { bytes, limit });
    }
    Ok(())
}

/// Refuses a component that imports an interface that is not offered or not granted.
fn check_imports(component: &Component, granted: Grants) -> Result<(), LoadError> {
    for (import, _) in component.component_type().imports(component.engine()) {
        let Some(offer) = capability::find(import) else {
            return Err(LoadError::UnknownImport(printable(import, MAX_QUOTED_NAMES)));
        };
        if let Some(grant) = offer.grant.filter(|grant| !granted.contains(grant.flag)) {
            return Err(LoadError::UngrantedImport { import: import.to_owned(), grant: grant.name });
        }
    }
    Ok(())
}

fn export_names(component: &Component) -> String {
    let names: Vec<String> =
        component.component_type().exports(component.engine()).map(|(name, _)| name.to_owned()).collect();
    if names.is_empty() { "nothing".to_owned() } else { printable(&names.join(", "), MAX_QUOTED_NAMES) }
}
