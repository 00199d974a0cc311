//! `pointsman simulate` and `pointsman compare`, beside a gateway that serves the same configuration.

use std::path::Path;
use std::time::Duration;

use pointsman_tests::{Gateway, client};
use serde_json::{Value, json};

use crate::author::Author;
use crate::command_line::{run, texts};
use crate::decision_log::wait_for_records;
use crate::fleet::ask;

/// Requests of the run that a simulation is compared with. `POINTSMAN_SIMULATED_REQUESTS` sets another
/// number, such as 10,000 for the figures of the documentation.
const REQUESTS: usize = 250;
/// Requests a second of that run.
const RATE: f64 = 25.0;

/// A cheap model with few places, one that takes over, and some failures.
const FLEET: &str = "\
[backends.sim]
kind = \"simulated\"
[models.\"sim/cheap\"]
input_price = 10
output_price = 10
quality = 0.8
expected = { first_token_ms = 80, tokens_per_second = 100 }
simulate = { failure_rate = 0.03, capacity = 6, queue = 3 }
[models.\"sim/dear\"]
input_price = 30
output_price = 30
quality = 0.9
expected = { first_token_ms = 120, tokens_per_second = 80 }
[policies.cost]
source = \"builtin:cost\"
[routes.main]
policy = \"cost\"
backoff = \"20ms\"
";

fn json_of(arguments: &[&str]) -> Value {
    let output = run(arguments);
    let (out, err) = texts(&output);
    assert_eq!((output.status.code(), &*err), (Some(0), ""), "{arguments:?}: {out}");
    serde_json::from_str(&out).expect("JSON")
}

fn simulate(arguments: &[&str]) -> Value {
    json_of(&[&["simulate", "--json"], arguments].concat())
}

fn fails(arguments: &[&str]) -> (Option<i32>, String) {
    let output = run(arguments);
    (output.status.code(), texts(&output).1)
}

/// Sends requests at random times, and returns when all have ended.
async fn load(gateway: &Gateway, requests: usize) {
    let url = gateway.url("/v1/chat/completions");
    let start = tokio::time::Instant::now();
    // SplitMix64 would do as well; this needs no more than uneven times that are the same each run.
    let uneven = |number: usize| ((number * 7_919) % 1_000) as f64 / 1_000.0;
    let sent = (0..requests).map(|number| {
        let at = start + Duration::from_secs_f64((number as f64 + 3.0 * uneven(number)) / RATE);
        let words = "word ".repeat(20 + number % 50);
        let messages = json!([{ "role": "user", "content": format!("Tell me about {words}") }]);
        let body = json!({ "model": "main", "messages": messages, "max_tokens": 8 + number % 25 });
        let url = url.clone();
        tokio::spawn(async move {
            tokio::time::sleep_until(at).await;
            client::post(&url, &body).await.status
        })
    });
    for status in sent.collect::<Vec<_>>() {
        assert_eq!(status.await.expect("a request"), 200);
    }
}

#[tokio::test]
async fn a_simulation_of_the_same_requests_agrees_with_a_gateway() {
    let stated = std::env::var("POINTSMAN_SIMULATED_REQUESTS").ok();
    // A stated number is a measurement on a quiet machine. Beside other tests a gateway is slower than its
    // models, which cannot make it faster than the simulation.
    let least = if stated.is_some() { 0.9 } else { 0.3 };
    let requests = stated.map_or(REQUESTS, |number| number.parse().expect("a number"));
    let folder = Author::new(&[]);
    let log = folder.path("log");
    let gateway = Gateway::start(&format!("{FLEET}[decision_log]\ndir = \"{}\"\n", log.display())).await;
    load(&gateway, requests).await;
    let records = wait_for_records(&log, requests).await;
    let lines: Vec<String> = records.iter().map(Value::to_string).collect();
    folder.write("trace.jsonl", lines.join("\n").as_bytes());

    let config = gateway.config().display().to_string();
    let trace = folder.path("trace.jsonl").display().to_string();
    let report = simulate(&["--config", &config, "--trace", &trace]);
    let (simulated, recorded) = (&report["worlds"][0], &report["recorded"]);
    println!("simulated {simulated:#}\nrecorded {recorded:#}");
    assert_eq!((&simulated["answered"], &recorded["answered"]), (&json!(requests), &json!(requests)));
    let models = simulated["models"].as_array().expect("models");
    assert!(models.iter().all(|model| model["answered"].as_u64() > Some(0)), "{models:#?}");
    for figure in ["/mean_cost_usd", "/latency_ms/p50", "/latency_ms/p95"] {
        let value = |of: &Value| of.pointer(figure).and_then(Value::as_f64).expect(figure);
        let ratio = value(simulated) / value(recorded);
        assert!((least..=1.1).contains(&ratio), "{figure}: {simulated:#} {recorded:#}");
    }
}

#[test]
fn equal_seeds_give_equal_reports_and_another_one_does_not() {
    let report = |seed: &str| {
        let mut report = simulate(&["--requests", "500", "--seed", seed])["worlds"][0].take();
        let report = report.as_object_mut().expect("an object");
        report.retain(|name, _| !name.contains("wall"));
        json!(report)
    };
    assert_eq!(report("1"), report("1"));
    assert_ne!(report("1"), report("2"));
}

fn number(world: &Value, pointer: &str) -> f64 {
    world.pointer(pointer).and_then(Value::as_f64).unwrap_or_else(|| panic!("{pointer}: {world:#}"))
}

#[test]
fn what_ifs_change_what_they_should_and_show_both_worlds() {
    let worlds = |arguments: &[&str]| {
        let mut report = simulate(&[&["--requests", "1000"], arguments].concat());
        let worlds = report["worlds"].as_array_mut().expect("worlds");
        assert_eq!(worlds.len(), 2);
        (worlds[0].take(), worlds[1].take())
    };
    let (before, after) = worlds(&["--price", "fleet/llama-70b=1/1"]);
    assert_eq!(
        (&before["name"], &after["name"]),
        (&json!("as configured"), &json!("--price fleet/llama-70b=1/1"))
    );
    assert!(number(&after, "/mean_cost_usd") < number(&before, "/mean_cost_usd") / 10.0);

    let answered = |world: &Value, id: &str| {
        let models = world["models"].as_array().expect("models");
        models
            .iter()
            .find(|model| model["model"] == id)
            .map(|model| model["answered"].as_u64().expect("a number"))
    };
    let (before, after) = worlds(&["--without", "fleet/mistral-7b", "--without", "fleet/llama-7b"]);
    assert!(answered(&before, "fleet/mistral-7b").is_some(), "{before:#}");
    assert_eq!(answered(&after, "fleet/mistral-7b"), None);
    assert_eq!(after["answered"], before["answered"], "other models answer");

    let (before, after) = worlds(&["--load", "2", "--capacity", "7", "--rate", "5"]);
    assert!(number(&after, "/latency_ms/p95") > number(&before, "/latency_ms/p95"));
    assert!(number(&after, "/simulated_seconds") < number(&before, "/simulated_seconds") * 0.6);

    let (_, after) = worlds(&["--models", "50"]);
    assert_eq!(after["models"].as_array().map(Vec::len), Some(50));
    assert_eq!(after["failed"]["total"], 0);
}

#[test]
fn policies_that_plan_are_simulated_task_by_task() {
    for (route, calls, depth) in [("sequential", 3, 3), ("collaborate", 4, 2)] {
        let report = simulate(&["--route", route, "--requests", "50", "--input-tokens", "100"]);
        let world = &report["worlds"][0];
        assert_eq!(world["decision_failures"], json!({}), "{route}: {world:#}");
        assert_eq!(world["answered"], 50, "{route}: {world:#}");
        assert!(world["calls"].as_u64() >= Some(50 * calls), "{route}: {world:#}");
        assert!(world["largest_depth"].as_u64() >= Some(depth), "{route}: {world:#}");
    }
}

#[test]
fn other_policies_and_settings_are_tried_without_changing_the_configuration() {
    let models = |arguments: &[&str]| {
        let report = simulate(&[&["--requests", "200", "--route", "cost"], arguments].concat());
        report["worlds"][0]["models"].as_array().expect("models").clone()
    };
    let answered = |models: &[Value], id: &str| {
        models.iter().find(|model| model["model"] == id).map(|model| model["answered"].clone())
    };
    let floor = models(&["--settings", r#"{"quality_floor": 0.8}"#]);
    assert_eq!(answered(&floor, "fleet/llama-70b"), Some(json!(200)));
    let fastest = models(&["--policy", "builtin:performance", "--keep-instances"]);
    assert_ne!(answered(&fastest, "fleet/llama-70b"), Some(json!(200)));
}

#[test]
fn wrong_input_is_reported_with_its_place() {
    let author = Author::new(&[(
        "trace.csv",
        "TIMESTAMP,ContextTokens,GeneratedTokens\n2023-11-16 18:15:46.68,374,44\n2023-11-16 18:15:47,x,1\n",
    )]);
    let trace = author.path("trace.csv").display().to_string();
    let (status, error) = fails(&["simulate", "--trace", &trace]);
    assert!(error.contains("trace.csv:3:21") && error.contains("\"x\" is not a number of tokens"), "{error}");
    assert_eq!(status, Some(2));
    for (arguments, reason) in [
        (&["simulate", "--route", "cots"][..], "did you mean `cost`?"),
        (&["simulate", "--without", "fleet/nobody"], "--without: there is no model of the route"),
        (&["simulate", "--price", "fleet/llama-7b"], "expected MODEL=NUMBER/NUMBER"),
        (&["simulate", "--rate", "0"], "expected requests a second"),
        (&["simulate", "--policy", "builtin:nobody"], "there is no built-in policy"),
        (&["compare", "#nobody"], "no route or model `nobody`"),
    ] {
        let (status, error) = fails(arguments);
        assert_eq!(status, Some(2), "{arguments:?}: {error}");
        assert!(error.contains(reason), "{arguments:?}: {error}");
    }
    let (status, error) = fails(&["simulate", "--settings", r#"{"quality_flor": 1}"#]);
    assert_eq!(status, Some(3), "{error}");
}

#[test]
fn a_comparison_rates_complexity_by_measured_facts() {
    let arguments = ["#cost", "#collaborate", "--requests", "100", "--input-tokens", "100"];
    let payback = ["--requests-per-month", "2000000", "--one-off-usd", "1000"];
    let report = json_of(&[&["compare", "--json"], &arguments[..], &payback[..]].concat());
    let [cost, collaborate] = report["sides"].as_array().map(Vec::as_slice).expect("sides") else {
        panic!("{report:#}");
    };
    assert_eq!((&cost["rating"], &cost["complexity"]["calls"]), (&json!("low"), &json!(1.0)));
    assert_eq!((&cost["largest_depth"], &cost["payback"]), (&json!(1), &Value::Null));
    assert!(
        number(collaborate, "/complexity/calls") > 3.0
            && number(collaborate, "/points") > number(cost, "/points")
    );
    assert_eq!(collaborate["complexity"]["several_calls"], 1.0);
    assert!(number(collaborate, "/mean_cost_usd") > number(cost, "/mean_cost_usd"));
    assert_eq!(collaborate["payback"]["months"], Value::Null, "it saves nothing");
    let monthly = number(cost, "/mean_cost_usd") * 2e6;
    assert!((number(cost, "/monthly_cost_usd") / monthly - 1.0).abs() < 1e-9);
    assert!(
        number(cost, "/complexity/policy_lines") > 10.0
            && number(cost, "/complexity/configuration_lines") > 50.0
    );

    let reversed = ["#collaborate", "#cost", "--requests", "100", "--input-tokens", "100"];
    let report = json_of(&[&["compare", "--json"], &reversed[..], &payback[..]].concat());
    assert!(number(&report["sides"][1], "/payback/months") > 0.0);
    let output = run(&[&["compare"], &arguments[..]].concat());
    let (text, _) = texts(&output);
    for row in ["cost a month", "latency p99 ms", "depth largest", "complexity", "payback against #cost"] {
        assert!(text.contains(row), "{row}: {text}");
    }
}

#[test]
fn recorded_outcomes_give_a_comparison_the_scores_of_answers() {
    let outcome = |score, cost, output_tokens| json!({ "score": score, "input_tokens": 50, "output_tokens": output_tokens, "cost_usd": cost });
    let row = |number: usize| {
        let (cheap, dear) = (outcome(number % 2, 0.001, 40), outcome(1, 0.004, 80));
        let message = json!({ "role": "user", "content": format!("What is {number} and 1?") });
        json!({ "id": number.to_string(), "request": { "messages": [message] }, "outcomes": { "cheap": cheap, "sim/dear": dear } })
    };
    let rows: String = (0..40).map(|number| format!("{}\n", row(number))).collect();
    let author = Author::new(&[("fleet.toml", FLEET), ("graded.jsonl", &rows)]);
    let [file, graded] = ["fleet.toml", "graded.jsonl"].map(|name| author.path(name).display().to_string());
    let sides = ["sim/cheap", "sim/dear"].map(|model| format!("{file}#{model}"));
    let arguments = [&sides[0], &sides[1], "--graded", &graded, "--rate", "2"];
    let report = json_of(&[&["compare", "--json"], &arguments[..]].concat());
    assert_eq!(report["requests"], 40);
    let [cheap, dear] = report["sides"].as_array().map(Vec::as_slice).expect("sides") else {
        panic!("{report:#}");
    };
    assert_eq!((&dear["recorded_quality"], &dear["scored_answers"]), (&json!(1.0), &json!(40)));
    // Calls of the cheap model fail, and no other takes over, so some of its scores are missing.
    let scored = number(cheap, "/scored_answers");
    assert_eq!(scored, number(cheap, "/answered"));
    assert!((number(cheap, "/recorded_quality") - 0.5).abs() < 0.2, "{cheap:#}");
    assert!(
        (number(dear, "/mean_cost_usd") - 130.0 * 30e-6).abs() < 1e-9,
        "tokens are those recorded: {dear:#}"
    );
    let (text, _) = texts(&run(&[&["compare"], &arguments[..]].concat()));
    assert!(text.contains("recorded quality") && text.contains("1.000"), "{text}");

    let both = ["simulate", "--graded", &graded, "--cases", &graded];
    assert_eq!(fails(&both).0, Some(2));
    let broken = author.path("broken.jsonl");
    std::fs::write(&broken, "{\"id\": 3}\n").expect("a file");
    let (status, error) = fails(&["simulate", "--graded", &broken.display().to_string()]);
    assert!(status == Some(2) && error.contains("broken.jsonl:1:"), "{error}");
}

#[tokio::test]
async fn routes_of_a_running_gateway_are_compared_by_real_requests() {
    let fast =
        FLEET.replace("first_token_ms = 80", "first_token_ms = 1").replace("failure_rate = 0.03, ", "");
    let fast = fast
        .replace("first_token_ms = 120", "first_token_ms = 1")
        .replace("_second = 100", "_second = 100000");
    let gateway = Gateway::start(&fast).await;
    let url = gateway.url("");
    let arguments = ["compare", "main", "sim/dear", "--json", "--live", &url, "--requests", "20"];
    let lengths = ["--input-tokens", "20", "--output-tokens", "20"];
    let arguments = [&arguments[..], &lengths[..]].concat();
    let report = json_of(&arguments);
    let sides = report["sides"].as_array().expect("sides");
    assert_eq!((&sides[0]["answered"], &sides[1]["answered"]), (&json!(20), &json!(20)));
    assert!(number(&sides[1], "/mean_cost_usd") > 2.0 * number(&sides[0], "/mean_cost_usd"));
    assert!(number(&sides[0], "/latency_ms/p50") > 0.0);
    assert_eq!(sides[0]["calls_by_model"], json!({ "sim/cheap": 20 }));
    let refused = ["compare", "nobody", "--live", &url, "--requests", "2"];
    let (status, error) = fails(&refused);
    assert_eq!(status, Some(1), "{error}");
    assert!(error.contains("there is no route or model `nobody`"), "{error}");
}

#[tokio::test]
async fn the_admin_api_has_the_trade_off_of_the_routes_from_their_requests() {
    let more =
        "[policies.sequential]\nsource = \"builtin:sequential\"\n[routes.chain]\npolicy = \"sequential\"\n";
    let fast = format!("{FLEET}{more}").replace("failure_rate = 0.03, ", "");
    let fast = fast
        .replace("_ms = 80", "_ms = 1")
        .replace("_ms = 120", "_ms = 1")
        .replace("_second = 100", "_second = 100000");
    let fast = fast.replace("_second = 80", "_second = 100000");
    let gateway = Gateway::start(&fast).await;
    let get = async |query: &str| client::get(&gateway.admin(&format!("/admin/trade-off{query}"))).await;
    assert_eq!(get("").await.json()["routes"], json!([]));
    for route in ["main", "main", "chain"] {
        let messages = json!([{ "role": "user", "content": "hello" }]);
        assert_eq!(ask(&gateway, &json!({ "model": route, "messages": messages })).await.status, 200);
    }
    let found = loop {
        // A request is recorded after its answer.
        let found = get("?requests_per_month=1000&one_off_usd=10&against=chain").await.json();
        if found["routes"].as_array().is_some_and(|routes| routes.len() == 2 && routes[0]["answered"] == 2) {
            break found;
        }
        tokio::task::yield_now().await;
    };
    let [main, chain] = found["routes"].as_array().map(Vec::as_slice).expect("routes") else {
        panic!("{found:#}");
    };
    assert_eq!(
        (&main["route"], &main["rating"], &main["calls"]),
        (&json!("main"), &json!("low"), &json!(1.0))
    );
    assert_eq!((&chain["calls"], &chain["depth"]), (&json!(3.0), &json!(3.0)));
    assert_eq!((&chain["several_calls"], &chain["providers"]), (&json!(1.0), &json!(1)));
    let saving = 1_000.0 * (number(chain, "/mean_cost_usd") - number(main, "/mean_cost_usd"));
    assert!((number(main, "/monthly_saving_usd") - saving).abs() < 1e-9);
    assert!((number(main, "/payback_months") * saving - 10.0).abs() < 1e-6);
    assert_eq!(chain["payback_months"], Value::Null, "a route saves nothing against itself");
    let unknown = get("?against=nobody").await;
    assert_eq!((unknown.status.as_u16(), &unknown.json()["error"]["code"]), (404, &json!("unknown_route")));
    for nonsense in ["?one_off_usd=-1", "?requests_per_month=x", "?nonsense=1"] {
        assert_eq!(get(nonsense).await.status, 400, "{nonsense}");
    }
}

#[test]
fn the_scenarios_of_the_examples_are_simulated() {
    let scenarios = Path::new(env!("CARGO_MANIFEST_DIR")).join("../examples/scenarios");
    for (file, route) in [("cost-saving", "assistant"), ("multimodal", "helpdesk"), ("agents", "panel")] {
        let config = scenarios.join(format!("{file}.toml")).display().to_string();
        let cases = scenarios.join("requests").join(format!("{file}.toml")).display().to_string();
        let report = simulate(&[
            "--config",
            &config,
            "--route",
            route,
            "--cases",
            &cases,
            "--requests",
            "100",
            "--output-tokens",
            "60",
        ]);
        let world = &report["worlds"][0];
        assert_eq!((&world["answered"], &world["decision_failures"]), (&json!(100), &json!({})), "{world:#}");
    }
}
