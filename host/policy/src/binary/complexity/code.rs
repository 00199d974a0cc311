//! The functions of a module, and the work of compiling them.

use wasmparser::{FunctionBody, FunctionSectionReader, Operator, TypeSectionReader};

use super::count::{ComplexityCount, at_most};
use crate::binary::format::malformed;
use crate::load_error::LoadError;

/// Bytes of one function's code [430,000: CPython's main loop]. One function is
/// compiled on one thread: calls alone take 2 s and 430 MB.
pub(crate) const MAX_FUNCTION_BYTES: usize = 512 << 10;
/// Locals of one function [480], which take only a few bytes of code however many they are.
pub(crate) const MAX_LOCALS: u64 = 10_000;

/// Branches that a loop counts for: the check of the policy's deadline in each iteration adds a
/// branch of its own. 10,000 loops in one function, 30 KB, took 20 s.
const BRANCHES_PER_LOOP: u64 = 10;
/// Branches that a table access counts for: elements are initialised lazily, so each access
/// branches, with every live value on both paths. 70,000 indirect calls in one function, 350 KB,
/// took four minutes.
const BRANCHES_PER_TABLE_ACCESS: u64 = 5;

/// State of a module while its code is read.
#[derive(Default)]
pub(super) struct ModuleCode {
    /// Number of parameters and results, by type.
    types: Vec<u64>,
    /// Number of parameters and results, by function.
    functions: Vec<u64>,
    /// Number of functions whose code has been read.
    read: usize,
}

impl ModuleCode {
    pub(super) fn types(
        &mut self,
        types: TypeSectionReader<'_>,
        count: &mut ComplexityCount,
    ) -> Result<(), LoadError> {
        for group in types {
            for ty in group.map_err(malformed)?.types() {
                count.core_types(1)?;
                let values = match &ty.composite_type.inner {
                    wasmparser::CompositeInnerType::Func(function) => {
                        function.params().len() + function.results().len()
                    }
                    _ => 0,
                };
                self.types.push(values as u64);
            }
        }
        Ok(())
    }

    pub(super) fn functions(
        &mut self,
        functions: FunctionSectionReader<'_>,
        count: &mut ComplexityCount,
    ) -> Result<(), LoadError> {
        count.functions(functions.count())?;
        for ty in functions {
            let ty = ty.map_err(malformed)? as usize;
            self.functions.push(self.types.get(ty).copied().unwrap_or_default());
        }
        Ok(())
    }

    /// Counts the work of compiling one function.
    ///
    /// Each local and parameter gets a value of its own wherever control flow meets, and a nested
    /// block is left through all the blocks around it, so the compiler's work grows with branches
    /// times locals and with branches times depth. The last term stands for passes over all pairs
    /// of branches, which are a hundred times faster. Measured with functions of branches alone, of
    /// locals that live across them, of indirect calls and of nested loops, the sum predicts the
    /// time within a factor of three: 2 to 6 million units a second.
    pub(super) fn code(
        &mut self,
        body: &FunctionBody<'_>,
        count: &mut ComplexityCount,
    ) -> Result<(), LoadError> {
        let bytes = body.range().len();
        at_most("bytes of code in one function", bytes, MAX_FUNCTION_BYTES)?;
        count.code_bytes(bytes)?;
        let locals = locals(body)?;
        at_most("locals in one function", locals, MAX_LOCALS)?;
        let values = locals + self.functions.get(self.read).copied().unwrap_or_default();
        self.read += 1;
        count.locals(values)?;
        let (branches, depth) = control_flow(body)?;
        count.work(branches * (values + depth + branches / 100))
    }
}

fn locals(body: &FunctionBody<'_>) -> Result<u64, LoadError> {
    let mut locals = 0;
    for group in body.get_locals_reader().map_err(malformed)? {
        let (count, _) = group.map_err(malformed)?;
        locals += u64::from(count);
    }
    Ok(locals)
}

/// Returns the number of branches and the greatest nesting depth of blocks.
fn control_flow(body: &FunctionBody<'_>) -> Result<(u64, u64), LoadError> {
    let (mut branches, mut depth, mut deepest) = (0, 0_u64, 0);
    for operator in body.get_operators_reader().map_err(malformed)? {
        match operator.map_err(malformed)? {
            opens @ (Operator::Block { .. } | Operator::Loop { .. } | Operator::If { .. }) => {
                branches += if matches!(opens, Operator::Loop { .. }) { BRANCHES_PER_LOOP } else { 1 };
                depth += 1;
                deepest = deepest.max(depth);
            }
            Operator::End => depth = depth.saturating_sub(1),
            Operator::Br { .. } | Operator::BrIf { .. } | Operator::BrTable { .. } => branches += 1,
            Operator::CallIndirect { .. }
            | Operator::ReturnCallIndirect { .. }
            | Operator::TableGet { .. }
            | Operator::TableSet { .. } => branches += BRANCHES_PER_TABLE_ACCESS,
            _ => {}
        }
    }
    Ok((branches, deepest))
}
