//! A policy is loaded only if it may have all that it imports.

use wasmtime::component::Component;

use super::{LoadError, MAX_NAMES};
use crate::capability::Capability;
use crate::spec::Grants;
use pointsman_domain::text::printable;

/// Refuses a component that imports what is not offered, or not granted.
pub(super) fn check(component: &Component, granted: Grants) -> Result<(), LoadError> {
    for (import, _) in component.component_type().imports(component.engine()) {
        let Some(capability) = Capability::of(import) else {
            return Err(LoadError::UnknownImport(printable(import, MAX_NAMES)));
        };
        if let Some(grant) = capability.grant.filter(|grant| !granted.contains(grant.flag)) {
            return Err(LoadError::UngrantedImport { import: import.to_owned(), grant: grant.name });
        }
    }
    Ok(())
}
