//! Requests that do not end with the plan that they started with: the plan hands over to one
//! model, or its policy fails and another one takes over. And plans that end in the middle of an
//! answer.

use pointsman_guests::PLANNER;
use pointsman_tests::client::{self, Answer};
use pointsman_tests::{FakeModel, Gate, Gateway, Step};
use serde_json::{Value, json};

use crate::fleet::{ask, ask_with, backend, chat, error, model, open, stream_error, streamed};
use crate::policy_file::PolicyFile;
use crate::raw;

/// Gateway with the model `a/chat` and a route `main` of the policy `first`.
struct Setup {
    gateway: Gateway,
    _model: FakeModel,
    _policy: PolicyFile,
}

impl Setup {
    /// Starts a gateway. `settings` are those of planners, each with its name; `more` goes below
    /// the route.
    async fn with(model: FakeModel, settings: &[(&str, &str)], more: &str) -> Self {
        let policy = PolicyFile::new(PLANNER);
        let mut config = backend("a", &model, "") + &self::model("a/chat", 1, "");
        for (name, settings) in settings {
            config += &format!(
                "[policies.{name}]\nlimits.deadline = \"60s\"\nsource = \"{}\"\ngrants = [\"outputs\"]\nsettings = {{ {settings} }}\n",
                policy.path().display()
            );
        }
        config += &format!("[routes.main]\npolicy = \"first\"\nbackoff = \"1ms\"\n{more}\n");
        Self { gateway: Gateway::start(&config).await, _model: model, _policy: policy }
    }

    /// Starts a gateway whose first planner fails on resume, after one call, and another policy
    /// takes over.
    async fn start_failing_over_to(second: &str, model: FakeModel, more: &str) -> Self {
        let settings = [("first", "blunder = \"trap-in-resume\""), ("second", second)];
        let more = format!("on_failure = {{ fallback = \"second\" }}\n{more}");
        Self::with(model, &settings, &more).await
    }

    async fn trace(&self, answer: &Answer) -> Value {
        self.trace_of(answer.header("x-pointsman-decision-id").expect("an id")).await
    }

    async fn trace_of(&self, id: &str) -> Value {
        client::get(&self.gateway.admin(&format!("/admin/plans/{id}"))).await.json()
    }
}

#[tokio::test]
async fn a_stream_after_a_plan_reports_the_usage_of_all_calls() {
    let mut body = streamed("main", "hi");
    body["stream_options"] = json!({ "include_usage": true });
    let then_route = [("first", "shape = \"then-route\", tasks = 2")];
    let setups = [
        (Setup::with(FakeModel::saying("hello there").await, &then_route, "").await, 3),
        (
            Setup::start_failing_over_to("shape = \"route\"", FakeModel::saying("hello there").await, "")
                .await,
            2,
        ),
    ];
    for (setup, calls) in setups {
        let whole = ask(&setup.gateway, &chat("main", "hi")).await.json()["usage"].clone();
        assert_eq!(whole["total_tokens"], 9 * calls);
        let events = open(&setup.gateway, &body).await.events().await;
        let last: Value = serde_json::from_str(&events[events.len() - 2]).expect("JSON");
        assert_eq!(last["usage"], whole);
    }
}

#[tokio::test]
async fn calls_of_an_abandoned_plan_do_not_belong_to_the_next_plan() {
    let model = FakeModel::saying("hello there").await;
    let setup = Setup::start_failing_over_to("shape = \"resume\", tasks = 1", model, "").await;
    let answer = ask(&setup.gateway, &chat("main", "hi")).await;
    assert_eq!(answer.text(), r#"1 tasks: t0 done stop "hello there" 7+2"#);
    assert_eq!(answer.header("x-pointsman-attempts"), Some("2"));
    assert_eq!(answer.json()["usage"]["total_tokens"], 18, "both calls are paid for");
    let trace = setup.trace(&answer).await;
    let task = &trace["tasks"][0];
    assert_eq!((&task["attempts"], &task["input_tokens"]), (&json!(1), &json!(7)));
    assert_eq!((&trace["input_tokens"], &trace["output_tokens"]), (&json!(14), &json!(4)));
}

#[tokio::test]
async fn a_text_that_replaces_a_plan_has_none_of_its_tasks() {
    let model = FakeModel::saying("hello there").await;
    let setup = Setup::start_failing_over_to("shape = \"finish\"", model, "").await;
    let answer = ask(&setup.gateway, &chat("main", "hi")).await;
    assert_eq!(answer.text(), "answered here");
    assert_eq!(answer.header("x-pointsman-tasks"), Some("0"));
    assert_eq!(answer.header("x-pointsman-attempts"), Some("1"));
    let trace = setup.trace(&answer).await;
    assert!(trace["policy"].as_str().is_some_and(|policy| policy.starts_with("second@")), "{trace}");
    assert_eq!(trace["tasks"], json!([]));
}

#[tokio::test]
async fn a_policy_that_takes_over_gets_the_time_that_the_plan_has_left() {
    let gate = Gate::new();
    let model = FakeModel::always(Step::answer("hello there").after(&gate)).await;
    let more = "[server]\nheader_timeout = \"50ms\"\n";
    let setup = Setup::start_failing_over_to("shape = \"time-left\"", model, more).await;
    // A silent connection is cut off after those 50 ms, so that they have passed.
    let meanwhile = async {
        gate.reached().await;
        assert_eq!(raw::send_and_read(&setup.gateway, b"").await, "");
        gate.open();
    };
    let deadline = [("x-pointsman-deadline-ms", "60000")];
    let body = chat("main", "hi");
    let (answer, ()) = tokio::join!(ask_with(&setup.gateway, &deadline, &body), meanwhile);
    let left: u32 = answer.text().parse().expect("a number");
    assert!((1..=59_950).contains(&left), "{left}");
}

#[tokio::test]
async fn a_request_that_is_rejected_after_a_plan_reports_its_calls() {
    let settings = [("first", "blunder = \"trap-in-resume\"")];
    let model = FakeModel::saying("hello there").await;
    let setup = Setup::with(model, &settings, "on_failure = \"reject\"").await;
    let answer = ask(&setup.gateway, &chat("main", "hi")).await;
    error(&answer, 503, "policy_failed");
    assert_eq!(answer.header("x-pointsman-attempts"), Some("1"));
    assert_eq!(answer.header("x-pointsman-tasks"), Some("1"));
    assert_eq!(setup.trace(&answer).await["ending"], "failed");
}

#[tokio::test]
async fn a_task_whose_stream_is_cut_has_failed() {
    let model = FakeModel::builder()
        .then(Step::answer("from one"))
        .then(Step::stream(&["Hel", "lo"]).die_after(1))
        .start()
        .await;
    let setup = Setup::with(model, &[("first", "shape = \"fan-out\", tasks = 1")], "").await;
    let stream = open(&setup.gateway, &streamed("main", "hi")).await;
    let id = stream.headers["x-pointsman-decision-id"].to_str().expect("an id").to_owned();
    let error = stream_error(&stream.events().await);
    let trace = setup.trace_of(&id).await;
    assert_eq!(trace["ending"], "failed");
    let [first, answering] = [0, 1].map(|number| &trace["tasks"][number]);
    assert_eq!((&first["status"], &first["error"]), (&json!("done"), &Value::Null));
    assert_eq!((&answering["status"], &answering["error"]), (&json!("failed"), &error["message"]));
}
