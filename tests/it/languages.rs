//! Policies in other languages behind the whole gateway: the example policies are swapped for one
//! another under load.
//!
//! `cargo xtask test` builds them and sets their path. Without it these tests are skipped, except
//! on CI.

use std::fs;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use bytes::Bytes;
use pointsman_guests::FIRST;
use pointsman_tests::{Connection, FakeModel, Gateway, client};
use serde_json::{Value, json};

use crate::fleet::{backend, model, reload};
use crate::policy_file::PolicyFile;
use pointsman_tests::installed;

const BODY: &str = r#"{"model":"main","messages":[{"role":"user","content":"hi"}]}"#;
const CLIENTS: usize = 4;

fn example(directory: &str, name: &str) -> Vec<u8> {
    fs::read(Path::new(directory).join(name).with_extension("wasm")).expect("the example was built")
}

/// Returns the configuration of a good model, a fair one and a poor one, and of a route whose
/// policy is a file. The deadline is long: other tests keep the machine busy.
fn config(fake: &FakeModel, policy: &PolicyFile, more: &str) -> String {
    let policy = format!(
        "[policies.changing]\nsource = \"{}\"\n\
         limits = {{ deadline = \"1m\" }}\n{more}\n[routes.main]\npolicy = \"changing\"\n",
        policy.path().display()
    );
    let models = [
        model("fake/good", 9, "quality = 0.9"),
        model("fake/fair", 2, "quality = 0.7"),
        model("fake/poor", 1, "quality = 0.5"),
    ];
    backend("fake", fake, "") + &models.concat() + &policy
}

/// Returns the model that answered, the label of the decision, and the version of the policy.
async fn decision_of(connection: &mut Connection) -> (String, String, String) {
    let answer = connection.ask(&Bytes::from_static(BODY.as_bytes())).await;
    assert_eq!(answer.status, 200, "{}", String::from_utf8_lossy(&answer.body));
    assert_eq!(answer.header("x-pointsman-policy-failure"), None);
    let header = |name: &str| answer.header(name).expect("a decided request").to_owned();
    (header("x-pointsman-model"), header("x-pointsman-route"), header("x-pointsman-policy"))
}

/// Returns the same for a request on a connection of its own: a reload may take longer than the
/// gateway keeps idle connections open.
async fn ask_on_new_connection(gateway: &Gateway) -> (String, String, String) {
    decision_of(&mut Connection::open(&gateway.base_url).await).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_policy_is_swapped_between_languages_under_load() {
    let Some(directory) = installed("POINTSMAN_TEST_POLICIES") else { return };
    let (fake, policy) = (FakeModel::saying("me").await, PolicyFile::new(FIRST));
    // A slower language is no reason to undo the swap, nor is a busy machine to give up compiling.
    let config = config(&fake, &policy, "grants = [\"wasi\"]\nisolation = \"warm\"")
        + "[rollback]\nenabled = false\n[compile]\ntimeout = \"10m\"\n";
    let gateway = Arc::new(Gateway::start(&config).await);
    let stop = Arc::new(AtomicBool::new(false));
    let clients: Vec<_> =
        (0..CLIENTS).map(|_| tokio::spawn(busy_client(Arc::clone(&gateway), Arc::clone(&stop)))).collect();

    let (_, _, mut before) = ask_on_new_connection(&gateway).await;
    for language in ["python", "javascript", "c", "python-wasi", "javascript-wasi"] {
        policy.rename_over(&example(&directory, language));
        reload(&gateway).await;
        let (model, label, version) = ask_on_new_connection(&gateway).await;
        assert_eq!((model.as_str(), label.as_str()), ("fake/poor", "cheapest"), "{language}");
        assert_ne!(version, before, "{language}");
        before = version;
    }
    stop.store(true, Ordering::SeqCst);
    for client in clients {
        assert!(client.await.expect("no client saw a failure") > 0, "requests flowed meanwhile");
    }
    let status = client::get(&gateway.admin("/admin/policies")).await.json();
    assert_eq!(status["policies"][0]["swaps"], 5);
    assert_eq!(status["policies"][0]["failures"], json!([]));
}

/// Sends requests without a pause, and returns the number of answers.
async fn busy_client(gateway: Arc<Gateway>, stop: Arc<AtomicBool>) -> usize {
    let mut connection = Connection::open(&gateway.base_url).await;
    let mut answered = 0;
    while !stop.load(Ordering::SeqCst) {
        decision_of(&mut connection).await;
        answered += 1;
    }
    answered
}

#[tokio::test]
async fn a_policy_with_wasi_is_rejected_with_the_missing_grant() {
    let Some(directory) = installed("POINTSMAN_TEST_POLICIES") else { return };
    let (fake, policy) = (FakeModel::saying("me").await, PolicyFile::new(&example(&directory, "c")));
    let gateway = Gateway::start(&config(&fake, &policy, "settings = { min_quality = 0.6 }")).await;
    let before = ask_on_new_connection(&gateway).await;
    assert_eq!((before.0.as_str(), before.1.as_str()), ("fake/fair", "cheapest"));
    policy.rename_over(&example(&directory, "javascript-wasi"));
    let report = client::post(&gateway.admin("/admin/reload"), &Value::Null).await;
    let text = report.json().to_string();
    assert!(text.contains("the policy imports `wasi:"), "{text}");
    assert!(text.contains(r#"to grant it: grants = [\"wasi\"]"#), "{text}");
    assert_eq!(ask_on_new_connection(&gateway).await, before);
}
