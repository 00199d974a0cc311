//! Where the time of a decision goes. For benches: nothing is served by it.

use std::time::{Duration, Instant};

use wasmtime::component::InstancePre;

use crate::decision::DecisionInput;
use crate::failure::PolicyFailure;
use crate::host::Host;
use crate::instance::{Exports, Instance, instantiate, new_store};

/// The parts of one decision in a fresh instance.
#[derive(Clone, Copy, Debug, Default)]
pub struct Parts {
    /// A store with its limits.
    pub store: Duration,
    /// Memory, tables and globals of the instance.
    pub instantiate: Duration,
    /// Finding `route`, and comparing its type with the contract's.
    pub find: Duration,
    /// Lowering the request, running the policy, lifting and checking its answer.
    pub call: Duration,
    /// Handing the memory back to the pool, clean.
    pub drop: Duration,
}

impl Parts {
    pub(crate) async fn measure(
        template: &InstancePre<Host>,
        exports: &Exports,
        host: Host,
        input: &DecisionInput,
    ) -> Result<Self, PolicyFailure> {
        let mut parts = Self::default();
        let mut started = Instant::now();
        let mut lap = |part: &mut Duration| {
            let now = Instant::now();
            *part = now - std::mem::replace(&mut started, now);
        };
        let store = new_store(template.engine(), host);
        lap(&mut parts.store);
        let (store, instance) = instantiate(template, store).await?;
        lap(&mut parts.instantiate);
        let mut instance = Instance::with_exports(store, instance, exports)?;
        lap(&mut parts.find);
        let answer = instance.decide(input).await;
        lap(&mut parts.call);
        drop(instance);
        lap(&mut parts.drop);
        answer.map(|_| parts)
    }
}
