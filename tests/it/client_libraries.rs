//! Client libraries of other projects, unchanged but for their base URL and key, with a model of each
//! provider dialect.
//!
//! The providers are a script that validates what it receives against the request types of the
//! providers' own packages. `cargo xtask test` installs the libraries and sets their paths. Without
//! it these tests are skipped, except on CI.

use std::process::{Command, Stdio};

use pointsman_tests::real_models::SmallServer;
use pointsman_tests::{Gateway, client, command, installed, planted};
use serde_json::json;

use crate::fleet::{built_in, model};

/// Backend of a dialect.
pub struct Dialect {
    pub name: &'static str,
    kind: &'static str,
    /// Path of its API at the provider.
    path: &'static str,
    /// Further keys of the backend.
    more: &'static str,
    /// Names that models of OpenAI and Anthropic have, for libraries that reject others.
    aliases: [&'static str; 2],
}

pub const DIALECTS: [Dialect; 5] = [
    Dialect {
        name: "openai",
        kind: "openai",
        path: "/openai/v1",
        more: "",
        aliases: ["gpt-4.1", "claude-sonnet-4-5"],
    },
    Dialect {
        name: "openai-responses",
        kind: "openai",
        path: "/openai-responses/v1",
        more: "apis = [\"responses\"]\n",
        aliases: ["gpt-4o", "claude-haiku-4-5"],
    },
    Dialect {
        name: "azure",
        kind: "azure",
        path: "/azure",
        more: "query = { api-version = \"2024-10-21\" }\n",
        aliases: ["gpt-4.1-mini", "claude-opus-4-5"],
    },
    Dialect {
        name: "anthropic",
        kind: "anthropic",
        path: "/anthropic/v1",
        more: "",
        aliases: ["gpt-4o-mini", "claude-opus-4-1"],
    },
    Dialect {
        name: "gemini",
        kind: "gemini",
        path: "/gemini/v1beta",
        more: "",
        aliases: ["gpt-4-turbo", "claude-opus-4-6"],
    },
];

/// Returns a configuration with the models `chat` and `limited` of each dialect at a provider, and a
/// key of a client, with that key.
pub fn config(provider: &str) -> (String, String) {
    let mut config = built_in("cost", "");
    for Dialect { name, kind, path, more, aliases: [openai, anthropic] } in DIALECTS {
        let key = planted::BACKEND_KEY_ENV;
        config += &format!(
            "[backends.{name}]\nkind = \"{kind}\"\nbase_url = \"{provider}{path}\"\napi_key_env = \"{key}\"\n{more}"
        );
        config += &model(&format!("{name}/chat"), 1, "");
        config += &model(&format!("{name}/limited"), 1, "");
        config += &format!(
            "[routes.by-{name}]\npolicy = \"cost\"\nmodels = [\"{name}/chat\"]\n\
             aliases = [\"{openai}\", \"{anthropic}\"]\n"
        );
    }
    config += "[routes.limited]\npolicy = \"cost\"\nmodels = [\"*/limited\"]\nbackoff = \"1ms\"\n\
               aliases = [\"gpt-4\", \"claude-opus-4-0\"]\n";
    let printed = command().args(["key", "app"]).output().expect("the gateway's binary can be run");
    let printed = String::from_utf8(printed.stdout).expect("the output is text");
    let (key, table) = printed.split_once("\n\n").expect("the key, then the rest");
    let table = &table[table.find("[keys.app]").expect("a table for the configuration")..];
    let patterns: Vec<String> = DIALECTS.iter().map(|dialect| format!("{}/*", dialect.name)).collect();
    let routes = json!([&patterns[..], &["gpt-*".to_owned(), "claude-*".to_owned()]].concat());
    config += &format!("{}\nroutes = {routes}\n", table.trim());
    (config, key.trim_start_matches("key:").trim().to_owned())
}

/// Runs a script of `tests/clients/apis`, which fails with messages of its own, and checks that the
/// provider found no fault in what it received.
async fn succeeds(mut script: Command) {
    let Some(python) = installed("POINTSMAN_TEST_PYTHON") else { return };
    let provider = SmallServer::provider(&python).await;
    let (config, key) = config(&provider.base_url);
    let gateway = Gateway::start(&config).await;
    script.env("GATEWAY_URL", &gateway.base_url).env("GATEWAY_KEY", key).stdin(Stdio::null());
    script.env("PYTHONDONTWRITEBYTECODE", "1");
    for variable in ["HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY"] {
        script.env_remove(variable).env_remove(variable.to_lowercase());
    }
    let output = tokio::task::spawn_blocking(move || script.output()).await;
    let output = output.expect("waiting does not panic").expect("the script can be run");
    let (out, err) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    let faults = client::get(&format!("{}/faults", provider.base_url)).await.json();
    assert!(output.status.success(), "{out}\n{err}\n{faults:#}");
    assert_eq!(out.lines().last(), Some("all is well"));
    assert_eq!(faults, json!([]));
}

#[test]
fn the_documentation_states_the_versions_of_the_libraries() {
    let read = |path: &str| {
        let path = format!("{}/{path}", env!("CARGO_MANIFEST_DIR"));
        std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{path}: {error}"))
    };
    let python = read("clients/requirements.txt") + &read("clients/requirements-llama-index.txt");
    let node = ["clients/package.json", "clients/agents/package.json"].map(|path| {
        let manifest: serde_json::Value = serde_json::from_str(&read(path)).expect("JSON");
        manifest["dependencies"].clone()
    });
    let document = read("../docs/client-apis.md");
    let (_, table) = document.split_once("## Tested clients").expect("the section");
    let rows: Vec<&str> = table.lines().filter(|line| line.starts_with("| `")).collect();
    assert!(rows.len() >= 14, "{rows:?}");
    for row in rows {
        let mut cells = row.trim_start_matches("| ").split(" | ");
        let (name, version) = (cells.next().expect("a name"), cells.next().expect("a version"));
        let package = name.split('`').nth(1).expect("a package");
        let is_python = python.lines().any(|line| {
            let (required, pinned) = line.split_once("==").expect("a pinned version");
            required.split('[').next() == Some(package) && pinned == version
        });
        let is_node = node.iter().any(|packages| packages[package] == version);
        assert!(is_python || is_node, "{row}");
    }
}

fn path(name: &str) -> String {
    format!("{}/clients/apis/{name}", env!("CARGO_MANIFEST_DIR"))
}

async fn python_succeeds(name: &str) {
    let Some(python) = installed("POINTSMAN_TEST_PYTHON") else { return };
    let mut script = Command::new(python);
    script.arg(path(name));
    succeeds(script).await;
}

async fn node_succeeds(name: &str) {
    let Some(modules) = installed("POINTSMAN_TEST_NODE_MODULES") else { return };
    let mut script = Command::new("node");
    script.arg(path(name)).arg(modules);
    succeeds(script).await;
}

#[tokio::test]
async fn the_python_client_of_openai_works_with_each_dialect() {
    python_succeeds("openai_client.py").await;
}

#[tokio::test]
async fn the_python_client_of_anthropic_works_with_each_dialect() {
    python_succeeds("anthropic_client.py").await;
}

#[tokio::test]
async fn langchain_works_with_each_dialect() {
    python_succeeds("langchain_clients.py").await;
}

#[tokio::test]
async fn pydantic_ai_works_with_each_dialect() {
    python_succeeds("pydantic_ai_clients.py").await;
}

#[tokio::test]
async fn openai_agents_work_with_each_dialect() {
    python_succeeds("openai_agents.py").await;
}

#[tokio::test]
async fn litellm_works_with_each_dialect() {
    python_succeeds("litellm_client.py").await;
}

#[tokio::test]
async fn llama_index_works_with_each_dialect() {
    let Some(python) = installed("POINTSMAN_TEST_LLAMA_INDEX") else { return };
    let mut script = Command::new(python);
    script.arg(path("llama_index_clients.py"));
    succeeds(script).await;
}

#[tokio::test]
async fn the_node_client_of_openai_works_with_each_dialect() {
    node_succeeds("openai_client.mjs").await;
}

#[tokio::test]
async fn the_node_client_of_anthropic_works_with_each_dialect() {
    node_succeeds("anthropic_client.mjs").await;
}

#[tokio::test]
async fn the_ai_sdk_works_with_each_dialect() {
    node_succeeds("ai_sdk.mjs").await;
}
