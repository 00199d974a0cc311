//! Usage that backends report, and its cost.

use std::time::UNIX_EPOCH;

use pointsman_domain::date::Date;
use pointsman_tests::{FakeModel, Gateway, Step, client};
use serde_json::{Value, json};

use crate::fleet::{ask, backend, built_in, chat, model, open, status, streamed, usage};

fn answer(usage: &Value) -> Step {
    let message = json!({ "role": "assistant", "content": "word ".repeat(400) });
    Step::json(&json!({
        "choices": [{ "index": 0, "message": message, "finish_reason": "stop" }], "usage": usage,
    }))
}

fn stream(usages: &[Value]) -> Step {
    let delta = json!({ "content": "word ".repeat(400) });
    let mut events = vec![json!({ "choices": [{ "index": 0, "delta": delta, "finish_reason": "stop" }] })];
    events.extend(usages.iter().map(|usage| json!({ "choices": [], "usage": usage })));
    let events = events.iter().map(|event| format!("data: {event}\n\n"));
    Step::chunks("text/event-stream", events.chain(["data: [DONE]\n\n".to_owned()]).collect::<Vec<_>>())
}

/// Returns the usage and the cost of one request from the ledger.
async fn recorded_usage(step: Step, prices: &str) -> (u64, u64, f64) {
    let streaming = step.is_event_stream();
    let server = FakeModel::always(step).await;
    let config = [
        backend("a", &server, ""),
        model("a/chat", 1, prices),
        built_in("cost", ""),
        "[routes.main]\npolicy = \"cost\"\n".to_owned(),
    ];
    let gateway = Gateway::start(&config.concat()).await;
    if streaming {
        open(&gateway, &streamed("main", "hi")).await.events().await;
    } else {
        assert_eq!(ask(&gateway, &chat("main", "hi")).await.status, 200);
    }
    let line = &usage(&gateway).await[0];
    let count = |name: &str| line[name].as_u64().expect("a count");
    (count("input_tokens"), count("output_tokens"), line["cost_usd"].as_f64().expect("an amount"))
}

#[tokio::test]
async fn zero_counts_of_a_long_answer_are_replaced_by_an_estimate() {
    let zeros = json!({ "prompt_tokens": 0, "completion_tokens": 0, "total_tokens": 0 });
    for step in [answer(&zeros), stream(std::slice::from_ref(&zeros))] {
        let (input, output, cost) = recorded_usage(step, "").await;
        assert!(input > 0 && output == 500 && cost > 0.001, "{input} {output} {cost}");
    }
}

#[tokio::test]
async fn the_last_count_of_a_stream_is_recorded() {
    let count = |input: u64, output: u64| json!({ "prompt_tokens": input, "completion_tokens": output });
    let (input, output, _) = recorded_usage(stream(&[count(0, 0), count(390, 1), count(390, 26)]), "").await;
    assert_eq!((input, output), (390, 26));
}

#[tokio::test]
async fn reasoning_that_is_missing_from_the_completion_is_derived_from_the_total() {
    let usage = json!({ "prompt_tokens": 10.0, "completion_tokens": 20.0, "total_tokens": 130.0 });
    for step in [answer(&usage), stream(std::slice::from_ref(&usage))] {
        let (input, output, _) = recorded_usage(step, "").await;
        assert_eq!((input, output), (10, 120));
    }
}

#[tokio::test]
async fn cached_and_reasoning_tokens_have_their_own_prices() {
    let usage = json!({
        "prompt_tokens": 1_000, "completion_tokens": 100, "total_tokens": 1_100,
        "prompt_tokens_details": { "cached_tokens": 900 },
        "completion_tokens_details": { "reasoning_tokens": 60 },
    });
    let (.., cost) = recorded_usage(answer(&usage), "").await;
    assert!((cost - (1_000.0 + 100.0 * 2.0) / 1e6).abs() < 1e-12, "{cost}");
    let prices = "cached_input_price = 0.1\nreasoning_price = 1\n";
    let (.., cost) = recorded_usage(answer(&usage), prices).await;
    assert!((cost - (100.0 + 900.0 * 0.1 + 40.0 * 2.0 + 60.0) / 1e6).abs() < 1e-12, "{cost}");
}

#[tokio::test]
async fn audio_images_and_cache_writes_for_an_hour_have_their_own_prices() {
    let usage = json!({
        "prompt_tokens": 1_000, "completion_tokens": 100, "total_tokens": 1_100,
        "prompt_tokens_details": { "audio_tokens": 200, "image_tokens": 100 },
        "completion_tokens_details": { "audio_tokens": 60 },
        "cache_creation_input_tokens": 500, "cache_creation": { "ephemeral_1h_input_tokens": 400 },
    });
    let prices = "cache_write_price = 1.25\ncache_write_1h_price = 2\naudio_input_price = 10\n\
                  audio_output_price = 20\nimage_input_price = 3\n";
    let input = 200.0 + 400.0 * 2.0 + 100.0 * 1.25 + 200.0 * 10.0 + 100.0 * 3.0;
    for step in [answer(&usage), stream(std::slice::from_ref(&usage))] {
        let (.., cost) = recorded_usage(step, prices).await;
        assert!((cost - (input + 40.0 * 2.0 + 60.0 * 20.0) / 1e6).abs() < 1e-12, "{cost}");
    }
}

#[tokio::test]
async fn a_call_with_a_long_input_has_the_prices_of_its_tier() {
    let tiers = "price_tiers = [{ above = 1000, input_price = 3, output_price = 4 }]\n";
    for (input, expected) in [(1_000_u32, 1_000.0 + 100.0 * 2.0), (1_001, 1_001.0 * 3.0 + 100.0 * 4.0)] {
        let usage = json!({ "prompt_tokens": input, "completion_tokens": 100, "total_tokens": input + 100 });
        let (.., cost) = recorded_usage(answer(&usage), tiers).await;
        assert!((cost - expected / 1e6).abs() < 1e-12, "{cost}");
    }
}

/// Returns the date some days after today, as a configuration has it.
fn days_from_now(days: i64) -> String {
    let now = UNIX_EPOCH.elapsed().expect("the clock is right").as_secs();
    Date::at(now.checked_add_signed(days * 86_400).expect("a time")).to_string()
}

#[tokio::test]
async fn the_price_in_force_is_shown_to_policies_charged_and_recorded() {
    let usage = json!({ "prompt_tokens": 1_000, "completion_tokens": 100, "total_tokens": 1_100 });
    let server = FakeModel::always(answer(&usage)).await;
    let (yesterday, next_year) = (days_from_now(-1), days_from_now(366));
    // The cheaper of the two by its first price is the dearer one since yesterday.
    let prices = format!(
        "prices = [{{ from = \"{yesterday}\", input_price = 8, output_price = 16 }}, {{ from = \"{next_year}\", input_price = 0 }}]\n"
    );
    let config = [
        backend("a", &server, ""),
        model("a/chat", 1, &prices),
        model("a/steady", 4, ""),
        built_in("cost", ""),
        "[routes.main]\npolicy = \"cost\"\n".to_owned(),
    ];
    let gateway = Gateway::start(&config.concat()).await;
    let answer = ask(&gateway, &chat("main", "hi")).await;
    assert_eq!((answer.status.as_u16(), answer.header("x-pointsman-model")), (200, Some("a/steady")));
    let cost = |answer: &client::Answer| {
        answer.header("x-pointsman-cost-usd").and_then(|cost| cost.parse::<f64>().ok()).expect("a cost")
    };
    assert!((cost(&answer) - (1_000.0 * 4.0 + 100.0 * 8.0) / 1e6).abs() < 1e-9);
    let answer = ask(&gateway, &chat("a/chat", "hi")).await;
    let expected = (1_000.0 * 8.0 + 100.0 * 16.0) / 1e6;
    assert!((cost(&answer) - expected).abs() < 1e-9, "{}", cost(&answer));

    let id = answer.header("x-pointsman-decision-id").expect("a decision");
    let record = client::get(&gateway.admin(&format!("/admin/decisions/{id}"))).await.json();
    assert_eq!(record["outcome"]["cost_usd"].as_f64().map(|cost| (cost - expected).abs() < 1e-9), Some(true));
    assert_eq!(status(&gateway, "a/chat").await["input_usd_per_million"], 8.0);
}

#[tokio::test]
async fn a_reload_puts_changed_dates_of_prices_in_force() {
    let server = FakeModel::saying("yes").await;
    let config = |from: &str| {
        let prices = format!("prices = [{{ from = \"{from}\", input_price = 8, output_price = 16 }}]\n");
        let tables = [backend("a", &server, ""), model("a/chat", 1, &prices), built_in("cost", "")];
        tables.concat() + "[routes.main]\npolicy = \"cost\"\n"
    };
    let gateway = Gateway::start(&config(&days_from_now(2))).await;
    assert_eq!(status(&gateway, "a/chat").await["input_usd_per_million"], 1.0);
    std::fs::write(gateway.config(), config(&days_from_now(-1))).expect("the configuration can be written");
    assert_eq!(client::post(&gateway.admin("/admin/reload"), &json!({})).await.status, 200);
    assert_eq!(status(&gateway, "a/chat").await["input_usd_per_million"], 8.0);
}
