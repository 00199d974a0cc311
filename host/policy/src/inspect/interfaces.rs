//! Imports and exports of a component.

use pointsman_domain::text::printable;
use wasmparser::component_types::ComponentEntityType;
use wasmparser::types::Types;
use wasmparser::{Parser, Payload, Validator};

use crate::load_error::LoadError;

/// Bytes of a name that are kept. Some kinds of names are arbitrary text.
const MAX_NAME: usize = 256;

/// An interface or function that a component imports or exports.
pub(super) struct ComponentInterface {
    /// Name of the interface with its version, or of the function.
    pub(super) name: String,
    /// Functions of the interface; empty for a function.
    pub(super) functions: Vec<String>,
}

/// Imports and exports of a component, in its own order.
pub(super) struct ComponentInterfaces {
    pub(super) imports: Vec<ComponentInterface>,
    pub(super) exports: Vec<ComponentInterface>,
}

/// Validates a component and reads its outermost imports and exports.
pub(super) fn read(component: &[u8]) -> Result<ComponentInterfaces, LoadError> {
    let invalid = |error: wasmparser::BinaryReaderError| LoadError::Compile(error.to_string());
    let types = Validator::new().validate_all(component).map_err(invalid)?;
    let (mut imports, mut exports) = (Vec::new(), Vec::new());
    // Nested modules and components have a depth above 0.
    let mut depth = 0_usize;
    for payload in Parser::new(0).parse_all(component) {
        match payload.map_err(invalid)? {
            Payload::ModuleSection { .. } | Payload::ComponentSection { .. } => depth += 1,
            Payload::End(_) => depth = depth.saturating_sub(1),
            Payload::ComponentImportSection(section) if depth == 0 => {
                for import in section {
                    let name = import.map_err(invalid)?.name.name;
                    let item = types.component_item_for_import(name);
                    imports.push(ComponentInterface::new(name, item.map(|item| item.ty), &types));
                }
            }
            Payload::ComponentExportSection(section) if depth == 0 => {
                for export in section {
                    let name = export.map_err(invalid)?.name.name;
                    let item = types.component_item_for_export(name);
                    exports.push(ComponentInterface::new(name, item.map(|item| item.ty), &types));
                }
            }
            _ => {}
        }
    }
    Ok(ComponentInterfaces { imports, exports })
}

impl ComponentInterface {
    fn new(name: &str, item: Option<ComponentEntityType>, types: &Types) -> Self {
        let functions = match item {
            Some(ComponentEntityType::Instance(instance)) => types[instance]
                .exports
                .iter()
                .filter(|(_, item)| matches!(item.ty, ComponentEntityType::Func(_)))
                .map(|(name, _)| printable(name, MAX_NAME))
                .collect(),
            _ => Vec::new(),
        };
        Self { name: printable(name, MAX_NAME), functions }
    }
}
