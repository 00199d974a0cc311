//! Authentication of the admin API.

use pointsman_tests::client::{get, get_with, post};
use pointsman_tests::{FakeModel, Gateway};
use serde_json::Value;

use crate::command_line::check;
use crate::fleet::{error, in_order};

const PAGES: [&str; 6] =
    ["/admin/policies", "/admin/models", "/admin/usage", "/admin/overview", "/admin/decisions", "/metrics"];

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
