//! Commands besides `serve`.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Output, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};

use pointsman_tests::{FakeModel, Gateway, command, fresh_directory};
use serde_json::Value;

use crate::fleet::{ask, ask_with, backend, built_in, chat, in_order, model};
use crate::policy_file::PolicyFile;

/// Runs the gateway's binary to its end.
pub fn run(arguments: &[&str]) -> Output {
    command().args(arguments).output().expect("the gateway's binary can be run")
}

/// Runs `pointsman check` on a configuration.
pub fn check(config: &str) -> Output {
    static COUNT: AtomicU32 = AtomicU32::new(0);
    let name = format!("check-{}-{}.toml", std::process::id(), COUNT.fetch_add(1, Ordering::Relaxed));
    let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    std::fs::write(&path, config).expect("the config can be written");
    let checked = command().arg("check").arg(&path).output().expect("the gateway's binary can be run");
    std::fs::remove_file(&path).expect("the config can be removed");
    checked
}

/// Returns standard output and standard error.
pub fn texts(output: &Output) -> (String, String) {
    let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).expect("the output is text");
    (text(&output.stdout), text(&output.stderr))
}

#[tokio::test]
async fn check_summarises_a_valid_configuration() {
    let upstream = FakeModel::saying("").await;
    let checked = check(&in_order(&[&upstream, &upstream], ""));
    let (output, errors) = texts(&checked);
    assert_eq!((checked.status.code(), errors.as_str()), (Some(0), ""));
    assert!(output.ends_with(": ok (backends: 2, models: 2, policies: 1, routes: 1, keys: 0)\n"), "{output}");
}

#[test]
fn the_configuration_of_the_readme_passes_check_as_printed() {
    let readme = Path::new(env!("CARGO_MANIFEST_DIR")).join("../README.md");
    let readme = std::fs::read_to_string(readme).expect("the README");
    let (_, block) = readme.split_once("```toml\n# pointsman.toml\n").expect("a configuration");
    let (config, _) = block.split_once("```").expect("its end");
    let path = fresh_directory().join("pointsman.toml");
    std::fs::write(&path, config).expect("the config can be written");
    let checked = command().env("OPENAI_API_KEY", "a-key").arg("check").arg(&path).output();
    let checked = checked.expect("the gateway's binary can be run");
    assert_eq!((checked.status.code(), &*texts(&checked).1), (Some(0), ""));
}

#[test]
fn check_reports_all_errors_with_line_and_hint() {
    let config = "[backends.a]\nkind = \"simulated\"\n\n[models.\"a/chat\"]\ninput_prise = 1\n\n\
                  [routes.main]\npolicy = \"nobody\"\nattempt_timeout = \"soon\"\n";
    let checked = check(config);
    let (output, errors) = texts(&checked);
    assert_eq!((checked.status.code(), output.as_str()), (Some(2), ""));
    for expected in [".toml:5:", "input_prise", "input_price", ".toml:9:", "attempt_timeout"] {
        assert!(errors.contains(expected), "{expected} is not in:\n{errors}");
    }
    let checked = check(&config.replace("input_prise", "output_price").replace("\"soon\"", "\"1s\""));
    let (_, errors) = texts(&checked);
    assert!(errors.contains(".toml:8:") && errors.contains("unknown policy `nobody`"), "{errors}");
}

#[test]
fn check_reports_a_policy_that_fails_to_load() {
    let fleet =
        "[backends.a]\nkind = \"simulated\"\n[models.\"a/chat\"]\ninput_price = 1\noutput_price = 2\n";
    let route = |policy: &str| format!("[routes.main]\npolicy = \"{policy}\"\n");
    let missing = "[policies.mine]\nsource = \"./no-such-file.wasm\"\n";
    let file = PolicyFile::new(b"not even WebAssembly");
    let garbage = format!("[policies.mine]\nsource = \"{}\"\n", file.path().display());
    let ungranted = built_in("task-type", "");
    let partly_granted = built_in("auto", "grants = [\"outputs\"]");
    let unsettled = built_in("cost", "settings = { quality_floor = 80 }");
    let cases = [
        (missing, route("mine"), "there is no file ", "source = \"./no-such-file.wasm\""),
        (&garbage, route("mine"), "cannot load the policy `mine` from ", "source = "),
        (&ungranted, route("task-type"), r#"grants = ["prompt"]"#, "source = \"builtin:task-type\""),
        (&partly_granted, route("auto"), "`pointsman:policy/prompt", "grants = [\"outputs\"]"),
        (
            &unsettled,
            route("cost"),
            "setting `quality_floor`: expected a number from 0 to 1, found 80",
            "settings = { quality_floor = 80 }",
        ),
    ];
    for (policy, route, expected, line) in cases {
        let checked = check(&[fleet, policy, &route].concat());
        let (output, errors) = texts(&checked);
        assert_eq!((checked.status.code(), output.as_str()), (Some(2), ""), "{errors}");
        assert!(errors.contains(expected), "{errors}");
        let config = [fleet, policy, &route].concat();
        let number = config.lines().position(|shown| shown.starts_with(line)).expect("the line") + 1;
        assert!(errors.contains(&format!(".toml:{number}:")), "line {number} is not in:\n{errors}");
        assert!(errors.contains(&format!("{number} | {line}")) && errors.contains(" ^^"), "{errors}");
    }
}

#[test]
fn check_reports_all_policies_that_fail_to_load_in_their_order() {
    let directory = fresh_directory();
    std::fs::create_dir(directory.join("policies")).expect("a folder");
    std::fs::write(directory.join("policies/stray.wasm"), b"not even WebAssembly").expect("a file");
    std::fs::write(directory.join("mine.wasm"), b"nor this").expect("a file");
    let config = "policy_dir = \"policies\"\n[backends.a]\nkind = \"simulated\"\n[models.\"a/chat\"]\n\
                  [policies.mine]\nsource = \"mine.wasm\"\n[routes.main]\npolicy = \"mine\"\n";
    std::fs::write(directory.join("pointsman.toml"), config).expect("a configuration");
    let checked = command().arg("check").current_dir(&directory).output().expect("it can be run");
    let (_, errors) = texts(&checked);
    assert_eq!(checked.status.code(), Some(2), "{errors}");
    let place = |text: &str| errors.find(text).unwrap_or_else(|| panic!("{text} is not in:\n{errors}"));
    let (stray, mine) = (place("cannot load the policy `stray`"), place("cannot load the policy `mine`"));
    assert!(stray < mine, "{errors}");
    place("--> pointsman.toml:1:14\n  |\n1 | policy_dir = \"policies\"\n  |              ^^^^^^^^^^\n");
    place("--> pointsman.toml:6:10\n  |\n6 | source = \"mine.wasm\"\n  |          ^^^^^^^^^^^\n");
    place("2 errors in pointsman.toml");
    std::fs::remove_dir_all(&directory).expect("the folder can be removed");
}

#[test]
fn check_shows_the_setting_of_a_backend_that_cannot_be_set_up() {
    let directory = fresh_directory();
    std::fs::write(directory.join("ca.pem"), "no certificate").expect("a file");
    let config = "[backends.a]\nbase_url = \"https://127.0.0.1:1/v1\"\nca_file = \"ca.pem\"\n[models.\"a/chat\"]\n\
                  input_price = 1\noutput_price = 1\n[routes.main]\npolicy = \"builtin:cost\"\n";
    std::fs::write(directory.join("pointsman.toml"), config).expect("a configuration");
    let checked = command().arg("check").current_dir(&directory).output().expect("it can be run");
    let (_, errors) = texts(&checked);
    assert_eq!(checked.status.code(), Some(2), "{errors}");
    let expected = "error: backend `a`: the certificate authorities are not PEM certificates: no certificate found\n --> \
                    pointsman.toml:3:11\n  |\n3 | ca_file = \"ca.pem\"\n  |           ^^^^^^^^\n";
    assert!(errors.contains(expected.trim_end()), "{errors}");
    std::fs::remove_dir_all(&directory).expect("the folder can be removed");
}

#[test]
fn a_listener_for_other_machines_needs_keys_or_the_flag() {
    let refused = run(&["serve", "--listen", "0.0.0.0:0", "--admin-listen", "127.0.0.1:0"]);
    let (output, errors) = texts(&refused);
    assert_eq!((refused.status.code(), output.as_str()), (Some(2), ""));
    for expected in
        ["other machines can reach 0.0.0.0:0", "`pointsman key`", "[keys.NAME]", "`--allow-anonymous`"]
    {
        assert!(errors.contains(expected), "{expected} is not in:\n{errors}");
    }
}

#[test]
fn check_reports_a_missing_file() {
    let checked = run(&["check", "no-such-file.toml"]);
    let (_, errors) = texts(&checked);
    assert_eq!(checked.status.code(), Some(2));
    assert!(errors.contains("no-such-file.toml"), "{errors}");
}

#[tokio::test]
async fn a_new_key_is_accepted_with_its_printed_hash() {
    let (output, _) = texts(&run(&["key", "phone"]));
    let (key, config) = output.split_once("\n\n").expect("the key, then the rest");
    let key = key.strip_prefix("key:").expect("the key comes first").trim();
    let table = &config[config.find("[keys.phone]").expect("a table for the configuration")..];
    let upstream = FakeModel::saying("hello there").await;
    let config = in_order(&[], table) + &backend("a", &upstream, "") + &model("a/chat", 1, "");
    let gateway = Gateway::start(&config).await;
    let bearer = format!("Bearer {key}");
    let answer = ask_with(&gateway, &[("authorization", &bearer)], &chat("main", "hi")).await;
    assert_eq!(answer.text(), "hello there");
    assert_eq!(ask(&gateway, &chat("main", "hi")).await.status, 401);
    assert!(!table.contains(key), "the configuration holds a hash only");

    let (another, _) = texts(&run(&["key", "phone"]));
    assert_ne!(another, output);
}

#[test]
fn the_schema_is_the_one_in_the_repository() {
    let (output, _) = texts(&run(&["schema"]));
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../host/config/schema/pointsman.schema.json");
    let kept = std::fs::read_to_string(path).expect("the schema is kept");
    let schema: Value = serde_json::from_str(&output).expect("the schema is JSON");
    assert!(schema["properties"]["routes"].is_object());
    assert_eq!(output, kept);
}

#[test]
fn the_help_lists_the_commands() {
    let (help, _) = texts(&run(&["--help"]));
    for expected in ["serve", "check", "key", "schema", "pointsman serve", "WebAssembly"] {
        assert!(help.contains(expected), "{expected} is not in:\n{help}");
    }
    let (help, _) = texts(&run(&["serve", "--help"]));
    for expected in [
        "--config <FILE>",
        "--listen <ADDR>",
        "--admin-listen <ADDR>",
        "--allow-anonymous",
        "port 0",
        "simulated fleet",
    ] {
        assert!(help.contains(expected), "{expected} is not in:\n{help}");
    }
    let (version, _) = texts(&run(&["--version"]));
    assert!(version.starts_with("pointsman "), "{version}");
}

#[test]
fn an_unknown_flag_is_reported_with_the_usage() {
    let wrong = run(&["serve", "--port", "80"]);
    let (output, errors) = texts(&wrong);
    assert_eq!((wrong.status.code(), output.as_str()), (Some(2), ""));
    assert!(errors.contains("--port") && errors.contains(" serve [OPTIONS]"), "{errors}");
    assert_eq!(run(&[]).status.code(), Some(2), "without a command the help is shown");
}

/// Runs a command whose standard output is closed by its reader.
fn run_unread(arguments: &[&str]) -> Output {
    let (reader, writer) = std::io::pipe().expect("a pipe");
    drop(reader);
    let mut unread = command();
    unread.args(arguments).stdout(writer);
    unread.output().expect("the gateway's binary can be run")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reader_that_closes_the_pipe_is_no_error() {
    let upstream = FakeModel::saying("").await;
    let gateway = Gateway::start(&in_order(&[&upstream], "")).await;
    let config = gateway.config().to_str().expect("text").to_owned();
    let policy = PolicyFile::new(&pointsman_guests::version(1));
    let file = policy.path().to_str().expect("text").to_owned();
    let admin = ["--admin", &gateway.admin_url];
    let commands: &[&[&str]] = &[
        &["schema"],
        &["schema", "--decision-record"],
        &["check", &config],
        &["key", "phone"],
        &["policy", "inspect", &file],
        &[&["policy", "list"], &admin[..]].concat(),
        &[&["policy", "list", "--json"], &admin[..]].concat(),
        &[&["policy", "routes"], &admin[..]].concat(),
        &[&["policy", "audit"], &admin[..]].concat(),
        &[&["top", "--once"], &admin[..]].concat(),
        &["--help"],
        &["--version"],
        &["serve", "--help"],
    ];
    for arguments in commands {
        let ended = run_unread(arguments);
        let (_, errors) = texts(&ended);
        assert_eq!((ended.status.code(), errors.as_str()), (Some(0), ""), "{arguments:?}");
    }

    let mut head = command();
    let mut child =
        head.arg("schema").stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("it runs");
    let mut line = String::new();
    BufReader::new(child.stdout.take().expect("a pipe")).read_line(&mut line).expect("a line");
    let ended = child.wait_with_output().expect("it ends");
    assert_eq!((line.as_str(), ended.status.code(), texts(&ended).1.as_str()), ("{\n", Some(0), ""));
}
