//! Keys of clients and their permissions.

use pointsman_tests::client::{self, Answer};
use pointsman_tests::{FakeModel, Gateway};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use crate::fleet::{ask, ask_with, chat, error, in_order, model, reload, usage};

const ALL: &str = "pm-all-allowed";
const SOME: &str = "pm-some-allowed";

/// Returns the table of a key that may request these routes.
pub fn key(name: &str, secret: &str, routes: &str) -> String {
    let hash: String = Sha256::digest(secret).iter().map(|byte| format!("{byte:02x}")).collect();
    format!("[keys.{name}]\nhash = \"sha256:{hash}\"\nroutes = {routes}\n")
}

fn config(upstream: &FakeModel, keys: &[String]) -> String {
    let more = format!("[routes.secret]\npolicy = \"cost\"\n{}", model("a/other", 5, ""));
    in_order(&[upstream], &more) + &keys.concat()
}

async fn ask_with_key(gateway: &Gateway, secret: &str, name: &str) -> Answer {
    ask_with(gateway, &[("authorization", &format!("Bearer {secret}"))], &chat(name, "hi")).await
}

#[tokio::test]
async fn a_request_without_a_known_key_is_rejected() {
    let upstream = FakeModel::saying("hello there").await;
    let gateway = Gateway::start(&config(&upstream, &[key("app", ALL, "[\"*\"]")])).await;
    let none = ask(&gateway, &chat("main", "hi")).await;
    assert!(error(&none, 401, "invalid_api_key").contains("Authorization: Bearer KEY"));
    assert_eq!(none.header("www-authenticate"), Some("Bearer"));
    error(&ask_with_key(&gateway, "pm-guessed", "main").await, 401, "invalid_api_key");
    error(&ask_with_key(&gateway, "", "main").await, 401, "invalid_api_key");
    let basic = [("authorization", "Basic cG06cG0=")];
    error(&ask_with(&gateway, &basic, &chat("main", "hi")).await, 401, "invalid_api_key");
    error(&client::get(&gateway.url("/v1/models")).await, 401, "invalid_api_key");
    error(&client::get(&gateway.url("/v1/models/main")).await, 401, "invalid_api_key");
    error(&ask(&gateway, &json!("not even a request")).await, 401, "invalid_api_key");
    assert_eq!(upstream.requests().len(), 0);
    for open in ["/health", "/ready"] {
        assert_eq!(client::get(&gateway.url(open)).await.status, 200, "{open} is for load balancers");
    }

    assert_eq!(ask_with_key(&gateway, ALL, "main").await.text(), "hello there");
    assert_eq!(usage(&gateway).await[0]["key"], "app");
}

#[tokio::test]
async fn a_key_gives_access_to_its_routes_and_models_only() {
    let upstream = FakeModel::saying("hello there").await;
    let keys = [key("all", ALL, "[\"*\"]"), key("some", SOME, "[\"main\", \"a/o*\"]")];
    let gateway = Gateway::start(&config(&upstream, &keys)).await;
    assert_eq!(ask_with_key(&gateway, SOME, "main").await.status, 200);
    assert_eq!(ask_with_key(&gateway, SOME, "a/other").await.status, 200);
    assert_eq!(ask_with_key(&gateway, ALL, "secret").await.status, 200);
    for name in ["secret", "a/chat"] {
        let message = error(&ask_with_key(&gateway, SOME, name).await, 403, "model_not_allowed");
        assert_eq!(message, format!("the key `some` may not use `{name}`"));
    }

    let bearer = format!("Bearer {SOME}");
    let mine = [("authorization", bearer.as_str())];
    let list = client::get_with(&gateway.url("/v1/models"), &mine).await.json();
    let ids: Vec<&Value> =
        list["data"].as_array().expect("a list").iter().map(|entry| &entry["id"]).collect();
    assert_eq!(ids, ["main", "a/other"]);
    assert_eq!(client::get_with(&gateway.url("/v1/models/main"), &mine).await.status, 200);
    error(&client::get_with(&gateway.url("/v1/models/secret"), &mine).await, 404, "model_not_found");
}

#[tokio::test]
async fn a_key_for_a_route_covers_its_aliases_and_a_key_for_an_alias_covers_that_name() {
    let upstream = FakeModel::saying("hello there").await;
    let aliases = "aliases = [\"gpt-4o\", \"claude-*\"]\n[routes.secret]\npolicy = \"cost\"\n";
    let keys = [key("route", ALL, "[\"main\"]"), key("alias", SOME, "[\"gpt-*\", \"claude-opus-4\"]")];
    let gateway = Gateway::start(&(in_order(&[&upstream], aliases) + &keys.concat())).await;
    for (secret, names) in [
        (ALL, ["main", "gpt-4o", "claude-opus-4", "claude-haiku-4"].as_slice()),
        (SOME, &["gpt-4o", "claude-opus-4"]),
    ] {
        for name in names {
            assert_eq!(ask_with_key(&gateway, secret, name).await.status, 200, "{name}");
        }
    }
    for name in ["main", "claude-haiku-4", "secret", "a/chat"] {
        error(&ask_with_key(&gateway, SOME, name).await, 403, "model_not_allowed");
    }
    let unknown = error(&ask_with_key(&gateway, SOME, "secre").await, 404, "model_not_found");
    assert!(!unknown.contains("secret"), "no name that the key may not use is suggested: {unknown}");

    for (secret, expected) in [(ALL, ["main", "gpt-4o"].as_slice()), (SOME, &["gpt-4o"])] {
        let list = client::get_with(&gateway.url("/v1/models"), &[("x-api-key", secret)]).await.json();
        let ids: Vec<&Value> =
            list["data"].as_array().expect("a list").iter().map(|entry| &entry["id"]).collect();
        assert_eq!(ids, expected);
    }
}

#[tokio::test]
async fn a_reload_revokes_a_key_and_adds_another() {
    let upstream = FakeModel::saying("hello there").await;
    let gateway = Gateway::start(&config(&upstream, &[key("old", ALL, "[\"*\"]")])).await;
    assert_eq!(ask_with_key(&gateway, ALL, "main").await.status, 200);
    let changed = config(&upstream, &[key("new", SOME, "[\"*\"]")]);
    std::fs::write(gateway.config(), changed).expect("the config can be written");
    reload(&gateway).await;
    error(&ask_with_key(&gateway, ALL, "main").await, 401, "invalid_api_key");
    assert_eq!(ask_with_key(&gateway, SOME, "main").await.status, 200);
}

#[tokio::test]
async fn a_key_is_accepted_in_three_headers_and_forwarded_to_no_backend() {
    let upstream = FakeModel::saying("hello there").await;
    let gateway = Gateway::start(&config(&upstream, &[key("app", ALL, "[\"*\"]")])).await;
    let bearer = format!("Bearer {ALL}");
    let (good, wrong) = (ALL, "pm-guessed");
    let known: &[&[(&str, &str)]] = &[
        &[("authorization", &bearer)],
        &[("x-api-key", good)],
        &[("api-key", good)],
        &[("authorization", "Basic cG06cG0="), ("api-key", good)],
        &[("authorization", &bearer), ("x-api-key", wrong), ("api-key", wrong)],
        &[("x-api-key", good), ("api-key", wrong)],
    ];
    for (headers, count) in known.iter().zip(1..) {
        let answer = ask_with(&gateway, headers, &chat("main", "hi")).await;
        assert_eq!(answer.text(), "hello there", "{headers:?}");
        let sent = upstream.request(count).await;
        let is_key =
            |value: &http::HeaderValue| value.as_bytes().windows(ALL.len()).any(|it| it == ALL.as_bytes());
        assert!(!sent.headers.values().any(is_key), "{headers:?}");
        assert_eq!((sent.header("x-api-key"), sent.header("api-key")), (None, None), "{headers:?}");
    }
    let unknown: &[&[(&str, &str)]] = &[
        &[("x-api-key", wrong)],
        &[("api-key", wrong)],
        &[("api-key", &bearer)],
        &[("authorization", "Bearer pm-guessed"), ("x-api-key", good)],
        &[("x-api-key", wrong), ("api-key", good)],
    ];
    for headers in unknown {
        error(&ask_with(&gateway, headers, &chat("main", "hi")).await, 401, "invalid_api_key");
    }
    let list = client::get_with(&gateway.url("/v1/models"), &[("x-api-key", good)]).await;
    assert_eq!(list.status, 200);
    assert!(usage(&gateway).await.iter().all(|line| line["key"] == "app"));
}
