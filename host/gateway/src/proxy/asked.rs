//! What is noted of a question that was put to a policy.

use std::sync::Arc;
use std::time::{Duration, Instant};

use pointsman_domain::decision::Decision;
use pointsman_domain::history::{DecisionAnswer, DecisionEntry, PolicyVersion};
use pointsman_domain::plan::PlanStep;
use pointsman_policy::{Answer, DecisionInput, Policy, PolicyFailure};

/// When somebody was asked, on the clock of the request.
#[derive(Clone, Copy, Debug)]
pub(super) struct Moment {
    at: Duration,
    asked: Instant,
}

impl Moment {
    /// Now, for a request that arrived then.
    pub(super) fn now(arrived: Instant) -> Self {
        let asked = Instant::now();
        Self { at: asked.saturating_duration_since(arrived), asked }
    }

    /// How long ago it was.
    pub(super) fn elapsed(self) -> Duration {
        self.asked.elapsed()
    }
}

/// A policy was asked, and answered after a time.
pub(super) fn by_policy(
    policy: &Policy,
    moment: Moment,
    took: Duration,
    input: &DecisionInput,
    answer: &Result<Answer, PolicyFailure>,
) -> DecisionEntry {
    let version = PolicyVersion { policy: policy.name().clone(), digest: policy.digest() };
    asked(Some(version), moment, took, input, said(answer))
}

/// Nobody was asked: the candidates are tried in the gateway's own order.
pub(super) fn by_nobody(moment: Moment, input: &DecisionInput, decision: &Decision) -> DecisionEntry {
    asked(None, moment, Duration::ZERO, input, DecisionAnswer::Route(decision.clone()))
}

fn asked(
    policy: Option<PolicyVersion>,
    moment: Moment,
    took: Duration,
    input: &DecisionInput,
    said: DecisionAnswer,
) -> DecisionEntry {
    let (candidates, whole) = (Arc::clone(&input.candidates), input.orchestration.whole);
    DecisionEntry { policy, at: moment.at, took, candidates, whole, said }
}

fn said(answer: &Result<Answer, PolicyFailure>) -> DecisionAnswer {
    match answer {
        Ok(Answer::Step(PlanStep::Route(decision))) => DecisionAnswer::Route(decision.clone()),
        Ok(Answer::Step(PlanStep::Run(plan))) => DecisionAnswer::Plan {
            label: plan.label().to_owned(),
            reason: plan.reason().map(str::to_owned),
            tasks: plan.tasks().len(),
        },
        Ok(Answer::Step(PlanStep::Finish(finish))) => DecisionAnswer::Finish {
            label: finish.label().to_owned(),
            reason: finish.reason().map(str::to_owned),
        },
        Ok(Answer::Refusal(refusal)) => DecisionAnswer::Refusal(refusal.clone()),
        Err(failure) => DecisionAnswer::Failure { reason: failure.reason(), message: failure.to_string() },
    }
}
