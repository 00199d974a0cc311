//! Metadata that tools recorded in a policy. It can be forged, so it is only shown to people.

use pointsman_domain::text::printable;
use wasmparser::{KnownCustom, Parser, Payload, ProducersSectionReader};

use super::{Sdk, Tool};

/// Custom section in which a kit for policies records its language, a space, and its version.
const SDK_SECTION: &str = "pointsman:sdk";
/// Prefix of the names of sections with a core module's component type.
const TYPE_SECTION: &str = "component-type";
/// Number of languages, and of tools, that are kept.
const MAX_TOOLS: usize = 32;
/// Bytes of a name or a version that are kept.
const MAX_TEXT: usize = 128;

#[derive(Default)]
pub(super) struct Metadata {
    pub(super) sdk: Option<Sdk>,
    pub(super) languages: Vec<Tool>,
    pub(super) tools: Vec<Tool>,
}

fn sdk(record: &[u8]) -> Option<Sdk> {
    let record = String::from_utf8_lossy(record);
    let mut words = record.split_whitespace();
    let language = printable(words.next()?, MAX_TEXT);
    Some(Sdk { language, version: words.next().map(|version| printable(version, MAX_TEXT)) })
}

impl Metadata {
    /// Reads the custom sections of a WebAssembly file and of everything nested in it.
    pub(super) fn read(wasm: &[u8]) -> Self {
        let mut metadata = Self::default();
        metadata.scan(wasm);
        metadata
    }

    /// Reads sections up to the first error.
    fn scan(&mut self, wasm: &[u8]) {
        for payload in Parser::new(0).parse_all(wasm).map_while(Result::ok) {
            let Payload::CustomSection(section) = payload else { continue };
            if section.name() == SDK_SECTION {
                self.sdk = self.sdk.take().or_else(|| sdk(section.data()));
            } else if section.name().starts_with(TYPE_SECTION) {
                self.scan_component_type(section.data());
            } else if let KnownCustom::Producers(producers) = section.as_known() {
                let _ = self.add(producers);
            }
        }
    }

    /// Reads the producers of a component type, which is encoded as a component without code. The
    /// bindings generator records itself there.
    fn scan_component_type(&mut self, component_type: &[u8]) {
        for payload in Parser::new(0).parse_all(component_type).map_while(Result::ok) {
            if let Payload::CustomSection(section) = payload
                && let KnownCustom::Producers(producers) = section.as_known()
            {
                let _ = self.add(producers);
            }
        }
    }

    fn add(&mut self, producers: ProducersSectionReader<'_>) -> wasmparser::Result<()> {
        for field in producers {
            let field = field?;
            let tools = if field.name == "language" { &mut self.languages } else { &mut self.tools };
            for value in field.values {
                let value = value?;
                let version = Some(value.version).filter(|version| !version.is_empty());
                let tool = Tool {
                    name: printable(value.name, MAX_TEXT),
                    version: version.map(|version| printable(version, MAX_TEXT)),
                };
                if tools.len() < MAX_TOOLS && !tools.contains(&tool) {
                    tools.push(tool);
                }
            }
        }
        Ok(())
    }
}
