//! The load gate: no policy serves that has not passed it.
//!
//! The checks run from the cheapest to the most expensive: size, settings against their schema, format,
//! complexity, compilation, imports, exports, linking, and a probe, in which the policy validates its
//! settings and makes one decision.

use std::sync::Arc;

use pointsman_domain::ids::Digest;
use pointsman_domain::text::printable;
use pointsman_state::PolicyState;
use wasmtime::component::{Component, Linker};

use crate::code::Code;
use crate::contract::interface;
use crate::description::{SelfDescription, SettingsFit};
use crate::instance::Exports;
use crate::load_error::{LoadError, MAX_QUOTED_NAMES, error_text};
use crate::policy::{LoadedCode, Policy};
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
        let description = Arc::new(SelfDescription::read(code.bytes()));
        report_problems(&spec, &description);
        check_settings(&spec, &description)?;
        let component = self.compile_service().component(code)?;
        self.admit_component(spec, code.digest(), component, description)
    }

    /// Loads the code of a loaded policy with another specification, without its bytes.
    ///
    /// # Errors
    /// Fails as [`load`](Self::load) does.
    pub fn respecify(&self, policy: &Policy, spec: PolicySpec) -> Result<Policy, LoadError> {
        self.check_memory(&spec)?;
        let description = Arc::clone(policy.description());
        check_settings(&spec, &description)?;
        self.admit_component(spec, policy.digest(), Arc::clone(policy.component()), description)
    }

    /// Runs the checks that follow compilation.
    fn admit_component(
        &self,
        spec: PolicySpec,
        digest: Digest,
        component: Arc<Component>,
        description: Arc<SelfDescription>,
    ) -> Result<Policy, LoadError> {
        check_imports(&component, spec.grants)?;
        let exports = Exports::find(&component)
            .map_err(|missing| LoadError::MissingExport { missing, exported: export_names(&component) })?;
        let mut linker = Linker::new(self.engine());
        let template = capability::add_to_linker(&mut linker, spec.grants)
            .and_then(|()| linker.instantiate_pre(&component))
            .map_err(|error| LoadError::Link(error_text(&error)))?;
        let state = self.state_for(&spec, &component)?;
        let code = LoadedCode { digest, component, template, exports, description };
        let policy = Policy::new(self.clone(), spec, code, state);
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

/// Logs faults of the policy's description, which are no reason to refuse it.
fn report_problems(spec: &PolicySpec, description: &SelfDescription) {
    let problems: Vec<String> = description.problems.iter().map(ToString::to_string).collect();
    if !problems.is_empty() {
        tracing::warn!(policy = %spec.name, "faults in the description of the policy are ignored: {}", problems.join("; "));
    }
}

/// Refuses settings that do not fit the schema in the policy's description. The policy itself validates
/// them too, when it is probed.
fn check_settings(spec: &PolicySpec, description: &SelfDescription) -> Result<(), LoadError> {
    match description.check_settings(&spec.settings) {
        SettingsFit::Fits => Ok(()),
        SettingsFit::Misfit(misfit) => Err(LoadError::SettingsSchema(misfit)),
        SettingsFit::Undecided => {
            tracing::warn!(policy = %spec.name, "the schema of the policy's settings takes too long to check, and is ignored");
            Ok(())
        }
    }
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
