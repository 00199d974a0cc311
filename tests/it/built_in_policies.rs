//! Routing of the built-in policies on fleets of simulated models.

use pointsman_tests::Gateway;
use pointsman_tests::client::{self, Answer};

use crate::fleet::{PLANNING_POLICIES, ROUTING_POLICIES, ask, ask_with, built_in, chat, error};

const FLEET: &str = "[backends.fleet]\nkind = \"simulated\"\n";
const QUICK: &str = "expected = { first_token_ms = 1, tokens_per_second = 100000 }\n";

/// Returns the table of a simulated model; `more` are further keys.
fn model(name: &str, price: u32, quality: &str, more: &str) -> String {
    crate::fleet::model(&format!("fleet/{name}"), price, &format!("quality = {quality}\n{more}"))
}

fn route(name: &str, policy: &str) -> String {
    format!("[routes.{name}]\npolicy = \"{policy}\"\n")
}

fn chosen(answer: &Answer) -> (&str, &str) {
    assert_eq!(answer.status, 200);
    let header = |name| answer.header(name).expect("the answer says how it was routed");
    (header("x-pointsman-model"), header("x-pointsman-route"))
}

#[tokio::test]
async fn cost_selects_the_cheapest_model_above_the_quality_floor() {
    let config = [
        FLEET,
        &model("large", 10, "0.9", QUICK),
        &model("small", 1, "0.5", QUICK),
        &model("medium", 2, "0.8", QUICK),
        &built_in("cost", ""),
        "[policies.floor]\nlimits.deadline = \"60s\"\nsource = \"builtin:cost\"\nsettings = { quality_floor = 0.7 }\n",
        "[policies.strict]\nlimits.deadline = \"60s\"\nsource = \"builtin:cost\"\nsettings = { quality_floor = 0.95, strict = true }\n",
        &route("cheap", "cost"),
        &route("good", "floor"),
        &route("best", "strict"),
    ];
    let gateway = Gateway::start(&config.concat()).await;
    let cheap = ask(&gateway, &chat("cheap", "hi")).await;
    assert_eq!(chosen(&cheap), ("fleet/small", "cheapest"));
    let good = ask(&gateway, &chat("good", "hi")).await;
    assert_eq!(chosen(&good), ("fleet/medium", "cheapest:above-floor"));
    let message = error(&ask(&gateway, &chat("best", "hi")).await, 503, "no_suitable_model");
    assert_eq!(message, "no model reaches the quality floor of 0.95; the best, fleet/large, has 0.9");
}

#[tokio::test]
async fn performance_moves_away_from_a_slow_model() {
    let config = [
        FLEET,
        &model(
            "boaster",
            1,
            "0.8",
            "expected = { first_token_ms = 1, tokens_per_second = 1000 }\nsimulate = { first_token_ms = 500 }",
        ),
        &model("honest", 1, "0.8", "expected = { first_token_ms = 50, tokens_per_second = 1000 }"),
        &built_in("performance", ""),
        &route("fast", "performance"),
    ];
    let gateway = Gateway::start(&config.concat()).await;
    let mut body = chat("fast", "hi");
    body["max_tokens"] = 1.into();
    assert_eq!(chosen(&ask(&gateway, &body).await), ("fleet/boaster", "fastest"));
    assert_eq!(chosen(&ask(&gateway, &body).await), ("fleet/honest", "fastest"));
}

#[tokio::test]
async fn task_type_selects_the_best_model_for_each_kind_of_task() {
    let config = [
        FLEET,
        &model("talker", 1, "{ general = 0.8, code = 0.2, maths = 0.2 }", QUICK),
        &model("coder", 1, "{ general = 0.5, code = 0.9 }", QUICK),
        &model("counter", 1, "{ general = 0.5, maths = 0.9 }", QUICK),
        &model(
            "viewer",
            1,
            "{ general = 0.1, vision = 0.9 }",
            &format!("{QUICK}inputs = [\"text\", \"image\"]"),
        ),
        &built_in("task-type", "grants = [\"prompt\"]"),
        &route("task", "task-type"),
    ];
    let gateway = Gateway::start(&config.concat()).await;
    let cases = [
        ("Write a Python function that reverses a linked list.", ("fleet/coder", "task:code")),
        ("Solve the equation 3x + 7 = 22 for x.", ("fleet/counter", "task:maths")),
        ("Hello! How are you today?", ("fleet/talker", "task:chat")),
    ];
    for (prompt, expected) in cases {
        let answer = ask(&gateway, &chat("task", prompt)).await;
        assert_eq!(chosen(&answer), expected, "{prompt}");
    }
    let answer = ask(&gateway, &crate::fleet::with_picture("task", "iVBORw0KGgo=")).await;
    assert_eq!(chosen(&answer), ("fleet/viewer", "task:vision"));
}

#[tokio::test]
async fn dynamic_is_cheap_unless_the_request_needs_speed_or_quality() {
    let slow = "expected = { first_token_ms = 40, tokens_per_second = 1000 }\n";
    let config = [
        FLEET,
        &model("cheap", 1, "0.8", slow),
        &model("fast", 10, "0.81", QUICK),
        &model("good", 10, "0.84", slow),
        &built_in("dynamic", "grants = [\"prompt\"]"),
        &route("auto", "dynamic"),
    ];
    let gateway = Gateway::start(&config.concat()).await;
    let body = chat("auto", "Hello! How are you today?");
    assert_eq!(chosen(&ask(&gateway, &body).await), ("fleet/cheap", "dynamic:cost"));
    let cases = [
        ("cost", ("fleet/cheap", "dynamic:cost")),
        ("speed", ("fleet/fast", "dynamic:speed")),
        ("quality", ("fleet/good", "dynamic:task")),
    ];
    for (wish, expected) in cases {
        let answer = ask_with(&gateway, &[("x-pointsman-prefer", wish)], &body).await;
        assert_eq!(chosen(&answer), expected, "{wish}");
    }
}

#[tokio::test]
async fn priority_tries_models_in_its_order_and_its_label_states_the_place() {
    let models =
        [model("first", 1, "0.5", QUICK), model("second", 1, "0.5", QUICK), model("third", 1, "0.5", QUICK)];
    let config = [
        FLEET,
        &models.concat(),
        &built_in("priority", "settings = { order = [\"third\", \"fleet/f*\"], max_first_token_ms = 100 }"),
        "[policies.unset]\nlimits.deadline = \"60s\"\nsource = \"builtin:priority\"\n",
        &route("stated", "priority"),
        &route("listed", "unset"),
        "models = [\"fleet/second\", \"fleet/*\"]\n",
    ];
    let gateway = Gateway::start(&config.concat()).await;
    assert_eq!(chosen(&ask(&gateway, &chat("stated", "hi")).await), ("fleet/third", "priority:1"));
    assert_eq!(chosen(&ask(&gateway, &chat("listed", "hi")).await), ("fleet/second", "priority:1"));
    let slow =
        config.concat().replace(&models[2], &model("third", 1, "0.5", "expected = { first_token_ms = 101 }"));
    let gateway = Gateway::start(&slow).await;
    assert_eq!(chosen(&ask(&gateway, &chat("stated", "hi")).await), ("fleet/first", "priority:2"));
}

#[tokio::test]
async fn weighted_draws_by_weight_and_a_session_keeps_its_model() {
    let settings = "settings = { weights = { \"fleet/large\" = 3, \"fleet/small\" = 1 }, sticky = true }";
    let config = [
        FLEET,
        &model("large", 1, "0.5", QUICK),
        &model("small", 1, "0.5", QUICK),
        &model("reserve", 1, "0.5", QUICK),
        &built_in("weighted", settings),
        &route("split", "weighted"),
    ];
    let gateway = Gateway::start(&config.concat()).await;
    let mut counts = std::collections::BTreeMap::new();
    for _ in 0..200 {
        let answer = ask(&gateway, &chat("split", "hi")).await;
        let (model, label) = chosen(&answer);
        assert_eq!(label, "weighted");
        *counts.entry(model.to_owned()).or_insert(0) += 1;
    }
    assert!(counts.len() == 2 && counts["fleet/large"] > counts["fleet/small"], "{counts:?}");
    for session in ["one", "two", "three"] {
        let mut models = std::collections::BTreeSet::new();
        for _ in 0..5 {
            let answer = ask_with(&gateway, &[("x-pointsman-session", session)], &chat("split", "hi")).await;
            assert_eq!(chosen(&answer).1, "weighted:session");
            models.insert(chosen(&answer).0.to_owned());
        }
        assert_eq!(models.len(), 1, "{models:?}");
    }
    let answer = ask(&gateway, &chat("split", "hi")).await;
    let id = answer.header("x-pointsman-decision-id").expect("an id");
    let record = client::get(&gateway.admin(&format!("/admin/decisions/{id}"))).await.json();
    let expected = if chosen(&answer).0 == "fleet/large" { 0.75 } else { 0.25 };
    assert!(record.to_string().contains(&format!("\"propensity\":{expected}")), "{record}");
}

#[tokio::test]
async fn round_robin_reaches_every_model() {
    let config = [
        FLEET,
        &model("one", 1, "0.5", QUICK),
        &model("two", 1, "0.5", QUICK),
        &model("three", 1, "0.5", QUICK),
        &built_in("round-robin", ""),
        "[policies.least-busy]\nlimits.deadline = \"60s\"\nsource = \"builtin:round-robin\"\nsettings = { balance = \"load\" }\n",
        &route("even", "round-robin"),
        &route("idle", "least-busy"),
    ];
    let gateway = Gateway::start(&config.concat()).await;
    for (route, expected) in [("even", "round-robin"), ("idle", "round-robin:least-busy")] {
        let mut models = std::collections::BTreeSet::new();
        for _ in 0..60 {
            let answer = ask(&gateway, &chat(route, "hi")).await;
            let (model, label) = chosen(&answer);
            assert_eq!(label, expected);
            models.insert(model.to_owned());
        }
        assert_eq!(models.len(), 3, "{models:?}");
    }
}

#[tokio::test]
async fn bandit_learns_from_ratings_which_model_is_best() {
    let config = [
        FLEET,
        &model("liked", 1, "0.5", QUICK),
        &model("disliked", 1, "0.5", QUICK),
        &built_in("bandit", "grants = [\"state\"]\nsettings = { worth_per_second = 0 }"),
        &route("learning", "bandit"),
    ];
    let gateway = Gateway::start(&config.concat()).await;
    let mut chances = Vec::new();
    // Ratings reach the policy beside the requests.
    while chances.last().is_none_or(|chance| *chance < 0.95) {
        let answer = ask(&gateway, &chat("learning", "hi")).await;
        let (model, label) = chosen(&answer);
        assert_eq!(label, "bandit:chat");
        let id = answer.header("x-pointsman-decision-id").expect("an id");
        let score = if model == "fleet/liked" { 0.9 } else { 0.1 };
        let rating = serde_json::json!({ "decision_id": id, "score": score });
        while client::post(&gateway.url("/v1/feedback"), &rating).await.status == 404 {
            tokio::task::yield_now().await;
        }
        let record = client::get(&gateway.admin(&format!("/admin/decisions/{id}"))).await.json();
        let chance = record["decisions"][0]["answer"]["propensity"].as_f64().expect("a propensity");
        chances.push(if model == "fleet/liked" { chance } else { 1.0 - chance });
        assert!(chances.len() < 1_000, "{chances:?}");
    }
    assert!((chances[0] - 0.5).abs() < 1e-6, "{chances:?}");
}

/// Names of the built-in policies, as in the configuration.
const BUILT_IN: &[&str] = &include!("../../host/config/src/builtin-policies.json");

#[test]
fn every_built_in_policy_is_among_those_that_tests_run() {
    let tested = ROUTING_POLICIES.into_iter().chain(PLANNING_POLICIES).map(|(name, _)| name);
    assert_eq!(tested.collect::<Vec<_>>(), BUILT_IN);
}

#[tokio::test]
async fn every_built_in_policy_decides_among_any_number_of_models() {
    for models in [1, 10, 1_000, 5_000] {
        let mut config = FLEET.to_owned();
        for number in 0..models {
            let inputs = if number % 2 == 0 { "[\"text\", \"image\", \"audio\"]" } else { "[\"text\"]" };
            let more = format!("{QUICK}inputs = {inputs}");
            let quality = format!("{{ general = 0.{}, code = 0.5 }}", number % 90 + 10);
            config += &model(&format!("m{number}"), number % 100 + 1, &quality, &more);
        }
        for &policy in BUILT_IN {
            config += &built_in(policy, "grants = [\"prompt\", \"outputs\", \"state\"]");
            config += &route(policy, policy);
        }
        let gateway = Gateway::start(&config).await;
        for &policy in BUILT_IN {
            let hard = "Debug this Python function, and prove step by step that it always ends.";
            let picture = crate::fleet::with_picture(policy, "iVBORw0KGgo=");
            let asked = [(chat(policy, hard), "quality"), (chat(policy, "hi"), "speed"), (picture, "cost")];
            // A record of so many candidates takes its time.
            let most = if models > 1_000 { 1 } else { asked.len() };
            for (body, wish) in asked.into_iter().take(most) {
                let answer = ask_with(&gateway, &[("x-pointsman-prefer", wish)], &body).await;
                let failure = answer.header("x-pointsman-policy-failure");
                assert_eq!(
                    (answer.status.as_u16(), failure),
                    (200, None),
                    "{policy}, {models} models: {body}"
                );
            }
        }
    }
}
