use pointsman_domain::failure::ErrorCause;

use pointsman_domain::usage::Usage;

use super::*;
use crate::answer::ReportedError;
use crate::usage_count::UsageCount;

#[track_caller]
fn check(answer: &str, usage: Option<(u64, u64)>, output_bytes: u64) {
    let answer = read_chat_count(answer.as_bytes()).unwrap();
    assert_eq!(answer.output_bytes, output_bytes);
    let counted = answer.usage_or_estimate(0);
    assert_eq!((!counted.estimated).then_some((counted.input_tokens, counted.output_tokens)), usage);
}

#[test]
fn usage_is_found_at_any_position() {
    check(
        r#"{"choices":[{"finish_reason":"stop"}],"usage":{"total_tokens":5,"prompt_tokens":3,"completion_tokens":2}}"#,
        Some((3, 2)),
        0,
    );
    check(
        r#"{"usage":{"completion_tokens":2,"prompt_tokens_details":{"prompt_tokens":9},"prompt_tokens":3},"choices":[{"finish_reason":"stop"}]}"#,
        Some((3, 2)),
        0,
    );
}

#[test]
fn incomplete_usage_is_estimated() {
    check(r#"{"choices":[{"finish_reason":"stop"}]}"#, None, 0);
    check(r#"{"choices":[{"finish_reason":"stop"}],"usage":null}"#, None, 0);
    check(r#"{"choices":[{"finish_reason":"stop"}],"usage":{"prompt_tokens":3}}"#, None, 0);
    check(
        r#"{"choices":[{"finish_reason":"stop"}],"usage":{"prompt_tokens":3,"completion_tokens":-1}}"#,
        None,
        0,
    );
}

#[test]
fn text_of_the_model_is_counted_in_bytes() {
    check(r#"{"choices":[{"message":{"role":"assistant","content":"caf\u00e9"}}]}"#, None, 5);
    check(
        r#"{"choices":[{"message":{"content":"a"}},{"message":{"reasoning_content":"bc","content":"d"}}]}"#,
        None,
        4,
    );
    check(r#"{"choices":[{"message":{"content":[{"type":"text","text":"abc"}]}}]}"#, None, 3);
    check(
        r#"{"choices":[{"message":{"content":null,"tool_calls":[{"id":"call_1","type":"function","function":{"name":"f","arguments":"{}"}}]}}]}"#,
        None,
        3,
    );
    check(r#"{"choices":[{"message":{"audio":{"data":"AAAAAAAA","transcript":"beep"}}}]}"#, None, 4);
    check(
        r#"{"choices":[{"message":{"content":"","thinking":"hmm","id":"x","signature":"AAAA"}}]}"#,
        None,
        3,
    );
    check(r#"{"choices":[{"message":{"reasoning":"hm","reasoning_details":[{"text":"hm"}]}}]}"#, None, 2);
}

#[test]
fn missing_usage_is_estimated() {
    let answer = AnswerCount { count: UsageCount::NONE, output_bytes: 9 };
    let expected = Usage::counted(7, 3).estimated();
    assert_eq!(answer.usage_or_estimate(7), expected);
}

#[test]
fn a_document_that_is_no_completion_is_rejected() {
    let no_choices: Result<AnswerCount, _> = Err(InvalidAnswer::NoChoices);
    assert_eq!(read_chat_count(b"{}"), no_choices);
    assert_eq!(read_chat_count(b"[]"), no_choices);
    assert_eq!(read_chat_count(br#"{"choices":null}"#), no_choices);
    assert_eq!(read_chat_count(br#"{"choices":[]}"#), no_choices);
    let reported = |status, cause| Err(InvalidAnswer::Reported(ReportedError { status, cause }));
    let error = read_chat_count(br#"{"error":{"message":"no","code":429}}"#);
    assert_eq!(error, reported(Some(429), ErrorCause::Load));
    let beside =
        read_chat_count(br#"{"choices":[{"message":{"content":"a"}}],"error":"prompt is too long"}"#);
    assert_eq!(beside, reported(None, ErrorCause::Mismatch));
    let empty: Result<AnswerCount, _> = Err(InvalidAnswer::Empty);
    assert_eq!(read_chat_count(br#"{"choices":[{"message":{"role":"assistant","content":null}}]}"#), empty);
    assert_eq!(read_chat_count(br#"{"choices":[{"message":{"content":""},"finish_reason":""}]}"#), empty);
    let not_json = Err(InvalidAnswer::NotJson("expected a value at byte 0".to_owned()));
    assert_eq!(read_chat_count(b"<html>"), not_json);
    let cut = read_chat_count(br#"{"choices":["#).unwrap_err();
    assert_eq!(cut.to_string(), "not valid JSON: unexpected end: the document is not complete at byte 12");
}

#[track_caller]
fn check_first_choice(answer: &str, text: &str, finish_reason: Option<&str>) {
    let choice = read_first_choice(answer.as_bytes()).unwrap();
    assert_eq!((choice.0.as_str(), choice.1.as_deref()), (text, finish_reason));
    assert_eq!(read_chat_count(answer.as_bytes()), Ok(choice.2));
}

#[test]
fn the_content_of_the_first_choice_is_the_output() {
    check_first_choice(
        r#"{"choices":[{"message":{"content":"caf\u00e9\n"},"finish_reason":"stop"},{"message":{"content":"b"},"finish_reason":"length"}]}"#,
        "café\n",
        Some("stop"),
    );
    check_first_choice(
        r#"{"choices":[{"finish_reason":"length","message":{"content":[{"type":"text","text":"a"},{"text":"b"}]}}]}"#,
        "ab",
        Some("length"),
    );
}

#[test]
fn reasoning_is_not_part_of_the_output() {
    check_first_choice(
        r#"{"choices":[{"message":{"reasoning_content":"hm","reasoning":"hm","content":"a"}}]}"#,
        "a",
        None,
    );
    check_first_choice(
        r#"{"choices":[{"message":{"content":[{"type":"text","text":"a"},{"text":"hm","type":"reasoning"},{"type":"thinking","thinking":[{"type":"text","text":"hm"}]},{"type":"text","text":"b"}]}}]}"#,
        "ab",
        None,
    );
}

#[test]
fn an_answer_without_content_gives_an_empty_output() {
    check_first_choice(
        r#"{"choices":[{"message":{"content":null,"refusal":"no"},"finish_reason":null}]}"#,
        "",
        None,
    );
    check_first_choice(
        r#"{"choices":[{"message":{"tool_calls":[]},"finish_reason":"tool_calls"}]}"#,
        "",
        Some("tool_calls"),
    );
}

#[test]
fn the_text_of_a_choice_is_content_where_it_has_no_message() {
    let completion =
        r#"{"choices":[{"text":"caf\u00e9","index":0,"finish_reason":"length"},{"text":"b","index":1}]}"#;
    check_first_choice(completion, "café", Some("length"));
    check(completion, None, 6);
    // Some servers have both.
    let both = r#"{"choices":[{"text":"a","index":0,"message":{"content":"a"}}]}"#;
    check_first_choice(both, "a", None);
    check(both, None, 1);
    let empty = r#"{"choices":[{"text":"","index":0,"finish_reason":null}]}"#;
    assert_eq!(read_chat_count(empty.as_bytes()), Err(InvalidAnswer::Empty));
}
