//! `pointsman evaluate` and `pointsman learn`, on made-up data in which routing pays, and on recorded data.

use std::fmt::Write;
use std::path::Path;

use pointsman_tests::{command, recorded_data};
use serde_json::{Value, json};

use crate::author::Author;
use crate::command_line::texts;

/// Made-up requests: the small model writes poems as well as the large one, and fails at proofs.
fn data(rows: usize, salt: u64) -> String {
    let things = ["river", "winter", "clock", "garden", "train", "number", "circle", "field"];
    let mut text = String::new();
    let mut state = salt;
    let mut below = |bound: u64| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) % bound
    };
    for row in 0..rows {
        let (thing, other) = (things[below(8) as usize], things[below(8) as usize]);
        let is_proof = below(2) == 0;
        let content = if is_proof {
            format!("Prove that for every {thing} x there is a {other} y with f(x) = {row} y.")
        } else {
            format!("Write a short poem about a {thing} and {row} times a {other}.")
        };
        let score = |percent: u64, draw: u64| u8::from(draw < percent);
        let outcome = |score: u8, cost: f64| json!({"score": score, "input_tokens": 20, "output_tokens": 100, "cost_usd": cost});
        let small = score(if is_proof { 10 } else { 92 }, below(100));
        let line = json!({
            "id": row.to_string(),
            "category": if is_proof { "proof" } else { "poem" },
            "request": {"messages": [{"role": "user", "content": content}]},
            "outcomes": {"small": outcome(small, 1.2e-5), "large": outcome(score(90, below(100)), 1.2e-3)},
        });
        writeln!(text, "{line}").expect("text grows");
    }
    text
}

/// Runs `pointsman` in the folder of an author.
fn run(author: &Author, arguments: &[&str]) -> (Option<i32>, String, String) {
    let mut command = command();
    command.current_dir(author.path("")).env("POINTSMAN_CACHE", author.path(".cache"));
    let output = command.args(arguments).output().expect("the gateway's binary can be run");
    let (out, err) = texts(&output);
    (output.status.code(), out, err)
}

/// Runs a command that has to succeed, and returns its JSON.
fn report(author: &Author, arguments: &[&str]) -> Value {
    let (status, out, err) = run(author, arguments);
    assert_eq!(status, Some(0), "{arguments:?}: {out}{err}");
    serde_json::from_str(&out).expect("a report in JSON")
}

fn line<'r>(report: &'r Value, list: &str, name: &str) -> &'r Value {
    let lines = report[list].as_array().expect("lines");
    let is_named = |line: &&Value| line["name"].as_str().is_some_and(|found| found.starts_with(name));
    lines.iter().find(is_named).unwrap_or_else(|| panic!("no line {name} in {report:#}"))
}

fn number(value: &Value) -> f64 {
    value.as_f64().expect("a number")
}

#[test]
fn what_is_learnt_from_one_half_saves_on_the_other_without_loss() {
    let author = Author::new(&[("data.jsonl", &data(2400, 1))]);
    let learn = ["learn", "data.jsonl", "--half", "--familiar", "0.95", "-o", "learned.json", "--json"];
    let learnt = report(&author, &learn);
    assert_eq!(learnt["models"].as_array().map(Vec::len), Some(2), "{learnt:#}");
    assert!(number(&learnt["validation"]["saved"]["value"]) > 0.3, "{learnt:#}");
    let policies =
        ["--policy", "builtin:learned", "--settings", "learned.json", "--policy", "builtin:dynamic"];
    let evaluation = report(
        &author,
        &[&["evaluate", "data.jsonl", "--json", "--two", "large", "small"], &policies[..]].concat(),
    );
    let kept =
        [&["evaluate", "data.jsonl", "--json", "--two", "large", "small", "--keep-instances"], &policies[..]];
    assert_eq!(report(&author, &kept.concat()), evaluation);
    let learned = line(&evaluation, "policies", "builtin:learned");
    assert!(number(&learned["saved"]["low"]) > 0.3, "{evaluation:#}");
    assert!(number(&learned["difference"]["value"]) > -0.03, "{evaluation:#}");
    assert!(number(&learned["above_hull"]["low"]) > 0.0 && learned["models"] == 2, "{evaluation:#}");
    assert_eq!(line(&evaluation, "policies", "builtin:dynamic")["models"], 1, "{evaluation:#}");
    let best = line(&evaluation, "baselines", "always best: large");
    assert_eq!((number(&best["saved"]["value"]), number(&best["difference"]["value"])), (0.0, 0.0));
    let oracle = number(&line(&evaluation, "baselines", "oracle")["score"]["value"]);
    assert!(oracle >= number(&learned["score"]["value"]) && oracle > number(&evaluation["corrected_oracle"]));
    let two = evaluation["two_models"].as_array().expect("measures of two models");
    assert!(number(&two[0]["apgr"]) > 0.7 && (number(&two[1]["apgr"]) - 0.5).abs() < 0.05, "{evaluation:#}");
}

#[test]
fn quality_by_kind_lets_the_built_in_policies_route() {
    let author = Author::new(&[("data.jsonl", &data(1600, 2))]);
    let of = |arguments: &[&str]| {
        let all = [&["evaluate", "data.jsonl", "--json", "--policy", "builtin:dynamic"], arguments].concat();
        line(&report(&author, &all), "policies", "builtin:dynamic").clone()
    };
    assert_eq!(of(&[])["models"], 1);
    let routed = of(&["--by-kind"]);
    assert!(routed["models"] == 2 && number(&routed["saved"]["value"]) > 0.2, "{routed:#}");
}

#[test]
fn bounds_and_faults_have_their_exit_status() {
    let author = Author::new(&[
        ("data.jsonl", &data(200, 3)),
        ("broken.jsonl", "{\"id\": 1}\n"),
        ("few.jsonl", &data(20, 4)),
    ]);
    let text = |arguments: &[&str]| run(&author, arguments);
    let (status, out, _) =
        text(&["evaluate", "data.jsonl", "--policy", "builtin:cost", "--min-saved", "0.9"]);
    assert!(status == Some(0) && out.contains("builtin:cost chooses one model for all requests"), "{out}");
    let (status, out, err) =
        text(&["evaluate", "data.jsonl", "--policy", "builtin:cost", "--max-loss", "0.01"]);
    assert!(
        status == Some(1) && out.contains("always best") && err.contains("at most 0.01 is allowed"),
        "{err}"
    );
    let (status, _, err) = text(&["evaluate", "broken.jsonl"]);
    assert!(status == Some(2) && err.starts_with("error: broken.jsonl:1:8: ") && err.contains('^'), "{err}");
    let (status, _, err) = text(&["learn", "few.jsonl", "-o", "x.json"]);
    assert!(
        status == Some(1) && err.contains("20 rows with an outcome, and at least 100 are needed"),
        "{err}"
    );
    assert!(!author.path("x.json").exists());
    let (status, _, err) =
        text(&["evaluate", "data.jsonl", "--policy", "builtin:learned", "--settings", "{\"features\":9}"]);
    assert!(status == Some(3) && err.contains("learnt with feature set 9"), "{err}");
    let (status, _, err) = text(&["evaluate", "data.jsonl", "--two", "large", "tiny"]);
    assert!(status == Some(2) && err.contains("no model `tiny`"), "{err}");
    let (status, _, err) = text(&["evaluate", "data.jsonl", "--train", "data.jsonl"]);
    assert!(status == Some(2) && err.contains("0 to report on, after 200 leaks"), "{err}");
}

#[test]
fn a_rated_decision_log_is_learnt_from_and_its_table_is_a_configuration() {
    let mut log = String::new();
    let mut unrated = 0;
    for (row, line) in data(700, 5).lines().enumerate() {
        let graded: Value = serde_json::from_str(line).expect("a row");
        let model = if row % 3 == 0 { "large" } else { "small" };
        let probability = if row % 3 == 0 { 1.0 / 3.0 } else { 2.0 / 3.0 };
        let candidate = |name: &str, price: f64| {
            json!({"model": format!("fleet/{name}"), "input_usd_per_million": price, "output_usd_per_million": price,
                "inputs": ["text"], "abilities": [], "quality_by_task": {}, "attributes": {}, "healthy": true,
                "in_flight": 0, "error_rate": 0.0})
        };
        let target = usize::from(model == "large");
        let decision = json!({
            "schema": 1, "id": format!("d{row}"), "at_ms": row, "route": "auto",
            "request": {"operation": "chat", "model": "auto", "input_tokens": 20, "inputs": ["text"], "needs": [],
                "turns": 1, "streaming": false, "attributes": {}},
            "content": {"messages": [{"role": "user", "text": graded["request"]["messages"][0]["content"]}]},
            "decisions": [{"policy": "weighted", "asked_ms": 0.1, "took_us": 20.0, "whole": 2,
                "candidates": [candidate("small", 0.1), candidate("large", 10.0)],
                "answer": {"kind": "route", "targets": [{"candidate": target}], "label": "weighted",
                    "propensity": probability}}],
            "attempts": [],
            "outcome": {"ending": "complete", "label": "weighted", "model": format!("fleet/{model}"), "latency_ms": 5.0,
                "input_tokens": 20, "output_tokens": 100, "estimated": false,
                "cost_usd": graded["outcomes"][model]["cost_usd"]},
        });
        writeln!(log, "{decision}").expect("text grows");
        if row % 50 == 49 {
            unrated += 1;
            continue;
        }
        let feedback = json!({"kind": "feedback", "schema": 1, "decision": format!("d{row}"), "at_ms": row, "label": "weighted",
            "model": format!("fleet/{model}"), "score": graded["outcomes"][model]["score"]});
        let feedback = feedback.to_string().replacen("{", "{\"kind\":\"feedback\",", 1).replacen(
            ",\"kind\":\"feedback\"",
            "",
            1,
        );
        writeln!(log, "{feedback}").expect("text grows");
    }
    let author = Author::new(&[("log/decisions-1.jsonl", &log), ("data.jsonl", &data(400, 6))]);
    let learnt = report(&author, &["learn", "log", "-o", "learned.json", "--json"]);
    assert_eq!((&learnt["rows"], &learnt["is_log"]), (&json!(700 - unrated), &json!(true)), "{learnt:#}");
    assert_eq!(learnt["left_out"], json!([["not rated", unrated]]));
    let outcomes: u64 =
        learnt["models"].as_array().expect("models").iter().filter_map(|it| it["outcomes"].as_u64()).sum();
    assert_eq!(outcomes, 700 - unrated);
    // Names of the log have a backend, those of the data none.
    let settings = author.read("learned.json").replace("fleet/", "");
    author.write("learned.json", settings.as_bytes());
    let arguments =
        ["evaluate", "data.jsonl", "--json", "--policy", "builtin:learned", "--settings", "learned.json"];
    let evaluation = report(&author, &arguments);
    let learned = line(&evaluation, "policies", "builtin:learned");
    assert!(
        number(&learned["saved"]["value"]) > 0.2 && number(&learned["difference"]["value"]) > -0.06,
        "{evaluation:#}"
    );

    let (status, out, err) = run(&author, &["learn", "log", "-o", "learned.toml", "--folds", "0"]);
    assert!(status == Some(0) && out.contains("shadow the policy"), "{out}{err}");
    let fleet = "[backends.fleet]\nkind = \"simulated\"\n[models.\"fleet/small\"]\n[models.\"fleet/large\"]\n\
                 [routes.auto]\npolicy = \"learned\"\n";
    author.write("pointsman.toml", (author.read("learned.toml") + fleet).as_bytes());
    let (status, out, err) = run(&author, &["check", "pointsman.toml"]);
    assert_eq!(status, Some(0), "{out}{err}");
}

/// Bounds of the figures in the documents, with room for chance. The rows are halved by a hash of their messages.
#[test]
fn recorded_outcomes_are_routed_as_the_documents_say() {
    let Some(folder) = recorded_data() else { return };
    let routing = Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(folder).join("routing");
    let file = |name: &str| routing.join(name).display().to_string();
    let author = Author::new(&[]);
    let evaluate = |name: &str, more: &[&str]| {
        let data = file(name);
        let learn = [
            "learn",
            &data,
            "--half",
            "-o",
            "learned.json",
            "--json",
            "--answer-tokens",
            "256",
            "--folds",
            "0",
        ];
        report(&author, &learn);
        let policies = ["--policy", "builtin:learned", "--settings", "learned.json"];
        let arguments = ["evaluate", &data, "--json", "--by-kind", "--answer-tokens", "256"];
        report(&author, &[&arguments[..], &policies, more].concat())
    };
    let mixed = evaluate("ulab14_train.jsonl", &["--policy", "builtin:dynamic"]);
    let learned = line(&mixed, "policies", "builtin:learned");
    assert!(
        number(&learned["saved"]["value"]) > 0.4 && number(&learned["difference"]["value"]) > -0.025,
        "{learned:#}"
    );
    assert!(number(&learned["above_hull"]["low"]) > 0.0, "{learned:#}");
    let dynamic = line(&mixed, "policies", "builtin:dynamic");
    assert!(
        dynamic["models"].as_u64() > Some(1) && number(&dynamic["difference"]["value"]) > -0.03,
        "{dynamic:#}"
    );
    let exam = evaluate("mmlu_pro.jsonl", &[]);
    let learned = line(&exam, "policies", "builtin:learned");
    assert!(number(&learned["difference"]["value"]) > -0.03, "{learned:#}");
}
