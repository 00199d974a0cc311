//! Hedging: a second call while the first is slow, if the policy requests it.

use pointsman_guests::FIRST;
use pointsman_tests::{FakeModel, Gate, Gateway, Step};
use serde_json::json;

use crate::fleet::{ask, backend, chat, model, open, streamed, usage};
use crate::policy_file::PolicyFile;

async fn start_hedging(first: &FakeModel, second: &FakeModel) -> (Gateway, PolicyFile) {
    let policy = PolicyFile::new(FIRST);
    let config = [
        backend("a", first, ""),
        model("a/chat", 1, ""),
        backend("b", second, ""),
        model("b/chat", 2, ""),
        format!("[policies.hedging]\nlimits.deadline = \"60s\"\nsource = \"{}\"\n", policy.path().display()),
        "settings = { label = \"hedged\", hedge_after_ms = 20 }\n".to_owned(),
        "[routes.main]\npolicy = \"hedging\"\n[log]\nlevel = \"debug\"\n".to_owned(),
    ];
    (Gateway::start(&config.concat()).await, policy)
}

#[tokio::test]
async fn the_hedge_answers_and_the_abandoned_call_is_charged() {
    let (slow, quick) = (FakeModel::always(Step::hang()).await, FakeModel::saying("quick").await);
    let (gateway, _policy) = start_hedging(&slow, &quick).await;
    let answer = ask(&gateway, &chat("main", "hi")).await;
    assert_eq!(answer.text(), "quick");
    assert_eq!(answer.header("x-pointsman-route"), Some("hedged"));
    assert_eq!(answer.header("x-pointsman-model"), Some("b/chat"));
    assert_eq!(answer.header("x-pointsman-attempts"), Some("2"));
    slow.hung_up(1).await;
    let lines = usage(&gateway).await;
    let [first, second] = lines.as_slice() else { panic!("not one line for each: {lines:#?}") };
    assert_eq!((&first["model"], &first["answered"]), (&json!("a/chat"), &json!(0)));
    assert!(first["input_tokens"].as_u64() > Some(0), "the first's input counts too: {first}");
    assert_eq!((&second["model"], &second["answered"]), (&json!("b/chat"), &json!(1)));
    assert_eq!(second["input_tokens"], 7);
}

#[tokio::test]
async fn the_first_call_wins_if_it_answers_before_the_hedge() {
    let (first_gate, second_gate) = (Gate::new(), Gate::new());
    let first = FakeModel::always(Step::stream(&["first"]).wait_after(0, &first_gate)).await;
    let second = FakeModel::always(Step::stream(&["second"]).wait_after(0, &second_gate)).await;
    let (gateway, _policy) = start_hedging(&first, &second).await;
    let opener = async {
        second_gate.reached().await;
        first_gate.open();
    };
    let body = streamed("main", "hi");
    let (stream, ()) = tokio::join!(open(&gateway, &body), opener);
    assert_eq!(stream.headers["x-pointsman-model"], "a/chat");
    assert_eq!(stream.text().await, "first");
    second.hung_up(1).await;
}
