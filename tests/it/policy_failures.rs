//! Failures of policies, which do not fail the request.

use pointsman_guests::{FIRST, HOSTILE, Misdeed, TURNED, misbehaving, version, version_label};
use pointsman_tests::client::{self, Answer};
use pointsman_tests::{FakeModel, Gateway};
use serde_json::{Value, json};

use crate::policy_file::PolicyFile;

/// Gateway with a route `main` whose policy misbehaves, over two models at one backend.
struct Setup {
    gateway: Gateway,
    _policy: PolicyFile,
    _model: FakeModel,
}

/// Starts a gateway. `on_failure` and further tables are TOML. Without limits in it, the policy
/// has ample time.
async fn setup(misdeed: Misdeed, on_failure: &str, more: &str) -> Setup {
    let limits = if on_failure.contains("limits") { "" } else { "limits.deadline = \"60s\"" };
    let (model, policy) = (FakeModel::saying("hello there").await, PolicyFile::new(HOSTILE));
    let config = format!(
        r#"
        [backends.fake]
        base_url = "{}"
        [models."fake/one"]
        input_price = 1
        output_price = 2
        [models."fake/two"]
        input_price = 1
        output_price = 2
        [policies.bad]
        source = "{}"
        settings = {}
        {limits}
        {on_failure}
        [routes.main]
        policy = "bad"
        {more}
        "#,
        model.base_url(),
        policy.path().display(),
        inline(&misbehaving(misdeed)),
    );
    Setup { gateway: Gateway::start(&config).await, _policy: policy, _model: model }
}

/// Returns JSON with text values as a TOML inline table.
pub fn inline(settings: &str) -> String {
    let settings: Value = serde_json::from_str(settings).expect("settings are JSON");
    let members = settings.as_object().expect("settings are an object");
    let pairs: Vec<String> = members.iter().map(|(key, value)| format!("{key} = {value}")).collect();
    format!("{{ {} }}", pairs.join(", "))
}

impl Setup {
    async fn ask(&self) -> Answer {
        let body = json!({ "model": "main", "messages": [{ "role": "user", "content": "hi" }] });
        client::post(&self.gateway.url("/v1/chat/completions"), &body).await
    }

    /// Returns a policy from `GET /admin/policies`.
    async fn status(&self, name: &str) -> Value {
        let status = client::get(&self.gateway.admin("/admin/policies")).await.json();
        let policies = status["policies"].as_array().expect("a list of policies");
        policies.iter().find(|policy| policy["name"] == name).expect("the policy is listed").clone()
    }
}

#[tokio::test]
async fn requests_beyond_the_capacity_of_a_policy_use_the_static_order() {
    let limits = "limits = { concurrency = 1, deadline = \"200ms\" }";
    let setup = setup(Misdeed::LoopInRoute, limits, "").await;
    let answers = tokio::join!(setup.ask(), setup.ask(), setup.ask(), setup.ask(), setup.ask(), setup.ask());
    let answers = <[Answer; 6]>::from(answers);
    let reason = |answer: &Answer| answer.header("x-pointsman-policy-failure").map(str::to_owned);
    assert!(answers.iter().all(|answer| answer.status == 200));
    assert!(answers.iter().any(|answer| reason(answer).as_deref() == Some("busy")));
    assert!(answers.iter().any(|answer| reason(answer).as_deref() == Some("deadline")));
}

#[tokio::test]
async fn bidirectional_and_invisible_characters_are_escaped_everywhere() {
    let shown = r"ok \u{202e}gnol\u{2066} \u{2028}fake line\u{200b}\u{feff}\u{e0041}";
    let reads = |misdeed| async move {
        let setup = setup(misdeed, "", "").await;
        let answer = setup.ask().await;
        let id = answer.header("x-pointsman-decision-id").expect("every answer has one").to_owned();
        let record = client::get(&setup.gateway.admin(&format!("/admin/decisions/{id}"))).await;
        (text(&answer), text(&record), setup.gateway.log())
    };
    for misdeed in
        [Misdeed::TurnedReason, Misdeed::TurnedRefusal, Misdeed::TurnedInternal, Misdeed::TurnedLog]
    {
        let (answer, record, log) = reads(misdeed).await;
        for text in [&answer, &record, &log] {
            assert!(!text.contains(is_hidden), "{misdeed:?}: {text:?}");
        }
        let is_shown = |text: &str| text.contains(&shown.replace('\\', r"\\"));
        assert_eq!(is_shown(&answer), misdeed == Misdeed::TurnedRefusal, "{misdeed:?}: {answer}");
        assert_eq!(is_shown(&record), misdeed != Misdeed::TurnedLog, "{misdeed:?}: {record}");
    }
}

fn text(answer: &Answer) -> String {
    String::from_utf8_lossy(&answer.body).into_owned()
}

/// Returns whether the guest writes this character.
fn is_hidden(letter: char) -> bool {
    TURNED.contains(letter) && !letter.is_ascii()
}

#[tokio::test]
async fn log_lines_beyond_the_rate_of_a_policy_are_dropped_and_counted() {
    let limits = "limits = { deadline = \"60s\", log_lines_per_second = 0 }";
    let setup = setup(Misdeed::FloodLog, limits, "").await;
    for _ in 0..2 {
        assert_eq!(setup.ask().await.header("x-pointsman-policy-failure"), None);
    }
    let metrics = text(&client::get(&setup.gateway.admin("/metrics")).await);
    let counted = r#"pointsman_policy_log_lines_dropped_total{policy="bad"} 1000"#;
    assert!(metrics.lines().any(|line| line == counted), "{metrics}");
    let log = setup.gateway.log();
    assert_eq!(log.matches("dropped log lines of the policy").count(), 1, "{log}");
}

#[tokio::test]
async fn a_route_with_on_failure_reject_names_the_policy_and_its_failure() {
    let setup = setup(Misdeed::Trap, "on_failure = \"reject\"", "").await;
    let answer = setup.ask().await;
    assert_eq!(answer.status, 503);
    assert_eq!(answer.header("x-pointsman-policy-failure"), Some("trap"));
    let error = &answer.json()["error"];
    assert_eq!(error["code"], "policy_failed");
    assert_eq!(error["message"], "the policy `bad` failed (trap), and the route rejects requests then");
}

#[tokio::test]
async fn a_fallback_policy_takes_over_and_its_failure_leads_to_the_static_order() {
    let good = PolicyFile::new(FIRST);
    let more = format!(
        "[policies.good]\nlimits.deadline = \"60s\"\nsource = \"{}\"\nsettings = {{ label = \"stand-in\" }}",
        good.path().display()
    );
    let stood_in = setup(Misdeed::Trap, "on_failure = { fallback = \"good\" }", &more).await;
    let answer = stood_in.ask().await;
    assert_eq!(answer.header("x-pointsman-route"), Some("stand-in"));
    assert!(answer.header("x-pointsman-policy").expect("a policy decided").starts_with("good@"));
    assert_eq!(answer.header("x-pointsman-policy-failure"), Some("trap"));

    let worse = PolicyFile::new(HOSTILE);
    let settings = inline(&misbehaving(Misdeed::Internal));
    let more = format!(
        "[policies.worse]\nlimits.deadline = \"60s\"\nsource = \"{}\"\nsettings = {settings}",
        worse.path().display()
    );
    let failed_twice = setup(Misdeed::Trap, "on_failure = { fallback = \"worse\" }", &more).await;
    let answer = failed_twice.ask().await;
    assert_eq!(answer.status, 200);
    assert_eq!(answer.header("x-pointsman-route"), Some("static"));
    assert_eq!(answer.header("x-pointsman-policy-failure"), Some("trap"), "the first failure is reported");
}

#[tokio::test]
async fn the_previous_version_takes_over_if_the_route_says_so() {
    let (model, policy) = (FakeModel::saying("hello there").await, PolicyFile::new(&version(1)));
    let config = |settings: &str| {
        format!(
            r#"
            [backends.fake]
            base_url = "{}"
            [models."fake/one"]
            input_price = 1
            output_price = 2
            [policies.changing]
            limits.deadline = "60s"
            source = "{}"
            settings = {settings}
            on_failure = "previous"
            [routes.main]
            policy = "changing"
            "#,
            model.base_url(),
            policy.path().display(),
        )
    };
    let gateway = Gateway::start(&config("{}")).await;
    policy.rename_over(HOSTILE);
    std::fs::write(gateway.config(), config(&inline(&misbehaving(Misdeed::Trap))))
        .expect("the config can be written");
    let reload = client::post(&gateway.admin("/admin/reload"), &Value::Null).await;
    assert_eq!(reload.status, 200, "{}", reload.json());

    let body = json!({ "model": "main", "messages": [{ "role": "user", "content": "hi" }] });
    let answer = client::post(&gateway.url("/v1/chat/completions"), &body).await;
    assert_eq!(answer.status, 200);
    assert_eq!(answer.header("x-pointsman-policy-failure"), Some("trap"));
    assert_eq!(answer.header("x-pointsman-route"), Some(&*version_label(1)));
}

#[tokio::test]
async fn a_refusal_is_not_counted_as_a_failure() {
    let denied = setup(Misdeed::Deny, "", "").await;
    let answer = denied.ask().await;
    assert_eq!(answer.status, 403);
    assert_eq!(answer.json()["error"]["code"], "policy_denied");
    assert_eq!(answer.json()["error"]["message"], "not for you");

    let refused = setup(Misdeed::RefuseAll, "", "").await;
    let answer = refused.ask().await;
    assert_eq!(answer.status, 503);
    assert_eq!(answer.json()["error"]["code"], "no_suitable_model");
    assert_eq!(answer.header("x-pointsman-policy-failure"), None);
    assert_eq!(refused.status("bad").await["failures"], json!([]));
}

#[tokio::test]
async fn forged_log_lines_are_escaped() {
    let setup = setup(Misdeed::AnsiInLog, "", "").await;
    assert_eq!(setup.ask().await.status, 200);
    setup.gateway.logged("forged line").await;
    assert!(!setup.gateway.log().contains('\u{1b}'), "no escape sequence reaches the log");
    assert!(!setup.gateway.log().lines().any(|line| line.starts_with("ERROR")), "no line of its own");
}
