//! Calls that are measured and traced, for tools of authors.

use std::sync::Arc;
use std::time::{Duration, Instant};

use super::{LoadedPolicy, Policy};
use crate::decision::{DecisionInput, PolicyAnswer};
use crate::failure::PolicyFailure;
use crate::trace::{CallTrace, TraceRecorder};

/// The answer to one call of a policy in a fresh instance, with everything that it did.
#[derive(Clone, Debug)]
pub struct Examination {
    /// The answer, validated as for a request.
    pub answer: Result<PolicyAnswer, PolicyFailure>,
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
    /// Start functions of the instance.
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
    /// Makes one call in a fresh instance, whatever its isolation, and records what the policy does.
    /// `state` is that of a plan to resume; `None` makes the first call for a request. For tools of
    /// authors: recording slows the call.
    pub async fn examine(&self, input: DecisionInput, state: Option<&[u8]>) -> Examination {
        let (loaded, trace) = (Arc::clone(&self.loaded), TraceRecorder::default());
        let examined = state.map_or(ExaminedCall::Decide, |state| ExaminedCall::Resume(state.to_vec()));
        let recorder = trace.clone();
        let call = async move { Ok(loaded.examine(input, examined, recorder).await) };
        // A call that is stopped from outside has no measurements.
        let (answer, measured) = match self.loaded.run(call).await {
            Ok(examined) => examined,
            Err(failure) => (Err(failure), CallMeasurements::default()),
        };
        let CallMeasurements { fuel, memory_bytes, start, call } = measured;
        Examination { answer, trace: trace.take(), fuel, memory_bytes, start, call }
    }
}

/// A call to examine.
enum ExaminedCall {
    /// The first call for a request.
    Decide,
    /// A further one, with the state of the plan.
    Resume(Vec<u8>),
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
    /// Makes one call in a fresh instance, and measures it.
    async fn examine(
        &self,
        input: DecisionInput,
        call: ExaminedCall,
        trace: TraceRecorder,
    ) -> (Result<PolicyAnswer, PolicyFailure>, CallMeasurements) {
        let mut measured = CallMeasurements::default();
        let started = Instant::now();
        let mut instance = match self.instantiate_examined(&input, trace).await {
            Ok(instance) => instance,
            Err(failure) => return (Err(failure), measured),
        };
        measured.start = started.elapsed();
        let start_fuel = instance.fuel_used();
        let called = Instant::now();
        let answer = match call {
            ExaminedCall::Decide => instance.decide(&input).await,
            ExaminedCall::Resume(state) => instance.resume(&self.exports, &input, &state).await,
        };
        measured.call = called.elapsed();
        measured.memory_bytes = instance.memory_bytes();
        measured.fuel = start_fuel
            .zip(instance.fuel_used())
            .map(|(start, total)| FuelUse { start, call: total.saturating_sub(start) });
        (answer, measured)
    }
}
