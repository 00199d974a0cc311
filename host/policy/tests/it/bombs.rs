//! Compile bombs are refused before the compiler sees them. A bomb without an
//! expectation does not compile, and each has a test of its own.

use pointsman_guests::{Bomb, FIRST};
use pointsman_policy::inspect;

use crate::support::{decide, load, load_error, spec};

macro_rules! refused {
    ($($name:ident: $bomb:ident => $words:literal,)*) => {
        /// Part of the message.
        const fn words(bomb: Bomb) -> &'static str {
            match bomb {
                $(Bomb::$bomb => $words,)*
            }
        }

        $(#[tokio::test]
        async fn $name() {
            refuses(Bomb::$bomb).await;
        })*
    };
}

/// The load gate reports the reason, and loads an honest policy afterwards.
async fn refuses(bomb: Bomb) {
    let error = load_error(spec(), &bomb.bytes());
    assert!(error.contains(words(bomb)), "{error}");
    decide(&load(spec(), FIRST).unwrap()).await.unwrap();
}

refused! {
    a_function_of_many_branches_is_refused: Branches => "2800004 bytes of code in one function, at most 524288",
    a_function_of_many_loops_is_refused: Loops => "branches times locals and depth, at most 60000000",
    many_functions_are_refused: Functions => "250000 functions, at most 40000",
    many_large_functions_are_refused: LargeFunctions => "bytes of code, at most 16777216",
    blocks_within_blocks_are_refused: NestedBlocks => "branches times locals and depth, at most 60000000",
    branches_out_of_blocks_within_blocks_are_refused: NestedBranches => "bytes of code in one function",
    a_long_br_table_is_refused: LongBrTable => "the policy does not compile: ",
    many_br_tables_are_refused: ManyBrTables => "bytes of code in one function",
    a_function_of_calls_is_refused: Calls => "bytes of code in one function",
    a_function_of_memory_accesses_is_refused: Loads => "bytes of code in one function",
    a_function_of_indirect_calls_is_refused: IndirectCalls => "branches times locals and depth, at most 60000000",
    a_function_of_many_locals_is_refused: Locals => "40000 locals in one function, at most 10000",
    locals_that_live_across_branches_are_refused: LiveLocals => "20000 locals in one function, at most 10000",
    many_functions_of_many_locals_are_refused: LocalsEverywhere => "locals and parameters, at most 1000000",
    many_functions_of_many_parameters_are_refused: Parameters => "locals and parameters, at most 1000000",
    many_types_of_functions_are_refused: CoreTypes => "types of core functions, at most 10000",
    many_imports_of_a_module_are_refused: CoreImports => "200000 imports of core modules, at most 20000",
    many_exports_of_a_module_are_refused: CoreExports => "200000 exports and arguments of core modules, at most 20000",
    many_globals_are_refused: Globals => "500000 globals, at most 20000",
    many_data_segments_are_refused: DataSegments => "90000 data segments, at most 50000",
    a_giant_data_segment_is_refused: DataBytes => "more than its limit of 33554432 (`max_component_bytes`)",
    data_far_apart_are_refused: DataFarApart => "module memory does not fit",
    many_element_segments_are_refused: ElementSegments => "90000 element segments, at most 1000",
    many_elements_are_refused: Elements => "4000000 elements of tables, at most 20000",
    a_memory_of_all_there_is_is_refused: MemoryPages => "module memory does not fit",
    many_memories_are_refused: Memories => "90 memories, at most 4",
    a_giant_table_is_refused: TableElements => "9000000 elements that tables start with, at most 40000",
    many_tables_are_refused: Tables => "90 tables, at most 4",
    many_custom_sections_are_refused: CustomSections => "1001 custom sections, at most 1000",
    many_modules_are_refused: Modules => "201 modules and components, at most 200",
    many_components_are_refused: Components => "201 modules and components, at most 200",
    components_within_components_are_refused: Depth => "11 components within one another, at most 10",
    many_instances_are_refused: Instances => "900 instances, at most 500",
    many_bags_of_exports_are_refused: BagsOfExports => "900 instances, at most 500",
    instances_that_multiply_are_refused: Multiplied => "instances of components within components come to 1641, at most 1000",
    a_component_that_is_passed_to_another_is_refused: PassedOn => "a component is passed to another",
    many_aliases_are_refused: Aliases => "900000 aliases, at most 20000",
    many_lowered_functions_are_refused: Lowered => "200000 functions between components, at most 2000",
    many_imports_are_refused: Imports => "100000 imports of components, at most 1000",
    many_exports_are_refused: Exports => "100000 exports of components, at most 1000",
    many_functions_between_components_are_refused: Adapters => "20001 functions between components, at most 2000",
    many_types_are_refused: Types => "900000 types of components, at most 10000",
    types_of_types_are_refused: DeepTypes => "90000 types of components, at most 10000",
    component_types_within_component_types_are_refused: DeepComponentTypes => "90000 component and instance types within others, at most 250",
    types_that_double_are_refused: DoubledTypes => "effective type size exceeds the limit",
    a_record_of_many_fields_is_refused: Fields => "record field size is out of bounds",
    component_types_within_a_description_are_refused: DeepDescription => "90000 component and instance types within others, at most 250",
    many_types_in_a_description_are_refused: LongDescription => "500000 types of components, at most 10000",
}

/// Inspection runs in a process without a sandbox.
#[test]
fn types_nested_too_deeply_are_not_inspected_either() {
    for bomb in [Bomb::DeepComponentTypes, Bomb::DeepDescription] {
        let error = inspect(&bomb.bytes()).unwrap_err().to_string();
        assert!(error.contains(words(bomb)), "{error}");
    }
}

/// Nests types just below the bound.
#[test]
fn types_as_deep_as_the_bound_do_not_exhaust_the_stack() {
    for bomb in [Bomb::DeepComponentTypes, Bomb::DeepDescription] {
        let error = load_error(spec(), &bomb.of(250));
        assert!(!error.contains("too complex"), "{error}");
    }
}
