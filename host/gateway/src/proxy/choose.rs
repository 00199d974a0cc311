//! Asks a route's policy, and what is done when the policy fails.

use std::sync::Arc;

use pointsman_domain::decision::{Decision, Refusal};
use pointsman_policy::{Answer, DecisionInput, Policy, PolicyFailure, Slot};

use crate::snapshot::{OnFailure, Strategy};

/// Label of decisions that the gateway makes when a policy failed.
const STATIC_ORDER: &str = "static";
/// Label of requests that name their model.
const DIRECT: &str = "direct";

/// A decision, and how it came about.
#[derive(Debug)]
pub(crate) struct Choice {
    /// Which models to try.
    pub(crate) decision: Decision,
    /// Whose decision it is; `None` is the gateway's own order.
    pub(crate) policy: Option<Arc<Policy>>,
    /// Why the route's policy did not decide.
    pub(crate) failure: Option<&'static str>,
}

/// No decision, and what the client should know.
#[derive(Debug)]
pub(crate) enum NoChoice {
    /// A policy declined.
    Refused {
        /// What it said.
        refusal: Refusal,
        /// Which one.
        policy: Arc<Policy>,
    },
    /// The route's policy failed, and the route says to reject then.
    Rejected {
        /// How it failed.
        reason: &'static str,
        /// Which one.
        policy: Arc<Policy>,
    },
}

/// Makes the decision for a request.
pub(crate) async fn choose(strategy: &Strategy, input: DecisionInput) -> Result<Choice, NoChoice> {
    let Strategy::Policy(decider) = strategy else { return Ok(in_order(&input, DIRECT, None)) };
    let mut decider = decider;
    let mut first_failure = None;
    loop {
        let policy = decider.slot.active();
        let failure = match ask(&decider.slot, &policy, input.clone()).await {
            Ok(answer) => return settle(answer, policy, first_failure),
            Err(failure) => failure.reason(),
        };
        let failure = *first_failure.get_or_insert(failure);
        match &decider.on_failure {
            OnFailure::Reject => return Err(NoChoice::Rejected { reason: failure, policy }),
            OnFailure::StaticOrder => return Ok(in_order(&input, STATIC_ORDER, Some(failure))),
            OnFailure::Previous => return previous(&decider.slot, input, failure).await,
            OnFailure::Ask(next) => decider = next,
        }
    }
}

/// Asks the version before the one that failed. Where there is none, or it fails
/// too, the gateway's order is left.
async fn previous(slot: &Slot, input: DecisionInput, failure: &'static str) -> Result<Choice, NoChoice> {
    if let Some(policy) = slot.previous()
        && let Ok(answer) = ask(slot, &policy, input.clone()).await
    {
        return settle(answer, policy, Some(failure));
    }
    Ok(in_order(&input, STATIC_ORDER, Some(failure)))
}

async fn ask(slot: &Slot, policy: &Policy, input: DecisionInput) -> Result<Answer, PolicyFailure> {
    slot.count_decision();
    let answer = policy.decide(input).await;
    if let Err(failure) = &answer {
        slot.count_failure(failure);
        tracing::warn!(policy = policy.version(), reason = failure.reason(), "a policy failed: {failure}");
    }
    answer
}

fn settle(answer: Answer, policy: Arc<Policy>, failure: Option<&'static str>) -> Result<Choice, NoChoice> {
    match answer {
        Answer::Decision(decision) => Ok(Choice { decision, policy: Some(policy), failure }),
        Answer::Refusal(refusal) => Err(NoChoice::Refused { refusal, policy }),
    }
}

fn in_order(input: &DecisionInput, label: &'static str, failure: Option<&'static str>) -> Choice {
    Choice { decision: Decision::in_order(input.candidates.len(), label), policy: None, failure }
}
