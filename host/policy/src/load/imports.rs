//! Imports are capabilities: what a policy may reach is what it imports, and it
//! is loaded only if it may have all of that.

use wasmtime::component::Component;

use super::LoadError;
use crate::contract::interface;
use crate::spec::Grants;

/// Refuses a component that imports what is not offered, or not granted.
pub(super) fn check(component: &Component, granted: Grants) -> Result<(), LoadError> {
    for (import, _) in component.component_type().imports(component.engine()) {
        match needs(import) {
            Needs::Nothing => {}
            Needs::Grant { grant, name } if !granted.contains(grant) => {
                return Err(LoadError::UngrantedImport { import: import.to_owned(), grant: name });
            }
            Needs::Grant { .. } => {}
            Needs::Unknown => return Err(LoadError::UnknownImport(import.to_owned())),
        }
    }
    Ok(())
}

enum Needs {
    /// Every policy may import it.
    Nothing,
    Grant {
        grant: Grants,
        name: &'static str,
    },
    Unknown,
}

/// What it takes to import an interface, whatever its version: linking finds
/// out whether we have that one.
fn needs(import: &str) -> Needs {
    let name = import.split_once('@').map_or(import, |(name, _version)| name);
    if name.starts_with("wasi:") {
        return Needs::Grant { grant: Grants::WASI, name: "wasi" };
    }
    match name.strip_prefix(interface::PACKAGE) {
        Some("types" | "plans" | "settings" | "log" | "details" | "outline") => Needs::Nothing,
        Some("outputs") => Needs::Grant { grant: Grants::OUTPUTS, name: "outputs" },
        Some("prompt") => Needs::Grant { grant: Grants::PROMPT, name: "prompt" },
        _ => Needs::Unknown,
    }
}
