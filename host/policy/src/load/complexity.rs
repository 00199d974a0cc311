//! Bounds on what the compiler is given.
//!
//! Compile time does not follow from a file's size: an honest Python policy has
//! 18 MB and compiles in seconds, and a function of 3 MB can keep the compiler
//! busy for minutes, because its passes are not linear in the size of a
//! function. So single functions and counts are bounded.

use wasmparser::{Parser, Payload};

use super::LoadError;

/// Bytes of one function's code. The largest in an interpreter for another
/// language is its main loop, of some 100 KB.
const MAX_FUNCTION_BYTES: usize = 512 << 10;
/// Locals of one function, a part of the code that is written in a few bytes.
const MAX_LOCALS: u64 = 10_000;
/// Functions of all modules. CPython with its standard modules has about 20,000.
const MAX_FUNCTIONS: usize = 100_000;
/// Modules and components within the component.
const MAX_MODULES: usize = 200;
/// Core instances that are made of them.
const MAX_INSTANCES: usize = 200;

/// Refuses a component that could keep the compiler busy for long.
pub(super) fn check(component: &[u8]) -> Result<(), LoadError> {
    let mut count = Count::default();
    for payload in Parser::new(0).parse_all(component) {
        let payload = payload.map_err(|error| LoadError::NotWebAssembly(error.to_string()))?;
        count.payload(&payload)?;
    }
    Ok(())
}

#[derive(Default)]
struct Count {
    functions: usize,
    modules: usize,
    instances: usize,
}

impl Count {
    fn payload(&mut self, payload: &Payload<'_>) -> Result<(), LoadError> {
        match payload {
            Payload::CodeSectionEntry(body) => {
                self.functions += 1;
                at_most("functions", self.functions, MAX_FUNCTIONS)?;
                at_most("bytes of code in one function", body.range().len(), MAX_FUNCTION_BYTES)?;
                check_locals(body)
            }
            Payload::ModuleSection { .. } | Payload::ComponentSection { .. } => {
                self.modules += 1;
                at_most("modules", self.modules, MAX_MODULES)
            }
            Payload::InstanceSection(section) => {
                self.instances += section.count() as usize;
                at_most("core instances", self.instances, MAX_INSTANCES)
            }
            _ => Ok(()),
        }
    }
}

fn check_locals(body: &wasmparser::FunctionBody<'_>) -> Result<(), LoadError> {
    let malformed = |error: wasmparser::BinaryReaderError| LoadError::NotWebAssembly(error.to_string());
    let mut locals = 0_u64;
    for group in body.get_locals_reader().map_err(malformed)? {
        let (count, _) = group.map_err(malformed)?;
        locals += u64::from(count);
    }
    if locals > MAX_LOCALS {
        return Err(LoadError::TooComplex(format!("{locals} locals in one function, at most {MAX_LOCALS}")));
    }
    Ok(())
}

fn at_most(what: &str, count: usize, most: usize) -> Result<(), LoadError> {
    if count > most {
        return Err(LoadError::TooComplex(format!("{count} {what}, at most {most}")));
    }
    Ok(())
}
