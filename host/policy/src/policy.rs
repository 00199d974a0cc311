//! A loaded policy: one version of code with one set of settings.

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use pointsman_domain::ids::{Digest, PolicyName};
use pointsman_domain::outcome::Outcome;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use wasmtime::component::{Component, InstancePre};

use crate::code::sha256;
use crate::deadline::Deadline;
use crate::decision::{Answer, DecisionInput};
use crate::failure::PolicyFailure;
use crate::host::{Context, Host};
use crate::instance::{Exports, Instance};
use crate::measure::Parts;
use crate::record::Record;
use crate::runtime::{Runtime, Share};
use crate::slot::PolicyUsage;
use crate::spec::{Isolation, PolicySpec};

/// A policy that passed the load gate.
pub struct Policy {
    loaded: Arc<Loaded>,
}

/// What a call holds: it may go on in another thread.
struct Loaded {
    spec: PolicySpec,
    digest: Digest,
    settings_digest: Digest,
    version: String,
    runtime: Runtime,
    /// Held so that it is not compiled again for another policy.
    component: Arc<Component>,
    template: InstancePre<Host>,
    exports: Exports,
    context: Arc<Context>,
    record: Arc<Record>,
    /// One permit for each call under way.
    places: Arc<Semaphore>,
    slow: Share,
    /// Idle instances, the one used last on top: its memory is in the cache.
    idle: Mutex<Vec<Idle>>,
}

/// What a call under way takes up: of the policy's own places, and of the pool's.
struct Places {
    _own: OwnedSemaphorePermit,
    _pool: OwnedSemaphorePermit,
}

/// A warm instance that nobody uses.
struct Idle {
    instance: Instance,
    /// Dropped after the instance, whose place in the pool it stands for.
    _place: OwnedSemaphorePermit,
}

impl Policy {
    pub(crate) fn new(
        runtime: Runtime,
        spec: PolicySpec,
        digest: Digest,
        component: Arc<Component>,
        template: InstancePre<Host>,
        exports: Exports,
    ) -> Self {
        let context = Arc::new(Context::new(&spec, runtime.log_rate(&spec.name)));
        let record = Arc::new(Record::new(runtime.alarm()));
        let version = format!("{}@{}", spec.name, digest.short());
        let settings_digest = sha256(spec.settings.as_bytes());
        let loaded = Loaded {
            digest,
            settings_digest,
            version,
            component,
            template,
            exports,
            context,
            record,
            places: Arc::new(Semaphore::new(spec.limits.concurrency as usize)),
            slow: runtime.slow_lane().share(spec.can_sleep()),
            idle: Mutex::default(),
            spec,
            runtime,
        };
        Self { loaded: Arc::new(loaded) }
    }

    /// Its name in the configuration.
    pub fn name(&self) -> &PolicyName {
        &self.loaded.spec.name
    }

    /// The SHA-256 of the bytes it was loaded from.
    pub fn digest(&self) -> Digest {
        self.loaded.digest
    }

    /// SHA-256 of the JSON text of its settings.
    pub fn settings_digest(&self) -> Digest {
        self.loaded.settings_digest
    }

    /// Name and digest, `name@0123456789ab`: what answers and logs call it.
    pub fn version(&self) -> &str {
        &self.loaded.version
    }

    /// What the configuration says about it.
    pub fn spec(&self) -> &PolicySpec {
        &self.loaded.spec
    }

    /// How it has done since it was loaded.
    pub fn record(&self) -> &Arc<Record> {
        &self.loaded.record
    }

    /// What it takes up at this moment.
    pub fn usage(&self) -> PolicyUsage {
        let loaded = &self.loaded;
        let places = loaded.spec.limits.concurrency as usize;
        PolicyUsage {
            calls: places.saturating_sub(loaded.places.available_permits()),
            idle_instances: loaded.idle().len(),
            peak_memory: loaded.context.peak_memory(),
            log_lines_dropped: loaded.context.log_lines_dropped(),
        }
    }

    /// What it was compiled to.
    pub(crate) fn component(&self) -> &Arc<Component> {
        &self.loaded.component
    }

    /// Whether the policy wants to know what became of its decisions.
    pub fn wants_outcomes(&self) -> bool {
        self.loaded.exports.has_observer()
    }

    /// Whether the policy may cut requests into tasks.
    pub fn orchestrates(&self) -> bool {
        self.loaded.exports.orchestrates()
    }

    /// Asks for a decision. A policy that takes longer than a tick or two (of 1 ms)
    /// goes on in a thread of less importance, so that the caller's is free. Dropping
    /// the future stops the policy at its next tick. To wait for such a policy or for
    /// a place takes a tokio runtime with a timer.
    ///
    /// # Errors
    /// Fails when the policy fails, or there is no checked answer within
    /// [`Limits::deadline`](crate::Limits::deadline): see [`PolicyFailure`].
    pub async fn decide(&self, input: DecisionInput) -> Result<Answer, PolicyFailure> {
        let loaded = Arc::clone(&self.loaded);
        let call = async move {
            let mut instance = loaded.check_out(Some(&input)).await?;
            let result = instance.decide(&input).await;
            loaded.check_in(instance, result.as_ref().err());
            result
        };
        self.loaded.run(call).await
    }

    /// Asks a policy that orchestrates what to do next, with the bytes of its
    /// plan and the results in the input.
    ///
    /// # Errors
    /// As for [`decide`](Self::decide).
    pub async fn resume(&self, input: DecisionInput, state: &[u8]) -> Result<Answer, PolicyFailure> {
        let (loaded, state) = (Arc::clone(&self.loaded), state.to_vec());
        let call = async move {
            let mut instance = loaded.check_out(Some(&input)).await?;
            let result = instance.resume(&loaded.exports, &input, &state).await;
            loaded.check_in(instance, result.as_ref().err());
            result
        };
        self.loaded.run(call).await
    }

    /// Tells the policy what became of a decision. For policies that do not
    /// want to know, this does nothing.
    ///
    /// # Errors
    /// When the policy fails; the decision is not affected.
    pub async fn observe(&self, outcome: &Outcome) -> Result<(), PolicyFailure> {
        if !self.wants_outcomes() {
            return Ok(());
        }
        let (loaded, outcome) = (Arc::clone(&self.loaded), outcome.clone());
        let call = async move {
            let mut instance = loaded.check_out(None).await?;
            let result = instance.observe(&loaded.exports, &outcome).await;
            loaded.check_in(instance, result.as_ref().err());
            result
        };
        self.loaded.run(call).await
    }

    /// Asks the policy whether its settings will do. For the load gate, which
    /// has a place in the pool of its own.
    pub(crate) async fn validate(&self) -> Result<Result<(), String>, PolicyFailure> {
        let call = async {
            let mut instance = self.loaded.instantiate(None).await?;
            instance.validate(&self.loaded.exports).await
        };
        self.loaded.in_time(call).await
    }

    /// Decides in the load gate's place in the pool.
    pub(crate) async fn try_decide(&self, input: DecisionInput) -> Result<Answer, PolicyFailure> {
        let call = async {
            let mut instance = self.loaded.instantiate(Some(input.clone())).await?;
            instance.decide(&input).await
        };
        self.loaded.in_time(call).await
    }

    /// Decides as [`decide`](Self::decide) does in a fresh instance, and tells
    /// where the time went. For benches.
    ///
    /// # Errors
    /// When the policy fails.
    #[doc(hidden)]
    pub async fn measure(&self, input: &DecisionInput) -> Result<Parts, PolicyFailure> {
        let loaded = &self.loaded;
        let host = Host::new(Arc::clone(&loaded.context), Some(input.clone()));
        Parts::measure(&loaded.template, &loaded.exports, host, input).await
    }
}

impl Loaded {
    /// Makes one call, in a place of its own, within the deadline.
    async fn run<T: Send + 'static>(
        &self,
        call: impl Future<Output = Result<T, PolicyFailure>> + Send + 'static,
    ) -> Result<T, PolicyFailure> {
        let deadline = Deadline::after(self.spec.limits.deadline);
        let places = self.admit(deadline).await?;
        let call = Box::pin(async move {
            let _places = places;
            call.await
        });
        self.runtime.slow_lane().run(call, &self.slow, deadline, self.context.ticks()).await
    }

    /// Waits for a place among the policy's own and one in the pool until the
    /// deadline: a request should rather go the way of a failed policy than queue
    /// here for longer.
    async fn admit(&self, deadline: Deadline) -> Result<Places, PolicyFailure> {
        let own = match Arc::clone(&self.places).try_acquire_owned() {
            Ok(own) => own,
            Err(_) => match deadline.limit(Arc::clone(&self.places).acquire_owned()).await {
                Some(Ok(own)) => own,
                Some(Err(_)) | None => return Err(PolicyFailure::Busy),
            },
        };
        Ok(Places { _pool: self.runtime.admit(deadline).await?, _own: own })
    }

    /// Watches a call of the load gate, for which nobody waits. Only the time that it
    /// runs counts, which its ticks measure: a busy machine is no reason to refuse a
    /// policy. They do not see a policy that sleeps, so that one has an alarm.
    async fn in_time<T>(
        &self,
        call: impl Future<Output = Result<T, PolicyFailure>>,
    ) -> Result<T, PolicyFailure> {
        if !self.spec.can_sleep() {
            return call.await;
        }
        tokio::time::timeout(self.spec.limits.deadline, call).await.unwrap_or(Err(PolicyFailure::Deadline))
    }

    async fn check_out(&self, input: Option<&DecisionInput>) -> Result<Instance, PolicyFailure> {
        let idle = match self.spec.isolation {
            Isolation::Fresh => None,
            Isolation::Warm { .. } => self.idle().pop(),
        };
        match idle {
            Some(Idle { mut instance, _place }) => {
                instance.begin(input.cloned());
                Ok(instance)
            }
            None => self.instantiate(input.cloned()).await,
        }
    }

    /// Keeps a warm instance for the next call, unless it failed, is due to be
    /// replaced, or there is no room for it.
    fn check_in(&self, instance: Instance, failure: Option<&PolicyFailure>) {
        let Isolation::Warm { recycle_after, instances } = self.spec.isolation else { return };
        if failure.is_some() || instance.calls >= recycle_after {
            return;
        }
        let Some(place) = self.runtime.admit_idle() else { return };
        let mut idle = self.idle();
        if idle.len() < instances as usize {
            idle.push(Idle { instance, _place: place });
        }
    }

    async fn instantiate(&self, input: Option<DecisionInput>) -> Result<Instance, PolicyFailure> {
        let host = Host::new(Arc::clone(&self.context), input);
        Instance::new(&self.template, &self.exports, host).await
    }

    fn idle(&self) -> MutexGuard<'_, Vec<Idle>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for Policy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Policy({}@{:?})", self.name(), self.digest())
    }
}
