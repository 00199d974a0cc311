//! The command `pointsman policy` against a running gateway.

use pointsman_guests::{version, wrong_world};
use pointsman_tests::{FakeModel, Gateway};
use sha2::{Digest, Sha256};

use crate::command_line::{run, texts};
use crate::fleet::{ask, backend, chat, model};
use crate::policy_file::PolicyFile;

/// Gateway with the policies `own`, which decides at `main`, and `other`.
struct Setup {
    gateway: Gateway,
    policy: PolicyFile,
    _model: FakeModel,
}

async fn setup(more: &str, environment: &[(&str, &str)]) -> Setup {
    let fake = FakeModel::saying("hello").await;
    let policy = PolicyFile::new(&version(1));
    let source = policy.path().display().to_string();
    let config = format!(
        "{}{}[policies.own]\nlimits.deadline = \"60s\"\nsource = \"{source}\"\n[policies.other]\nlimits.deadline = \"60s\"\nsource = \"{source}\"\n\
         settings = {{ label = \"other\" }}\n[routes.main]\npolicy = \"own\"\n{more}\n",
        backend("a", &fake, ""),
        model("a/chat", 1, ""),
    );
    let gateway = Gateway::start_with(&config, environment).await;
    Setup { gateway, policy, _model: fake }
}

impl Setup {
    /// Runs a command, and returns its exit status, standard output and standard error.
    fn run(&self, arguments: &[&str]) -> (Option<i32>, String, String) {
        let admin = ["--admin", &self.gateway.admin_url];
        let output = run(&[&["policy"], arguments, &admin[..]].concat());
        let (out, err) = texts(&output);
        (output.status.code(), out, err)
    }

    /// Runs a command that must succeed, and returns its output.
    fn run_ok(&self, arguments: &[&str]) -> String {
        let (status, out, err) = self.run(arguments);
        assert_eq!((status, &*err), (Some(0), ""), "{arguments:?}: {out}");
        out
    }

    /// Runs a command that must fail, and returns its error.
    fn run_err(&self, arguments: &[&str]) -> String {
        let (status, out, err) = self.run(arguments);
        assert_eq!((status, &*out), (Some(1), ""), "{arguments:?}: {err}");
        err
    }

    async fn label(&self) -> String {
        let answer = ask(&self.gateway, &chat("main", "hi")).await;
        answer.header("x-pointsman-route").expect("a label").to_owned()
    }

    /// Writes a version to a file of its own.
    fn file(&self, bytes: &[u8]) -> String {
        let path = self.policy.path().with_file_name("upload.wasm");
        std::fs::write(&path, bytes).expect("a file");
        path.display().to_string()
    }
}

fn digest(number: u32) -> String {
    format!("{:x}", Sha256::digest(version(number)))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_policy_is_run_as_a_trial_promoted_and_rolled_back() {
    let setup = setup("", &[]).await;
    let says = setup.run_ok(&["trial", "main", "other", "--shadow", "--why", "a vendor's"]);
    assert!(says.contains("`other` is asked about every request at `main`"), "{says}");
    assert_eq!(setup.label().await, "version-00000001");
    let routes = setup.run_ok(&["routes"]);
    let row = routes.lines().nth(1).expect("a row");
    assert!(row.starts_with("main   own@") && row.contains("other, shadow"), "{routes}");
    setup.run_ok(&["trial", "main", "other", "--canary", "12.5"]);
    assert!(setup.run_ok(&["routes"]).contains("other, 12.5 %"));
    setup.run_ok(&["promote", "main"]);
    assert_eq!(setup.label().await, "other");
    assert!(setup.run_ok(&["routes"]).contains("(promoted)"));
    setup.run_ok(&["rollback", "--route", "main"]);
    assert_eq!(setup.label().await, "version-00000001");

    let audit = setup.run_ok(&["audit"]);
    let whats: Vec<&str> = audit
        .lines()
        .skip(1)
        .filter_map(|line| line.split("  ").map(str::trim).filter(|cell| !cell.is_empty()).nth(2))
        .collect();
    assert_eq!(whats, ["demote", "promote", "canary", "shadow", "load", "load"], "{audit}");
    assert!(audit.contains("a vendor's"), "{audit}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_version_is_uploaded_pinned_and_released() {
    let setup = setup("", &[]).await;
    let says = setup.run_ok(&[
        "upload",
        "own",
        &setup.file(&version(2)),
        "--operator",
        "alice",
        "--why",
        "50 % off & more",
    ]);
    assert!(says.contains(&digest(2)[..12]), "{says}");
    assert_eq!(setup.label().await, "version-00000002");
    let list = setup.run_ok(&["list"]);
    assert!(list.contains("(uploaded)"), "{list}");
    setup.run_ok(&["rollback", "own"]);
    assert_eq!(setup.label().await, "version-00000001");
    let list = setup.run_ok(&["list"]);
    assert!(list.contains(&format!("version {} is in quarantine", &digest(2)[..12])), "{list}");
    let complaint = setup.run_err(&["upload", "own", &setup.file(&version(2))]);
    assert!(complaint.contains("`pointsman policy release own"), "{complaint}");
    setup.run_ok(&["release", "own", &digest(2)[..8]]);
    setup.run_ok(&["upload", "own", &setup.file(&version(2))]);
    setup.run_ok(&["pin", "own", &digest(1)[..12]]);
    assert_eq!(setup.label().await, "version-00000001");
    setup.run_ok(&["unpin", "own"]);
    let events: serde_json::Value = serde_json::from_str(&setup.run_ok(&["audit", "--json"])).expect("JSON");
    let upload = events.as_array().expect("events").iter().rfind(|event| event["action"] == "upload");
    let upload = upload.expect("the first upload");
    assert_eq!((&upload["who"]["admin"], &upload["why"]), (&"alice".into(), &"50 % off & more".into()));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_failed_command_states_the_remedy() {
    let setup = setup("[admin]\ntoken_env = \"TOKEN\"\n", &[("TOKEN", "let-me-in")]).await;
    assert!(setup.run_err(&["list"]).contains("the admin API needs its token"));
    let token = setup.policy.path().with_file_name("token");
    std::fs::write(&token, "let-me-in\n").expect("a file");
    let token = ["--token-file", &token.display().to_string()];
    let with = |arguments: &[&str]| setup.run_err(&[arguments, &token].concat());
    assert!(setup.run_ok(&[&["list"], &token[..]].concat()).starts_with("POLICY"));
    assert!(with(&["promote", "main"]).contains("no policy is on trial at the route `main`"));
    assert!(
        with(&["trial", "main", "nobody", "--shadow"]).contains("there is no policy `nobody`; there are: ")
    );
    assert!(with(&["upload", "own", &setup.file(&wrong_world())]).contains("so it is no policy"));
    assert!(with(&["unpin", "own"]).contains("its source says which one serves"));

    let nobody_there = run(&["policy", "list", "--admin", "http://127.0.0.1:1"]);
    let (_, error) = texts(&nobody_there);
    assert_eq!(nobody_there.status.code(), Some(1));
    assert!(error.contains("cannot reach the gateway") && error.contains("pass it with --admin"), "{error}");
    for wrong in [
        &["trial", "main", "other"][..],
        &["trial", "main"],
        &["rollback"],
        &["trial", "main", "other", "--shadow", "--canary", "5"],
    ] {
        let output = run(&[&["policy"], wrong].concat());
        assert_eq!(output.status.code(), Some(2), "{wrong:?}");
    }
}
