//! A loaded policy: one version of code with one specification.

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use pointsman_domain::ids::{Digest, PolicyName};
use pointsman_domain::outcome::Outcome;
use pointsman_domain::rating::Rating;
use pointsman_state::{PolicyState, StateAccess};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use wasmtime::component::{Component, InstancePre};

use crate::code::sha256;
use crate::deadline::Deadline;
use crate::decision::{DecisionInput, PolicyAnswer};
use crate::description::SelfDescription;
use crate::engine::FuelCounting;
use crate::failure::PolicyFailure;
use crate::instance::{Exports, Instance};
use crate::runtime::{Runtime, SlowLaneLimit};
use crate::sandbox::{CallContext, PolicyContext, StoreData};
use crate::spec::{Isolation, PolicySpec};
use crate::stats::PolicyStats;
use crate::timings::DecisionTimings;

mod examination;

pub use examination::{Examination, FuelUse};

/// A policy that passed the load gate.
pub struct Policy {
    loaded: Arc<LoadedPolicy>,
}

/// State that a call shares with its policy, since the call may move to another thread.
struct LoadedPolicy {
    spec: PolicySpec,
    digest: Digest,
    settings_digest: Digest,
    version: String,
    runtime: Runtime,
    /// Held so that other policies can share it.
    component: Arc<Component>,
    template: InstancePre<StoreData>,
    exports: Exports,
    description: Arc<SelfDescription>,
    context: Arc<PolicyContext>,
    stats: Arc<PolicyStats>,
    /// One permit for each call under way.
    calls: Arc<Semaphore>,
    slow_lane_limit: SlowLaneLimit,
    /// Idle instances. The last one was used last, so its memory is most likely in the cache.
    idle: Mutex<Vec<IdleInstance>>,
}

/// Compiled code of a policy, with what is known of it.
pub(crate) struct LoadedCode {
    pub(crate) digest: Digest,
    pub(crate) component: Arc<Component>,
    pub(crate) template: InstancePre<StoreData>,
    pub(crate) exports: Exports,
    pub(crate) description: Arc<SelfDescription>,
}

/// Permits of a call under way: one of the policy's own, and one of the pool's.
struct CallPermits {
    _policy: OwnedSemaphorePermit,
    _pool: OwnedSemaphorePermit,
}

/// A warm instance that is not in use.
struct IdleInstance {
    instance: Instance,
    // Fields drop in the order of declaration, so the instance leaves the pool before its permit
    // is released.
    _permit: OwnedSemaphorePermit,
}

/// Resources that one version of a policy uses at the moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PolicyUsage {
    /// Calls under way, including those that wait for the pool.
    pub calls: usize,
    /// Idle warm instances.
    pub idle_instances: usize,
    /// Largest linear memory of any instance so far, in bytes.
    pub peak_memory: usize,
    /// Log lines of all versions that exceeded a limit and were dropped.
    pub log_lines_dropped: u64,
}

impl Policy {
    pub(crate) fn new(
        runtime: Runtime,
        spec: PolicySpec,
        code: LoadedCode,
        state: Option<Arc<PolicyState>>,
    ) -> Self {
        let LoadedCode { digest, component, template, exports, description } = code;
        let fuel = (runtime.config().fuel == FuelCounting::On).then_some(runtime.config().fuel_limit);
        let context = Arc::new(PolicyContext::new(&spec, state, runtime.log_rate(&spec.name), fuel));
        let stats = Arc::new(PolicyStats::new(runtime.change_notifier()));
        let version = format!("{}@{}", spec.name, digest.short());
        let settings_digest = sha256(spec.settings.as_bytes());
        let loaded = LoadedPolicy {
            digest,
            settings_digest,
            version,
            component,
            template,
            exports,
            description,
            context,
            stats,
            calls: Arc::new(Semaphore::new(spec.limits.concurrency as usize)),
            slow_lane_limit: runtime.slow_lane().limit(spec.can_sleep()),
            idle: Mutex::default(),
            spec,
            runtime,
        };
        Self { loaded: Arc::new(loaded) }
    }

    /// Returns its name in the configuration.
    pub fn name(&self) -> &PolicyName {
        &self.loaded.spec.name
    }

    /// Returns what its file says about it.
    pub fn description(&self) -> &Arc<SelfDescription> {
        &self.loaded.description
    }

    /// Returns the SHA-256 of the bytes it was loaded from.
    pub fn digest(&self) -> Digest {
        self.loaded.digest
    }

    /// Returns the SHA-256 of the JSON text of its settings.
    pub fn settings_digest(&self) -> Digest {
        self.loaded.settings_digest
    }

    /// Returns its name in headers and logs: name and digest, as in `name@0123456789ab`.
    pub fn version(&self) -> &str {
        &self.loaded.version
    }

    /// Returns its specification.
    pub fn spec(&self) -> &PolicySpec {
        &self.loaded.spec
    }

    /// Returns its statistics since it was loaded.
    pub fn stats(&self) -> &Arc<PolicyStats> {
        &self.loaded.stats
    }

    /// Returns its current use of resources.
    pub fn usage(&self) -> PolicyUsage {
        let loaded = &self.loaded;
        let most_calls = loaded.spec.limits.concurrency as usize;
        PolicyUsage {
            calls: most_calls.saturating_sub(loaded.calls.available_permits()),
            idle_instances: loaded.idle().len(),
            peak_memory: loaded.context.peak_memory(),
            log_lines_dropped: loaded.context.log_lines_dropped(),
        }
    }

    /// Returns its compiled component.
    pub(crate) fn component(&self) -> &Arc<Component> {
        &self.loaded.component
    }

    /// Returns whether the policy observes the outcomes of its decisions.
    pub fn wants_outcomes(&self) -> bool {
        self.loaded.exports.has_observer()
    }

    /// Returns whether the policy takes ratings of its answers.
    pub fn wants_ratings(&self) -> bool {
        self.loaded.exports.has_feedback()
    }

    /// Returns the state that the policy keeps, if it imports that.
    pub fn state(&self) -> Option<&Arc<PolicyState>> {
        self.loaded.context.state()
    }

    /// Returns whether the policy may answer with plans.
    pub fn orchestrates(&self) -> bool {
        self.loaded.exports.orchestrates()
    }

    /// Calls the policy for a decision.
    ///
    /// A call that takes longer than two ticks of 1 ms moves to a thread of lower priority, so that
    /// the caller's thread is free. Dropping the future stops the policy at its next tick. Needs a
    /// tokio runtime with a timer when it has to wait.
    ///
    /// # Errors
    /// Fails when the policy fails, or there is no valid answer within
    /// [`Limits::deadline`](crate::Limits::deadline); see [`PolicyFailure`].
    pub async fn decide(&self, input: DecisionInput) -> Result<PolicyAnswer, PolicyFailure> {
        let loaded = Arc::clone(&self.loaded);
        let call = async move {
            let mut instance = loaded.check_out(CallContext::decision(&input)).await?;
            let result = instance.decide(&input).await;
            loaded.check_in(instance, result.as_ref().err());
            result
        };
        self.loaded.run(call).await
    }

    /// Calls an orchestrating policy for its next step, with the state that its plan carried and the
    /// task results in the input.
    ///
    /// # Errors
    /// Fails as [`decide`](Self::decide) does.
    pub async fn resume(&self, input: DecisionInput, state: &[u8]) -> Result<PolicyAnswer, PolicyFailure> {
        let (loaded, state) = (Arc::clone(&self.loaded), state.to_vec());
        let call = async move {
            let mut instance = loaded.check_out(CallContext::decision(&input)).await?;
            let result = instance.resume(&loaded.exports, &input, &state).await;
            loaded.check_in(instance, result.as_ref().err());
            result
        };
        self.loaded.run(call).await
    }

    /// Reports the outcome of a decision to the policy, if it observes outcomes. `access` is that of the
    /// decision to the policy's state.
    ///
    /// # Errors
    /// Fails when the policy fails, which does not affect the decision.
    pub async fn observe(&self, outcome: &Outcome, access: StateAccess) -> Result<(), PolicyFailure> {
        if !self.wants_outcomes() {
            return Ok(());
        }
        let (loaded, outcome) = (Arc::clone(&self.loaded), outcome.clone());
        let call = async move {
            let mut instance = loaded.check_out(CallContext::event(access)).await?;
            let result = instance.observe(&loaded.exports, &outcome).await;
            loaded.check_in(instance, result.as_ref().err());
            result
        };
        self.loaded.run(call).await
    }

    /// Reports a rating of an answer to the policy, if it takes ratings. `access` is that of the
    /// decision to the policy's state.
    ///
    /// # Errors
    /// Fails when the policy fails, which does not affect the decision.
    pub async fn rate(&self, rating: &Rating, access: StateAccess) -> Result<(), PolicyFailure> {
        if !self.wants_ratings() {
            return Ok(());
        }
        let (loaded, rating) = (Arc::clone(&self.loaded), rating.clone());
        let call = async move {
            let mut instance = loaded.check_out(CallContext::event(access)).await?;
            let result = instance.rate(&loaded.exports, &rating).await;
            loaded.check_in(instance, result.as_ref().err());
            result
        };
        self.loaded.run(call).await
    }

    /// Lets the policy validate its settings, in the load gate's instance. The inner error is the
    /// policy's message.
    pub(crate) async fn validate(&self) -> Result<Result<(), String>, PolicyFailure> {
        let call = async {
            let mut instance = self.loaded.instantiate_for_gate(CallContext::validation()).await?;
            instance.validate(&self.loaded.exports).await
        };
        self.loaded.with_probe_deadline(call).await
    }

    /// Calls the policy for a decision, in the load gate's instance.
    pub(crate) async fn probe_decision(&self, input: DecisionInput) -> Result<PolicyAnswer, PolicyFailure> {
        let call = async {
            let mut instance = self.loaded.instantiate_for_gate(CallContext::decision(&input)).await?;
            instance.decide(&input).await
        };
        self.loaded.with_probe_deadline(call).await
    }

    /// Decides in a fresh instance and measures the phases of the decision. For benches.
    ///
    /// # Errors
    /// Fails when the policy fails.
    #[doc(hidden)]
    pub async fn measure(&self, input: &DecisionInput) -> Result<DecisionTimings, PolicyFailure> {
        let loaded = &self.loaded;
        let data = StoreData::new(Arc::clone(&loaded.context), CallContext::decision(input));
        DecisionTimings::measure(&loaded.template, &loaded.exports, data, input).await
    }
}

impl LoadedPolicy {
    /// Makes one call within its deadline, holding its permits.
    async fn run<T: Send + 'static>(
        &self,
        call: impl Future<Output = Result<T, PolicyFailure>> + Send + 'static,
    ) -> Result<T, PolicyFailure> {
        let deadline = Deadline::after(self.spec.limits.deadline);
        let permits = self.admit(deadline).await?;
        let call = Box::pin(async move {
            let _permits = permits;
            call.await
        });
        self.runtime
            .slow_lane()
            .run(call, &self.slow_lane_limit, deadline, self.context.deadline_ticks())
            .await
    }

    /// Waits for the permits of a call until the deadline. A request should rather follow the
    /// route's `on_failure` than wait here for longer.
    async fn admit(&self, deadline: Deadline) -> Result<CallPermits, PolicyFailure> {
        let policy = match Arc::clone(&self.calls).try_acquire_owned() {
            Ok(permit) => permit,
            Err(_) => match deadline.limit(Arc::clone(&self.calls).acquire_owned()).await {
                Some(Ok(permit)) => permit,
                Some(Err(_)) | None => return Err(PolicyFailure::Busy),
            },
        };
        Ok(CallPermits { _pool: self.runtime.admit(deadline).await?, _policy: policy })
    }

    /// Limits a call of the load gate. No request waits for it, so only the running time counts,
    /// which ticks measure: a busy machine is no reason to refuse a policy. Ticks do not pass while
    /// a policy sleeps, so a policy that can sleep gets a timeout as well.
    async fn with_probe_deadline<T>(
        &self,
        call: impl Future<Output = Result<T, PolicyFailure>>,
    ) -> Result<T, PolicyFailure> {
        if !self.spec.can_sleep() {
            return call.await;
        }
        tokio::time::timeout(self.spec.limits.deadline, call).await.unwrap_or(Err(PolicyFailure::Deadline))
    }

    async fn check_out(&self, call: CallContext) -> Result<Instance, PolicyFailure> {
        match self.take_idle() {
            Some(mut instance) => {
                instance.begin_call(call);
                Ok(instance)
            }
            None => self.instantiate(call).await,
        }
    }

    /// Takes an idle instance, if instances are kept.
    fn take_idle(&self) -> Option<Instance> {
        match self.spec.isolation {
            Isolation::Fresh => None,
            Isolation::Warm { .. } => self.idle().pop().map(|idle| idle.instance),
        }
    }

    /// Keeps a warm instance for the next call, unless it failed, is due for replacement, or there is
    /// no room for it.
    fn check_in(&self, instance: Instance, failure: Option<&PolicyFailure>) {
        let Isolation::Warm { recycle_after, instances } = self.spec.isolation else { return };
        if failure.is_some() || instance.calls >= recycle_after {
            return;
        }
        let Some(permit) = self.runtime.admit_idle() else { return };
        let mut idle = self.idle();
        if idle.len() < instances as usize {
            idle.push(IdleInstance { instance, _permit: permit });
        }
    }

    async fn instantiate(&self, call: CallContext) -> Result<Instance, PolicyFailure> {
        let data = StoreData::new(Arc::clone(&self.context), call);
        Instance::new(&self.template, &self.exports, data).await
    }

    /// Creates an instance whose failures quote its own error lines: it sees no content of clients.
    async fn instantiate_for_gate(&self, call: CallContext) -> Result<Instance, PolicyFailure> {
        let data = StoreData::new(Arc::clone(&self.context), call).quoting_errors();
        Instance::new(&self.template, &self.exports, data).await
    }

    fn idle(&self) -> MutexGuard<'_, Vec<IdleInstance>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for Policy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Policy({}@{:?})", self.name(), self.digest())
    }
}
