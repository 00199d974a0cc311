//! Content and durability of the decision log.

use std::collections::BTreeSet;
use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use pointsman_guests::{HOSTILE, Misdeed, misbehaving};
use pointsman_tests::client;
use pointsman_tests::{FakeModel, Gate, Gateway, Step, installed};
use serde_json::{Value, json};

use crate::command_line::{run, texts};
use crate::fleet::{ask, chat, in_order, model, open, reload, streamed};
use crate::policy_failures::inline;
use crate::policy_file::PolicyFile;

/// Directory that outlives gateways; removed when dropped.
struct LogDirectory(PolicyFile);

impl LogDirectory {
    fn new() -> Self {
        Self(PolicyFile::new(b""))
    }

    fn dir(&self) -> PathBuf {
        self.0.path().with_file_name("decisions")
    }

    /// Returns the table of the configuration, with further keys.
    fn table(&self, more: &str) -> String {
        format!("[decision_log]\ndir = \"{}\"\n{more}\n", self.dir().display())
    }
}

/// Returns all records in a directory, compressed or not, in the order of the files. Panics if a
/// line is not a record.
pub fn records(dir: &Path) -> Vec<Value> {
    records_of(dir, |bytes| bytes)
}

/// Returns the records as [`records`] does, without a last line that is still being written: reading
/// a file may see a part of a longer write.
fn written_records(dir: &Path) -> Vec<Value> {
    records_of(dir, |mut bytes| {
        let end = bytes.iter().rposition(|byte| *byte == b'\n').map_or(0, |at| at + 1);
        bytes.truncate(end);
        bytes
    })
}

fn records_of(dir: &Path, open_file: fn(Vec<u8>) -> Vec<u8>) -> Vec<Value> {
    let entries = fs::read_dir(dir).expect("the directory of the log").flatten();
    let mut paths: Vec<PathBuf> = entries.map(|entry| entry.path()).collect();
    paths.sort();
    let to_text = |bytes| String::from_utf8(bytes).expect("lines are text");
    let text = |path: PathBuf| match path.extension().and_then(|it| it.to_str()) {
        Some("jsonl") => fs::read(&path).ok().map(|bytes| to_text(open_file(bytes))),
        Some("zst") => {
            let unpack = |bytes: Vec<u8>| zstd::decode_all(bytes.as_slice()).expect("it is whole");
            fs::read(&path).ok().map(|bytes| to_text(unpack(bytes)))
        }
        _ => None,
    };
    let lines = paths.into_iter().filter_map(text);
    let lines = lines.flat_map(|text| text.lines().map(str::to_owned).collect::<Vec<_>>());
    lines.map(|line| serde_json::from_str(&line).unwrap_or_else(|error| panic!("{error}: {line}"))).collect()
}

/// Waits until there are `count` records.
pub async fn wait_for_records(dir: &Path, count: usize) -> Vec<Value> {
    loop {
        let records = written_records(dir);
        if records.len() >= count {
            return records;
        }
        tokio::task::yield_now().await;
    }
}

/// Validates records against the committed schema, with a validator that `cargo xtask test`
/// installs.
pub fn validate(records: &[Value]) {
    let Some(python) = installed("POINTSMAN_TEST_PYTHON") else { return };
    let schema = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/decision-record.schema.json");
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/clients/validate_records.py");
    let mut validator = Command::new(python);
    validator.args([script, schema]).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut validator = validator.spawn().expect("the script can be run");
    let lines: String = records.iter().map(|record| format!("{record}\n")).collect();
    validator.stdin.take().expect("it is piped").write_all(lines.as_bytes()).expect("the script reads");
    let output = validator.wait_with_output().expect("the script ends");
    let (out, err) = texts(&output);
    assert!(output.status.success(), "{out}\n{err}");
    assert_eq!(out.trim(), format!("{} records are valid", records.len()));
}

#[tokio::test]
async fn every_kind_of_request_is_a_line_that_the_schema_describes() {
    let (logs, policy) = (LogDirectory::new(), PolicyFile::new(HOSTILE));
    let (good, failing) = (FakeModel::saying("one two").await, FakeModel::always(Step::status(500)).await);
    let gate = Gate::new();
    let slow = FakeModel::always(Step::stream(&["one ", "two"]).wait_after(1, &gate)).await;
    let more = format!(
        "models = [\"a/chat\"]\n[routes.fails]\npolicy = \"cost\"\nmodels = [\"b/chat\"]\nbackoff = \"1ms\"\n\
         [routes.slow]\npolicy = \"cost\"\nmodels = [\"c/chat\"]\n\
         [policies.bad]\nlimits.deadline = \"60s\"\nsource = \"{}\"\nsettings = {}\n\
         [routes.bad]\npolicy = \"bad\"\nmodels = [\"a/chat\"]\n\
         [routes.strict]\npolicy = \"bad\"\non_failure = \"reject\"\nmodels = [\"a/chat\"]\n\
         [policies.sequential]\nlimits.deadline = \"60s\"\nsource = \"builtin:sequential\"\n\
         [routes.plan]\npolicy = \"sequential\"\nmodels = [\"a/chat\"]\n{}",
        policy.path().display(),
        inline(&misbehaving(Misdeed::Panic)),
        logs.table(""),
    );
    let gateway = Gateway::start(&in_order(&[&good, &failing, &slow], &more)).await;
    for route in ["main", "fails", "bad", "strict", "plan", "a/chat"] {
        ask(&gateway, &chat(route, "count")).await;
    }
    let mut hung_up = open(&gateway, &streamed("slow", "count")).await;
    hung_up.event().await.expect("the first event");
    drop(hung_up);
    let records = wait_for_records(&logs.dir(), 7).await;
    validate(&records);
    let endings: Vec<(&str, &str)> = records
        .iter()
        .map(|record| {
            (record["route"].as_str().unwrap_or("-"), record["outcome"]["ending"].as_str().unwrap_or("-"))
        })
        .collect();
    assert_eq!(
        endings,
        [
            ("main", "answered"),
            ("fails", "failed"),
            ("bad", "answered"),
            ("strict", "failed"),
            ("plan", "answered"),
            ("a/chat", "answered"),
            ("slow", "cancelled"),
        ]
    );
    assert_eq!(records[2]["decisions"][0]["answer"]["kind"], "failure");
    assert!(records[4]["plan"]["tasks"].as_array().is_some_and(|tasks| !tasks.is_empty()));
    // The same as the admin API tells, but for nothing.
    let id = records[0]["id"].as_str().expect("an id");
    let decision = client::get(&gateway.admin(&format!("/admin/decisions/{id}"))).await.json();
    assert_eq!(decision, records[0]);
    let overview = client::get(&gateway.admin("/admin/overview")).await.json();
    assert_eq!(
        (&overview["decision_log"]["written"], &overview["decision_log"]["dropped_disk"]),
        (&json!(7), &json!(0))
    );
}

#[tokio::test]
async fn a_stop_writes_queued_records_and_the_next_start_compresses_them() {
    let (logs, fake) = (LogDirectory::new(), FakeModel::saying("hello").await);
    let config = in_order(&[&fake], &logs.table(""));
    let gateway = Gateway::start(&config).await;
    for _ in 0..5 {
        ask(&gateway, &chat("main", "hi")).await;
    }
    assert_eq!(gateway.stop().await.code(), Some(0));
    assert_eq!(records(&logs.dir()).len(), 5);
    let _next = Gateway::start(&config).await;
    let is_plain = |entry: fs::DirEntry| entry.path().extension().is_some_and(|it| it == "jsonl");
    while fs::read_dir(logs.dir()).expect("a directory").flatten().any(is_plain) {
        tokio::task::yield_now().await;
    }
    assert_eq!(records(&logs.dir()).len(), 5);
}

#[tokio::test]
async fn a_request_that_is_cut_off_at_the_stop_is_logged() {
    let (logs, gate) = (LogDirectory::new(), Gate::new());
    let fake = FakeModel::always(Step::stream(&["before ", "after"]).wait_after(1, &gate)).await;
    let more = format!("[server]\ndrain_timeout = \"50ms\"\n{}", logs.table(""));
    let gateway = Gateway::start(&in_order(&[&fake], &more)).await;
    let mut stream = open(&gateway, &streamed("main", "hi")).await;
    stream.event().await.expect("an event");
    assert_eq!(gateway.stop().await.code(), Some(0));
    let records = records(&logs.dir());
    assert_eq!(records.len(), 1);
    assert_eq!(records[0]["outcome"]["ending"], "cancelled");
}

#[tokio::test]
async fn a_kill_during_writes_and_rotation_leaves_whole_lines_without_duplicates() {
    let (logs, fake) = (LogDirectory::new(), FakeModel::saying("hello").await);
    let config = in_order(&[&fake], &logs.table("rotate_size = \"16 KiB\"\nmax_size = \"10 MiB\""));
    let mut count = 0;
    for _ in 0..4 {
        let gateway = Gateway::start(&config).await;
        for _ in 0..30 {
            ask(&gateway, &chat("main", "hi")).await;
        }
        // With SIGKILL, at whatever it is doing.
        gateway.signal("KILL");
        gateway.ended().await;
        let files = fs::read_dir(logs.dir()).expect("a directory").flatten();
        count = count.max(files.count());
    }
    let gateway = Gateway::start(&config).await;
    ask(&gateway, &chat("main", "hi")).await;
    assert_eq!(gateway.stop().await.code(), Some(0));
    let records = records(&logs.dir());
    let ids: BTreeSet<&str> = records.iter().filter_map(|record| record["id"].as_str()).collect();
    assert_eq!(ids.len(), records.len(), "no record is there twice");
    assert!((1..=121).contains(&ids.len()), "{} records", ids.len());
    let unfinished = fs::read_dir(logs.dir()).expect("a directory").flatten();
    assert!(unfinished.into_iter().all(|entry| entry.path().extension().is_none_or(|it| it != "part")));
}

#[tokio::test]
async fn a_second_gateway_in_the_same_directory_is_rejected() {
    let (logs, fake) = (LogDirectory::new(), FakeModel::saying("hello").await);
    let config = in_order(&[&fake], &logs.table(""));
    let gateway = Gateway::start(&config).await;
    let path = gateway.config().display().to_string();
    let second =
        run(&["serve", "--config", &path, "--listen", "127.0.0.1:0", "--admin-listen", "127.0.0.1:0"]);
    let (_, stderr) = texts(&second);
    assert_eq!(second.status.code(), Some(1), "{stderr}");
    assert!(stderr.contains("is written by another gateway"), "{stderr}");
    assert!(stderr.contains("decision_log.dir"), "{stderr}");
}

#[tokio::test]
async fn an_unusable_directory_is_reported_at_the_start() {
    let fake = FakeModel::saying("hello").await;
    let file = PolicyFile::new(b"");
    let gateway = Gateway::start(&in_order(&[&fake], "")).await;
    let dir = file.path().join("below-a-file");
    let config = in_order(&[&fake], &format!("[decision_log]\ndir = \"{}\"\n", dir.display()));
    fs::write(gateway.config(), config).expect("the config file can be written");
    let path = gateway.config().display().to_string();
    let second =
        run(&["serve", "--config", &path, "--listen", "127.0.0.1:0", "--admin-listen", "127.0.0.1:0"]);
    let (_, stderr) = texts(&second);
    assert_eq!(second.status.code(), Some(1), "{stderr}");
    assert!(stderr.contains("cannot write a decision log in") && stderr.contains("below-a-file"), "{stderr}");
}

#[tokio::test]
async fn content_is_logged_only_if_enabled_and_only_as_configured() {
    let fake = FakeModel::saying("hello").await;
    let mut body = chat("main", "tell me of the sea");
    body["messages"]
        .as_array_mut()
        .expect("messages")
        .insert(0, json!({ "role": "system", "content": "be brief, and kind" }));
    for (keys, expected) in [
        ("", Value::Null),
        (
            "content = true",
            json!({ "messages": [
            { "role": "system", "text": "be brief, and kind" }, { "role": "user", "text": "tell me of the sea" },
        ] }),
        ),
        (
            "content = true\ncontent_size = 26",
            json!({ "messages": [
            { "role": "system", "text": "be brief" }, { "role": "user", "text": "tell me of the sea" },
        ], "left_out_bytes": 10 }),
        ),
    ] {
        let logs = LogDirectory::new();
        let gateway = Gateway::start(&in_order(&[&fake], &logs.table(keys))).await;
        ask(&gateway, &body).await;
        let records = wait_for_records(&logs.dir(), 1).await;
        assert_eq!(records[0]["content"], expected, "{keys}");
        validate(&records);
        // What the admin API tells never has it.
        let id = records[0]["id"].as_str().expect("an id");
        let decision = client::get(&gateway.admin(&format!("/admin/decisions/{id}"))).await.json();
        assert_eq!(decision["content"], Value::Null);
    }
}

#[tokio::test]
async fn a_log_that_vanishes_affects_no_request_and_recovers() {
    let (logs, fake) = (LogDirectory::new(), FakeModel::saying("hello").await);
    let gateway = Gateway::start(&in_order(&[&fake], &logs.table(""))).await;
    ask(&gateway, &chat("main", "hi")).await;
    wait_for_records(&logs.dir(), 1).await;
    fs::remove_dir_all(logs.dir()).expect("the log can be removed");
    fs::write(logs.dir(), "in the way").expect("a file in its place");
    for _ in 0..3 {
        assert_eq!(ask(&gateway, &chat("main", "hi")).await.status, 200);
    }
    gateway.logged("the decision log cannot be written").await;
    fs::remove_file(logs.dir()).expect("what is in the way can be removed");
    while !logs.dir().is_dir() {
        assert_eq!(ask(&gateway, &chat("main", "hi")).await.status, 200);
    }
    gateway.logged("the decision log is written again").await;
    let text = gateway.log();
    assert_eq!(text.matches("the decision log cannot be written").count(), 1, "{text}");
}

#[tokio::test]
async fn a_changed_decision_log_is_reported_to_need_a_restart() {
    let (logs, fake) = (LogDirectory::new(), FakeModel::saying("hello").await);
    let gateway = Gateway::start(&in_order(&[&fake], &logs.table(""))).await;
    ask(&gateway, &chat("main", "hi")).await;
    fs::write(gateway.config(), in_order(&[&fake], &logs.table("content = true")))
        .expect("it can be written");
    reload(&gateway).await;
    gateway.logged("[decision_log] changed in the configuration").await;
    ask(&gateway, &chat("main", "hi")).await;
    let records = wait_for_records(&logs.dir(), 2).await;
    assert_eq!(records[1]["content"], Value::Null, "nothing is lost and nothing changes until then");
}

#[tokio::test]
async fn fifty_candidates_are_in_their_record() {
    let (logs, fake) = (LogDirectory::new(), FakeModel::saying("hello").await);
    let mut more: String = (0..49).map(|number| model(&format!("a/chat-{number}"), 2, "")).collect();
    more += &logs.table("");
    let gateway = Gateway::start(&in_order(&[&fake], &more)).await;
    ask(&gateway, &chat("main", "hi")).await;
    let records = wait_for_records(&logs.dir(), 1).await;
    assert_eq!(records[0]["decisions"][0]["candidates"].as_array().map(Vec::len), Some(50));
    validate(&records);
}

#[test]
fn the_schema_of_a_record_is_printed() {
    let printed = run(&["schema", "--decision-record"]);
    let (stdout, _) = texts(&printed);
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/decision-record.schema.json");
    assert_eq!(stdout, fs::read_to_string(path).expect("the committed schema"));
}
