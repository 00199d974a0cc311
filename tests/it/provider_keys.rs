//! Keys of backends: where they come from, and how calls carry them.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;

use pointsman_tests::{FakeModel, Gateway, Request, Step, client, fresh_directory, planted};

use crate::fleet::{ask, backend, built_in, chat, error, model};

/// Returns the configuration of one model at a backend with these keys.
fn config(upstream: &FakeModel, keys: &str) -> String {
    backend("a", upstream, keys) + &model("a/chat", 1, "") + &built_in("cost", "")
}

/// Starts a model that serves requests with one header or query parameter, and rejects others.
async fn guarded(accepts: impl Fn(&Request) -> bool + Send + Sync + 'static) -> FakeModel {
    let script = move |request: &Request| match accepts(request) {
        true => Step::says(request, "hello there"),
        false => Step::status(401),
    };
    FakeModel::builder().otherwise(script).start().await
}

#[tokio::test]
async fn a_key_is_carried_by_the_header_that_each_provider_has() {
    let env = planted::BACKEND_KEY_ENV;
    for (keys, name, value) in [
        ("", "authorization", format!("Bearer {}", planted::BACKEND_KEY)),
        ("api_key_header = \"x-api-key\"", "x-api-key", planted::BACKEND_KEY.to_owned()),
        ("api_key_header = \"api-key\"", "api-key", planted::BACKEND_KEY.to_owned()),
        ("api_key_header = \"x-goog-api-key\"", "x-goog-api-key", planted::BACKEND_KEY.to_owned()),
        ("api_key_prefix = \"Key \"", "authorization", format!("Key {}", planted::BACKEND_KEY)),
    ] {
        let upstream = guarded(move |request| request.header(name) == Some(value.as_str())).await;
        let keys = format!("api_key_env = \"{env}\"\n{keys}\nhealth = {{ interval = \"10ms\" }}\n");
        let keys = keys + "headers = { anthropic-version = \"2023-06-01\" }";
        let gateway = Gateway::start(&config(&upstream, &keys)).await;
        let client = [("x-api-key", "theirs"), ("api-key", "theirs"), ("x-goog-api-key", "theirs")];
        let answer =
            client::post_with(&gateway.url("/v1/chat/completions"), &client, &chat("a/chat", "hi")).await;
        assert_eq!(answer.text(), "hello there", "{keys}");
        let requests = upstream.requests_until(|requests| requests.len() > 2).await;
        for request in requests {
            assert_eq!(request.header("anthropic-version"), Some("2023-06-01"));
            let others = ["authorization", "x-api-key", "api-key", "x-goog-api-key"];
            let has_another = others.iter().any(|other| *other != name && request.header(other).is_some());
            assert!(!has_another, "{:?}", request.headers);
        }
    }
}

#[tokio::test]
async fn a_key_in_the_query_is_sent_with_calls_and_probes_and_shown_nowhere() {
    let expected = format!("?api-version=2024-10-21&key={}", planted::BACKEND_KEY);
    let query = expected.clone();
    let mut upstream = guarded(move |request| request.path.ends_with(&query)).await;
    let keys = format!(
        "api_key_env = \"{}\"\napi_key_query = \"key\"\nquery = {{ api-version = \"2024-10-21\" }}\n\
         health = {{ interval = \"10ms\" }}",
        planted::BACKEND_KEY_ENV
    );
    let gateway = Gateway::start(&config(&upstream, &keys)).await;
    let answer = ask(&gateway, &chat("a/chat", "hi")).await;
    assert_eq!(answer.text(), "hello there");
    let requests = upstream.requests_until(|requests| requests.len() > 2).await;
    for (request, path) in requests.iter().map(|request| (request, request.path.as_str())) {
        let expected_path = if request.method == "GET" { "/v1/models" } else { "/v1/chat/completions" };
        assert_eq!(path, format!("{expected_path}{expected}"));
        assert_eq!(request.header("authorization"), None);
    }
    upstream.go_down().await;
    let failed = ask(&gateway, &chat("a/chat", "hi")).await;
    let message = error(&failed, 502, "all_models_failed");
    gateway.logged("probe failed").await;
    let id = failed.header("x-pointsman-decision-id").expect("an id");
    let record = client::get(&gateway.admin(&format!("/admin/decisions/{id}"))).await.json().to_string();
    let overview = client::get(&gateway.admin("/admin/overview")).await.json().to_string();
    // What the gateway logs is searched for planted secrets when it ends.
    for shown in [message, record, overview] {
        assert!(planted::in_text(&shown).is_none(), "{shown}");
    }
}

#[tokio::test]
async fn a_key_in_a_mounted_secret_is_replaced_while_the_configuration_is_invalid() {
    let upstream = FakeModel::saying("hello there").await;
    let directory = fresh_directory();
    // As in Kubernetes: the file is a link through a directory that is replaced as a whole.
    let write = |version: &str, key: &str| {
        let new = directory.join(version);
        fs::create_dir(&new).expect("a directory");
        fs::write(new.join("key"), key).expect("a file");
        symlink(version, directory.join("data-new")).expect("a link");
        fs::rename(directory.join("data-new"), directory.join("data")).expect("a link");
    };
    write("one", "first-key\n");
    symlink("data/key", directory.join("key")).expect("a link");
    let keys = format!("api_key_file = \"{}\"", directory.join("key").display());
    let gateway = Gateway::start(&config(&upstream, &keys)).await;
    let sent = async |count: usize| {
        assert_eq!(ask(&gateway, &chat("a/chat", "hi")).await.text(), "hello there");
        upstream.request(count).await.header("authorization").map(str::to_owned)
    };
    assert_eq!(sent(1).await.as_deref(), Some("Bearer first-key"));

    fs::write(gateway.config(), "nonsense").expect("the configuration can be written");
    gateway.logged("the configuration was rejected").await;
    write("two", "second-key\n");
    gateway.logged("got the API key for a backend from the file").await;
    assert_eq!(sent(2).await.as_deref(), Some("Bearer second-key"));

    fs::write(directory.join("two/key"), "not a key").expect("a file");
    gateway.logged("cannot refresh the API key of a backend").await;
    assert_eq!(sent(3).await.as_deref(), Some("Bearer second-key"));
    let _ = fs::remove_dir_all(&directory);
}

/// Returns the keys of a backend with a command that prints the key in a file.
fn command(file: &Path, more: &str) -> String {
    format!("api_key_command = [\"cat\", \"{}\"]\n{more}", file.display())
}

#[tokio::test]
async fn a_command_that_fails_at_first_gives_a_key_later() {
    let upstream = FakeModel::saying("hello there").await;
    let directory = fresh_directory();
    let token = directory.join("token");
    let gateway = Gateway::start(&config(&upstream, &command(&token, ""))).await;
    let failed = ask(&gateway, &chat("a/chat", "hi")).await;
    let message = error(&failed, 502, "all_models_failed");
    assert!(message.contains("no API key"), "{message}");
    assert!(!message.contains("exit status"), "the source is not for clients: {message}");
    gateway.logged("there is no API key for a backend, so its calls fail until an attempt succeeds").await;
    gateway.logged("it ended with exit status: 1").await;
    let id = failed.header("x-pointsman-decision-id").expect("an id");
    let record = client::get(&gateway.admin(&format!("/admin/decisions/{id}"))).await.json().to_string();
    assert!(record.contains("no API key"), "{record}");
    assert_eq!(upstream.connections(), 0);

    fs::write(&token, "late-token\n").expect("a file");
    gateway.logged("got the API key for a backend from the command `cat`").await;
    assert_eq!(ask(&gateway, &chat("a/chat", "hi")).await.text(), "hello there");
    assert_eq!(upstream.request(1).await.header("authorization"), Some("Bearer late-token"));
    assert!(!gateway.log().contains("late-token"));
    let _ = fs::remove_dir_all(&directory);
}

#[tokio::test]
async fn a_command_runs_again_before_its_key_expires_and_the_key_is_kept_while_it_fails() {
    let upstream = FakeModel::saying("hello there").await;
    let directory = fresh_directory();
    let token = directory.join("token");
    fs::write(&token, "first-token").expect("a file");
    let keys = command(&token, "api_key_refresh_after = \"50ms\"\napi_key_header = \"x-api-key\"");
    let gateway = Gateway::start(&config(&upstream, &keys)).await;
    let sent = async |count: usize| {
        assert_eq!(ask(&gateway, &chat("a/chat", "hi")).await.text(), "hello there");
        upstream.request(count).await.header("x-api-key").map(str::to_owned)
    };
    assert_eq!(sent(1).await.as_deref(), Some("first-token"), "the first request waits for the first key");
    fs::remove_file(&token).expect("the file is there");
    gateway.logged("the last key stays in use until an attempt succeeds").await;
    assert_eq!(sent(2).await.as_deref(), Some("first-token"));
    fs::write(directory.join("new"), "second-token").expect("a file");
    fs::rename(directory.join("new"), &token).expect("a file");
    gateway.logged_times("got the API key for a backend from the command `cat`", 2).await;
    assert_eq!(sent(3).await.as_deref(), Some("second-token"));
    let _ = fs::remove_dir_all(&directory);
}
