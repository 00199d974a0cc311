use pointsman_sdk::testkit::{Gateway, candidate, request};
use pointsman_text_features::{Axis, COUNT, Guard, QuantizedRow, Space};

use super::*;

/// A router for which `small` is good at short requests; only the length counts.
fn router() -> Router {
    let weights = |value: f64| {
        let mut weights = vec![0.0; COUNT];
        weights[0] = value;
        QuantizedRow::of(&weights)
    };
    let model = |name: &str, mean, bias, weight| {
        let row = weights(weight);
        RoutedModel {
            model: name.to_owned(),
            mean,
            output_tokens: 100.0,
            bias,
            scale: row.scale,
            weights: row.weights,
            centres: [0.0].into(),
        }
    };
    let axis = weights(1.0);
    Router {
        score_per_dollar: 1000.0,
        guard: Guard { distance: Some(0.25), ..Guard::default() },
        space: Space {
            axes: vec![Axis { scale: axis.scale, weights: axis.weights, mean: 0.0, length: 0.0 }],
            centres: vec![[0.5].into()],
            ..Space::default()
        },
        models: vec![model("small", 0.5, 1.2, -1.2), model("a/large*", 0.8, 0.8, 0.0)],
        ..Router::default()
    }
}

fn models() -> [Candidate; 3] {
    let model = |id: &str, price, quality, speed| Candidate {
        quality: Some(quality),
        first_token_ms: Some(50.0),
        tokens_per_second: Some(speed),
        ..candidate(id, price, price)
    };
    [model("a/large-2", 1.0, 0.5, 20.0), model("b/small", 0.1, 0.4, 200.0), model("c/new", 0.2, 0.9, 400.0)]
}

fn gateway(text: &str) -> Gateway {
    Gateway::new().settings(serde_json::to_string(&router()).unwrap()).user(text)
}

fn route(gateway: &Gateway, request: &Request, models: &[Candidate]) -> (Vec<u32>, String) {
    let decision = gateway.route::<Learned>(request, models).unwrap();
    (decision.targets.iter().map(|target| target.candidate).collect(), decision.label)
}

const SHORT: &str = "hi there";

fn long() -> String {
    "a longer request about it ".repeat(12)
}

#[test]
fn the_greatest_value_is_taken_and_the_reason_says_why() {
    let decision = gateway(SHORT).route::<Learned>(&request(), &models()).unwrap();
    assert_eq!((decision.targets[0].candidate, decision.label.as_str()), (1, "learned:predicted"));
    let reason = decision.reason.unwrap();
    assert!(
        reason.starts_with("predicted: b/small with score 0.8") && reason.ends_with("at about $0.000020"),
        "{reason}"
    );
    assert_eq!(
        route(&gateway(&long()), &request(), &models()),
        (vec![0, 1, 2], "learned:predicted".to_owned())
    );
}

#[test]
fn a_request_unlike_those_learnt_from_goes_to_the_best_single_model() {
    let huge = "word ".repeat(200_000);
    let gateway = Gateway::new()
        .settings(serde_json::to_string(&Router { read_bytes: 1 << 20, ..router() }).unwrap())
        .user(&huge);
    let decision = gateway.route::<Learned>(&request(), &models()).unwrap();
    assert_eq!((decision.targets[0].candidate, decision.label.as_str()), (0, "learned:guard"));
    let expected = "unlike the requests learnt from: a/large-2 with score 0.800 at about $0.000200";
    assert_eq!(decision.reason.as_deref(), Some(expected));
}

#[test]
fn the_client_may_prefer_cost_quality_or_speed() {
    let first = |text: &str, prefer: &str| {
        let (order, label) = route(&gateway(text).prefer(prefer), &request(), &models());
        (order[0], label)
    };
    assert_eq!(first(&long(), "quality"), (0, "learned:quality".to_owned()));
    assert_eq!(first(&long(), "cost"), (1, "learned:cost".to_owned()));
    assert_eq!(first(SHORT, "speed"), (1, "learned:speed".to_owned()));
    assert_eq!(first(SHORT, "comfort"), (1, "learned:predicted".to_owned()));
}

#[test]
fn a_deadline_that_the_choice_would_miss_asks_for_speed() {
    let with = |ms| Request { deadline_ms: Some(ms), ..request() };
    let mut models = models();
    models[0].quality = None;
    assert_eq!(route(&gateway(&long()), &with(60_000), &models).1, "learned:predicted");
    assert_eq!(route(&gateway(&long()), &with(1_000), &models).1, "learned:speed");
}

#[test]
fn unhealthy_models_and_those_not_learnt_come_last() {
    let mut models = models();
    models[1].healthy = false;
    assert_eq!(route(&gateway(SHORT), &request(), &models).0, [0, 2, 1]);
    let (order, label) = route(&Gateway::new().user(SHORT), &request(), &models);
    assert_eq!((order, label.as_str()), (vec![2, 0, 1], "learned:unknown"));
}

#[test]
fn a_prompt_is_read_only_if_something_is_learnt() {
    let stranger = [candidate("x/y", 1.0, 1.0)];
    let gateway = gateway(SHORT);
    route(&gateway, &request(), &stranger);
    assert!(!gateway.prompt_was_read());
    route(&gateway, &request(), &models());
    assert!(gateway.prompt_was_read());
}

#[test]
fn a_budget_leaves_out_what_it_cannot_pay_and_denies_the_rest() {
    let with = |left| Request { budget_left: Some(left), ..request() };
    assert_eq!(route(&gateway(&long()), &with(1e-4), &models()).0[0], 1);
    let denied = gateway(SHORT).route::<Learned>(&with(1e-9), &models());
    assert!(matches!(denied, Err(Refusal::Denied(_))));
}

#[test]
fn invalid_settings_are_reported_by_name() {
    let error = |change: fn(&mut Router)| {
        let mut router = router();
        change(&mut router);
        let json = serde_json::to_string(&router).unwrap();
        Gateway::new().settings(json).validate::<Learned>().unwrap_err()
    };
    assert_eq!(
        error(|router| router.features = 7),
        "setting `features`: learnt with feature set 7, and this is 1; learn again"
    );
    assert!(error(|router| router.models[0].weights.clear()).starts_with("setting `models[0].weights`"));
    assert!(
        error(|router| router.models[1].weights = router.models[1].weights.replacen('A', "*", 1))
            .starts_with("setting `models[1].weights`: the text is not the base64")
    );
    let wrong = Gateway::new().settings(r#"{"model":[]}"#).validate::<Learned>().unwrap_err();
    assert!(wrong.contains("unknown field `model`"), "{wrong}");
}
