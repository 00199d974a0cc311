//! Responses of a gateway under light load, for tests.

use serde_json::{Value, json};

use super::feed::{FeedEvent, Update};
use super::state::TopState;
use crate::client::parse;

/// The gateway's clock, 2 hours after its start.
pub(super) const NOW_MS: u64 = 1_800_000_000_500;

/// Returns a state after an update.
pub(super) fn state() -> TopState {
    let mut state = TopState::new("http://127.0.0.1:8081".to_owned());
    state.apply(updated(overview(), decisions()), NOW_MS);
    state
}

/// Returns a state after an update of a gateway without requests.
pub(super) fn empty() -> TopState {
    let mut overview = overview();
    for sums in ["totals", "timeline"] {
        overview[sums] = json!({});
    }
    overview["changes"] = json!([]);
    overview["attention"] = json!([]);
    for model in overview["models"].as_array_mut().expect("models") {
        for figure in ["requests", "cost_usd", "in_flight"] {
            model[figure] = 0.into();
        }
    }
    let mut state = TopState::new("http://127.0.0.1:8081".to_owned());
    state.apply(updated(overview, json!([])), NOW_MS);
    state
}

pub(super) fn updated(overview: Value, decisions: Value) -> FeedEvent {
    let overview = parse(overview).expect("an overview");
    let decisions = parse(decisions).expect("decisions");
    FeedEvent::Updated(Ok(Box::new(Update { overview, decisions })))
}

pub(super) fn opened(record: Value) -> FeedEvent {
    let id = record["id"].as_str().expect("an id").to_owned();
    FeedEvent::Opened { id, record: Ok(Box::new(parse(record).expect("a record"))) }
}

fn model(id: &str, healthy: bool, requests: u64) -> Value {
    json!({
        "id": id, "healthy": healthy, "in_flight": 2, "first_token_ms": if healthy { json!(21.5) } else { json!(null) },
        "tokens_per_second": 80.0, "error_rate": if healthy { 0.0 } else { 0.4 }, "input_usd_per_million": 0.15,
        "output_usd_per_million": 0.6, "context_window": 8192, "requests": requests, "cost_usd": 0.012,
    })
}

pub(super) fn overview() -> Value {
    let sums = json!({
        "requests": 1500, "answered": 1490, "failed": 8, "cancelled": 2, "input_tokens": 9000, "output_tokens": 30000,
        "cost_usd": 1.25, "compared_cost_usd": 1.2, "baseline_cost_usd": 2.0,
    });
    // Every other second of the last minute, and the one that grows.
    let second = |back: u64| {
        json!({
            "at_ms": NOW_MS - 500 - back * 1_000, "requests": 2 + back % 5, "answered": 2 + back % 5,
            "failed": 0, "cancelled": 0, "cost_usd": 0.002, "latency_ms_p50": 200.0, "latency_ms_p95": 400.0 + back as f64,
            "models": { "fleet/llama-7b": 2 },
        })
    };
    let digest = "abcdef0123456789".repeat(4);
    let mut route = json!({
        "name": "auto", "policy": "cost", "version": "cost@abcdef012345", "models": ["fleet/llama-7b", "fleet/llama-70b"],
        "baseline": "fleet/llama-70b", "trial": { "policy": "vendor", "mode": "canary", "percent": 10.0, "suspended": false },
    });
    let members = route.as_object_mut().expect("an object");
    members.extend(sums.as_object().expect("an object").clone());
    json!({
        "attention": [
            { "level": "red", "kind": "model-down", "subject": { "model": "fleet/llama-70b" }, "since_ms": NOW_MS - 240_000,
                "message": "fleet/llama-70b is down: its last calls or probes failed" },
            { "level": "amber", "kind": "policy-rejected", "subject": { "policy": "cost" }, "message": "cost: a new version was rejected, and the one before decides: no `decide`" },
        ],
        "version": "0.1.0", "now_ms": NOW_MS, "started_ms": NOW_MS - 7_200_000, "totals": sums,
        "timeline": { "step_ms": 1000, "points": (0..30).rev().map(|nth| second(nth * 2)).collect::<Vec<_>>() },
        "models": [model("fleet/llama-7b", true, 1200), model("fleet/llama-70b", false, 290)],
        "routes": [route],
        "policies": [
            {
                "name": "cost", "source": "builtin:cost", "active": digest, "previous": null, "routes": ["auto"], "on_trial": [],
                "decisions": 1500, "failures": [["trap", 3]], "swaps": 1, "rejected": null, "previous_record": null,
                "active_record": { "decision_us_p50": 12.0, "decision_us_p99": 45.0 },
            },
            {
                "name": "vendor", "source": "vendor.wasm", "active": digest, "routes": [], "on_trial": ["auto"], "decisions": 150,
                "failures": [], "swaps": 0, "rejected": { "digest": null, "error": "no export `route`", "at": 1 },
                "active_record": { "decision_us_p50": null, "decision_us_p99": null },
            },
        ],
        "changes": [
            { "at": NOW_MS / 1_000 - 90, "who": { "admin": "ada" }, "action": "trial", "policy": "vendor", "route": "auto", "why": "ticket 7" },
            { "at": NOW_MS / 1_000 - 300, "who": "configuration", "action": "swap", "policy": "cost", "digest": digest, "from": "0123456789ab".repeat(5) },
        ],
        "last_reload": null,
    })
}

pub(super) fn decisions() -> Value {
    let decision = |number: u64, ending: &str, model: Option<&str>| {
        json!({
            "id": format!("id-{number}"), "at_ms": NOW_MS - 400 - number * 1_000, "route": "auto", "policy": "cost@abcdef012345",
            "label": "cheapest", "reason": "meets the floor at the lowest price", "ending": ending, "model": model,
            "attempts": 1, "tasks": null, "latency_ms": 210.0 + number as f64, "first_token_ms": 22.0, "cost_usd": 0.000_84,
            "error": if ending == "failed" { json!("every model failed") } else { json!(null) },
        })
    };
    json!([
        decision(1, "answered", Some("fleet/llama-7b")),
        decision(2, "failed", Some("fleet/llama-70b")),
        decision(3, "cancelled", None),
        decision(4, "answered", Some("fleet/llama-7b")),
    ])
}

/// Returns the record of the first decision.
pub(super) fn record() -> Value {
    let candidate = |model: &str, price: f64| {
        json!({
            "model": model, "input_usd_per_million": price, "output_usd_per_million": price * 4.0, "inputs": ["text"], "abilities": [],
            "quality": 0.7, "healthy": true, "in_flight": 1, "first_token_ms": 21.5, "error_rate": 0.0,
        })
    };
    json!({
        "schema": 1, "id": "id-1", "at_ms": NOW_MS - 1_400, "route": "auto", "key": "app",
        "request": {
            "operation": "chat", "model": "auto", "input_tokens": 42, "max_output_tokens": 256, "inputs": ["text"],
            "needs": ["tools"], "turns": 1, "streaming": true, "deadline_ms": 2000, "attributes": { "prefer": "cost" },
        },
        "decisions": [{
            "policy": "cost", "digest": "abcdef0123456789".repeat(4), "asked_ms": 0.2, "took_us": 12.3, "whole": 2,
            "candidates": [candidate("fleet/llama-70b", 0.9), candidate("fleet/llama-7b", 0.15)],
            "answer": {
                "kind": "route", "targets": [{ "candidate": 1 }], "label": "cheapest",
                "reason": "meets the floor at the lowest price", "hedge_after_ms": 300.0,
            },
        }],
        "attempts": [{
            "model": "fleet/llama-7b", "begun_ms": 0.3, "first_token_ms": 22.0, "ended_ms": 211.0, "result": "answered",
            "input_tokens": 42, "output_tokens": 120, "estimated": false, "cost_usd": 0.000_84,
        }],
        "plan": { "steps": 1, "critical_path": [0], "critical_path_ms": 210.0, "tasks": [{
            "number": 0, "name": "answer", "operation": "chat", "step": 1, "after": [], "status": "done", "model": "fleet/llama-7b",
            "attempts": 1, "begun_ms": 0.3, "ended_ms": 211.0, "input_tokens": 42, "output_tokens": 120, "cost_usd": 0.000_84,
            "error": null,
        }] },
        "outcome": {
            "ending": "answered", "label": "cheapest", "model": "fleet/llama-7b", "first_token_ms": 22.0, "latency_ms": 211.0,
            "added_ms": 0.3, "input_tokens": 42, "output_tokens": 120, "estimated": false, "cost_usd": 0.000_84,
            "baseline_model": "fleet/llama-70b", "baseline_cost_usd": 0.0021,
        },
    })
}
