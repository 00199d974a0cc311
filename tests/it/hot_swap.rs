//! Replacement of policies under load: no request is lost, and none reports another version than
//! the one that decided it.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};

use bytes::Bytes;
use pointsman_guests::{version, version_label};
use pointsman_tests::{Connection, FakeModel, Gateway, client};
use serde_json::Value;

use crate::policy_file::PolicyFile;

const SWAPS: u32 = 50;
const CLIENTS: usize = 16;
const BODY: &str = r#"{"model":"main","messages":[{"role":"user","content":"which version are you?"}]}"#;

/// Returns the label and the version of the policy from an answer.
async fn decision_of(connection: &mut Connection) -> (String, String) {
    let answer = connection.ask(&Bytes::from_static(BODY.as_bytes())).await;
    assert_eq!(answer.status, 200, "{}", String::from_utf8_lossy(&answer.body));
    assert_eq!(answer.header("x-pointsman-policy-failure"), None);
    let header = |name: &str| answer.header(name).expect("a decided request").to_owned();
    (header("x-pointsman-route"), header("x-pointsman-policy"))
}

#[tokio::test(flavor = "multi_thread")]
async fn fifty_swaps_under_load_lose_no_request_and_mix_no_versions() {
    let (model, policy) = (FakeModel::saying("me").await, PolicyFile::new(&version(0)));
    // With as many clients as this a busy machine makes some version slow, which is not
    // to be undone here.
    let config = format!(
        r#"
        [rollback]
        enabled = false
        [backends.fake]
        base_url = "{}"
        [models."fake/one"]
        input_price = 1
        output_price = 2
        [policies.changing]
        limits.deadline = "60s"
        source = "{}"
        [routes.main]
        policy = "changing"
        "#,
        model.base_url(),
        policy.path().display(),
    );
    let gateway = Arc::new(Gateway::start(&config).await);
    let (serving, stop) = (Arc::new(AtomicU32::new(0)), Arc::new(AtomicBool::new(false)));
    let start = |_| tokio::spawn(busy_client(Arc::clone(&gateway), Arc::clone(&serving), Arc::clone(&stop)));
    let clients: Vec<_> = (0..CLIENTS).map(start).collect();

    for number in 1..=SWAPS {
        policy.rename_over(&version(number));
        let report = client::post(&gateway.admin("/admin/reload"), &Value::Null).await;
        assert_eq!(report.status, 200, "{}", report.json());
        // From here on, a request that begins may not be decided by an older version.
        serving.store(number, Ordering::SeqCst);
    }
    stop.store(true, Ordering::SeqCst);
    let mut answered = 0;
    for client in clients {
        answered += client.await.expect("no client saw a failure");
    }
    assert!(answered > SWAPS as usize, "requests flowed meanwhile: {answered}");
    let status = client::get(&gateway.admin("/admin/policies")).await.json();
    assert_eq!(status["policies"][0]["swaps"], SWAPS);
    assert_eq!(status["policies"][0]["failures"], serde_json::json!([]));
}

/// Sends requests without a pause, and checks that the label and the digest of each answer are of
/// one version, no older than the one that served when it was sent. Returns the number of
/// answers.
async fn busy_client(gateway: Arc<Gateway>, serving: Arc<AtomicU32>, stop: Arc<AtomicBool>) -> usize {
    let mut connection = Connection::open(&gateway.base_url).await;
    let mut digests = std::collections::HashMap::new();
    let mut answered = 0;
    while !stop.load(Ordering::SeqCst) {
        let at_least = serving.load(Ordering::SeqCst);
        let (label, by) = decision_of(&mut connection).await;
        let number: u32 =
            label.strip_prefix("version-").and_then(|number| number.parse().ok()).expect("a version");
        assert_eq!(label, version_label(number));
        assert!(number >= at_least, "decided by version {number} after {at_least} had taken over");
        let digest = digests.entry(number).or_insert_with(|| by.clone());
        assert_eq!(*digest, by, "one version has one digest");
        answered += 1;
    }
    answered
}
