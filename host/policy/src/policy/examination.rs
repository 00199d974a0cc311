//! Calls that are measured and traced, for tools of authors.

use std::sync::Arc;
use std::time::{Duration, Instant};

use pointsman_domain::outcome::Outcome;
use pointsman_domain::rating::Rating;
use pointsman_state::StateAccess;

use super::{LoadedPolicy, Policy};
use crate::decision::{DecisionInput, PolicyAnswer};
use crate::failure::PolicyFailure;
use crate::instance::Instance;
use crate::sandbox::{CallContext, StoreData};
use crate::trace::{CallTrace, TraceRecorder};

/// The answer to one call of a policy, with everything that it did.
#[derive(Clone, Debug)]
pub struct Examination<T = PolicyAnswer> {
    /// The answer, validated as for a request.
    pub answer: Result<T, PolicyFailure>,
    /// Imported functions that it called, and lines that it logged.
    pub trace: CallTrace,
    /// Executed instructions, if the runtime counts them.
    pub fuel: Option<FuelUse>,
    /// Linear memory of the instance at the end, in bytes. Memory never shrinks, so it is the peak.
    pub memory_bytes: usize,
    /// Time to create the instance.
    pub start: Duration,
    /// Time of the call until its answer was validated.
    pub call: Duration,
}

/// Executed instructions in units of fuel: the same for the same policy and input on every machine.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct FuelUse {
    /// Start functions of the instance. An instance that was kept executes none.
    pub start: u64,
    /// The call itself.
    pub call: u64,
}

impl FuelUse {
    /// Returns the sum.
    pub const fn total(&self) -> u64 {
        self.start.saturating_add(self.call)
    }
}

impl Policy {
    /// Makes one call, and records what the policy does. The policy's isolation applies: a warm policy
    /// uses an instance that an earlier call left. `state` is that of a plan to resume; `None` makes the
    /// first call for a request. For tools of authors: recording slows the call.
    pub async fn examine(&self, input: DecisionInput, state: Option<&[u8]>) -> Examination {
        let context = CallContext::decision(&input);
        let call = match state {
            None => ExaminedCall::Decide(input),
            Some(state) => ExaminedCall::Resume(input, state.to_vec()),
        };
        // A decision has an answer, and an event none.
        self.examine_call(call, context).await.map(|answer| {
            answer.ok_or_else(|| PolicyFailure::Unreadable("the call gave no answer".to_owned()))
        })
    }

    /// Reports the outcome of a request as [`observe`](Self::observe) does, and records what the policy
    /// does. `None` if it does not observe outcomes.
    pub async fn examine_outcome(&self, outcome: Outcome, access: StateAccess) -> Option<Examination<()>> {
        if !self.wants_outcomes() {
            return None;
        }
        let context = CallContext::event(access);
        Some(self.examine_call(ExaminedCall::Observe(outcome), context).await.map(|_| Ok(())))
    }

    /// Reports a rating as [`rate`](Self::rate) does, and records what the policy does. `None` if it takes
    /// no ratings.
    pub async fn examine_rating(&self, rating: Rating, access: StateAccess) -> Option<Examination<()>> {
        if !self.wants_ratings() {
            return None;
        }
        let context = CallContext::event(access);
        Some(self.examine_call(ExaminedCall::Rate(rating), context).await.map(|_| Ok(())))
    }

    /// Drops the instances that are kept, so that the next call has a fresh one.
    pub fn drop_idle_instances(&self) {
        self.loaded.idle().clear();
    }

    async fn examine_call(
        &self,
        call: ExaminedCall,
        context: CallContext,
    ) -> Examination<Option<PolicyAnswer>> {
        let (loaded, trace) = (Arc::clone(&self.loaded), TraceRecorder::default());
        let recorder = trace.clone();
        let call = async move { Ok(loaded.examine(call, context, recorder).await) };
        // A call that is stopped from outside has no measurements.
        let (answer, measured) = match self.loaded.run(call).await {
            Ok(examined) => examined,
            Err(failure) => (Err(failure), CallMeasurements::default()),
        };
        let CallMeasurements { fuel, memory_bytes, start, call } = measured;
        Examination { answer, trace: trace.take(), fuel, memory_bytes, start, call }
    }
}

impl<T> Examination<T> {
    fn map<U>(self, answer: impl FnOnce(T) -> Result<U, PolicyFailure>) -> Examination<U> {
        let Self { answer: old, trace, fuel, memory_bytes, start, call } = self;
        Examination { answer: old.and_then(answer), trace, fuel, memory_bytes, start, call }
    }
}

/// A call to examine.
enum ExaminedCall {
    /// The first call for a request.
    Decide(DecisionInput),
    /// A further one, with the state of the plan.
    Resume(DecisionInput, Vec<u8>),
    /// The report of an outcome.
    Observe(Outcome),
    /// The report of a rating.
    Rate(Rating),
}

/// Measurements of an examined call. Those of a call that did not reach its end are zero.
#[derive(Default)]
struct CallMeasurements {
    fuel: Option<FuelUse>,
    memory_bytes: usize,
    start: Duration,
    call: Duration,
}

impl LoadedPolicy {
    /// Makes one call, and measures it.
    async fn examine(
        &self,
        call: ExaminedCall,
        context: CallContext,
        trace: TraceRecorder,
    ) -> (Result<Option<PolicyAnswer>, PolicyFailure>, CallMeasurements) {
        let mut measured = CallMeasurements::default();
        let started = Instant::now();
        let mut instance = match self.check_out_examined(context, trace).await {
            Ok(instance) => instance,
            Err(failure) => return (Err(failure), measured),
        };
        measured.start = started.elapsed();
        let start_fuel = instance.fuel_used();
        let called = Instant::now();
        let answer = match call {
            ExaminedCall::Decide(input) => instance.decide(&input).await.map(Some),
            ExaminedCall::Resume(input, state) => {
                instance.resume(&self.exports, &input, &state).await.map(Some)
            }
            ExaminedCall::Observe(outcome) => instance.observe(&self.exports, &outcome).await.map(|()| None),
            ExaminedCall::Rate(rating) => instance.rate(&self.exports, &rating).await.map(|()| None),
        };
        measured.call = called.elapsed();
        measured.memory_bytes = instance.memory_bytes();
        measured.fuel = start_fuel
            .zip(instance.fuel_used())
            .map(|(start, total)| FuelUse { start, call: total.saturating_sub(start) });
        self.check_in(instance, answer.as_ref().err());
        (answer, measured)
    }

    /// Takes an idle instance or creates one, as for a request, and records what the policy does in it.
    async fn check_out_examined(
        &self,
        context: CallContext,
        trace: TraceRecorder,
    ) -> Result<Instance, PolicyFailure> {
        if let Some(mut instance) = self.take_idle() {
            instance.begin_call(context);
            instance.record(trace);
            return Ok(instance);
        }
        let mut data = StoreData::new(Arc::clone(&self.context), context);
        data.record(trace);
        Instance::new(&self.template, &self.exports, data).await
    }
}
