//! Storage of keys: across restarts and crashes, and without their secrets.

use super::*;
use crate::fleet::error;

#[tokio::test]
async fn an_acknowledged_key_survives_a_crash_and_a_restart() {
    let setup = Setup::new("").await;
    let gateway = setup.start().await;
    let kept = create(&gateway, &json!({ "name": "kept", "routes": ["main"], "expires_in": "30d" })).await;
    let paused = create(&gateway, &json!({ "name": "paused" })).await;
    change(&gateway, "paused", &json!({ "disabled": true })).await;
    let rotated = operate(&gateway, Method::POST, "/admin/keys/kept/rotate", &json!({})).await;
    gateway.signal("KILL");
    gateway.ended().await;

    let gateway = setup.start().await;
    assert!(!is_open(&gateway).await);
    assert!(is_served(&gateway, &kept).await && is_served(&gateway, &issued(&rotated, 200)).await);
    error(&ask_with_key(&gateway, &kept, "other").await, 403, "model_not_allowed");
    assert!(
        error(&ask_with_key(&gateway, &paused, "main").await, 401, "invalid_api_key").contains("disabled")
    );
    let before = listed(&gateway, "kept").await;
    for name in ["kept", "paused"] {
        operate(&gateway, Method::DELETE, &format!("/admin/keys/{name}"), &json!({})).await;
    }
    assert_eq!(before["state"], "active");
    assert!(gateway.stop().await.success());

    let gateway = setup.start().await;
    let list = client::get(&gateway.admin("/admin/keys")).await.json();
    assert_eq!((&list["keys"], &list["required"]), (&json!([]), &json!(true)));
    assert!(!is_open(&gateway).await && !is_served(&gateway, &kept).await, "it stays closed");
}

#[tokio::test]
async fn a_route_that_is_removed_stays_in_the_list_of_a_key() {
    let setup = Setup::new("").await;
    let gateway = setup.start().await;
    let secret = create(&gateway, &json!({ "name": "phone", "routes": ["main", "other"] })).await;
    let without = setup.config.replace("[routes.other]", "[routes.third]");
    std::fs::write(gateway.config(), &without).expect("the config can be written");
    crate::fleet::reload(&gateway).await;
    assert_eq!(listed(&gateway, "phone").await["routes"], json!(["main", "other"]));
    error(&ask_with_key(&gateway, &secret, "third").await, 403, "model_not_allowed");
    std::fs::write(gateway.config(), &setup.config).expect("the config can be written");
    crate::fleet::reload(&gateway).await;
    assert_eq!(ask_with_key(&gateway, &secret, "other").await.status, 200);
}

#[tokio::test]
async fn a_key_that_cannot_be_stored_is_not_created() {
    let setup = Setup::new("").await;
    let gateway = setup.start().await;
    let obstacle = setup.state.join("keys.redb");
    std::fs::create_dir(&obstacle).expect("a directory in the way");
    let refused = operate(&gateway, Method::POST, "/admin/keys", &json!({ "name": "phone" })).await;
    let message = error(&refused, 503, "cannot_remember");
    assert!(message.contains("nothing was changed") && message.contains("keys.redb"), "{message}");
    assert!(is_open(&gateway).await && listed(&gateway, "phone").await.is_null());
    std::fs::remove_dir(&obstacle).expect("it can be removed");
    let secret = create(&gateway, &json!({ "name": "phone" })).await;
    assert!(is_served(&gateway, &secret).await);
}

#[tokio::test]
async fn a_gateway_whose_keys_are_damaged_does_not_start() {
    let setup = Setup::new("").await;
    let gateway = setup.start().await;
    create(&gateway, &json!({ "name": "phone" })).await;
    gateway.signal("KILL");
    gateway.ended().await;
    let file = setup.state.join("keys.redb");
    let mut bytes = std::fs::read(&file).expect("the file of the keys");
    bytes.truncate(bytes.len() / 3);
    std::fs::write(&file, bytes).expect("it can be written");
    let errors = refused_start(&setup.config);
    assert!(errors.contains("keys.redb") && errors.contains("restore the file from a backup"), "{errors}");
    assert!(errors.contains("`server.require_key = true`"), "{errors}");
}

#[tokio::test]
async fn a_secret_is_in_no_file_no_log_and_no_other_response() {
    let setup = Setup::new("").await;
    let gateway = setup.start().await;
    let first = create(&gateway, &json!({ "name": "phone" })).await;
    assert!(is_served(&gateway, &first).await);
    let rotated = operate(&gateway, Method::POST, "/admin/keys/phone/rotate", &json!({ "grace": "0" })).await;
    let second = issued(&rotated, 200);
    for key in [&first, &second, &"pm-guessed".to_owned()] {
        ask_with_key(&gateway, key, "main").await;
    }
    gateway.logged("audit: key-rotate").await;
    let sent = setup.model.requests();
    let mut searched: Vec<(String, Vec<u8>)> =
        setup.files().into_iter().map(|(path, bytes)| (path.display().to_string(), bytes)).collect();
    assert!(searched.iter().any(|(path, _)| path.ends_with("keys.redb")), "the keys are stored");
    assert!(searched.iter().any(|(path, _)| path.ends_with("audit.jsonl")), "the audit log is stored");
    searched.push(("the log".to_owned(), gateway.log().into_bytes()));
    for path in
        ["/admin/keys", "/admin/audit", "/admin/overview", "/admin/usage", "/admin/decisions", "/metrics"]
    {
        searched.push((path.to_owned(), client::get(&gateway.admin(path)).await.body.to_vec()));
    }
    for (place, bytes) in &searched {
        for secret in [&first, &second] {
            // The random part alone, too, in either form.
            for needle in [secret.as_bytes(), &secret.as_bytes()[3..35], &unhex(&secret[3..35])] {
                let found = bytes.windows(needle.len()).any(|window| window == needle);
                assert!(!found, "{place} has a secret");
            }
        }
    }
    for request in sent {
        let is_secret =
            |value: &http::HeaderValue| value.to_str().is_ok_and(|text| text.contains(&first[3..]));
        assert!(!request.headers.values().any(is_secret), "no backend gets it");
    }
}

fn unhex(text: &str) -> Vec<u8> {
    let digits = |at: usize| u8::from_str_radix(&text[at..at + 2], 16).expect("hex digits");
    (0..text.len()).step_by(2).map(digits).collect()
}
