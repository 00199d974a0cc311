//! `pointsman dev` on a policy in JavaScript, which needs the tools that `cargo xtask test` installs.

use std::fs;
use std::io::{BufRead, BufReader, Lines};
use std::path::Path;
use std::process::{Child, ChildStdout, Stdio};

use pointsman_tests::client::{self, Answer};
use pointsman_tests::{command, installed};
use serde_json::{Value, json};

use crate::author_builds::Example;
use crate::command_line::texts;
use crate::decision_log::wait_for_records;
use crate::fleet::chat;

/// A session, ended when dropped.
struct Session {
    process: Child,
    events: Lines<BufReader<ChildStdout>>,
}

impl Session {
    /// Starts a session on ports that the system picks.
    fn start(folder: &Path, more: &[&str]) -> Self {
        let mut dev = command();
        dev.arg("dev").arg(folder).args([
            "--json",
            "--listen",
            "127.0.0.1:0",
            "--admin-listen",
            "127.0.0.1:0",
        ]);
        let mut process =
            dev.args(more).stdout(Stdio::piped()).spawn().expect("the gateway's binary can be run");
        let output = process.stdout.take().expect("its output");
        Self { process, events: BufReader::new(output).lines() }
    }

    /// Waits for the next event, which has to be this one.
    fn next(&mut self, event: &str) -> Value {
        let line = self.events.next().expect("the session goes on").expect("its output can be read");
        let value: Value = serde_json::from_str(&line).expect("an event in JSON");
        assert_eq!(value["event"], event, "{value}");
        value
    }

    /// Ends the session as Ctrl-C does, and waits for its end.
    fn interrupt(mut self) {
        signal(&self.process, "INT");
        assert!(self.process.wait().expect("it ends").success());
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        if matches!(self.process.try_wait(), Ok(None)) {
            signal(&self.process, "TERM");
            let _ = self.process.wait();
        }
    }
}

/// Sends a signal to a process.
pub(crate) fn signal(process: &Child, name: &str) {
    let sent = std::process::Command::new("kill").args(["-s", name, &process.id().to_string()]).status();
    assert!(sent.expect("kill can be run").success());
}

async fn ask(clients: &str, text: &str) -> Answer {
    client::post(&format!("{clients}/v1/chat/completions"), &chat("any-name", text)).await
}

fn example() -> Option<Example> {
    let modules = installed("POINTSMAN_TEST_NODE_MODULES")?;
    let example = Example::new("javascript", "policy.js");
    example.link(Path::new(&modules), "node_modules");
    Some(example)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_saved_change_is_served_and_its_effect_is_shown() {
    let Some(example) = example() else { return };
    let mut session = Session::start(example.folder(), &[]);
    let listening = session.next("listening");
    let clients = listening["clients"].as_str().expect("an address").to_owned();
    let first = session.next("version");
    assert_eq!((&first["changed"], &first["cases"]["passed"]), (&true.into(), &1.into()), "{first}");
    for text in ["one", "two"] {
        let answer = ask(&clients, text).await;
        assert_eq!(answer.header("x-pointsman-route"), Some("cheapest"));
    }
    wait_for_records(&example.folder().join("build/dev/decisions"), 2).await;

    example.edit("policy.js", "label: \"cheapest\"", "label: \"cheap\"");
    let second = session.next("version");
    assert_eq!((&second["changed"], &second["rejected"]), (&true.into(), &Value::Null), "{second}");
    assert_ne!(second["sha256"], first["sha256"]);
    let failed = &second["cases"]["failed"][0];
    assert_eq!(
        (&failed["name"], &failed["differences"][0]["actual"]),
        (&"good".into(), &"cheap".into()),
        "{second}"
    );
    assert_eq!(second["recorded"]["asked"], 2, "{second}");
    let changed = &second["recorded"]["changed"];
    assert_eq!(changed.as_array().map(Vec::len), Some(2), "{second}");
    assert!(changed[0]["before"].as_str().is_some_and(|it| it.contains("label cheapest")), "{second}");
    assert!(changed[0]["after"].as_str().is_some_and(|it| it.contains("label cheap ")), "{second}");
    assert_eq!(ask(&clients, "three").await.header("x-pointsman-route"), Some("cheap"));

    example.edit("policy.js", "export const router", "export const rooter");
    let error = session.next("failed")["error"].as_str().expect("a reason").to_owned();
    assert!(error.starts_with("error: "), "{error}");
    assert_eq!(ask(&clients, "four").await.header("x-pointsman-route"), Some("cheap"), "it keeps serving");

    example.edit("policy.js", "export const rooter", "export const router");
    // Builds of JavaScript are not reproducible: the same source is another version that decides the same.
    let third = session.next("version");
    assert_eq!(
        (&third["recorded"]["asked"], &third["recorded"]["changed"]),
        (&4.into(), &json!([])),
        "{third}"
    );

    let case = example.folder().join("cases/good.toml");
    let text = fs::read_to_string(&case).expect("the case");
    fs::write(&case, text.replace("\"cheapest\"", "\"cheap\"")).expect("the case can be written");
    let fourth = session.next("version");
    assert_eq!(fourth["cases"]["passed"], 1, "{fourth}");

    session.interrupt();
    let address = clients.strip_prefix("http://").expect("an address");
    assert!(std::net::TcpStream::connect(address).is_err(), "the gateway ended");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_authors_own_configuration_is_served() {
    let Some(example) = example() else { return };
    let config = example.folder().join("pointsman.toml");
    let write = |source: &str| {
        let text = format!(
            "[backends.own]\nkind = \"simulated\"\n[models.\"own/model\"]\ninput_price = 1\noutput_price = 1\n\
             quality = 0.9\n[policies.mine]\nsource = \"{source}\"\nlimits.deadline = \"60s\"\n\
             settings.min_quality = 0.5\n[routes.any]\npolicy = \"mine\"\naliases = [\"*\"]\n"
        );
        fs::write(&config, text).expect("the configuration can be written");
    };
    write("elsewhere.wasm");
    let config_path = config.to_str().expect("a path in UTF-8");
    let mut dev = command();
    let output =
        dev.arg("dev").arg(example.folder()).args(["--config", config_path]).output().expect("it can be run");
    let (_, err) = texts(&output);
    assert_eq!(output.status.code(), Some(2), "{err}");
    assert!(err.contains("no policy has the built file as its source\n  = hint: add\n"), "{err}");
    assert!(err.contains("build/policy.wasm\""), "{err}");

    write("build/policy.wasm");
    let mut session = Session::start(example.folder(), &["--config", config_path]);
    let listening = session.next("listening");
    assert_eq!(listening["policy"], "mine");
    let clients = listening["clients"].as_str().expect("an address").to_owned();
    session.next("version");
    assert_eq!(ask(&clients, "one").await.header("x-pointsman-model"), Some("own/model"));
    example.edit("policy.js", "label: \"cheapest\"", "label: \"cheap\"");
    let second = session.next("version");
    assert_eq!((&second["rejected"], &second["recorded"]["asked"]), (&Value::Null, &0.into()), "{second}");
    assert_eq!(ask(&clients, "two").await.header("x-pointsman-route"), Some("cheap"));
    session.interrupt();
}

#[test]
fn a_folder_that_is_none_or_has_no_policy_is_a_usage_error() {
    for folder in ["no-such-folder", "."] {
        let home = pointsman_tests::fresh_directory();
        let mut dev = command();
        let output = dev.current_dir(&home).arg("dev").arg(folder).output().expect("it can be run");
        fs::remove_dir_all(home).expect("the folder is there");
        let (_, err) = texts(&output);
        assert_eq!(output.status.code(), Some(2), "{folder}: {err}");
        assert!(err.starts_with("error: "), "{err}");
    }
}
