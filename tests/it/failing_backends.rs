//! Failing backends: another model takes over before the first content, and later failures are
//! reported to the client.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use pointsman_tests::{FakeModel, Gate, Gateway, Step, client};
use serde_json::{Value, json};

use crate::fleet::{
    ask, backend, built_in, chat, error, in_order, model, open, status, stream_error, streamed, text_of,
    usage,
};

/// Starts a gateway with a model that fails as scripted for its first request, and one that
/// always answers.
async fn start_with_failing_first(step: Step, more: &str) -> (FakeModel, FakeModel, Gateway) {
    let failing = FakeModel::builder().then(step).start().await;
    let good = FakeModel::saying("from the other").await;
    let gateway = Gateway::start(&in_order(&[&failing, &good], more)).await;
    (failing, good, gateway)
}

/// Fails unless the other model answers, whole and streamed.
async fn assert_other_takes_over(step: Step, more: &str) {
    for streaming in [false, true] {
        let (failing, _good, gateway) = start_with_failing_first(step.clone(), more).await;
        let mut body = chat("main", "hi");
        body["stream"] = streaming.into();
        let stream = open(&gateway, &body).await;
        assert_eq!(stream.status, 200);
        assert_eq!(stream.headers["x-pointsman-model"], "b/chat");
        assert_eq!(stream.headers["x-pointsman-attempts"], "2");
        let text = if streaming { stream.text().await } else { stream.whole().await.text() };
        assert_eq!(text, "from the other");
        assert_eq!(failing.requests().len(), 1);
        let lines = usage(&gateway).await;
        let answered: Vec<&Value> = lines.iter().filter(|line| line["answered"] == 1).collect();
        assert_eq!(answered.len(), 1, "{lines:#?}");
        assert_eq!(answered[0]["model"], "b/chat");
    }
}

#[tokio::test]
async fn a_connection_that_closes_without_an_answer_is_a_failed_attempt() {
    assert_other_takes_over(Step::drop_connection(), "").await;
}

#[tokio::test]
async fn a_server_error_is_a_failed_attempt() {
    assert_other_takes_over(Step::status(500), "").await;
}

#[tokio::test]
async fn a_rejected_backend_key_is_a_failed_attempt() {
    assert_other_takes_over(Step::status(401), "").await;
}

#[tokio::test]
async fn a_rate_limit_leads_to_another_model_at_once() {
    assert_other_takes_over(Step::status(429).header("retry-after", "3000"), "").await;
}

#[tokio::test]
async fn an_answer_that_is_cut_before_its_content_is_a_failed_attempt() {
    assert_other_takes_over(Step::stream(&["lost"]).die_after(0), "").await;
}

#[tokio::test]
async fn silence_is_a_failed_attempt() {
    let (silent, _good, gateway) = start_with_failing_first(Step::hang(), "attempt_timeout = \"1s\"\n").await;
    let answer = ask(&gateway, &chat("main", "hi")).await;
    assert_eq!(answer.text(), "from the other");
    assert_eq!(answer.header("x-pointsman-attempts"), Some("2"));
    silent.hung_up(1).await;
    // Its input may have been worked on: 5 estimated tokens at $1, then 7 at $2 and 3 at $4 a million.
    let cost: f64 = answer.header("x-pointsman-cost-usd").and_then(|cost| cost.parse().ok()).expect("a cost");
    assert!(cost > 0.000_026, "{cost}");
}

#[tokio::test]
async fn a_backend_that_refuses_connections_is_skipped() {
    let (mut down, good) = (FakeModel::saying("back").await, FakeModel::saying("from the other").await);
    down.go_down().await;
    let gateway = Gateway::start(&in_order(&[&down, &good], "")).await;
    let answer = ask(&gateway, &chat("main", "hi")).await;
    assert_eq!(answer.text(), "from the other");
    assert_eq!(answer.header("x-pointsman-attempts"), Some("2"));

    let answer = ask(&gateway, &chat("a/chat", "hi")).await;
    let message = error(&answer, 502, "all_models_failed");
    assert_eq!(message, format!("no model answered: {}", ["a/chat: cannot connect"; 3].join("; ")));
    down.come_back().await;
    assert_eq!(ask(&gateway, &chat("a/chat", "hi")).await.text(), "back");
}

#[tokio::test]
async fn if_all_models_fail_the_client_gets_the_reasons() {
    let (one, two) =
        (FakeModel::always(Step::status(500)).await, FakeModel::always(Step::drop_connection()).await);
    let gateway = Gateway::start(&in_order(&[&one, &two], "")).await;
    let answer = ask(&gateway, &chat("main", "hi")).await;
    let message = error(&answer, 502, "all_models_failed");
    assert!(
        message.starts_with("no model answered: a/chat: status 500; b/chat: unusable answer: "),
        "{message}"
    );
    assert_eq!(answer.header("x-pointsman-attempts"), Some("3"), "the first is retried");
    assert_eq!(usage(&gateway).await[0]["failed"], 1);
}

#[tokio::test]
async fn the_only_model_is_retried_after_a_rate_limit() {
    let step = Step::status(429).header("retry-after-ms", "1");
    let model = FakeModel::builder().then(step.clone()).then(step).start().await;
    let gateway = Gateway::start(&in_order(&[&model], "")).await;
    let answer = ask(&gateway, &chat("main", "hi")).await;
    assert_eq!(answer.text(), "hello there");
    assert_eq!(answer.header("x-pointsman-attempts"), Some("3"));
    assert_eq!(model.requests().len(), 3);
    assert_eq!(status(&gateway, "a/chat").await["error_rate"], 0.0, "a rate limit is no fault");
}

#[tokio::test]
async fn if_all_models_are_rate_limited_the_client_gets_a_retry_time() {
    let one = FakeModel::always(Step::status(429).header("retry-after", "60")).await;
    let two = FakeModel::always(Step::status(429).header("retry-after", "40")).await;
    let gateway = Gateway::start(&in_order(&[&one, &two], "timeout = \"30s\"\n")).await;
    let answer = ask(&gateway, &chat("main", "hi")).await;
    let message = error(&answer, 429, "rate_limit_exceeded");
    assert_eq!(message, "no model answered: a/chat: status 429; b/chat: status 429");
    assert_eq!(answer.header("retry-after"), Some("40"));
    assert_eq!(answer.json()["error"]["type"], "rate_limit_error");
}

#[tokio::test]
async fn the_rejection_of_a_bad_request_reaches_the_client_without_another_attempt() {
    let (picky, other) = (FakeModel::always(Step::status(400)).await, FakeModel::saying("hello there").await);
    let gateway = Gateway::start(&in_order(&[&picky, &other], "")).await;
    for body in [chat("main", "hi"), streamed("main", "hi")] {
        let answer = ask(&gateway, &body).await;
        assert_eq!(answer.status, 400);
        assert_eq!(answer.header("content-type"), Some("application/json"));
        let words = json!({ "message": "fake 400", "type": "fake", "param": null, "code": null });
        assert_eq!(answer.json(), json!({ "error": words }));
        assert_eq!(answer.header("x-pointsman-attempts"), Some("1"));
    }
    assert_eq!(other.requests().len(), 0);
    assert_eq!(status(&gateway, "a/chat").await["healthy"], true);
}

#[tokio::test]
async fn an_invalid_body_is_a_failed_attempt() {
    let good = FakeModel::saying("from the other").await;
    let nonsense = [
        Step::bytes("application/json", "this is not JSON"),
        Step::bytes("application/json", ""),
        Step::bytes("application/json", r#"{"choices":[{"message":{"content":"cut o"#),
        Step::json(&json!({ "hello": "world" })),
        Step::json(&json!([1, 2, 3])),
        Step::bytes("text/html", "<html><body>Please log in</body></html>"),
        Step::bytes("application/json", &b"\xff\xfe\x00"[..]),
        Step::huge((64 << 20) + 1),
    ];
    let calls = nonsense.len();
    // A success in between keeps the model healthy.
    let script = nonsense.into_iter().flat_map(|step| [step, Step::answer("sense")]);
    let odd = script.fold(FakeModel::builder(), pointsman_tests::Builder::then).start().await;
    let gateway = Gateway::start(&in_order(&[&odd, &good], "")).await;
    for call in 0..calls {
        let answer = ask(&gateway, &chat("main", "hi")).await;
        assert_eq!((call, answer.text().as_str()), (call, "from the other"));
        assert_eq!(ask(&gateway, &chat("main", "hi")).await.text(), "sense");
    }
}

#[tokio::test]
async fn an_invalid_stream_is_a_failed_attempt() {
    let good = FakeModel::saying("from the other").await;
    let nonsense = [
        Step::answer("not streamed"),
        Step::bytes("text/event-stream", ""),
        Step::bytes("text/event-stream", "data: this is not JSON\n\n"),
        Step::bytes("text/event-stream", "<html><body>Please log in</body></html>"),
        Step::bytes("text/event-stream", "data: {\"error\":{\"message\":\"overloaded\"}}\n\n"),
        Step::stream(&["never"]).die_after(0),
    ];
    let calls = nonsense.len();
    let script = nonsense.into_iter().flat_map(|step| [step, Step::stream(&["sense"])]);
    let odd = script.fold(FakeModel::builder(), pointsman_tests::Builder::then).start().await;
    let gateway = Gateway::start(&in_order(&[&odd, &good], "")).await;
    for call in 0..calls {
        let text = open(&gateway, &streamed("main", "hi")).await.text().await;
        assert_eq!((call, text.as_str()), (call, "from the other"));
        assert_eq!(open(&gateway, &streamed("main", "hi")).await.text().await, "sense");
    }
}

#[tokio::test]
async fn a_count_that_cannot_be_true_is_estimated() {
    let counts = ["18446744073709551615", "18446744073709551616", "100000001", "1e308", "-1", "\"7\"", "[1]"];
    let answer = |count: &str| {
        let usage = format!("{{\"prompt_tokens\":{count},\"completion_tokens\":{count}}}");
        let message = r#"{"role":"assistant","content":"hello"}"#;
        let choice = format!(r#"{{"index":0,"message":{message},"finish_reason":"stop"}}"#);
        Step::bytes("application/json", format!(r#"{{"choices":[{choice}],"usage":{usage}}}"#))
    };
    let script = counts.iter().fold(FakeModel::builder(), |script, count| script.then(answer(count)));
    let liar = script.start().await;
    let gateway = Gateway::start(&in_order(&[&liar], "")).await;
    for _ in counts {
        assert_eq!(ask(&gateway, &chat("main", "hi")).await.text(), "hello");
    }
    let line = &usage(&gateway).await[0];
    assert_eq!(line["answered"], counts.len());
    assert!(line["input_tokens"].as_u64() < Some(1000), "{line}");
    assert!(line["output_tokens"].as_u64() < Some(1000), "{line}");
}

/// Fails unless the client gets `Hel`, then an error in the stream's own format, without a call
/// of another model.
async fn assert_stream_breaks(step: Step, why: &str, more: &str) {
    let (_failing, other, gateway) = start_with_failing_first(step, more).await;
    let stream = open(&gateway, &streamed("main", "hi")).await;
    assert_eq!(
        (stream.status.as_u16(), &stream.headers["x-pointsman-model"]),
        (200, &"a/chat".parse().expect("text"))
    );
    let events = stream.events().await;
    assert_eq!(text_of(&events), "Hel");
    let error = stream_error(&events);
    assert_eq!(error["code"], "stream_broken");
    let message = error["message"].as_str().expect("a message");
    assert!(message.starts_with(why), "{message}");
    assert_eq!(other.requests().len(), 0);
    let line = &usage(&gateway).await[0];
    assert_eq!((&line["failed"], &line["model"]), (&json!(1), &json!("a/chat")));
    assert!(line["output_tokens"].as_u64() > Some(0), "what was sent is paid for: {line}");
    assert!(status(&gateway, "a/chat").await["error_rate"].as_f64() > Some(0.0));
}

#[tokio::test]
async fn a_broken_stream_is_reported_to_the_client_and_not_retried() {
    assert_stream_breaks(Step::stream(&["Hel", "lo"]).die_after(1), "the model's answer broke off: ", "")
        .await;
}

#[tokio::test]
async fn a_truncated_stream_is_reported_to_the_client() {
    let chunk = json!({ "id": "x", "choices": [{ "index": 0, "delta": { "content": "Hel" } }] });
    let step = Step::bytes("text/event-stream", format!("data: {chunk}\n\n"));
    assert_stream_breaks(step, "the model's answer ended before it was complete", "").await;
}

#[tokio::test]
async fn a_stalled_stream_is_reported_to_the_client() {
    let step = Step::stream(&["Hel", "lo"]).wait_after(1, &Gate::new());
    assert_stream_breaks(step, "the model sent nothing for ", "attempt_timeout = \"1s\"\n").await;
}

#[tokio::test]
async fn a_failing_model_is_excluded_until_a_probe_succeeds() {
    let (up, probe) = (Arc::new(AtomicBool::new(false)), Gate::new());
    let script = {
        let (up, probe) = (Arc::clone(&up), probe.clone());
        move |request: &pointsman_tests::Request| match (request.path.as_str(), up.load(Ordering::SeqCst)) {
            ("/v1/models", _) => Step::says(request, "").after(&probe),
            (_, false) => Step::status(500),
            (_, true) => Step::says(request, "back"),
        }
    };
    let flaky = FakeModel::builder().otherwise(script).start().await;
    let good = FakeModel::saying("from the other").await;
    let config = [
        backend("a", &flaky, "health = { interval = \"1ms\", timeout = \"60s\" }"),
        model("a/chat", 1, ""),
        backend("b", &good, ""),
        model("b/chat", 2, ""),
        built_in("cost", ""),
        "[routes.main]\npolicy = \"cost\"\n".to_owned(),
    ];
    let gateway = Gateway::start(&config.concat()).await;
    let attempts = async || {
        let answer = ask(&gateway, &chat("main", "hi")).await;
        assert_eq!(answer.text(), "from the other");
        answer.header("x-pointsman-attempts").expect("a count").to_owned()
    };
    assert_eq!(
        [attempts().await, attempts().await, attempts().await, attempts().await],
        ["2", "2", "2", "1"]
    );

    up.store(true, Ordering::SeqCst);
    probe.open();
    // By the second probe the first one has been taken note of.
    let probed = |requests: &[pointsman_tests::Request]| {
        requests.iter().filter(|seen| seen.path == "/v1/models").count()
    };
    let mut seen = flaky.requests().len();
    while probed(&flaky.requests()) < 2 {
        seen += 1;
        flaky.request(seen).await;
    }
    assert_eq!(status(&gateway, "a/chat").await["healthy"], true);
    assert_eq!(ask(&gateway, &chat("main", "hi")).await.text(), "back");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_fleet_answers_all_requests_while_one_of_its_models_fails_often() {
    const CLIENTS: usize = 10;
    const REQUESTS: usize = 200;
    let count = AtomicUsize::new(0);
    let often = move |request: &pointsman_tests::Request| match count.fetch_add(1, Ordering::SeqCst) % 10 {
        2 => Step::status(500),
        5 => Step::drop_connection(),
        8 => Step::bytes("application/json", "nonsense"),
        _ => Step::says(request, "from the one that fails"),
    };
    let often = FakeModel::builder().otherwise(often).start().await;
    let (two, three) = (FakeModel::saying("from two").await, FakeModel::saying("from three").await);
    let gateway = Arc::new(Gateway::start(&in_order(&[&often, &two, &three], "")).await);
    let clients: Vec<_> =
        (0..CLIENTS).map(|_| tokio::spawn(send_many(Arc::clone(&gateway), REQUESTS))).collect();
    for client in clients {
        client.await.expect("every request was answered");
    }
    let lines = usage(&gateway).await;
    let sum = |name: &str| lines.iter().filter_map(|line| line[name].as_u64()).sum::<u64>();
    assert_eq!((sum("answered"), sum("failed"), sum("cancelled")), (2000, 0, 0));
    assert!(lines.len() > 1, "others took over: {lines:#?}");
}

async fn send_many(gateway: Arc<Gateway>, requests: usize) {
    let body: Value = chat("main", "hi");
    for _ in 0..requests {
        let answer = client::post(&gateway.url("/v1/chat/completions"), &body).await;
        assert_eq!(answer.status, 200, "{}", String::from_utf8_lossy(&answer.body));
        assert!(answer.text().starts_with("from "));
    }
}
