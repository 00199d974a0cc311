//! Streams of each provider dialect for each client API.

use std::collections::BTreeMap;

use pointsman_dialects::anthropic::{MessagesStreamReader, MessagesStreamWriter};
use pointsman_dialects::chat::{ChatStreamReader, ChatStreamWriter};
use pointsman_dialects::completions::CompletionStreamWriter;
use pointsman_dialects::form::{AnswerEvent, StopReason, StreamReader, StreamWriter};
use pointsman_dialects::gemini::GeminiStreamReader;
use pointsman_dialects::responses::{EchoedMembers, ResponsesStreamWriter};
use pointsman_wire::usage_count::UsageCount;
use serde_json::{Value, json};

use crate::answers::{AnswerCell, AnswerRow, identity};
use crate::golden_text;
use crate::requests::{ClientApi, Provider};
use crate::rows::answers::ROWS;

/// Returns a response of Gemini's API with these members.
pub fn gemini_response(members: &Value) -> Value {
    let or = |name: &str, default: Value| members.get(name).cloned().unwrap_or(default);
    let mut candidate = json!({
        "content": {"role": "model", "parts": or("parts", json!([{"text": "a"}]))},
        "finishReason": or("finishReason", "STOP".into()),
    });
    if let Some(metadata) = members.get("groundingMetadata") {
        candidate["groundingMetadata"] = metadata.clone();
    }
    let usage = json!({"promptTokenCount": 1, "candidatesTokenCount": 1, "totalTokenCount": 2});
    json!({
        "candidates": [candidate], "modelVersion": "m", "responseId": "r",
        "usageMetadata": or("usageMetadata", usage),
    })
}

/// Returns the data of the events of a stream with the members of an answer.
fn events(provider: Provider, members: &Value) -> Vec<Value> {
    let or = |name: &str, default: Value| members.get(name).cloned().unwrap_or(default);
    match provider {
        Provider::Gemini => vec![gemini_response(members)],
        Provider::OpenAi => {
            let mut delta = or("message", json!({"role": "assistant", "content": "a"}));
            for (index, call) in delta["tool_calls"].as_array_mut().into_iter().flatten().enumerate() {
                call["index"] = index.into();
            }
            let chunk = |choices: Value| json!({"id": "c", "object": "chat.completion.chunk", "created": 1, "model": "m", "choices": choices});
            let mut last = chunk(json!([]));
            last["usage"] =
                or("usage", json!({"prompt_tokens": 1, "completion_tokens": 1, "total_tokens": 2}));
            vec![
                chunk(json!([{"index": 0, "delta": delta, "finish_reason": null}])),
                chunk(
                    json!([{"index": 0, "delta": {}, "finish_reason": or("finish_reason", "stop".into())}]),
                ),
                last,
            ]
        }
        Provider::Anthropic => {
            let usage = or("usage", json!({"input_tokens": 1, "output_tokens": 1}));
            let message = json!({"id": "msg_1", "type": "message", "role": "assistant", "model": "m", "content": [], "stop_reason": null, "stop_sequence": null, "usage": usage});
            let mut events = vec![json!({"type": "message_start", "message": message})];
            let content = or("content", json!([{"type": "text", "text": "a"}]));
            for (index, block) in content.as_array().into_iter().flatten().enumerate() {
                events.extend(block_events(index, block));
            }
            let delta = json!({"stop_reason": or("stop_reason", "end_turn".into()), "stop_sequence": or("stop_sequence", Value::Null)});
            events.push(json!({"type": "message_delta", "delta": delta, "usage": usage}));
            events.push(json!({"type": "message_stop"}));
            events
        }
    }
}

/// Returns the events of one content block of Anthropic's API.
fn block_events(index: usize, block: &Value) -> Vec<Value> {
    let mut start = block.clone();
    let mut deltas = Vec::new();
    match block["type"].as_str().unwrap_or_default() {
        "text" => {
            start = json!({"type": "text", "text": ""});
            deltas.push(json!({"type": "text_delta", "text": block["text"]}));
            let citations = block["citations"].as_array().into_iter().flatten();
            deltas.extend(citations.map(|citation| json!({"type": "citations_delta", "citation": citation})));
        }
        "thinking" => {
            start = json!({"type": "thinking", "thinking": "", "signature": ""});
            deltas.push(json!({"type": "thinking_delta", "thinking": block["thinking"]}));
            deltas.push(json!({"type": "signature_delta", "signature": block["signature"]}));
        }
        "tool_use" | "server_tool_use" => {
            start["input"] = json!({});
            deltas.push(json!({"type": "input_json_delta", "partial_json": block["input"].to_string()}));
        }
        _ => {}
    }
    let start = json!({"type": "content_block_start", "index": index, "content_block": start});
    let stop = json!({"type": "content_block_stop", "index": index});
    let deltas = deltas
        .into_iter()
        .map(|delta| json!({"type": "content_block_delta", "index": index, "delta": delta}));
    [start].into_iter().chain(deltas).chain([stop]).collect()
}

fn reader(provider: Provider) -> Box<dyn StreamReader> {
    match provider {
        Provider::OpenAi => Box::new(ChatStreamReader::new()),
        Provider::Anthropic => Box::new(MessagesStreamReader::new()),
        Provider::Gemini => Box::new(GeminiStreamReader::new()),
    }
}

fn writer(api: ClientApi) -> Box<dyn StreamWriter> {
    match api {
        ClientApi::Chat => Box::new(ChatStreamWriter::new(identity(), true)),
        ClientApi::Completions => Box::new(CompletionStreamWriter::new(identity(), true)),
        ClientApi::Responses => Box::new(ResponsesStreamWriter::new(identity(), EchoedMembers::default())),
        ClientApi::Messages => Box::new(MessagesStreamWriter::new(identity(), 1)),
    }
}

/// Runs one translation.
pub fn translate(row: &AnswerRow, provider: Provider, api: ClientApi) -> AnswerCell {
    let Some(members) = row.members(provider) else { return AnswerCell::None };
    if api.is_protocol_of(provider) {
        return AnswerCell::Unchanged;
    }
    let mut reader = reader(provider);
    let mut read = Vec::new();
    for data in events(provider, &members) {
        reader.read(data.to_string().as_bytes(), &mut read);
    }
    if provider == Provider::OpenAi {
        reader.read(b"[DONE]", &mut read);
    }
    reader.finish(&mut read);
    assert_eq!(read.last(), Some(&AnswerEvent::Done), "{} of {}", row.feature, provider.name());
    let (mut writer, mut out) = (writer(api), Vec::new());
    let (mut stop, mut count) = (StopReason::Complete, UsageCount::NONE);
    for event in &read {
        writer.write(event, &mut out);
        match event {
            AnswerEvent::Stop(reason) => stop = reason.clone(),
            AnswerEvent::Usage(later) => count.update(*later),
            _ => {}
        }
    }
    writer.end(&stop, count.usage(1, 1), &mut out);
    let text = String::from_utf8(out).expect("text");
    let lines = text.lines().filter_map(|line| line.strip_prefix("data: "));
    let data: Value =
        lines.map(|data| serde_json::from_str::<Value>(data).unwrap_or_else(|_| data.into())).collect();
    AnswerCell::new(data, &text, row.mark(api))
}

/// Returns the golden file: each feature from each provider for each client API.
pub fn golden() -> String {
    let mut cases = BTreeMap::new();
    for row in ROWS {
        for provider in Provider::ALL.into_iter().filter(|provider| row.members(*provider).is_some()) {
            let cells =
                ClientApi::ALL.map(|api| (api.file().to_owned(), translate(row, provider, api).golden()));
            cases.insert(format!("{} from {}", row.feature, provider.name()), BTreeMap::from(cells));
        }
    }
    golden_text(&cases)
}
