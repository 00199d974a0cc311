//! Counts for the inspection of a policy, which refuses nothing.

use wasmparser::{BinaryReaderError, Encoding, FunctionBody, Parser, Payload};

use super::check_nesting;
use crate::binary::format::malformed;
use crate::load_error::LoadError;

/// The counts that the compiler's work depends on most.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct ComplexitySummary {
    pub(crate) functions: usize,
    pub(crate) largest_function: usize,
    pub(crate) most_locals: u64,
    pub(crate) modules: usize,
    pub(crate) instances: usize,
    /// Initial bytes of the memories of all modules. Not bounded here.
    pub(crate) memory: u64,
}

/// Counts without refusing anything that can be parsed.
///
/// # Errors
/// Fails when the bytes are not WebAssembly to their end, or nest types so deeply that parsing
/// them would exhaust the stack.
pub(crate) fn summarize(component: &[u8]) -> Result<ComplexitySummary, LoadError> {
    let mut summary = ComplexitySummary::default();
    for payload in Parser::new(0).parse_all(component) {
        let payload = payload.map_err(malformed)?;
        match &payload {
            Payload::ComponentTypeSection(types) => {
                check_nesting(component.get(types.range()).unwrap_or_default())?;
            }
            Payload::CustomSection(custom) if custom.name().starts_with("component-type") => {
                check_nesting(custom.data())?;
            }
            _ => {}
        }
        summary.add(&payload).map_err(malformed)?;
    }
    Ok(summary)
}

impl ComplexitySummary {
    fn add(&mut self, payload: &Payload<'_>) -> Result<(), BinaryReaderError> {
        match payload {
            Payload::CodeSectionEntry(body) => {
                self.functions += 1;
                self.largest_function = self.largest_function.max(body.range().len());
                self.most_locals = self.most_locals.max(locals(body)?);
            }
            Payload::Version { encoding: Encoding::Module, .. } | Payload::ComponentSection { .. } => {
                self.modules += 1;
            }
            Payload::InstanceSection(section) => self.instances += section.count() as usize,
            Payload::MemorySection(section) => {
                for memory in section.clone() {
                    let memory = memory?;
                    let page = 1_u64.checked_shl(memory.page_size_log2.unwrap_or(16)).unwrap_or(u64::MAX);
                    self.memory = self.memory.saturating_add(memory.initial.saturating_mul(page));
                }
            }
            _ => {}
        }
        Ok(())
    }
}

fn locals(body: &FunctionBody<'_>) -> Result<u64, BinaryReaderError> {
    let mut locals = 0_u64;
    for group in body.get_locals_reader()? {
        let (count, _) = group?;
        locals += u64::from(count);
    }
    Ok(locals)
}
