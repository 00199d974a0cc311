//! Requests that are refused, with the member at fault and the next step.

use super::*;
use crate::fleet::{error, reload};
use crate::keys::key;

async fn post(gateway: &Gateway, body: Value) -> Answer {
    operate(gateway, Method::POST, "/admin/keys", &body).await
}

#[tokio::test]
async fn a_key_that_cannot_be_is_refused_with_the_member_and_what_is_allowed() {
    let setup = Setup::new(&key("batch", "pm-in-the-file", "[\"main\"]")).await;
    let gateway = setup.start().await;
    create(&gateway, &json!({ "name": "phone" })).await;
    let cases = [
        (json!({}), 400, "invalid_body", Value::Null, "missing field `name`"),
        (json!({ "name": "a", "rotues": [] }), 400, "invalid_body", Value::Null, "unknown field `rotues`"),
        (json!({ "name": "a b" }), 422, "rejected", json!("name"), "a-z A-Z 0-9 _ . -"),
        (json!({ "name": "" }), 422, "rejected", json!("name"), "1 to 64 characters"),
        (
            json!({ "name": "a", "routes": ["other", "mian"] }),
            422,
            "rejected",
            json!("routes[1]"),
            "there is no route, model or alias `mian`: did you mean `main`?",
        ),
        (
            json!({ "name": "a", "expires_in": "1 week" }),
            422,
            "rejected",
            json!("expires_in"),
            "such as \"30d\"",
        ),
        (
            json!({ "name": "a", "expires_at": "soon" }),
            422,
            "rejected",
            json!("expires_at"),
            "\"2027-01-31\"",
        ),
        (
            json!({ "name": "a", "expires_at": 5 }),
            422,
            "rejected",
            json!("expires_at"),
            "1970-01-01T00:00:05Z",
        ),
        (
            json!({ "name": "a", "expires_at": "2999-01-01", "expires_in": "1d" }),
            422,
            "rejected",
            json!("expires_at"),
            "leave out one",
        ),
        (json!({ "name": "a", "why": "\u{1b}[2J" }), 400, "invalid_body", json!("why"), "printable"),
        (json!({ "name": "phone" }), 409, "key_exists", Value::Null, "`pointsman key rotate phone`"),
        (
            json!({ "name": "batch" }),
            409,
            "key_of_file",
            Value::Null,
            "pointsman.toml: change [keys.batch] there",
        ),
    ];
    for (body, status, code, param, text) in cases {
        let answer = post(&gateway, body.clone()).await;
        let message = error(&answer, status, code);
        assert!(message.contains(text), "{body}: {message}");
        assert_eq!(answer.json()["error"]["param"], param, "{body}");
    }
    let list = client::get(&gateway.admin("/admin/keys")).await.json();
    assert_eq!(list["keys"].as_array().map(Vec::len), Some(2), "nothing was created: {list}");

    let of = async |method: Method, path: &str, body: Value| operate(&gateway, method, path, &body).await;
    let unknown = error(&of(Method::DELETE, "/admin/keys/phon", json!({})).await, 404, "key_not_found");
    assert_eq!(unknown, "there is no key `phon`: did you mean `phone`?");
    let grace = of(Method::POST, "/admin/keys/phone/rotate", json!({ "grace": "ever" })).await;
    assert!(error(&grace, 422, "rejected").contains("`grace` is \"ever\""));
    let nothing = error(&of(Method::PATCH, "/admin/keys/phone", json!({})).await, 400, "invalid_body");
    assert!(nothing.contains("`disabled`") && nothing.contains("`routes`"), "{nothing}");
    let both = json!({ "expires_at": null, "expires_in": "1d" });
    error(&of(Method::PATCH, "/admin/keys/phone", both).await, 422, "rejected");
    for (method, path) in [
        (Method::PATCH, "/admin/keys/batch"),
        (Method::DELETE, "/admin/keys/batch"),
        (Method::POST, "/admin/keys/batch/rotate"),
    ] {
        let body = if method == Method::PATCH { json!({ "disabled": true }) } else { json!({}) };
        error(&of(method, path, body).await, 409, "key_of_file");
    }
    let elsewhere = client::get(&gateway.admin("/admin/nothing")).await;
    assert!(error(&elsewhere, 404, "unknown_url").contains("/admin/keys"));
}

#[tokio::test]
async fn one_of_several_creations_of_a_name_wins() {
    let setup = Setup::new("").await;
    let gateway = setup.start().await;
    let body = json!({ "name": "phone" });
    let creations = std::iter::repeat_with(|| post(&gateway, body.clone())).take(8);
    let mut secrets = Vec::new();
    for answer in futures(creations).await {
        match answer.status.as_u16() {
            201 => secrets.push(issued(&answer, 201)),
            _ => drop(error(&answer, 409, "key_exists")),
        }
    }
    assert_eq!(secrets.len(), 1);
    assert!(is_served(&gateway, &secrets[0]).await);
}

/// Polls futures at the same time.
async fn futures<T>(futures: impl Iterator<Item = impl Future<Output = T>>) -> Vec<T> {
    let mut pending: Vec<_> = futures.map(Box::pin).map(Some).collect();
    let mut done = Vec::new();
    std::future::poll_fn(|context| {
        for slot in &mut pending {
            let Some(future) = slot else { continue };
            if let std::task::Poll::Ready(value) = future.as_mut().poll(context) {
                done.push(value);
                *slot = None;
            }
        }
        match pending.iter().all(Option::is_none) {
            true => std::task::Poll::Ready(()),
            false => std::task::Poll::Pending,
        }
    })
    .await;
    done
}

#[tokio::test]
async fn readers_see_keys_and_change_none() {
    let more = "[admin]\ntoken_env = \"OPERATOR\"\nread_token_env = \"READER\"\n";
    let setup = Setup::new(more).await;
    let gateway =
        Gateway::start_with(&setup.config, &[("OPERATOR", "may-change"), ("READER", "may-read")]).await;
    let send = async |token: &str, method: Method, path: &str, body: &str| {
        let bearer = format!("Bearer {token}");
        client::call(method, &gateway.admin(path), &[("authorization", &bearer)], body.to_owned()).await
    };
    let created = send("may-change", Method::POST, "/admin/keys", r#"{"name":"phone"}"#).await;
    let secret = issued(&created, 201);
    for (method, path, body) in [
        (Method::POST, "/admin/keys", r#"{"name":"other"}"#),
        (Method::POST, "/admin/keys/phone/rotate", "{}"),
        (Method::PATCH, "/admin/keys/phone", r#"{"disabled":true}"#),
        (Method::DELETE, "/admin/keys/phone", "{}"),
    ] {
        error(&send("may-read", method.clone(), path, body).await, 403, "operator_required");
        error(&send("guessed", method, path, body).await, 401, "invalid_api_key");
    }
    let list = send("may-read", Method::GET, "/admin/keys", "").await;
    let text = String::from_utf8(list.body.to_vec()).expect("text");
    assert!(list.status == 200 && text.contains("phone"), "{text}");
    assert!(!text.contains(&secret[3..20]) && !text.contains("sha256"), "{text}");
    assert!(is_served(&gateway, &secret).await, "nothing was changed");
}

#[tokio::test]
async fn without_a_state_directory_keys_cannot_be_created() {
    let model = FakeModel::saying("hello there").await;
    let gateway = Gateway::start(&in_order(&[&model], "")).await;
    let refused = error(&post(&gateway, json!({ "name": "phone" })).await, 409, "no_state_directory");
    assert!(
        refused.contains("set `dir` below [state]") && refused.contains("`pointsman key NAME`"),
        "{refused}"
    );
    assert!(is_open(&gateway).await);
    let list = client::get(&gateway.admin("/admin/keys")).await.json();
    assert_eq!(list, json!({ "required": false, "can_store": false, "keys": [] }));
    let (status, table, _) = key_command(&gateway, &["list"]);
    assert!(status == Some(0) && table.contains("no key is required"), "{table}");
}

#[tokio::test]
async fn a_file_with_the_name_of_a_stored_key_is_rejected_at_a_reload_and_at_a_start() {
    let setup = Setup::new("").await;
    let gateway = setup.start().await;
    let secret = create(&gateway, &json!({ "name": "phone" })).await;
    let both = format!("{}{}", setup.config, key("phone", "pm-in-the-file", "[\"main\"]"));
    std::fs::write(gateway.config(), &both).expect("the config can be written");
    let report = client::post(&gateway.admin("/admin/reload"), &Value::Null).await;
    let text = report.json().to_string();
    assert!(report.status != 200 && text.contains("there is a stored key `phone` too"), "{text}");
    assert!(text.contains("pointsman.toml:") && text.contains("`state.dir`"), "both places: {text}");
    assert!(is_served(&gateway, &secret).await && !is_served(&gateway, "pm-in-the-file").await);

    assert!(gateway.stop().await.success());
    let errors = refused_start(&both);
    assert!(errors.contains("there is a stored key `phone` too"), "{errors}");
}

#[tokio::test]
async fn a_key_can_be_required_before_there_is_one() {
    let setup = Setup::new("[server]\nrequire_key = true\n").await;
    let gateway = setup.start().await;
    error(&ask(&gateway, &chat("main", "hi")).await, 401, "invalid_api_key");
    error(&client::get(&gateway.url("/v1/models")).await, 401, "invalid_api_key");
    assert_eq!(client::get(&gateway.url("/ready")).await.status, 200);
    let secret = create(&gateway, &json!({ "name": "phone" })).await;
    assert!(is_served(&gateway, &secret).await);

    // The setting takes effect with a reload; here a stored key requires one as well.
    std::fs::write(gateway.config(), setup.config.replace("require_key = true", "")).expect("a config");
    reload(&gateway).await;
    assert!(!is_open(&gateway).await && is_served(&gateway, &secret).await);
    assert!(!gateway.log().contains("restart"), "{}", gateway.log());
}
