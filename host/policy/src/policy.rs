//! A loaded policy: one version of code with one set of settings.

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use pointsman_domain::ids::{Digest, PolicyName};
use pointsman_domain::outcome::Outcome;
use tokio::sync::OwnedSemaphorePermit;
use wasmtime::component::{Component, InstancePre};

use crate::decision::{Answer, DecisionInput};
use crate::failure::PolicyFailure;
use crate::host::{Context, Host};
use crate::instance::{Exports, Instance};
use crate::measure::Parts;
use crate::record::Record;
use crate::runtime::Runtime;
use crate::spec::{Grants, Isolation, PolicySpec};

/// A policy that passed the load gate.
pub struct Policy {
    spec: PolicySpec,
    digest: Digest,
    version: String,
    runtime: Runtime,
    /// Held so that it is not compiled again for another policy.
    component: Arc<Component>,
    template: InstancePre<Host>,
    exports: Exports,
    context: Arc<Context>,
    record: Arc<Record>,
    /// Idle instances, the one used last on top: its memory is in the cache.
    idle: Mutex<Vec<Idle>>,
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
        let context = Arc::new(Context::new(&spec));
        let record = Arc::new(Record::new(runtime.alarm()));
        let version = format!("{}@{}", spec.name, digest.short());
        Self {
            spec,
            digest,
            version,
            runtime,
            component,
            template,
            exports,
            context,
            record,
            idle: Mutex::default(),
        }
    }

    /// Its name in the configuration.
    pub fn name(&self) -> &PolicyName {
        &self.spec.name
    }

    /// The SHA-256 of the bytes it was loaded from.
    pub fn digest(&self) -> Digest {
        self.digest
    }

    /// Name and digest, `name@0123456789ab`: what answers and logs call it.
    pub fn version(&self) -> &str {
        &self.version
    }

    /// What the configuration says about it.
    pub fn spec(&self) -> &PolicySpec {
        &self.spec
    }

    /// How it has done since it was loaded.
    pub fn record(&self) -> &Arc<Record> {
        &self.record
    }

    /// What it was compiled to.
    pub(crate) fn component(&self) -> &Arc<Component> {
        &self.component
    }

    /// Whether the policy wants to know what became of its decisions.
    pub fn wants_outcomes(&self) -> bool {
        self.exports.has_observer()
    }

    /// Whether the policy may cut requests into tasks.
    pub fn orchestrates(&self) -> bool {
        self.exports.orchestrates()
    }

    /// Asks for a decision. Gives control back to the async runtime at every
    /// tick (1 ms) of a policy that takes long. Dropping the future stops the
    /// policy.
    ///
    /// # Errors
    /// When the policy fails: see [`PolicyFailure`].
    pub async fn decide(&self, input: DecisionInput) -> Result<Answer, PolicyFailure> {
        self.call(Some(&input), async |instance| instance.decide(&input).await).await
    }

    /// Asks a policy that orchestrates what to do next, with the bytes of its
    /// plan and the results in the input.
    ///
    /// # Errors
    /// As for [`decide`](Self::decide).
    pub async fn resume(&self, input: DecisionInput, state: &[u8]) -> Result<Answer, PolicyFailure> {
        self.call(Some(&input), async |instance| instance.resume(&self.exports, &input, state).await).await
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
        self.call(None, async |instance| instance.observe(&self.exports, outcome).await).await
    }

    /// Asks the policy whether its settings will do. For the load gate, which
    /// has a place in the pool of its own.
    pub(crate) async fn validate(&self) -> Result<Result<(), String>, PolicyFailure> {
        let call = async {
            let mut instance = self.instantiate(None).await?;
            instance.validate(&self.exports).await
        };
        self.in_time(call).await
    }

    /// Decides in the load gate's place in the pool.
    pub(crate) async fn try_decide(&self, input: DecisionInput) -> Result<Answer, PolicyFailure> {
        let call = async {
            let mut instance = self.instantiate(Some(input.clone())).await?;
            instance.decide(&input).await
        };
        self.in_time(call).await
    }

    /// Makes one call of an instance, in a place of its own in the pool.
    async fn call<T>(
        &self,
        input: Option<&DecisionInput>,
        function: impl AsyncFnOnce(&mut Instance) -> Result<T, PolicyFailure>,
    ) -> Result<T, PolicyFailure> {
        let call = async {
            let _running = self.runtime.admit(self.spec.limits.deadline).await?;
            let mut instance = self.check_out(input).await?;
            let result = function(&mut instance).await;
            self.check_in(instance, result.as_ref().err());
            result
        };
        self.in_time(call).await
    }

    /// A policy with a clock of WASI can sleep, which no tick sees: it gets an alarm
    /// too. Unlike ticks, the alarm counts time that the call waits for others.
    async fn in_time<T>(
        &self,
        call: impl Future<Output = Result<T, PolicyFailure>>,
    ) -> Result<T, PolicyFailure> {
        if !self.spec.grants.contains(Grants::WASI | Grants::CLOCKS) {
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

    /// Decides as [`decide`](Self::decide) does in a fresh instance, and tells
    /// where the time went. For benches.
    ///
    /// # Errors
    /// When the policy fails.
    #[doc(hidden)]
    pub async fn measure(&self, input: &DecisionInput) -> Result<Parts, PolicyFailure> {
        let host = Host::new(Arc::clone(&self.context), Some(input.clone()));
        Parts::measure(&self.template, &self.exports, host, input).await
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
        write!(f, "Policy({}@{:?})", self.spec.name, self.digest)
    }
}
