//! The time limits of a call, each with its own meaning.

use pointsman_tests::{FakeModel, Gate, Gateway, Step};

use crate::fleet::{ask, chat, error, in_order, open, status, streamed, text_of};

/// Sends requests to a route with a limit and a second model behind the one that exceeds it.
async fn assert_next_model_answers(step: Step, limit: &str, streaming: bool) {
    let (slow, other) = (FakeModel::always(step).await, FakeModel::saying("Ho").await);
    let gateway = Gateway::start(&in_order(&[&slow, &other], &format!("{limit}\n"))).await;
    let mut body = chat("main", "hi");
    body["stream"] = streaming.into();
    let answer = open(&gateway, &body).await;
    assert_eq!(answer.headers["x-pointsman-model"], "b/chat", "{limit}");
    slow.hung_up(1).await;
}

fn role() -> Step {
    Step::stream(&["", "Hi"])
}

#[tokio::test]
async fn each_limit_ends_its_own_wait() {
    let never = Gate::new;
    assert_next_model_answers(Step::hang(), "attempt_timeout = \"50ms\"", false).await;
    assert_next_model_answers(role().wait_after(1, &never()), "silence_timeout = \"50ms\"", true).await;
    assert_next_model_answers(role().wait_after(1, &never()), "first_content_timeout = \"50ms\"", true).await;
    assert_next_model_answers(role().wait_after(1, &never()), "answer_timeout = \"50ms\"", true).await;
    let blank = Step::chunks("application/json", ["\n", "{}"]).wait_after(1, &never());
    assert_next_model_answers(blank, "first_content_timeout = \"50ms\"", false).await;
    let halves = Step::chunks("application/json", ["{\"choices\":", "[]}"]);
    assert_next_model_answers(halves.clone().wait_after(1, &never()), "silence_timeout = \"50ms\"", false)
        .await;
    assert_next_model_answers(halves.wait_after(1, &never()), "answer_timeout = \"50ms\"", false).await;
}

#[tokio::test]
async fn a_stream_that_exceeds_a_limit_after_its_first_content_is_cut() {
    for (limit, why) in [
        ("silence_timeout = \"50ms\"", "the model sent nothing for 50 ms"),
        ("answer_timeout = \"50ms\"", "the model gave no complete answer within 50 ms"),
    ] {
        let model = FakeModel::always(Step::stream(&["Hi", "Ho"]).wait_after(1, &Gate::new())).await;
        let gateway = Gateway::start(&in_order(&[&model], &format!("{limit}\n"))).await;
        let events = open(&gateway, &streamed("main", "hi")).await.events().await;
        assert_eq!(crate::fleet::stream_error(&events)["message"], why);
        model.hung_up(1).await;
    }
}

#[tokio::test]
async fn an_answer_that_has_begun_may_take_longer_than_its_beginning() {
    let more = "attempt_timeout = \"50ms\"\nsilence_timeout = \"60s\"\nmax_attempts = 1\n";
    let halves = ["{\"choices\":[{\"message\":", "{\"content\":\"Hi\"},\"finish_reason\":\"stop\"}]}"];
    for step in [Step::chunks("application/json", halves), role()] {
        let gate = Gate::new();
        let streaming = step.is_event_stream();
        let slow =
            FakeModel::builder().then(step.wait_after(1, &gate)).otherwise(|_| Step::hang()).start().await;
        let gateway = Gateway::start(&in_order(&[&slow], more)).await;
        let mut body = chat("main", "hi");
        body["stream"] = streaming.into();
        let answer = async {
            let answer = open(&gateway, &body).await;
            assert_eq!(answer.status, 200);
            if streaming { text_of(&answer.events().await) } else { answer.whole().await.text() }
        };
        let later = async {
            gate.reached().await;
            // Another call of the same patience is given up first.
            error(&ask(&gateway, &chat("main", "hi")).await, 502, "all_models_failed");
            gate.open();
        };
        let (answer, ()) = tokio::join!(answer, later);
        assert_eq!(answer, "Hi");
    }
}

#[tokio::test]
async fn a_route_with_short_limits_affects_no_other() {
    for limit in ["silence_timeout", "first_content_timeout", "answer_timeout"] {
        let slow = FakeModel::always(role().wait_after(1, &Gate::new())).await;
        let hasty = format!("[routes.hasty]\npolicy = \"cost\"\nmax_attempts = 1\n{limit} = \"10ms\"\n");
        let gateway = Gateway::start(&in_order(&[&slow], &hasty)).await;
        for _ in 0..4 {
            error(&ask(&gateway, &streamed("hasty", "hi")).await, 502, "all_models_failed");
        }
        let model = status(&gateway, "a/chat").await;
        assert_eq!(
            (&model["healthy"], &model["error_rate"]),
            (&true.into(), &0.0.into()),
            "{limit}: {model}"
        );
    }
}
