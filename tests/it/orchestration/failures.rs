//! Models that fail in the middle of a plan, invalid plans, and clients that hang up.

use pointsman_guests::{Blunder, Planned, Shape};
use pointsman_tests::{FakeModel, Gate, Step, client};
use serde_json::{Value, json};

use super::{Setup, last_text};
use crate::fleet::{ask, chat, error, open, status, streamed, usage};

/// Each task makes one call.
const ONE_CALL: &str = "max_attempts = 1";

fn shaped(shape: Shape, optional: &[usize]) -> Planned {
    Planned { shape, tasks: 2, optional: optional.to_vec(), ..Planned::default() }
}

#[tokio::test]
async fn a_required_task_that_fails_ends_the_plan_and_every_call_of_it() {
    let gate = Gate::new();
    let failing = FakeModel::builder().otherwise({
        let gate = gate.clone();
        move |_| Step::status(500).after(&gate)
    });
    let (failing, slow) = (failing.start().await, FakeModel::always(Step::hang()).await);
    let last = FakeModel::saying("never").await;
    let setup = Setup::planning(&shaped(Shape::FanOut, &[]), &[&failing, &slow, &last], ONE_CALL).await;
    let when_both_run = async {
        slow.request(1).await;
        gate.reached().await;
        gate.open();
    };
    let body = chat("main", "hi");
    let (answer, ()) = tokio::join!(ask(&setup.gateway, &body), when_both_run);
    assert_eq!(error(&answer, 502, "task_failed"), "task `t0` failed: a/chat: status 500");
    assert_eq!(answer.header("x-pointsman-tasks"), Some("3"));
    slow.hung_up(1).await;
    assert_eq!(last.requests().len(), 0);
    assert_eq!(status(&setup.gateway, "b/chat").await["in_flight"], 0);
    let lines = usage(&setup.gateway).await;
    let slow = lines.iter().find(|line| line["model"] == "b/chat").expect("what was begun is accounted");
    assert!(slow["input_tokens"].as_u64() > Some(0), "{slow}");
}

#[tokio::test]
async fn a_plan_continues_without_a_failed_optional_task() {
    let (failing, good) = (FakeModel::always(Step::status(500)).await, FakeModel::saying("from two").await);
    let last = FakeModel::saying("all in all").await;
    let setup = Setup::planning(&shaped(Shape::FanOut, &[0]), &[&failing, &good, &last], ONE_CALL).await;
    let answer = ask(&setup.gateway, &chat("main", "hi")).await;
    assert_eq!(answer.text(), "all in all");
    assert_eq!(last_text(&last.request(1).await.json()), "heard: nothing from two");

    let setup = Setup::planning(&shaped(Shape::Resume, &[0]), &[&failing, &good], ONE_CALL).await;
    let answer = ask(&setup.gateway, &chat("main", "hi")).await;
    assert_eq!(answer.text(), r#"2 tasks: t0 failed (a/chat: status 500); t1 done stop "from two" 7+2"#);
}

#[tokio::test]
async fn a_task_that_times_out_is_abandoned() {
    let (slow, good) = (FakeModel::always(Step::hang()).await, FakeModel::saying("from two").await);
    let settings = Planned { timeout_ms: Some(30), ..shaped(Shape::Compose, &[0]) };
    let setup = Setup::planning(&settings, &[&slow, &good], "").await;
    let answer = ask(&setup.gateway, &chat("main", "hi")).await;
    assert_eq!(answer.text(), "nothing;from two;");
    slow.hung_up(1).await;
}

#[tokio::test]
async fn a_backend_that_dies_in_the_middle_is_a_failed_task() {
    let (one, mut two) = (FakeModel::saying("from one").await, FakeModel::saying("from two").await);
    let last = FakeModel::saying("the end").await;
    let setup = Setup::planning(
        &Planned { shape: Shape::Chain, tasks: 2, ..Planned::default() },
        &[&one, &two, &last],
        "max_attempts = 1",
    )
    .await;
    assert_eq!(ask(&setup.gateway, &chat("main", "hi")).await.text(), "the end");
    two.go_down().await;
    let answer = ask(&setup.gateway, &chat("main", "hi")).await;
    let message = error(&answer, 502, "task_failed");
    assert!(message.starts_with("task `t1` failed: b/chat: "), "{message}");
    assert_eq!(last.requests().len(), 1);
}

#[tokio::test]
async fn an_answer_that_is_cut_ends_its_stream_with_an_error() {
    let one = FakeModel::saying("from one").await;
    let last = FakeModel::always(Step::stream(&["Hel", "lo"]).die_after(1)).await;
    let settings = Planned { shape: Shape::FanOut, tasks: 1, ..Planned::default() };
    let setup = Setup::planning(&settings, &[&one, &last], "").await;
    let events = open(&setup.gateway, &streamed("main", "hi")).await.events().await;
    assert_eq!(crate::fleet::stream_error(&events)["code"], "stream_broken");
}

#[tokio::test]
async fn a_client_that_hangs_up_ends_every_call_and_usage_is_accounted() {
    let quick = FakeModel::saying("from one").await;
    let (slow, slower) = (FakeModel::always(Step::hang()).await, FakeModel::always(Step::hang()).await);
    let settings = Planned { shape: Shape::FanOut, tasks: 3, ..Planned::default() };
    let last = FakeModel::saying("never").await;
    let more = "[log]\nlevel = \"debug\"\n";
    let setup = Setup::planning(&settings, &[&quick, &slow, &slower, &last], more).await;
    let url = setup.gateway.url("/v1/chat/completions");
    let waiting = tokio::spawn(async move { client::post(&url, &chat("main", "hi")).await });
    quick.request(1).await;
    slow.request(1).await;
    slower.request(1).await;
    waiting.abort();
    slow.hung_up(1).await;
    slower.hung_up(1).await;
    setup.gateway.logged(r#""ending":"cancelled""#).await;
    let lines = usage(&setup.gateway).await;
    let of =
        |name: &str| lines.iter().find(|line| line["model"] == name).unwrap_or_else(|| panic!("{lines:#?}"));
    for name in ["a/chat", "b/chat", "c/chat"] {
        assert!(of(name)["input_tokens"].as_u64() > Some(0), "{lines:#?}");
        assert_eq!(status(&setup.gateway, name).await["in_flight"], 0);
    }
    let cancelled: u64 = lines.iter().filter_map(|line| line["cancelled"].as_u64()).sum();
    assert_eq!(cancelled, 1);
}

#[tokio::test]
async fn an_invalid_plan_is_counted_and_handled_as_a_policy_failure() {
    let model = FakeModel::saying("hello there").await;
    for blunder in [Blunder::Cycle, Blunder::EndlessResume, Blunder::CycleInResume] {
        let setup = Setup::blundering(blunder, &[&model], "").await;
        let answer = ask(&setup.gateway, &chat("main", "hi")).await;
        assert_eq!(answer.text(), "hello there", "{blunder:?}");
        assert_eq!(answer.header("x-pointsman-policy-failure"), Some("invalid"), "{blunder:?}");
        assert_eq!(answer.header("x-pointsman-route"), Some("static"), "{blunder:?}");
        assert_eq!(answer.header("x-pointsman-policy"), None, "{blunder:?}");
        let policies = client::get(&setup.gateway.admin("/admin/policies")).await.json();
        assert_eq!(policies["policies"][0]["failures"], json!([["invalid", 1]]), "{blunder:?}");
    }
}

#[tokio::test]
async fn an_invalid_plan_is_logged_with_its_task_and_may_be_rejected() {
    let model = FakeModel::saying("hello there").await;
    let setup = Setup::blundering(Blunder::Cycle, &[&model], "on_failure = \"reject\"").await;
    let answer = ask(&setup.gateway, &chat("main", "hi")).await;
    assert_eq!(
        error(&answer, 503, "policy_failed"),
        "the policy `planner` failed (invalid), and the route rejects requests then"
    );
    setup
        .gateway
        .logged("task `chicken`: it waits for itself by way of others: chicken -> egg -> chicken")
        .await;
}

#[tokio::test]
async fn a_policy_that_fails_on_resume_hands_over_with_the_remaining_time() {
    let model = FakeModel::saying("hello there").await;
    for (blunder, reason) in [(Blunder::TrapInResume, "trap"), (Blunder::LoopInResume, "deadline")] {
        let more = "on_failure = { fallback = \"cost\" }\n[policies.cost]\nlimits.deadline = \"60s\"\nsource = \"builtin:cost\"\n";
        let setup = Setup::blundering(blunder, &[&model], more).await;
        let answer = ask(&setup.gateway, &chat("main", "hi")).await;
        assert_eq!(answer.text(), "hello there", "{blunder:?}");
        assert_eq!(answer.header("x-pointsman-policy-failure"), Some(reason));
        assert_eq!(answer.header("x-pointsman-route"), Some("cheapest"));
        assert!(answer.header("x-pointsman-policy").is_some_and(|policy| policy.starts_with("cost@")));
        assert_eq!(answer.header("x-pointsman-attempts"), Some("2"), "the plan's call is paid for too");
    }
}

#[tokio::test]
async fn a_request_that_no_single_model_can_serve_has_no_fallback() {
    let (eye, ear) = (FakeModel::saying("seen").await, FakeModel::saying("heard").await);
    let policy = crate::policy_file::PolicyFile::new(pointsman_guests::PLANNER);
    let config = crate::fleet::backend("eye", &eye, "")
        + &crate::fleet::backend("ear", &ear, "")
        + &crate::fleet::model("eye/chat", 1, "inputs = [\"text\", \"image\"]\n")
        + &crate::fleet::model("ear/chat", 1, "inputs = [\"text\", \"audio\"]\n")
        + &format!(
            "[policies.planner]\nlimits.deadline = \"60s\"\nsource = \"{}\"\ngrants = [\"outputs\"]\nsettings = {{ blunder = \"cycle\" }}\n\
             [routes.main]\npolicy = \"planner\"\n",
            policy.path().display()
        );
    let gateway = pointsman_tests::Gateway::start(&config).await;
    let mut body: Value = crate::fleet::with_picture("main", "iVBORw0KGgo=");
    let recording = json!({ "type": "input_audio", "input_audio": { "data": "UklGRg==", "format": "wav" } });
    body["messages"][0]["content"].as_array_mut().expect("parts").push(recording);
    let answer = ask(&gateway, &body).await;
    let message = error(&answer, 400, "unsupported_request");
    assert!(message.starts_with("no model of the route accepts text and image and audio, "), "{message}");
    assert_eq!(answer.header("x-pointsman-policy-failure"), Some("invalid"));
}
