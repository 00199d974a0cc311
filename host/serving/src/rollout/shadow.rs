//! Asks policies on trial about requests that others decide, off the request path.

use std::ops::ControlFlow;
use std::sync::Arc;
use std::time::Instant;

use futures_util::{StreamExt, stream};
use pointsman_policy::{DecisionInput, PolicyAnswer, PolicySlot};
use pointsman_telemetry::{BackgroundTask, PolicyCallFailure, PolicyCallKind, Telemetry};
use tokio::sync::mpsc;

use super::trial::{Pick, Score};
use crate::recorder::Recorder;

/// Requests that wait to be put to a shadow. Each holds a request's body, so
/// they are few; when a shadow is slower than requests come, it is not asked
/// about all of them.
const QUEUE: usize = 128;
/// Shadows that are asked at the same time.
const AT_ONCE: usize = 4;

/// A request to put to a shadow.
pub struct Question {
    /// The policy.
    pub slot: Arc<PolicySlot>,
    /// Where its answer is compared.
    pub score: Arc<Score>,
    /// What it is asked.
    pub input: DecisionInput,
    /// What was picked for the request.
    pub picked: Pick,
}

/// Takes questions.
#[derive(Clone)]
pub struct ShadowQueue(mpsc::Sender<Question>);

/// The receiving end: asks.
pub struct Asking {
    questions: mpsc::Receiver<Question>,
    recorder: Arc<Recorder>,
}

/// A queue, and what empties it.
pub fn queue(recorder: Arc<Recorder>) -> (ShadowQueue, Asking) {
    let (sender, questions) = mpsc::channel(QUEUE);
    (ShadowQueue(sender), Asking { questions, recorder })
}

impl ShadowQueue {
    /// Asks later, or notes that there is no room for it, and says so.
    pub fn ask(&self, question: Question) -> bool {
        match self.0.try_send(question) {
            Ok(()) => true,
            Err(full) => {
                full.into_inner().score.skipped();
                false
            }
        }
    }
}

impl BackgroundTask for Asking {
    const NAME: &'static str = "shadow";

    /// Asks until the gateway has no more use for the queue.
    async fn run(&mut self) -> ControlFlow<()> {
        let receive = |queue| async move {
            let queue: &mut mpsc::Receiver<Question> = queue;
            Some((queue.recv().await?, queue))
        };
        let telemetry = &self.recorder.telemetry;
        let questions = stream::unfold(&mut self.questions, receive);
        questions.for_each_concurrent(AT_ONCE, |question| question.ask(telemetry)).await;
        ControlFlow::Break(())
    }
}

impl Question {
    async fn ask(self, telemetry: &Telemetry) {
        let policy = self.slot.active();
        let asked = Instant::now();
        let answer = policy.decide(self.input.clone()).await;
        let took = asked.elapsed();
        let failure = match answer {
            Ok(answer) => {
                let pick = Pick::of(&answer, &self.input);
                let decision = self.input.request.id.as_str();
                tracing::debug!(decision, policy = policy.version(), picked = ?self.picked, shadow = ?pick, "shadow");
                self.score.compare(&self.picked, &pick);
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
        // Counted last: whoever sees a decision counted finds it compared.
        self.slot.record_decision(&policy, took, failure.as_ref());
        self.score.trial.record_decision(took, failure.as_ref());
    }
}

impl Pick {
    /// What an answer comes to.
    pub fn of(answer: &PolicyAnswer, input: &DecisionInput) -> Self {
        use pointsman_domain::plan::PlanStep;
        match answer {
            PolicyAnswer::Step(PlanStep::Route(decision)) => Self::decision(decision, input),
            PolicyAnswer::Step(_) => Self::Plan,
            PolicyAnswer::Refusal(_) => Self::Refusal,
        }
    }

    /// The model that a decision would try first.
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
