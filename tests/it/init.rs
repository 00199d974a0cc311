//! `pointsman init`: a first configuration.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Output;

use pointsman_tests::{FakeModel, Gateway, command, fresh_directory};

use crate::command_line::texts;
use crate::fleet::{ask, chat};

/// An empty folder, removed when dropped.
struct Folder(PathBuf);

impl Folder {
    fn new() -> Self {
        Self(fresh_directory())
    }

    /// Runs `pointsman init` in the folder, with these variables and no others of a provider.
    fn init(&self, environment: &[(&str, &str)], arguments: &[&str]) -> Output {
        let mut init = command();
        for (name, _) in std::env::vars_os() {
            if name.to_string_lossy().ends_with("_API_KEY") || name == "HF_TOKEN" {
                init.env_remove(name);
            }
        }
        init.current_dir(&self.0).envs(environment.iter().copied()).arg("init").args(arguments);
        init.output().expect("the gateway's binary can be run")
    }

    fn read(&self, name: &str) -> String {
        fs::read_to_string(self.0.join(name)).expect("the file can be read")
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

fn check(file: &Path, environment: &[(&str, &str)]) -> Output {
    let mut check = command();
    check.arg("check").arg(file).envs(environment.iter().copied());
    check.output().expect("the gateway's binary can be run")
}

#[test]
fn the_providers_of_the_environment_become_a_configuration_that_passes_its_check() {
    let folder = Folder::new();
    let environment =
        [("OPENAI_API_KEY", "sk-secret"), ("ANTHROPIC_API_KEY", "sk-other"), ("GROQ_API_KEY", "")];
    let (out, err) = texts(&folder.init(&environment, &[]));
    assert!(out.starts_with("wrote pointsman.toml for anthropic, openai\n"), "{out}{err}");
    let text = folder.read("pointsman.toml");
    assert!(!text.contains("sk-"), "keys stay in the environment: {text}");
    assert!(text.contains(
        "[backends.openai]\nbase_url = \"https://api.openai.com/v1\"\napi_key_env = \"OPENAI_API_KEY\""
    ));
    assert!(
        text.contains("[models.\"anthropic/claude-haiku-4-5\"]  # $1 in, $5 out a million tokens\n"),
        "{text}"
    );
    let checked = check(&folder.0.join("pointsman.toml"), &environment);
    let (out, err) = texts(&checked);
    assert_eq!(checked.status.code(), Some(0), "{out}{err}");
    // It is never overwritten.
    let again = folder.init(&environment, &[]);
    assert_eq!(again.status.code(), Some(2));
    assert!(
        texts(&again).1.contains(
            "error: pointsman.toml exists\n  = hint: remove it, or name another file with --output"
        )
    );
    assert_eq!(folder.read("pointsman.toml"), text);
}

#[test]
fn every_provider_has_a_configuration_that_passes_its_check() {
    let folder = Folder::new();
    let unknown = folder.init(&[], &["--provider", "opnai"]);
    let (_, err) = texts(&unknown);
    assert_eq!(
        (unknown.status.code(), &*err),
        (Some(2), "error: unknown provider `opnai`\n  = hint: did you mean `openai`?\n")
    );
    let nothing = folder.init(&[], &[]);
    let (_, err) = texts(&nothing);
    assert_eq!(nothing.status.code(), Some(2));
    assert!(
        err.contains("no API key of a provider is in the environment") && err.contains("OPENAI_API_KEY"),
        "{err}"
    );
    let all = "alibaba anthropic azure baseten cerebras cohere deepinfra deepseek fireworks-ai google groq huggingface \
               minimax mistral moonshotai nebius novita-ai nvidia openai openrouter perplexity togetherai vercel xai zai";
    let arguments: Vec<&str> = all.split_whitespace().flat_map(|name| ["--provider", name]).collect();
    let (out, err) = texts(&folder.init(&[], &[&arguments[..], &["-o", "all.toml"]].concat()));
    assert!(out.contains("wrote all.toml"), "{err}");
    let (out, _) = texts(&folder.init(&[], &["--print-default"]));
    assert!(out.contains("kind = \"simulated\""), "{out}");
    let invalid = folder.init(&[], &["--local", "ftp://x", "--model", "m"]);
    assert_eq!(invalid.status.code(), Some(2));
    assert!(texts(&invalid).1.contains("base_url"), "{}", texts(&invalid).1);
}

#[tokio::test]
async fn a_server_of_ones_own_is_served_at_once() {
    let model = FakeModel::saying("Good morning!").await;
    let folder = Folder::new();
    let made = folder.init(&[], &["--local", &model.base_url(), "--model", "qwen3:8b", "-o", "-"]);
    let (text, err) = texts(&made);
    assert_eq!(made.status.code(), Some(0), "{err}");
    // The gateway of a test listens where the system chooses.
    let text = text.replace("127.0.0.1:8080", "127.0.0.1:0").replace("127.0.0.1:8081", "127.0.0.1:0");
    let gateway = Gateway::start(&text).await;
    for route in ["auto", "cheapest", "fastest", "local/qwen3:8b"] {
        let answer = ask(&gateway, &chat(route, "Hello")).await;
        assert_eq!(answer.header("x-pointsman-model"), Some("local/qwen3:8b"), "{route}");
    }
}
