//! Shadow calls: policies on trial decide requests that other policies serve, off the request path.

use std::ops::ControlFlow;
use std::sync::Arc;
use std::time::Instant;

use futures_util::{StreamExt, stream};
use pointsman_policy::{DecisionInput, PolicyAnswer, PolicySlot};
use pointsman_telemetry::{BackgroundTask, PolicyCallFailure, PolicyCallKind, Telemetry};
use tokio::sync::mpsc;

use super::trial::{ComparableDecision, TrialStats};
use crate::recorder::Recorder;

/// Most queued requests. Each holds a request's body, so the queue is short; if a shadow is slower
/// than requests arrive, the rest are skipped.
const QUEUE: usize = 128;
/// Most concurrent shadow calls.
const AT_ONCE: usize = 4;

/// A request for a policy in shadow.
pub struct ShadowRequest {
    /// Policy in shadow.
    pub slot: Arc<PolicySlot>,
    /// Statistics of the trial, to which the comparison is added.
    pub stats: Arc<TrialStats>,
    /// Input of the decision.
    pub input: DecisionInput,
    /// Decision of the active policy.
    pub active: ComparableDecision,
}

/// Sending end of the queue.
#[derive(Clone)]
pub struct ShadowQueue(mpsc::Sender<ShadowRequest>);

/// Receiving end of the queue, which makes the shadow calls.
pub struct ShadowRunner {
    requests: mpsc::Receiver<ShadowRequest>,
    recorder: Arc<Recorder>,
}

/// Creates a queue and its receiver.
pub fn queue(recorder: Arc<Recorder>) -> (ShadowQueue, ShadowRunner) {
    let (sender, requests) = mpsc::channel(QUEUE);
    (ShadowQueue(sender), ShadowRunner { requests, recorder })
}

impl ShadowQueue {
    /// Queues a request and returns true, or counts it as skipped if the queue is full.
    pub fn send(&self, request: ShadowRequest) -> bool {
        match self.0.try_send(request) {
            Ok(()) => true,
            Err(full) => {
                full.into_inner().stats.record_skipped();
                false
            }
        }
    }
}

impl BackgroundTask for ShadowRunner {
    const NAME: &'static str = "shadow";

    /// Makes shadow calls until all senders are dropped.
    async fn run(&mut self) -> ControlFlow<()> {
        let receive = |queue| async move {
            let queue: &mut mpsc::Receiver<ShadowRequest> = queue;
            Some((queue.recv().await?, queue))
        };
        let telemetry = &self.recorder.telemetry;
        let requests = stream::unfold(&mut self.requests, receive);
        requests.for_each_concurrent(AT_ONCE, |request| request.run(telemetry)).await;
        ControlFlow::Break(())
    }
}

impl ShadowRequest {
    async fn run(self, telemetry: &Telemetry) {
        let policy = self.slot.active();
        let started = Instant::now();
        let answer = policy.decide(self.input.clone()).await;
        let took = started.elapsed();
        let failure = match answer {
            Ok(answer) => {
                let shadow = ComparableDecision::of(&answer, &self.input);
                let decision = self.input.request.id.as_str();
                tracing::debug!(decision, policy = policy.version(), picked = ?self.active, shadow = ?shadow, "shadow");
                self.stats.compare(&self.active, &shadow);
                None
            }
            Err(failure) => {
                telemetry.log_policy_failure(&PolicyCallFailure {
                    kind: PolicyCallKind::Shadow,
                    decision: &self.input.request.id,
                    policy: policy.version(),
                    reason: failure.reason(),
                    message: &failure.to_string(),
                });
                Some(failure)
            }
        };
        // The decision is counted after the comparison, so a reader of the counts finds both.
        self.slot.record_decision(&policy, took, failure.as_ref());
        self.stats.trial.record_decision(took, failure.as_ref());
    }
}

impl ComparableDecision {
    /// Reduces an answer to what can be compared.
    pub fn of(answer: &PolicyAnswer, input: &DecisionInput) -> Self {
        use pointsman_domain::plan::PlanStep;
        match answer {
            PolicyAnswer::Step(PlanStep::Route(decision)) => Self::decision(decision, input),
            PolicyAnswer::Step(_) => Self::Plan,
            PolicyAnswer::Refusal(_) => Self::Refusal,
        }
    }

    /// Takes the model that a decision would try first.
    pub fn decision(decision: &pointsman_domain::decision::Decision, input: &DecisionInput) -> Self {
        let first = decision.targets().first().and_then(|target| input.candidates.get(target.candidate));
        let Some(candidate) = first else { return Self::Refusal };
        Self::Model {
            id: candidate.model.id.clone(),
            cost: candidate.predicted_cost(&input.request),
            latency: candidate.predicted_latency(&input.request),
        }
    }
}
