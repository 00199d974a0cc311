//! History of usage: what survives a restart, what the API returns, and what becomes of a file that cannot be used.

use std::fs;
use std::path::PathBuf;

use pointsman_tests::client::{self, get, get_with};
use pointsman_tests::{FakeModel, Gateway, fresh_directory};
use serde_json::{Value, json};

use crate::fleet::{ask_with, chat, error, in_order, usage};
use crate::keys::key;

/// Gateway with two keys and a state directory that outlives it.
struct Setup {
    directory: PathBuf,
    config: String,
    _model: FakeModel,
}

impl Setup {
    async fn new(more: &str) -> Self {
        let (directory, model) = (fresh_directory(), FakeModel::saying("hello").await);
        let keys = key("alice", "pm-alice", "[\"*\"]") + &key("bob", "pm-bob", "[\"*\"]");
        let state = format!("[state]\ndir = \"{}\"\n", directory.display());
        Self { config: in_order(&[&model], more) + &keys + &state, directory, _model: model }
    }

    fn file(&self) -> PathBuf {
        self.directory.join("history.redb")
    }

    async fn start(&self) -> Gateway {
        Gateway::start(&self.config).await
    }
}

impl Drop for Setup {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.directory);
    }
}

/// Sends requests with the key of a client.
async fn request(gateway: &Gateway, name: &str, number: usize) {
    let bearer = format!("Bearer pm-{name}");
    for _ in 0..number {
        let answer = ask_with(gateway, &[("authorization", &bearer)], &chat("main", "hi")).await;
        assert_eq!(answer.status, 200, "{}", answer.json());
    }
}

async fn history(gateway: &Gateway, query: &str) -> Value {
    let answer = get(&gateway.admin(&format!("/admin/history{query}"))).await;
    assert_eq!(answer.status, 200, "{}", answer.json());
    answer.json()
}

/// Returns the names of the series with their requests.
fn requests(history: &Value) -> Vec<(Value, u64)> {
    let series = history["series"].as_array().expect("a list of series").iter();
    series.map(|one| (one["name"].clone(), one["requests"].as_u64().expect("a number"))).collect()
}

/// Returns a member of each point of a series, summed up.
fn over_points(series: &Value, member: &str) -> u64 {
    let points = series["points"].as_array().expect("a list of points").iter();
    points.map(|point| point[member].as_u64().expect("a number")).sum()
}

#[tokio::test]
async fn history_survives_restarts_and_a_kill() {
    let setup = Setup::new("").await;
    let gateway = setup.start().await;
    request(&gateway, "alice", 1).await;
    request(&gateway, "bob", 3).await;
    // The running step is included, by whichever member usage is grouped.
    let by_key = history(&gateway, "?by=key").await;
    assert_eq!(requests(&by_key), [(json!("bob"), 3), (json!("alice"), 1)]);
    assert_eq!(requests(&history(&gateway, "?by=model&key=bob").await), [(json!("a/chat"), 3)]);
    assert_eq!(requests(&history(&gateway, "?route=nobody").await), []);
    let spent: f64 = usage(&gateway).await.iter().filter_map(|line| line["cost_usd"].as_f64()).sum();
    let cost = by_key["totals"]["cost_usd"].as_f64().expect("an amount");
    assert!(spent > 0.0 && (cost - spent).abs() < 1e-12, "{cost} of {spent}");
    assert_eq!(gateway.stop().await.code(), Some(0));

    let gateway = setup.start().await;
    assert_eq!(usage(&gateway).await.len(), 0, "the sums since the start begin anew");
    let stored = history(&gateway, "?by=key").await;
    assert_eq!(stored["series"], by_key["series"]);
    assert_eq!(stored["storage"]["is_durable"], true);
    // The same step goes on, or another one has begun.
    request(&gateway, "alice", 4).await;
    let alice = &history(&gateway, "?by=key").await["series"][0];
    assert_eq!((&alice["name"], &alice["requests"]), (&json!("alice"), &json!(5)));
    assert_eq!((over_points(alice, "requests"), over_points(alice, "answered")), (5, 5));
    assert!(alice["mean_latency_ms"].as_f64().expect("a latency") > 0.0);
    // A kill loses what was not stored yet, at most a minute, and nothing else.
    gateway.signal("KILL");
    gateway.ended().await;
    let gateway = setup.start().await;
    let after = history(&gateway, "?by=key&points=false").await;
    let after: u64 = requests(&after).iter().map(|(_, requests)| requests).sum();
    assert!((4..=8).contains(&after), "{after}");
    request(&gateway, "bob", 1).await;
    let again = history(&gateway, "").await;
    assert_eq!(requests(&again), [(json!("main"), after + 1)]);
    let metrics = get(&gateway.admin("/metrics")).await;
    let metrics = String::from_utf8_lossy(&metrics.body);
    assert!(metrics.contains("pointsman_history_store_failures_total 0"), "{metrics}");
}

#[tokio::test]
async fn without_a_state_directory_history_is_in_memory() {
    let model = FakeModel::saying("hello").await;
    let gateway = Gateway::start(&in_order(&[&model], "")).await;
    request(&gateway, "nobody", 2).await;
    let history = history(&gateway, "?by=key").await;
    // No keys are configured, so no request has one.
    assert_eq!(requests(&history), [(Value::Null, 2)]);
    assert_eq!(history["storage"]["is_durable"], false);
    assert_eq!(history["storage"].get("error"), None);
}

#[tokio::test]
async fn a_file_that_cannot_be_used_is_reported_and_does_not_keep_the_gateway_from_serving() {
    let setup = Setup::new("").await;
    fs::write(setup.file(), "a text of somebody").expect("a file");
    let gateway = setup.start().await;
    gateway.logged("the history of usage is in memory").await;
    request(&gateway, "alice", 2).await;
    let seen = history(&gateway, "?by=key").await;
    assert_eq!(requests(&seen), [(json!("alice"), 2)]);
    assert_eq!(seen["storage"]["is_durable"], false);
    let reason = seen["storage"]["error"].as_str().expect("a reason");
    assert!(reason.contains(&setup.file().display().to_string()), "{reason}");
    assert_eq!(gateway.stop().await.code(), Some(0));
    assert_eq!(fs::read(setup.file()).expect("the file"), b"a text of somebody");

    // With the file moved away, a new one is begun.
    fs::rename(setup.file(), setup.directory.join("somebody.txt")).expect("a rename");
    let gateway = setup.start().await;
    let seen = history(&gateway, "").await;
    assert_eq!((&seen["storage"]["is_durable"], &seen["series"]), (&json!(true), &json!([])));
}

#[tokio::test]
async fn series_are_bounded_and_wrong_parameters_are_named() {
    let setup = Setup::new("").await;
    let gateway = setup.start().await;
    request(&gateway, "alice", 1).await;
    request(&gateway, "bob", 2).await;
    let limited = history(&gateway, "?by=key&limit=1").await;
    assert_eq!(requests(&limited), [(json!("bob"), 2)]);
    assert_eq!((&limited["other"]["names"], &limited["other"]["requests"]), (&json!(1), &json!(1)));
    assert_eq!(limited["totals"]["requests"], 3);
    let fortnight = limited["to"].as_u64().expect("a time") - 14 * 86_400;
    let long = history(&gateway, &format!("?from={fortnight}")).await;
    assert_eq!((&long["step"], &long["totals"]["requests"]), (&json!(2_700), &json!(3)));
    for (query, param) in [
        ("by=team", json!("by")),
        ("from=0", json!("from")),
        ("step=100", json!("step")),
        ("limit=100000", json!("limit")),
        ("from=yesterday", Value::Null),
        ("day=1", Value::Null),
    ] {
        let answer = get(&gateway.admin(&format!("/admin/history?{query}"))).await;
        let message = error(&answer, 400, "invalid_query");
        assert!(message.contains(query.split('=').next().expect("a name")), "{query}: {message}");
        assert_eq!(answer.json()["error"]["param"], param, "{query}");
    }
}

#[tokio::test]
async fn a_token_for_reading_reads_the_history() {
    let setup = Setup::new("[admin]\ntoken_env = \"OPERATORS\"\nread_token_env = \"READERS\"\n").await;
    let environment = [("OPERATORS", "let-me-in"), ("READERS", "let-me-see")];
    let gateway = Gateway::start_with(&setup.config, &environment).await;
    request(&gateway, "alice", 1).await;
    let url = gateway.admin("/admin/history?by=key");
    error(&get(&url).await, 401, "invalid_api_key");
    let answer = get_with(&url, &[("authorization", "Bearer let-me-see")]).await;
    assert_eq!((answer.status.as_u16(), requests(&answer.json())), (200, vec![(json!("alice"), 1)]));
    let changed = client::post_with(&url, &[("authorization", "Bearer let-me-see")], &Value::Null).await;
    assert_eq!(changed.status, 405);
}
