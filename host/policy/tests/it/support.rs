//! Requests, candidates and specs for tests.

use std::sync::{Arc, LazyLock};

use pointsman_domain::candidate::Candidate;
use pointsman_domain::ids::{BackendName, KeyName, ModelId, PolicyName};
use pointsman_domain::live::Snapshot;
use pointsman_domain::model::{Abilities, Expected, Modalities, Model, Operation, Quality};
use pointsman_domain::money::Price;
use pointsman_domain::prompt::{NoPrompt, Prompt};
use pointsman_domain::request::RequestFacts;
use pointsman_policy::{
    Answer, DecisionInput, LoadError, Policy, PolicyFailure, PolicySpec, Runtime, RuntimeConfig,
};

/// One runtime for all tests: each reserves terabytes of address space.
static RUNTIME: LazyLock<Runtime> = LazyLock::new(|| Runtime::new(RuntimeConfig::default()).unwrap());

pub fn runtime() -> &'static Runtime {
    &RUNTIME
}

pub fn spec() -> PolicySpec {
    PolicySpec::new(PolicyName::new("under-test"))
}

pub fn spec_with(settings: &str) -> PolicySpec {
    PolicySpec { settings: settings.to_owned(), ..spec() }
}

pub fn load(spec: PolicySpec, bytes: &[u8]) -> Result<Policy, LoadError> {
    runtime().load(spec, bytes)
}

/// The message of a refused policy.
pub fn load_error(spec: PolicySpec, bytes: &[u8]) -> String {
    load(spec, bytes).unwrap_err().to_string()
}

pub fn input(candidates: usize) -> DecisionInput {
    input_with_prompt(candidates, Arc::new(NoPrompt))
}

pub fn input_with_prompt(candidates: usize, prompt: Arc<dyn Prompt>) -> DecisionInput {
    DecisionInput {
        request: Arc::new(request()),
        candidates: (0..candidates).map(candidate).collect(),
        prompt,
    }
}

pub async fn decide(policy: &Policy) -> Result<Answer, PolicyFailure> {
    policy.decide(input(3)).await
}

/// The label of a decision.
pub fn label(answer: Result<Answer, PolicyFailure>) -> String {
    match answer.unwrap() {
        Answer::Decision(decision) => decision.label().to_owned(),
        Answer::Refusal(refusal) => panic!("refused: {refusal:?}"),
    }
}

/// The reason of a decision.
pub fn reason(answer: Result<Answer, PolicyFailure>) -> String {
    match answer.unwrap() {
        Answer::Decision(decision) => decision.reason().unwrap_or_default().to_owned(),
        Answer::Refusal(refusal) => panic!("refused: {refusal:?}"),
    }
}

fn request() -> RequestFacts {
    RequestFacts {
        id: "decision-1".to_owned(),
        operation: Operation::Chat,
        model: "auto".to_owned(),
        tenant: Some(KeyName::new("team-a")),
        session: None,
        input_tokens: 1_200,
        max_output_tokens: Some(400),
        inputs: Modalities::TEXT,
        needs: Abilities::TOOLS,
        turns: 3,
        streaming: true,
        deadline_ms: Some(30_000),
        budget_left: None,
        attributes: [("prefer".to_owned(), "cost".to_owned())].into(),
    }
}

fn candidate(index: usize) -> Candidate {
    let model = Model {
        id: ModelId::new(format!("fleet/model-{index}")),
        backend: BackendName::new("fleet"),
        upstream_name: format!("model-{index}"),
        operations: vec![Operation::Chat],
        inputs: Modalities::TEXT | Modalities::IMAGE,
        abilities: Abilities::TOOLS | Abilities::STREAMING,
        context_window: Some(128_000),
        max_output_tokens: None,
        price: Price::per_million(0.1 * (index + 1) as f64, 0.4 * (index + 1) as f64),
        quality: Quality { general: Some(0.5), by_task: Default::default() },
        expected: Expected::default(),
        attributes: Default::default(),
        live: Default::default(),
    };
    let live = Snapshot {
        healthy: true,
        in_flight: 2,
        first_token_ms: Some(150.0),
        tokens_per_second: Some(90.0),
        error_rate: 0.01,
    };
    Candidate { model: Arc::new(model), live }
}
