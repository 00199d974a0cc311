use super::*;
use crate::form::{AnswerStart, PartDelta, PartStart, StopReason};

fn read(events: &[&str]) -> Vec<AnswerEvent> {
    let mut reader = ResponsesStreamReader::new();
    let mut read = Vec::new();
    events.iter().for_each(|event| reader.read(event.as_bytes(), &mut read));
    reader.finish(&mut read);
    read
}

/// Returns the events in short form.
fn short(events: &[AnswerEvent]) -> Vec<String> {
    let short = |event: &AnswerEvent| match event {
        AnswerEvent::Start(start) => format!("start {}", start.id),
        AnswerEvent::PartStart(PartStart::ToolCall { name, .. }) => format!("call {name}"),
        AnswerEvent::PartStart(PartStart::Text) => "text".to_owned(),
        AnswerEvent::PartStart(PartStart::Reasoning { is_summary }) => {
            if *is_summary {
                "summary".to_owned()
            } else {
                "reasoning".to_owned()
            }
        }
        AnswerEvent::PartStart(PartStart::Provider(_)) => "provider".to_owned(),
        AnswerEvent::PartStart(_) => "other".to_owned(),
        AnswerEvent::Delta(PartDelta::Text(text) | PartDelta::ToolInput(text)) => format!("+{text}"),
        AnswerEvent::Delta(PartDelta::Citation(_)) => "citation".to_owned(),
        AnswerEvent::Delta(PartDelta::Signature(value) | PartDelta::Encrypted(value)) => {
            format!("signature {}", value.value)
        }
        AnswerEvent::PartEnd => "end".to_owned(),
        AnswerEvent::Stop(stop) => format!("{stop:?}"),
        AnswerEvent::Usage(_) => "usage".to_owned(),
        AnswerEvent::Error(error) => format!("error {:?}", error.kind),
        AnswerEvent::Done => "done".to_owned(),
    };
    events.iter().map(short).collect()
}

const CREATED: &str = r#"{"type":"response.created","response":{"id":"r","model":"m","output":[]}}"#;
const COMPLETED: &str = r#"{"type":"response.completed","response":{"id":"r","status":"completed","output":[],"usage":{"input_tokens":1,"output_tokens":2}}}"#;

#[test]
fn a_text_is_read_as_it_arrives() {
    let events = read(&[
        CREATED,
        r#"{"type":"response.output_item.added","output_index":0,"item":{"type":"message","id":"i","content":[]}}"#,
        r#"{"type":"response.output_text.delta","output_index":0,"content_index":0,"delta":"H"}"#,
        r#"{"type":"response.output_text.delta","output_index":0,"content_index":0,"delta":"i","obfuscation":"x"}"#,
        r#"{"type":"response.output_text.done","output_index":0,"content_index":0,"text":"Hi"}"#,
        r#"{"type":"response.content_part.done","output_index":0,"content_index":0,"part":{"type":"output_text","text":"Hi","annotations":[{"type":"url_citation","url":"u"}]}}"#,
        r#"{"type":"response.output_item.done","output_index":0,"item":{"type":"message","id":"i","content":[{"type":"output_text","text":"Hi","annotations":[{"type":"url_citation","url":"u"}]}]}}"#,
        COMPLETED,
        "[DONE]",
    ]);
    let start = AnswerStart { id: "r".to_owned(), created: None, model: "m".to_owned() };
    assert_eq!(events[0], AnswerEvent::Start(start));
    let expected = ["start r", "text", "+H", "+i", "citation", "end", "Complete", "usage", "done"];
    assert_eq!(short(&events), expected);
}

#[test]
fn parallel_calls_that_overlap_follow_each_other() {
    let events = read(&[
        CREATED,
        r#"{"type":"response.output_item.added","output_index":0,"item":{"type":"function_call","call_id":"a","name":"f","arguments":""}}"#,
        r#"{"type":"response.output_item.added","output_index":1,"item":{"type":"function_call","call_id":"b","name":"g","arguments":""}}"#,
        r#"{"type":"response.function_call_arguments.delta","output_index":1,"delta":"{\"b\":"}"#,
        r#"{"type":"response.function_call_arguments.delta","output_index":0,"delta":"{}"}"#,
        r#"{"type":"response.function_call_arguments.delta","output_index":1,"delta":"1}"}"#,
        r#"{"type":"response.output_item.done","output_index":0,"item":{"type":"function_call","call_id":"a","name":"f","arguments":"{}"}}"#,
        COMPLETED,
    ]);
    let expected =
        ["start r", "call f", "+{}", "end", "call g", "+{\"b\":", "+1}", "end", "ToolCalls", "usage", "done"];
    assert_eq!(short(&events), expected);
}

#[test]
fn what_arrives_only_at_the_end_is_read_there() {
    let whole = r#"{"type":"response.completed","response":{"id":"r","status":"completed","output":[
        {"type":"reasoning","id":"a","summary":[{"type":"summary_text","text":"s"}],"encrypted_content":"e"},
        {"type":"web_search_call","id":"b"},
        {"type":"message","id":"c","content":[{"type":"output_text","text":"Hi","annotations":[]}]},
        {"type":"function_call","id":"d","call_id":"d","name":"f","arguments":"{}"}]}}"#;
    let expected = [
        "start r",
        "summary",
        "+s",
        "signature e",
        "end",
        "provider",
        "end",
        "text",
        "+Hi",
        "end",
        "call f",
        "+{}",
        "end",
        "ToolCalls",
        "done",
    ];
    assert_eq!(short(&read(&[whole])), expected);
    let items = [
        r#"{"type":"response.output_item.done","output_index":0,"item":{"type":"message","id":"c","content":[{"type":"output_text","text":"Hi"}]}}"#,
        r#"{"type":"response.completed","response":{"id":"r","status":"completed","output":[{"type":"message","id":"c","content":[{"type":"output_text","text":"Hi"}]}]}}"#,
    ];
    assert_eq!(short(&read(&items)), ["start ", "text", "+Hi", "end", "Complete", "done"]);
}

#[test]
fn parts_of_a_summary_are_one_reasoning() {
    let events = read(&[
        CREATED,
        r#"{"type":"response.output_item.added","output_index":0,"item":{"type":"reasoning","id":"i","summary":[]}}"#,
        r#"{"type":"response.reasoning_summary_text.delta","output_index":0,"summary_index":0,"delta":"a"}"#,
        r#"{"type":"response.reasoning_summary_text.done","output_index":0,"summary_index":0,"text":"a"}"#,
        r#"{"type":"response.reasoning_summary_text.delta","output_index":0,"summary_index":1,"delta":"b"}"#,
        r#"{"type":"response.output_item.done","output_index":0,"item":{"type":"reasoning","id":"i","summary":[{"type":"summary_text","text":"a"},{"type":"summary_text","text":"b"}],"encrypted_content":"e"}}"#,
        COMPLETED,
    ]);
    let expected =
        ["start r", "summary", "+a", "+\n\n", "+b", "signature e", "end", "Complete", "usage", "done"];
    assert_eq!(short(&events), expected);
}

#[test]
fn an_error_is_read_once_in_each_of_its_forms() {
    let nested =
        r#"{"type":"error","sequence_number":2,"error":{"code":"rate_limit_exceeded","message":"m"}}"#;
    let flat = r#"{"type":"error","code":"server_error","message":"m","param":null,"sequence_number":1}"#;
    let failed = r#"{"type":"response.failed","response":{"id":"r","status":"failed","error":{"code":"server_error","message":"m"}}}"#;
    assert_eq!(short(&read(&[CREATED, nested, failed])), ["start r", "error RateLimit"]);
    assert_eq!(short(&read(&[flat])), ["error Server"]);
    assert_eq!(short(&read(&[CREATED, failed])), ["start r", "error Server"]);
}

#[test]
fn a_stream_that_breaks_off_ends_its_parts_and_is_not_done() {
    let delta = r#"{"type":"response.output_text.delta","output_index":0,"content_index":0,"delta":"H"}"#;
    assert_eq!(short(&read(&[CREATED, delta])), ["start r", "text", "+H", "end"]);
    assert_eq!(read(&[delta]).last(), Some(&AnswerEvent::PartEnd));
    assert!(!read(&[CREATED]).contains(&AnswerEvent::Stop(StopReason::Complete)));
}
