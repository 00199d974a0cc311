use super::*;
use crate::form::{Citation, ProviderErrorKind, Reasoning, Signature, SignatureOrigin, ToolCall, ToolInput};

fn identity() -> AnswerIdentity {
    AnswerIdentity { id: "1".to_owned(), created: 5, model: "upstream".to_owned() }
}

#[test]
fn an_answer_of_another_family_has_the_shape_of_this_api() {
    let signature = |origin, value: &str| Some(Signature { origin, value: value.to_owned() });
    let summary = Reasoning {
        text: "sum".to_owned(),
        is_summary: true,
        encrypted: signature(SignatureOrigin::OpenAi, "enc"),
        id: Some("rs_1".to_owned()),
    };
    let call = ToolCall {
        id: "call_1".to_owned(),
        name: "f".to_owned(),
        input: ToolInput::Json(r#"{"b":1, "a":2}"#.to_owned()),
    };
    let citation = Citation {
        cited_text: Some("w".to_owned()),
        url: Some("https://x".to_owned()),
        ..Citation::default()
    };
    let text = PartContent::Text { text: "t".to_owned(), citations: vec![citation] };
    let answer = ConversationAnswer {
        parts: vec![
            Part::new(PartContent::Reasoning(summary)),
            Part::new(text),
            Part {
                signature: signature(SignatureOrigin::Gemini, "g"),
                ..Part::new(PartContent::ToolCall(call))
            },
        ],
        stop: StopReason::Complete,
        ..ConversationAnswer::default()
    };
    let expected = concat!(
        r#"{"type":"message","id":"msg_1","role":"assistant","model":"upstream","content":["#,
        r#"{"type":"thinking","thinking":"sum","signature":"openai:rs_1:enc"},"#,
        r#"{"type":"text","text":"t","citations":[{"type":"web_search_result_location","cited_text":"w","url":"https://x","title":null,"encrypted_index":""}]},"#,
        r#"{"type":"tool_use","id":"call_1","name":"f","input":{"b":1, "a":2}},"#,
        r#"{"type":"redacted_thinking","data":"gemini:g"}],"#,
        r#""stop_reason":"tool_use","stop_sequence":null,"#,
        r#""usage":{"input_tokens":7,"cache_creation_input_tokens":0,"cache_read_input_tokens":0,"output_tokens":3}}"#,
    );
    let rendered = render_answer(&answer, &identity(), Usage::counted(7, 3));
    assert_eq!(rendered, expected);

    // The client sends it back, and nothing is lost but the citation of another family.
    let again = parse_answer(&rendered).expect("an answer");
    assert_eq!(again.parts[0], answer.parts[0]);
    assert_eq!(again.parts[2], answer.parts[2]);
    assert_eq!(again.stop, StopReason::ToolCalls);
}

#[test]
fn a_response_that_is_no_answer_is_rejected() {
    let cases = [
        ("", "NotJson"),
        (r#"{"content":[{"type":"te"#, "NotJson"),
        ("[]", "WrongShape"),
        ("{}", "Empty"),
        (r#"{"content":[],"stop_reason":null}"#, "Empty"),
        (r#"{"stop_reason":"end_turn"}"#, "WrongShape"),
        (r#"{"content":[{"type":"text"}]}"#, "WrongShape"),
    ];
    for (body, expected) in cases {
        let error = parse_answer(body.as_bytes()).expect_err("no answer");
        assert!(format!("{error:?}").starts_with(expected), "{body}: {error:?}");
    }
    let body = br#"{"type":"error","error":{"type":"overloaded_error","message":"Overloaded"}}"#;
    let Err(InvalidAnswer::Reported(error)) = parse_answer(body) else { panic!() };
    assert_eq!((error.kind, error.status), (ProviderErrorKind::Overloaded, 529));
    assert!(parse_answer(br#"{"content":[],"stop_reason":"end_turn"}"#).is_ok());
}

#[test]
fn a_refusal_is_explained() {
    let body =
        br#"{"content":[],"stop_reason":"refusal","stop_details":{"type":"refusal","explanation":"no"}}"#;
    let answer = parse_answer(body).expect("an answer");
    assert_eq!(answer.stop, StopReason::Refusal);
    assert_eq!(answer.parts, [Part::new(PartContent::Refusal("no".to_owned()))]);
}

#[test]
fn a_count_of_tokens_is_one_member() {
    let body = render_count_tokens(12);
    assert_eq!(body, r#"{"input_tokens":12}"#);
    assert_eq!(parse_token_count(&body), Ok(12));
    assert!(matches!(parse_token_count(b"{}"), Err(InvalidAnswer::WrongShape(_))));
    let error = br#"{"type":"error","error":{"type":"api_error","message":"x"}}"#;
    assert!(matches!(parse_token_count(error), Err(InvalidAnswer::Reported(_))));
}
