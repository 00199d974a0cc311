use pointsman_sdk::Abilities;
use pointsman_sdk::testkit::{Gateway, candidate, request};

use super::*;

/// Large is slow, small is fast, medium is in between in all respects.
fn models() -> [Candidate; 3] {
    let model = |id, price, quality, speed| Candidate {
        quality: Some(quality),
        first_token_ms: Some(100.0),
        tokens_per_second: Some(speed),
        ..candidate(id, price, price)
    };
    [model("a/large", 10.0, 0.9, 20.0), model("b/medium", 2.0, 0.87, 60.0), model("c/small", 0.1, 0.5, 200.0)]
}

fn hard() -> Request {
    Request { needs: Abilities::REASONING, ..request() }
}

fn strict() -> Gateway {
    Gateway::new().settings(r#"{"easy_share":0.95,"hard_share":0.98}"#)
}

fn route(gateway: &Gateway, request: &Request, models: &[Candidate]) -> (Vec<u32>, String) {
    let decision = gateway.route::<Dynamic>(request, models).unwrap();
    (decision.targets.iter().map(|target| target.candidate).collect(), decision.label)
}

#[test]
fn an_easy_request_goes_to_the_cheapest_that_is_good_enough() {
    let decision = Gateway::new().route::<Dynamic>(&request(), &models()).unwrap();
    assert_eq!((decision.targets[0].candidate, decision.label.as_str()), (1, "dynamic:cost"));
    assert_eq!(
        decision.reason.as_deref(),
        Some(
            "looks like chat; b/medium with quality 0.870, floor 0.855, about $0.000712: good enough, and 80 % below \
             the best"
        )
    );
}

#[test]
fn a_hard_request_goes_to_the_best_when_nothing_cheaper_is_near() {
    let (order, label) = route(&strict(), &hard(), &models());
    assert_eq!((order, label.as_str()), (vec![0, 1, 2], "dynamic:task"));
}

#[test]
fn the_client_may_prefer_cost_quality_or_speed() {
    let first = |prefer, request: &Request| {
        let (order, label) = route(&strict().prefer(prefer), request, &models());
        (order[0], label)
    };
    assert_eq!(first("cost", &hard()), (1, "dynamic:cost".to_owned()));
    assert_eq!(first("quality", &request()), (0, "dynamic:task".to_owned()));
    assert_eq!(first("speed", &request()), (1, "dynamic:speed".to_owned()));
    assert_eq!(first("comfort", &request()), (1, "dynamic:cost".to_owned()));
}

#[test]
fn a_deadline_that_the_cheap_choice_would_miss_asks_for_speed() {
    let mut models = models();
    models[1].tokens_per_second = Some(10.0);
    let with = |ms| Request { deadline_ms: Some(ms), ..request() };
    assert_eq!(route(&Gateway::new(), &with(60_000), &models).1, "dynamic:cost");
    let (order, label) = route(&Gateway::new(), &with(15_000), &models);
    assert_eq!((order, label.as_str()), (vec![0, 1, 2], "dynamic:speed"));
}

#[test]
fn quality_at_the_task_counts() {
    let gateway = Gateway::new().task_quality(2, "code", 0.95).user("Debug this Python function.");
    let (order, label) = route(&gateway, &request(), &models());
    assert_eq!((order[0], label.as_str()), (2, "dynamic:task"));
}

#[test]
fn without_any_quality_easy_requests_go_cheap_and_hard_ones_dear() {
    let models = [candidate("a/dear", 9.0, 9.0), candidate("b/cheap", 1.0, 1.0)];
    assert_eq!(route(&Gateway::new(), &request(), &models), (vec![1, 0], "dynamic:cost".to_owned()));
    assert_eq!(route(&Gateway::new(), &hard(), &models), (vec![0, 1], "dynamic:task".to_owned()));
}

#[test]
fn a_single_model_is_taken_whatever_it_is() {
    for request in [request(), hard()] {
        assert_eq!(route(&Gateway::new(), &request, &models()[2..]).0, [0]);
    }
}

#[test]
fn a_budget_denies_what_it_cannot_pay() {
    let poor = Request { budget_left: Some(1e-9), ..request() };
    for prefer in ["cost", "speed", "quality"] {
        let answer = Gateway::new().prefer(prefer).route::<Dynamic>(&poor, &models());
        assert!(matches!(answer, Err(Refusal::Denied(_))), "{prefer}");
    }
}

#[test]
fn invalid_settings_are_reported_by_name() {
    let error = |json: &str| Gateway::new().settings(json).validate::<Dynamic>().unwrap_err();
    assert_eq!(error(r#"{"easy_share":95}"#), "setting `easy_share`: 95 is not in 0..1");
    assert_eq!(error(r#"{"slots":0.5}"#), "setting `slots`: 0.5 is less than 1");
    assert!(
        error(r#"{"quality":{"x":{"jokes":1}}}"#)
            .starts_with("setting `quality.x.jokes`: there is no such task")
    );
    assert!(error(r#"{"hard_sare":1}"#).contains("expected one of `quality`, `easy_share`, `hard_share`"));
}
