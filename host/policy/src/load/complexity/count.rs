//! How much there is of everything, over all modules and components.

use crate::load::LoadError;
use crate::runtime::{MAX_MEMORIES, MAX_TABLE_ELEMENTS, MAX_TABLES};

/// Functions of all modules [20,000]. An empty one costs 150 µs and 6 KB: 6 s and
/// 220 MB.
pub(crate) const MAX_FUNCTIONS: usize = 40_000;
/// Modules and components within the component [41].
pub(crate) const MAX_MODULES: usize = 200;
/// Instances [111], bags of exports included, of which linking makes many.
pub(crate) const MAX_INSTANCES: usize = 500;

macro_rules! counts {
    ($($(#[$doc:meta])* $name:ident: $number:ty = $most:expr, $what:literal;)*) => {
        /// What was counted so far.
        #[derive(Default)]
        pub(super) struct Count {
            $($name: u64,)*
        }

        impl Count {
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
    /// [11 MB] Calls alone, the dearest that is linear: 4 s and 1 MB a KB.
    code_bytes: usize = 16 << 20, "bytes of code";
    /// [112,000] A value that the compiler makes in every function: 0.2 s.
    locals: u64 = 1_000_000, "locals and parameters";
    /// [32 million] See [`Module::code`](super::code::Module::code): 27 s and 800 MB.
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
    /// [7,700] A function that is in a table gets a trampoline: 26 µs and 2 KB,
    /// even if it was there before.
    elements: u32 = 20_000, "elements of tables";
    /// [2] What the pool has room for.
    tables: u32 = MAX_TABLES, "tables";
    /// [7,700] What the pool has room for.
    table_elements: u64 = MAX_TABLES as usize * MAX_TABLE_ELEMENTS, "elements that tables start with";
    /// [3] What the pool has room for.
    memories: u32 = MAX_MEMORIES, "memories";
    /// See [`MAX_MODULES`].
    modules: u32 = MAX_MODULES, "modules and components";
    /// See [`MAX_INSTANCES`].
    instances: u32 = MAX_INSTANCES, "instances";
    /// [1,500]
    aliases: u32 = 20_000, "aliases";
    /// [134] Functions that cross a component's border. Between two components
    /// each needs code of its own.
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

pub(super) fn at_most(what: &str, count: impl Into<Wide>, most: impl Into<Wide>) -> Result<(), LoadError> {
    let (Wide(count), Wide(most)) = (count.into(), most.into());
    if count > most {
        return Err(LoadError::TooComplex(format!("{count} {what}, at most {most}")));
    }
    Ok(())
}

/// Any count.
pub(super) struct Wide(u64);

impl From<u64> for Wide {
    fn from(count: u64) -> Self {
        Self(count)
    }
}

impl From<usize> for Wide {
    fn from(count: usize) -> Self {
        Self(count as u64)
    }
}
