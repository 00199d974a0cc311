//! The wasmtime engine: settings of compiled code, the pool of instances, and the bounds of one
//! component that follow from them.

use std::sync::Arc;
use std::time::Duration;

use wasmtime::{Config, Enabled, Engine, PoolingAllocationConfig};

mod functions;
mod ticker;

use functions::CompiledFunctions;
pub use functions::FunctionReuse;
pub(crate) use ticker::Ticker;

/// Core instances of one component: an honest Python policy has 38.
pub(crate) const MAX_CORE_INSTANCES: u32 = 50;
/// Linear memories of one component.
pub(crate) const MAX_MEMORIES: u32 = 4;
/// Tables of one component.
pub(crate) const MAX_TABLES: u32 = 4;
/// Elements of one table.
pub(crate) const MAX_TABLE_ELEMENTS: usize = 10_000;
/// Interval at which running policies yield and are charged for their time.
pub(crate) const TICK: Duration = Duration::from_millis(1);
/// Ticks after which a call yields for the first time; from then on it yields at each tick.
///
/// After one tick it would yield by chance, since a call of 10 µs meets one tick in a hundred. A
/// call that meets two ticks has run for at least one whole tick.
pub(crate) const FIRST_YIELD_TICKS: u64 = 2;
/// Native stack of a call, of which a policy may use [`MAX_WASM_STACK`].
const CALL_STACK: usize = 1 << 20;
/// Stack that a policy may use before it traps.
const MAX_WASM_STACK: usize = 512 << 10;
/// Memory that a pool slot keeps resident between instances if the kernel reports which pages
/// were written. More than a usual policy touches, and little enough to keep for every slot that
/// a greedy policy has used.
const KEEP_RESIDENT: usize = 1 << 20;
/// The same for kernels that do not report written pages: all of it is cleared after each use.
const KEEP_RESIDENT_WITHOUT_PAGEMAP: usize = 64 << 10;

/// Counting of the instructions that policies execute.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum FuelCounting {
    /// No counting: the fastest code.
    #[default]
    Off,
    /// Compiled code counts its instructions, which are the same for the same input on every machine.
    /// It is slower, so it is for tools and not for serving.
    On,
}

/// Builds an engine with a pool of this many instances, each with up to this much memory.
///
/// # Errors
/// Fails when wasmtime rejects the settings or address space is missing.
pub(crate) fn build(
    instances: u32,
    max_memory_bytes: usize,
    fuel: FuelCounting,
    functions: FunctionReuse,
) -> wasmtime::Result<Engine> {
    let mut settings = code_settings(fuel);
    if functions == FunctionReuse::On {
        settings.enable_incremental_compilation(Arc::new(CompiledFunctions::default()))?;
    }
    settings.allocation_strategy(pool(instances, max_memory_bytes));
    Engine::new(&settings)
}

/// Settings that compiled code depends on: the compiler's process uses them without the pool.
pub(crate) fn code_settings(fuel: FuelCounting) -> Config {
    let mut settings = Config::new();
    settings
        .epoch_interruption(true)
        .memory_init_cow(true)
        .async_stack_size(CALL_STACK)
        .max_wasm_stack(MAX_WASM_STACK)
        .generate_address_map(false)
        .wasm_memory64(false)
        .wasm_relaxed_simd(false)
        .concurrency_support(false)
        .consume_fuel(fuel == FuelCounting::On);
    settings
}

/// A pool with room for every admitted instance, whatever language it is written in: each count
/// is the maximum of one component times the number of instances.
fn pool(instances: u32, max_memory_bytes: usize) -> PoolingAllocationConfig {
    let keep_resident = if PoolingAllocationConfig::is_pagemap_scan_available() {
        KEEP_RESIDENT
    } else {
        KEEP_RESIDENT_WITHOUT_PAGEMAP
    };
    let mut pool = PoolingAllocationConfig::new();
    pool.total_component_instances(instances)
        .total_core_instances(instances * MAX_CORE_INSTANCES)
        .total_memories(instances * MAX_MEMORIES)
        .total_tables(instances * MAX_TABLES)
        .total_stacks(instances)
        .max_core_instances_per_component(MAX_CORE_INSTANCES)
        .max_memories_per_component(MAX_MEMORIES)
        .max_tables_per_component(MAX_TABLES)
        .max_tables_per_module(MAX_TABLES)
        .table_elements(MAX_TABLE_ELEMENTS)
        .max_memory_size(max_memory_bytes)
        .linear_memory_keep_resident(keep_resident)
        .table_keep_resident(keep_resident)
        .pagemap_scan(Enabled::Auto);
    pool
}
