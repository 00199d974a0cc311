use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use pointsman_domain::candidate::eligible;
use pointsman_domain::decision::{Decision, Proposal, Target};
use pointsman_domain::failure::CallTimeouts;
use pointsman_domain::live::{ExpectedSpeed, RetryBudget};
use pointsman_domain::model::{Model, Operation, Quality};
use pointsman_domain::model_behaviour::ModelBehaviour;
use pointsman_domain::money::{Picodollars, Price};
use pointsman_domain::outcome::{Outcome, RequestEnd};
use pointsman_domain::plan::{
    ComposedMessage, ComposedPart, Continuation, MessageRole, OutputRef, PlanLimits, PlanProposal, PlanScope,
    TaskInput, TaskProposal,
};
use pointsman_domain::prompt::NoPrompt;
use pointsman_domain::request::RequestFacts;

use super::*;
use crate::random::Random;

mod failures;
mod outcomes;
mod plans;
mod queueing;

const MS: Duration = Duration::from_millis(1);

fn model(name: &str, usd_per_million: f64) -> Arc<Model> {
    Arc::new(Model {
        price: Price::per_million(usd_per_million, usd_per_million),
        quality: Quality { general: Some(0.5), by_task: BTreeMap::new() },
        expected: ExpectedSpeed { first_token_ms: Some(10.0), tokens_per_second: Some(1_000.0) },
        ..Model::new("fleet", name)
    })
}

/// A model that gives its first token after 10 ms and then one each millisecond.
fn steady() -> ModelBehaviour {
    ModelBehaviour { first_token: 10 * MS, tokens_per_second: Some(1_000.0), ..ModelBehaviour::default() }
}

fn limits() -> RequestLimits {
    RequestLimits {
        timeout: Duration::from_secs(60),
        timeouts: CallTimeouts {
            first_byte: Duration::from_secs(30),
            first_content: None,
            silence: Duration::from_secs(30),
            answer: None,
        },
        max_attempts: 3,
        backoff: 100 * MS,
        retry_budget: RetryBudget::default(),
        plan: PlanLimits::default(),
    }
}

fn setup(models: Vec<(Arc<Model>, ModelBehaviour)>) -> SimulationSetup {
    let models = models.into_iter().map(|(model, behaviour)| SimulatedModel::new(model, behaviour));
    SimulationSetup {
        models: models.collect(),
        limits: limits(),
        seed: 5,
        start: Instant::now(),
        max_in_flight: 1_000,
    }
}

fn request(at: Duration, input_tokens: u32, output_tokens: u32) -> SimulatedRequest {
    SimulatedRequest {
        at,
        facts: Arc::new(RequestFacts { input_tokens, ..RequestFacts::new("id", "auto") }),
        content: Arc::new(NoPrompt),
        input_tokens,
        output_tokens,
        prefix: Arc::default(),
        outcomes: Arc::default(),
    }
}

fn streamed(at: Duration, output_tokens: u32) -> SimulatedRequest {
    let mut request = request(at, 100, output_tokens);
    Arc::make_mut(&mut request.facts).streaming = true;
    request
}

/// Requests that arrive at random with a mean time between them.
fn arrivals(count: usize, mean: Duration, output_tokens: u32) -> Vec<SimulatedRequest> {
    let mut random = Random::new(11);
    let mut at = Duration::ZERO;
    let next = |_| {
        at += mean.mul_f64(random.exponential());
        request(at, 100, output_tokens)
    };
    (0..count).map(next).collect()
}

fn run(setup: &SimulationSetup, requests: Vec<SimulatedRequest>) -> SimulationReport {
    simulate(setup, requests, &mut InOrder, &mut |_| {}).unwrap()
}

fn close(value: f64, expected: f64) -> bool {
    (value / expected - 1.0).abs() < 0.006
}
