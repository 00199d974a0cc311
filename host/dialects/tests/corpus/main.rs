//! The dialects over recorded traffic of other projects, which is not in this repository. The
//! environment variable `POINTSMAN_DATA` names its folder; without it these tests report that they
//! were left out.

#![expect(
    clippy::expect_used,
    clippy::panic,
    clippy::print_stderr,
    reason = "tests fail by panicking, and report what they leave out"
)]

mod anthropic;
mod chat;
mod gemini;
mod recorded;
mod responses;
mod streams;

#[test]
fn the_corpus_has_recorded_calls_and_pairs() {
    let Some(calls) = recorded::calls("openai.chat") else { return };
    assert!(calls.iter().any(|call| call.kind == "recorded" && call.request_body().is_some()));
    assert!(calls.iter().any(|call| call.streaming && call.response_stream().is_some()));
    assert!(calls.iter().all(|call| !call.id.is_empty() && !call.provider.is_empty() && call.status >= 200));
    assert!(calls.iter().any(|call| call.response_body().is_some()));
    let pairs = recorded::pairs("request", "openai.chat", "anthropic.messages").expect("the data is there");
    assert!(
        pairs.iter().all(|pair| !pair.id.is_empty() && pair.input.is_object() && pair.expected.is_object())
    );
    assert!(!pairs.is_empty());
}
