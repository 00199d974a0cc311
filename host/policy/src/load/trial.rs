//! The last check: the policy judges its settings and decides a made-up request.

use std::sync::{Arc, PoisonError};
use std::thread;

use pointsman_domain::candidate::Candidate;
use pointsman_domain::live::ExpectedSpeed;
use pointsman_domain::live::LiveSnapshot;
use pointsman_domain::model::{Abilities, Model, Quality};
use pointsman_domain::money::Price;
use pointsman_domain::prompt::NoPrompt;
use pointsman_domain::request::RequestFacts;
use tracing::dispatcher::{self, Dispatch};

use super::LoadError;
use crate::decision::{DecisionInput, Orchestration};
use crate::policy::Policy;
use crate::runtime::Runtime;

/// The id and model name of the request that a policy is tried with.
const TRIAL: &str = "trial";

/// Runs the trial on a thread of its own, because the caller may be a thread of
/// an async runtime, where waiting for a future is not allowed. What the policy logs
/// goes to the caller's log.
pub(super) fn run(runtime: &Runtime, policy: &Policy) -> Result<(), LoadError> {
    let _one_at_a_time = runtime.trial().lock().unwrap_or_else(PoisonError::into_inner);
    let log = dispatcher::get_default(Dispatch::clone);
    thread::scope(|scope| {
        let trial = thread::Builder::new().name("policy-trial".to_owned()).spawn_scoped(scope, || {
            let executor = tokio::runtime::Builder::new_current_thread().enable_time().build();
            let executor = executor.map_err(LoadError::NoThread)?;
            dispatcher::with_default(&log, || executor.block_on(try_out(policy)))
        });
        match trial.map_err(LoadError::NoThread)?.join() {
            Ok(result) => result,
            Err(panic) => std::panic::resume_unwind(panic),
        }
    })
}

async fn try_out(policy: &Policy) -> Result<(), LoadError> {
    policy.validate().await.map_err(LoadError::Start)?.map_err(LoadError::Settings)?;
    policy.try_decide(trial_input()).await.map_err(LoadError::Trial)?;
    Ok(())
}

/// A plain request and a small, a medium and a large model.
fn trial_input() -> DecisionInput {
    let request = RequestFacts {
        input_tokens: 420,
        max_output_tokens: Some(256),
        streaming: true,
        ..RequestFacts::new(TRIAL, TRIAL)
    };
    let candidates = [
        candidate("small", Price::per_million(0.05, 0.08), 0.55, 90.0, 240.0),
        candidate("medium", Price::per_million(0.30, 0.60), 0.70, 180.0, 110.0),
        candidate("large", Price::per_million(2.50, 10.0), 0.85, 420.0, 60.0),
    ];
    let orchestration = Orchestration { whole: candidates.len(), ..Orchestration::default() };
    DecisionInput {
        request: Arc::new(request),
        candidates: candidates.into(),
        prompt: Arc::new(NoPrompt),
        orchestration,
    }
}

fn candidate(
    name: &str,
    price: Price,
    quality: f64,
    first_token_ms: f64,
    tokens_per_second: f64,
) -> Candidate {
    let expected =
        ExpectedSpeed { first_token_ms: Some(first_token_ms), tokens_per_second: Some(tokens_per_second) };
    let model = Model {
        abilities: Abilities::TOOLS | Abilities::STREAMING,
        context_window: Some(128_000),
        max_output_tokens: Some(8_192),
        price,
        quality: Quality { general: Some(quality), by_task: Default::default() },
        expected,
        ..Model::new(TRIAL, name)
    };
    let live = LiveSnapshot {
        healthy: true,
        resting: false,
        in_flight: 0,
        first_token_ms: expected.first_token_ms,
        tokens_per_second: expected.tokens_per_second,
        error_rate: 0.0,
    };
    Candidate { model: Arc::new(model), live }
}
