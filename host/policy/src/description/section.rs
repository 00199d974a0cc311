//! The custom section of a WebAssembly file that has the description.

use wasm_encoder::{CustomSection, Section};
use wasmparser::{BinaryReader, Parser, Payload};

use crate::binary::format::{check_kind, malformed};
use crate::load_error::LoadError;

/// Name of the section.
pub const SECTION: &str = "pointsman:description";

/// Length of the magic number and the version.
const HEADER_BYTES: usize = 8;
/// Identifier of custom sections.
const CUSTOM: u8 = 0;

/// Sections of a file.
#[derive(Default)]
pub(super) struct FoundSection<'w> {
    /// Content of the outermost section, of several the first.
    pub(super) text: Option<&'w [u8]>,
    /// True if there is another one at the same depth with other content.
    pub(super) has_others: bool,
}

/// Finds the description in a module or component, or in one that is nested in it: a component that
/// was made from a module has the module's sections inside.
pub(super) fn find(wasm: &[u8]) -> FoundSection<'_> {
    let mut found = FoundSection::default();
    let (mut depth, mut found_at) = (0_usize, usize::MAX);
    for payload in Parser::new(0).parse_all(wasm).map_while(Result::ok) {
        match payload {
            Payload::ModuleSection { .. } | Payload::ComponentSection { .. } => depth += 1,
            Payload::End(_) => depth = depth.saturating_sub(1),
            Payload::CustomSection(section) if section.name() == SECTION => {
                if depth < found_at {
                    found = FoundSection { text: Some(section.data()), has_others: false };
                    found_at = depth;
                } else if depth == found_at {
                    found.has_others |= found.text != Some(section.data());
                }
            }
            _ => {}
        }
    }
    found
}

/// Returns a module or component with this description in place of any that it has itself.
///
/// # Errors
/// Fails if the bytes are not WebAssembly.
pub fn attach(wasm: &[u8], description: &str) -> Result<Vec<u8>, LoadError> {
    check_kind(wasm)?;
    let mut described = Vec::with_capacity(wasm.len() + description.len() + 2 * HEADER_BYTES);
    let mut reader = BinaryReader::new(wasm, 0);
    described.extend_from_slice(reader.read_bytes(HEADER_BYTES).map_err(malformed)?);
    while !reader.eof() {
        let start = reader.original_position();
        let id = reader.read_u8().map_err(malformed)?;
        let length = reader.read_var_u32().map_err(malformed)? as usize;
        let content = reader.read_bytes(length).map_err(malformed)?;
        let is_description =
            id == CUSTOM && BinaryReader::new(content, 0).read_string().is_ok_and(|name| name == SECTION);
        if !is_description {
            described.extend_from_slice(wasm.get(start..reader.original_position()).unwrap_or_default());
        }
    }
    CustomSection { name: SECTION.into(), data: description.as_bytes().into() }.append_to(&mut described);
    Ok(described)
}
