//! Bounds on what the compiler is given.
//!
//! Compile time does not follow from a file's size: an honest Python policy has
//! 18 MB and compiles in seconds, and a function of 3 MB can keep the compiler
//! busy for minutes, because its passes are not linear in the size of a
//! function. So single functions and counts are bounded.

use wasmparser::{BinaryReaderError, Encoding, FunctionBody, Parser, Payload};

use super::LoadError;
use super::format::malformed;

/// Bytes of one function's code. The largest in an interpreter for another
/// language is its main loop, of some 100 KB.
pub(crate) const MAX_FUNCTION_BYTES: usize = 512 << 10;
/// Locals of one function, a part of the code that is written in a few bytes.
pub(crate) const MAX_LOCALS: u64 = 10_000;
/// Functions of all modules. CPython with its standard modules has about 20,000.
pub(crate) const MAX_FUNCTIONS: usize = 100_000;
/// Modules and components within the component.
pub(crate) const MAX_MODULES: usize = 200;
/// Core instances that are made of them.
pub(crate) const MAX_INSTANCES: usize = 200;

/// Refuses a component that could keep the compiler busy for long.
pub(super) fn check(component: &[u8]) -> Result<(), LoadError> {
    scan(component, Counts::within_bounds).map(|_| ())
}

/// How much there is of all that is bounded, without refusing any of it.
///
/// # Errors
/// When the bytes are not WebAssembly to their end.
pub(crate) fn count(component: &[u8]) -> Result<Counts, LoadError> {
    scan(component, |_| Ok(()))
}

fn scan(
    component: &[u8],
    mut check: impl FnMut(&Counts) -> Result<(), LoadError>,
) -> Result<Counts, LoadError> {
    let mut counts = Counts::default();
    for payload in Parser::new(0).parse_all(component) {
        counts.add(&payload.map_err(malformed)?).map_err(malformed)?;
        check(&counts)?;
    }
    Ok(counts)
}

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

    /// Refuses more than the compiler should be given.
    pub(crate) fn within_bounds(&self) -> Result<(), LoadError> {
        at_most("functions", self.functions as u64, MAX_FUNCTIONS as u64)?;
        at_most("bytes of code in one function", self.largest_function as u64, MAX_FUNCTION_BYTES as u64)?;
        at_most("locals in one function", self.most_locals, MAX_LOCALS)?;
        at_most("modules", self.modules as u64, MAX_MODULES as u64)?;
        at_most("core instances", self.instances as u64, MAX_INSTANCES as u64)
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

fn at_most(what: &str, count: u64, most: u64) -> Result<(), LoadError> {
    if count > most {
        return Err(LoadError::TooComplex(format!("{count} {what}, at most {most}")));
    }
    Ok(())
}
