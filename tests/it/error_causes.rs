//! Errors of backends: their causes and consequences.

use pointsman_tests::{FakeModel, Gate, Gateway, Step};
use serde_json::{Value, json};

use crate::fleet::{
    ask, backend, built_in, chat, error, in_order, model, open, status, streamed, text_of, usage,
};

fn refusal(status: u16, code: &str, message: &str) -> Step {
    let error = json!({ "message": message, "type": "invalid_request_error", "param": null, "code": code });
    Step::json(&json!({ "error": error })).with_status(status)
}

fn too_long() -> Step {
    refusal(400, "context_length_exceeded", "This model's maximum context length is 4096 tokens.")
}

#[tokio::test]
async fn a_request_that_one_model_cannot_serve_goes_to_the_next() {
    for step in [
        too_long(),
        refusal(400, "unsupported_parameter", "Unsupported parameter: 'seed'"),
        refusal(400, "", "Your credit balance is too low"),
        Step::bytes("text/html", "<html>Request Entity Too Large</html>").with_status(413),
    ] {
        let (first, second) = (FakeModel::always(step.clone()).await, FakeModel::saying("Ho").await);
        let gateway = Gateway::start(&in_order(&[&first, &second], "")).await;
        for body in [chat("main", "hi"), streamed("main", "hi")] {
            let answer = open(&gateway, &body).await;
            assert_eq!(answer.headers["x-pointsman-model"], "b/chat", "{step:?}");
        }
        assert_eq!(first.requests().len(), 2, "it is not retried");
    }
}

#[tokio::test]
async fn an_error_about_the_request_itself_reaches_the_client() {
    let (first, second) = (FakeModel::always(too_long()).await, FakeModel::always(too_long()).await);
    let gateway = Gateway::start(&in_order(&[&first, &second], "")).await;
    let answer = ask(&gateway, &chat("main", "hi")).await;
    error(&answer, 400, "context_length_exceeded");
    assert_eq!(answer.header("x-pointsman-attempts"), Some("2"));
    for id in ["a/chat", "b/chat"] {
        assert_eq!(status(&gateway, id).await["error_rate"], 0.0);
    }
}

#[tokio::test]
async fn a_request_that_another_model_might_serve_may_be_retried_by_the_client() {
    let (first, second) = (FakeModel::always(too_long()).await, FakeModel::always(Step::status(503)).await);
    let gateway = Gateway::start(&in_order(&[&first, &second], "")).await;
    error(&ask(&gateway, &chat("main", "hi")).await, 502, "all_models_failed");
}

#[tokio::test]
async fn an_error_keeps_its_status_however_long_or_slow_it_is() {
    let quoted = refusal(422, "", &format!("1 validation error: input was {}", "x".repeat(300_000)));
    let slow = Step::chunks("application/json", ["{\"error\":{\"message\":\"bad\",", "\"code\":null}}"])
        .with_status(422)
        .wait_after(1, &Gate::new());
    for step in [quoted, slow] {
        let (first, second) = (FakeModel::always(step).await, FakeModel::saying("Ho").await);
        let gateway = Gateway::start(&in_order(&[&first, &second], "")).await;
        let answer = ask(&gateway, &chat("main", "hi")).await;
        let message = error(&answer, 422, "backend_error");
        assert!(
            message.starts_with("the model's server answered with status 422: {\"error\":{"),
            "{message}"
        );
        assert!(answer.body.len() < 2_000);
        assert_eq!(second.requests().len(), 0);
        assert_eq!(status(&gateway, "a/chat").await["error_rate"], 0.0);
    }
}

#[tokio::test]
async fn a_rate_limited_model_is_not_called_while_another_can_serve() {
    for step in [Step::status(429), Step::status(503), refusal(400, "", "Too many requests")] {
        let resting = FakeModel::always(step.header("retry-after", "600")).await;
        let good = FakeModel::builder()
            .then(Step::answer("Ho"))
            .then(Step::answer("Ho"))
            .otherwise(|_| Step::status(401))
            .start()
            .await;
        let gateway = Gateway::start(&in_order(&[&resting, &good], "")).await;
        for attempts in ["2", "1"] {
            let answer = ask(&gateway, &chat("main", "hi")).await;
            assert_eq!(answer.text(), "Ho");
            assert_eq!(answer.header("x-pointsman-attempts"), Some(attempts));
        }
        assert_eq!(status(&gateway, "a/chat").await["resting"], true);
        // When all else has failed, it is called again.
        assert_eq!(ask(&gateway, &chat("main", "hi")).await.header("x-pointsman-attempts"), Some("2"));
        assert_eq!(resting.requests().len(), 2);
    }
}

#[tokio::test]
async fn a_success_ends_the_pause_of_a_rate_limited_model() {
    let step = Step::status(429).header("retry-after", "600");
    let model = FakeModel::builder().then(step).start().await;
    let gateway = Gateway::start(&in_order(&[&model], "max_attempts = 1\n")).await;
    error(&ask(&gateway, &chat("main", "hi")).await, 429, "rate_limit_exceeded");
    assert_eq!(ask(&gateway, &chat("a/chat", "hi")).await.text(), "hello there");
    assert_eq!(status(&gateway, "a/chat").await["resting"], false);
}

/// Rejects the member that requests usage, as strict servers do.
fn reject_stream_options(request: &pointsman_tests::Request) -> Step {
    let body = request.json();
    if body.get("stream_options").is_none() {
        return Step::says(request, "hello there");
    }
    let detail = json!([{ "type": "extra_forbidden", "loc": ["body", "stream_options"] }]);
    Step::json(&json!({ "detail": detail })).with_status(422)
}

#[tokio::test]
async fn a_backend_that_rejects_stream_options_is_called_without_them_from_then_on() {
    let model = FakeModel::builder().otherwise(reject_stream_options).start().await;
    let gateway = Gateway::start(&in_order(&[&model], "")).await;
    for requests in [2, 3] {
        let answer = open(&gateway, &streamed("main", "hi")).await;
        assert_eq!(answer.headers["x-pointsman-attempts"], "1");
        assert_eq!(text_of(&answer.events().await), "hello there");
        assert_eq!(model.requests().len(), requests);
    }
    assert_eq!(status(&gateway, "a/chat").await["error_rate"], 0.0);
    assert!(usage(&gateway).await[0]["output_tokens"].as_u64() > Some(0), "it is estimated");
    let mut own = streamed("main", "hi");
    own["stream_options"] = json!({ "include_usage": true });
    assert_eq!(ask(&gateway, &own).await.status, 422, "the client requested it");
}

#[tokio::test]
async fn a_backend_can_be_configured_to_report_no_usage_of_streams() {
    let server = FakeModel::builder().otherwise(reject_stream_options).start().await;
    let config = [
        backend("a", &server, "stream_usage = false\n"),
        model("a/chat", 1, ""),
        built_in("cost", ""),
        "[routes.main]\npolicy = \"cost\"\n".to_owned(),
    ];
    let gateway = Gateway::start(&config.concat()).await;
    let answer = open(&gateway, &streamed("main", "hi")).await;
    assert_eq!(text_of(&answer.events().await), "hello there");
    let sent = server.requests();
    assert_eq!(sent.len(), 1);
    assert_eq!(sent[0].json().get("stream_options"), None::<&Value>);
}
