//! Requests with candidates, for tests and benches.

use std::sync::Arc;

use pointsman_domain::candidate::Candidate;
use pointsman_domain::ids::KeyName;
use pointsman_domain::live::LiveSnapshot;
use pointsman_domain::model::{Abilities, Modalities, Model, Quality};
use pointsman_domain::money::Price;
use pointsman_domain::prompt::NoPrompt;
use pointsman_domain::request::RequestFacts;
use pointsman_policy::{DecisionInput, Orchestration, StateUse};

/// A client's request with this many candidates, which differ in price.
pub fn input(candidates: usize) -> DecisionInput {
    DecisionInput {
        request: Arc::new(request()),
        candidates: (0..candidates).map(candidate).collect(),
        prompt: Arc::new(NoPrompt),
        orchestration: Orchestration { whole: candidates, ..Orchestration::default() },
        state: StateUse::default(),
    }
}

fn request() -> RequestFacts {
    RequestFacts {
        tenant: Some(KeyName::new("team-a")),
        input_tokens: 1_200,
        max_output_tokens: Some(400),
        needs: Abilities::TOOLS,
        turns: 3,
        streaming: true,
        deadline_ms: Some(30_000),
        attributes: [("prefer".to_owned(), "cost".to_owned())].into(),
        ..RequestFacts::new("decision-1", "auto")
    }
}

fn candidate(index: usize) -> Candidate {
    let model = Model {
        inputs: Modalities::TEXT | Modalities::IMAGE,
        abilities: Abilities::TOOLS | Abilities::STREAMING,
        context_window: Some(128_000),
        price: Price::per_million(0.1 * (index + 1) as f64, 0.4 * (index + 1) as f64),
        quality: Quality { general: Some(0.5), by_task: Default::default() },
        ..Model::new("fleet", &format!("model-{index}"))
    };
    let live = LiveSnapshot {
        healthy: true,
        resting: false,
        in_flight: 2,
        first_token_ms: Some(150.0),
        tokens_per_second: Some(90.0),
        error_rate: 0.01,
    };
    Candidate { model: Arc::new(model), live }
}
