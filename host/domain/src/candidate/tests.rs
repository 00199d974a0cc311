use std::time::Duration;

use super::*;
use crate::ids::{BackendName, ModelId};
use crate::model::{Expected, Operation, Quality};
use crate::money::Price;

fn model(name: &str) -> Model {
    Model {
        id: ModelId::new(format!("fleet/{name}")),
        backend: BackendName::new("fleet"),
        upstream_name: name.to_owned(),
        operations: vec![Operation::Chat],
        inputs: Modalities::TEXT,
        abilities: Abilities::STREAMING,
        context_window: Some(1_000),
        max_output_tokens: None,
        price: Price::default(),
        quality: Quality::default(),
        expected: Expected::default(),
        time_limits: Default::default(),
        stream_usage: true,
        attributes: Default::default(),
        live: Default::default(),
    }
}

fn request() -> RequestFacts {
    RequestFacts {
        id: "d1".to_owned(),
        operation: Operation::Chat,
        model: "auto".to_owned(),
        tenant: None,
        session: None,
        input_tokens: 100,
        max_output_tokens: None,
        inputs: Modalities::TEXT,
        needs: Abilities::empty(),
        turns: 1,
        streaming: false,
        deadline_ms: None,
        budget_left: None,
        attributes: Default::default(),
    }
}

fn names(models: &[Arc<Model>], request: &RequestFacts) -> Result<Vec<String>, String> {
    eligible(models, request, Instant::now())
        .map(|eligible| eligible.candidates.iter().map(|c| c.model.upstream_name.clone()).collect())
        .map_err(|none| none.to_string())
}

#[test]
fn only_models_that_can_serve_the_request_are_candidates() {
    let eyes = Model { inputs: Modalities::TEXT | Modalities::IMAGE, ..model("eyes") };
    let hands = Model { abilities: Abilities::TOOLS | Abilities::STREAMING, ..model("hands") };
    let models = [Arc::new(model("plain")), Arc::new(eyes), Arc::new(hands)];

    assert_eq!(names(&models, &request()).unwrap(), ["plain", "eyes", "hands"]);
    let picture = RequestFacts { inputs: Modalities::TEXT | Modalities::IMAGE, ..request() };
    assert_eq!(names(&models, &picture).unwrap(), ["eyes"]);
    let tools = RequestFacts { needs: Abilities::TOOLS, ..request() };
    assert_eq!(names(&models, &tools).unwrap(), ["hands"]);
}

#[test]
fn when_none_is_left_the_nearest_miss_says_why() {
    let models = [
        Arc::new(model("plain")),
        Arc::new(Model { operations: vec![Operation::Transcription], ..model("ears") }),
    ];
    let picture = RequestFacts { inputs: Modalities::TEXT | Modalities::IMAGE, ..request() };
    assert_eq!(names(&models, &picture).unwrap_err(), "no model of the route accepts text and image");
    let tools = RequestFacts { needs: Abilities::TOOLS | Abilities::LOG_PROBABILITIES, ..request() };
    assert_eq!(
        names(&models, &tools).unwrap_err(),
        "no model of the route supports tools and log probabilities"
    );
    let long = RequestFacts { input_tokens: 900, max_output_tokens: Some(200), ..request() };
    assert_eq!(
        names(&models, &long).unwrap_err(),
        "the request has about 1100 tokens, more than any model of the route takes (at most 1000)"
    );
    assert_eq!(names(&models[1..], &request()).unwrap_err(), "no model of the route serves chat requests");
}

#[test]
fn unhealthy_models_are_the_last_resort_unless_no_other_is_left() {
    let models = [Arc::new(model("ill")), Arc::new(model("well"))];
    let now = Instant::now();
    let fail = |model: &Model| (0..3).for_each(|_| model.live.failed(now));
    let split = || {
        let eligible = eligible(&models, &request(), now + Duration::from_millis(1)).unwrap();
        let names = |candidates: Vec<Candidate>| -> Vec<String> {
            candidates.iter().map(|candidate| candidate.model.upstream_name.clone()).collect()
        };
        (names(eligible.candidates), names(eligible.last_resort))
    };
    let names = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>();
    assert_eq!(split(), (names(&["ill", "well"]), names(&[])));
    fail(&models[0]);
    assert_eq!(split(), (names(&["well"]), names(&["ill"])));
    fail(&models[1]);
    assert_eq!(split(), (names(&["ill", "well"]), names(&[])));
}
