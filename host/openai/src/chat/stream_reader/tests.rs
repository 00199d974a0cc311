use proptest::prelude::*;

use super::*;
use crate::form::{PartStart, ProviderErrorKind};

/// Returns a short form of an event.
fn short(event: &AnswerEvent) -> String {
    match event {
        AnswerEvent::Start(start) => format!("start {} {}", start.id, start.model),
        AnswerEvent::PartStart(PartStart::ToolCall { id, name, takes_text }) => {
            format!("{} {id} {name}", if *takes_text { "custom" } else { "call" })
        }
        AnswerEvent::PartStart(PartStart::Reasoning { is_summary }) => {
            if *is_summary { "summary" } else { "reasoning" }.to_owned()
        }
        AnswerEvent::PartStart(PartStart::Text) => "text".to_owned(),
        AnswerEvent::PartStart(PartStart::Refusal) => "refusal".to_owned(),
        AnswerEvent::PartStart(_) => "media".to_owned(),
        AnswerEvent::Delta(PartDelta::Text(text) | PartDelta::ToolInput(text)) => format!("+{text}"),
        AnswerEvent::Delta(PartDelta::Signature(signature)) => format!("signature {}", signature.value),
        AnswerEvent::Delta(PartDelta::Encrypted(signature)) => format!("encrypted {}", signature.value),
        AnswerEvent::Delta(PartDelta::Citation(citation)) => {
            format!("citation {}", citation.url.as_deref().unwrap_or_default())
        }
        AnswerEvent::PartEnd => "end".to_owned(),
        AnswerEvent::Stop(stop) => format!("stop {stop:?}"),
        AnswerEvent::Usage(count) => {
            let usage = count.usage(0, 0);
            format!("usage {} {}", usage.input_tokens, usage.output_tokens)
        }
        AnswerEvent::Error(error) => format!("error {:?} {}", error.kind, error.status),
        AnswerEvent::Done => "done".to_owned(),
    }
}

fn read(chunks: &[&str]) -> Vec<AnswerEvent> {
    let mut events = Vec::new();
    let mut reader = ChatStreamReader::new();
    chunks.iter().for_each(|chunk| reader.read(chunk.as_bytes(), &mut events));
    reader.finish(&mut events);
    events
}

#[track_caller]
fn check(chunks: &[&str], expected: &[&str]) {
    let events: Vec<_> = read(chunks).iter().map(short).collect();
    assert_eq!(events, expected);
}

/// Checks the events of chunks with these deltas, between the start and the end.
#[track_caller]
fn check_deltas(deltas: &[&str], expected: &[&str]) {
    let chunks: Vec<_> =
        deltas.iter().map(|delta| format!(r#"{{"choices":[{{"delta":{delta}}}]}}"#)).collect();
    let mut chunks: Vec<_> = chunks.iter().map(|chunk| &**chunk).collect();
    chunks.push(r#"{"choices":[{"delta":{},"finish_reason":"odd"}]}"#);
    let expected = [&["start  "], expected, &[r#"stop Other("odd")"#, "done"]].concat();
    check(&chunks, &expected);
}

#[test]
fn a_text_is_streamed_as_it_arrives() {
    check(
        &[
            r#"{"id":"","model":"","choices":[],"prompt_filter_results":[]}"#,
            r#"{"id":"i","model":"m","choices":[{"index":0,"delta":{"role":"assistant","content":""},"finish_reason":null}]}"#,
            r#"{"id":"i","choices":[{"index":0,"delta":{"content":"a"},"finish_reason":""}]}"#,
            "not JSON",
            r#"{"choices":[{"index":1,"delta":{"content":"other"}}]}"#,
            r#"{"choices":[{"index":0,"delta":{"content":"b"}}]}"#,
            r#"{"choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}"#,
            r#"{"choices":[],"usage":{"prompt_tokens":3,"completion_tokens":2}}"#,
            "[DONE]",
            r#"{"choices":[{"delta":{"content":"late"}}]}"#,
        ],
        &["start i m", "text", "+a", "+b", "usage 3 2", "end", "stop Complete", "done"],
    );
}

#[test]
fn a_stream_may_lack_its_end() {
    let (text, stop) =
        (r#"{"choices":[{"delta":{"content":"a"}}]}"#, r#"{"choices":[{"finish_reason":"stop"}]}"#);
    check(&[text, stop], &["start  ", "text", "+a", "end", "stop Complete", "done"]);
    check(&[text, "[DONE]"], &["start  ", "text", "+a", "end", "stop Complete", "done"]);
    check(&[text], &["start  ", "text", "+a", "end"]);
    check(&["[DONE]"], &[]);
    check(&[], &[]);
}

#[test]
fn usage_is_read_in_any_chunk() {
    check(
        &[
            r#"{"choices":[{"delta":{"content":"a"}}],"usage":{"prompt_tokens":3,"completion_tokens":1}}"#,
            r#"{"choices":[{"delta":{"content":"b"}}],"usage":{"prompt_tokens":3,"completion_tokens":2}}"#,
            r#"{"choices":[{"delta":{},"finish_reason":"stop"}],"x_groq":{"usage":{"prompt_tokens":3,"completion_tokens":2}}}"#,
        ],
        &["start  ", "text", "+a", "usage 3 1", "+b", "usage 3 2", "end", "stop Complete", "done"],
    );
}

#[test]
fn an_error_ends_the_stream() {
    let text = r#"{"choices":[{"delta":{"content":"a"}}]}"#;
    check(
        &[text, r#"{"error":{"message":"m","code":502}}"#, "[DONE]"],
        &["start  ", "text", "+a", "end", "error Server 502"],
    );
    let in_choice =
        r#"{"choices":[{"error":{"message":"m","code":429},"delta":{},"finish_reason":"error"}]}"#;
    let events = read(&[text, in_choice]);
    let Some(AnswerEvent::Error(error)) = events.last() else { panic!("{events:?}") };
    assert_eq!(error.kind, ProviderErrorKind::RateLimit);
}

#[test]
fn reasoning_is_a_part_before_the_text() {
    let expected = ["reasoning", "+h", "+m", "end", "text", "+hi", "end"];
    for member in ["reasoning_content", "reasoning"] {
        let delta = |text: &str| format!(r#"{{"{member}":"{text}","content":null}}"#);
        check_deltas(&[&delta("h"), &delta("m"), r#"{"content":"hi"}"#], &expected);
    }
    let chunk = |text: &str| {
        format!(r#"{{"content":[{{"type":"thinking","thinking":[{{"type":"text","text":"{text}"}}]}}]}}"#)
    };
    check_deltas(&[&chunk("h"), &chunk("m"), r#"{"content":"hi"}"#], &expected);
    check_deltas(
        &[
            r#"{"reasoning":"h","reasoning_details":[{"type":"reasoning.text","text":"h","format":"anthropic-claude-v1","index":0}]}"#,
            r#"{"reasoning":"m","reasoning_details":[{"type":"reasoning.text","text":"m","format":"anthropic-claude-v1","index":0}]}"#,
            r#"{"reasoning_details":[{"type":"reasoning.text","signature":"S","format":"anthropic-claude-v1","index":0}]}"#,
            r#"{"reasoning_details":[{"type":"reasoning.encrypted","data":"E","format":"anthropic-claude-v1","index":1}]}"#,
            r#"{"content":"hi"}"#,
        ],
        &[
            "reasoning",
            "+h",
            "+m",
            "signature S",
            "end",
            "reasoning",
            "encrypted E",
            "end",
            "text",
            "+hi",
            "end",
        ],
    );
    check_deltas(
        &[
            r#"{"reasoning":"h","reasoning_details":[{"type":"reasoning.summary","summary":"h","format":"openai-responses-v1","index":0}]}"#,
            r#"{"reasoning_details":[{"type":"reasoning.encrypted","data":"E","format":"openai-responses-v1","id":"rs_1","index":0}]}"#,
        ],
        &["summary", "+h", "encrypted E", "end"],
    );
}

#[test]
fn calls_are_read_however_a_server_numbers_them() {
    let expected = ["call a f", r#"+{"x":1}"#, "end", "call b g", "+{}", "end"];
    check_deltas(
        &[
            r#"{"tool_calls":[{"index":0,"id":"a","function":{"name":"f","arguments":"{\"x\":1}"}}]}"#,
            r#"{"tool_calls":[{"index":1,"id":"b","function":{"name":"g","arguments":"{}"}}]}"#,
        ],
        &expected,
    );
    check_deltas(
        &[
            r#"{"tool_calls":[{"id":"a","function":{"name":"f","arguments":"{\"x\":1}"}}]}"#,
            r#"{"tool_calls":[{"id":"b","function":{"name":"g","arguments":{}}}]}"#,
        ],
        &expected,
    );
    check_deltas(
        &[
            r#"{"tool_calls":[{"index":0,"id":"a","function":{"name":"f","arguments":"{\"x\":1}"}},{"index":0,"id":"b","function":{"name":"g","arguments":"{}"}}]}"#,
        ],
        &expected,
    );
    let pieces = [
        r#"{"tool_calls":[{"id":"a","function":{"name":"f"}}]}"#,
        r#"{"tool_calls":[{"function":{"arguments":"{\"x\""}}]}"#,
        r#"{"tool_calls":[{"function":{"arguments":":1}"}}]}"#,
    ];
    check_deltas(&pieces, &["call a f", r#"+{"x""#, "+:1}", "end"]);
}

#[test]
fn a_call_without_an_id_gets_one() {
    check_deltas(
        &[r#"{"tool_calls":[{"function":{"name":"f","arguments":"{}"}}]}"#],
        &["call call__0 f", "+{}", "end"],
    );
}

#[test]
fn alternating_calls_are_put_in_order() {
    let piece = |index: u32, input: &str| {
        format!(r#"{{"tool_calls":[{{"index":{index},"function":{{"arguments":"{input}"}}}}]}}"#)
    };
    check_deltas(
        &[
            r#"{"tool_calls":[{"index":0,"id":"a","function":{"name":"f","arguments":""}}]}"#,
            r#"{"tool_calls":[{"index":1,"id":"b","function":{"name":"g","arguments":""}}]}"#,
            &piece(0, "{"),
            &piece(1, "{"),
            &piece(1, "}"),
            &piece(0, "}"),
            r#"{"content":"x"}"#,
        ],
        &["call a f", "+{", "+}", "end", "call b g", "+{", "+}", "end", "text", "+x", "end"],
    );
}

#[test]
fn what_is_held_back_is_bounded() {
    let first = r#"{"choices":[{"delta":{"tool_calls":[{"index":0,"id":"a","function":{"name":"f","arguments":"{"}}]}}]}"#;
    let mut reader = ChatStreamReader::new();
    let mut events = Vec::new();
    reader.read(first.as_bytes(), &mut events);
    for index in 1..2_000 {
        let next = first.replace(r#""index":0,"id":"a""#, &format!(r#""index":{index},"id":"c{index}""#));
        reader.read(next.as_bytes(), &mut events);
    }
    let begun = events.iter().filter(|event| matches!(event, AnswerEvent::PartStart(_))).count();
    assert!(begun > 1_700, "{begun} parts");
    reader.finish(&mut events);
    let begun = events.iter().filter(|event| matches!(event, AnswerEvent::PartStart(_))).count();
    assert_eq!(begun, 2_000);
}

#[test]
fn signatures_reach_their_parts() {
    check_deltas(
        &[
            r#"{"tool_calls":[{"index":0,"id":"a","function":{"name":"f","arguments":"{}"},"extra_content":{"google":{"thought_signature":"G"}}}]}"#,
        ],
        &["call a f", "+{}", "signature G", "end"],
    );
    check_deltas(
        &[
            r#"{"reasoning_details":[{"type":"reasoning.encrypted","data":"G","id":"a","format":"google-gemini-v1"}],"tool_calls":[{"id":"a","function":{"name":"f","arguments":"{}"}}]}"#,
        ],
        &["call a f", "signature G", "+{}", "end"],
    );
    check_deltas(
        &[r#"{"content":"x"}"#, r#"{"content":"","extra_content":{"google":{"thought_signature":"G"}}}"#],
        &["text", "+x", "signature G", "end"],
    );
}

#[test]
fn other_content_is_read() {
    check_deltas(&[r#"{"refusal":"n"}"#, r#"{"refusal":"o"}"#], &["refusal", "+n", "+o", "end"]);
    check_deltas(
        &[r#"{"images":[{"type":"image_url","image_url":{"url":"data:image/png;base64,AAAA"}}]}"#],
        &["media", "end"],
    );
    check_deltas(
        &[
            r#"{"content":"x"}"#,
            r#"{"annotations":[{"type":"url_citation","url_citation":{"url":"u","title":"t","start_index":0,"end_index":1}}]}"#,
        ],
        &["text", "+x", "citation u", "end"],
    );
    check_deltas(
        &[r#"{"function_call":{"name":"f","arguments":"{"}}"#, r#"{"function_call":{"arguments":"}"}}"#],
        &["call call__0 f", "+{", "+}", "end"],
    );
    let cited = r#"{"citations":["u"],"choices":[{"delta":{"content":"x"},"finish_reason":"stop"}]}"#;
    check(&[cited, cited], &["start  ", "text", "+x", "+x", "citation u", "end", "stop Complete", "done"]);
}

proptest! {
    /// Parts never overlap, and each call gets all of its arguments, in whatever order the pieces of
    /// parallel calls arrive.
    #[test]
    fn parallel_calls_survive_any_order(order in proptest::collection::vec(0usize..4, 0..40)) {
        let mut pieces = [0usize; 4];
        let mut deltas = Vec::new();
        let arguments = ["{", "\"x\":", "\"}{\\\"\"", "}"];
        let mut add = |index: usize| {
            let piece = pieces[index];
            pieces[index] += 1;
            let input = serde_json::to_string(arguments.get(piece)?).ok()?;
            let head = if piece == 0 { format!(r#""id":"c{index}","#) } else { String::new() };
            let name = if piece == 0 { format!(r#""name":"f{index}","#) } else { String::new() };
            Some(format!(r#"{{"choices":[{{"delta":{{"tool_calls":[{{"index":{index},{head}"function":{{{name}"arguments":{input}}}}}]}}}}]}}"#))
        };
        deltas.extend(order.iter().filter_map(|index| add(*index)));
        for index in 0..4 {
            while let Some(delta) = add(index) {
                deltas.push(delta);
            }
        }
        let chunks: Vec<_> = deltas.iter().map(|delta| &**delta).chain(["[DONE]"]).collect();
        let mut calls = std::collections::BTreeMap::new();
        let mut open = None;
        for event in read(&chunks) {
            match event {
                AnswerEvent::PartStart(PartStart::ToolCall { id, .. }) => {
                    prop_assert!(open.is_none());
                    open = Some(id);
                }
                AnswerEvent::Delta(PartDelta::ToolInput(input)) => {
                    calls.entry(open.clone().unwrap()).or_insert_with(String::new).push_str(&input);
                }
                AnswerEvent::PartEnd => open = None,
                _ => {}
            }
        }
        prop_assert_eq!(calls.len(), 4);
        prop_assert!(calls.values().all(|input| *input == arguments.concat()));
    }
}
