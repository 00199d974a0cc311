//! Descriptions of policies: shown, held against settings, and never fatal.

use std::fs;

use http::Method;
use pointsman_guests::{FIRST, version};
use pointsman_tests::client;
use pointsman_tests::{Gateway, fresh_directory};
use serde_json::{Value, json};

use crate::author::Author;
use crate::command_line::{check, run, texts};
use crate::fleet::{ask, built_in, chat, error};
use crate::policy_file::{PolicyFile, described};

const FLEET: &str =
    "[backends.a]\nkind = \"simulated\"\n[models.\"a/chat\"]\ninput_price = 1\noutput_price = 2\n";
const ROUTE: &str = "[routes.main]\npolicy = \"weighted\"\n";

/// A policy with two settings that its schema rejects.
fn misfit() -> String {
    let settings =
        "[policies.weighted.settings]\nstiky = true\nweights = { \"a/*\" = 1, \"a/chat\" = \"x\" }\n";
    [FLEET, &built_in("weighted", ""), settings, ROUTE].concat()
}

/// The problems, with the lines that the configuration has them in.
fn expected(config: &str, file: &str) -> String {
    let line = |text: &str| config.lines().position(|line| line.starts_with(text)).expect("the line") + 1;
    let (first, second) = (line("stiky"), line("weights"));
    let margin = " ".repeat(first.to_string().len());
    format!(
        "error: policy `weighted`: there is no setting `stiky`
{margin}--> {file}:{first}:1
{margin} |
{first} | stiky = true
{margin} | ^^^^^
{margin} = hint: did you mean `sticky`?

error: policy `weighted`: setting `weights.\"a/chat\"`: expected a number from 0 to 1000000000, found \"x\"
{margin}--> {file}:{second}:35
{margin} |
{second} | weights = {{ \"a/*\" = 1, \"a/chat\" = \"x\" }}
{margin} |                                   ^^^

2 errors in {file}"
    )
}

#[test]
fn settings_that_do_not_fit_the_schema_prevent_the_start_with_line_and_caret() {
    let directory = fresh_directory();
    let path = directory.join("pointsman.toml").display().to_string();
    fs::write(&path, misfit()).expect("a configuration");
    let any = "127.0.0.1:0";
    for arguments in
        [vec!["check", &path], vec!["serve", "--config", &path, "--listen", any, "--admin-listen", any]]
    {
        let output = run(&arguments);
        let (out, err) = texts(&output);
        assert_eq!((output.status.code(), out.as_str()), (Some(2), ""), "{err}");
        assert!(err.contains(&expected(&misfit(), &path)), "{err}");
    }
}

#[tokio::test]
async fn a_reload_with_settings_that_do_not_fit_is_rejected_with_line_and_caret() {
    let good = misfit().replace("stiky", "sticky").replace("\"x\"", "3");
    let gateway = Gateway::start(&good).await;
    let path = gateway.config().display().to_string();
    let bad = fs::read_to_string(&path)
        .expect("the configuration")
        .replace("sticky", "stiky")
        .replace("= 3 }", "= \"x\" }");
    fs::write(&path, &bad).expect("the configuration can be written");
    let answer = client::post(&gateway.admin("/admin/reload"), &Value::Null).await;
    assert_eq!(answer.status, 422);
    let report = answer.json().to_string();
    let shown = serde_json::to_string(&expected(&bad, &path)).expect("text");
    assert!(report.contains(shown.trim_matches('"')), "{report}");
    assert_eq!(ask(&gateway, &chat("main", "hi")).await.status, 200);
}

/// A policy whose label has to be short.
const SHORT_LABELS: &str =
    r#"{"title":"Short","settings":{"properties":{"label":{"type":"string","maxLength":4}}}}"#;
const FAULTY: &str =
    r#"{"title":"Fau\u001blty","labels":[{"name":"not a label","meaning":"x"}],"settings":{"type":"tabel"}}"#;

fn of_file(file: &PolicyFile, settings: &str) -> String {
    format!(
        "{FLEET}[policies.mine]\nlimits.deadline = \"60s\"\nsource = \"{}\"\n{settings}[routes.main]\npolicy = \"mine\"\n",
        file.path().display()
    )
}

#[tokio::test]
async fn a_faulty_description_is_reported_everywhere_and_the_policy_serves() {
    let file = PolicyFile::new(&described(FIRST, FAULTY));
    let path = file.path().display().to_string();
    let (out, err) = texts(&check(&of_file(&file, "")));
    assert!(out.contains(": ok ("), "{out}{err}");
    assert!(err.contains("warning: policy `mine`: its description is faulty: `settings.type`: "), "{err}");

    let (out, err) = texts(&run(&["policy", "inspect", &path]));
    assert!(out.contains("  fault in its description: `settings.type`: ") && err.is_empty(), "{out}{err}");
    assert!(out.contains(r"Fau\u{1b}lty") && !out.contains('\u{1b}'), "{out}");
    let (json, _) = texts(&run(&["policy", "inspect", "--json", &path]));
    let inspection: Value = serde_json::from_str(&json).expect("JSON");
    assert_eq!(inspection["description"], json!({ "title": r"Fau\u{1b}lty" }));
    assert_eq!(inspection["description_problems"].as_array().map(Vec::len), Some(2));

    let gateway = Gateway::start(&of_file(&file, "")).await;
    assert_eq!(ask(&gateway, &chat("main", "hi")).await.status, 200);
    assert!(
        gateway.log().contains("faults in the description of the policy are ignored"),
        "{}",
        gateway.log()
    );
    for address in ["/admin/policies", "/admin/policies/mine"] {
        let status = client::get(&gateway.admin(address)).await.json();
        let policy = if status["policies"].is_array() { &status["policies"][0] } else { &status };
        assert_eq!(policy["description"]["title"], r"Fau\u{1b}lty");
        assert_eq!(policy["description"]["problems"].as_array().map(Vec::len), Some(2));
    }
    let overview = client::get(&gateway.admin("/admin/overview")).await.json();
    assert!(overview["policies"][0].is_object() && overview["policies"][0]["description"].is_null());
}

#[tokio::test]
async fn an_upload_whose_schema_the_settings_do_not_fit_is_rejected() {
    let file = PolicyFile::new(&version(1));
    let gateway = Gateway::start(&of_file(&file, "settings = { label = \"long-label\" }\n")).await;
    let url = gateway.admin("/admin/policies/mine/code");
    let uploaded = client::call(Method::PUT, &url, &[], described(&version(2), SHORT_LABELS)).await;
    let message = error(&uploaded, 422, "rejected");
    assert_eq!(
        message,
        "the settings do not fit the schema of the policy: setting `label`: expected a string of at most 4 characters, \
         found \"long-label\""
    );
    let answer = ask(&gateway, &chat("main", "hi")).await;
    assert_eq!(answer.header("x-pointsman-route"), Some("long-label"));
}

#[test]
fn inspect_shows_labels_and_settings_of_a_policy() {
    let (out, _) = texts(&run(&["policy", "inspect", "builtin:cost"]));
    for expected in [
        "  says     Cheapest that is good enough\n",
        "  labels                    when\n",
        "  best:below-floor          All models are rated, and none reaches the floor.\n",
        "  settings       expected              default  meaning\n",
        "  quality_floor  a number from 0 to 1  0        Least quality that will do; 0 asks nothing.\n",
    ] {
        assert!(out.contains(expected), "{out}");
    }
}

#[test]
fn commands_for_authors_hold_settings_against_the_schema() {
    let author = Author::new(&[("one.json", r#"{"candidates":[{"id":"a/b"}],"expect":{"target":"a/b"}}"#)])
        .with("policy.wasm", &described(FIRST, SHORT_LABELS));
    for verb in ["run", "bench"] {
        let (status, _, err) =
            author.run(&[verb, "policy.wasm", "--case", "one.json", "--settings", r#"{"label":"too long"}"#]);
        assert_eq!(status, Some(3), "{err}");
        assert!(
            err.contains("setting `label`: expected a string of at most 4 characters, found \"too long\""),
            "{err}"
        );
    }
}

#[test]
fn a_folder_of_policies_becomes_a_page_without_scripts() {
    let hostile = r#"{"title":"</title><script>alert(1)</script>","homepage":"https://example.org/?a=1&b=2",
        "labels":[{"name":"x","meaning":"<b>\"'&"}],"settings":{"properties":{"a":{"default":"<i>"}}}}"#;
    let author = Author::new(&[])
        .with("ours/good.wasm", &described(FIRST, hostile))
        .with("ours/plain.wasm", FIRST)
        .with("ours/plain.wasm.minisig", b"untrusted comment: x");
    let out = author.run_ok(&["index", "ours", "--title", "Ours & theirs"]);
    assert!(out.contains("plain.wasm  -") && out.contains("there, not verified"), "{out}");
    let page = author.read("ours/index.html");
    assert!(page.contains("<title>Ours &amp; theirs</title>") && !page.contains("<script"), "{page}");
    for expected in [
        "&lt;/title&gt;&lt;script&gt;alert(1)&lt;/script&gt;</h2>",
        "<td>&lt;b&gt;&quot;&#39;&amp;</td>",
        "href=\"https://example.org/?a=1&amp;b=2\"",
        "<td>a</td><td>any value</td><td>&quot;&lt;i&gt;&quot;</td>",
        "<dt>Grants</dt><dd>none</dd>",
    ] {
        assert!(page.contains(expected), "{expected}: {page}");
    }
    let data: Value = serde_json::from_str(&author.read("ours/index.json")).expect("JSON");
    assert_eq!(data["policies"][1]["file"], "plain.wasm");
    assert_eq!(data["policies"][0]["policy"]["role"], "router");
    assert_eq!(data["policies"][0]["signature"], "absent");
}

#[test]
fn the_schema_of_descriptions_is_printed() {
    let (out, _) = texts(&run(&["schema", "--description"]));
    let schema: Value = serde_json::from_str(&out).expect("JSON");
    assert_eq!(schema["title"], "Pointsman policy description");
}
