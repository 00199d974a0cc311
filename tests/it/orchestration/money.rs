//! Limits of the cost of a plan's calls, whichever target answers.

use pointsman_guests::{Planned, Shape};
use pointsman_tests::{FakeModel, Gateway, Step};
use serde_json::{Value, json};

use super::Setup;
use crate::fleet::{ask, chat, error, usage};

/// Returns settings with at most 100 tokens for each task. Such a call of `a/chat` costs some 15
/// + 100 x 2 millionths of a dollar, of `b/chat` twice that.
fn with_100_tokens(shape: Shape) -> Planned {
    Planned { shape, tasks: 1, max_output_tokens: Some(100), ..Planned::default() }
}

async fn spent(gateway: &Gateway) -> f64 {
    usage(gateway).await.iter().filter_map(|line| line["cost_usd"].as_f64()).sum()
}

fn max_tokens(body: &Value) -> Option<u64> {
    body["max_tokens"].as_u64()
}

#[tokio::test]
async fn a_fallback_above_the_budget_is_not_called() {
    let (broken, dear) = (FakeModel::always(Step::status(500)).await, FakeModel::saying("never").await);
    let settings = Planned { fall_back: true, ..with_100_tokens(Shape::Compose) };
    let setup =
        Setup::planning(&settings, &[&broken, &dear], "max_attempts = 2\nplan = { max_cost = 0.0003 }").await;
    let answer = ask(&setup.gateway, &chat("main", "hi")).await;
    assert_eq!(
        error(&answer, 503, "plan_limit"),
        "task `t0` was not begun: a/chat: status 500; the plan would cost more than $0.0003"
    );
    assert_eq!((broken.requests().len(), dear.requests().len()), (1, 0));
}

#[tokio::test]
async fn a_call_that_timed_out_keeps_its_reservation() {
    let (silent, dear) = (FakeModel::always(Step::hang()).await, FakeModel::saying("said").await);
    let settings = Planned { fall_back: true, ..with_100_tokens(Shape::Compose) };
    // Enough for either of them, and for both.
    for (limit, calls) in [("0.0005", 0), ("0.0007", 1)] {
        let more = format!("attempt_timeout = \"50ms\"\nmax_attempts = 2\nplan = {{ max_cost = {limit} }}");
        let setup = Setup::planning(&settings, &[&silent, &dear], &more).await;
        let answer = ask(&setup.gateway, &chat("main", "hi")).await;
        assert_eq!(answer.status, if calls == 0 { 503 } else { 200 }, "{limit}");
        assert_eq!(dear.requests().len(), calls, "{limit}");
    }
}

#[tokio::test]
async fn a_hedge_is_reserved_in_addition_to_the_first_call() {
    let (silent, other) = (FakeModel::always(Step::hang()).await, FakeModel::saying("said").await);
    let settings = Planned { fall_back: true, hedge_after_ms: Some(1), ..with_100_tokens(Shape::Compose) };
    for (limit, calls) in [("0.0005", 0), ("0.0007", 1)] {
        let more = format!("timeout = \"500ms\"\nplan = {{ max_cost = {limit} }}");
        let setup = Setup::planning(&settings, &[&silent, &other], &more).await;
        let answer = ask(&setup.gateway, &chat("main", "hi")).await;
        assert_eq!(answer.status, if calls == 0 { 504 } else { 200 }, "{limit}");
        assert_eq!(other.requests().len(), calls, "{limit}");
    }
}

#[tokio::test]
async fn a_step_that_routes_gets_the_rest_of_the_budget() {
    let model = FakeModel::saying("said").await;
    let settings = with_100_tokens(Shape::ThenRoute);
    // The task may cost some 210 millionths of a dollar and costs 9, so some 90 are
    // left after the input. Half of them, since another call may follow, are enough
    // for some 20 tokens.
    let setup = Setup::planning(&settings, &[&model], "plan = { max_cost = 0.00022 }").await;
    let answer = ask(&setup.gateway, &chat("main", "hi")).await;
    assert_eq!(answer.text(), "said");
    let limit = max_tokens(&model.request(2).await.json()).expect("the client's request has a limit now");
    assert!((30..=60).contains(&limit), "{limit}");
    assert!(spent(&setup.gateway).await <= 0.00022);
}

#[tokio::test]
async fn a_step_that_routes_to_an_unaffordable_model_is_rejected() {
    let (cheap, dear) = (FakeModel::saying("said").await, FakeModel::saying("never").await);
    let settings = Planned { tasks: 1, shape: Shape::ThenRouteToLast, ..with_100_tokens(Shape::Compose) };
    let more = "plan = { max_cost = 0.01 }\n[models.\"c/dear\"]\ninput_price = 1000\noutput_price = 1000\n";
    let dear_backend = crate::fleet::backend("c", &dear, "");
    let setup = Setup::planning(&settings, &[&cheap], &format!("{more}{dear_backend}")).await;
    let answer = ask(&setup.gateway, &chat("main", "hi")).await;
    assert_eq!(error(&answer, 503, "plan_limit"), "no model answered: the plan would cost more than $0.01");
    assert_eq!((cheap.requests().len(), dear.requests().len()), (1, 0));
}

#[tokio::test]
async fn tasks_without_a_limit_share_the_remaining_tokens() {
    let model = FakeModel::saying("one two").await;
    let settings = Planned { shape: Shape::Compose, tasks: 4, ..Planned::default() };
    let limits = "max_attempts = 1\nplan = { max_output_tokens = 1000 }";
    let setup = Setup::planning(&settings, &[&model], limits).await;
    assert_eq!(ask(&setup.gateway, &chat("main", "hi")).await.status, 200);
    let limits: Vec<_> = model.requests().iter().map(|request| max_tokens(&request.json())).collect();
    assert_eq!(limits, [Some(250); 4]);
}

#[tokio::test]
async fn a_request_after_a_plan_gets_the_remaining_tokens() {
    let model = FakeModel::saying("one two").await;
    let settings = Planned { shape: Shape::ThenRoute, tasks: 1, ..Planned::default() };
    let limits = "max_attempts = 1\nplan = { max_output_tokens = 1000 }";
    let setup = Setup::planning(&settings, &[&model], limits).await;
    let mut body = chat("main", "hi");
    assert_eq!(ask(&setup.gateway, &body).await.status, 200);
    body["max_completion_tokens"] = json!(5000);
    assert_eq!(ask(&setup.gateway, &body).await.status, 200);
    body["max_completion_tokens"] = json!(50);
    assert_eq!(ask(&setup.gateway, &body).await.status, 200);
    let requests: Vec<Value> = model.requests().iter().map(|request| request.json()).collect();
    // Half for the task, since a step follows; of which it used two.
    assert_eq!((max_tokens(&requests[0]), max_tokens(&requests[1])), (Some(500), Some(998)));
    assert_eq!(requests[3]["max_completion_tokens"], 998);
    assert_eq!(requests[5]["max_completion_tokens"], 50);
    assert_eq!(max_tokens(&requests[3]), None);
}

#[tokio::test]
async fn a_request_that_is_only_routed_is_forwarded_unchanged() {
    let model = FakeModel::saying("said").await;
    let setup = Setup::planning(&Planned::default(), &[&model], "").await;
    assert_eq!(ask(&setup.gateway, &chat("main", "hi")).await.status, 200);
    assert_eq!(max_tokens(&model.request(1).await.json()), None);
}

#[tokio::test]
async fn a_model_never_gets_a_limit_above_its_own() {
    let model = FakeModel::saying("said").await;
    let settings = Planned { shape: Shape::Compose, tasks: 1, ..Planned::default() };
    let more = "models = [\"z/*\"]\n[models.\"z/small\"]\ninput_price = 1\noutput_price = 2\nmax_output_tokens = 77\n".to_owned()
        + &crate::fleet::backend("z", &model, "");
    let setup = Setup::planning(&settings, &[&model], &more).await;
    assert_eq!(ask(&setup.gateway, &chat("main", "hi")).await.status, 200);
    assert_eq!(max_tokens(&model.request(1).await.json()), Some(77));
}
