//! What a component imports and exports.

use wasmparser::component_types::ComponentEntityType;
use wasmparser::types::Types;
use wasmparser::{Parser, Payload, Validator};

use crate::load::LoadError;
use pointsman_domain::text::printable;

/// Bytes of a name that are kept: names of some kinds hold any text.
const MAX_NAME: usize = 256;

/// Something imported or exported.
pub(super) struct Interface {
    /// With its version; or the name of a function.
    pub(super) name: String,
    /// Its functions, if it is an interface.
    pub(super) functions: Vec<String>,
}

/// All of a component, in its own order.
pub(super) struct Interfaces {
    pub(super) imports: Vec<Interface>,
    pub(super) exports: Vec<Interface>,
}

/// Validates the component and reads its outermost imports and exports.
pub(super) fn read(component: &[u8]) -> Result<Interfaces, LoadError> {
    let invalid = |error: wasmparser::BinaryReaderError| LoadError::Compile(error.to_string());
    let types = Validator::new().validate_all(component).map_err(invalid)?;
    let (mut imports, mut exports) = (Vec::new(), Vec::new());
    // The sections of modules and components inside come at a greater depth.
    let mut depth = 0_usize;
    for payload in Parser::new(0).parse_all(component) {
        match payload.map_err(invalid)? {
            Payload::ModuleSection { .. } | Payload::ComponentSection { .. } => depth += 1,
            Payload::End(_) => depth = depth.saturating_sub(1),
            Payload::ComponentImportSection(section) if depth == 0 => {
                for import in section {
                    let name = import.map_err(invalid)?.name.name;
                    let item = types.component_item_for_import(name);
                    imports.push(Interface::of(name, item.map(|item| item.ty), &types));
                }
            }
            Payload::ComponentExportSection(section) if depth == 0 => {
                for export in section {
                    let name = export.map_err(invalid)?.name.name;
                    let item = types.component_item_for_export(name);
                    exports.push(Interface::of(name, item.map(|item| item.ty), &types));
                }
            }
            _ => {}
        }
    }
    Ok(Interfaces { imports, exports })
}

impl Interface {
    fn of(name: &str, item: Option<ComponentEntityType>, types: &Types) -> Self {
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
