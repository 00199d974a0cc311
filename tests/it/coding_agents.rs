//! Coding agents: a turn with a tool call, through the gateway, by a model of each provider dialect.
//!
//! The scripted provider requests a command that writes a file, and answers once it sees the
//! command's output. `cargo xtask test` installs the agents; without it these tests are skipped,
//! except on CI.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use pointsman_tests::real_models::SmallServer;
use pointsman_tests::{FakeModel, Gateway, client, fresh_directory, installed};
use serde_json::json;

use crate::client_libraries::{DIALECTS, config};

/// Task of the agent. The scripted provider does not read it.
const PROMPT: &str = "Write a file.";
/// Last answer of the scripted provider.
const FINAL: &str = "It is 21 degrees in Paris.";

/// Place and settings of an agent's run.
struct Run<'a> {
    /// Directory of the agents' packages.
    packages: PathBuf,
    gateway: &'a str,
    key: &'a str,
    /// Home directory, which is empty.
    home: &'a Path,
    model: &'a str,
}

impl Run<'_> {
    fn codex(&self, codex: &mut Command) {
        let config = format!(
            "model_provider = \"gateway\"\ncheck_for_update_on_startup = false\n\
             [analytics]\nenabled = false\n[features]\nplugins = false\n\
             [model_providers.gateway]\nname = \"Pointsman\"\nbase_url = \"{}/v1\"\n\
             env_key = \"GATEWAY_KEY\"\nwire_api = \"responses\"\n",
            self.gateway
        );
        let directory = self.home.join(".codex");
        fs::create_dir(&directory).expect("the home directory is empty");
        fs::write(directory.join("config.toml"), config).expect("the configuration can be written");
        codex
            .args(["exec", "--skip-git-repo-check", "--sandbox", "danger-full-access", "--model"])
            .args([self.model, PROMPT])
            .env("GATEWAY_KEY", self.key);
    }

    fn claude(&self, claude: &mut Command) {
        claude
            .args(["--print", "--allowedTools", "Bash", "--model", self.model, "--", PROMPT])
            .env("ANTHROPIC_BASE_URL", self.gateway)
            .env("ANTHROPIC_API_KEY", self.key)
            .env("CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC", "1");
    }

    /// Returns the command of an agent that reaches nothing but loopback.
    fn command(&self, program: &str, work: &Path, proxy: &str) -> Command {
        let mut command = Command::new(self.packages.join(".bin").join(program));
        command
            .env_clear()
            .envs(std::env::vars().filter(|(name, _)| name == "PATH"))
            .env("HOME", self.home)
            .env("NO_PROXY", "127.0.0.1")
            .envs(["HTTP_PROXY", "HTTPS_PROXY"].map(|name| (name, proxy)))
            .current_dir(work)
            .stdin(Stdio::null());
        command
    }
}

/// Runs an agent by a model of each dialect, each time in new directories.
async fn completes_turns(program: &str, prepare: fn(&Run<'_>, &mut Command)) {
    let Some(packages) = installed("POINTSMAN_TEST_AGENTS") else { return };
    let Some(python) = installed("POINTSMAN_TEST_PYTHON") else { return };
    let provider = SmallServer::provider(&python).await;
    let (config, key) = config(&provider.base_url);
    let gateway = Gateway::start(&config).await;
    // Whatever an agent sends elsewhere would arrive here.
    let elsewhere = FakeModel::saying("no").await;
    let proxy = format!("http://{}", elsewhere.authority());
    for dialect in DIALECTS {
        let (home, work) = (fresh_directory(), fresh_directory());
        let model = format!("{}/chat", dialect.name);
        let packages = packages.clone().into();
        let run = Run { packages, gateway: &gateway.base_url, key: &key, home: &home, model: &model };
        let mut agent = run.command(program, &work, &proxy);
        prepare(&run, &mut agent);
        let output = tokio::task::spawn_blocking(move || agent.output()).await;
        let output = output.expect("waiting does not panic").expect("the agent can be run");
        let (out, err) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
        assert!(output.status.success(), "{model}: {out}\n{err}");
        assert_eq!(out.trim(), FINAL, "{model}");
        let proof = fs::read_to_string(work.join("proof.txt"));
        assert_eq!(proof.expect("the agent wrote the file"), "from-the-tool\n", "{model}");
        for directory in [home, work] {
            // A process that the agent left may write there for a moment.
            let _ = fs::remove_dir_all(directory);
        }
    }
    let faults = client::get(&format!("{}/faults", provider.base_url)).await.json();
    assert_eq!(faults, json!([]));
    assert_eq!(elsewhere.connections(), 0, "{:?}", elsewhere.requests());
}

#[tokio::test]
async fn codex_completes_a_turn_with_a_tool_by_each_dialect() {
    completes_turns("codex", |run, codex| run.codex(codex)).await;
}

#[tokio::test]
async fn claude_code_completes_a_turn_with_a_tool_by_each_dialect() {
    completes_turns("claude", |run, claude| run.claude(claude)).await;
}
