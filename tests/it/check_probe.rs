//! `pointsman check --probe`: the backends of a configuration, as they are.

use std::path::PathBuf;
use std::process::Output;

use pointsman_tests::{FakeModel, Step, command, fresh_directory};
use serde_json::{Value, json};

use crate::command_line::texts;

const KEY: &str = "sk-of-the-probe";

/// Kinds with a server, and the list of models of each.
const KINDS: [&str; 4] = ["openai", "azure", "anthropic", "gemini"];

/// A configuration in a folder of its own, removed when dropped.
struct Configuration(PathBuf);

impl Configuration {
    fn new(text: &str) -> Self {
        let folder = fresh_directory();
        std::fs::write(folder.join("pointsman.toml"), text).expect("the configuration can be written");
        Self(folder)
    }

    fn probe(&self, arguments: &[&str]) -> Output {
        let mut check = command();
        check.current_dir(&self.0).args(["check", "--probe"]).args(arguments).env("PROBE_KEY", KEY);
        check.output().expect("the gateway's binary can be run")
    }

    /// Runs the check with `--json`, and returns the exit status, the report and standard error.
    fn report(&self, arguments: &[&str]) -> (Option<i32>, Value, String) {
        let output = self.probe(&[&["--json"], arguments].concat());
        let (out, err) = texts(&output);
        assert!(!out.contains(KEY) && !err.contains(KEY), "the key is shown: {out}{err}");
        (output.status.code(), serde_json::from_str(&out).expect("standard output is JSON"), err)
    }
}

impl Drop for Configuration {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

fn backend(name: &str, kind: &str, base_url: &str) -> String {
    format!("[backends.{name}]\nkind = \"{kind}\"\nbase_url = \"{base_url}\"\napi_key_env = \"PROBE_KEY\"\n")
}

fn model(id: &str) -> String {
    format!("[models.\"{id}\"]\ninput_price = 1\noutput_price = 2\n")
}

const ROUTE: &str = "[routes.main]\npolicy = \"builtin:cost\"\n";

fn list(kind: &str, names: &[&str]) -> Step {
    let entries = |member: &str, prefix: &str| -> Vec<Value> {
        names.iter().map(|name| json!({ member: format!("{prefix}{name}") })).collect()
    };
    match kind {
        "gemini" => Step::json(&json!({ "models": entries("name", "models/") })),
        _ => Step::json(&json!({ "object": "list", "data": entries("id", "") })),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn backends_that_list_their_models_are_fine() {
    let mut servers = Vec::new();
    let mut text = "[backends.simulated]\nkind = \"simulated\"\n".to_owned() + &model("simulated/small");
    for kind in KINDS {
        let server = FakeModel::always(list(kind, &["small", "large"])).await;
        text += &backend(kind, kind, &server.base_url());
        text += &model(&format!("{kind}/small"));
        servers.push(server);
    }
    let configuration = Configuration::new(&(text + ROUTE));
    let (status, report, err) = configuration.report(&[]);
    assert_eq!((status, err.as_str(), &report["ok"]), (Some(0), "", &json!(true)), "{report}");
    let backends = report["backends"].as_array().expect("a list");
    assert_eq!(backends.len(), 5);
    for backend in backends {
        let (name, found) = (backend["name"].as_str(), backend["models"][0]["status"].as_str());
        let (result, expected) = match name {
            Some("simulated") => ("simulated", "listed"),
            // Deployments have other names than the models that are listed.
            Some("azure") => ("ok", "unknown"),
            _ => ("ok", "listed"),
        };
        assert_eq!((backend["status"].as_str(), found), (Some(result), Some(expected)), "{backend}");
        assert_eq!(backend["latency_ms"].is_u64(), name != Some("simulated"), "{backend}");
    }
    let headers = ["authorization", "api-key", "x-api-key", "x-goog-api-key"];
    for (server, header) in servers.iter().zip(headers) {
        let sent = server.request(1).await.headers[header].to_str().expect("a text").to_owned();
        assert!(sent.ends_with(KEY), "{header}: {sent}");
    }

    let output = configuration.probe(&[]);
    let (out, err) = texts(&output);
    assert_eq!((output.status.code(), err.as_str()), (Some(0), ""), "{out}");
    assert!(out.starts_with("BACKEND    KIND       RESULT     LATENCY"), "{out}");
    assert!(
        out.ends_with("pointsman.toml: ok (backends: 5, models: 5, policies: 1, routes: 1, keys: 0)\n"),
        "{out}"
    );
    assert!(out.contains("1 of 1 listed") && out.contains("azure: its list does not show"), "{out}");
}

#[tokio::test(flavor = "multi_thread")]
async fn each_fault_of_each_kind_has_a_status_of_its_own() {
    let wrong_key = json!({ "error": { "message": format!("Incorrect API key provided: {KEY}") } });
    let page = Step::bytes("text/html", "<!doctype html><title>Welcome</title>");
    let mut down = FakeModel::saying("").await;
    down.go_down().await;
    let stranger = FakeModel::builder().tls().start().await;
    for kind in KINDS {
        let rejecting = FakeModel::always(Step::json(&wrong_key).with_status(401)).await;
        let forbidding = FakeModel::always(Step::json(&wrong_key).with_status(403)).await;
        let lost = FakeModel::always(Step::status(404)).await;
        let site = FakeModel::always(page.clone()).await;
        let other = FakeModel::always(Step::json(&json!({ "hello": "world" }))).await;
        let failing = FakeModel::always(Step::status(503)).await;
        let unresolved = format!("http://{}.test/v1", "a".repeat(64));
        let cases = [
            ("rejecting", rejecting.base_url(), "wrong-key", None),
            ("forbidding", forbidding.base_url(), "wrong-key", None),
            ("lost", lost.base_url(), "wrong-base-url", None),
            ("site", site.base_url(), "wrong-base-url", None),
            ("other", other.base_url(), "wrong-base-url", None),
            ("failing", failing.base_url(), "failed", None),
            ("down", down.base_url(), "unreachable", Some("refused")),
            ("unresolved", unresolved, "unreachable", Some("dns")),
            ("stranger", stranger.base_url(), "unreachable", Some("tls")),
        ];
        let mut text = String::new();
        for (name, url, ..) in &cases {
            text += &backend(name, kind, url);
            text += &model(&format!("{name}/small"));
        }
        let (status, report, err) = Configuration::new(&(text + ROUTE)).report(&[]);
        assert_eq!((status, &report["ok"]), (Some(1), &json!(false)));
        for ((name, _, expected, cause), backend) in
            cases.iter().zip(report["backends"].as_array().expect("a list"))
        {
            assert_eq!(backend["name"], *name);
            assert_eq!(
                (&backend["status"], &backend["cause"]),
                (&json!(expected), &json!(cause)),
                "{kind}: {backend}"
            );
            assert!(err.contains(&format!("error: backend `{name}`")), "{err}");
        }
        assert!(err.contains(" --> pointsman.toml:4:15\n"), "the variable of the key is shown: {err}");
        assert!(err.contains("api_key_env = \"PROBE_KEY\""), "{err}");
        assert!(err.contains("9 errors in pointsman.toml"), "{err}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_absent_model_is_reported_at_its_table_with_similar_names() {
    for kind in ["openai", "anthropic", "gemini"] {
        let server = FakeModel::always(list(kind, &["small-2", "large"])).await;
        let text = backend("a", kind, &server.base_url()) + &model("a/small-3") + &model("a/large") + ROUTE;
        let configuration = Configuration::new(&text);
        let (status, report, err) = configuration.report(&[]);
        assert_eq!((status, &report["backends"][0]["status"]), (Some(1), &json!("models-absent")));
        let absent =
            json!({ "id": "a/small-3", "name": "small-3", "status": "absent", "nearest": ["small-2"] });
        assert_eq!(report["backends"][0]["models"][0], absent);
        for expected in [
            "error: backend `a` does not list the model `small-3`\n --> pointsman.toml:5:9\n",
            "hint: did you mean `small-2`?",
        ] {
            assert!(err.contains(expected), "{err}");
        }
        let (out, _) = texts(&configuration.probe(&[]));
        assert!(out.contains("models absent") && out.contains("1 of 2 listed"), "{out}");
        assert!(!out.contains(": ok ("), "{out}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_without_a_list_is_no_fault() {
    let script = |request: &pointsman_tests::Request| match request.method.as_str() {
        "GET" => Step::status(404),
        _ => Step::status(400),
    };
    let server = FakeModel::builder().otherwise(script).start().await;
    let deployment = format!("{}/openai/deployments/mine", server.base_url());
    let text = backend("a", "openai", &server.base_url())
        + &model("a/small")
        + &backend("b", "openai", &deployment)
        + &model("b/mine")
        + ROUTE;
    let configuration = Configuration::new(&text);
    let (status, report, _) = configuration.report(&[]);
    assert_eq!((status, &report["backends"][0]["status"]), (Some(0), &json!("no-list")));
    assert_eq!(report["backends"][1]["status"], json!("not-probed"));
    let (out, _) = texts(&configuration.probe(&[]));
    assert!(out.contains("a: its API has no list of models") && out.contains("1 not compared"), "{out}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_hangs_costs_its_own_time_limit_only() {
    let hanging = FakeModel::always(Step::hang()).await;
    let mut text = String::new();
    for name in ["a", "b", "c"] {
        text += &backend(name, "openai", &hanging.base_url());
        text += &model(&format!("{name}/small"));
    }
    let (status, report, _) = Configuration::new(&(text + ROUTE)).report(&["--probe-timeout", "1"]);
    assert_eq!(status, Some(1));
    for backend in report["backends"].as_array().expect("a list") {
        assert_eq!((&backend["status"], &backend["cause"]), (&json!("unreachable"), &json!("timeout")));
    }
    // Each got a request although none answered.
    assert_eq!(hanging.request(3).await.path, "/v1/models");
}

#[test]
fn the_options_of_the_probe_need_the_probe() {
    for arguments in [&["check", "--json"][..], &["check", "--probe", "--probe-timeout", "0"]] {
        assert_eq!(command().args(arguments).output().expect("it can be run").status.code(), Some(2));
    }
}
