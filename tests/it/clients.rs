//! Official client libraries against a route.
//!
//! `cargo xtask test` installs them and sets their path. Without it these tests are skipped,
//! except on CI.

use std::process::{Command, Stdio};

use pointsman_tests::{FakeModel, Gateway, Step, command, installed};
use serde_json::json;

use crate::fleet::{backend, built_in, model, usage};

/// Gateway with working and failing backends, and a key for the clients.
struct Setup {
    gateway: Gateway,
    key: String,
    _backends: [FakeModel; 4],
}

async fn setup() -> Setup {
    let backends = [
        FakeModel::saying("one two three").await,
        FakeModel::always(Step::status(429)).await,
        FakeModel::always(Step::status(500)).await,
        FakeModel::always(Step::stream(&["one ", "two"]).die_after(1)).await,
    ];
    let printed = command().args(["key", "app"]).output().expect("the gateway's binary can be run");
    let printed = String::from_utf8(printed.stdout).expect("the output is text");
    let (key, table) = printed.split_once("\n\n").expect("the key, then the rest");
    let table = &table[table.find("[keys.app]").expect("a table for the configuration")..];
    let mut config = built_in("cost", "");
    for (name, fake) in ["good", "limited", "broken", "dying"].iter().zip(&backends) {
        config += &backend(name, fake, "");
        config += &model(&format!("{name}/chat"), 1, "");
        config +=
            &format!("[routes.{name}]\npolicy = \"cost\"\nmodels = [\"{name}/*\"]\nbackoff = \"1ms\"\n");
    }
    config += "[routes.forbidden]\npolicy = \"cost\"\n";
    config += &built_in("sequential", "");
    config += "[routes.chain]\npolicy = \"sequential\"\nmodels = [\"good/*\"]\n";
    config += &format!(
        "{}\nroutes = [\"good\", \"good/*\", \"chain\", \"limited\", \"broken\", \"dying\"]\n",
        table.trim()
    );
    // Below the large requests of the scripts: their connections close.
    config += "[server]\nmax_body_bytes = \"4 MiB\"\n";
    let gateway = Gateway::start(&config).await;
    Setup { gateway, key: key.trim_start_matches("key:").trim().to_owned(), _backends: backends }
}

/// Runs a script of `tests/clients`, which fails with a message of its own, and checks its
/// requests in the ledger.
async fn succeeds(mut script: Command) {
    let setup = setup().await;
    script
        .env("OPENAI_BASE_URL", setup.gateway.url("/v1"))
        .env("OPENAI_API_KEY", &setup.key)
        .stdin(Stdio::null());
    let output = tokio::task::spawn_blocking(move || script.output()).await;
    let output = output.expect("waiting does not panic").expect("the script can be run");
    let (out, err) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{out}\n{err}");
    assert_eq!(out.trim(), "all is well");
    let lines = usage(&setup.gateway).await;
    let good = lines.iter().find(|line| line["route"] == "good").expect("the route was used");
    assert_eq!((&good["key"], &good["answered"]), (&json!("app"), &json!(4)), "{good}");
}

fn script(name: &str) -> String {
    format!("{}/clients/{name}", env!("CARGO_MANIFEST_DIR"))
}

#[tokio::test]
async fn the_python_client_of_openai_works() {
    let Some(python) = installed("POINTSMAN_TEST_PYTHON") else { return };
    let mut command = Command::new(python);
    command.arg(script("openai_client.py"));
    succeeds(command).await;
}

#[tokio::test]
async fn the_node_client_of_openai_works() {
    let Some(modules) = installed("POINTSMAN_TEST_NODE_MODULES") else { return };
    let mut command = Command::new("node");
    command.arg(script("openai_client.mjs")).arg(modules);
    succeeds(command).await;
}
