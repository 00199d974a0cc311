//! The engine that all policies of a process share.

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::Duration;

use pointsman_domain::ids::PolicyName;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use wasmtime::{Config, Enabled, Engine, PoolingAllocationConfig};

use crate::compile::cache::Cache;
use crate::compile::{CacheConfig, Compiler, Turns};
use crate::deadline::Deadline;
use crate::failure::PolicyFailure;
use crate::log_rate::LogRate;
use crate::record::Alarm;

mod compiled;
mod slow_lane;
mod ticker;

pub(crate) use compiled::Compiled;
pub(crate) use slow_lane::{Share, SlowLane};
use ticker::Ticker;

/// Core instances of one component: an honest Python policy has 38.
pub(crate) const MAX_CORE_INSTANCES: u32 = 50;
/// Linear memories of one component.
pub(crate) const MAX_MEMORIES: u32 = 4;
/// Tables of one component.
pub(crate) const MAX_TABLES: u32 = 4;
/// Elements of one table.
pub(crate) const MAX_TABLE_ELEMENTS: usize = 10_000;
/// Native stack of a call, of which a policy may use [`MAX_WASM_STACK`].
const CALL_STACK: usize = 1 << 20;
/// Stack that a policy may use before it traps.
const MAX_WASM_STACK: usize = 512 << 10;
/// Memory that a pool slot keeps between instances when the kernel can tell
/// which pages were written. More than a usual policy touches, and little enough
/// to keep for each place that a greedy policy has been in.
const KEEP_RESIDENT: usize = 1 << 20;
/// The same when the kernel cannot tell: all of it is cleared after each use.
const KEEP_RESIDENT_BLIND: usize = 64 << 10;
/// How often running policies are looked at.
pub(crate) const TICK: Duration = Duration::from_millis(1);

/// How much may run at once, and how code is compiled.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RuntimeConfig {
    /// Decisions under way at once in this process, over all policies. More
    /// wait for their turn. The address space that each may need, 17 GB for four
    /// memories, is reserved when the runtime starts; memory is not.
    pub concurrent_decisions: u32,
    /// Warm instances that may be idle at once, over all policies.
    pub idle_instances: u32,
    /// The largest memory limit that a policy can be given, in bytes.
    pub max_memory_bytes: usize,
    /// Where code is compiled.
    pub compiler: Compiler,
    /// Where compiled code is kept for the next start, if anywhere.
    pub cache: Option<CacheConfig>,
}

impl Default for RuntimeConfig {
    fn default() -> Self {
        Self {
            concurrent_decisions: 128,
            idle_instances: 64,
            max_memory_bytes: 64 << 20,
            compiler: Compiler::default(),
            cache: None,
        }
    }
}

/// The runtime cannot start on this machine.
#[derive(Debug, thiserror::Error)]
pub enum RuntimeError {
    /// wasmtime refused its configuration, or address space is missing.
    #[error("cannot set up the WebAssembly engine (is the address space limited?): {0:#}")]
    Engine(wasmtime::Error),
    /// No thread for the clock that stops endless policies, or for slow ones.
    #[error("cannot start the threads that watch deadlines and run slow policies: {0}")]
    Threads(std::io::Error),
    /// Compiled code cannot be kept where it should be.
    #[error("cannot keep compiled code in {}: {source}", .directory.display())]
    Cache {
        /// Where it should be kept.
        directory: PathBuf,
        /// What is wrong with that.
        source: std::io::Error,
    },
}

/// Compiles and runs policies. Clones share one engine.
#[derive(Clone)]
pub struct Runtime {
    inner: Arc<Inner>,
}

struct Inner {
    config: RuntimeConfig,
    engine: Engine,
    compiled: Compiled,
    cache: Option<Cache>,
    /// Components that were compiled, not found.
    compilations: AtomicU64,
    /// One for each compiler's process.
    turns: Turns,
    /// One permit for each call of a policy under way.
    running: Arc<Semaphore>,
    /// One permit for each idle warm instance.
    idle: Arc<Semaphore>,
    /// Rung by the records of all policies.
    alarm: Alarm,
    /// Held while a policy is tried out, which takes a place in the pool too.
    trial: Mutex<()>,
    slow_lane: SlowLane,
    /// Of the policies of which there is a version.
    log_rates: Mutex<HashMap<PolicyName, Weak<LogRate>>>,
    _ticker: Ticker,
}

impl Runtime {
    /// Reserves address space for the pool and starts the ticker thread.
    pub fn new(config: RuntimeConfig) -> Result<Self, RuntimeError> {
        let engine = engine(&config).map_err(RuntimeError::Engine)?;
        let cache = match &config.cache {
            Some(cache) => Some(
                Cache::open(cache.clone(), &engine)
                    .map_err(|source| RuntimeError::Cache { directory: cache.directory.clone(), source })?,
            ),
            None => None,
        };
        let turns = match &config.compiler {
            Compiler::InProcess => 1,
            Compiler::Child(child) => child.processes,
        };
        let ticker = Ticker::start(&engine).map_err(RuntimeError::Threads)?;
        let slow_lane = SlowLane::start().map_err(RuntimeError::Threads)?;
        let places = |number: u32| Arc::new(Semaphore::new(number as usize));
        Ok(Self {
            inner: Arc::new(Inner {
                running: places(config.concurrent_decisions),
                idle: places(config.idle_instances),
                config,
                engine,
                compiled: Compiled::default(),
                alarm: Alarm::default(),
                cache,
                compilations: AtomicU64::new(0),
                turns: Turns::new(turns),
                trial: Mutex::new(()),
                slow_lane,
                log_rates: Mutex::default(),
                _ticker: ticker,
            }),
        })
    }

    /// What rings when a record of one of its policies has something new.
    pub fn alarm(&self) -> &Alarm {
        &self.inner.alarm
    }

    /// Calls of policies that are under way, out of the places that there are.
    pub fn running(&self) -> (usize, usize) {
        let places = self.inner.config.concurrent_decisions as usize;
        (places.saturating_sub(self.inner.running.available_permits()), places)
    }

    /// How often the compiler was run since the start. Code that another policy
    /// holds, or that was kept from an earlier start, is not compiled again.
    pub fn compilations(&self) -> u64 {
        self.inner.compilations.load(Ordering::Relaxed)
    }

    pub(crate) fn compilations_counter(&self) -> &AtomicU64 {
        &self.inner.compilations
    }

    pub(crate) fn compiler(&self) -> &Compiler {
        &self.inner.config.compiler
    }

    pub(crate) fn cache(&self) -> Option<&Cache> {
        self.inner.cache.as_ref()
    }

    pub(crate) fn turns(&self) -> &Turns {
        &self.inner.turns
    }

    pub(crate) fn slow_lane(&self) -> &SlowLane {
        &self.inner.slow_lane
    }

    pub(crate) fn engine(&self) -> &Engine {
        &self.inner.engine
    }

    pub(crate) fn config(&self) -> &RuntimeConfig {
        &self.inner.config
    }

    pub(crate) fn compiled(&self) -> &Compiled {
        &self.inner.compiled
    }

    pub(crate) fn trial(&self) -> &Mutex<()> {
        &self.inner.trial
    }

    /// Waits for a place in the pool until the deadline.
    pub(crate) async fn admit(&self, deadline: Deadline) -> Result<OwnedSemaphorePermit, PolicyFailure> {
        let running = Arc::clone(&self.inner.running);
        if let Ok(permit) = Arc::clone(&running).try_acquire_owned() {
            return Ok(permit);
        }
        match deadline.limit(running.acquire_owned()).await {
            Some(Ok(permit)) => Ok(permit),
            Some(Err(_)) | None => Err(PolicyFailure::Saturated),
        }
    }

    /// The log lines of a policy, whatever version of it writes them.
    pub(crate) fn log_rate(&self, policy: &PolicyName) -> Arc<LogRate> {
        let mut rates = self.inner.log_rates.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(rate) = rates.get(policy).and_then(Weak::upgrade) {
            return rate;
        }
        rates.retain(|_, rate| rate.strong_count() > 0);
        let rate = Arc::default();
        rates.insert(policy.clone(), Arc::downgrade(&rate));
        rate
    }

    /// A place for one more idle instance, if there is one.
    pub(crate) fn admit_idle(&self) -> Option<OwnedSemaphorePermit> {
        Arc::clone(&self.inner.idle).try_acquire_owned().ok()
    }
}

fn engine(config: &RuntimeConfig) -> wasmtime::Result<Engine> {
    let mut engine = settings();
    engine.allocation_strategy(pool(config));
    Engine::new(&engine)
}

/// All that code is compiled by.
pub(crate) fn settings() -> Config {
    let mut settings = Config::new();
    settings
        .epoch_interruption(true)
        .memory_init_cow(true)
        .async_stack_size(CALL_STACK)
        .max_wasm_stack(MAX_WASM_STACK)
        .generate_address_map(false)
        .wasm_memory64(false)
        .wasm_relaxed_simd(false)
        .concurrency_support(false);
    settings
}

/// A pool in which every admitted instance finds a place, whatever language it
/// is written in: all counts are the maxima of one component times the places.
fn pool(config: &RuntimeConfig) -> PoolingAllocationConfig {
    let trial = 1;
    let places = config.concurrent_decisions + config.idle_instances + trial;
    let keep_resident = if PoolingAllocationConfig::is_pagemap_scan_available() {
        KEEP_RESIDENT
    } else {
        KEEP_RESIDENT_BLIND
    };
    let mut pool = PoolingAllocationConfig::new();
    pool.total_component_instances(places)
        .total_core_instances(places * MAX_CORE_INSTANCES)
        .total_memories(places * MAX_MEMORIES)
        .total_tables(places * MAX_TABLES)
        .total_stacks(places)
        .max_core_instances_per_component(MAX_CORE_INSTANCES)
        .max_memories_per_component(MAX_MEMORIES)
        .max_tables_per_component(MAX_TABLES)
        .max_tables_per_module(MAX_TABLES)
        .table_elements(MAX_TABLE_ELEMENTS)
        .max_memory_size(config.max_memory_bytes)
        .linear_memory_keep_resident(keep_resident)
        .table_keep_resident(keep_resident)
        .pagemap_scan(Enabled::Auto);
    pool
}
