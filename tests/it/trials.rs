//! Trials: a policy runs beside the one that decides, on the same requests or on a share of them,
//! and takes over or is suspended without an effect on clients.

use http::Method;
use pointsman_guests::{FIRST, HOSTILE, Misdeed, misbehaving};
use pointsman_tests::client::{self, Answer};
use pointsman_tests::{FakeModel, Gateway};
use serde_json::{Value, json};

use crate::fleet::{ask_with, backend, built_in, chat, error, model};
use crate::policy_file::PolicyFile;

/// Gateway whose route `main` has the policy `own`, with further policies for trials: `other`
/// agrees with it, `last` prefers the more expensive model and `bad` fails.
struct Setup {
    gateway: Gateway,
    _policy: PolicyFile,
    _hostile: PolicyFile,
    _models: [FakeModel; 2],
}

async fn setup(route: &str, more: &str) -> Setup {
    let models = [FakeModel::saying("cheap").await, FakeModel::saying("dear").await];
    let (policy, hostile) = (PolicyFile::new(FIRST), PolicyFile::new(HOSTILE));
    let source = policy.path().display().to_string();
    let misdeed: Value = serde_json::from_str(&misbehaving(Misdeed::Trap)).expect("settings are JSON");
    let config = format!(
        "{}{}{}{}{}\
         [policies.own]\nlimits.deadline = \"60s\"\nsource = \"{source}\"\nsettings = {{ label = \"own\" }}\n\
         [policies.other]\nlimits.deadline = \"60s\"\nsource = \"{source}\"\nsettings = {{ label = \"other\" }}\n\
         [policies.last]\nlimits.deadline = \"60s\"\nsource = \"{source}\"\nsettings = {{ label = \"last\", last_from = 0 }}\n\
         [policies.bad]\nlimits.deadline = \"60s\"\nsource = \"{}\"\nsettings = {{ misdeed = {} }}\n\
         [routes.main]\npolicy = \"own\"\n{route}\n{more}\n",
        backend("a", &models[0], ""),
        model("a/chat", 1, "expected = { first_token_ms = 100, tokens_per_second = 100 }"),
        backend("b", &models[1], ""),
        model("b/chat", 3, "expected = { first_token_ms = 200, tokens_per_second = 100 }"),
        built_in("cost", ""),
        hostile.path().display(),
        misdeed["misdeed"],
    );
    let gateway = Gateway::start(&config).await;
    Setup { gateway, _policy: policy, _hostile: hostile, _models: models }
}

impl Setup {
    async fn ask(&self, session: &str) -> Answer {
        ask_with(&self.gateway, &[("x-pointsman-session", session)], &chat("main", "hi")).await
    }

    /// Returns the labels of requests of sessions `0` to `sessions - 1`.
    async fn labels(&self, sessions: usize) -> Vec<String> {
        let mut labels = Vec::new();
        for session in 0..sessions {
            let answer = self.ask(&session.to_string()).await;
            assert_eq!(answer.status, 200);
            labels.push(answer.header("x-pointsman-route").expect("a label").to_owned());
        }
        labels
    }

    async fn start_trial(&self, trial: Value) -> Answer {
        let url = self.gateway.admin("/admin/routes/main/trial");
        client::call(Method::PUT, &url, &[], trial.to_string()).await
    }

    async fn end_trial(&self) -> Answer {
        client::call(Method::DELETE, &self.gateway.admin("/admin/routes/main/trial"), &[], "").await
    }

    async fn post(&self, path: &str) -> Answer {
        client::post(&self.gateway.admin(path), &json!({})).await
    }

    async fn route(&self) -> Value {
        client::get(&self.gateway.admin("/admin/routes/main")).await.json()
    }

    /// Returns the trial of the route, once the shadow has decided `decisions` times.
    async fn wait_for_comparisons(&self, decisions: u64) -> Value {
        loop {
            let trial = self.route().await["trial"].clone();
            let asked = trial["trial"]["decisions"].as_u64().expect("a count");
            if asked >= decisions {
                return trial;
            }
        }
    }
}

fn count(labels: &[String], label: &str) -> usize {
    labels.iter().filter(|other| *other == label).count()
}

#[tokio::test]
async fn a_shadow_policy_is_compared_and_decides_nothing() {
    let setup = setup("shadow = \"last\"", "").await;
    let labels = setup.labels(20).await;
    assert_eq!(count(&labels, "own"), 20, "{labels:?}");
    let trial = setup.wait_for_comparisons(20).await;
    assert_eq!((&trial["policy"], &trial["mode"]), (&json!("last"), &json!("shadow")));
    let compared = &trial["compared"];
    assert_eq!((&compared["decisions"], &compared["agreement"]), (&json!(20), &json!(0.0)), "{trial}");
    // 256 tokens of output and the same input at three times the price.
    let cost = &compared["predicted_cost_usd"];
    let (active, shadow) =
        (cost["active"].as_f64().expect("a cost"), cost["trial"].as_f64().expect("a cost"));
    assert!((shadow / active - 3.0).abs() < 1e-9, "{cost}");
    assert!((cost["difference"].as_f64().expect("a cost") - (shadow - active)).abs() < 1e-12, "{cost}");
    assert_eq!(trial["active"]["decisions"], 20);
    assert!(trial["trial"]["decision_us_p99"].as_f64().expect("a time") > 0.0);
}

#[tokio::test]
async fn agreement_and_failures_of_a_shadow_policy_are_counted_separately() {
    let setup = setup("shadow = \"other\"", "").await;
    setup.labels(10).await;
    let trial = setup.wait_for_comparisons(10).await;
    assert_eq!(trial["compared"]["agreement"], 1.0, "{trial}");

    assert_eq!(setup.start_trial(json!({ "policy": "bad", "mode": "shadow" })).await.status, 200);
    let labels = setup.labels(10).await;
    assert_eq!(count(&labels, "own"), 10, "a failing shadow harms nobody");
    let trial = setup.wait_for_comparisons(10).await;
    assert_eq!(trial["trial"]["failures"], json!([["trap", 10]]));
    assert_eq!(trial["compared"]["decisions"], 0);
}

#[tokio::test]
async fn a_canary_gets_its_share_and_sessions_stay_with_their_policy() {
    let setup = setup("canary = { policy = \"other\", percent = 25 }", "").await;
    let labels = setup.labels(200).await;
    let share = count(&labels, "other");
    assert!((30..=70).contains(&share), "25 % of 200 sessions: {share}");
    assert_eq!(setup.labels(200).await, labels, "sticky by session");
    let trial = setup.route().await["trial"].clone();
    assert_eq!(trial["trial"]["requests"], share * 2, "{trial}");
    assert_eq!(trial["active"]["requests"], 400 - share * 2);

    // A larger share takes sessions over, and gives none back.
    let more = json!({ "policy": "other", "mode": "canary", "percent": 60 });
    assert_eq!(setup.start_trial(more).await.status, 200);
    let later = setup.labels(200).await;
    assert!(labels.iter().zip(&later).all(|(then, now)| then == "own" || now == "other"));
    assert!(count(&later, "other") > share);
    assert_eq!(setup.end_trial().await.status, 200);
    assert_eq!(count(&setup.labels(20).await, "own"), 20);
    assert_eq!(setup.route().await.get("trial"), None);
}

#[tokio::test]
async fn a_failing_canary_is_suspended_and_the_routes_policy_answers() {
    let setup = setup("canary = { policy = \"bad\", percent = 100 }", "").await;
    let first = setup.ask("one").await;
    assert_eq!((first.status.as_u16(), first.header("x-pointsman-route")), (200, Some("own")));
    assert_eq!(first.header("x-pointsman-policy-failure"), Some("trap"));
    while setup.route().await["trial"]["suspended"] == json!(false) {
        assert_eq!(setup.ask("one").await.status, 200);
    }
    let calm = setup.ask("one").await;
    assert_eq!(calm.header("x-pointsman-policy-failure"), None, "it is not asked any more");
    let hold = setup.route().await["holds"][0].clone();
    assert_eq!((&hold["strikes"], &hold["in_force"]), (&json!(1), &json!(true)));
    let again = setup.start_trial(json!({ "policy": "bad", "mode": "canary", "percent": 5 })).await;
    assert!(error(&again, 409, "conflict").contains("is on hold"));
    let digest = hold["digest"].as_str().expect("a digest");
    let url = setup.gateway.admin("/admin/policies/bad/release");
    assert_eq!(client::post(&url, &json!({ "digest": digest })).await.status, 200);
    assert_eq!(setup.route().await["trial"]["suspended"], false, "a person let it try again");
}

#[tokio::test]
async fn a_promoted_policy_decides_until_it_is_rolled_back() {
    let setup = setup("shadow = \"other\"", "").await;
    assert_eq!(setup.post("/admin/routes/main/promote").await.status, 200);
    assert_eq!(count(&setup.labels(5).await, "other"), 5);
    let route = setup.route().await;
    assert_eq!((&route["policy"], &route["promoted"]["instead_of"]), (&json!("other"), &json!("own")));
    assert_eq!(route.get("trial"), None, "what decides is not on trial");
    let none = setup.post("/admin/routes/main/promote").await;
    assert!(error(&none, 409, "conflict").contains("no policy is on trial"));

    assert_eq!(setup.post("/admin/routes/main/rollback").await.status, 200);
    assert_eq!(count(&setup.labels(5).await, "own"), 5);
    let none = setup.post("/admin/routes/main/rollback").await;
    assert!(error(&none, 409, "conflict").contains("`own` decides there as configured"));
    let audit = client::get(&setup.gateway.admin("/admin/audit?limit=2")).await.json();
    let events = audit.as_array().expect("events");
    let changes: Vec<_> =
        events.iter().map(|event| (&event["action"], &event["policy"], &event["route"])).collect();
    let (other, main) = (json!("other"), json!("main"));
    assert_eq!(changes, [(&json!("demote"), &other, &main), (&json!("promote"), &other, &main)]);
}

#[tokio::test]
async fn a_promoted_policy_that_fails_is_demoted_automatically() {
    let setup = setup("shadow = \"bad\"", "").await;
    setup.labels(5).await;
    assert_eq!(setup.post("/admin/routes/main/promote").await.status, 200);
    while setup.route().await["policy"] == "bad" {
        assert_eq!(setup.ask("one").await.status, 200, "its failures harm nobody");
    }
    assert_eq!(count(&setup.labels(5).await, "own"), 5);
    let audit = client::get(&setup.gateway.admin("/admin/audit?limit=1")).await.json();
    assert_eq!((&audit[0]["action"], &audit[0]["who"]), (&json!("demote"), &json!("gateway")));
    assert!(audit[0]["why"].as_str().expect("a reason").contains("decisions failed"));
}

#[tokio::test]
async fn a_changed_configuration_overrides_earlier_decisions() {
    let setup = setup("", "").await;
    let canary = json!({ "policy": "other", "mode": "canary", "percent": 100 });
    assert_eq!(setup.start_trial(canary).await.status, 200);
    assert_eq!(setup.post("/admin/routes/main/promote").await.status, 200);
    assert_eq!(count(&setup.labels(3).await, "other"), 3);

    let text = std::fs::read_to_string(setup.gateway.config()).expect("the config");
    let reload = async |text: &str| {
        std::fs::write(setup.gateway.config(), text).expect("the config");
        assert_eq!(setup.post("/admin/reload").await.status, 200);
    };
    reload(&format!("{text}\n# a comment\n")).await;
    assert_eq!(count(&setup.labels(3).await, "other"), 3, "nothing else was said about the route");
    reload(&text.replace("policy = \"own\"", "policy = \"last\"")).await;
    assert_eq!(count(&setup.labels(3).await, "last"), 3);
    reload(&text).await;
    assert_eq!(count(&setup.labels(3).await, "own"), 3, "what was overruled is forgotten");
}

#[tokio::test]
async fn an_orchestrator_can_be_a_trial_of_a_router() {
    let more = "[policies.parts]\nlimits.deadline = \"60s\"\nsource = \"builtin:auto\"\ngrants = [\"prompt\", \"outputs\"]\n";
    let setup = setup("shadow = \"parts\"", more).await;
    setup.labels(3).await;
    let trial = setup.wait_for_comparisons(3).await;
    assert_eq!(trial["trial"]["failures"], json!([]), "{trial}");
    assert_eq!(trial["compared"]["decisions"], 3);
}

#[tokio::test]
async fn an_invalid_trial_is_rejected_with_the_reason() {
    let setup = setup("", "").await;
    let refused =
        async |trial: Value, status: u16, code: &str| error(&setup.start_trial(trial).await, status, code);
    let shadow = |policy: &str| json!({ "policy": policy, "mode": "shadow" });
    assert!(refused(shadow("nobody"), 404, "not_found").await.contains("there is no policy `nobody`"));
    assert!(refused(shadow("own"), 409, "conflict").await.contains("decides at the route `main` already"));
    let canary = |percent: f64| json!({ "policy": "other", "mode": "canary", "percent": percent });
    for percent in [0.0, -1.0, 100.1] {
        assert!(refused(canary(percent), 422, "rejected").await.contains("above 0 and up to 100"));
    }
    let mode = json!({ "policy": "other", "mode": "half" });
    assert!(refused(mode, 400, "invalid_body").await.contains("unknown variant `half`"));
    assert!(error(&setup.end_trial().await, 409, "conflict").contains("no policy is on trial"));
    let url = setup.gateway.admin("/admin/routes/nowhere/trial");
    let nowhere = client::call(Method::PUT, &url, &[], shadow("other").to_string()).await;
    assert!(error(&nowhere, 404, "not_found").contains("there is no route `nowhere`; there are: main"));
}
