use pointsman_policy::inspect::{Counts, Format, Gate, Import, Role};
use serde_json::json;
use tempfile::TempDir;

use super::*;

/// A policy with these imports: interface and functions.
fn importing(imports: &[(&str, &[&str])]) -> Inspection {
    let import = |(interface, functions): &(&str, &[&str])| Import {
        name: format!("pointsman:policy/{interface}@0.1.0"),
        functions: functions.iter().map(|&function| function.to_owned()).collect(),
        allows: None,
        grant: None,
    };
    Inspection {
        format: Format::Component,
        bytes: 0,
        sha256: String::new(),
        role: Role::Router,
        contract: String::new(),
        description: None,
        description_problems: Vec::new(),
        sdk: None,
        languages: Vec::new(),
        tools: Vec::new(),
        exports: Vec::new(),
        imports: imports.iter().map(import).collect(),
        counts: Counts {
            modules: 1,
            core_instances: 1,
            functions: 1,
            largest_function_bytes: 1,
            most_locals: 1,
            memory_bytes: 1,
        },
        gate: Gate { without_grants: true, grants: Vec::new(), refusals: Vec::new() },
    }
}

fn record(change: impl FnOnce(&mut Value)) -> Value {
    let candidate = json!({
        "model": "a/x", "input_usd_per_million": 1.5, "output_usd_per_million": 2.0, "inputs": ["text"],
        "abilities": ["tools"], "operations": ["chat"], "quality": 0.8, "quality_by_task": { "code": 0.5 },
        "healthy": false, "in_flight": 3, "error_rate": 0.5
    });
    let mut record = json!({
        "schema": 1, "id": "id-1", "at_ms": 0, "route": "auto", "key": "app",
        "request": {
            "operation": "chat", "model": "auto", "input_tokens": 9, "inputs": ["text"], "needs": ["tools"],
            "turns": 1, "streaming": true, "attributes": { "prefer": "cost" }
        },
        "decisions": [{
            "policy": "cost", "digest": "ab", "settings_digest": "cd", "asked_ms": 0.1, "took_us": 1.0, "whole": 1,
            "candidates": [candidate],
            "answer": { "kind": "route", "targets": [{ "candidate": 0 }], "label": "cheap" }
        }],
        "attempts": []
    });
    change(&mut record);
    record
}

fn load_lines(lines: &[Value], policy: &Inspection) -> RecordedCases {
    load_kept(lines, policy, Kept::Oldest)
}

fn load_kept(lines: &[Value], policy: &Inspection, kept: Kept) -> RecordedCases {
    let folder = TempDir::new().unwrap();
    let text: Vec<String> = lines.iter().map(|line| format!("{line}\n")).collect();
    fs::write(folder.path().join("decisions-1.jsonl"), text.concat() + "not a record\n").unwrap();
    fs::write(folder.path().join("decisions.lock"), "").unwrap();
    let settings = Map::new();
    let decided_by = Some("cost");
    let options = LogOptions { settings: &settings, settings_digest: "cd", decided_by, limit: 2, kept };
    load(folder.path(), policy, &options).unwrap()
}

fn left_out(change: impl FnOnce(&mut Value), policy: &Inspection) -> Vec<String> {
    let recorded = load_lines(&[record(change)], policy);
    assert_eq!(recorded.cases.len() + 1, if recorded.left_out.len() == 2 { 1 } else { 2 });
    recorded.left_out.into_keys().filter(|reason| reason != "not a decision record").collect()
}

#[test]
fn a_record_becomes_a_case_with_all_its_facts() {
    let recorded = load_lines(&[record(|_| {})], &importing(&[("settings", &["json"])]));
    let [case] = recorded.cases.as_slice() else { panic!("{recorded:?}") };
    assert_eq!(case.name, "id-1");
    let request = &case.case.request;
    assert_eq!((request.tenant.as_deref(), request.input_tokens), (Some("app"), Some(9)));
    assert_eq!(request.attributes["prefer"], "cost");
    let Some([CandidateEntry::Facts(facts)]) = case.case.candidates.as_deref() else { panic!("{case:?}") };
    assert_eq!((facts.id.as_str(), facts.input_price, facts.healthy), ("a/x", Some(1.5), Some(false)));
    assert_eq!(facts.task_quality["code"], 0.5);
    assert_eq!(case.case.expect.targets.as_deref(), Some(&["a/x".to_owned()][..]));
    assert_eq!(recorded.left_out, [("not a decision record".to_owned(), 1)].into());
    assert_eq!(recorded.other_settings, 0);
}

#[test]
fn a_record_that_lacks_what_the_policy_can_see_is_left_out_with_the_reason() {
    let blind = importing(&[]);
    let reads = importing(&[("prompt", &["text"])]);
    for (reason, found) in [
        ("no policy decided", left_out(|it| it["decisions"][0]["policy"] = Value::Null, &blind)),
        ("another policy decided", left_out(|it| it["decisions"][0]["policy"] = "other".into(), &blind)),
        ("no decision", left_out(|it| it["decisions"] = json!([]), &blind)),
        (
            "the policy failed",
            left_out(
                |it| {
                    it["decisions"][0]["answer"] =
                        json!({ "kind": "failure", "reason": "trap", "message": "boom" });
                },
                &blind,
            ),
        ),
        ("the unknown word `smell`", left_out(|it| it["request"]["inputs"] = json!(["smell"]), &blind)),
        ("no content (`decision_log.content` was off)", left_out(|_| {}, &reads)),
        (
            "the content is cut off",
            left_out(|it| it["content"] = json!({ "messages": [], "left_out_bytes": 1 }), &reads),
        ),
        ("names of tools are not recorded", left_out(|_| {}, &importing(&[("prompt", &["tool-names"])]))),
        ("the outline is not recorded", left_out(|_| {}, &importing(&[("outline", &["parts"])]))),
    ] {
        assert_eq!(found, [reason]);
    }
    let content = json!({ "messages": [{ "role": "user", "text": "hi" }] });
    assert_eq!(left_out(|it| it["content"] = content, &reads), [""; 0]);
}

#[test]
fn further_records_and_other_settings_are_counted() {
    let other = record(|it| it["decisions"][0]["settings_digest"] = "ef".into());
    let recorded = load_lines(&[other.clone(), record(|_| {}), other], &importing(&[]));
    assert_eq!((recorded.cases.len(), recorded.other_settings), (2, 1));
    assert_eq!(recorded.left_out["beyond --limit"], 1);
}

#[test]
fn the_oldest_or_the_newest_records_are_kept() {
    let lines: Vec<Value> =
        (0..4).map(|number| record(|it| it["id"] = format!("id-{number}").into())).collect();
    let names = |kept| -> Vec<String> {
        load_kept(&lines, &importing(&[]), kept).cases.into_iter().map(|case| case.name).collect()
    };
    assert_eq!(names(Kept::Oldest), ["id-0", "id-1"]);
    assert_eq!(names(Kept::Newest), ["id-2", "id-3"]);
}

/// Describes everything that a policy can see of an input.
fn visible(input: &pointsman_policy::DecisionInput) -> String {
    let candidates: Vec<String> = input
        .candidates
        .iter()
        .map(|it| {
            let model = pointsman_domain::model::Model {
                expected: Default::default(),
                live: Default::default(),
                ..(*it.model).clone()
            };
            format!("{model:?} {:?}", it.live)
        })
        .collect();
    let prompt = &input.prompt;
    let texts: Vec<_> =
        (0..prompt.message_count()).map(|number| (prompt.role(number), prompt.text(number))).collect();
    let whole = input.orchestration.whole;
    format!("{:?} {candidates:?} {texts:?} {:?} {whole}", input.request, prompt.tool_names())
}

#[test]
fn the_input_of_a_record_is_that_of_its_case() {
    let reader = importing(&[("prompt", &["text"])]);
    let mut builder = InputBuilder::new(VisibleFacts::of(&reader), true);
    let changes: [fn(&mut Value); 3] = [
        |_| (),
        |record| record["decisions"][0]["candidates"][0]["input_usd_per_million"] = 2.5.into(),
        |record| {
            record["request"]["session"] = "s".into();
            record["request"]["max_output_tokens"] = 9.into();
            record["decisions"][0]["candidates"][0]["operations"] = json!([]);
        },
    ];
    for change in changes {
        let record = record(|record| {
            record["content"] = json!({ "messages": [{ "role": "user", "text": "hello" }] });
            change(record);
        });
        let case = load_lines(std::slice::from_ref(&record), &reader).cases.remove(0).case;
        let record: DecisionRecord<'static> = serde_json::from_value(record).unwrap();
        let direct = builder.input(&record, &record.decisions[0]).unwrap();
        assert_eq!(visible(&direct), visible(&crate::case::input::decision_input(&case, true)));
    }
}

#[test]
fn a_policy_that_cannot_split_requests_sees_candidates_for_the_whole() {
    let record = |whole: usize| -> DecisionRecord<'static> {
        let record = record(|record| {
            let candidates = record["decisions"][0]["candidates"].as_array_mut().unwrap();
            candidates.push(candidates[0].clone());
            record["decisions"][0]["whole"] = whole.into();
        });
        serde_json::from_value(record).unwrap()
    };
    let seen = |whole, orchestrates| {
        let record = record(whole);
        let mut builder = InputBuilder::new(VisibleFacts::default(), orchestrates);
        builder.input(&record, &record.decisions[0]).map(|input| input.candidates.len())
    };
    assert_eq!((seen(1, false), seen(1, true), seen(2, false)), (Ok(1), Ok(2), Ok(2)));
    assert_eq!(seen(0, false), Err("no candidate can serve the whole request".to_owned()));
}
