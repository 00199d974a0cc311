//! The life of a key, by the admin API and by commands, with a request after each step.

use super::*;
use crate::fleet::{error, usage};
use crate::keys::key;

#[tokio::test]
async fn a_key_lives_from_its_creation_to_its_deletion() {
    let setup = Setup::new("").await;
    let gateway = setup.start().await;
    assert!(is_open(&gateway).await, "nothing requires a key yet");
    let first =
        create(&gateway, &json!({ "name": "phone", "routes": ["main", "gpt-4*"], "why": "ticket 7" })).await;
    assert!(!is_open(&gateway).await, "from the first key on, one is required");
    assert!(is_served(&gateway, &first).await);
    assert_eq!(ask_with_key(&gateway, &first, "gpt-4o").await.status, 200);
    error(&ask_with_key(&gateway, &first, "other").await, 403, "model_not_allowed");
    let models = client::get_with(&gateway.url("/v1/models"), &[("x-api-key", &first)]).await.json();
    assert_eq!(models["data"].as_array().expect("a list").len(), 1, "{models}");
    error(&client::get(&gateway.url("/v1/models")).await, 401, "invalid_api_key");
    assert!(usage(&gateway).await.iter().any(|line| line["key"] == "phone"));
    let entry = listed(&gateway, "phone").await;
    assert_eq!((&entry["source"], &entry["state"]), (&json!("store"), &json!("active")), "{entry}");
    assert_eq!((&entry["requests"], &entry["routes"]), (&json!(2), &json!(["main", "gpt-4*"])), "{entry}");

    let rotate = async |body: Value| operate(&gateway, Method::POST, "/admin/keys/phone/rotate", &body).await;
    let second = issued(&rotate(json!({})).await, 200);
    assert!(is_served(&gateway, &first).await && is_served(&gateway, &second).await, "the grace period");
    let entry = listed(&gateway, "phone").await;
    let grace = entry["grace_until"].as_u64().expect("a time") - entry["rotated"].as_u64().expect("a time");
    assert_eq!(grace, 24 * 3_600);
    let third = issued(&rotate(json!({ "grace": "0", "why": "it leaked" })).await, 200);
    error(&ask_with_key(&gateway, &first, "main").await, 401, "invalid_api_key");
    let replaced = error(&ask_with_key(&gateway, &second, "main").await, 401, "invalid_api_key");
    assert!(replaced.contains("`phone` was replaced by a new one"), "{replaced}");
    assert!(is_served(&gateway, &third).await);
    assert_eq!(listed(&gateway, "phone").await["grace_until"], Value::Null);

    let status = change(&gateway, "phone", &json!({ "disabled": true })).await;
    assert_eq!(status["state"], "disabled");
    let disabled = error(&ask_with_key(&gateway, &third, "main").await, 401, "invalid_api_key");
    assert!(disabled.contains("`phone` is disabled"), "{disabled}");
    change(&gateway, "phone", &json!({ "disabled": false, "routes": null })).await;
    assert_eq!(ask_with_key(&gateway, &third, "other").await.status, 200, "all routes are allowed");

    let status = change(&gateway, "phone", &json!({ "expires_in": "0" })).await;
    assert_eq!(status["state"], "expired");
    let expired = error(&ask_with_key(&gateway, &third, "main").await, 401, "invalid_api_key");
    assert!(expired.contains("`phone` expired at 2"), "{expired}");
    change(&gateway, "phone", &json!({ "expires_at": "9999-12-31" })).await;
    assert!(is_served(&gateway, &third).await);
    assert_eq!(change(&gateway, "phone", &json!({ "expires_at": null })).await["expires"], Value::Null);

    let deleted = operate(&gateway, Method::DELETE, "/admin/keys/phone", &json!({ "why": "gone" })).await;
    assert_eq!((deleted.status.as_u16(), &deleted.json()["done"]), (200, &json!("key-deleted")));
    let unknown = error(&ask_with_key(&gateway, &third, "main").await, 401, "invalid_api_key");
    assert!(!unknown.contains("phone"), "{unknown}");
    assert_eq!(listed(&gateway, "phone").await, Value::Null);
    assert!(!is_open(&gateway).await, "a gateway that had a key does not open with the last one's end");
}

#[tokio::test]
async fn each_change_is_in_the_audit_log_and_under_what_changed() {
    let setup = Setup::new("").await;
    let gateway = setup.start().await;
    create(&gateway, &json!({ "name": "phone", "routes": ["main"], "expires_in": "30d", "why": "ticket 7" }))
        .await;
    operate(&gateway, Method::POST, "/admin/keys/phone/rotate", &json!({ "grace": "1h" })).await;
    change(&gateway, "phone", &json!({ "disabled": true, "expires_at": null, "why": "paused" })).await;
    change(&gateway, "phone", &json!({ "disabled": false, "routes": ["*"] })).await;
    operate(&gateway, Method::DELETE, "/admin/keys/phone", &json!({})).await;

    let audit = client::get(&gateway.admin("/admin/audit")).await.json();
    let of_keys = |events: &Value| -> Vec<Value> {
        let events = events.as_array().expect("events").iter().rev();
        events.filter(|event| event["key"] == "phone").cloned().collect()
    };
    let events = of_keys(&audit);
    let actions: Vec<&str> =
        events.iter().map(|event| event["action"].as_str().expect("an action")).collect();
    assert_eq!(
        actions,
        ["key-create", "key-rotate", "key-disable", "key-expire", "key-enable", "key-routes", "key-delete"]
    );
    assert!(
        events.iter().all(|event| event["who"] == json!({ "admin": "alice" }) && event["role"] == "operator")
    );
    let why = |index: usize| events[index]["why"].as_str().expect("a reason");
    assert!(
        why(0).starts_with("expires at 2") && why(0).ends_with("Z; may request main: ticket 7"),
        "{}",
        why(0)
    );
    assert!(why(1).starts_with("the old key is accepted until 2"), "{}", why(1));
    assert_eq!((why(2), why(3), why(5)), ("paused", "never expires: paused", "may request *"));
    let overview = client::get(&gateway.admin("/admin/overview")).await.json();
    assert_eq!(of_keys(&overview["changes"]), events);

    let table = texts(&run(&["policy", "audit", "--admin", &gateway.admin_url])).0;
    let deletion = table.lines().find(|line| line.contains("key-delete")).expect("a line");
    assert!(deletion.contains("alice (operator)") && deletion.contains("phone"), "{table}");
}

#[tokio::test]
async fn commands_do_what_the_api_does() {
    let setup = Setup::new(&key("batch", "pm-in-the-file", "[\"main\"]")).await;
    let gateway = setup.start().await;
    let ok = |arguments: &[&str]| {
        let (status, out, err) = key_command(&gateway, arguments);
        assert_eq!(status, Some(0), "{arguments:?}: {out}{err}");
        (out.trim_end().to_owned(), err)
    };
    let (first, note) =
        ok(&["create", "phone", "--routes", "main,gpt-*", "--expires", "30d", "--why", "ticket 7"]);
    assert!(first.starts_with("pm-") && first.len() == 67, "the key alone: {first}");
    assert!(
        note.contains("`phone`") && note.contains("shown only now") && note.contains("expires at 2"),
        "{note}"
    );
    assert!(is_served(&gateway, &first).await && is_served(&gateway, "pm-in-the-file").await);

    let (second, note) = ok(&["rotate", "phone"]);
    assert!(note.contains("The old one is accepted until 2"), "{note}");
    assert!(is_served(&gateway, &first).await && is_served(&gateway, &second).await);
    let (json, _) = ok(&["rotate", "phone", "--grace", "0", "--json"]);
    let rotated: Value = serde_json::from_str(&json).expect("JSON");
    let third = rotated["key"].as_str().expect("a key");
    assert!(!is_served(&gateway, &second).await && is_served(&gateway, third).await);

    assert!(ok(&["disable", "phone"]).0.contains("`pointsman key enable phone` undoes it"));
    assert!(!is_served(&gateway, third).await);
    assert_eq!(ok(&["enable", "phone"]).0, "`phone` is enabled");
    assert!(is_served(&gateway, third).await);
    assert!(ok(&["expire", "phone"]).0.starts_with("`phone` expired at 2"));
    assert!(!is_served(&gateway, third).await);
    assert_eq!(ok(&["expire", "phone", "--at", "2999-01-31"]).0, "`phone` expires at 2999-01-31T00:00:00Z");
    assert!(ok(&["expire", "phone", "--in", "12h"]).0.starts_with("`phone` expires at 2"));
    assert_eq!(ok(&["expire", "phone", "--never"]).0, "`phone` does not expire");
    assert!(is_served(&gateway, third).await);
    assert_eq!(ok(&["routes", "phone", "other"]).0, "`phone` may request other");
    assert!(!is_served(&gateway, third).await);
    assert_eq!(ok(&["routes", "phone", "--all"]).0, "`phone` may request all");

    let (table, _) = ok(&["list"]);
    let row = |name: &str| table.lines().find(|line| line.starts_with(name)).expect("a row");
    assert!(row("batch").contains("file") && row("batch").ends_with("main"), "{table}");
    assert!(row("phone").contains("store") && row("phone").ends_with("all"), "{table}");
    let list: Value = serde_json::from_str(&ok(&["list", "--json"]).0).expect("JSON");
    assert_eq!((&list["required"], list["keys"].as_array().map(Vec::len)), (&json!(true), Some(2)));

    let (status, out, err) = key_command(&gateway, &["delete", "phone"]);
    assert_eq!((status, out.as_str()), (Some(2), ""), "without a terminal there is nobody to ask: {err}");
    assert!(err.contains("--yes") && is_served(&gateway, third).await, "{err}");
    assert_eq!(ok(&["delete", "phone", "--yes"]).0, "`phone` is deleted: requests with it are refused");
    assert!(!is_served(&gateway, third).await && is_served(&gateway, "pm-in-the-file").await);

    let (status, out, err) = key_command(&gateway, &["rotate", "batch"]);
    assert_eq!((status, out.as_str()), (Some(1), ""), "{err}");
    assert!(err.contains("pointsman.toml: change [keys.batch] there"), "{err}");
}
