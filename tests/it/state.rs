//! The state directory: one gateway uses it, and changes that it cannot store are not made.

use std::fs;
use std::path::PathBuf;

use http::Method;
use pointsman_guests::{version, version_label};
use pointsman_tests::client::{self, Answer};
use pointsman_tests::{FakeModel, Gateway};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use crate::command_line::{run, texts};
use crate::fleet::{ask, chat, in_order};
use crate::policy_file::PolicyFile;

/// Gateway with a route `main` whose policy is in a file, and a state directory beside it.
struct Setup {
    policy: PolicyFile,
    config: String,
    _model: FakeModel,
}

impl Setup {
    async fn new() -> Self {
        let (policy, model) = (PolicyFile::new(&version(1)), FakeModel::saying("hello").await);
        let more = format!(
            "[policies.changing]\nsource = \"{}\"\n[routes.changing]\npolicy = \"changing\"\n\
             [state]\ndir = \"{}\"\n",
            policy.path().display(),
            policy.path().with_file_name("state").display(),
        );
        let config = in_order(&[&model], &more);
        Self { policy, config, _model: model }
    }

    fn state(&self) -> PathBuf {
        self.policy.path().with_file_name("state")
    }

    async fn start(&self) -> Gateway {
        Gateway::start(&self.config).await
    }
}

fn sha256(number: u32) -> String {
    Sha256::digest(version(number)).iter().map(|byte| format!("{byte:02x}")).collect()
}

async fn call(gateway: &Gateway, method: Method, path: &str, body: impl Into<bytes::Bytes>) -> Answer {
    client::call(method, &gateway.admin(path), &[], body).await
}

fn body_of(answer: &Answer) -> String {
    String::from_utf8_lossy(&answer.body).into_owned()
}

async fn upload(gateway: &Gateway, number: u32) -> Answer {
    call(gateway, Method::PUT, "/admin/policies/changing/code", version(number)).await
}

/// Returns the policy of a route.
async fn policy_of(gateway: &Gateway, route: &str) -> String {
    let answer = ask(gateway, &chat(route, "hi")).await;
    assert_eq!(answer.status, 200);
    answer.header("x-pointsman-policy").expect("a policy").to_owned()
}

/// Returns the operators' decisions from the admin API, without counters.
async fn operator_decisions(gateway: &Gateway) -> Vec<Value> {
    let policies = client::get(&gateway.admin("/admin/policies")).await.json();
    let policies = policies["policies"].as_array().expect("policies").iter();
    let versions =
        policies.map(|it| json!([it["name"], it["active"], it["previous"], it["holds"], it["chosen"]]));
    let routes = client::get(&gateway.admin("/admin/routes")).await.json();
    let routes = routes["routes"].as_array().or(routes.as_array()).expect("routes").iter();
    let routes =
        routes.map(|it| json!([it["name"], it["policy"], it["trial"]["policy"], it["trial"]["mode"]]));
    versions.chain(routes).collect()
}

#[tokio::test]
async fn a_second_gateway_with_the_same_directory_does_not_start() {
    let setup = Setup::new().await;
    let first = setup.start().await;
    let path = first.config().display().to_string();
    let arguments = ["serve", "--config", &path, "--listen", "127.0.0.1:0", "--admin-listen", "127.0.0.1:0"];
    let (_, errors) = texts(&run(&arguments));
    assert!(errors.contains("is used by another gateway"), "{errors}");
    assert!(
        errors.contains(&setup.state().display().to_string()) && errors.contains("state.dir"),
        "{errors}"
    );
    // Its configuration can be checked meanwhile.
    assert_eq!(run(&["check", &path]).status.code(), Some(0));
    assert_eq!(upload(&first, 2).await.status, 200);
    // However the first one ends, nothing is left that keeps the next one out.
    first.signal("KILL");
    first.ended().await;
    let next = setup.start().await;
    assert_eq!(policy_of(&next, "changing").await, format!("changing@{}", &sha256(2)[..12]));
}

#[tokio::test]
async fn an_operation_that_cannot_be_stored_is_rejected_and_changes_nothing() {
    let setup = Setup::new().await;
    let gateway = setup.start().await;
    assert_eq!(upload(&gateway, 2).await.status, 200);
    let trial = json!({ "policy": "cost", "mode": "shadow" }).to_string();
    let put_trial = || call(&gateway, Method::PUT, "/admin/routes/changing/trial", trial.clone());
    assert_eq!(put_trial().await.status, 200);
    let before = operator_decisions(&gateway).await;

    // A directory is where the file is written before it is renamed.
    let obstacle = setup.state().join("rollouts.new");
    fs::create_dir(&obstacle).expect("a directory in the way");
    let digest = |number: u32| json!({ "digest": sha256(number) }).to_string();
    let other = json!({ "policy": "cost", "mode": "canary", "percent": 5 }).to_string();
    let operations = [
        (Method::PUT, "/admin/policies/changing/code", version(3)),
        (Method::PUT, "/admin/policies/changing/pin", digest(1).into()),
        (Method::DELETE, "/admin/policies/changing/pin", Vec::new()),
        (Method::POST, "/admin/policies/changing/rollback", b"{}".to_vec()),
        (Method::PUT, "/admin/routes/changing/trial", other.into()),
        (Method::DELETE, "/admin/routes/changing/trial", Vec::new()),
        (Method::POST, "/admin/routes/changing/promote", b"{}".to_vec()),
    ];
    for (method, path, body) in operations.clone() {
        let answer = call(&gateway, method.clone(), path, body).await;
        assert_eq!(answer.status, 503, "{method} {path}: {}", body_of(&answer));
        assert!(body_of(&answer).contains("rollouts.json"), "{}", body_of(&answer));
        assert_eq!(operator_decisions(&gateway).await, before, "{method} {path}");
    }
    assert_eq!(policy_of(&gateway, "changing").await, format!("changing@{}", &sha256(2)[..12]));

    // A restart finds what was acknowledged.
    fs::remove_dir(&obstacle).expect("it can be removed");
    gateway.signal("KILL");
    gateway.ended().await;
    let gateway = setup.start().await;
    assert_eq!(operator_decisions(&gateway).await, before);

    // And with room, what was refused is done: here the promotion and its end, a rollback and a release.
    let post = |path: &'static str, body: String| call(&gateway, Method::POST, path, body);
    assert_eq!(post("/admin/routes/changing/promote", "{}".to_owned()).await.status, 200);
    assert_eq!(post("/admin/policies/changing/rollback", "{}".to_owned()).await.status, 200);
    fs::create_dir(&obstacle).expect("a directory in the way");
    let before = operator_decisions(&gateway).await;
    for (path, body) in [
        ("/admin/routes/changing/rollback", "{}".to_owned()),
        ("/admin/policies/changing/release", digest(2)),
    ] {
        let answer = post(path, body).await;
        assert_eq!(answer.status, 503, "{path}: {}", body_of(&answer));
        assert_eq!(operator_decisions(&gateway).await, before, "{path}");
    }
    fs::remove_dir(&obstacle).expect("it can be removed");
    assert_eq!(post("/admin/policies/changing/release", digest(2)).await.status, 200);
}

#[tokio::test]
async fn an_upload_that_cannot_be_stored_is_rejected_and_a_changed_file_is_loaded() {
    let setup = Setup::new().await;
    let gateway = setup.start().await;
    let code = setup.state().join("policies");
    fs::remove_dir_all(&code).expect("it can be removed");
    fs::write(&code, "in the way").expect("a file in its place");
    let answer = upload(&gateway, 2).await;
    assert_eq!(answer.status, 503, "{}", body_of(&answer));
    assert_eq!(policy_of(&gateway, "changing").await, format!("changing@{}", &sha256(1)[..12]));

    setup.policy.rename_over(&version(3));
    gateway
        .logged("the code of this version is not stored and cannot be rolled back to after a restart")
        .await;
    let answer = ask(&gateway, &chat("changing", "hi")).await;
    assert_eq!(answer.header("x-pointsman-route"), Some(&*version_label(3)));
    // When there is room again the code is stored, though the file does not change.
    fs::remove_file(&code).expect("it can be removed");
    fs::create_dir(&code).expect("the directory can be made again");
    let stored = code.join(format!("{}.wasm", sha256(3)));
    while !stored.exists() {
        tokio::task::yield_now().await;
    }
}
