//! What is noted of a question that was put to a policy.

use std::sync::Arc;
use std::time::{Duration, Instant};

use pointsman_domain::decision::Decision;
use pointsman_domain::history::{Asked, Said, Version};
use pointsman_domain::plan::Step;
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
) -> Asked {
    let version = Version { policy: policy.name().clone(), digest: policy.digest() };
    asked(Some(version), moment, took, input, said(answer))
}

/// Nobody was asked: the candidates are tried in the gateway's own order.
pub(super) fn by_nobody(moment: Moment, input: &DecisionInput, decision: &Decision) -> Asked {
    asked(None, moment, Duration::ZERO, input, Said::Route(decision.clone()))
}

fn asked(
    policy: Option<Version>,
    moment: Moment,
    took: Duration,
    input: &DecisionInput,
    said: Said,
) -> Asked {
    let (candidates, whole) = (Arc::clone(&input.candidates), input.orchestration.whole);
    Asked { policy, at: moment.at, took, candidates, whole, said }
}

fn said(answer: &Result<Answer, PolicyFailure>) -> Said {
    match answer {
        Ok(Answer::Step(Step::Route(decision))) => Said::Route(decision.clone()),
        Ok(Answer::Step(Step::Run(plan))) => Said::Plan {
            label: plan.label().to_owned(),
            reason: plan.reason().map(str::to_owned),
            tasks: plan.tasks().len(),
        },
        Ok(Answer::Step(Step::Finish(finish))) => {
            Said::Finish { label: finish.label().to_owned(), reason: finish.reason().map(str::to_owned) }
        }
        Ok(Answer::Refusal(refusal)) => Said::Refusal(refusal.clone()),
        Err(failure) => Said::Failure { reason: failure.reason(), message: failure.to_string() },
    }
}
