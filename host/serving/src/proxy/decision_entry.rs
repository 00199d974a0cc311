//! Entries of the decision trail: one for each decision of a policy or of the gateway.

use std::sync::Arc;
use std::time::{Duration, Instant};

use pointsman_domain::decision::Decision;
use pointsman_domain::history::{DecisionAnswer, DecisionEntry, PolicyVersion, StateCounts};
use pointsman_domain::plan::PlanStep;
use pointsman_policy::{DecisionInput, Policy, PolicyAnswer, PolicyFailure};

/// Start of a decision.
#[derive(Clone, Copy, Debug)]
pub(super) struct DecisionClock {
    /// Time since the arrival of the request.
    at: Duration,
    started: Instant,
}

impl DecisionClock {
    /// Starts now, for a request that arrived at a time.
    pub(super) fn start(arrived: Instant) -> Self {
        let started = Instant::now();
        Self { at: started.saturating_duration_since(arrived), started }
    }

    /// Time since the start.
    pub(super) fn elapsed(self) -> Duration {
        self.started.elapsed()
    }
}

/// The entry of a policy's decision.
pub(super) fn of_policy(
    policy: &Policy,
    clock: DecisionClock,
    took: Duration,
    input: &DecisionInput,
    answer: &Result<PolicyAnswer, PolicyFailure>,
) -> DecisionEntry {
    let version = PolicyVersion {
        policy: policy.name().clone(),
        digest: policy.digest(),
        settings: policy.settings_digest(),
    };
    entry(Some(version), clock, took, input, recorded_answer(answer))
}

/// The entry of the gateway's own order.
pub(super) fn of_gateway(clock: DecisionClock, input: &DecisionInput, decision: &Decision) -> DecisionEntry {
    entry(None, clock, Duration::ZERO, input, DecisionAnswer::Route(decision.clone()))
}

fn entry(
    policy: Option<PolicyVersion>,
    clock: DecisionClock,
    took: Duration,
    input: &DecisionInput,
    answer: DecisionAnswer,
) -> DecisionEntry {
    let (candidates, whole) = (Arc::clone(&input.candidates), input.orchestration.whole);
    let state = input.state.usage.as_ref().map(|usage| StateCounts {
        reads: usage.reads(),
        writes: usage.writes(),
        rejected: usage.rejected(),
    });
    DecisionEntry { policy, at: clock.at, took, candidates, whole, answer, state }
}

fn recorded_answer(answer: &Result<PolicyAnswer, PolicyFailure>) -> DecisionAnswer {
    match answer {
        Ok(PolicyAnswer::Step(PlanStep::Route(decision))) => DecisionAnswer::Route(decision.clone()),
        Ok(PolicyAnswer::Step(PlanStep::Run(plan))) => DecisionAnswer::Plan {
            label: plan.label().to_owned(),
            reason: plan.reason().map(str::to_owned),
            tasks: plan.tasks().len(),
        },
        Ok(PolicyAnswer::Step(PlanStep::Finish(finish))) => DecisionAnswer::Finish {
            label: finish.label().to_owned(),
            reason: finish.reason().map(str::to_owned),
        },
        Ok(PolicyAnswer::Refusal(refusal)) => DecisionAnswer::Refusal(refusal.clone()),
        Err(failure) => DecisionAnswer::Failure { reason: failure.reason(), message: failure.to_string() },
    }
}
