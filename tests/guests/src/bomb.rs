//! Compile bombs: small components that are expensive to compile.
//!
//! Each grows along one dimension. At its default [`size`](Bomb::size) the
//! load gate refuses it; a bench compiles the largest of each that is not refused.

use wasm_encoder::{Component, InstanceSection, Module, ModuleArg, ModuleSection};

mod code;
mod nested;
mod sections;
mod types;

macro_rules! bombs {
    ($($(#[$doc:meta])* $bomb:ident = $size:literal => $build:path,)*) => {
        /// A component that takes the compiler a long time.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum Bomb {
            $($(#[$doc])* $bomb,)*
        }

        impl Bomb {
            /// All values.
            pub const ALL: &[Self] = &[$(Self::$bomb),*];

            /// Returns a size at which the load gate refuses the bomb.
            pub const fn size(self) -> usize {
                match self {
                    $(Self::$bomb => $size,)*
                }
            }

            /// Returns the bomb with this many of the items in its name.
            pub fn of(self, size: usize) -> Vec<u8> {
                match self {
                    $(Self::$bomb => $build(size),)*
                }
            }
        }
    };
}

bombs! {
    /// Branches in one function.
    Branches = 400_000 => code::branches,
    /// Small functions.
    Functions = 250_000 => code::functions,
    /// Functions of 370 KB each.
    LargeFunctions = 50 => code::large_functions,
    /// Loops beside one another in one function.
    Loops = 150_000 => code::loops,
    /// Blocks within one another in one function.
    NestedBlocks = 100_000 => code::nested_blocks,
    /// Branches out of as many blocks within one another.
    NestedBranches = 50_000 => code::nested_branches,
    /// Targets of one `br_table`.
    LongBrTable = 400_000 => code::long_br_table,
    /// Tables of a thousand targets in one function.
    ManyBrTables = 400 => code::many_br_tables,
    /// Bytes of calls in one function.
    Calls = 2_000_000 => code::calls,
    /// Bytes of memory accesses in one function.
    Loads = 2_000_000 => code::loads,
    /// Calls by way of a table in one function.
    IndirectCalls = 70_000 => code::indirect_calls,
    /// Locals of one function.
    Locals = 40_000 => code::locals,
    /// Locals that stay alive across branches in one function.
    LiveLocals = 20_000 => code::live_locals,
    /// Functions of a thousand locals each.
    LocalsEverywhere = 30_000 => code::locals_everywhere,
    /// Functions of a thousand parameters each.
    Parameters = 30_000 => code::parameters,
    /// Types of core functions.
    CoreTypes = 500_000 => sections::core_types,
    /// Imports of a core module.
    CoreImports = 200_000 => sections::core_imports,
    /// Exports of a core module.
    CoreExports = 200_000 => sections::core_exports,
    /// Globals of a core module.
    Globals = 500_000 => sections::globals,
    /// Data segments of one byte.
    DataSegments = 90_000 => sections::data_segments,
    /// Bytes of one data segment.
    DataBytes = 40_000_000 => sections::data_bytes,
    /// Pages between two bytes of data.
    DataFarApart = 60_000 => sections::data_far_apart,
    /// Element segments.
    ElementSegments = 90_000 => sections::element_segments,
    /// Elements of one segment.
    Elements = 4_000_000 => sections::elements,
    /// Pages of memory that a module starts with.
    MemoryPages = 65_536 => sections::memory_pages,
    /// Memories of a module.
    Memories = 90 => sections::memories,
    /// Elements that a table starts with.
    TableElements = 9_000_000 => sections::table_elements,
    /// Tables of a module.
    Tables = 90 => sections::tables,
    /// Custom sections.
    CustomSections = 1_000_000 => sections::custom_sections,
    /// Modules of one component.
    Modules = 900 => nested::modules,
    /// Components beside one another.
    Components = 900 => nested::components,
    /// Components within one another.
    Depth = 900 => nested::depth,
    /// Core instances of one module.
    Instances = 900 => nested::instances,
    /// Bags of exports that are core instances.
    BagsOfExports = 900 => nested::bags_of_exports,
    /// Times that each of six components instantiates the one within.
    Multiplied = 40 => nested::multiplied,
    /// Times that a component instantiates one that is passed to it.
    PassedOn = 5 => nested::passed_on,
    /// Aliases of one export.
    Aliases = 900_000 => nested::aliases,
    /// Functions lowered from one import.
    Lowered = 200_000 => nested::lowered,
    /// Imports of a component.
    Imports = 100_000 => nested::imports,
    /// Exports of a component.
    Exports = 100_000 => nested::exports,
    /// Functions that one component passes to another, each with a list of records.
    Adapters = 20_000 => nested::adapters,
    /// Types of a component.
    Types = 900_000 => types::types,
    /// Types within one another.
    DeepTypes = 90_000 => types::deep,
    /// Component types within one another.
    DeepComponentTypes = 90_000 => types::deep_component_types,
    /// Tuples of two of the one before.
    DoubledTypes = 40 => types::doubled,
    /// Fields of one record.
    Fields = 12_000 => types::fields,
    /// Component types within one another in the description of a core module.
    DeepDescription = 90_000 => types::deep_description,
    /// Types in the description of a core module.
    LongDescription = 500_000 => types::long_description,
}

impl Bomb {
    /// Returns the bomb at its default size.
    pub fn bytes(self) -> Vec<u8> {
        self.of(self.size())
    }
}

/// A component that instantiates a module without imports.
fn around(module: &Module) -> Vec<u8> {
    let mut component = Component::new();
    component.section(&ModuleSection(module));
    let mut instances = InstanceSection::new();
    instances.instantiate(0, std::iter::empty::<(&str, ModuleArg)>());
    component.section(&instances);
    component.finish()
}
