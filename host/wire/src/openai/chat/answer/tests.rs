use super::*;

#[track_caller]
fn check(answer: &str, usage: Option<(u64, u64)>, output_bytes: u64) {
    let usage =
        usage.map(|(input_tokens, output_tokens)| Usage { input_tokens, output_tokens, estimated: false });
    for chunk in [1, 5, 1000] {
        let mut scan = AnswerScan::new();
        for piece in answer.as_bytes().chunks(chunk) {
            scan.push(piece).unwrap();
        }
        assert_eq!(scan.finish(), Ok(Answer { usage, output_bytes }));
    }
    assert_eq!(answer_usage(answer.as_bytes()), Ok(usage));
}

#[test]
fn usage_is_read_wherever_it_stands() {
    check(
        r#"{"choices":[],"usage":{"total_tokens":5,"prompt_tokens":3,"completion_tokens":2}}"#,
        Some((3, 2)),
        0,
    );
    check(
        r#"{"usage":{"completion_tokens":2,"prompt_tokens_details":{"prompt_tokens":9},"prompt_tokens":3},"choices":[]}"#,
        Some((3, 2)),
        0,
    );
}

#[test]
fn usage_that_is_not_complete_is_none() {
    check(r#"{"choices":[]}"#, None, 0);
    check(r#"{"choices":[],"usage":null}"#, None, 0);
    check(r#"{"choices":[],"usage":{"prompt_tokens":3}}"#, None, 0);
    check(r#"{"choices":[],"usage":{"prompt_tokens":3,"completion_tokens":-1}}"#, None, 0);
}

#[test]
fn what_the_model_wrote_is_counted_in_bytes_of_text() {
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
}

#[test]
fn without_usage_there_is_an_estimate() {
    let answer = Answer { usage: None, output_bytes: 9 };
    let expected = Usage { input_tokens: 7, output_tokens: 3, estimated: true };
    assert_eq!(answer.usage_or_estimate(7), expected);
}

#[test]
fn what_is_no_completion_is_told_apart() {
    let no_choices = Err(NotAnAnswer::NoChoices);
    assert_eq!(answer_usage(b"{}"), no_choices);
    assert_eq!(answer_usage(b"[]"), no_choices);
    assert_eq!(answer_usage(br#"{"choices":null}"#), no_choices);
    assert_eq!(answer_usage(br#"{"error":{"message":"no"}}"#), no_choices);
    let not_json = Err(NotAnAnswer::NotJson("expected a value at byte 0".to_owned()));
    assert_eq!(answer_usage(b"<html>"), not_json);
    let cut = answer_usage(br#"{"choices":["#).unwrap_err();
    assert_eq!(cut.to_string(), "not valid JSON: unexpected end: the document is not complete at byte 12");
}
