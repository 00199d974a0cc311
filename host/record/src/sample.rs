//! Sample requests for tests and benches, here and in the telemetry crate.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use pointsman_domain::candidate::Candidate;
use pointsman_domain::decision::Decision;
use pointsman_domain::history::{
    Baseline, CallEnd, DecisionAnswer, DecisionEntry, History, ModelCall, PolicyVersion,
};
use pointsman_domain::ids::{Digest, KeyName, PolicyName};
use pointsman_domain::live::LiveSnapshot;
use pointsman_domain::model::{Abilities, Modalities, Model, Quality};
use pointsman_domain::money::{Picodollars, Price};
use pointsman_domain::outcome::{FailureCause, Outcome, RequestEnd};
use pointsman_domain::prompt::{ContentPart, Prompt};
use pointsman_domain::request::RequestFacts;
use pointsman_domain::usage::Usage;

pub(crate) fn model(name: &str, dollars_per_million: f64) -> Arc<Model> {
    Arc::new(Model {
        inputs: Modalities::TEXT | Modalities::IMAGE,
        abilities: Abilities::STREAMING | Abilities::STRUCTURED_OUTPUT,
        context_window: Some(8_192),
        max_output_tokens: Some(2_048),
        price: Price::per_million(dollars_per_million, dollars_per_million),
        quality: Quality { general: Some(0.8), by_task: BTreeMap::from([("code".to_owned(), 0.5)]) },
        attributes: BTreeMap::from([("parameters".to_owned(), "7B".to_owned())]),
        ..Model::new("fleet", name)
    })
}

/// Returns a request that ended at a number of milliseconds after 1970: one call of a model, 20
/// input tokens and 10 output tokens.
pub(crate) fn history(ended_ms: u64, name: &str, ending: RequestEnd) -> History {
    let model = model(name, 20.0);
    let latency = Duration::from_millis(40);
    let usage = Usage::counted(20, 10);
    let live = LiveSnapshot {
        healthy: true,
        resting: false,
        in_flight: 1,
        first_token_ms: Some(25.0),
        tokens_per_second: Some(400.0),
        error_rate: 0.0,
    };
    let answered = ending == RequestEnd::Answered;
    History {
        arrived: UNIX_EPOCH + Duration::from_millis(ended_ms) - latency,
        route: Arc::from("auto"),
        trace: None,
        body_read_after: Duration::from_micros(200),
        request: Arc::new(facts(ended_ms)),
        decisions: vec![DecisionEntry {
            policy: Some(PolicyVersion {
                policy: PolicyName::new("cost"),
                digest: Digest::new([0xab; 32]),
                settings: Digest::new([0xcd; 32]),
            }),
            at: Duration::from_micros(220),
            took: Duration::from_nanos(12_340),
            candidates: Arc::new([Candidate { model: Arc::clone(&model), live }]),
            whole: 1,
            answer: DecisionAnswer::Route(Decision::in_order(1, "cheap")),
            state: None,
        }],
        calls: vec![ModelCall {
            model: Arc::clone(&model),
            task: None,
            span: 0xfeed,
            begun: Duration::from_micros(300),
            first_token: answered.then_some(Duration::from_millis(30)),
            ended: Some(latency),
            end: if answered { CallEnd::Answered } else { CallEnd::Cancelled },
            usage,
        }],
        plan: None,
        baseline: answered
            .then(|| Baseline { model: self::model("llama-70b", 50.0), cost: Picodollars::from_usd(0.0015) }),
        outcome: Outcome {
            id: format!("id-{ended_ms}"),
            label: "cheap".to_owned(),
            ending,
            model: answered.then(|| model.id.clone()),
            attempts: 1,
            usage,
            cost: model.price.of(20, 10),
            first_token: answered.then_some(Duration::from_millis(30)),
            latency,
            error: None,
            fault: None,
        },
        cause: (ending == RequestEnd::Failed).then_some(FailureCause::Model),
    }
}

fn facts(id: u64) -> RequestFacts {
    RequestFacts {
        tenant: Some(KeyName::new("app")),
        session: Some("s-1".to_owned()),
        input_tokens: 18,
        max_output_tokens: Some(100),
        needs: Abilities::STRUCTURED_OUTPUT,
        deadline_ms: Some(300_000),
        attributes: BTreeMap::from([("prefer".to_owned(), "cost".to_owned())]),
        ..RequestFacts::new(format!("id-{id}"), "auto")
    }
}

/// Returns the time at a number of milliseconds after 1970.
pub(crate) fn time(milliseconds: u64) -> SystemTime {
    UNIX_EPOCH + Duration::from_millis(milliseconds)
}

/// A conversation of roles and texts.
#[derive(Debug)]
pub(crate) struct SampleConversation<'a>(pub(crate) &'a [(&'a str, &'a str)]);

impl Prompt for SampleConversation<'_> {
    fn message_count(&self) -> usize {
        self.0.len()
    }

    fn role(&self, message: usize) -> Option<&str> {
        self.0.get(message).map(|(role, _)| *role)
    }

    fn text(&self, message: usize) -> Option<&str> {
        self.0.get(message).map(|(_, text)| *text)
    }

    fn tool_names(&self) -> &[String] {
        &[]
    }

    fn parts(&self) -> &[ContentPart] {
        &[]
    }

    fn part_text(&self, _: usize, _: usize) -> Option<&str> {
        None
    }
}
