//! Files of earlier gateways: tests/fixtures/compatibility/README.md.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use http::Method;
use pointsman_tests::client::{self, Answer};
use pointsman_tests::{Gateway, fresh_directory};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use crate::command_line::{run, texts};
use crate::decision_log::{records, validate, wait_for_records};
use crate::fleet::error;

const FIXTURES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/fixtures");
const CLIENT: (&str, &str) = ("authorization", "Bearer compatibility-client");
const ADMIN: (&str, &str) = ("authorization", "Bearer compatibility-admin");

/// Copy of the files of an earlier gateway, completed by the code of the policies.
struct EarlierFiles {
    directory: PathBuf,
    /// Responses of the earlier gateway.
    answers: Value,
    requests: Vec<Value>,
}

impl EarlierFiles {
    fn new() -> Self {
        let fixture = Path::new(FIXTURES).join("compatibility/0.1.0");
        let directory = fresh_directory();
        for part in ["", "secrets", "state", "state/policies", "decisions", "policies", "policies.d"] {
            let (from, to) = (fixture.join(part), directory.join(part));
            fs::create_dir_all(&to).expect("a directory");
            for path in files(&from) {
                fs::copy(&path, to.join(path.file_name().expect("a file"))).expect("a copy");
            }
        }
        for name in ["cost", "first", "recorder"] {
            let stored = format!("state/policies/{}.wasm", digest(name));
            fs::write(directory.join(stored), code(name)).expect("the code of a version");
        }
        fs::write(directory.join("policies/changing.wasm"), code("cost")).expect("a policy");
        fs::write(directory.join("policies.d/dropped-in.wasm"), code("cost")).expect("a policy");
        let read = |name: &str| -> Value {
            let text = fs::read(fixture.join(name)).expect("a file of the fixture");
            serde_json::from_slice(&text).expect("JSON")
        };
        let requests = read("requests.json").as_array().expect("requests").clone();
        Self { directory, answers: read("answers.json"), requests }
    }
}

/// Returns the files in a directory in the order of their names; none if the directory is
/// missing.
fn files(directory: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(directory).into_iter().flatten().flatten();
    let mut files: Vec<PathBuf> = entries.map(|entry| entry.path()).filter(|path| path.is_file()).collect();
    files.sort();
    files
}

fn code(name: &str) -> Vec<u8> {
    fs::read(format!("{FIXTURES}/guests/0.1.0/{name}.wasm")).expect("a released policy")
}

fn digest(name: &str) -> String {
    Sha256::digest(code(name)).iter().map(|byte| format!("{byte:02x}")).collect()
}

async fn get(gateway: &Gateway, path: &str) -> Answer {
    let answer = client::get_with(&gateway.admin(path), &[ADMIN]).await;
    assert_eq!(answer.status, 200, "{path}");
    answer
}

/// Returns the operators' decisions about the policies that have a file, and about the routes.
fn operator_decisions(policies: &Value, routes: &Value) -> Vec<Value> {
    let policies = policies["policies"].as_array().or(policies.as_array()).expect("policies").iter();
    let of_files =
        policies.filter(|it| !it["source"].as_str().is_some_and(|source| source.starts_with("builtin:")));
    let versions =
        of_files.map(|it| json!([it["name"], it["active"], it["previous"], it["holds"], it["chosen"]]));
    let routes = routes["routes"].as_array().or(routes.as_array()).expect("routes").iter();
    let trial = |it: &Value| json!([it["trial"]["policy"], it["trial"]["mode"], it["trial"]["percent"]]);
    let routes = routes.map(|it| json!([it["name"], it["policy"], it["promoted"], trial(it)]));
    versions.chain(routes).collect()
}

/// Returns the paths of all members of a document, each with the types of its values.
fn members(value: &Value) -> BTreeMap<String, BTreeSet<&'static str>> {
    fn visit(value: &Value, place: &str, found: &mut BTreeMap<String, BTreeSet<&'static str>>) {
        let kind = match value {
            Value::Null => {
                found.entry(place.to_owned()).or_default();
                return;
            }
            Value::Bool(_) => "boolean",
            Value::Number(_) => "number",
            Value::String(_) => "string",
            Value::Array(_) => "array",
            Value::Object(_) => "object",
        };
        found.entry(place.to_owned()).or_default().insert(kind);
        match value {
            Value::Array(items) => items.iter().for_each(|item| visit(item, &format!("{place}[]"), found)),
            Value::Object(object) => {
                object.iter().for_each(|(name, member)| visit(member, &format!("{place}.{name}"), found));
            }
            _ => {}
        }
    }
    let mut found = BTreeMap::new();
    visit(value, "", &mut found);
    found
}

/// Panics unless all members of an earlier document still exist with the same types.
fn assert_grown(what: &str, earlier: &Value, now: &Value) {
    let now = members(now);
    for (place, kinds) in members(earlier) {
        let kinds_now = now.get(&place).unwrap_or_else(|| panic!("{what}: {place} is gone"));
        let changed = !kinds.is_empty() && !kinds_now.is_empty() && kinds.is_disjoint(kinds_now);
        assert!(!changed, "{what}: {place} was {kinds:?}, and is {kinds_now:?}");
    }
}

fn lines(text: &[u8]) -> Vec<Value> {
    let text = String::from_utf8_lossy(text);
    text.lines().map(|line| serde_json::from_str(line).expect("a line is JSON")).collect()
}

#[tokio::test]
async fn a_configuration_of_an_earlier_version_is_accepted() {
    let earlier = EarlierFiles::new();
    let config = earlier.directory.join("pointsman.toml").display().to_string();
    let checked = run(&["check", &config]);
    let (out, errors) = texts(&checked);
    assert_eq!(checked.status.code(), Some(0), "{out}\n{errors}");
    fs::remove_dir_all(&earlier.directory).expect("it can be removed");
}

#[tokio::test]
async fn earlier_operator_decisions_stay_in_force_and_the_audit_log_is_continued() {
    let earlier = EarlierFiles::new();
    let audit_file = earlier.directory.join("state/audit.jsonl");
    let audit_before = fs::read(&audit_file).expect("an audit log");
    let gateway = Gateway::start_in(earlier.directory.clone()).await;

    let policies = get(&gateway, "/admin/policies").await.json();
    let routes = get(&gateway, "/admin/routes").await.json();
    let answers = &earlier.answers;
    assert_eq!(
        operator_decisions(&policies, &routes),
        operator_decisions(&answers["policies"], &answers["routes"])
    );

    // What is on hold stays out, and an operation continues the history.
    let put = |path: &str, body: Vec<u8>| {
        let url = gateway.admin(path);
        async move { client::call(Method::PUT, &url, &[ADMIN], body).await }
    };
    let held = put("/admin/policies/changing/code", code("cost")).await;
    assert!(error(&held, 409, "conflict").contains("is on hold"));
    let pin = json!({ "digest": digest("first") }).to_string().into_bytes();
    assert_eq!(put("/admin/policies/changing/pin", pin).await.status, 200, "its code was kept");

    let audit = get(&gateway, "/admin/audit?limit=1000").await.json();
    let events = audit["events"].as_array().or(audit.as_array()).expect("events").clone();
    let (history, audit_now) = (lines(&audit_before), fs::read(&audit_file).expect("an audit log"));
    assert!(audit_now.starts_with(&audit_before), "nothing of the file is written again");
    assert!(history.iter().all(|event| events.contains(event)), "{events:#?}");
    assert!(events.iter().any(|event| event["action"] == "pin" && event["policy"] == "changing"));
    assert_grown("/admin/audit", &answers["audit"], &audit);
}

#[tokio::test]
async fn the_decision_log_is_continued_and_records_and_the_admin_api_only_grow() {
    let earlier = EarlierFiles::new();
    let decisions = earlier.directory.join("decisions");
    let before = records(&decisions);
    validate(&before);
    let gateway = Gateway::start_in(earlier.directory.clone()).await;

    let recorded = earlier.answers["requests"].as_array().expect("answers");
    for (request, recorded) in earlier.requests.iter().zip(recorded) {
        let answer =
            client::post_with(&gateway.url("/v1/chat/completions"), &[CLIENT], &request["body"]).await;
        assert_eq!(answer.status.as_u16(), recorded["status"], "{request}");
        for header in recorded["headers"].as_array().expect("names") {
            let name = header.as_str().expect("a name");
            assert!(answer.header(name).is_some(), "{request}: {name} is gone");
        }
    }
    let count = earlier.requests.len();
    let all = wait_for_records(&decisions, before.len() + count).await;
    assert_eq!(all[..before.len()], before, "what was logged stays, in its order");
    let (of_before, now) = (&before[before.len() - count..], &all[before.len()..]);
    for (of_before, now) in of_before.iter().zip(now) {
        assert_grown(&format!("a record of {}", now["route"]), of_before, now);
    }
    validate(now);

    for path in ["policies", "routes", "models", "usage"] {
        let now = get(&gateway, &format!("/admin/{path}")).await.json();
        assert_grown(path, &earlier.answers[path], &now);
    }
    let metrics = get(&gateway, "/metrics").await;
    let metrics = String::from_utf8_lossy(&metrics.body).into_owned();
    for family in earlier.answers["metrics"].as_array().expect("families") {
        let family = family.as_str().expect("a line");
        assert!(metrics.lines().any(|line| line == family), "{family} is gone");
    }
}

#[test]
fn a_document_that_lost_or_changed_a_member_has_not_grown() {
    let earlier = json!({ "a": [{ "b": 1 }], "c": null });
    assert_grown("same", &earlier, &earlier);
    assert_grown("more", &earlier, &json!({ "a": [{ "b": 2, "d": "x" }], "c": "text" }));
    for worse in [json!({ "a": [{ "b": 1 }] }), json!({ "a": [{ "b": "1" }], "c": null })] {
        let compared = std::panic::catch_unwind(|| assert_grown("worse", &earlier, &worse));
        assert!(compared.is_err(), "{worse}");
    }
}
