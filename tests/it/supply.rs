//! Policies from a registry, a web server or a directory.

use std::fs;
use std::path::PathBuf;

use pointsman_guests::{READER, version, version_label};
use pointsman_tests::client::{self, Answer};
use pointsman_tests::registry::sha256;
use pointsman_tests::{FakeModel, Gateway, Proxy, Registry, Step};
use serde_json::Value;

use crate::command_line::{check, run, texts};
use crate::fleet::{ask, backend, chat, model};
use crate::policy_file::PolicyFile;

/// Returns a configuration with a route `main` of the policy `remote`.
fn config(upstream: &FakeModel, policy: &str) -> String {
    let fleet = backend("fake", upstream, "") + &model("fake/one", 1, "");
    format!("{policy}\n{fleet}\n[routes.main]\npolicy = \"remote\"\n")
}

fn remote(source: &str, more: &str) -> String {
    format!("[policies.remote]\nlimits.deadline = \"60s\"\nsource = \"{source}\"\n{more}\n")
}

async fn assert_decided_by(gateway: &Gateway, number: u32) {
    let answer = ask(gateway, &chat("main", "hi")).await;
    assert_eq!(answer.header("x-pointsman-route"), Some(&*version_label(number)));
}

async fn reload(gateway: &Gateway) -> Answer {
    client::post(&gateway.admin("/admin/reload"), &Value::Null).await
}

async fn policies(gateway: &Gateway) -> Vec<Value> {
    let json = client::get(&gateway.admin("/admin/policies")).await.json();
    json["policies"].as_array().expect("a list").clone()
}

#[tokio::test]
async fn a_moved_tag_is_loaded_by_poll_and_by_reload() {
    let Some(registry) = Registry::start() else { return };
    let upstream = FakeModel::saying("hello").await;
    registry.push("router", "stable", &version(1)).await;
    let source = registry.source("router", ":stable");
    let gateway = Gateway::start(&config(&upstream, &remote(&source, "poll = \"100ms\""))).await;
    assert_decided_by(&gateway, 1).await;
    assert_eq!(policies(&gateway).await[0]["source"], source);

    registry.push("router", "stable", &version(2)).await;
    gateway.logged(&format!(r#""to":"{}""#, sha256(&version(2)))).await;
    assert_decided_by(&gateway, 2).await;

    registry.push("router", "stable", &version(3)).await;
    assert_eq!(reload(&gateway).await.status, 200);
    assert_decided_by(&gateway, 3).await;
}

#[tokio::test]
async fn an_unavailable_registry_keeps_the_serving_version() {
    let Some(mut registry) = Registry::start() else { return };
    let upstream = FakeModel::saying("hello").await;
    registry.push("router", "stable", &version(1)).await;
    let policy = remote(&registry.source("router", ":stable"), "");
    let gateway = Gateway::start(&config(&upstream, &policy)).await;
    registry.stop();

    let answer = reload(&gateway).await;
    assert_eq!(answer.status, 422);
    let error = answer.json()["policies"][0]["error"].as_str().expect("the report says why").to_owned();
    assert!(error.contains(registry.authority()), "{error}");
    assert_eq!(policies(&gateway).await[0]["rejected"]["error"], error);
    assert_decided_by(&gateway, 1).await;

    // What is set anew does not wait for the registry.
    let changed = config(&upstream, &format!("{policy}limits.memory = \"8 MiB\"\n"));
    fs::write(gateway.config(), changed).expect("the config can be written");
    let report = reload(&gateway).await.json();
    assert_eq!(
        (&report["config"], &report["policies"][0]["change"]),
        (&"applied".into(), &"rejected".into())
    );
    assert!(report["policies"][0]["error"].is_string(), "{report}");
    assert_decided_by(&gateway, 1).await;

    // A policy without any version is another matter.
    let (output, errors) = texts(&check(&config(&upstream, &policy)));
    assert!(
        output.is_empty() && errors.contains("error: cannot load the policy `remote` from oci://"),
        "{errors}"
    );
}

/// Starts a web server with the first version, and returns it with the address of that version,
/// and a file with the server's certificate authority in a directory of its own.
async fn web_server() -> (FakeModel, String, PathBuf) {
    let web = FakeModel::builder().tls().otherwise(|_| Step::bytes("application/wasm", version(1)));
    let web = web.start().await;
    let authorities = new_directory().join("ca.pem");
    fs::write(&authorities, web.ca_pem().expect("it speaks TLS")).expect("a file");
    let source = format!("https://{}/router.wasm", web.authority());
    (web, source, authorities)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_policy_comes_from_a_web_server_by_its_digest() {
    let upstream = FakeModel::saying("hello").await;
    let (web, source, authorities) = web_server().await;
    let of = |bytes: &[u8]| {
        let more = format!("sha256 = \"{}\"\nca_file = \"{}\"", sha256(bytes), authorities.display());
        config(&upstream, &remote(&source, &more))
    };
    let gateway = Gateway::start(&of(&version(1))).await;
    assert_decided_by(&gateway, 1).await;
    assert_eq!(reload(&gateway).await.status, 200);
    assert_eq!(web.requests().len(), 1);

    let (_, errors) = texts(&check(&of(&version(2))));
    assert!(errors.contains("as expected: it was replaced"), "{errors}");
    fs::remove_dir_all(authorities.with_file_name("")).expect("the directory can be removed");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_policy_is_fetched_through_the_proxy_of_the_environment() {
    let (upstream, proxy) = (FakeModel::saying("hello").await, Proxy::start().await);
    let (web, source, authorities) = web_server().await;
    let more = format!("sha256 = \"{}\"\nca_file = \"{}\"", sha256(&version(1)), authorities.display());
    let config = config(&upstream, &remote(&source, &more));
    let gateway = Gateway::start_with(&config, &[("HTTPS_PROXY", &proxy.url("http"))]).await;
    assert_decided_by(&gateway, 1).await;
    let heads = proxy.requests();
    assert!(heads.len() == 1 && heads[0].starts_with(&format!("CONNECT {} ", web.authority())), "{heads:?}");
    fs::remove_dir_all(authorities.with_file_name("")).expect("the directory can be removed");
}

#[tokio::test]
async fn an_unsigned_policy_is_rejected_if_a_signature_is_required() {
    let upstream = FakeModel::saying("hello").await;
    let directory = new_directory();
    let file = directory.join("router.wasm");
    fs::write(&file, version(1)).expect("the policy can be written");
    let key = "public_key = \"RWTPB4lzeaywJoUV2O+86FQY6PVFm0nZJJwJ1IQdgCDrTK3N43CFMFUB\"";
    let checked = check(&config(&upstream, &remote(&file.display().to_string(), key)));
    let (output, errors) = texts(&checked);
    assert_eq!((checked.status.code(), &*output), (Some(2), ""));
    assert!(errors.contains("there is no signature, but one is required"), "{errors}");
    fs::remove_dir_all(directory).expect("the directory can be removed");
}

#[tokio::test]
async fn a_file_dropped_into_the_policy_directory_is_a_policy() {
    let upstream = FakeModel::saying("hello").await;
    let directory = new_directory();
    fs::write(directory.join("remote.wasm"), version(1)).expect("the policy can be written");
    let text = config(&upstream, &format!("policy_dir = \"{}\"", directory.display()));
    let gateway = Gateway::start(&text).await;
    assert_decided_by(&gateway, 1).await;

    fs::write(directory.join("incoming"), version(2)).expect("the policy can be written");
    fs::rename(directory.join("incoming"), directory.join("more.wasm")).expect("it can be renamed");
    fs::write(directory.join("no name.wasm"), version(3)).expect("the policy can be written");
    gateway.logged(r#""message":"policy loaded","policy":"more""#).await;
    gateway.logged("no name.wasm is not loaded because of its name").await;
    let listed = policies(&gateway).await;
    let names: Vec<_> = listed.iter().map(|policy| policy["name"].as_str()).collect();
    assert_eq!(names, [Some("more"), Some("remote")]);
    assert_eq!(listed[0]["grants"], serde_json::json!([]));

    // It is no more trusted than any other.
    fs::write(directory.join("reader.wasm"), READER).expect("the policy can be written");
    let error = reload(&gateway).await.json()["config"]["rejected"].to_string();
    assert!(error.contains("which it is not granted"), "{error}");
    fs::remove_file(directory.join("reader.wasm")).expect("it can be removed");
    fs::remove_file(directory.join("more.wasm")).expect("it can be removed");
    assert_eq!(reload(&gateway).await.status, 200);
    assert_eq!(policies(&gateway).await.len(), 1);
    fs::remove_dir_all(directory).expect("the directory can be removed");
}

/// Returns a new directory for one test.
fn new_directory() -> std::path::PathBuf {
    use std::sync::atomic::{AtomicU32, Ordering};
    static COUNT: AtomicU32 = AtomicU32::new(0);
    let name = format!("supply-{}-{}", std::process::id(), COUNT.fetch_add(1, Ordering::Relaxed));
    let directory = std::path::Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    fs::create_dir_all(&directory).expect("a directory for the test");
    directory
}

#[tokio::test(flavor = "multi_thread")]
async fn an_upload_to_a_policy_with_a_public_key_needs_a_signature() {
    let key = minisign::KeyPair::generate_unencrypted_keypair().expect("a key");
    let sign = |bytes: &[u8]| {
        let signature = minisign::sign(None, &key.sk, std::io::Cursor::new(bytes), None, None);
        signature.expect("a signature").into_string()
    };
    let file = PolicyFile::new(&version(1));
    let write = |name: &str, bytes: &[u8]| {
        let path = file.path().with_file_name(name);
        fs::write(&path, bytes).expect("a file");
        path.display().to_string()
    };
    write("policy.wasm.minisig", sign(&version(1)).as_bytes());
    let upstream = FakeModel::saying("hello").await;
    let more = format!("public_key = \"{}\"\n", key.pk.to_base64());
    let policy = remote(&file.path().display().to_string(), &more);
    let gateway = Gateway::start(&config(&upstream, &policy)).await;
    assert_decided_by(&gateway, 1).await;

    let upload = |arguments: &[&str]| {
        let admin = ["--admin", &gateway.admin_url];
        let output = run(&[&["policy", "upload", "remote"], arguments, &admin[..]].concat());
        let (_, error) = texts(&output);
        (output.status.code(), error)
    };
    let two = write("two.wasm", &version(2));
    let (status, error) = upload(&[&two]);
    assert_eq!(status, Some(1));
    assert!(error.contains("an upload has to be signed"), "{error}");
    let other = write("other.minisig", sign(&version(3)).as_bytes());
    let (status, error) = upload(&[&two, "--signature", &other]);
    assert_eq!(status, Some(1));
    assert!(error.contains("the signature does not match the bytes"), "{error}");
    assert_decided_by(&gateway, 1).await;
    write("two.wasm.minisig", sign(&version(2)).as_bytes());
    assert_eq!(upload(&[&two]).0, Some(0));
    assert_decided_by(&gateway, 2).await;
}
