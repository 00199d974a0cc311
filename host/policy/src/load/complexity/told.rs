//! The counts that whoever looks at a policy is told, bounded or not.

use wasmparser::{BinaryReaderError, Encoding, FunctionBody, Parser, Payload};

use super::check_nesting;
use crate::load::LoadError;
use crate::load::format::malformed;

/// What the compiler's work depends on.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Counts {
    pub(crate) functions: usize,
    pub(crate) largest_function: usize,
    pub(crate) most_locals: u64,
    pub(crate) modules: usize,
    pub(crate) instances: usize,
    /// Bytes that the memories of all modules begin with; not bounded here.
    pub(crate) memory: u64,
}

/// How much there is, without refusing any of it but what could not be read.
///
/// # Errors
/// When the bytes are not WebAssembly to their end, or have types so deep within
/// one another that reading them would exhaust the stack.
pub(crate) fn count(component: &[u8]) -> Result<Counts, LoadError> {
    let mut counts = Counts::default();
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
        counts.add(&payload).map_err(malformed)?;
    }
    Ok(counts)
}

impl Counts {
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
