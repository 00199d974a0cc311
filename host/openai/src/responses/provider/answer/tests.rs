use super::*;
use crate::form::{MediaSource, ToolInput};

fn parse(members: &str) -> Result<ConversationAnswer, InvalidAnswer> {
    parse_answer(format!(r#"{{"id":"resp_1","created_at":7.5,"model":"m",{members}}}"#).as_bytes())
}

#[test]
fn items_are_parts_with_usage_and_a_reason_to_stop() {
    let answer = parse(
        r#""status":"completed","error":null,"output":[
        {"type":"reasoning","id":"rs","summary":[{"type":"summary_text","text":"a"},{"type":"summary_text","text":"b"}],"encrypted_content":"gA"},
        {"type":"message","id":"msg","role":"assistant","content":[
            {"type":"output_text","text":"Hi","annotations":[{"type":"url_citation","url":"u","title":"t","start_index":0,"end_index":2}]},
            {"type":"refusal","refusal":"No."}]},
        {"type":"function_call","call_id":"c","name":"f","namespace":"n","arguments":"{\"a\": 1}"},
        {"type":"custom_tool_call","call_id":"d","name":"patch","input":"x"},
        {"type":"tool_search_call","call_id":"e","execution":"client","arguments":{"query":"q"}},
        {"type":"image_generation_call","id":"ig","result":"iVBO","output_format":"webp"},
        {"type":"web_search_call","id":"ws","status":"completed"}],
        "usage":{"input_tokens":9,"input_tokens_details":{"cached_tokens":4,"cache_write_tokens":2},"output_tokens":5,
            "output_tokens_details":{"reasoning_tokens":3},"total_tokens":14}"#,
    )
    .unwrap();
    assert_eq!((&*answer.id, answer.created, &*answer.model), ("resp_1", Some(7), "m"));
    assert_eq!(answer.stop, StopReason::ToolCalls);
    let usage = answer.count.usage(0, 0);
    assert_eq!((usage.input_tokens, usage.cached_input_tokens, usage.cache_write_tokens), (9, 4, 2));
    assert_eq!((usage.output_tokens, usage.reasoning_tokens), (5, 3));
    let PartContent::Reasoning(reasoning) = &answer.parts[0].content else { panic!() };
    assert_eq!(
        (&*reasoning.text, reasoning.is_summary, reasoning.id.as_deref()),
        ("a\n\nb", true, Some("rs"))
    );
    assert_eq!(reasoning.encrypted.as_ref().unwrap().value, "gA");
    let PartContent::Text { citations, .. } = &answer.parts[1].content else { panic!() };
    assert_eq!((citations[0].url.as_deref(), citations[0].answer_range), (Some("u"), Some((0, 2))));
    assert_eq!(answer.parts[2].content, PartContent::Refusal("No.".to_owned()));
    let calls: Vec<_> = answer
        .parts
        .iter()
        .filter_map(|part| match &part.content {
            PartContent::ToolCall(call) => Some((&*call.id, &*call.name, call.input.clone())),
            _ => None,
        })
        .collect();
    let expected = [
        ("c", "n__f", ToolInput::Json("{\"a\": 1}".to_owned())),
        ("d", "patch", ToolInput::Text("x".to_owned())),
        ("e", "tool_search", ToolInput::Json(r#"{"query":"q"}"#.to_owned())),
    ];
    assert_eq!(calls, expected);
    let image = MediaSource::Base64 { media_type: "image/webp".to_owned(), data: "iVBO".to_owned() };
    assert_eq!(answer.parts[6].content, PartContent::Image { source: image, detail: None });
    assert!(matches!(answer.parts[7].content, PartContent::Provider(_)));
}

#[test]
fn an_incomplete_response_states_why() {
    let stop = |details: &str| {
        let members = format!(r#""status":"incomplete","incomplete_details":{details},"output":[]"#);
        parse(&members).unwrap().stop
    };
    assert_eq!(stop("null"), StopReason::MaxTokens);
    assert_eq!(stop(r#"{"reason":"max_output_tokens"}"#), StopReason::MaxTokens);
    assert_eq!(stop(r#"{"reason":"content_filter"}"#), StopReason::ContentFilter);
    assert_eq!(stop(r#"{"reason":"steered"}"#), StopReason::Other("steered".to_owned()));
}

#[test]
fn what_is_no_answer_is_an_error() {
    let failed =
        parse(r#""status":"failed","error":{"code":"rate_limit_exceeded","message":"m"},"output":[]"#);
    let Err(InvalidAnswer::Reported(error)) = failed else { panic!("{failed:?}") };
    assert_eq!((error.kind, error.status), (ProviderErrorKind::RateLimit, 429));
    assert!(matches!(parse(r#""status":"queued","output":[]"#), Err(InvalidAnswer::WrongShape(_))));
    assert!(matches!(parse_answer(b"{\"choices\":[]}"), Err(InvalidAnswer::WrongShape(_))));
    assert!(matches!(parse_answer(b"<html>"), Err(InvalidAnswer::NotJson(_))));
    assert!(matches!(parse_answer(br#"{"output":[]}"#), Err(InvalidAnswer::Empty)));
    assert!(matches!(parse_answer(br#"{"error":{"message":"m"}}"#), Err(InvalidAnswer::Reported(_))));
}
