//! Whole answers and errors.

use pointsman_dialects::form::{AnswerIdentity, ConversationAnswer, ProviderErrorKind};
use pointsman_dialects::responses::pass_through::read_answer;
use pointsman_dialects::responses::{parse_answer, parse_error, parse_request, render_answer};
use serde_json::Value;

use super::independent::AnswerSummary;
use crate::recorded;

/// Calls of responses, by their id.
fn whole_answers() -> Option<Vec<(String, Value)>> {
    let calls = recorded::calls("openai.responses")?;
    let whole = calls.into_iter().filter(|call| !call.streaming && call.status < 400);
    let answers = whole.filter_map(|call| {
        let body = call.response_body().filter(|body| body["object"] == "response")?.clone();
        Some((call.id, body))
    });
    Some(answers.collect())
}

fn is_complete(body: &Value) -> bool {
    !matches!(body["status"].as_str(), Some("queued" | "in_progress"))
}

#[test]
fn every_answer_is_read_as_its_json_says() {
    let Some(answers) = whole_answers() else { return };
    let mut read = 0;
    for (id, body) in &answers {
        let bytes = body.to_string().into_bytes();
        let facts = read_answer(&bytes).unwrap_or_else(|error| panic!("{id}: {error}"));
        assert_eq!(facts.id, body["id"], "{id}");
        if !is_complete(body) {
            assert!(parse_answer(&bytes).is_err(), "{id}");
            continue;
        }
        let answer = parse_answer(&bytes).unwrap_or_else(|error| panic!("{id}: {error}"));
        let expected = AnswerSummary::of_json(body);
        assert_eq!(AnswerSummary::of_form(&answer), expected, "{id}");
        assert_eq!(facts.output.text, expected.text, "{id}");
        // Counts of zero are estimated.
        if let Some([input @ (1..), _, output @ (1..), _]) = expected.usage {
            let usage = facts.output.count.usage_or_estimate(1);
            assert_eq!((usage.input_tokens, usage.output_tokens), (input, output), "{id}");
        }
        read += 1;
    }
    assert!(read >= 120, "{read}");
}

#[test]
fn an_answer_that_is_rendered_again_is_the_same() {
    let Some(answers) = whole_answers() else { return };
    let (_, echoed, _) = parse_request(br#"{"model":"m","input":"x"}"#).expect("a request");
    let identity = AnswerIdentity { id: "1".to_owned(), created: 0, model: String::new() };
    for (id, body) in answers.iter().filter(|(_, body)| is_complete(body)) {
        let answer = parse_answer(body.to_string().as_bytes()).expect("an answer");
        let rendered = render_answer(&answer, &identity, &echoed, answer.count.usage(1, 0));
        let again = parse_answer(&rendered).unwrap_or_else(|error| panic!("{id}: {error}"));
        assert_eq!(contents(&again), contents(&answer), "{id}");
        assert_eq!((&again.model, again.created), (&answer.model, answer.created), "{id}");
        let expected = AnswerSummary { usage: None, ..AnswerSummary::of_form(&answer) };
        assert_eq!(AnswerSummary { usage: None, ..AnswerSummary::of_form(&again) }, expected, "{id}");
    }
}

/// Returns the parts of an answer without the ids of its items, which are new.
fn contents(answer: &ConversationAnswer) -> String {
    let mut answer = answer.clone();
    for part in &mut answer.parts {
        if let pointsman_dialects::form::PartContent::Reasoning(reasoning) = &mut part.content {
            reasoning.id = None;
        }
    }
    format!("{:#?}", answer.parts)
}

#[test]
fn every_error_is_of_the_kind_that_its_status_or_code_says() {
    let Some(calls) = recorded::calls("openai.responses") else { return };
    let mut kinds = Vec::new();
    for call in calls.iter().filter(|call| call.status >= 400) {
        let Some(body) = call.response_body() else { continue };
        let error = parse_error(call.status, body.to_string().as_bytes());
        let code = body["error"]["code"].as_str().unwrap_or_default();
        let expected = match (call.status, code) {
            (_, "insufficient_quota") => ProviderErrorKind::Permission,
            (_, "model_not_found") => ProviderErrorKind::NotFound,
            (401, _) => ProviderErrorKind::Authentication,
            (429, _) => ProviderErrorKind::RateLimit,
            _ => ProviderErrorKind::InvalidRequest,
        };
        assert_eq!(error.kind, expected, "{}", call.id);
        assert!(!error.message.is_empty(), "{}", call.id);
        kinds.push(error.kind);
    }
    assert!(kinds.len() >= 10, "{kinds:?}");
}
