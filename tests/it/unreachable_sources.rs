//! Policies whose source is unreachable at the start: the others serve, and these do once the
//! source is back.

use std::fs;

use pointsman_guests::{version, version_label};
use pointsman_tests::client::{self, get};
use pointsman_tests::registry::sha256;
use pointsman_tests::{FakeModel, Gate, Gateway, Registry, Step};
use serde_json::Value;

use crate::command_line::{check, run, texts};
use crate::fleet::{ask, backend, built_in, chat, error, model};

/// Web server with a policy, at an address where nobody listens yet.
async fn server_that_is_down() -> FakeModel {
    let web = FakeModel::builder().otherwise(|_| Step::bytes("application/wasm", version(1)));
    let mut web = web.start().await;
    web.go_down().await;
    web
}

/// Returns the table of the policy `remote` on a web server; `more` goes below it.
fn remote(web: &FakeModel, more: &str) -> String {
    let digest = sha256(&version(1));
    format!(
        "[policies.remote]\nlimits.deadline = \"60s\"\nsource = \"http://{}/router.wasm\"\nsha256 = \"{digest}\"\n{more}",
        web.authority()
    )
}

/// Returns the configuration of one model, and of a policy that is always available.
fn fleet(upstream: &FakeModel) -> String {
    backend("fake", upstream, "") + &model("fake/one", 1, "") + &built_in("cost", "")
}

async fn policy(gateway: &Gateway, name: &str) -> Value {
    get(&gateway.admin(&format!("/admin/policies/{name}"))).await.json()
}

async fn assert_decided_by_remote(gateway: &Gateway, route: &str) {
    let answer = ask(gateway, &chat(route, "hi")).await;
    assert_eq!(answer.header("x-pointsman-route"), Some(&*version_label(1)), "{route}");
    assert_eq!(answer.header("x-pointsman-policy-failure"), None, "{route}");
}

#[tokio::test(flavor = "multi_thread")]
async fn routes_of_a_missing_policy_follow_on_failure_until_it_is_loaded() {
    let upstream = FakeModel::saying("hello").await;
    let mut web = server_that_is_down().await;
    let routes = "[routes.other]\npolicy = \"cost\"\n\
                  [routes.static]\npolicy = \"remote\"\n\
                  [routes.previous]\npolicy = \"remote\"\non_failure = \"previous\"\n\
                  [routes.instead]\npolicy = \"remote\"\non_failure = { fallback = \"cost\" }\n\
                  [routes.strict]\npolicy = \"remote\"\non_failure = \"reject\"\n";
    let config = fleet(&upstream) + &remote(&web, "") + routes;
    let gateway = Gateway::start(&config).await;
    gateway.logged("the policy is not loaded").await;
    assert_eq!(get(&gateway.url("/ready")).await.status, 200);

    let other = ask(&gateway, &chat("other", "hi")).await;
    assert_eq!((other.text().as_str(), other.header("x-pointsman-policy-failure")), ("hello", None));
    for (route, label) in [("static", Some("static")), ("previous", Some("static")), ("instead", None)] {
        let answer = ask(&gateway, &chat(route, "hi")).await;
        assert_eq!(answer.text(), "hello", "{route}");
        assert_eq!(answer.header("x-pointsman-policy-failure"), Some("not_loaded"), "{route}");
        match label {
            Some(label) => assert_eq!(answer.header("x-pointsman-route"), Some(label), "{route}"),
            None => assert!(answer.header("x-pointsman-policy").is_some_and(|it| it.starts_with("cost@"))),
        }
    }
    let rejected = ask(&gateway, &chat("strict", "hi")).await;
    assert!(error(&rejected, 503, "policy_failed").contains("`remote` is not loaded yet"));
    let dry = client::post(&gateway.url("/v1/decisions"), &chat("strict", "hi")).await;
    assert_eq!(dry.status, 200);

    let missing = policy(&gateway, "remote").await;
    assert_eq!((&missing["loaded"], &missing["active"]), (&false.into(), &"".into()));
    assert!(
        missing["rejected"]["error"].as_str().is_some_and(|why| why.contains("cannot reach")),
        "{missing}"
    );
    let metrics = String::from_utf8(get(&gateway.admin("/metrics")).await.body.to_vec()).expect("text");
    assert!(metrics.contains("\npointsman_policies_not_loaded 1"), "{metrics}");
    assert!(metrics.contains("\npointsman_last_reload_successful 0"), "{metrics}");
    let routes = get(&gateway.admin("/admin/routes")).await.json();
    assert_eq!(routes.as_array().map(Vec::len), Some(5), "{routes}");
    let (table, _) = texts(&run(&["policy", "list", "--admin", &gateway.admin_url]));
    assert!(table.contains("`remote`: the policy is not loaded"), "{table}");

    web.come_back().await;
    gateway.logged(r#""message":"policy loaded","policy":"remote""#).await;
    for route in ["static", "previous", "instead", "strict"] {
        assert_decided_by_remote(&gateway, route).await;
    }
    assert_eq!(policy(&gateway, "remote").await["loaded"], true);
    let metrics = String::from_utf8(get(&gateway.admin("/metrics")).await.body.to_vec()).expect("text");
    assert!(metrics.contains("\npointsman_policies_not_loaded 0"), "{metrics}");
    assert!(metrics.contains("\npointsman_last_reload_successful 1"), "{metrics}");
}

#[tokio::test(flavor = "multi_thread")]
async fn trials_of_a_missing_policy_start_once_it_is_loaded() {
    let upstream = FakeModel::saying("hello").await;
    let mut web = server_that_is_down().await;
    let routes = "[routes.shadowed]\npolicy = \"cost\"\nshadow = \"remote\"\n\
                  [routes.tried]\npolicy = \"cost\"\ncanary = { policy = \"remote\", percent = 100 }\n\
                  [routes.free]\npolicy = \"cost\"\n";
    let gateway = Gateway::start(&(fleet(&upstream) + &remote(&web, "") + routes)).await;
    for route in ["shadowed", "tried"] {
        let answer = ask(&gateway, &chat(route, "hi")).await;
        assert!(
            answer.header("x-pointsman-policy").is_some_and(|policy| policy.starts_with("cost@")),
            "{route}"
        );
        assert_eq!(answer.header("x-pointsman-policy-failure"), None, "{route}");
    }
    let admin = ["--admin", &gateway.admin_url];
    let operations: [&[&str]; 3] = [
        &["policy", "trial", "free", "remote", "--shadow"],
        &["policy", "promote", "tried"],
        &["policy", "rollback", "remote"],
    ];
    for operation in operations {
        let refused = run(&[operation, &admin[..]].concat());
        let (_, why) = texts(&refused);
        assert_eq!(refused.status.code(), Some(1), "{operation:?}");
        assert!(why.contains("the policy `remote` is not loaded yet: cannot reach"), "{operation:?} {why}");
    }

    web.come_back().await;
    gateway.logged(r#""message":"policy loaded","policy":"remote""#).await;
    assert_decided_by_remote(&gateway, "tried").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_configuration_can_change_while_a_policy_is_missing() {
    let upstream = FakeModel::saying("hello").await;
    let mut web = server_that_is_down().await;
    let config = fleet(&upstream) + &remote(&web, "") + "[routes.main]\npolicy = \"remote\"\n";
    let gateway = Gateway::start(&config).await;
    let reload = async |config: &str| {
        fs::write(gateway.config(), config).expect("the config can be written");
        client::post(&gateway.admin("/admin/reload"), &Value::Null).await
    };
    let more = format!("{config}[routes.more]\npolicy = \"cost\"\n");
    let report = reload(&more).await;
    assert_eq!((report.status.as_u16(), &report.json()["config"]), (422, &"applied".into()));
    let policies = report.json()["policies"].clone();
    let missing = policies.as_array().and_then(|all| all.iter().find(|policy| policy["name"] == "remote"));
    let missing = missing.unwrap_or_else(|| panic!("{policies}"));
    assert!(missing["change"] == "unavailable" && missing["error"].is_string(), "{missing}");
    assert_eq!(ask(&gateway, &chat("more", "hi")).await.text(), "hello");

    // A policy that the configuration brings has to be there.
    let new = remote(&web, "").replace("[policies.remote]", "[policies.new]");
    let report = reload(&format!("{more}{new}")).await;
    assert!(report.json()["config"]["rejected"].as_str().is_some_and(|why| why.contains("policy `new`")));
    assert_eq!(ask(&gateway, &chat("more", "hi")).await.text(), "hello");

    // With a configuration that is no good, too, it is loaded when its source is back.
    web.come_back().await;
    let report = reload("nonsense").await;
    assert!(report.json()["config"]["rejected"].is_string());
    assert_decided_by_remote(&gateway, "main").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_policy_from_the_state_serves_without_its_source() {
    let upstream = FakeModel::saying("hello").await;
    let mut web = server_that_is_down().await;
    let state = new_directory();
    let config = format!(
        "[state]\ndir = \"{}\"\n{}{}[routes.main]\npolicy = \"remote\"\n",
        state.display(),
        fleet(&upstream),
        remote(&web, "")
    );
    web.come_back().await;
    let gateway = Gateway::start(&config).await;
    assert_decided_by_remote(&gateway, "main").await;
    assert_eq!(gateway.stop().await.code(), Some(0));
    web.go_down().await;
    let gateway = Gateway::start(&config).await;
    assert_decided_by_remote(&gateway, "main").await;
    drop(gateway);
    fs::remove_dir_all(state).expect("the directory can be removed");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_registry_that_comes_up_later_is_polled() {
    let Some(registry) = Registry::start() else { return };
    let upstream = FakeModel::saying("hello").await;
    let mut gate = SwitchablePort::to(registry.authority()).await;
    registry.push("router", "stable", &version(1)).await;
    let policy = format!(
        "[policies.remote]\nlimits.deadline = \"60s\"\nsource = \"oci://{}/router:stable\"\n",
        gate.address
    );
    let config = fleet(&upstream) + &policy + "[routes.main]\npolicy = \"remote\"\n";
    let gateway = Gateway::start(&config).await;
    assert_eq!(ask(&gateway, &chat("main", "hi")).await.header("x-pointsman-route"), Some("static"));
    gate.open();
    gateway.logged(r#""message":"policy loaded","policy":"remote""#).await;
    assert_decided_by_remote(&gateway, "main").await;
}

#[tokio::test]
async fn an_unresponsive_source_does_not_block_the_others() {
    let upstream = FakeModel::saying("hello").await;
    let gate = Gate::new();
    let web = FakeModel::builder()
        .then(Step::bytes("application/wasm", version(1)).after(&gate))
        .otherwise(|_| Step::bytes("application/wasm", version(1)));
    let web = web.start().await;
    let config = fleet(&upstream) + &remote(&web, "") + "[routes.main]\npolicy = \"remote\"\n";
    let gateway = Gateway::start(&config).await;
    gateway.logged("took longer than").await;
    gateway.logged(r#""message":"policy loaded","policy":"remote""#).await;
    assert_decided_by_remote(&gateway, "main").await;
}

#[tokio::test]
async fn a_source_with_an_invalid_policy_prevents_the_start() {
    let upstream = FakeModel::saying("hello").await;
    let cases = [
        (Step::status(404), "responds with status 404"),
        (Step::bytes("application/wasm", version(2)), "as expected: it was replaced"),
    ];
    for (step, expected) in cases {
        let web = FakeModel::always(step).await;
        let config = fleet(&upstream) + &remote(&web, "") + "[routes.main]\npolicy = \"remote\"\n";
        let path = new_directory().join("pointsman.toml");
        fs::write(&path, config).expect("the config can be written");
        let (file, any) = (path.display().to_string(), "127.0.0.1:0");
        let ended = tokio::task::spawn_blocking(move || {
            run(&["serve", "--config", &file, "--listen", any, "--admin-listen", any])
        });
        let ended = ended.await.expect("no panic");
        let (_, errors) = texts(&ended);
        assert_eq!(ended.status.code(), Some(2), "{errors}");
        assert!(errors.contains(expected), "{errors}");
    }
    let web = server_that_is_down().await;
    let config = fleet(&upstream) + &remote(&web, "") + "[routes.main]\npolicy = \"remote\"\n";
    let (_, errors) = texts(&check(&config));
    assert!(errors.contains("error: cannot load the policy `remote` from http://"), "{errors}");
}

/// Returns a new directory for one test.
fn new_directory() -> std::path::PathBuf {
    use std::sync::atomic::{AtomicU32, Ordering};
    static COUNT: AtomicU32 = AtomicU32::new(0);
    let name = format!("unreachable-{}-{}", std::process::id(), COUNT.fetch_add(1, Ordering::Relaxed));
    let directory = std::path::Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    fs::create_dir_all(&directory).expect("a directory for the test");
    directory
}

/// Port that closes each connection until it is opened, and then forwards connections to a
/// server.
struct SwitchablePort {
    address: String,
    is_open: std::sync::Arc<std::sync::atomic::AtomicBool>,
    accepting: tokio::task::JoinHandle<()>,
}

impl SwitchablePort {
    async fn to(server: &str) -> Self {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a free port on loopback");
        let address = listener.local_addr().expect("a bound listener has an address").to_string();
        let is_open = std::sync::Arc::new(std::sync::atomic::AtomicBool::new(false));
        let (open, server) = (std::sync::Arc::clone(&is_open), server.to_owned());
        let accepting = tokio::spawn(async move {
            while let Ok((mut client, _)) = listener.accept().await {
                if open.load(std::sync::atomic::Ordering::Relaxed) {
                    let mut server =
                        tokio::net::TcpStream::connect(&server).await.expect("the server accepts");
                    tokio::spawn(
                        async move { tokio::io::copy_bidirectional(&mut client, &mut server).await },
                    );
                }
            }
        });
        Self { address, is_open, accepting }
    }

    fn open(&mut self) {
        self.is_open.store(true, std::sync::atomic::Ordering::Relaxed);
    }
}

impl Drop for SwitchablePort {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}
