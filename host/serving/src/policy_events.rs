//! Delivery of events to policies, off the request path: the outcomes of their decisions, and ratings
//! of the answers.

use std::ops::ControlFlow;
use std::sync::Arc;

use pointsman_domain::outcome::Outcome;
use pointsman_domain::rating::Rating;
use pointsman_policy::{Policy, PolicyFailure};
use pointsman_state::StateAccess;
use pointsman_telemetry::{BackgroundTask, PolicyCallFailure, PolicyCallKind, Telemetry};
use tokio::sync::mpsc;

use crate::recorder::Recorder;

/// Most queued events. If policies handle them more slowly than they arrive, the newest are dropped:
/// delivery is best effort.
const QUEUE: usize = 1024;

/// An event with its destination.
#[derive(Debug)]
struct Delivery {
    policy: Arc<Policy>,
    /// Access of the decision to the state that the policy keeps.
    access: StateAccess,
    event: PolicyEvent,
}

/// An event that a policy may learn from.
#[derive(Debug)]
pub enum PolicyEvent {
    /// End of a request that it decided.
    Outcome(Outcome),
    /// Rating of an answer to such a request.
    Rating(Rating),
}

/// Destination of the outcome of one request.
#[derive(Debug)]
pub struct OutcomeObserver {
    policy: Arc<Policy>,
    access: StateAccess,
    queue: PolicyEventQueue,
}

/// Sending end of the queue.
#[derive(Clone, Debug)]
pub struct PolicyEventQueue(mpsc::Sender<Delivery>);

/// Receiving end of the queue, which delivers events one by one.
#[derive(Debug)]
pub struct PolicyEventRunner {
    deliveries: mpsc::Receiver<Delivery>,
    recorder: Arc<Recorder>,
}

/// Creates a queue and its receiver.
pub fn queue(recorder: Arc<Recorder>) -> (PolicyEventQueue, PolicyEventRunner) {
    let (sender, deliveries) = mpsc::channel(QUEUE);
    (PolicyEventQueue(sender), PolicyEventRunner { deliveries, recorder })
}

impl PolicyEventQueue {
    /// Returns the observer of a decision of a policy, or `None` if the policy does not observe.
    pub fn observer(&self, policy: &Arc<Policy>, access: &StateAccess) -> Option<OutcomeObserver> {
        policy.wants_outcomes().then(|| OutcomeObserver {
            policy: Arc::clone(policy),
            access: access.clone(),
            queue: self.clone(),
        })
    }

    /// Queues an event for a policy, or drops and counts it if the queue is full.
    pub fn send(&self, policy: Arc<Policy>, access: StateAccess, event: PolicyEvent, telemetry: &Telemetry) {
        if let Err(full) = self.0.try_send(Delivery { policy, access, event }) {
            let Delivery { policy, event, .. } = full.into_inner();
            telemetry.record_dropped_outcome(event.decision(), policy.version());
        }
    }
}

impl OutcomeObserver {
    /// Queues the outcome, or drops and counts it if the queue is full.
    pub fn send(self, outcome: Outcome, telemetry: &Telemetry) {
        self.queue.send(self.policy, self.access, PolicyEvent::Outcome(outcome), telemetry);
    }
}

impl PolicyEvent {
    fn decision(&self) -> &str {
        match self {
            Self::Outcome(outcome) => &outcome.id,
            Self::Rating(rating) => &rating.decision,
        }
    }
}

impl Delivery {
    async fn deliver(&self) -> Result<(), PolicyFailure> {
        match &self.event {
            PolicyEvent::Outcome(outcome) => self.policy.observe(outcome, self.access.clone()).await,
            PolicyEvent::Rating(rating) => self.policy.rate(rating, self.access.clone()).await,
        }
    }
}

impl BackgroundTask for PolicyEventRunner {
    const NAME: &'static str = "feedback";

    /// Delivers events until all senders are dropped.
    async fn run(&mut self) -> ControlFlow<()> {
        while let Some(delivery) = self.deliveries.recv().await {
            if let Err(failure) = delivery.deliver().await {
                self.recorder.telemetry.log_policy_failure(&PolicyCallFailure {
                    kind: match delivery.event {
                        PolicyEvent::Outcome(_) => PolicyCallKind::Observe,
                        PolicyEvent::Rating(_) => PolicyCallKind::Rate,
                    },
                    decision: delivery.event.decision(),
                    policy: delivery.policy.version(),
                    reason: failure.reason(),
                    message: &failure.to_string(),
                });
            }
        }
        ControlFlow::Break(())
    }
}
