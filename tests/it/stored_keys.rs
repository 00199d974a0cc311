//! Keys of clients that operators create while the gateway serves.

mod life;
mod refusals;
mod storage;

use std::path::PathBuf;

use http::Method;
use pointsman_tests::client::{self, Answer};
use pointsman_tests::{FakeModel, Gateway, fresh_directory};
use serde_json::{Value, json};

use crate::command_line::{run, texts};
use crate::fleet::{ask, ask_with, chat, in_order};

/// Configuration with a route `main`, a route `other` and a state directory that outlives the gateway.
struct Setup {
    state: PathBuf,
    config: String,
    model: FakeModel,
}

impl Setup {
    /// `more` are further tables.
    async fn new(more: &str) -> Self {
        let (state, model) = (fresh_directory(), FakeModel::saying("hello there").await);
        let tables = format!(
            "aliases = [\"gpt-*\"]\n[routes.other]\npolicy = \"cost\"\n[state]\ndir = \"{}\"\n{more}",
            state.display()
        );
        Self { config: in_order(&[&model], &tables), state, model }
    }

    async fn start(&self) -> Gateway {
        Gateway::start(&self.config).await
    }

    /// Returns the files of the state directory with their content.
    fn files(&self) -> Vec<(PathBuf, Vec<u8>)> {
        let mut files = Vec::new();
        let mut directories = vec![self.state.clone()];
        while let Some(directory) = directories.pop() {
            for entry in std::fs::read_dir(directory).expect("a directory").flatten() {
                match entry.path() {
                    path if path.is_dir() => directories.push(path),
                    path => files.push((path.clone(), std::fs::read(path).expect("a file"))),
                }
            }
        }
        files
    }
}

impl Drop for Setup {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.state);
    }
}

/// Sends a request of an operator.
async fn operate(gateway: &Gateway, method: Method, path: &str, body: &Value) -> Answer {
    let operator = [("x-pointsman-operator", "alice")];
    client::call(method, &gateway.admin(path), &operator, body.to_string()).await
}

/// Creates a key, and returns its secret.
async fn create(gateway: &Gateway, body: &Value) -> String {
    issued(&operate(gateway, Method::POST, "/admin/keys", body).await, 201)
}

async fn change(gateway: &Gateway, name: &str, body: &Value) -> Value {
    let answer = operate(gateway, Method::PATCH, &format!("/admin/keys/{name}"), body).await;
    assert_eq!(answer.status, 200, "{}", answer.json());
    answer.json()
}

/// Returns the key that a response shows once.
fn issued(answer: &Answer, status: u16) -> String {
    assert_eq!(answer.status, status, "{}", answer.json());
    assert_eq!(answer.header("cache-control"), Some("no-store"));
    let key = answer.json()["key"].as_str().expect("a key").to_owned();
    assert!(key.starts_with("pm-") && key.len() == 67, "{key}");
    key
}

/// Returns the entry of a key in the list; null if there is none.
async fn listed(gateway: &Gateway, name: &str) -> Value {
    let list = client::get(&gateway.admin("/admin/keys")).await.json();
    let keys = list["keys"].as_array().expect("keys");
    keys.iter().find(|key| key["name"] == name).cloned().unwrap_or_default()
}

/// Sends a chat request with a key.
async fn ask_with_key(gateway: &Gateway, key: &str, route: &str) -> Answer {
    ask_with(gateway, &[("authorization", &format!("Bearer {key}"))], &chat(route, "hi")).await
}

async fn is_served(gateway: &Gateway, key: &str) -> bool {
    ask_with_key(gateway, key, "main").await.status == 200
}

async fn is_open(gateway: &Gateway) -> bool {
    ask(gateway, &chat("main", "hi")).await.status == 200
}

/// Starts a gateway that refuses to, and returns its errors.
fn refused_start(config: &str) -> String {
    let directory = fresh_directory();
    let path = directory.join("pointsman.toml");
    std::fs::write(&path, config).expect("the config can be written");
    let path = path.to_str().expect("text");
    let output =
        run(&["serve", "--config", path, "--listen", "127.0.0.1:0", "--admin-listen", "127.0.0.1:0"]);
    std::fs::remove_dir_all(&directory).expect("it can be removed");
    let (out, errors) = texts(&output);
    assert_eq!((output.status.code(), out.as_str()), (Some(2), ""), "{errors}");
    errors
}

/// Runs `pointsman key`, and returns exit status, standard output and standard error.
fn key_command(gateway: &Gateway, arguments: &[&str]) -> (Option<i32>, String, String) {
    let output = run(&[&["key"], arguments, &["--admin", &gateway.admin_url]].concat());
    let (out, err) = texts(&output);
    (output.status.code(), out, err)
}
