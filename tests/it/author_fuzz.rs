//! `pointsman policy fuzz`, on policies with planted faults and on those that are built in.

use std::collections::BTreeSet;
use std::fs;

use pointsman_guests::{FAULTY, Fault, PLANNER, Planned, Shape, planned, with_fault};
use serde_json::Value;

use crate::author::Author;

/// Inputs in which each planted fault is found, with room to spare.
const RUNS: &str = "1500";
/// The same for faults whose inputs take long.
const SLOW_RUNS: &str = "400";

/// Runs a campaign, and returns its exit status and report.
fn fuzz(author: &Author, arguments: &[&str]) -> (Option<i32>, Value) {
    let (status, out, err) = author.run(&[&["fuzz", "--json"], arguments].concat());
    let report = serde_json::from_str(&out).unwrap_or_else(|_| panic!("no report: {out}{err}"));
    (status, report)
}

/// Returns kind and call of each finding.
fn findings(report: &Value) -> Vec<(String, String)> {
    let text = |finding: &Value, name: &str| finding[name].as_str().expect("a text").to_owned();
    let findings = report["findings"].as_array().expect("findings");
    findings.iter().map(|it| (text(it, "kind"), text(it, "call"))).collect()
}

/// Looks for the fault that settings give a policy. Only it may be found, and the case that is written
/// shows it. Returns the report.
fn find(author: &Author, policy: &str, settings: &str, expected: &[(&str, &str)], message: &str) -> Value {
    let is_slow = expected.iter().any(|(kind, _)| *kind == "deadline");
    let runs = if is_slow { SLOW_RUNS } else { RUNS };
    let arguments = [policy, "--settings", settings, "--seed", "1", "--runs", runs];
    let (status, report) = fuzz(author, &arguments);
    let found = findings(&report);
    let is_expected = |it: &(String, String)| expected.contains(&(&it.0, &it.1));
    assert!(
        status == Some(1) && !found.is_empty() && found.iter().all(is_expected),
        "{settings}: {report:#}"
    );
    let all = report["findings"].as_array().expect("findings");
    let is_said = |it: &Value| it["message"].as_str().is_some_and(|it| it.contains(message));
    assert!(all.iter().any(is_said), "{report:#}");
    for finding in all {
        let file = finding["file"].as_str().expect("a file");
        let (status, out, err) = author.run(&["test", policy, "--cases", file]);
        assert_eq!(status, Some(1), "the case does not show the fault: {finding:#}\n{out}{err}");
    }
    report
}

fn find_fault(fault: Fault, expected: &[(&str, &str)], message: &str) -> Value {
    let author = Author::new(&[]).with("faulty.wasm", FAULTY);
    find(&author, "faulty.wasm", &with_fault(fault), expected, message)
}

fn find_in_plans(shape: Shape, message: &str) -> Value {
    let author = Author::new(&[]).with("planner.wasm", PLANNER);
    let settings = Planned { shape, tasks: 2, optional: vec![0, 1], ..Planned::default() };
    // It plans without a look at the request.
    let expected = &[("trap", "resume"), ("invalid", "decision"), ("invalid", "resume")];
    find(&author, "planner.wasm", &planned(&settings), expected, message)
}

fn candidates(report: &Value) -> usize {
    report["findings"][0]["case"]["candidates"].as_array().map_or(0, Vec::len)
}

#[test]
fn traps_at_unusual_requests_are_found_and_made_small() {
    let trap = &[("trap", "decision")];
    let report = find_fault(Fault::EmptyPrompt, trap, "called `Option::unwrap()` on a `None` value");
    assert_eq!(candidates(&report), 1, "{report:#}");
    let report = find_fault(Fault::OneCandidate, trap, "index out of bounds");
    let case = &report["findings"][0]["case"];
    assert_eq!((candidates(&report), &case["request"]), (1, &serde_json::json!({})), "{report:#}");
    let report = find_fault(Fault::FreeModel, trap, "divide by zero");
    assert_eq!(candidates(&report), 1, "{report:#}");
    let report = find_fault(Fault::CharBoundary, trap, "is not a char boundary");
    assert!(report["findings"][0]["case"].to_string().len() < 400, "{report:#}");
}

#[test]
fn endless_and_disproportionate_calls_are_found() {
    let report = find_fault(Fault::SevenMessages, &[("deadline", "decision")], "past its deadline");
    let messages = &report["findings"][0]["case"]["request"]["messages"];
    assert_eq!(messages.as_array().map(Vec::len), Some(7), "{report:#}");
    let slow = &[("growth", "decision"), ("slow", "decision"), ("deadline", "decision")];
    find_fault(Fault::QuadraticText, slow, "");
    let growth = &[("growth", "decision")];
    let report =
        find_fault(Fault::QuadraticCandidates, growth, "instructions grow faster than the candidates");
    assert!(candidates(&report) > 300, "{report:#}");
}

#[test]
fn invalid_answers_exceeded_limits_and_hidden_state_are_found() {
    let report = find_fault(Fault::AllUnhealthy, &[("invalid", "decision")], "");
    assert_eq!(candidates(&report), 1, "{report:#}");
    find_fault(Fault::LongAttribute, &[("memory", "decision")], "more memory than its limit");
    let report = find_fault(Fault::Counter, &[("history", "decision")], "decides differently");
    assert_eq!(report["findings"][0]["case"]["isolation"], "warm", "{report:#}");
}

#[test]
fn traps_after_the_decision_are_found() {
    find_fault(Fault::Outcome, &[("trap", "outcome")], "called `Option::unwrap()` on a `None` value");
    find_fault(Fault::Rating, &[("trap", "rating")], "divide by zero");
    find_in_plans(Shape::ThenUnwrap, "called `Option::unwrap()` on a `None` value");
    find_in_plans(Shape::ThenParse, "called `Result::unwrap()` on an `Err` value");
}

#[test]
fn a_seed_gives_the_same_findings_and_other_seeds_find_them_too() {
    let author = Author::new(&[]).with("faulty.wasm", FAULTY);
    let settings = with_fault(Fault::FreeModel);
    let report = |seed: &str| {
        let arguments = ["faulty.wasm", "--settings", &settings, "--seed", seed, "--runs", "300"];
        let (status, mut report) = fuzz(&author, &arguments);
        assert_eq!(status, Some(1), "{report:#}");
        // Times are those of the machine.
        report["seconds"] = Value::Null;
        report["findings"][0]["seconds"] = Value::Null;
        report
    };
    assert_eq!(report("7"), report("7"));
    assert_ne!(report("7")["answers"], report("8")["answers"]);
}

#[test]
fn findings_are_described_and_written_beside_the_policy() {
    let author = Author::new(&[("empty/defaults.toml", "")]).with("faulty.wasm", FAULTY);
    let settings = with_fault(Fault::OneCandidate);
    let arguments = ["fuzz", "faulty.wasm", "--settings", &settings, "--seed", "3", "--runs", "200"];
    let (status, out, err) = author.run(&arguments);
    assert_eq!((status, &*err), (Some(1), "error: 1 finding\n"), "{out}");
    for expected in [
        "FOUND  trap (decision)\n",
        "index out of bounds: the len is 1 but the index is 1",
        "  case  fuzz/trap-",
        "(1 candidate, no message)\n",
        "faulty.wasm: 200 inputs in ",
        ", seed 3, ",
        "instructions of a call: median ",
        "found: 1\n",
    ] {
        assert!(out.contains(expected), "{expected}\nis not in:\n{out}");
    }
    let file = out.split("  case  ").nth(1).and_then(|rest| rest.split("  (").next()).expect("a file");
    let (status, out, _) = author.run(&["run", "faulty.wasm", "--case", file]);
    assert_eq!(status, Some(1));
    assert!(out.contains("index out of bounds"), "{out}");

    let out = author.run_ok(&["fuzz", "faulty.wasm", "--runs", "200", "--seed", "3", "--out", "elsewhere"]);
    assert!(out.ends_with("ok: nothing was found\n"), "{out}");
    let (status, _, err) = author.run(&["fuzz", "faulty.wasm", "--cases", "nowhere"]);
    assert_eq!(status, Some(2), "{err}");
    let (status, _, err) = author.run(&["fuzz", "faulty.wasm", "--settings", r#"{"fault": "none"}"#]);
    assert_eq!(status, Some(3), "{err}");
}

#[test]
fn cases_of_the_author_are_mutated() {
    let rare = "request.messages = \"hello\"\nrequest.attributes.note = \"short\"\nexpect.label = \"good\"\n";
    let author = Author::new(&[("cases/note.toml", rare)]).with("faulty.wasm", FAULTY);
    let settings = with_fault(Fault::LongAttribute);
    let arguments = ["faulty.wasm", "--settings", &settings, "--seed", "1", "--runs", "2000"];
    let (status, report) = fuzz(&author, &arguments);
    assert_eq!((status, findings(&report)), (Some(1), vec![("memory".to_owned(), "decision".to_owned())]));
}

#[test]
fn no_built_in_policy_has_a_fault() {
    let names: BTreeSet<&str> = BUILT_IN.iter().copied().collect();
    let author = Author::new(&[]);
    for name in names {
        let policy = format!("builtin:{name}");
        let settings = settings_of(name);
        let arguments = ["fuzz", &policy, "--settings", settings, "--seed", "1", "--runs", "1500"];
        let (status, out, err) = author.run(&arguments);
        assert_eq!((status, &*err), (Some(0), ""), "{name}: {out}");
    }
}

/// Names of the built-in policies.
const BUILT_IN: &[&str] = &include!("../../host/config/src/builtin-policies.json");

/// Returns settings of a built-in policy, of which inputs have variations.
fn settings_of(name: &str) -> &'static str {
    match name {
        "cost" => r#"{"quality_floor": 0.6}"#,
        "priority" => r#"{"order": ["a/*", "local/m1"], "max_in_flight": 8, "max_error_rate": 0.3}"#,
        "weighted" => r#"{"weights": {"a/*": 3, "*": 1}, "sticky": true}"#,
        "round-robin" => r#"{"balance": "load"}"#,
        "cascade" => r#"{"levels": 2}"#,
        "judge" => {
            r#"{"kinds": {"easy": {"meaning": "small talk", "prefer": "cost"}, "hard": {"meaning": "other"}}}"#
        }
        "semantic" => {
            r#"{"kinds": {"easy": {"examples": ["Hi"], "prefer": "cost"}, "hard": {"examples": ["Prove"]}}}"#
        }
        _ => "{}",
    }
}

#[test]
fn a_finding_replaces_its_file_and_nothing_else() {
    let author = Author::new(&[("fuzz/mine.toml", "expect.label = \"good\"\n")]).with("faulty.wasm", FAULTY);
    let settings = with_fault(Fault::OneCandidate);
    for seed in ["1", "2"] {
        let arguments = ["fuzz", "faulty.wasm", "--settings", &settings, "--seed", seed, "--runs", "100"];
        assert_eq!(author.run(&arguments).0, Some(1));
    }
    let files = fs::read_dir(author.path("fuzz")).expect("the folder").count();
    assert_eq!(files, 2, "the author's file, and one for the finding");
}
