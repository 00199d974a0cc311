//! Counters of everything that takes time to compile, over all modules and components.

use crate::engine::{MAX_MEMORIES, MAX_TABLE_ELEMENTS, MAX_TABLES};
use crate::load_error::LoadError;

/// Functions of all modules [20,000]. An empty one costs 150 µs and 6 KB: 6 s and
/// 220 MB.
pub(crate) const MAX_FUNCTIONS: usize = 40_000;
/// Modules and components within the component [41].
pub(crate) const MAX_MODULES: usize = 200;
/// Instances [111], including bags of exports, of which linking makes many.
pub(crate) const MAX_INSTANCES: usize = 500;

macro_rules! counts {
    ($($(#[$doc:meta])* $name:ident: $number:ty = $most:expr, $what:literal;)*) => {
        /// Counts so far. Each method adds to one of them, and fails beyond its bound.
        #[derive(Default)]
        pub(super) struct ComplexityCount {
            $($name: u64,)*
        }

        impl ComplexityCount {
            $($(#[$doc])* pub(super) fn $name(&mut self, more: $number) -> Result<(), LoadError> {
                // Lossless: no number is wider than 64 bits.
                self.$name = self.$name.saturating_add(more as u64);
                at_most($what, self.$name, $most as u64)
            })*
        }
    };
}

counts! {
    /// See [`MAX_FUNCTIONS`].
    functions: u32 = MAX_FUNCTIONS, "functions";
    /// [11 MB] Nothing but calls, the most expensive code of linear cost: 4 s and 1 MB a KB.
    code_bytes: usize = 16 << 20, "bytes of code";
    /// [112,000] Each is a value that the compiler creates in every function: 0.2 s.
    locals: u64 = 1_000_000, "locals and parameters";
    /// [32 million] See [`ModuleCode::code`](super::code::ModuleCode::code): 27 s and 800 MB.
    work: u64 = 60_000_000, "branches times locals and depth";
    /// [1,300] Each is compared and gets a trampoline: 200 µs and 7 KB.
    core_types: u32 = 10_000, "types of core functions";
    /// [2,400] Each takes room in an instance.
    core_imports: u32 = 20_000, "imports of core modules";
    /// [6,000]
    core_exports: usize = 20_000, "exports and arguments of core modules";
    /// [900] Each takes room in an instance.
    globals: u32 = 20_000, "globals";
    /// [6,700]
    data_segments: u32 = 50_000, "data segments";
    /// [8]
    element_segments: u32 = 1_000, "element segments";
    /// [7,700] A function in a table gets a trampoline: 26 µs and 2 KB, even if it is in the table
    /// already.
    elements: u32 = 20_000, "elements of tables";
    /// [2] The pool has room for no more.
    tables: u32 = MAX_TABLES, "tables";
    /// [7,700] The pool has room for no more.
    table_elements: u64 = MAX_TABLES as usize * MAX_TABLE_ELEMENTS, "elements that tables start with";
    /// [3] The pool has room for no more.
    memories: u32 = MAX_MEMORIES, "memories";
    /// See [`MAX_MODULES`].
    modules: u32 = MAX_MODULES, "modules and components";
    /// See [`MAX_INSTANCES`].
    instances: u32 = MAX_INSTANCES, "instances";
    /// [1,500]
    aliases: u32 = 20_000, "aliases";
    /// [134] Functions that cross the boundary of a component. Between two components, each needs
    /// an adapter.
    adapters: u32 = 2_000, "functions between components";
    /// [60]
    imports: u32 = 1_000, "imports of components";
    /// [26]
    exports: u32 = 1_000, "exports of components";
    /// [142]
    types: u32 = 10_000, "types of components";
    /// [24]
    custom_sections: u32 = 1_000, "custom sections";
}

pub(super) fn at_most(
    what: &str,
    count: impl Into<WideCount>,
    most: impl Into<WideCount>,
) -> Result<(), LoadError> {
    let (WideCount(count), WideCount(most)) = (count.into(), most.into());
    if count > most {
        return Err(LoadError::TooComplex(format!("{count} {what}, at most {most}")));
    }
    Ok(())
}

/// A count of any width.
pub(super) struct WideCount(u64);

impl From<u64> for WideCount {
    fn from(count: u64) -> Self {
        Self(count)
    }
}

impl From<usize> for WideCount {
    fn from(count: usize) -> Self {
        Self(count as u64)
    }
}
