//! The commands of `pointsman policy` for authors, on real policies.

use std::fs;
use std::io::{BufRead, BufReader};
use std::path::PathBuf;
use std::process::{Output, Stdio};

use pointsman_guests::{
    FIRST, HOSTILE, KEEPER, Misdeed, PLANNER, Planned, READER, Shape, misbehaving_at_once, planned,
    wrong_world,
};
use pointsman_tests::{command, fresh_directory};
use serde_json::Value;

use crate::command_line::texts;

/// A folder with a policy and cases, removed when dropped.
pub struct Author {
    folder: PathBuf,
}

impl Author {
    /// Writes files with these names and contents.
    pub fn new(files: &[(&str, &str)]) -> Self {
        let author = Self { folder: fresh_directory() };
        for (name, text) in files {
            author.write(name, text.as_bytes());
        }
        author
    }

    pub fn write(&self, name: &str, bytes: &[u8]) {
        let path = self.folder.join(name);
        fs::create_dir_all(path.parent().expect("a folder")).expect("a folder for the file");
        fs::write(path, bytes).expect("the file can be written");
    }

    pub fn with(self, name: &str, bytes: &[u8]) -> Self {
        self.write(name, bytes);
        self
    }

    pub fn read(&self, name: &str) -> String {
        fs::read_to_string(self.folder.join(name)).expect("the file can be read")
    }

    /// Returns the path of a file or folder.
    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }

    /// Runs `pointsman policy` in the folder, with these variables. Credentials are read from the
    /// folder only.
    fn policy_in(&self, environment: &[(&str, &str)], arguments: &[&str]) -> Output {
        let mut policy = command();
        policy.current_dir(&self.folder).env("DOCKER_CONFIG", &self.folder);
        policy.env("POINTSMAN_CACHE", self.folder.join(".cache"));
        policy.envs(environment.iter().copied()).arg("policy").args(arguments);
        policy.output().expect("the gateway's binary can be run")
    }

    /// Returns the exit status, standard output and standard error.
    pub fn run(&self, arguments: &[&str]) -> (Option<i32>, String, String) {
        self.run_in(&[], arguments)
    }

    /// Does the same with these variables.
    pub fn run_in(&self, environment: &[(&str, &str)], arguments: &[&str]) -> (Option<i32>, String, String) {
        let output = self.policy_in(environment, arguments);
        let (out, err) = texts(&output);
        (output.status.code(), out, err)
    }

    /// Runs a command that must succeed, and returns its output.
    pub fn run_ok(&self, arguments: &[&str]) -> String {
        let (status, out, err) = self.run(arguments);
        assert_eq!((status, &*err), (Some(0), ""), "{arguments:?}: {out}");
        out
    }

    pub fn json(&self, arguments: &[&str]) -> Value {
        serde_json::from_str(&self.run_ok(arguments)).expect("JSON")
    }
}

#[test]
fn a_policy_is_compiled_once_for_all_commands() {
    let author = Author::new(&[("defaults.toml", DEFAULTS), ("one.toml", SHORT)]).with("policy.wasm", FIRST);
    let run = ["run", "policy.wasm", "--case", "one.toml"];
    let compiled = || fs::read_dir(author.path(".cache/compiled")).map_or(0, Iterator::count);
    author.run_ok(&run);
    let after_first = compiled();
    assert!(after_first > 0, "the compiled code is kept");
    author.run_ok(&run);
    assert_eq!(compiled(), after_first);
    // A directory that cannot be used costs time, and nothing else.
    let environment = [("POINTSMAN_CACHE", "/dev/null/cache")];
    assert_eq!(author.run_in(&environment, &run).0, Some(0));
}

impl Drop for Author {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.folder);
    }
}

/// Candidates that differ in price and quality.
const DEFAULTS: &str = "\
[[candidates]]
id = \"fleet/small\"
input_price = 0.1
output_price = 0.4
quality = 0.5

[[candidates]]
id = \"fleet/large\"
input_price = 2.0
output_price = 8.0
quality = 0.9
";

const SHORT: &str = "\
request.messages = \"What is the capital of Peru?\"
[expect]
target = \"fleet/small\"
label = \"cheapest\"
reason = \"fleet/small\"
never_calls = \"prompt\"
";

#[test]
fn cases_pass_and_fail_with_a_readable_difference() {
    let author = Author::new(&[("cases/defaults.toml", DEFAULTS), ("cases/short.toml", SHORT)]);
    let out = author.run_ok(&["test", "builtin:cost"]);
    assert!(out.starts_with("ok: 1 passed; most fuel: ") && out.ends_with(" (short)\n"), "{out}");

    author.write(
        "cases/floor.toml",
        b"name = \"a floor\"\nsettings.quality_floor = 0.7\n[expect]\ntargets = [\"fleet/small\", \"fleet/large\"]\n\
          label = \"cheapest\"\n",
    );
    let (status, out, err) = author.run(&["test", "builtin:cost"]);
    assert_eq!((status, &*err), (Some(1), "error: 1 of 2 cases failed\n"), "{out}");
    for expected in [
        "FAILED  a floor  (cases/floor.toml)\n",
        "  targets\n    expected  fleet/small, fleet/large\n    actual    fleet/large, fleet/small\n",
        "  label\n    expected  cheapest\n    actual    cheapest:above-floor\n",
        "  answer  decision  fleet/large, fleet/small  label cheapest:above-floor  reason \"",
        "failed: 1 failed, 1 passed",
    ] {
        assert!(out.contains(expected), "{expected}\nis not in:\n{out}");
    }
    let one = author.run_ok(&["test", "builtin:cost", "--filter", "short"]);
    assert!(one.starts_with("ok: 1 passed"), "{one}");
    let alone = author.run_ok(&["test", "builtin:cost", "--cases", "cases/short.toml"]);
    assert!(alone.starts_with("ok: 1 passed"), "{alone}");
}

#[test]
fn results_are_printed_as_json_with_coverage() {
    let author = Author::new(&[
        ("cases/defaults.toml", DEFAULTS),
        ("cases/short.toml", SHORT),
        (
            "cases/strict.json",
            r#"{"settings": {"strict": true, "quality_floor": 1.0},
                "expect": {"refusal": {"kind": "no-candidate", "text": "0.9"}}}"#,
        ),
        (
            "cases/settings.toml",
            "settings.quality_floor = 80\nexpect.settings_rejected = \"expected a number from 0 to 1, found 80\"\n",
        ),
    ]);
    let report = author.json(&["test", "builtin:cost", "--json", "--coverage"]);
    assert_eq!((&report["passed"], &report["failed"]), (&3.into(), &0.into()), "{report:#}");
    assert_eq!(report["coverage"]["labels"]["cheapest"], 1);
    assert_eq!(report["coverage"]["refusals"]["no-candidate"], 1);
    assert_eq!(report["coverage"]["failures"]["settings"], 1);
    let short = report["cases"].as_array().expect("cases").iter().find(|case| case["name"] == "short");
    let short = short.expect("the case");
    assert_eq!(short["answers"][0]["targets"], serde_json::json!(["fleet/small", "fleet/large"]));
    assert!(short["fuel"].as_u64().is_some_and(|fuel| fuel > 1_000), "{short}");
    let again = author.json(&["test", "builtin:cost", "--json"]);
    let fuel = |report: &Value| -> Vec<Value> {
        report["cases"].as_array().expect("cases").iter().map(|case| case["fuel"].clone()).collect()
    };
    assert_eq!(fuel(&report), fuel(&again), "fuel is repeatable");
    let text = author.run_ok(&["test", "builtin:cost", "--coverage"]);
    assert!(text.contains("label    cheapest      1\n"), "{text}");
    assert!(text.contains("declared, but no case leads to it: label cheapest:above-floor\n"), "{text}");
    let declared = &report["coverage"]["declared"];
    assert_eq!(declared["labels_not_declared"], serde_json::json!([]));
    assert_eq!(declared["refusals_never_given"], serde_json::json!(["denied"]));
}

#[test]
fn plans_are_resumed_with_the_results_of_a_case() {
    let settings =
        planned(&Planned { shape: Shape::Resume, tasks: 2, optional: vec![1], ..Planned::default() });
    let case = format!(
        r#"{{
            "settings": {settings},
            "candidates": [{{ "id": "a/x" }}, {{ "id": "a/y" }}],
            "tasks": [
                {{ "name": "t0", "output": "one", "input_tokens": 5, "output_tokens": 7 }},
                {{ "name": "t1", "error": "it is away" }}
            ],
            "expect": {{
                "label": "resumed",
                "answer": "2 tasks: t0 done stop \"one\" 5+7; t1 failed (it is away)",
                "calls": "outputs.text",
                "steps": [{{
                    "label": "asked-again",
                    "plan": {{ "next": "resume", "tasks": [
                        {{ "name": "t0", "operation": "chat", "target": "a/x", "after": [] }},
                        {{ "name": "t1", "target": "a/y", "optional": true }}
                    ] }}
                }}]
            }}
        }}"#
    );
    let author = Author::new(&[("cases/two.json", &case)]).with("planner.wasm", PLANNER);
    author.run_ok(&["test", "planner.wasm"]);

    author.write(
        "cases/two.json",
        case.replace("\"name\": \"t1\", \"error\"", "\"name\": \"t2\", \"error\"").as_bytes(),
    );
    let (status, out, _) = author.run(&["test", "planner.wasm"]);
    assert_eq!(status, Some(1));
    assert!(out.contains("the case has no result for its task `t1`"), "{out}");
}

#[test]
fn wrong_input_ends_with_status_2_and_a_policy_that_is_none_with_3() {
    let typo = "expect.lable = \"x\"\n";
    let author =
        Author::new(&[("cases/short.toml", SHORT), ("wrong/typo.toml", typo), ("empty/README.md", "")])
            .with("wrong.wasm", &wrong_world());
    let settings = misbehaving_at_once(Misdeed::Panic);
    author.write(
        "panic/case.json",
        format!(r#"{{"settings": {settings}, "expect": {{"label": "x"}}}}"#).as_bytes(),
    );
    author.write("hostile.wasm", HOSTILE);
    for (arguments, expected_status, expected) in [
        (&["test", "builtin:cost", "--cases", "wrong"][..], 2, "wrong/typo.toml:1:8"),
        (&["test", "builtin:cost", "--cases", "empty"], 2, "there are no cases"),
        (&["test", "builtin:cost", "--cases", "nowhere"], 2, "there are no cases at nowhere"),
        (&["test", "builtin:cost", "--filter", "nothing"], 2, "no case has that text"),
        (&["test", "builtin:cots"], 2, "did you mean `builtin:cost`?"),
        (&["test", "nowhere.wasm"], 2, "cannot read nowhere.wasm: "),
        (&["test", "wrong.wasm"], 3, "so it is no policy"),
        (&["test", "hostile.wasm", "--cases", "panic"], 3, "as asked"),
        (&["run", "hostile.wasm"], 2, "--case <FILE>"),
    ] {
        let (status, out, err) = author.run(arguments);
        assert_eq!((status, &*out), (Some(expected_status), ""), "{arguments:?}: {err}");
        assert!(err.contains(expected), "{arguments:?}: {err}");
    }
}

#[test]
fn one_request_is_explained() {
    let author = Author::new(&[
        ("cases/defaults.toml", DEFAULTS),
        (
            "cases/read.toml",
            "request.messages = \"hello\"\nrequest.tools = [\"search\"]\nexpect.label = \"x\"\n",
        ),
    ])
    .with("reader.wasm", READER);
    let out = author.run_ok(&["run", "reader.wasm", "--case", "cases/read.toml"]);
    for expected in [
        "request     chat for `auto`, 9 input tokens, text, 1 turns, needs tools\n",
        "candidates  fleet/small, $0.1/$0.4 per million tokens, quality 0.5\n",
        "  imports   settings.json()  2 bytes\n",
        "            prompt.last-user-text(4294967295)  5 bytes\n",
        "  read      15 bytes of prompt, 2 bytes of settings\n",
        "  fuel      ",
        "  memory    1",
        "  answer    decision\n            1. fleet/small\n            2. fleet/large\n  label     reader\n",
        "  reason    1 user 5 \"hello\" [search]\n",
    ] {
        assert!(out.contains(expected), "{expected}\nis not in:\n{out}");
    }
    let report = author.json(&["run", "reader.wasm", "--case", "cases/read.toml", "--json"]);
    assert_eq!(report["calls"][0]["answer"]["label"], "reader");
    assert_eq!(report["calls"][0]["imports"][1]["function"], "role");
}

#[test]
fn a_request_as_a_client_sends_it_is_run() {
    let body = r#"{"model": "main", "messages": [{"role": "user", "content": "hi there"}], "max_tokens": 9}"#;
    let author = Author::new(&[("cases/defaults.toml", DEFAULTS), ("body.json", body), ("bad.json", "[]")])
        .with("first.wasm", FIRST);
    let from = ["--request", "body.json", "--candidates", "cases/defaults.toml"];
    let report = author.json(&[&["run", "builtin:cost", "--json"], &from[..]].concat());
    assert_eq!(report["calls"][0]["answer"]["targets"][0], "fleet/small");
    let out =
        author.run_ok(&["run", "first.wasm", "--request", "body.json", "--settings", r#"{"label": "own"}"#]);
    assert!(out.contains("chat for `main`") && out.contains("example/small"), "{out}");
    assert!(out.contains("  label     own\n"), "{out}");
    let (status, _, err) = author.run(&["run", "first.wasm", "--request", "bad.json"]);
    assert_eq!(status, Some(2), "{err}");
    assert!(err.starts_with("error: bad.json: "), "{err}");
}

#[test]
fn a_policy_that_fails_says_why() {
    let settings = pointsman_guests::misbehaving(Misdeed::Panic);
    let case = format!(
        r#"{{"settings": {settings}, "expect": {{"failure": {{"kind": "trap", "text": "as asked"}}}}}}"#
    );
    let author = Author::new(&[("cases/panic.json", &case)]).with("hostile.wasm", HOSTILE);
    author.run_ok(&["test", "hostile.wasm"]);
    let (status, out, err) = author.run(&["run", "hostile.wasm", "--case", "cases/panic.json"]);
    assert_eq!(status, Some(1));
    assert!(out.contains("  log       error: panicked at ") && out.contains("as asked"), "{out}");
    assert!(
        err.starts_with("error: the policy failed: failure  trap: the policy trapped: panicked at "),
        "{err}"
    );
}

#[test]
fn the_schema_of_cases_is_printed() {
    let output = command().args(["schema", "--cases"]).output().expect("the gateway's binary can be run");
    let (out, _) = texts(&output);
    let schema: Value = serde_json::from_str(&out).expect("JSON");
    assert_eq!(schema["title"], "Pointsman policy cases");
}

#[test]
fn a_decision_log_gives_cases_and_counts_what_makes_none() {
    let log = concat!(env!("CARGO_MANIFEST_DIR"), "/fixtures/compatibility/0.1.0/decisions");
    let author = Author::new(&[]).with("first.wasm", FIRST).with("reader.wasm", READER);
    let out = author.run_ok(&["test", "builtin:cost", "--record", log, "--decided-by", "cost"]);
    for expected in [
        "left out: 4 records: another policy decided\n",
        "left out: 1 records: no decision\n",
        "ok: 7 passed",
    ] {
        assert!(out.contains(expected), "{expected}\nis not in:\n{out}");
    }
    let report = author.run(&["test", "first.wasm", "--record", log, "--decided-by", "cost", "--json"]);
    assert_eq!((report.0, &*report.2), (Some(1), "error: 7 of 7 cases failed\n"));
    let report: Value = serde_json::from_str(&report.1).expect("JSON");
    assert_eq!(report["cases"][0]["differences"][0]["expected"], "cheapest");
    assert_eq!(report["left_out"]["another policy decided"], 4);

    let (status, _, err) = author.run(&["test", "reader.wasm", "--record", log]);
    assert_eq!(status, Some(2));
    assert!(err.contains("no content (`decision_log.content` was off)"), "{err}");
}

#[test]
fn a_bench_has_times_memory_and_fuel_in_ratio_to_a_baseline() {
    let author = Author::new(&[]).with("first.wasm", FIRST);
    let rounds = ["--rounds", "20", "--warm-up", "2"];
    let bench = |more: &[&str]| author.run(&[&["bench", "builtin:cost"], &rounds[..], more].concat());
    let (status, out, err) = bench(&["--baseline", "first.wasm", "--json"]);
    assert_eq!((status, &*err), (Some(0), ""), "{out}");
    let report: Value = serde_json::from_str(&out).expect("JSON");
    let cost = &report["policies"][0];
    for member in ["fresh_us", "kept_us"] {
        assert!(
            cost[member]["p50"].as_f64() > Some(0.0)
                && cost[member]["p99"].as_f64() >= cost[member]["p50"].as_f64()
        );
    }
    assert!(cost["memory_bytes"].as_u64() >= Some(1 << 16), "{report:#}");
    assert!(
        report["ratio_to_baseline"]["fuel"].as_f64() > Some(1.0),
        "it does more than the first policy: {report:#}"
    );
    let fuel = cost["fuel"].as_u64().expect("it is counted");
    let (status, out, _) = bench(&["--max-fuel", &fuel.to_string()]);
    assert_eq!(status, Some(0));
    assert!(out.starts_with("POLICY") && out.contains("\nbuiltin:cost  "), "{out}");
    let (status, _, err) = bench(&["--max-fuel", &(fuel - 1).to_string()]);
    assert_eq!(status, Some(1));
    assert_eq!(
        err,
        format!("error: the decision used {fuel} units of fuel, more than --max-fuel {}\n", fuel - 1)
    );
}

#[test]
fn cases_run_again_when_one_changes() {
    let author = Author::new(&[("cases/defaults.toml", DEFAULTS), ("cases/short.toml", SHORT)]);
    let mut watch = command();
    watch.current_dir(&author.folder).args(["policy", "test", "builtin:cost", "--watch"]);
    let mut child = watch.stdout(Stdio::piped()).spawn().expect("the gateway's binary can be run");
    let mut lines = BufReader::new(child.stdout.take().expect("its output")).lines().map_while(Result::ok);
    let mut next = |text: &str| lines.any(|line| line.contains(text));
    assert!(next("ok: 1 passed") && next("waiting for changes"));
    author.write("cases/wrong.toml", b"expect.target = \"fleet/large\"\n");
    assert!(next("failed: 1 failed, 1 passed") && next("error: 1 of 2 cases failed"));
    assert!(next("waiting for changes"));
    author.write("cases/wrong.toml", b"expect.target = \"fleet/small\"\n");
    assert!(next("ok: 2 passed"));
    child.kill().expect("it runs");
    child.wait().expect("it has ended");
}

#[test]
fn cases_state_what_a_policy_has_kept_and_leave_nothing_to_each_other() {
    let case = |before: &str, label: &str, after: &str| {
        format!(
            "[[cases]]\nrequest.messages = \"hi\"\nstate = {before}\nexpect.label = \"{label}\"\n\
             expect.state = {after}\n"
        )
    };
    let cases = [
        case("{ decisions = \"41\" }", "decisions-42:outcomes-0:ratings-0", "{ decisions = \"42\" }"),
        case("{}", "decisions-1:outcomes-0:ratings-0", "{ decisions = \"1\", outcomes = \"\" }"),
        case("{}", "decisions-1:outcomes-0:ratings-0", "{ decisions = \"2\" }"),
        case("{ \"\" = \"no key\" }", "x", "{}"),
    ];
    let author = Author::new(&[("cases.toml", &cases.concat())]).with("keeper.wasm", KEEPER);
    let (status, out, _) = author.run(&["test", "keeper.wasm", "--cases", "cases.toml"]);
    assert_eq!(status, Some(1), "{out}");
    assert!(out.contains("state.decisions") && out.contains("failed: 2 failed, 2 passed"), "{out}");
    assert!(out.contains("the key is empty"), "{out}");
}
