//! Tells policies that asked for it what became of their decisions, off the
//! request path.

use std::ops::ControlFlow;
use std::sync::Arc;

use pointsman_domain::outcome::Outcome;
use pointsman_policy::Policy;
use pointsman_telemetry::{Asked, BackgroundTask, PolicyFailed, Telemetry};
use tokio::sync::mpsc;

use crate::recorder::Recorder;

/// Outcomes that wait for their policy. When policies are slower than requests
/// the newest outcomes are dropped: feedback is a help, not a promise.
const QUEUE: usize = 1024;

/// Where one request's outcome goes.
#[derive(Debug)]
pub(crate) struct Feedback {
    policy: Arc<Policy>,
    queue: mpsc::Sender<(Arc<Policy>, Outcome)>,
}

/// Hands out [`Feedback`] for decisions of policies that observe.
#[derive(Clone, Debug)]
pub(crate) struct FeedbackQueue(mpsc::Sender<(Arc<Policy>, Outcome)>);

/// The receiving end: delivers one outcome after the other.
#[derive(Debug)]
pub(crate) struct Delivery {
    outcomes: mpsc::Receiver<(Arc<Policy>, Outcome)>,
    recorder: Arc<Recorder>,
}

/// A queue, and what empties it.
pub(crate) fn queue(recorder: Arc<Recorder>) -> (FeedbackQueue, Delivery) {
    let (sender, outcomes) = mpsc::channel(QUEUE);
    (FeedbackQueue(sender), Delivery { outcomes, recorder })
}

impl FeedbackQueue {
    /// For a decision of this policy; `None` if it does not observe.
    pub(crate) fn for_policy(&self, policy: &Arc<Policy>) -> Option<Feedback> {
        policy.wants_outcomes().then(|| Feedback { policy: Arc::clone(policy), queue: self.0.clone() })
    }
}

impl Feedback {
    pub(crate) fn send(self, outcome: Outcome, telemetry: &Telemetry) {
        if let Err(full) = self.queue.try_send((self.policy, outcome)) {
            let (policy, outcome) = full.into_inner();
            telemetry.outcome_dropped(&outcome.id, policy.version());
        }
    }
}

impl BackgroundTask for Delivery {
    const NAME: &'static str = "feedback";

    /// Delivers until the gateway has no more use for the queue.
    async fn run(&mut self) -> ControlFlow<()> {
        while let Some((policy, outcome)) = self.outcomes.recv().await {
            if let Err(failure) = policy.observe(&outcome).await {
                self.recorder.telemetry.policy_failed(&PolicyFailed {
                    asked: Asked::Observe,
                    decision: &outcome.id,
                    policy: policy.version(),
                    reason: failure.reason(),
                    message: &failure.to_string(),
                });
            }
        }
        ControlFlow::Break(())
    }
}
