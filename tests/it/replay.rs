//! `pointsman replay`, on logs of real gateways and of a world whose truth is known.

use std::fs::{self, File};
use std::io::{ErrorKind, Write};
use std::path::PathBuf;
use std::process::{Command, Stdio};

use pointsman_guests::{HOSTILE, Misdeed, misbehaving};
use pointsman_tests::synthetic_log::SyntheticLog;
use pointsman_tests::{FakeModel, Gateway, client, command, installed};
use serde_json::{Value, json};

use crate::author::Author;
use crate::command_line::texts;
use crate::dev::signal;
use crate::fleet::{ask, built_in, chat, in_order};

/// Weights of the logged policy, which draws.
const WEIGHTS: &str = r#"{"weights":{"a/*":3,"b/*":1}}"#;
const WEIGHTED: &str = "settings = { weights = { \"a/*\" = 3, \"b/*\" = 1 } }";

/// Runs `pointsman replay` in the folder.
fn replay(folder: &Author, arguments: &[&str]) -> (Option<i32>, String, String) {
    let mut replay = command();
    replay.current_dir(folder.path("")).arg("replay").args(arguments);
    let output = replay.output().expect("the gateway's binary can be run");
    let (out, err) = texts(&output);
    (output.status.code(), out, err)
}

fn report(folder: &Author, arguments: &[&str]) -> Value {
    let (status, out, err) = replay(folder, &[&["--json"], arguments].concat());
    assert_eq!((status, &*err), (Some(0), ""), "{arguments:?}: {out}");
    serde_json::from_str(&out).expect("JSON")
}

/// Returns the mean difference of an outcome and the ends of its interval.
fn difference<'a>(report: &'a Value, outcome: &str) -> (&'a Value, [f64; 3]) {
    let outcomes = report["outcomes"].as_array().expect("outcomes");
    let outcome = outcomes.iter().find(|it| it["outcome"] == outcome).expect("the outcome");
    let difference = &outcome["best"]["difference"];
    (outcome, ["low", "estimate", "high"].map(|name| difference[name].as_f64().unwrap_or(f64::NAN)))
}

/// Writes a log of requests that a gateway served, half of them with ratings, and returns its number of requests for
/// each of two models.
async fn served(folder: &Author, route: &str, more: &str, content: bool) -> [u64; 2] {
    let models = [FakeModel::saying("one two three").await, FakeModel::saying("four").await];
    let log = folder.path("decisions");
    let log = format!("[decision_log]\ndir = \"{}\"\ncontent = {content}\n", log.display());
    let policy = format!("{}[routes.drawn]\npolicy = \"{route}\"\n", built_in(route, more));
    let gateway = Gateway::start(&in_order(&[&models[0], &models[1]], &(policy + &log))).await;
    for number in 0..40 {
        let answer = ask(&gateway, &chat("drawn", "what is the capital of Peru?")).await;
        assert_eq!(answer.status, 200);
        if number % 2 == 0 {
            let id = answer.header("x-pointsman-decision-id").expect("an id");
            let rating = json!({ "decision_id": id, "score": 0.75 });
            while client::post(&gateway.url("/v1/feedback"), &rating).await.status == 404 {
                tokio::task::yield_now().await;
            }
        }
    }
    assert_eq!(gateway.stop().await.code(), Some(0));
    models.map(|model| model.requests().len() as u64)
}

#[tokio::test]
async fn the_policy_that_served_agrees_with_its_log_and_another_shows_what_changes() {
    let folder = Author::new(&[]);
    let [cheap, dear] = served(&folder, "weighted", WEIGHTED, false).await;
    assert_eq!(cheap + dear, 40);
    let same = report(&folder, &["decisions", "--policy", "builtin:weighted", "--settings", WEIGHTS]);
    assert_eq!(same["log"]["replayed"], json!({ "records": 40, "requests": 40.0 }), "{same:#}");
    assert_eq!(
        (&same["decisions"]["same"]["records"], &same["decisions"]["draws"]),
        (&json!(40), &json!(40))
    );
    assert_eq!(same["propensities"]["records"], 40);
    let (cost, ends) = difference(&same, "cost_usd");
    assert_eq!((&cost["best"]["method"], ends), (&json!("known"), [0.0; 3]));
    assert_eq!(same["log"]["ratings"], json!({ "joined": 20, "unmatched": 0 }));
    let (score, _) = difference(&same, "score");
    assert_eq!(
        (&score["estimates"]["records"], &score["estimates"]["logged_mean"]),
        (&json!(20), &json!(0.75))
    );

    // The cheapest model always: what the other one served changes, and is too little for an estimate.
    let cheapest = report(&folder, &["decisions", "--policy", "builtin:cost"]);
    assert_eq!(cheapest["decisions"]["same_first_choice"]["records"], cheap);
    let changed = &cheapest["transitions"][0];
    assert_eq!(
        (&changed["from"], &changed["to"], &changed["records"]),
        (&json!("b/chat"), &json!("a/chat"), &json!(dear))
    );
    assert!(changed["cost_shift_usd"].as_f64().expect("a difference") < 0.0, "{changed}");
    let (cost, _) = difference(&cheapest, "cost_usd");
    assert!(cost["declined"].as_str().expect("a reason").contains("below 100"), "{cost:#}");
    let arguments = ["decisions", "--policy", "builtin:cost", "--max-cost-increase", "0"];
    let (status, text, err) = replay(&folder, &arguments);
    assert_eq!(status, Some(1), "{text}");
    assert!(err.contains("the cost cannot be predicted: overlap too thin"), "{err}");
    for expected in
        ["agreement: ", "replayed  40 records\n", "FROM", "b/chat  a/chat", "no estimate: overlap too thin"]
    {
        assert!(text.contains(expected), "{expected}\nis not in:\n{text}");
    }

    for (option, records) in [
        (["--route", "drawn"], 40),
        (["--route", "main"], 0),
        (["--decided-by", "weighted"], 40),
        (["--key", "nobody"], 0),
        (["--until", "2020-01-01"], 0),
        (["--since", "2020-01-01T00:00:00Z"], 40),
        (["--limit", "7"], 7),
    ] {
        let arguments = [&["decisions", "--policy", "builtin:cost"], &option[..]].concat();
        assert_eq!(report(&folder, &arguments)["log"]["replayed"]["records"], records, "{option:?}");
    }
}

#[tokio::test]
async fn records_that_lack_what_a_policy_can_see_are_counted_and_not_guessed() {
    let folder = Author::new(&[]);
    served(&folder, "bandit", "grants = [\"state\"]", false).await;
    let without = report(&folder, &["decisions", "--policy", "builtin:task-type"]);
    let reasons = &without["log"]["not_replayable"];
    assert_eq!(without["log"]["replayed"]["records"], 0);
    assert_eq!(
        (&reasons[0]["name"], &reasons[0]["records"]),
        (&json!("no content (`decision_log.content` was off)"), &json!(40))
    );
    let learning = report(&folder, &["decisions", "--policy", "builtin:bandit"]);
    assert_eq!(
        learning["log"]["not_replayable"][0]["name"],
        "the values that the policy kept are not recorded"
    );
    let drawn = report(&folder, &["decisions", "--policy", "builtin:weighted"]);
    assert_eq!(
        (&drawn["log"]["replayed"]["records"], &drawn["propensities"]["records"]),
        (&json!(40), &json!(40))
    );

    let with_content = Author::new(&[]);
    served(&with_content, "weighted", WEIGHTED, true).await;
    let read = report(&with_content, &["decisions", "--policy", "builtin:task-type"]);
    assert_eq!(read["log"]["replayed"]["records"], 40, "{read:#}");
}

/// Returns a report without the parts that name files.
fn without_files(mut report: Value) -> Value {
    report["log"]["files"] = Value::Null;
    report["log"]["first_line_errors"] = Value::Null;
    report
}

#[test]
fn damaged_lines_are_counted_and_the_report_depends_on_no_files_and_threads() {
    let lines = SyntheticLog { rated: 0.2, ..SyntheticLog::default() }.lines(600);
    let folder = Author::new(&[("plain/decisions-1.jsonl", &lines)]);
    let policy = ["--policy", "builtin:cost"];
    let plain = report(&folder, &[&["plain"], &policy[..]].concat());
    assert_eq!(plain["log"]["replayed"]["records"], 600);
    assert!(plain["log"]["ratings"]["joined"].as_u64() > Some(60), "{plain:#}");

    let places: Vec<usize> = lines.match_indices('\n').map(|(at, _)| at + 1).collect();
    let (first, rest) = lines.split_at(places[100]);
    let (second, third) = rest.split_at(places[333] - places[100]);
    let zstd = |text: &str| zstd::encode_all(text.as_bytes(), 1).expect("it can be compressed");
    folder.write("split/decisions-1.jsonl.zst", &zstd(first));
    folder.write("split/decisions-2.jsonl", second.as_bytes());
    folder.write("split/decisions-3.jsonl.zst", &zstd(third));
    for threads in ["1", "3"] {
        let split = report(&folder, &[&["split", "--threads", threads], &policy[..]].concat());
        assert_eq!(without_files(split), without_files(plain.clone()), "{threads}");
    }
    let named = ["split/decisions-1.jsonl.zst", "split/decisions-2.jsonl", "split/decisions-3.jsonl.zst"];
    let named = report(&folder, &[&named, &policy[..]].concat());
    assert_eq!(without_files(named), without_files(plain.clone()));

    // Garbage, a line of a later version, a huge line, and a last line that is cut off; a compressed file too.
    let huge = format!("{{\"huge\":\"{}\"}}", "x".repeat(3 << 20));
    let later = first.lines().next().expect("a line").replace("\"schema\":1", "\"schema\":9");
    let damaged = format!("\u{0}garbage\n{first}{later}\n{huge}\n{second}{}", &third[..third.len() - 40]);
    folder.write("damaged/decisions-1.jsonl", damaged.as_bytes());
    let cut = zstd(&lines);
    folder.write("damaged/decisions-2.jsonl.zst", &cut[..cut.len() / 2]);
    let (status, out, err) = replay(&folder, &[&["damaged", "--json"], &policy[..]].concat());
    assert_eq!((status, &*err), (Some(0), ""));
    let report: Value = serde_json::from_str(&out).expect("JSON");
    let errors = report["log"]["first_line_errors"].as_array().expect("errors");
    assert_eq!(report["log"]["line_errors"], errors.len(), "{errors:?}");
    let error = |number: usize| errors[number]["error"].as_str().unwrap_or_default();
    assert_eq!((errors.len(), &errors[0]["line"]), (5, &json!(1)), "{errors:?}");
    assert!(error(0).starts_with("not a decision record: "), "{errors:?}");
    assert!(error(1).contains("the record has schema 9"), "{errors:?}");
    assert!(error(4).starts_with("cannot read: "), "{errors:?}");
    let records = report["log"]["replayed"]["records"].as_u64().expect("a number");
    assert!((599..1_199).contains(&records), "{records}");
    let (_, text, _) = replay(&folder, &[&["damaged"], &policy[..]].concat());
    assert!(
        text.contains("warning: 5 lines could not be read\n  damaged/decisions-1.jsonl:1: not a"),
        "{text}"
    );
}

#[test]
fn estimates_contain_the_truth_and_wrong_propensities_are_reported() {
    let requests = 4_000;
    let log = SyntheticLog { rated: 0.3, ..SyntheticLog::default() };
    let folder = Author::new(&[("decisions-1.jsonl", &log.lines(requests))]);
    let cheapest = report(&folder, &["decisions-1.jsonl", "--policy", "builtin:cost"]);
    let truth = log.true_difference(requests, 0);
    for (name, truth) in [("cost_usd", truth.cost_usd), ("latency_ms", truth.latency_ms)] {
        let (outcome, [low, _, high]) = difference(&cheapest, name);
        assert_eq!(outcome["best"]["method"], "doubly-robust", "{outcome:#}");
        assert!(low <= truth && truth <= high && high < 0.0, "{low} {truth} {high}");
        assert_eq!(outcome["verdict"], "better");
        for method in ["direct", "ips", "snips", "doubly_robust"] {
            let interval = &outcome["estimates"][method]["difference"];
            let [low, error, high] =
                ["low", "standard_error", "high"].map(|it| interval[it].as_f64().expect("a number"));
            assert!(low - error < truth && truth < high + error, "{method}: {interval} {truth}");
        }
    }
    // Ratings of the small model are lower by 0.05 on average.
    let (score, [low, _, high]) = difference(&cheapest, "score");
    assert!(low <= -0.05 && -0.05 <= high && score["verdict"] == "worse", "{score:#}");
    assert_eq!(cheapest["warnings"], json!([]));
    let routes = cheapest["groups"]["route"].as_array().expect("routes");
    assert_eq!(routes.len(), 2);
    assert!(routes.iter().all(|it| it["cost_usd"]["difference"]["high"].as_f64() < Some(0.0)), "{routes:#?}");

    let wrong = SyntheticLog { states_uniform: true, ..log };
    folder.write("wrong.jsonl", wrong.lines(requests).as_bytes());
    let wrong = report(&folder, &["wrong.jsonl", "--policy", "builtin:cost"]);
    let warnings = wrong["warnings"].to_string();
    assert!(warnings.contains("the logged propensities of fleet/small cannot be true"), "{warnings}");
    let (cost, _) = difference(&wrong, "cost_usd");
    assert_eq!(cost["best"]["method"], "direct", "{cost:#}");

    // The dearest model, of which there are examples enough: worse, and beyond the limit.
    let dearest = ["decisions-1.jsonl", "--policy", "builtin:priority", "--settings"];
    let order = r#"{"order":["fleet/large","fleet/medium","fleet/small"]}"#;
    let (status, text, err) =
        replay(&folder, &[&dearest[..], &[order, "--max-cost-increase", "50"]].concat());
    assert_eq!(status, Some(1), "{text}\n{err}");
    assert!(err.starts_with("error: the predicted cost is ") && err.contains("more than 50 %"), "{err}");
    assert!(text.contains("doubly robust  worse"), "{text}");
}

#[test]
fn a_policy_that_fails_is_reported_and_can_fail_the_command() {
    let lines = SyntheticLog::default().lines(50);
    let folder = Author::new(&[("decisions-1.jsonl", &lines)]).with("hostile.wasm", HOSTILE);
    let panics = misbehaving(Misdeed::Panic);
    let arguments = ["decisions-1.jsonl", "--policy", "hostile.wasm", "--settings", &panics];
    let failing = report(&folder, &arguments);
    assert_eq!(failing["decisions"]["failed"]["records"], 50);
    let failure = failing["decisions"]["failures"][0]["name"].as_str().expect("a failure");
    assert!(failure.starts_with("trap: "), "{failure}");
    assert_eq!(
        failing["decisions"]["changes"],
        json!([{ "name": "fails", "records": 50, "requests": 50.0 }])
    );
    assert_eq!(failing["not_estimated"][0]["name"], "the policy fails");
    let (status, _, err) = replay(&folder, &[&arguments[..], &["--max-failures", "0"]].concat());
    assert_eq!(
        (status, &*err),
        (Some(1), "error: the policy fails at 100.00 % of the requests, more than 0 %\n")
    );
    let denies = misbehaving(Misdeed::Deny);
    let refusing = report(&folder, &["decisions-1.jsonl", "--policy", "hostile.wasm", "--settings", &denies]);
    assert_eq!(refusing["decisions"]["refused"]["records"], 50, "{refusing:#}");
    let (status, _, err) = replay(&folder, &["decisions-1.jsonl", "--policy", "builtin:costs"]);
    assert_eq!(status, Some(2), "{err}");
    let (status, _, err) = replay(&folder, &["nowhere.jsonl", "--policy", "builtin:cost"]);
    assert!(status == Some(2) && err.contains("nowhere.jsonl"), "{err}");
    let (status, _, err) =
        replay(&folder, &["decisions-1.jsonl", "--policy", "builtin:cost", "--settings", r#"{"no":1}"#]);
    assert_eq!(status, Some(3), "{err}");
}

#[test]
fn the_page_needs_nothing_else_and_a_browser_shows_it() {
    let lines =
        SyntheticLog { rated: 0.3, ..SyntheticLog::default() }.lines(1_500).replace("team-3", "<b>team</b>");
    let folder = Author::new(&[("decisions-1.jsonl", &lines)]);
    let arguments = ["decisions-1.jsonl", "--policy", "builtin:cost", "--html", "report.html"];
    let (status, _, err) = replay(&folder, &arguments);
    assert_eq!((status, &*err), (Some(0), ""));
    let page = folder.read("report.html");
    for foreign in ["http:", "https:", "<script", "<link", "<img", "src=", "url(", "<b>"] {
        assert!(!page.contains(foreign), "{foreign}");
    }
    assert!(page.contains("&lt;b&gt;team&lt;/b&gt;") && page.contains("prefers-color-scheme: dark"));
    let Some(chromium) = installed("POINTSMAN_TEST_CHROMIUM") else { return };
    let shown = browsed(&chromium, folder.path("report.html"));
    for expected in ["<h2>Predicted outcomes</h2>", "<h2>By route</h2>", "<circle", "&lt;b&gt;team&lt;/b&gt;"]
    {
        assert!(shown.contains(expected), "{expected}\nis not in:\n{shown}");
    }
}

/// Returns the elements of a page as a browser has read them.
fn browsed(chromium: &str, page: PathBuf) -> String {
    let page = fs::canonicalize(page).expect("the page");
    let mut browser = Command::new(chromium);
    browser.args(["--headless", "--no-sandbox", "--disable-gpu", "--dump-dom"]);
    browser.arg(format!("file://{}", page.display())).stdin(Stdio::null());
    let output = browser.output().expect("the browser can be run");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8_lossy(&output.stdout).into_owned()
}

/// Replays a log and returns the largest resident memory of the process in KiB.
fn peak_memory(folder: &Author, log: &str) -> u64 {
    let mut replay = command();
    replay.current_dir(folder.path("")).args(["replay", log, "--policy", "builtin:cost", "--threads", "2"]);
    let mut replay = replay.stdout(Stdio::null()).spawn().expect("the gateway's binary can be run");
    let mut peak = 0;
    loop {
        let ended = replay.try_wait().expect("it is a child process");
        let status = fs::read_to_string(format!("/proc/{}/status", replay.id())).unwrap_or_default();
        let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
        peak = line.and_then(|line| line.trim().trim_end_matches(" kB").parse().ok()).unwrap_or(peak);
        if let Some(status) = ended {
            assert!(status.success());
            return peak;
        }
        std::thread::yield_now();
    }
}

/// Writes lines to a pipe until its reader closes it.
fn write_until_closed(pipe: &mut File, lines: &str) {
    loop {
        if let Err(error) = pipe.write_all(lines.as_bytes()) {
            assert_eq!(error.kind(), ErrorKind::BrokenPipe);
            return;
        }
    }
}

#[test]
fn an_interrupted_replay_reports_the_records_that_it_has_replayed() {
    let folder = Author::new(&[]);
    let (pipe, lines) = (folder.path("log.jsonl"), SyntheticLog::default().lines(2_000));
    assert!(Command::new("mkfifo").arg(&pipe).status().expect("mkfifo can be run").success());
    // Open for both, so that neither side waits for the other.
    let both = File::options().read(true).write(true).open(&pipe).expect("the pipe");
    let mut log = File::options().write(true).open(&pipe).expect("the pipe");
    let mut replay = command();
    replay.current_dir(folder.path("")).args(["replay", "log.jsonl", "--policy", "builtin:cost", "--json"]);
    let replay = replay.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn();
    let replay = replay.expect("the gateway's binary can be run");
    // A pipe holds 64 KiB, so the replay has begun when all lines are written.
    assert!(lines.len() > 1 << 18);
    log.write_all(lines.as_bytes()).expect("the replay reads");
    drop(both);
    signal(&replay, "INT");
    write_until_closed(&mut log, &lines);
    let output = replay.wait_with_output().expect("it ends");
    let (out, err) = texts(&output);
    let report: Value = serde_json::from_str(&out).expect("a report");
    let records = report["log"]["replayed"]["records"].as_u64().expect("a number");
    assert_eq!((output.status.code(), &report["log"]["interrupted"]), (Some(1), &json!(true)), "{err}");
    assert!(records > 0 && err.contains(&format!("interrupted after {records} records")), "{err}");
}

#[test]
fn memory_does_not_grow_with_the_log() {
    let log = SyntheticLog::default();
    let folder = Author::new(&[("short.jsonl", &log.lines(4_000)), ("long.jsonl", &log.lines(24_000))]);
    let (short, long) = (peak_memory(&folder, "short.jsonl"), peak_memory(&folder, "long.jsonl"));
    let size = fs::metadata(folder.path("long.jsonl")).expect("the log").len() / 1024;
    // Decisions wait for ratings in a window, some 400 bytes each.
    let window = 20_000 * 500 / 1024;
    assert!(long < short + window + 8 * 1024, "{short} KiB, then {long} KiB for a log of {size} KiB");
    assert!(size > 2 * (window + 8 * 1024), "the log is larger than what may be kept: {size} KiB");
}
