//! Secrets: no key, prompt, header or answer of a model is in the log, the decision log, the
//! metrics or the admin API, whatever fails.

use pointsman_guests::{HOSTILE, Misdeed, misbehaving};
use pointsman_tests::client::{self, Answer};
use pointsman_tests::planted::{PLANTED, in_text};
use pointsman_tests::{FakeModel, Gateway, Step};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use crate::fleet::{backend, built_in, model};
use crate::policy_failures::inline;
use crate::policy_file::PolicyFile;

const CLIENT_KEY: &str = "pm-planted-3f9c17-client-key";
/// Text in all responses of backends.
const WORDS: &str = "planted-3f9c17-backend";
const ADMIN_TOKEN: &str = "planted-3f9c17-admin-token";

/// Returns a request with a planted secret in every member that may hold one.
fn request(route: &str, streamed: bool) -> Value {
    json!({
        "model": route,
        "stream": streamed,
        "user": format!("{PLANTED}-user"),
        "metadata": { "note": format!("{PLANTED}-metadata") },
        "messages": [
            { "role": "system", "content": format!("{PLANTED}-system") },
            { "role": "assistant", "content": format!("{PLANTED}-assistant") },
            { "role": format!("{PLANTED}-role"), "content": "hm" },
            { "role": "user", "content": [
                { "type": "text", "text": format!("{PLANTED}-prompt") },
                { "type": "image_url", "image_url": { "url": format!("https://{PLANTED}:{PLANTED}@example.com/{PLANTED}.png") } },
            ] },
        ],
        "tools": [{ "type": "function", "function": {
            "name": format!("{PLANTED}_tool"), "description": format!("{PLANTED}-tool"), "parameters": { "type": "object" },
        } }],
    })
}

/// Returns backends that put secrets into every kind of response.
async fn backends() -> Vec<(&'static str, FakeModel)> {
    let words = WORDS;
    let error = json!({ "error": { "message": words, "type": words, "code": words, "param": words } });
    let garbage = format!("{{\"choices\": [{{\"message\": \"{words}\"}}], \"usage\": \"{words}\"}}");
    let event = format!("data: {error}\n\n");
    vec![
        ("answers", FakeModel::saying(words).await),
        ("streams", FakeModel::always(Step::stream(&[words, words])).await),
        ("refuses", FakeModel::always(Step::json(&error).with_status(400)).await),
        ("denies", FakeModel::always(Step::json(&error).with_status(401)).await),
        ("limits", FakeModel::always(Step::json(&error).with_status(429).header("x-note", words)).await),
        ("breaks", FakeModel::always(Step::json(&error).with_status(500)).await),
        ("garbles", FakeModel::always(Step::bytes("application/json", garbage)).await),
        ("chats", FakeModel::always(Step::bytes("text/html", words)).await),
        ("errs", FakeModel::always(Step::chunks("text/event-stream", [event])).await),
        ("dies", FakeModel::always(Step::stream(&[words, words]).die_after(1)).await),
        ("drops", FakeModel::always(Step::drop_connection()).await),
        ("hangs", FakeModel::always(Step::hang()).await),
    ]
}

fn config(backends: &[(&'static str, FakeModel)], policy: &PolicyFile) -> String {
    let mut config = built_in("cost", "") + &built_in("sequential", "");
    for (name, fake) in backends {
        let abilities = "inputs = [\"text\", \"image\"]\nabilities = [\"tools\", \"streaming\"]\n";
        config += &backend(name, fake, "");
        config += &model(&format!("{name}/chat"), 1, abilities);
        for policy in ["cost", "sequential"] {
            config += &format!(
                "[routes.{policy}-{name}]\npolicy = \"{policy}\"\nmodels = [\"{name}/*\"]\nbackoff = \"1ms\"\n\
                 attempt_timeout = \"300ms\"\n"
            );
        }
    }
    let hash: String = Sha256::digest(CLIENT_KEY).iter().map(|byte| format!("{byte:02x}")).collect();
    config
        + &format!(
            "[policies.bad]\nlimits.deadline = \"60s\"\nsource = \"{}\"\nsettings = {}\n\
             [routes.bad]\npolicy = \"bad\"\nmodels = [\"answers/*\"]\n\
             [routes.tried]\npolicy = \"cost\"\nshadow = \"bad\"\nmodels = [\"answers/*\"]\n\
             [keys.app]\nhash = \"sha256:{hash}\"\nroutes = [\"*\"]\n\
             [admin]\ntoken_env = \"ADMIN\"\n\
             [log]\nlevel = \"trace\"\n\
             [state]\ndir = \"state\"\n\
             [decision_log]\ndir = \"decisions\"\n",
            policy.path().display(),
            inline(&misbehaving(Misdeed::Panic)),
        )
}

async fn ask(gateway: &Gateway, key: &str, body: &Value) -> Answer {
    let bearer = format!("Bearer {key}");
    let headers = [
        ("authorization", bearer.as_str()),
        ("x-api-key", PLANTED),
        ("traceparent", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"),
    ];
    client::post_with(&gateway.url("/v1/chat/completions"), &headers, body).await
}

/// Calls an admin endpoint with the token.
async fn admin(gateway: &Gateway, path: &str) -> Answer {
    let bearer = format!("Bearer {ADMIN_TOKEN}");
    client::get_with(&gateway.admin(path), &[("authorization", bearer.as_str())]).await
}

#[tokio::test]
async fn no_key_prompt_or_answer_leaks_whatever_fails() {
    let (backends, policy) = (backends().await, PolicyFile::new(HOSTILE));
    let gateway = Gateway::start_with(&config(&backends, &policy), &[("ADMIN", ADMIN_TOKEN)]).await;
    let mut asked = 0;
    for (name, _) in &backends {
        for route in [format!("cost-{name}"), format!("sequential-{name}"), format!("{name}/chat")] {
            for streamed in [false, true] {
                // A model that is addressed has the default patience, which is long.
                if *name == "hangs" && route.contains('/') {
                    continue;
                }
                let mut body = request(&route, streamed);
                if route.starts_with("sequential-") {
                    // With tools, a request has no stages, and so no task that could fail.
                    body.as_object_mut().expect("an object").remove("tools");
                }
                ask_and_hang_up_at_the_end(&gateway, &body).await;
                asked += 1;
            }
        }
    }
    for route in ["bad", "tried"] {
        ask(&gateway, CLIENT_KEY, &request(route, false)).await;
        asked += 1;
    }
    // What never becomes a decision.
    assert_eq!(ask(&gateway, "pm-planted-3f9c17-wrong", &request("bad", false)).await.status, 401);
    assert_eq!(ask(&gateway, CLIENT_KEY, &request(PLANTED, false)).await.status, 404);
    assert_eq!(ask(&gateway, CLIENT_KEY, &json!({ "model": 1, PLANTED: PLANTED })).await.status, 400);
    assert_eq!(client::get(&gateway.admin(&format!("/admin/usage?{PLANTED}"))).await.status, 401);

    let decisions = admin(&gateway, "/admin/decisions?limit=1000").await.json();
    let decisions = decisions.as_array().expect("a list of decisions");
    assert_eq!(decisions.len(), asked, "every decision is listed");
    let mut paths: Vec<String> = ["overview", "policies", "routes", "models", "usage", "plans", "audit"]
        .map(|path| format!("/admin/{path}"))
        .into();
    paths.extend(
        decisions
            .iter()
            .map(|decision| format!("/admin/decisions/{}", decision["id"].as_str().expect("an id"))),
    );
    paths.push("/metrics".to_owned());
    for path in paths {
        let answer = admin(&gateway, &path).await;
        assert_eq!(answer.status, 200, "{path}");
        assert_eq!(in_text(&String::from_utf8_lossy(&answer.body)), None, "{path}");
    }
    for words in [
        "an attempt failed",
        "a policy failed",
        "a policy in shadow failed",
        "a task failed",
        "request ended",
    ] {
        gateway.logged(words).await;
    }
    // The decision log, the state and the log are looked into when the gateway ends.
    let directory = gateway.directory().join("decisions");
    while logged_lines(&directory) < asked {
        tokio::task::yield_now().await;
    }
}

async fn ask_and_hang_up_at_the_end(gateway: &Gateway, body: &Value) {
    let bearer = format!("Bearer {CLIENT_KEY}");
    let headers = [("authorization", bearer.as_str())];
    let mut stream = client::stream_with(&gateway.url("/v1/chat/completions"), &headers, body).await;
    while let Some(Ok(_)) = stream.chunk().await {}
}

/// Returns the number of lines in the decision log so far.
fn logged_lines(directory: &std::path::Path) -> usize {
    let files = std::fs::read_dir(directory).expect("the directory of the log").flatten();
    files.filter_map(|file| std::fs::read_to_string(file.path()).ok()).map(|text| text.lines().count()).sum()
}

/// Control: a planted secret in the decision log is found.
#[tokio::test]
#[should_panic(expected = "the gateway kept what it may not keep")]
async fn a_leak_fails_the_test() {
    let fake = FakeModel::saying("hello").await;
    let config = crate::fleet::in_order(&[&fake], "[decision_log]\ndir = \"decisions\"\ncontent = true\n");
    let gateway = Gateway::start(&config).await;
    crate::fleet::ask(&gateway, &crate::fleet::chat("main", PLANTED)).await;
    let directory = gateway.directory().join("decisions");
    while logged_lines(&directory) < 1 {
        tokio::task::yield_now().await;
    }
}
