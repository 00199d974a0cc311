//! `pointsman policy diff`, on real policies.

use pointsman_guests::{FIRST, HOSTILE, Misdeed, READER, misbehaving};
use serde_json::Value;

use crate::author::Author;

/// Candidates that differ in price and quality.
const DEFAULTS: &str = "\
[[candidates]]
id = \"fleet/large\"
input_price = 2.0
output_price = 8.0
quality = 0.9

[[candidates]]
id = \"fleet/small\"
input_price = 0.1
output_price = 0.4
quality = 0.5
";

/// Three requests, which `cost` sends to the small model; the last one has a floor.
const CASES: &str = "\
[[cases]]
name = \"short\"
request = { input_tokens = 1000, max_output_tokens = 100, tenant = \"team-a\" }
expect.label = \"any\"

[[cases]]
name = \"long\"
request = { input_tokens = 1000, max_output_tokens = 100, tenant = \"team-a\" }
expect.label = \"any\"

[[cases]]
name = \"good\"
request = { input_tokens = 1000, model = \"best\" }
settings = { quality_floor = 0.8 }
expect.label = \"any\"
";

fn author() -> Author {
    Author::new(&[("cases/defaults.toml", DEFAULTS), ("cases/all.toml", CASES)])
        .with("first.wasm", FIRST)
        .with("reader.wasm", READER)
        .with("hostile.wasm", HOSTILE)
}

fn diff(author: &Author, arguments: &[&str]) -> Value {
    author.json(&[&["diff", "--json"], arguments].concat())
}

#[test]
fn changed_decisions_are_grouped_by_client_with_the_predicted_cost() {
    let author = author();
    let settings = ["--settings", "{}"];
    let report =
        diff(&author, &[&["first.wasm", "builtin:cost", "--cases", "cases"], &settings[..]].concat());
    let decisions = &report["decisions"];
    assert_eq!((&decisions["requests"], &decisions["same"]), (&3.into(), &0.into()), "{report:#}");
    assert_eq!(decisions["changes"]["target"], 3);
    let group = &decisions["groups"][0];
    assert_eq!(
        (&group["count"], &group["key"], &group["route"]),
        (&2.into(), &"team-a".into(), &"auto".into())
    );
    assert_eq!(group["target"], serde_json::json!({ "old": "fleet/large", "new": "fleet/small" }));
    assert_eq!(group["label"]["new"], "cheapest");
    assert_eq!(group["cases"], serde_json::json!(["short", "long"]));
    // 1,000 tokens in and 100 out: $0.0028 at the large model, $0.00014 at the small one.
    let change = group["cost_change_usd"].as_f64().expect("a change of cost");
    assert!((change - 2.0 * (0.000_14 - 0.002_8)).abs() < 1e-9, "{change}");
    // The third request has no limit, so that 256 tokens are expected.
    let old = decisions["cost_usd"]["old"].as_f64().expect("a cost");
    assert!((old - (2.0 * 0.002_8 + 0.002 + 256.0 * 8e-6)).abs() < 1e-9, "{old}");
}

#[test]
fn imports_and_grants_are_compared() {
    let author = author();
    let text = author.run_ok(&["diff", "first.wasm", "reader.wasm", "--cases", "cases", "--settings", "{}"]);
    for expected in [
        "policy  first.wasm",
        "grants  + prompt\n",
        "imports  + prompt.last-user-text\n",
        "decisions: 0 the same, 3 of 3 differ\n",
        "predicted cost of 3 requests: $",
        "COUNT  CHANGE",
    ] {
        assert!(text.contains(expected), "{expected}\nis not in:\n{text}");
    }
    let report = diff(&author, &["first.wasm", "reader.wasm"]);
    assert_eq!(report["files"]["grants"], serde_json::json!({ "added": ["prompt"], "removed": [] }));
    let empty = Author::new(&[]).with("first.wasm", FIRST);
    let text = empty.run_ok(&["diff", "first.wasm", "first.wasm"]);
    assert!(text.contains("the files are the same\n") && text.contains("decisions: not compared"), "{text}");
}

#[test]
fn new_failures_and_rejected_settings_are_counted() {
    let author = author();
    let panics = misbehaving(Misdeed::Panic);
    let arguments =
        ["hostile.wasm", "hostile.wasm", "--cases", "cases", "--settings", "{}", "--new-settings"];
    let report = diff(&author, &[&arguments[..], &[&panics]].concat());
    assert_eq!(report["decisions"]["changes"]["fails"], 3, "{report:#}");
    let failures = report["decisions"]["new_failures"].as_object().expect("failures");
    assert!(
        failures.keys().any(|text| text.starts_with("trap: ") && text.contains("as asked")),
        "{report:#}"
    );
    let report = diff(&author, &[&arguments[..], &[&misbehaving(Misdeed::Deny)]].concat());
    assert_eq!(report["decisions"]["new_refusals"]["denied: not for you"], 3, "{report:#}");
    // The policy has no such setting.
    let report = diff(&author, &["builtin:cost", "first.wasm"]);
    assert_eq!(report["decisions"]["changes"]["fails"], 1, "{report:#}");
}

#[test]
fn a_change_is_a_failure_only_where_that_is_requested() {
    let author = author();
    let same = ["diff", "builtin:cost", "builtin:cost", "--fail-on-change"];
    let text = author.run_ok(&same);
    assert!(text.contains("decisions: 3 the same, 0 of 3 differ\n"), "{text}");
    let settings = ["--new-settings", r#"{"quality_floor": 0.8}"#];
    let (status, out, err) = author.run(&[&same[..], &settings].concat());
    assert_eq!((status, &*err), (Some(1), "error: 2 of 3 decisions differ\n"), "{out}");
    author.run_ok(&[&same[..3], &settings].concat());
    let (status, _, err) = author.run(&["diff", "first.wasm", "nowhere.wasm"]);
    assert_eq!(status, Some(2), "{err}");
    let (status, _, err) = author.run(&["diff", "first.wasm", "first.wasm", "--cases", "nowhere"]);
    assert_eq!(status, Some(2), "{err}");
}

#[test]
fn requests_of_a_decision_log_are_compared() {
    let log = concat!(env!("CARGO_MANIFEST_DIR"), "/fixtures/compatibility/0.1.0/decisions");
    let author = author();
    let report = diff(&author, &["builtin:cost", "first.wasm", "--record", log, "--decided-by", "cost"]);
    assert_eq!(report["decisions"]["requests"], 7, "{report:#}");
    assert_eq!(report["left_out"]["another policy decided"], 4);
    let changed = report["decisions"]["groups"].as_array().expect("groups");
    assert!(!changed.is_empty(), "{report:#}");
    // The requests have no content, which the new policy could see.
    let (status, _, err) = author.run(&["diff", "builtin:cost", "reader.wasm", "--record", log]);
    assert_eq!(status, Some(2));
    assert!(err.contains("no content (`decision_log.content` was off)"), "{err}");
    let two = diff(&author, &["builtin:cost", "builtin:cost", "--decided-by", "cost", "--record", log, log]);
    assert_eq!(two["decisions"]["same"], 14, "{two:#}");
}
