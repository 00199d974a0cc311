//! The last check of the load gate: the policy validates its settings and decides a made-up request.

use std::sync::Arc;
use std::thread;

use pointsman_domain::candidate::Candidate;
use pointsman_domain::live::ExpectedSpeed;
use pointsman_domain::live::LiveSnapshot;
use pointsman_domain::model::{Abilities, Model, Quality};
use pointsman_domain::money::Price;
use pointsman_domain::prompt::NoPrompt;
use pointsman_domain::request::RequestFacts;
use pointsman_state::StateAccess;
use tracing::dispatcher::{self, Dispatch};

use crate::decision::{DecisionInput, Orchestration};
use crate::load_error::LoadError;
use crate::policy::Policy;
use crate::runtime::Runtime;

/// Id and model name of the request. Policies see it, so it stays the same.
const REQUEST_NAME: &str = "trial";

/// Probes a policy on a thread of its own, because the caller may be a thread of an async runtime,
/// which must not block on a future. Log lines of the policy go to the caller's log.
pub(super) fn run(runtime: &Runtime, policy: &Policy) -> Result<(), LoadError> {
    let _permit = runtime.admit_probe();
    let log = dispatcher::get_default(Dispatch::clone);
    thread::scope(|scope| {
        let probe = thread::Builder::new().name("policy-probe".to_owned()).spawn_scoped(scope, || {
            let executor = tokio::runtime::Builder::new_current_thread().enable_time().build();
            let executor = executor.map_err(LoadError::NoThread)?;
            dispatcher::with_default(&log, || executor.block_on(probe(policy)))
        });
        match probe.map_err(LoadError::NoThread)?.join() {
            Ok(result) => result,
            Err(panic) => std::panic::resume_unwind(panic),
        }
    })
}

async fn probe(policy: &Policy) -> Result<(), LoadError> {
    policy.validate().await.map_err(LoadError::Start)?.map_err(LoadError::Settings)?;
    policy.probe_decision(probe_input()).await.map_err(LoadError::Probe)?;
    Ok(())
}

/// Builds a plain request with a small, a medium and a large model.
fn probe_input() -> DecisionInput {
    let request = RequestFacts {
        input_tokens: 420,
        max_output_tokens: Some(256),
        streaming: true,
        ..RequestFacts::new(REQUEST_NAME, REQUEST_NAME)
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
        state: StateAccess::Discarded.into(),
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
        ..Model::new(REQUEST_NAME, name)
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
