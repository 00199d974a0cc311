//! The runtime that all policies of a process share.

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError, Weak};

use pointsman_domain::ids::PolicyName;
use pointsman_state::StateStores;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use wasmtime::Engine;

use crate::blocking_semaphore::{BlockingPermit, BlockingSemaphore};
use crate::compile::{CacheConfig, CodeCache, CompileService, Compiler};
use crate::deadline::Deadline;
use crate::engine::{self, FuelCounting, FunctionReuse, Ticker};
use crate::failure::PolicyFailure;
use crate::log_rate::LogRate;
use crate::stats::ChangeNotifier;

mod slow_lane;

pub(crate) use slow_lane::{SlowLane, SlowLaneLimit};

/// Instances that the pool holds in addition, for probes of the load gate.
const PROBE_INSTANCES: u32 = 1;

/// Size of the instance pool, and how code is compiled.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RuntimeConfig {
    /// Concurrent decisions in this process, over all policies. Further ones wait. The address
    /// space that each may need, 17 GB for four memories, is reserved when the runtime starts;
    /// memory is not.
    pub concurrent_decisions: u32,
    /// Most idle warm instances, over all policies.
    pub idle_instances: u32,
    /// Largest memory limit that a policy can be given, in bytes.
    pub max_memory_bytes: usize,
    /// Process that compiles code.
    pub compiler: Compiler,
    /// Directory that keeps compiled code for the next start, if any.
    pub cache: Option<CacheConfig>,
    /// Counting of executed instructions, for [`Policy::examine`](crate::Policy::examine).
    pub fuel: FuelCounting,
    /// Reuse of the native code of functions, in this process.
    pub functions: FunctionReuse,
    /// Most executed instructions of one call, if they are counted: a limit on time that is the same on
    /// every machine. A call that reaches it fails as one that runs past its deadline.
    pub fuel_limit: u64,
}

impl Default for RuntimeConfig {
    fn default() -> Self {
        Self {
            concurrent_decisions: 128,
            idle_instances: 64,
            max_memory_bytes: 64 << 20,
            compiler: Compiler::default(),
            cache: None,
            fuel: FuelCounting::Off,
            functions: FunctionReuse::Off,
            fuel_limit: u64::MAX,
        }
    }
}

/// The runtime cannot start on this machine.
#[derive(Debug, thiserror::Error)]
pub enum RuntimeError {
    /// wasmtime rejected its configuration, or address space is missing.
    #[error("cannot set up the WebAssembly engine (is the address space limited?): {0:#}")]
    Engine(wasmtime::Error),
    /// The ticker or the slow lane could not start a thread.
    #[error("cannot start the threads that watch deadlines and run slow policies: {0}")]
    Threads(std::io::Error),
    /// The directory for compiled code cannot be used.
    #[error("cannot keep compiled code in {}: {source}", .directory.display())]
    Cache {
        /// The directory.
        directory: PathBuf,
        /// The reason.
        source: std::io::Error,
    },
}

/// Compiles and runs policies. Clones share one engine.
#[derive(Clone)]
pub struct Runtime {
    inner: Arc<RuntimeInner>,
}

struct RuntimeInner {
    config: RuntimeConfig,
    engine: Engine,
    compile: CompileService,
    /// One permit for each call of a policy under way.
    running: Arc<Semaphore>,
    /// One permit for each idle warm instance.
    idle: Arc<Semaphore>,
    /// One permit for each instance that the pool reserves for probes.
    probes: BlockingSemaphore,
    /// Shared by the statistics of all policies.
    change_notifier: ChangeNotifier,
    slow_lane: SlowLane,
    /// Log rates by policy, for as long as some version of the policy is loaded.
    log_rates: Mutex<HashMap<PolicyName, Weak<LogRate>>>,
    states: StateStores,
    _ticker: Ticker,
}

impl Runtime {
    /// Reserves address space for the pool, and starts the ticker and the slow lane.
    ///
    /// # Errors
    /// Fails when address space or threads are missing, or the cache's directory is unusable.
    pub fn new(config: RuntimeConfig) -> Result<Self, RuntimeError> {
        Self::with_states(config, StateStores::in_memory())
    }

    /// Creates a runtime as [`new`](Self::new) does, whose policies keep their state in `states`.
    ///
    /// # Errors
    /// Fails as [`new`](Self::new) does.
    pub fn with_states(config: RuntimeConfig, states: StateStores) -> Result<Self, RuntimeError> {
        let instances = config.concurrent_decisions + config.idle_instances + PROBE_INSTANCES;
        let engine = engine::build(instances, config.max_memory_bytes, config.fuel, config.functions)
            .map_err(RuntimeError::Engine)?;
        let open = |cache: &CacheConfig| {
            CodeCache::open(cache.clone(), &engine)
                .map_err(|source| RuntimeError::Cache { directory: cache.directory.clone(), source })
        };
        let cache = config.cache.as_ref().map(open).transpose()?;
        let ticker = Ticker::start(&engine).map_err(RuntimeError::Threads)?;
        let slow_lane = SlowLane::start().map_err(RuntimeError::Threads)?;
        let semaphore = |permits: u32| Arc::new(Semaphore::new(permits as usize));
        Ok(Self {
            inner: Arc::new(RuntimeInner {
                compile: CompileService::new(engine.clone(), config.compiler.clone(), cache, config.fuel),
                running: semaphore(config.concurrent_decisions),
                idle: semaphore(config.idle_instances),
                probes: BlockingSemaphore::new(PROBE_INSTANCES),
                change_notifier: ChangeNotifier::default(),
                slow_lane,
                log_rates: Mutex::default(),
                states,
                _ticker: ticker,
                engine,
                config,
            }),
        })
    }

    /// Returns the states that policies keep.
    pub fn states(&self) -> &StateStores {
        &self.inner.states
    }

    /// Notifies of changes in the statistics of any of its policies.
    pub fn change_notifier(&self) -> &ChangeNotifier {
        &self.inner.change_notifier
    }

    /// Returns the number of calls under way, and the most there can be.
    pub fn running(&self) -> (usize, usize) {
        let most = self.inner.config.concurrent_decisions as usize;
        (most.saturating_sub(self.inner.running.available_permits()), most)
    }

    /// Returns the number of compiler runs since the start. Code that another policy holds, or
    /// that the cache kept from an earlier start, is not compiled again.
    pub fn compilations(&self) -> u64 {
        self.inner.compile.compilations()
    }

    pub(crate) fn compile_service(&self) -> &CompileService {
        &self.inner.compile
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

    /// Waits for a permit to run a call, until the deadline.
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

    /// Blocks until an instance can be made in the part of the pool that is reserved for probes.
    pub(crate) fn admit_probe(&self) -> BlockingPermit<'_> {
        self.inner.probes.acquire()
    }

    /// Returns a permit for one more idle instance, if there is room.
    pub(crate) fn admit_idle(&self) -> Option<OwnedSemaphorePermit> {
        Arc::clone(&self.inner.idle).try_acquire_owned().ok()
    }

    /// Returns the log rate of a policy, which all its versions share.
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
}
