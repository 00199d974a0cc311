//! Limits of a plan's resources, which its policy cannot exceed.

use pointsman_guests::{Planned, Shape};
use pointsman_tests::{FakeModel, Gate, Step};
use serde_json::json;

use super::Setup;
use crate::fleet::{ask, ask_with, chat, error};

#[tokio::test]
async fn a_task_above_the_budget_is_not_started() {
    let (one, two) = (FakeModel::saying("from one").await, FakeModel::saying("from two").await);
    let last = FakeModel::saying("never").await;
    let settings =
        Planned { shape: Shape::Chain, tasks: 2, max_output_tokens: Some(100), ..Planned::default() };
    // The first task may cost some 15 + 100 x 2 millionths, the second twice that.
    let setup = Setup::planning(&settings, &[&one, &two, &last], "plan = { max_cost = 0.0003 }").await;
    let answer = ask(&setup.gateway, &chat("main", "hi")).await;
    assert_eq!(
        error(&answer, 503, "plan_limit"),
        "task `t1` was not begun: the plan would cost more than $0.0003"
    );
    assert_eq!((one.requests().len(), two.requests().len()), (1, 0));
}

#[tokio::test]
async fn money_that_a_running_task_may_cost_stays_reserved() {
    let model = FakeModel::saying("said").await;
    let settings = Planned {
        shape: Shape::Compose,
        tasks: 2,
        optional: vec![1],
        max_output_tokens: Some(100),
        ..Planned::default()
    };
    // Each task may cost some 7 + 100 x 2 millionths, and costs 9.
    for (limits, text) in [
        ("plan = { max_cost = 0.0003 }", "said;nothing;"),
        ("plan = { max_cost = 0.0003, max_parallel = 1 }", "said;said;"),
    ] {
        let setup = Setup::planning(&settings, &[&model], limits).await;
        let answer = ask(&setup.gateway, &chat("main", "hi")).await;
        assert_eq!(answer.text(), text, "{limits}");
    }
}

#[tokio::test]
async fn no_task_is_started_once_the_tokens_are_used_up() {
    let wordy = FakeModel::saying("one two three four five six").await;
    let last = FakeModel::saying("never").await;
    let settings = Planned { shape: Shape::Chain, tasks: 1, ..Planned::default() };
    let setup = Setup::planning(&settings, &[&wordy, &last], "plan = { max_output_tokens = 6 }").await;
    let answer = ask(&setup.gateway, &chat("main", "hi")).await;
    assert_eq!(
        error(&answer, 503, "plan_limit"),
        "task `answer` was not begun: the plan has used its 6 output tokens"
    );
}

#[tokio::test]
async fn an_optional_task_above_a_limit_is_skipped() {
    let (one, two) = (FakeModel::saying("from one").await, FakeModel::saying("from two").await);
    let settings = Planned {
        shape: Shape::Compose,
        tasks: 2,
        optional: vec![1],
        max_output_tokens: Some(100),
        ..Planned::default()
    };
    let setup = Setup::planning(&settings, &[&one, &two], "plan = { max_cost = 0.0003 }").await;
    let answer = ask(&setup.gateway, &chat("main", "hi")).await;
    assert_eq!(answer.text(), "from one;nothing;");
    assert_eq!(two.requests().len(), 0);
}

#[tokio::test]
async fn tasks_beyond_the_concurrency_limit_are_queued() {
    let gate = Gate::new();
    let model = FakeModel::builder().otherwise({
        let gate = gate.clone();
        move |_| Step::answer("said").after(&gate)
    });
    let model = model.start().await;
    let settings = Planned { shape: Shape::Compose, tasks: 5, ..Planned::default() };
    let setup = Setup::planning(&settings, &[&model], "plan = { max_parallel = 2 }").await;
    let when_two_run = async {
        gate.reached_by(2).await;
        assert_eq!(model.requests().len(), 2);
        gate.open();
    };
    let body = chat("main", "hi");
    let (answer, ()) = tokio::join!(ask(&setup.gateway, &body), when_two_run);
    assert_eq!(answer.text(), "said;".repeat(5));
    assert_eq!(model.requests().len(), 5);
}

#[tokio::test]
async fn plans_with_too_many_tasks_steps_or_dependencies_follow_on_failure() {
    let model = FakeModel::saying("hello there").await;
    for (shape, tasks, limit, words) in [
        (
            Shape::Compose,
            4,
            "max_tasks = 3",
            "the plan has 4 tasks, which makes 4 for this request; at most 3 are allowed",
        ),
        (
            Shape::Chain,
            4,
            "max_depth = 3",
            "4 tasks in a row wait for one another up to it; at most 3 are allowed",
        ),
        (Shape::Resume, 1, "max_steps = 1", "the policy is still not done after 1 steps"),
    ] {
        let settings = Planned { shape, tasks, ..Planned::default() };
        let setup = Setup::planning(&settings, &[&model], &format!("plan = {{ {limit} }}")).await;
        let answer = ask(&setup.gateway, &chat("main", "hi")).await;
        assert_eq!(answer.header("x-pointsman-policy-failure"), Some("invalid"), "{limit}");
        setup.gateway.logged(words).await;
    }
}

#[tokio::test]
async fn a_deadline_in_the_middle_of_a_plan_ends_it() {
    let (one, slow) = (FakeModel::saying("from one").await, FakeModel::always(Step::hang()).await);
    let settings = Planned { shape: Shape::Chain, tasks: 2, ..Planned::default() };
    let last = FakeModel::saying("never").await;
    let setup = Setup::planning(&settings, &[&one, &slow, &last], "").await;
    let answer = ask_with(&setup.gateway, &[("x-pointsman-deadline-ms", "300")], &chat("main", "hi")).await;
    let message = error(&answer, 504, "deadline_exceeded");
    assert!(message.starts_with("no model answered within 3"), "{message}");
    assert_eq!(answer.header("x-pointsman-tasks"), Some("3"));
    slow.hung_up(1).await;
    assert_eq!(last.requests().len(), 0);
}

#[tokio::test]
async fn token_limits_of_tasks_and_of_the_client_reach_the_models() {
    let (one, last) = (FakeModel::saying("from one").await, FakeModel::saying("the end").await);
    let settings =
        Planned { shape: Shape::Chain, tasks: 1, max_output_tokens: Some(40), ..Planned::default() };
    let setup = Setup::planning(&settings, &[&one, &last], "").await;
    let mut body = chat("main", "hi");
    body["max_completion_tokens"] = json!(500);
    assert_eq!(ask(&setup.gateway, &body).await.status, 200);
    assert_eq!(
        one.request(1).await.json()["max_completion_tokens"],
        40,
        "under the name that the client uses"
    );
    assert_eq!(last.request(1).await.json()["max_completion_tokens"], 500);
}
