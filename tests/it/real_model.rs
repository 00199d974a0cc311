//! A small real language model behind a real inference server, on a route.
//!
//! `cargo xtask test` installs both and tells where. Without it the test is
//! skipped, but not on CI.

use std::net::{SocketAddr, TcpListener};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use pointsman_tests::Gateway;
use serde_json::{Value, json};

use crate::clients::installed;
use crate::fleet::{ask, open, text_of, usage};

/// An inference server; killed when dropped.
struct Server(Child);

impl Server {
    /// Starts `dasllama-server`, which is installed beside Python.
    fn start(python: &Path, weights: &Path, address: SocketAddr) -> Self {
        let server = Command::new(python.with_file_name("dasllama-server"))
            .arg("-m")
            .arg(weights)
            .args(["--host", "127.0.0.1", "-p", &address.port().to_string()])
            .args(["-t", "2", "--ctx", "2048", "--gpu", "off", "--models-dir"])
            .arg(weights.parent().expect("the weights are in a directory"))
            .current_dir(env!("CARGO_TARGET_TMPDIR"))
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn();
        Self(server.expect("dasllama-server can be run"))
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// An address that nobody listened at a moment ago.
fn free_address() -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port on loopback");
    listener.local_addr().expect("a bound listener has an address")
}

/// The example's configuration, for a server at this address that is asked more
/// often than the example does.
fn config(address: SocketAddr) -> String {
    let example = include_str!("../../examples/local-server.toml");
    for stated in ["127.0.0.1:8000", "interval = \"10s\""] {
        assert!(example.contains(stated), "the example no longer has {stated}");
    }
    example
        .replace("127.0.0.1:8000", &address.to_string())
        .replace("interval = \"10s\"", "interval = \"100ms\"")
}

fn request(streaming: bool) -> Value {
    let messages = json!([{ "role": "user", "content": "The capital of France is" }]);
    json!({ "model": "auto", "messages": messages, "max_tokens": 16, "stream": streaming })
}

#[tokio::test]
async fn a_real_model_answers_whole_and_streamed_through_the_configuration_of_the_example() {
    let Some(python) = installed("POINTSMAN_TEST_PYTHON") else { return };
    let Some(weights) = installed("POINTSMAN_TEST_MODEL") else { return };
    let address = free_address();
    let gateway = Gateway::start(&config(address)).await;
    gateway.logged("probe failed").await;
    let _server = Server::start(Path::new(&python), Path::new(&weights), address);
    gateway.logged("probe succeeded again").await;

    let answer = ask(&gateway, &request(false)).await;
    assert_eq!(answer.status, 200, "{}", String::from_utf8_lossy(&answer.body));
    assert!(!answer.text().trim().is_empty());
    assert_eq!(answer.header("x-pointsman-route"), Some("fastest"));
    assert_eq!(answer.header("x-pointsman-model"), Some("local/gemma"));
    let used = answer.json()["usage"].clone();
    assert_eq!(used["completion_tokens"], 16);

    let stream = open(&gateway, &request(true)).await;
    assert_eq!(stream.status, 200);
    let events = stream.events().await;
    assert_eq!(events.last().map(String::as_str), Some("[DONE]"));
    assert!(!text_of(&events).trim().is_empty());
    assert!(events.len() > 10, "it comes token by token: {events:#?}");
    assert!(!events.concat().contains("\"usage\":{"), "not asked for");

    let line = &usage(&gateway).await[0];
    let input = used["prompt_tokens"].as_u64().expect("a number");
    assert_eq!((&line["answered"], &line["output_tokens"]), (&json!(2), &json!(32)));
    assert_eq!(line["input_tokens"], 2 * input, "as the server counts, streamed or not");
}
