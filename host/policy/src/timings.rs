//! Timing of the phases of a decision, for benches.

use std::time::{Duration, Instant};

use wasmtime::component::InstancePre;

use crate::decision::DecisionInput;
use crate::failure::PolicyFailure;
use crate::instance::{Exports, Instance, instantiate, new_store};
use crate::sandbox::StoreData;

/// Durations of the phases of one decision in a fresh instance.
#[derive(Clone, Copy, Debug, Default)]
pub struct DecisionTimings {
    /// Creating a store with its limits.
    pub store: Duration,
    /// Allocating and initialising memories, tables and globals.
    pub instantiate: Duration,
    /// Looking up `route`, and comparing its type with the contract's.
    pub find: Duration,
    /// Lowering the request, running the policy, lifting and validating its answer.
    pub call: Duration,
    /// Cleaning the memory and returning it to the pool.
    pub drop: Duration,
}

impl DecisionTimings {
    pub(crate) async fn measure(
        template: &InstancePre<StoreData>,
        exports: &Exports,
        data: StoreData,
        input: &DecisionInput,
    ) -> Result<Self, PolicyFailure> {
        let mut timings = Self::default();
        let mut started = Instant::now();
        let mut lap = |phase: &mut Duration| {
            let now = Instant::now();
            *phase = now - std::mem::replace(&mut started, now);
        };
        let store = new_store(template.engine(), data);
        lap(&mut timings.store);
        let (store, instance) = instantiate(template, store).await?;
        lap(&mut timings.instantiate);
        let mut instance = Instance::with_exports(store, instance, exports)?;
        lap(&mut timings.find);
        let answer = instance.decide(input).await;
        lap(&mut timings.call);
        drop(instance);
        lap(&mut timings.drop);
        answer.map(|_| timings)
    }
}
