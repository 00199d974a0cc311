//! Rollouts of policy versions: a version that is worse than its predecessor is rolled back and
//! stays rolled back, and decisions of operators are in force and persisted.

use http::Method;
use pointsman_domain::ids::Digest;
use pointsman_guests::{version, version_label, wrong_world};
use pointsman_tests::client::{self, Answer};
use pointsman_tests::{FakeModel, Gateway, Step};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use crate::command_line::{run, texts};
use crate::fleet::{ask, backend, chat, error, model};
use crate::policy_file::PolicyFile;

/// Gateway whose route `main` has a policy in a file.
struct Setup {
    gateway: Gateway,
    policy: PolicyFile,
    _models: [FakeModel; 2],
}

/// Returns a configuration with two models, the second of which always fails; `settings` are the
/// policy's, `more` is TOML below the route.
async fn setup(settings: &str, more: &str) -> Setup {
    let models = [FakeModel::saying("hello").await, FakeModel::always(Step::status(500)).await];
    let policy = PolicyFile::new(&version(1));
    let gateway = Gateway::start(&config(&models, &policy, settings, more)).await;
    Setup { gateway, policy, _models: models }
}

fn config(models: &[FakeModel; 2], policy: &PolicyFile, settings: &str, more: &str) -> String {
    format!(
        "{}{}{}{}[policies.changing]\nlimits.deadline = \"60s\"\nsource = \"{}\"\nsettings = {settings}\n\
         [routes.main]\npolicy = \"changing\"\nmax_attempts = 1\n{more}\n",
        backend("a", &models[0], ""),
        model("a/chat", 1, ""),
        backend("b", &models[1], ""),
        model("b/chat", 2, ""),
        policy.path().display(),
    )
}

impl Setup {
    async fn ask(&self) -> Answer {
        ask(&self.gateway, &chat("main", "hi")).await
    }

    /// Sends requests until this version decides. If it never does, the test fails after a number
    /// of requests.
    async fn wait_until_decided_by(&self, number: u32) {
        let label = version_label(number);
        for _ in 0..2_000 {
            if self.ask().await.header("x-pointsman-route") == Some(&label) {
                return;
            }
        }
        panic!("no request was decided by {label}\n{}", self.policy_status().await);
    }

    async fn reload(&self) -> Answer {
        self.post("/admin/reload", Value::Null).await
    }

    async fn post(&self, path: &str, body: Value) -> Answer {
        client::post(&self.gateway.admin(path), &body).await
    }

    async fn put(&self, path: &str, body: Value) -> Answer {
        client::call(Method::PUT, &self.gateway.admin(path), &[], body.to_string()).await
    }

    async fn upload(&self, bytes: &[u8]) -> Answer {
        let url = self.gateway.admin("/admin/policies/changing/code?why=new+models");
        client::call(Method::PUT, &url, &[("x-pointsman-operator", "alice")], bytes.to_vec()).await
    }

    async fn policy_status(&self) -> Value {
        client::get(&self.gateway.admin("/admin/policies/changing")).await.json()
    }

    /// Returns the actions in the audit log, oldest first, with their actors.
    async fn audit(&self) -> Vec<(String, Value)> {
        let events = client::get(&self.gateway.admin("/admin/audit")).await.json();
        let events = events.as_array().expect("a list of events").iter().rev();
        events
            .map(|event| (event["action"].as_str().expect("an action").to_owned(), event["who"].clone()))
            .collect()
    }
}

fn digest(number: u32) -> String {
    Digest::new(Sha256::digest(version(number)).into()).to_string()
}

#[tokio::test]
async fn a_new_version_that_fails_is_rolled_back_and_held_for_a_while() {
    let setup = setup("{ fails_from = 2 }", "").await;
    setup.wait_until_decided_by(1).await;
    setup.policy.rename_over(&version(2));
    assert_eq!(setup.reload().await.status, 200);
    setup.wait_until_decided_by(1).await;

    let status = setup.policy_status().await;
    assert_eq!(status["active"], digest(1));
    let hold = &status["holds"][0];
    assert_eq!(
        (&hold["digest"], &hold["strikes"], &hold["in_force"]),
        (&json!(digest(2)), &json!(1), &json!(true))
    );
    assert_eq!(hold["until"].as_u64().expect("a time") - hold["since"].as_u64().expect("a time"), 60);
    assert!(hold["why"].as_str().expect("a reason").contains("decisions failed, before it 0.0 %"), "{hold}");

    let again = setup.reload().await;
    assert_eq!(again.status, 422, "the file still has the bad version");
    let error = again.json()["policies"][0]["error"].as_str().expect("an error").to_owned();
    assert!(error.contains("was rolled back") && error.contains("it is tried again in"), "{error}");
    setup.wait_until_decided_by(1).await;
    let metrics = client::get(&setup.gateway.admin("/metrics")).await;
    let metrics = String::from_utf8_lossy(&metrics.body).into_owned();
    let short = &digest(1)[..12];
    for series in [
        format!(r#"pointsman_policy_info{{policy="changing",digest="{short}"}} 1"#),
        r#"pointsman_policy_rollbacks_total{policy="changing",action="rollback",by="gateway"} 1"#.to_owned(),
        r#"pointsman_policy_rollbacks_total{policy="changing",action="rollback",by="admin"} 0"#.to_owned(),
        r#"pointsman_policy_swaps_total{policy="changing"} 2"#.to_owned(),
        r#"pointsman_last_reload_successful 0.0"#.to_owned(),
    ] {
        assert!(metrics.lines().any(|line| line == series), "{series} is not in\n{metrics}");
    }
    // Whoever watches the file may have come to the same end beside the test.
    for series in [
        r#"pointsman_policy_rejected_versions_total{policy="changing"} "#,
        r#"pointsman_reloads_total{result="partial"} "#,
    ] {
        let times = metrics.lines().find_map(|line| line.strip_prefix(series));
        assert!(times.is_some_and(|times| matches!(times, "1" | "2")), "{series}{times:?}");
    }
    let by = |who: &str| json!(who);
    let expected =
        [("load", by("configuration")), ("swap", by("configuration")), ("rollback", by("gateway"))];
    assert_eq!(setup.audit().await, expected.map(|(action, who)| (action.to_owned(), who)));
}

#[tokio::test]
async fn a_version_that_keeps_failing_after_its_hold_is_quarantined() {
    let setup = setup("{ fails_from = 2 }", "[rollback]\nbackoff = \"1s\"\nattempts = 2\n").await;
    setup.wait_until_decided_by(1).await;
    setup.policy.rename_over(&version(2));
    setup.reload().await;
    // It is let in again by itself when its second is over, fails again, and is out for good.
    while setup.policy_status().await["holds"][0]["strikes"] != 2 {
        setup.ask().await;
    }
    let hold = setup.policy_status().await["holds"][0].clone();
    assert_eq!((&hold["in_force"], hold.get("until")), (&json!(true), Some(&Value::Null)));
    let error = setup.reload().await.json()["policies"][0]["error"].as_str().expect("an error").to_owned();
    assert!(
        error.contains("is in quarantine") && error.contains("pointsman policy release changing"),
        "{error}"
    );

    setup.policy.rename_over(&version(1));
    assert_eq!(setup.reload().await.status, 200);
    let digest = digest(2);
    let released = setup.post("/admin/policies/changing/release", json!({ "digest": &digest[..12] })).await;
    assert_eq!(released.status, 200, "{}", released.json());
    assert_eq!(setup.policy_status().await.get("holds"), None);
    setup.policy.rename_over(&version(2));
    assert_eq!(setup.reload().await.status, 200, "a person let it back in");
}

#[tokio::test]
async fn a_new_version_whose_requests_get_no_answer_is_rolled_back() {
    let setup = setup("{ last_from = 2 }", "").await;
    for _ in 0..10 {
        assert_eq!(setup.ask().await.status, 200);
    }
    setup.policy.rename_over(&version(2));
    assert_eq!(setup.reload().await.status, 200);
    setup.wait_until_decided_by(1).await;
    let status = setup.policy_status().await;
    let why = status["holds"][0]["why"].as_str().expect("a reason");
    assert!(why.contains("requests got no answer, before it 0.0 %"), "{why}");
}

#[tokio::test]
async fn nothing_is_rolled_back_if_rollback_is_disabled() {
    let setup = setup("{ fails_from = 2 }", "[rollback]\nenabled = false\n").await;
    setup.policy.rename_over(&version(2));
    assert_eq!(setup.reload().await.status, 200);
    for _ in 0..20 {
        assert_eq!(setup.ask().await.header("x-pointsman-policy-failure"), Some("internal"));
    }
    assert_eq!(setup.policy_status().await["active"], digest(2));
}

#[tokio::test]
async fn a_manual_rollback_is_not_reverted_by_the_file() {
    let setup = setup("{}", "").await;
    let none = setup.post("/admin/policies/changing/rollback", json!({})).await;
    assert!(error(&none, 409, "conflict").contains("there is no other version"));
    setup.policy.rename_over(&version(2));
    setup.reload().await;
    setup.wait_until_decided_by(2).await;
    let back = setup.post("/admin/policies/changing/rollback", json!({ "why": "too dear" })).await;
    assert_eq!((back.status.as_u16(), &back.json()["digest"]), (200, &json!(digest(1))));
    setup.wait_until_decided_by(1).await;
    assert_eq!(setup.reload().await.status, 422);
    setup.wait_until_decided_by(1).await;
    let hold = setup.policy_status().await["holds"][0].clone();
    assert_eq!(hold["why"], "rolled back by hand: too dear");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rollback_does_not_wait_for_a_policy_that_is_being_fetched() {
    let setup = setup("{}", "").await;
    setup.policy.rename_over(&version(2));
    setup.reload().await;
    setup.wait_until_decided_by(2).await;

    let nowhere = FakeModel::always(Step::hang()).await;
    let config = std::fs::read_to_string(setup.gateway.config()).expect("the config");
    let slow = format!(
        "[policies.slow]\nlimits.deadline = \"60s\"\nsource = \"{}/slow.wasm\"\nsha256 = \"{}\"\n",
        nowhere.base_url(),
        digest(9)
    );
    std::fs::write(setup.gateway.config(), config + &slow).expect("the config");
    let url = setup.gateway.admin("/admin/reload");
    let reload = tokio::spawn(async move { client::post(&url, &Value::Null).await.status });
    while nowhere.requests().is_empty() {
        tokio::task::yield_now().await;
    }
    let back = setup.post("/admin/policies/changing/rollback", json!({})).await;
    assert_eq!(back.status, 200, "{}", back.json());
    setup.wait_until_decided_by(1).await;
    assert!(!reload.is_finished(), "the reload still waits");
}

#[tokio::test]
async fn a_pinned_version_stays_although_the_source_changes() {
    let setup = setup("{ fails_from = 2 }", "").await;
    setup.policy.rename_over(&version(2));
    setup.reload().await;
    // Whether the guard was quicker or not, version 1 is there to be pinned.
    let pinned = setup.put("/admin/policies/changing/pin", json!({ "digest": digest(1) })).await;
    assert_eq!(pinned.status, 200, "{}", pinned.json());
    setup.wait_until_decided_by(1).await;
    setup.policy.rename_over(&version(3));
    assert_eq!(setup.reload().await.status, 200);
    setup.wait_until_decided_by(1).await;
    assert_eq!(setup.policy_status().await["chosen"]["how"], "pinned");

    let unknown = setup.put("/admin/policies/changing/pin", json!({ "digest": "123456789" })).await;
    assert!(error(&unknown, 404, "not_found").contains("there is no stored version"));
    let short = setup.put("/admin/policies/changing/pin", json!({ "digest": "12" })).await;
    assert!(error(&short, 422, "rejected").contains("at least 6 hex digits"));

    let url = setup.gateway.admin("/admin/policies/changing/pin");
    assert_eq!(client::call(Method::DELETE, &url, &[], "").await.status, 200);
    assert_eq!(setup.policy_status().await["active"], digest(3));
    let again = client::call(Method::DELETE, &url, &[], "").await;
    assert!(error(&again, 409, "conflict").contains("its source says which one serves"));
}

#[tokio::test]
async fn an_uploaded_version_replaces_the_source_and_is_monitored() {
    let setup = setup("{ fails_from = 3 }", "").await;
    let uploaded = setup.upload(&version(2)).await;
    assert_eq!((uploaded.status.as_u16(), &uploaded.json()["digest"]), (200, &json!(digest(2))));
    setup.wait_until_decided_by(2).await;
    assert_eq!(setup.reload().await.status, 200);
    setup.wait_until_decided_by(2).await;
    let log = client::get(&setup.gateway.admin("/admin/audit?limit=1")).await.json();
    assert_eq!((&log[0]["who"], &log[0]["why"]), (&json!({ "admin": "alice" }), &json!("new models")));

    assert_eq!(setup.upload(&version(3)).await.status, 200);
    setup.wait_until_decided_by(2).await;
    assert_eq!(setup.policy_status().await["chosen"]["digest"], digest(2), "the upload before it is back");
    let held = setup.upload(&version(3)).await;
    assert!(error(&held, 409, "conflict").contains("is on hold"));
}

#[tokio::test]
async fn an_invalid_upload_changes_nothing() {
    let setup = setup("{}\nlimits.component = \"1 MiB\"", "").await;
    let wrong = setup.upload(&wrong_world()).await;
    assert!(error(&wrong, 422, "rejected").contains("so it is no policy"));
    let garbage = setup.upload(b"not WebAssembly at all").await;
    assert!(error(&garbage, 422, "rejected").contains("not a WebAssembly"));
    let large = setup.upload(&vec![0; (1 << 20) + 1]).await;
    assert!(error(&large, 413, "request_too_large").contains("limit of 1048576 bytes"));
    let url = setup.gateway.admin("/admin/policies/nobody/code");
    let unknown = client::call(Method::PUT, &url, &[], version(2)).await;
    assert!(error(&unknown, 404, "not_found").contains("there is no policy `nobody`"));
    let same = setup.upload(&version(1)).await;
    assert!(error(&same, 409, "conflict").contains("serves already"));
    setup.wait_until_decided_by(1).await;
    assert_eq!(setup.audit().await.len(), 1, "nothing but the start");
}

#[tokio::test]
async fn operator_decisions_survive_a_restart() {
    let models = [FakeModel::saying("hello").await, FakeModel::saying("hello").await];
    let policy = PolicyFile::new(&version(1));
    let state = policy.path().with_file_name("state");
    let config =
        config(&models, &policy, "{ fails_from = 3 }", &format!("[state]\ndir = \"{}\"\n", state.display()));
    let start = async |policy: PolicyFile, models: [FakeModel; 2]| {
        let gateway = Gateway::start(&config).await;
        Setup { gateway, policy, _models: models }
    };
    let first = start(policy, models).await;
    first.policy.rename_over(&version(2));
    first.reload().await;
    first.policy.rename_over(&version(3));
    first.reload().await;
    first.wait_until_decided_by(2).await;
    let Setup { gateway, policy, _models: models } = first;
    gateway.stop().await;

    // The file has a version on hold; what served last serves, though nothing but the state has it.
    let second = start(policy, models).await;
    second.wait_until_decided_by(2).await;
    let status = second.policy_status().await;
    assert!(status["rejected"]["error"].as_str().expect("an error").contains("was rolled back"), "{status}");
    let actions: Vec<String> = second.audit().await.into_iter().map(|(action, _)| action).collect();
    assert_eq!(actions, ["load", "swap", "swap", "rollback"]);

    // A file that is no policy any more: the same.
    second.policy.rename_over(b"broken");
    let Setup { gateway, policy, _models: models } = second;
    gateway.stop().await;
    let third = start(policy, models).await;
    third.wait_until_decided_by(2).await;

    // An upload outlives the process too, and so does the version before it.
    assert_eq!(third.upload(&version(1)).await.status, 200);
    let Setup { gateway, policy, _models: models } = third;
    gateway.stop().await;
    let fourth = start(policy, models).await;
    fourth.wait_until_decided_by(1).await;
    assert_eq!(fourth.policy_status().await["previous"], digest(2));
    let back = fourth.post("/admin/policies/changing/rollback", json!({})).await;
    assert_eq!(back.json()["digest"], digest(2), "{}", back.json());
}

#[test]
fn an_unreadable_state_is_reported_before_anything_starts() {
    let directory = PolicyFile::new(&version(1));
    let state = directory.path().with_file_name("state");
    std::fs::create_dir_all(&state).expect("a directory");
    std::fs::write(state.join("rollouts.json"), "{ not JSON").expect("a file");
    let config = format!(
        "[backends.sim]\nkind = \"simulated\"\n[models.\"sim/a\"]\ninput_price = 1\noutput_price = 1\n\
         [state]\ndir = \"{}\"\n[admin]\nlisten = \"127.0.0.1:0\"\n",
        state.display()
    );
    let path = directory.path().with_file_name("pointsman.toml");
    std::fs::write(&path, config).expect("a file");
    let output = run(&["serve", "--config", &path.display().to_string(), "--listen", "127.0.0.1:0"]);
    let (_, error) = texts(&output);
    assert!(error.contains("rollouts.json") && error.contains("move the file away"), "{error}");
}

#[tokio::test]
async fn an_invalid_operator_request_is_answered_with_the_expected_form() {
    let setup = setup("{}", "").await;
    let body = setup.put("/admin/policies/changing/pin", json!({ "version": 3 })).await;
    assert!(error(&body, 400, "invalid_body").contains("unknown field `version`"));
    let why = setup.post("/admin/policies/changing/rollback", json!({ "why": "\u{1b}[2J" })).await;
    assert!(error(&why, 400, "invalid_body").contains("printable"));
    let url = setup.gateway.admin("/admin/policies/changing/rollback");
    let long = "x".repeat(65);
    let name = client::call(Method::POST, &url, &[("x-pointsman-operator", &long)], "{}").await;
    assert!(error(&name, 400, "invalid_header").contains("x-pointsman-operator"));
    error(&setup.post("/admin/policies/nobody/rollback", json!({})).await, 404, "not_found");
    error(&client::get(&setup.gateway.admin("/admin/policies/nobody")).await, 404, "not_found");
}
