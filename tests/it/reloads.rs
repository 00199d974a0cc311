//! Changes on disk: they take effect while the gateway runs, and invalid ones change nothing.

use std::fs::{self, File};
use std::io::Write;
use std::os::unix::fs::symlink;
use std::process::Command;

use http::StatusCode;
use pointsman_guests::{READER, unknown_import, version, version_label, wrong_world};
use pointsman_tests::client::{self, Answer};
use pointsman_tests::{FakeModel, Gateway};
use serde_json::{Value, json};

use crate::fleet::{self, chat, model};
use crate::policy_file::PolicyFile;

/// Gateway whose route `main` has a policy in a file.
struct Setup {
    gateway: Gateway,
    policy: PolicyFile,
    model: FakeModel,
}

async fn setup() -> Setup {
    let (model, policy) = (FakeModel::saying("hello there").await, PolicyFile::new(&version(1)));
    let gateway = Gateway::start(&config(&model, &policy.path().display().to_string(), "main")).await;
    Setup { gateway, policy, model }
}

fn config(model: &FakeModel, source: &str, route: &str) -> String {
    format!(
        r#"
        [backends.fake]
        base_url = "{}"
        [models."fake/one"]
        input_price = 1
        output_price = 2
        [policies.changing]
        limits.deadline = "60s"
        source = "{source}"
        [routes.{route}]
        policy = "changing"
        "#,
        model.base_url(),
    )
}

impl Setup {
    async fn ask(&self, route: &str) -> Answer {
        let body = json!({ "model": route, "messages": [{ "role": "user", "content": "hi" }] });
        client::post(&self.gateway.url("/v1/chat/completions"), &body).await
    }

    /// Fails unless this version decides at route `main`.
    async fn assert_decided_by(&self, number: u32) {
        let answer = self.ask("main").await;
        assert_eq!(answer.status, 200);
        assert_eq!(answer.header("x-pointsman-route"), Some(&*version_label(number)));
    }

    async fn reload(&self) -> Answer {
        client::post(&self.gateway.admin("/admin/reload"), &Value::Null).await
    }

    /// Waits until a swap to this version was logged.
    async fn wait_for_swap(&self, digest_of: &[u8]) {
        self.gateway.logged(&format!(r#""to":"{}""#, sha256(digest_of))).await;
    }

    /// Returns the policy from the status.
    async fn status(&self) -> Value {
        client::get(&self.gateway.admin("/admin/policies")).await.json()["policies"][0].clone()
    }

    /// Replaces the policy by bytes that must be rejected.
    async fn assert_rejected(&self, bytes: &[u8], why: &str) {
        self.policy.rename_over(bytes);
        let answer = self.reload().await;
        assert_eq!(answer.status, 422);
        let report = answer.json();
        let error = report["policies"][0]["error"].as_str().expect("the report says why");
        assert!(error.contains(why), "{error}");
        assert_eq!(report["policies"][0]["change"], "rejected");
        self.assert_decided_by(1).await;
        let status = self.status().await;
        assert_eq!(status["rejected"]["error"], error);
        assert_eq!(status["rejected"]["digest"], sha256(bytes));
        assert_eq!(status["active"], sha256(&version(1)));
    }
}

fn sha256(bytes: &[u8]) -> String {
    use sha2::{Digest, Sha256};
    Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}

#[tokio::test]
async fn a_renamed_file_takes_over() {
    let setup = setup().await;
    setup.assert_decided_by(1).await;
    setup.policy.rename_over(&version(2));
    setup.wait_for_swap(&version(2)).await;
    setup.assert_decided_by(2).await;
    setup.policy.rename_over(&version(3));
    setup.wait_for_swap(&version(3)).await;
    setup.assert_decided_by(3).await;
}

#[tokio::test]
async fn a_file_written_in_pieces_takes_over_when_it_is_whole() {
    let setup = setup().await;
    let bytes = version(2);
    let mut file = File::create(setup.policy.path()).expect("the file can be opened");
    for piece in bytes.chunks(bytes.len().div_ceil(7)) {
        file.write_all(piece).expect("the file can be written");
        file.sync_all().expect("the file can be synced");
    }
    drop(file);
    setup.wait_for_swap(&bytes).await;
    setup.assert_decided_by(2).await;
}

#[tokio::test]
async fn a_symlink_swap_as_in_a_config_map_takes_over() {
    let model = FakeModel::saying("hello there").await;
    // Its directory serves as the mount; the policy itself is not used.
    let policy = PolicyFile::new(b"");
    let mount = policy.path().parent().expect("a directory").to_owned();
    let publish = |number: u32| {
        let data = mount.join(format!("..data-{number}"));
        fs::create_dir(&data).expect("a directory for the data");
        fs::write(data.join("main.wasm"), version(number)).expect("the policy can be written");
        symlink(&data, mount.join("..incoming")).expect("a link");
        fs::rename(mount.join("..incoming"), mount.join("..data")).expect("the link can be renamed");
    };
    publish(1);
    symlink("..data/main.wasm", mount.join("main.wasm")).expect("a link");
    let source = mount.join("main.wasm").display().to_string();
    let gateway = Gateway::start(&config(&model, &source, "main")).await;
    let setup = Setup { gateway, policy, model };
    setup.assert_decided_by(1).await;

    publish(2);
    fs::remove_dir_all(mount.join("..data-1")).expect("the old data can be removed");
    setup.wait_for_swap(&version(2)).await;
    setup.assert_decided_by(2).await;
}

#[tokio::test]
async fn a_file_that_is_deleted_and_made_again_takes_over() {
    let setup = setup().await;
    fs::remove_file(setup.policy.path()).expect("the file can be removed");
    let report = setup.reload().await;
    assert_eq!(report.status, 422);
    setup.assert_decided_by(1).await;

    fs::write(setup.policy.path(), version(2)).expect("the file can be written");
    setup.wait_for_swap(&version(2)).await;
    setup.assert_decided_by(2).await;
}

#[tokio::test]
async fn an_invalid_policy_is_rejected_and_the_old_version_continues() {
    let setup = setup().await;
    setup.assert_rejected(b"not even WebAssembly", "not a WebAssembly component").await;
    setup.assert_rejected(&version(2)[..5_000], "not a WebAssembly component").await;
    setup.assert_rejected(&wrong_world(), "exports neither").await;
    setup
        .assert_rejected(
            &unknown_import(),
            "imports `acme:bank/teller@1.0.0`, which Pointsman does not offer",
        )
        .await;
    setup.assert_rejected(READER, r#"which it is not granted; to grant it: grants = ["prompt"]"#).await;
    setup.gateway.logged("a version of the policy was rejected, the previous one keeps serving").await;
    // The log shows the entry of the configuration.
    setup.gateway.logged(" source = ").await;
    setup.gateway.logged("/pointsman.toml:").await;
    setup.gateway.logged("error: cannot load the policy `changing` from ").await;

    setup.policy.rename_over(&version(2));
    assert_eq!(setup.reload().await.status, 200);
    setup.assert_decided_by(2).await;
    assert_eq!(setup.status().await["rejected"], Value::Null);
}

#[tokio::test]
async fn an_upgrade_that_needs_more_grants_waits_for_them() {
    let setup = setup().await;
    setup.assert_decided_by(1).await;
    setup
        .assert_rejected(
            READER,
            "the policy imports `pointsman:policy/prompt@0.1.0`, which it is not granted; \
             to grant it: grants = [\"prompt\"]",
        )
        .await;

    let source = setup.policy.path().display().to_string();
    let granted = config(&setup.model, &source, "main")
        .replace("[policies.changing]", "[policies.changing]\ngrants = [\"prompt\"]");
    fs::write(setup.gateway.config(), granted).expect("the config can be written");
    assert_eq!(setup.reload().await.status, 200);
    let answer = setup.ask("main").await;
    assert_eq!(answer.status, 200);
    assert_eq!(answer.header("x-pointsman-route"), Some("reader"));
    let status = setup.status().await;
    assert_eq!((&status["active"], &status["rejected"]), (&json!(sha256(READER)), &Value::Null));
}

#[tokio::test]
async fn a_changed_configuration_takes_effect_automatically_and_by_signal() {
    let setup = setup().await;
    let source = setup.policy.path().display().to_string();
    let rewrite = |route: &str| {
        fs::write(setup.gateway.config(), config(&setup.model, &source, route))
            .expect("the config can be written");
    };
    rewrite("renamed");
    setup.gateway.logged(r#""message":"reloaded","cause":"file""#).await;
    assert_eq!(setup.ask("renamed").await.status, 200);
    assert_eq!(setup.ask("main").await.status, 404);

    setup.gateway.signal("HUP");
    setup.gateway.logged(r#""message":"reloaded","cause":"signal""#).await;
    assert_eq!(setup.ask("renamed").await.status, 200);
}

#[tokio::test]
async fn an_invalid_configuration_changes_nothing_and_valid_policies_are_loaded() {
    let setup = setup().await;
    fs::write(setup.gateway.config(), "[routes.main]\npolicy = \"nobody\"\n")
        .expect("the config can be written");
    setup.policy.rename_over(&version(2));
    let answer = setup.reload().await;
    assert_eq!(answer.status, 422);
    let report = answer.json();
    let error = report["config"]["rejected"].as_str().expect("the report says why");
    assert!(error.contains("unknown policy `nobody`") && error.contains(":2:"), "{error}");
    setup.assert_decided_by(2).await;
    setup.gateway.logged("the configuration was rejected, the previous one stays in force").await;
}

#[tokio::test]
async fn a_configuration_with_a_policy_that_fails_to_load_is_rejected_entirely() {
    let setup = setup().await;
    let broken = PolicyFile::new(b"broken");
    let source = setup.policy.path().display().to_string();
    let text = format!(
        "{}\n[policies.broken]\nlimits.deadline = \"60s\"\nsource = \"{}\"\n[routes.more]\npolicy = \"changing\"\n",
        config(&setup.model, &source, "renamed"),
        broken.path().display()
    );
    fs::write(setup.gateway.config(), text).expect("the config can be written");
    let answer = setup.reload().await;
    assert_eq!(answer.status, 422);
    let report = answer.json();
    assert!(
        report["config"]["rejected"]
            .as_str()
            .is_some_and(|why| why.contains("cannot load the policy `broken`"))
    );
    setup.assert_decided_by(1).await;
    assert_eq!(setup.ask("renamed").await.status, 404);
}

#[tokio::test]
async fn a_reload_without_file_descriptors_is_retried_without_another_event() {
    let setup = setup().await;
    let limit = |count: &str| {
        let pid = setup.gateway.process().to_string();
        let set = Command::new("prlimit").args(["--pid", &pid, &format!("--nofile={count}:1024")]).status();
        assert!(set.expect("prlimit can be run").success());
    };
    // Fewer than are open, so that no file can be opened.
    limit("3");
    let source = setup.policy.path().display().to_string();
    let renamed = setup.gateway.config().with_extension("next");
    fs::write(&renamed, config(&setup.model, &source, "renamed")).expect("the config can be written");
    setup.policy.rename_over(&version(2));
    fs::rename(&renamed, setup.gateway.config()).expect("the config can be renamed");
    setup.gateway.logged("Too many open files").await;
    limit("1024");
    setup.gateway.logged(r#""message":"reloaded","cause":"retry""#).await;
    let answer = setup.ask("renamed").await;
    assert_eq!(answer.header("x-pointsman-route"), Some(&*version_label(2)));
}

#[tokio::test]
async fn a_configuration_is_not_read_before_its_writer_closes_it() {
    let setup = setup().await;
    let source = setup.policy.path().display().to_string();
    let text = config(&setup.model, &source, "renamed");
    let (half, rest) = text.split_at(text.find("[routes").expect("a route"));
    let mut file = File::create(setup.gateway.config()).expect("the file can be opened");
    file.write_all(half.as_bytes()).expect("the file can be written");
    // Valid as it is, and without the route.
    let answer = setup.reload().await;
    assert_eq!(answer.status, 422);
    let report = answer.json();
    let rejected = report["config"]["rejected"].as_str().expect("the report says why");
    assert!(rejected.contains("is still being written"), "{rejected}");
    assert_eq!(setup.ask("main").await.status, 200);

    file.write_all(rest.as_bytes()).expect("the file can be written");
    drop(file);
    setup.gateway.logged(r#""message":"reloaded","cause":"file""#).await;
    assert_eq!(setup.ask("renamed").await.status, 200);
}

#[tokio::test]
async fn a_key_in_a_file_is_reloaded_when_the_file_changes() {
    let fake = FakeModel::saying("hello").await;
    let keys = PolicyFile::new(b"first-key\n");
    let config = format!(
        "{}{}[policies.cost]\nsource = \"builtin:cost\"\n[routes.main]\npolicy = \"cost\"\n",
        fleet::backend("a", &fake, &format!("api_key_file = \"{}\"\n", keys.path().display())),
        model("a/chat", 1, ""),
    );
    let gateway = Gateway::start(&config).await;
    let key = async |count: usize| {
        fleet::ask(&gateway, &chat("main", "hi")).await;
        let request = fake.request(count).await;
        request.headers["authorization"].to_str().expect("text").to_owned()
    };
    assert_eq!(key(1).await, "Bearer first-key");
    keys.rename_over(b"second-key\n");
    gateway.logged(r#""message":"reloaded","cause":"file""#).await;
    assert_eq!(key(2).await, "Bearer second-key");
    assert_eq!(fake.connections(), 1, "another key is not another backend");
}

#[tokio::test]
async fn an_admin_token_in_a_file_is_reloaded_and_never_removed() {
    let fake = FakeModel::saying("hello").await;
    let tokens = PolicyFile::new(b"first-token");
    let config = |admin: &str| format!("{}{admin}", fleet::in_order(&[&fake], ""));
    let with_token = format!("[admin]\ntoken_file = \"{}\"\n", tokens.path().display());
    let gateway = Gateway::start(&config(&with_token)).await;
    let status = async |token: &str| {
        let header = format!("Bearer {token}");
        client::get_with(&gateway.admin("/admin/models"), &[("authorization", &header)]).await.status
    };
    assert_eq!(
        (status("first-token").await, status("second-token").await),
        (StatusCode::OK, StatusCode::UNAUTHORIZED)
    );
    tokens.rename_over(b"second-token");
    gateway.logged(r#""message":"reloaded","cause":"file""#).await;
    assert_eq!(
        (status("first-token").await, status("second-token").await),
        (StatusCode::UNAUTHORIZED, StatusCode::OK)
    );
    fs::write(gateway.config(), config("")).expect("the config can be written");
    gateway.signal("HUP");
    gateway.logged(r#""message":"reloaded","cause":"signal""#).await;
    assert_eq!(client::get(&gateway.admin("/admin/models")).await.status, 401);
}

#[tokio::test]
async fn a_key_file_that_appears_after_its_configuration_is_noticed() {
    let fake = FakeModel::saying("hello").await;
    let keys = PolicyFile::new(b"");
    let missing = keys.path().with_file_name("key");
    let gateway = Gateway::start(&fleet::in_order(&[&fake], "")).await;
    let config = format!(
        "{}{}[policies.cost]\nsource = \"builtin:cost\"\n[routes.main]\npolicy = \"cost\"\n",
        fleet::backend("a", &fake, &format!("api_key_file = \"{}\"\n", missing.display())),
        model("a/chat", 1, ""),
    );
    fs::write(gateway.config(), config).expect("the config can be written");
    gateway.logged("the configuration was rejected").await;
    fs::write(&missing, "late-key").expect("the key can be written");
    gateway.logged(r#""message":"reloaded","cause":"file""#).await;
    fleet::ask(&gateway, &chat("main", "hi")).await;
    assert_eq!(fake.request(1).await.headers["authorization"], "Bearer late-key");
}
