//! Delivery of outcomes to policies that observe, off the request path.

use std::ops::ControlFlow;
use std::sync::Arc;

use pointsman_domain::outcome::Outcome;
use pointsman_policy::Policy;
use pointsman_telemetry::{BackgroundTask, PolicyCallFailure, PolicyCallKind, Telemetry};
use tokio::sync::mpsc;

use crate::recorder::Recorder;

/// Most queued outcomes. If policies observe more slowly than requests end, the newest outcomes are
/// dropped: delivery is best effort.
const QUEUE: usize = 1024;

/// Destination of the outcome of one request.
#[derive(Debug)]
pub struct Feedback {
    policy: Arc<Policy>,
    queue: mpsc::Sender<(Arc<Policy>, Outcome)>,
}

/// Sender of outcomes, which creates a [`Feedback`] for each decision of a policy that observes.
#[derive(Clone, Debug)]
pub struct FeedbackQueue(mpsc::Sender<(Arc<Policy>, Outcome)>);

/// Receiver of outcomes, which delivers them one by one.
#[derive(Debug)]
pub struct Delivery {
    outcomes: mpsc::Receiver<(Arc<Policy>, Outcome)>,
    recorder: Arc<Recorder>,
}

/// Creates a queue and its receiver.
pub fn queue(recorder: Arc<Recorder>) -> (FeedbackQueue, Delivery) {
    let (sender, outcomes) = mpsc::channel(QUEUE);
    (FeedbackQueue(sender), Delivery { outcomes, recorder })
}

impl FeedbackQueue {
    /// Creates a destination for a decision of a policy, or `None` if the policy does not observe.
    pub fn for_policy(&self, policy: &Arc<Policy>) -> Option<Feedback> {
        policy.wants_outcomes().then(|| Feedback { policy: Arc::clone(policy), queue: self.0.clone() })
    }
}

impl Feedback {
    /// Queues the outcome, or drops and counts it if the queue is full.
    pub fn send(self, outcome: Outcome, telemetry: &Telemetry) {
        if let Err(full) = self.queue.try_send((self.policy, outcome)) {
            let (policy, outcome) = full.into_inner();
            telemetry.record_dropped_outcome(&outcome.id, policy.version());
        }
    }
}

impl BackgroundTask for Delivery {
    const NAME: &'static str = "feedback";

    /// Delivers outcomes until all senders are dropped.
    async fn run(&mut self) -> ControlFlow<()> {
        while let Some((policy, outcome)) = self.outcomes.recv().await {
            if let Err(failure) = policy.observe(&outcome).await {
                self.recorder.telemetry.log_policy_failure(&PolicyCallFailure {
                    kind: PolicyCallKind::Observe,
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
