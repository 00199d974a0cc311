use std::time::Duration;

use super::*;
use crate::model::Operation;

fn model(name: &str) -> Model {
    Model { abilities: Abilities::STREAMING, context_window: Some(1_000), ..Model::new("fleet", name) }
}

fn request() -> RequestFacts {
    RequestFacts { input_tokens: 100, ..RequestFacts::new("d1", "auto") }
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
fn the_model_that_got_furthest_explains_why_none_is_left() {
    let models = [
        Arc::new(model("plain")),
        Arc::new(Model { operations: vec![Operation::Transcription], ..model("ears") }),
    ];
    let picture = RequestFacts { inputs: Modalities::TEXT | Modalities::IMAGE, ..request() };
    assert_eq!(names(&models, &picture).unwrap_err(), "no model of the route accepts image");
    let tools = RequestFacts { needs: Abilities::TOOLS | Abilities::LOG_PROBABILITIES, ..request() };
    assert_eq!(
        names(&models, &tools).unwrap_err(),
        "no model of the route supports tools and log probabilities"
    );
    let long = RequestFacts { input_tokens: 32_032, least_input_tokens: 1_001, ..request() };
    assert_eq!(
        names(&models, &long).unwrap_err(),
        "the request has at least 1001 tokens, more than any model of the route takes (at most 1000)"
    );
    assert_eq!(names(&models[1..], &request()).unwrap_err(), "no model of the route serves chat requests");
}

#[test]
fn kinds_that_no_model_takes_together_are_all_named() {
    let with = |inputs, name| Arc::new(Model { inputs: inputs | Modalities::TEXT, ..model(name) });
    let models = [with(Modalities::IMAGE, "eyes"), with(Modalities::AUDIO, "ears")];
    let inputs = Modalities::TEXT | Modalities::IMAGE | Modalities::AUDIO;
    let both = RequestFacts { inputs, ..request() };
    assert_eq!(names(&models, &both).unwrap_err(), "no model of the route accepts text and image and audio");
    let video = RequestFacts { inputs: inputs | Modalities::VIDEO, ..request() };
    assert_eq!(names(&models, &video).unwrap_err(), "no model of the route accepts video");
}

#[test]
fn abilities_that_no_model_has_together_or_with_the_content_are_distinguished() {
    let eyes = Arc::new(Model { inputs: Modalities::TEXT | Modalities::IMAGE, ..model("eyes") });
    let with = |abilities, name| Arc::new(Model { abilities, ..model(name) });
    let (hands, thinker) = (with(Abilities::TOOLS, "hands"), with(Abilities::REASONING, "thinker"));
    let picture =
        RequestFacts { inputs: Modalities::TEXT | Modalities::IMAGE, needs: Abilities::TOOLS, ..request() };
    assert_eq!(
        names(&[eyes.clone(), hands.clone()], &picture).unwrap_err(),
        "no model of the route accepts text and image and supports tools as well"
    );
    assert_eq!(names(&[eyes], &picture).unwrap_err(), "no model of the route supports tools");
    let both = RequestFacts { needs: Abilities::TOOLS | Abilities::REASONING, ..request() };
    assert_eq!(
        names(&[hands, thinker], &both).unwrap_err(),
        "no model of the route supports tools and reasoning"
    );
}

#[test]
fn an_estimate_of_tokens_drops_a_model_only_while_another_is_large_enough() {
    let sized = |name, context_window| Arc::new(Model { context_window, ..model(name) });
    let (small, large, open) =
        (sized("small", Some(1_000)), sized("large", Some(8_000)), sized("open", None));
    let tokens = |input_tokens, max_output_tokens| RequestFacts {
        input_tokens,
        least_input_tokens: input_tokens / 32,
        max_output_tokens,
        ..request()
    };
    let fleet = [small.clone(), large.clone(), open.clone()];
    let sizes = [small.clone(), large.clone()];
    type Case<'a> = (&'a [Arc<Model>], RequestFacts, &'a [&'a str]);
    let cases: [Case<'_>; 9] = [
        (&fleet, tokens(900, None), &["small", "large", "open"]),
        (&fleet, tokens(900, Some(200)), &["large", "open"]),
        (&fleet, tokens(9_000, None), &["open"]),
        (&sizes, tokens(9_000, None), &["large"]),
        (&sizes, tokens(100, Some(8_000)), &["large"]),
        (&sizes[..1], tokens(1_700, None), &["small"]),
        (&sizes[..1], tokens(100, Some(u32::MAX)), &["small"]),
        (&sizes, tokens(40_000, None), &["large"]),
        (&sizes[..1], tokens(32_000, None), &["small"]),
    ];
    for (models, request, expected) in cases {
        let tokens = (request.input_tokens, request.max_output_tokens);
        assert_eq!(names(models, &request).unwrap(), expected, "{tokens:?}");
        let (candidates, whole) = partial(models, &request, Instant::now()).unwrap();
        let seen: Vec<&str> = candidates.iter().map(|it| it.model.upstream_name.as_str()).collect();
        assert_eq!(
            (&seen[..whole], seen.len()),
            (expected, models.len()),
            "the others serve parts: {tokens:?}"
        );
    }
    assert!(names(&sizes, &tokens(300_000, None)).is_err(), "no tokenizer makes so few tokens of it");
}

#[test]
fn an_assumed_ability_is_enough_while_no_model_is_known_to_have_it() {
    let abilities = Abilities::REASONING | Abilities::STREAMING;
    let guess = Arc::new(Model { abilities, assumed_abilities: Abilities::REASONING, ..model("guess") });
    let thinker = Arc::new(Model { abilities, ..model("thinker") });
    let plain = Arc::new(model("plain"));
    let effort = RequestFacts { needs: Abilities::REASONING, ..request() };
    let fleet = [guess.clone(), plain.clone(), thinker];
    assert_eq!(names(&fleet, &effort).unwrap(), ["thinker"]);
    assert_eq!(names(&fleet[..2], &effort).unwrap(), ["guess"]);
    assert_eq!(names(&fleet, &request()).unwrap(), ["guess", "plain", "thinker"], "it is not needed");
    assert_eq!(names(&[plain], &effort).unwrap_err(), "no model of the route supports reasoning");
}

#[test]
fn a_negotiable_need_prefers_models_that_meet_it() {
    let hands = Arc::new(Model { abilities: Abilities::TOOLS, ..model("hands") });
    let plain = Arc::new(model("plain"));
    let after_tools =
        RequestFacts { needs: Abilities::TOOLS, negotiable_needs: Abilities::TOOLS, ..request() };
    assert_eq!(names(&[plain.clone(), hands], &after_tools).unwrap(), ["hands"]);
    assert_eq!(names(&[plain], &after_tools).unwrap(), ["plain"]);
}

#[test]
fn unhealthy_models_are_the_last_resort_unless_no_other_is_left() {
    let models = [Arc::new(model("ill")), Arc::new(model("well"))];
    let now = Instant::now();
    let fail = |model: &Model| (0..3).for_each(|_| model.live.record_failure(now));
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
