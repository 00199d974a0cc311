//! Spans of requests as a collector receives them.

mod content;
mod delivery;
mod plans;
mod propagation;

use pointsman_guests::FIRST;
use pointsman_tests::collector::{Collector, Span};
use pointsman_tests::{FakeModel, Gate, Gateway, Step, client};
use serde_json::{Value, json};

use crate::fleet::{ask, backend, chat, in_order, model, open, streamed};
use crate::policy_file::PolicyFile;

/// Returns the table of the collector; `more` are further keys.
fn to(collector: &Collector, more: &str) -> String {
    format!("[traces]\nendpoint = \"{}\"\n{more}\n", collector.endpoint())
}

/// Returns the only span with this name.
fn span_named<'s>(spans: &'s [Span], name: &str) -> &'s Span {
    let mut named = spans.iter().filter(|span| span.name == name);
    match (named.next(), named.next()) {
        (Some(only), None) => only,
        _ => panic!("not one span `{name}`: {spans:#?}"),
    }
}

/// Returns the spans of calls in the order of their start.
fn attempts(spans: &[Span]) -> Vec<&Span> {
    let mut attempts: Vec<&Span> = spans.iter().filter(|span| span.kind == "client").collect();
    attempts.sort_by_key(|span| span.begun);
    attempts
}

#[tokio::test]
async fn a_request_has_spans_for_itself_its_decision_and_its_call() {
    let (collector, model) = (Collector::start().await, FakeModel::saying("hello there").await);
    let gateway = Gateway::start(&in_order(&[&model], &to(&collector, ""))).await;
    let answer = ask(&gateway, &chat("main", "hi")).await;
    let spans = collector.spans_when(3).await;
    assert_eq!(spans.len(), 3, "{spans:#?}");
    let (request, decision, attempt) =
        (span_named(&spans, "chat main"), span_named(&spans, "decide cost"), span_named(&spans, "chat chat"));
    assert_eq!((request.kind, decision.kind, attempt.kind), ("server", "internal", "client"));
    assert_eq!(request.parent, None);
    for child in [decision, attempt] {
        assert_eq!((child.parent.as_ref(), &child.trace), (Some(&request.id), &request.trace));
        assert!(child.is_within(request), "{spans:#?}");
    }
    assert!(decision.ended <= attempt.begun, "{spans:#?}");

    assert_eq!(
        request.get("pointsman.decision.id"),
        answer.header("x-pointsman-decision-id").expect("an id")
    );
    assert_eq!(request.get("gen_ai.response.model"), "a/chat");
    assert_eq!(
        (request.get("pointsman.ending"), request.get("pointsman.attempts")),
        (&json!("answered"), &json!(1))
    );
    let cost = answer.header("x-pointsman-cost-usd").and_then(|cost| cost.parse::<f64>().ok());
    assert_eq!(attempt.get("pointsman.cost_usd").as_f64(), cost);
    assert_eq!(request.get("pointsman.cost_usd").as_f64(), cost);
    assert!(request.get("pointsman.added_ms").as_f64() > Some(0.0), "{request:#?}");
    assert_eq!(request.get("gen_ai.usage.input_tokens"), &Value::Null, "tokens are the calls' own");

    assert_eq!(attempt.get("gen_ai.operation.name"), "chat");
    assert_eq!(
        (attempt.get("gen_ai.request.model"), attempt.get("pointsman.model")),
        (&json!("chat"), &json!("a/chat"))
    );
    assert_eq!(
        (attempt.get("gen_ai.usage.input_tokens"), attempt.get("gen_ai.usage.output_tokens")),
        (&json!(7), &json!(2))
    );
    let (host, port) = model
        .authority()
        .split_once(':')
        .map(|(host, port)| (host.to_owned(), port.to_owned()))
        .expect("a port");
    assert_eq!(attempt.get("server.address"), host.as_str());
    assert_eq!(attempt.get("server.port").to_string(), port);
    assert_eq!(decision.get("pointsman.targets"), &json!(["a/chat"]));
    assert_eq!(decision.get("pointsman.candidates"), 1);
    assert_eq!(decision.get("pointsman.policy"), "cost");
    assert_eq!(request.resource["service.name"], "pointsman");
    assert!(spans.iter().all(|span| span.error.is_none() && span.events.is_empty() && span.links.is_empty()));
}

#[tokio::test]
async fn a_span_of_a_stream_lasts_to_its_end_and_has_the_time_of_the_first_content() {
    let (collector, gate) = (Collector::start().await, Gate::new());
    let model = FakeModel::always(Step::stream(&["some ", "words"]).wait_after(1, &gate)).await;
    let gateway = Gateway::start(&in_order(&[&model], &to(&collector, ""))).await;
    let stream = open(&gateway, &streamed("main", "hi")).await;
    gate.open();
    assert_eq!(stream.text().await, "some words");
    let spans = collector.spans_when(3).await;
    let (request, attempt) = (span_named(&spans, "chat main"), attempts(&spans)[0]);
    assert!(attempt.is_within(request), "{spans:#?}");
    for span in [request, attempt] {
        assert_eq!(span.get("gen_ai.request.stream"), true);
        let first = span.get("gen_ai.response.time_to_first_chunk").as_f64().expect("a time");
        let whole = (span.ended - span.begun) as f64 / 1e9;
        assert!(first > 0.0 && first < whole, "{span:#?}");
    }
    assert_eq!(attempt.get("gen_ai.usage.output_tokens"), 2);
}

#[tokio::test]
async fn a_failed_call_has_a_span_with_its_error_and_the_next_one_links_to_it() {
    let collector = Collector::start().await;
    let (failing, model) = (FakeModel::always(Step::status(500)).await, FakeModel::saying("hello").await);
    let gateway = Gateway::start(&in_order(&[&failing, &model], &to(&collector, ""))).await;
    assert_eq!(ask(&gateway, &chat("main", "hi")).await.text(), "hello");
    let spans = collector.spans_when(4).await;
    let [first, second] = attempts(&spans)[..] else { panic!("not two calls: {spans:#?}") };
    assert_eq!((first.error.as_deref(), first.get("error.type")), (Some("status 500"), &json!("500")));
    assert_eq!(
        (first.get("http.response.status_code"), first.get("pointsman.result")),
        (&json!(500), &json!("failed"))
    );
    assert_eq!((&second.error, second.get("pointsman.result")), (&None, &json!("answered")));
    assert_eq!(second.links, [(first.id.clone(), json!("fallback"))]);
    assert!(first.ended <= second.begun, "{spans:#?}");
    let request = span_named(&spans, "chat main");
    let [event] = &request.events[..] else { panic!("not one event: {request:#?}") };
    assert_eq!((event.name.as_str(), event.at), ("pointsman.fallback", second.begun));
    assert_eq!(
        (&event.attributes["pointsman.from"], &event.attributes["pointsman.to"]),
        (&json!("a/chat"), &json!("b/chat"))
    );
    assert_eq!(event.attributes["error.type"], "500");
    assert_eq!(request.error, None, "the client has its answer");
}

#[tokio::test]
async fn a_request_that_no_model_answered_is_an_error() {
    let (collector, failing) = (Collector::start().await, FakeModel::always(Step::status(500)).await);
    let gateway = Gateway::start(&in_order(&[&failing], &to(&collector, ""))).await;
    assert_eq!(ask(&gateway, &chat("main", "hi")).await.status, 502);
    let spans = collector.spans_when(3).await;
    let request = span_named(&spans, "chat main");
    assert_eq!(
        (request.get("pointsman.ending"), request.get("error.type")),
        (&json!("failed"), &json!("backend"))
    );
    assert!(request.error.as_ref().is_some_and(|error| error.contains("a/chat")), "{request:#?}");
}

#[tokio::test]
async fn a_hedge_has_a_span_that_links_to_the_first_call() {
    let (collector, policy) = (Collector::start().await, PolicyFile::new(FIRST));
    let (slow, quick) = (FakeModel::always(Step::hang()).await, FakeModel::saying("quick").await);
    let config = [
        backend("a", &slow, ""),
        model("a/chat", 1, ""),
        backend("b", &quick, ""),
        model("b/chat", 2, ""),
        format!("[policies.hedging]\nlimits.deadline = \"60s\"\nsource = \"{}\"\n", policy.path().display()),
        "settings = { label = \"hedged\", hedge_after_ms = 20 }\n".to_owned(),
        "[routes.main]\npolicy = \"hedging\"\n".to_owned(),
        to(&collector, ""),
    ];
    let gateway = Gateway::start(&config.concat()).await;
    assert_eq!(ask(&gateway, &chat("main", "hi")).await.text(), "quick");
    let spans = collector.spans_when(4).await;
    let [first, second] = attempts(&spans)[..] else { panic!("not two calls: {spans:#?}") };
    assert_eq!((first.get("pointsman.result"), &first.error), (&json!("cancelled"), &None));
    assert_eq!(second.links, [(first.id.clone(), json!("hedge"))]);
    assert!(first.begun < second.begun && second.begun < first.ended, "{spans:#?}");
    let decision = span_named(&spans, "decide hedging");
    assert_eq!(decision.get("pointsman.hedge_after_ms"), 20.0);
    assert_eq!(span_named(&spans, "chat main").events[0].name, "pointsman.hedge");
}

#[tokio::test]
async fn a_failed_policy_has_a_span_and_so_does_its_fallback() {
    use pointsman_guests::{HOSTILE, Misdeed, misbehaving};
    let (collector, policy) = (Collector::start().await, PolicyFile::new(HOSTILE));
    let fake = FakeModel::saying("hello").await;
    let config = backend("a", &fake, "")
        + &model("a/chat", 1, "")
        + &format!(
            "[policies.bad]\nlimits.deadline = \"60s\"\nsource = \"{}\"\nsettings = {}\n[routes.main]\npolicy = \"bad\"\n{}",
            policy.path().display(),
            crate::policy_failures::inline(&misbehaving(Misdeed::Trap)),
            to(&collector, ""),
        );
    let gateway = Gateway::start(&config).await;
    assert_eq!(ask(&gateway, &chat("main", "hi")).await.text(), "hello");
    let spans = collector.spans_when(4).await;
    let (bad, instead) = (span_named(&spans, "decide bad"), span_named(&spans, "decide in order"));
    assert_eq!((bad.get("pointsman.answer"), bad.get("error.type")), (&json!("failure"), &json!("trap")));
    assert!(bad.error.is_some() && bad.ended <= instead.begun, "{spans:#?}");
    assert_eq!(
        (instead.get("pointsman.answer"), instead.get("pointsman.policy")),
        (&json!("route"), &Value::Null)
    );
}

#[tokio::test]
async fn a_client_that_hangs_up_ends_the_spans() {
    let (collector, gate) = (Collector::start().await, Gate::new());
    let model = FakeModel::builder().then(Step::answer("too late").after(&gate)).start().await;
    let gateway = Gateway::start(&in_order(&[&model], &to(&collector, ""))).await;
    let url = gateway.url("/v1/chat/completions");
    let waiting = tokio::spawn(async move { client::post(&url, &chat("main", "hi")).await });
    gate.reached().await;
    waiting.abort();
    let spans = collector.spans_when(3).await;
    let (request, attempt) = (span_named(&spans, "chat main"), attempts(&spans)[0]);
    assert_eq!(
        (request.get("pointsman.ending"), attempt.get("pointsman.result")),
        (&json!("cancelled"), &json!("cancelled"))
    );
    assert!(attempt.is_within(request) && request.error.is_none() && attempt.error.is_none(), "{spans:#?}");
}
