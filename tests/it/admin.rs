//! Authentication of the admin API.

use http::Method;
use pointsman_tests::client::{call, get, get_with, post};
use pointsman_tests::{FakeModel, Gateway};
use serde_json::{Value, json};

use crate::command_line::check;
use crate::fleet::{error, in_order};

const PAGES: [&str; 7] = [
    "/admin/policies",
    "/admin/models",
    "/admin/usage",
    "/admin/history",
    "/admin/overview",
    "/admin/decisions",
    "/metrics",
];

#[tokio::test]
async fn a_configured_token_is_required() {
    let model = FakeModel::saying("hello there").await;
    let config = in_order(&[&model], "[admin]\ntoken_env = \"ADMIN_TOKEN\"\n");
    let gateway = Gateway::start_with(&config, &[("ADMIN_TOKEN", "let-me-in")]).await;
    for page in PAGES {
        let refused = get(&gateway.admin(page)).await;
        assert!(error(&refused, 401, "invalid_api_key").contains("the admin API needs its token"), "{page}");
        let guessed = get_with(&gateway.admin(page), &[("authorization", "Bearer let-me-out")]).await;
        error(&guessed, 401, "invalid_api_key");
        let known = get_with(&gateway.admin(page), &[("authorization", "Bearer let-me-in")]).await;
        assert_eq!(known.status, 200, "{page}");
    }
    error(&post(&gateway.admin("/admin/reload"), &Value::Null).await, 401, "invalid_api_key");
    error(&get(&gateway.admin("/admin/nothing")).await, 401, "invalid_api_key");
    assert!(!gateway.log().contains("let-me-in"));
}

#[tokio::test]
async fn a_token_for_reading_reads_and_changes_nothing() {
    let model = FakeModel::saying("hello there").await;
    let config = in_order(&[&model], "[admin]\ntoken_env = \"OPERATORS\"\nread_token_env = \"READERS\"\n");
    let environment = [("OPERATORS", "let-me-in"), ("READERS", "let-me-see")];
    let gateway = Gateway::start_with(&config, &environment).await;
    let [operator, reader] = ["Bearer let-me-in", "Bearer let-me-see"]
        .map(|token| [("authorization", token), ("x-pointsman-operator", "ada")]);
    for page in PAGES {
        assert_eq!(get_with(&gateway.admin(page), &reader).await.status, 200, "{page}");
    }
    for (headers, role) in [(&operator, "operator"), (&reader, "read-only")] {
        let access = get_with(&gateway.admin("/admin/access"), headers).await;
        assert_eq!(access.json(), json!({ "role": role }));
    }
    let active =
        get_with(&gateway.admin("/admin/policies"), &reader).await.json()["policies"][0]["active"].clone();
    let pin = json!({ "digest": active, "why": "a test" });
    for (method, path, body) in [
        ("GET", "/admin/policies/cost/state", Value::Null),
        ("PUT", "/admin/policies/cost/pin", pin.clone()),
        ("DELETE", "/admin/policies/cost/pin", Value::Null),
        ("PUT", "/admin/policies/cost/code", Value::Null),
        ("POST", "/admin/policies/cost/rollback", Value::Null),
        ("POST", "/admin/policies/cost/release", pin.clone()),
        ("PUT", "/admin/routes/main/trial", json!({ "policy": "cost", "mode": "shadow" })),
        ("DELETE", "/admin/routes/main/trial", Value::Null),
        ("POST", "/admin/routes/main/promote", Value::Null),
        ("POST", "/admin/routes/main/rollback", Value::Null),
        ("POST", "/admin/reload", Value::Null),
        ("POST", "/admin/playground", json!({ "policy": "cost", "case": "{}" })),
    ] {
        let method = Method::from_bytes(method.as_bytes()).expect("a method");
        let refused = call(method, &gateway.admin(path), &reader, body.to_string()).await;
        let message = error(&refused, 403, "operator_required");
        assert!(
            message.contains("needs the role `operator`") && message.contains("`read-only`"),
            "{path}: {message}"
        );
    }
    let audit = get_with(&gateway.admin("/admin/audit"), &reader).await.json();
    assert!(audit.as_array().expect("a list").iter().all(|event| event["who"] == "configuration"), "{audit}");

    let url = gateway.admin("/admin/policies/cost/pin");
    assert_eq!(call(Method::PUT, &url, &operator, pin.to_string()).await.status, 200);
    let newest = get_with(&gateway.admin("/admin/audit?limit=1"), &reader).await.json()[0].clone();
    assert_eq!((&newest["action"], &newest["role"]), (&json!("pin"), &json!("operator")));
    assert_eq!(newest["who"], json!({ "admin": "ada" }));
    let log = gateway.log();
    assert!(!log.contains("let-me-in") && !log.contains("let-me-see"));
}

#[tokio::test]
async fn a_token_for_reading_alone_leaves_no_operator() {
    let model = FakeModel::saying("hello there").await;
    let config = in_order(&[&model], "[admin]\nread_token_env = \"READERS\"\n");
    let gateway = Gateway::start_with(&config, &[("READERS", "let-me-see")]).await;
    error(&get(&gateway.admin("/admin/models")).await, 401, "invalid_api_key");
    let reader = [("authorization", "Bearer let-me-see")];
    error(&call(Method::POST, &gateway.admin("/admin/reload"), &reader, "").await, 403, "operator_required");
    assert_eq!(get_with(&gateway.admin("/admin/models"), &reader).await.status, 200);
}

#[tokio::test]
async fn browser_pages_are_rejected_without_a_token() {
    let gateway = Gateway::start(&in_order(&[&FakeModel::saying("").await], "")).await;
    for page in PAGES {
        assert_eq!(get(&gateway.admin(page)).await.status, 200, "{page}");
        let foreign = get_with(&gateway.admin(page), &[("origin", "https://evil.example")]).await;
        assert!(error(&foreign, 403, "cross_origin").contains("token_env"), "{page}");
        let own = get_with(&gateway.admin(page), &[("origin", &gateway.admin_url)]).await;
        assert_eq!(own.status, 200, "{page} is for the page of the gateway itself");
    }
}

#[tokio::test]
async fn an_unknown_path_is_reported_with_the_known_ones() {
    let gateway = Gateway::start(&in_order(&[&FakeModel::saying("").await], "")).await;
    let message = error(&get(&gateway.admin("/admin/nothing")).await, 404, "unknown_url");
    assert!(message.contains("GET /admin/overview") && message.contains("/admin/policies"), "{message}");
    assert_eq!(get(&gateway.admin("/admin/reload")).await.status, 405, "a reload is asked for with POST");
    let at_clients = get(&gateway.url("/admin/policies")).await;
    error(&at_clients, 404, "unknown_url");
}

#[test]
fn other_machines_reach_it_only_with_a_token() {
    let config = "[admin]\nlisten = \"0.0.0.0:8081\"\n[backends.a]\nkind = \"simulated\"\n";
    let checked = check(config);
    assert_eq!(checked.status.code(), Some(2));
    let error = String::from_utf8_lossy(&checked.stderr).into_owned();
    assert!(error.contains("token"), "{error}");
}
