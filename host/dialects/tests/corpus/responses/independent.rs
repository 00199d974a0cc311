//! Answers as a reading of their JSON that is independent of the crate finds them.

use pointsman_dialects::form::{ConversationAnswer, PartContent, StopReason, ToolInput};
use serde_json::Value;

/// Content of an answer that a client uses.
#[derive(Debug, Default, PartialEq)]
pub struct AnswerSummary {
    pub text: String,
    pub refusal: String,
    pub reasoning: String,
    /// Ids, names and inputs of the calls.
    pub calls: Vec<(String, String, String)>,
    pub citations: usize,
    pub stop: String,
    /// Input, cached input, output and reasoning tokens.
    pub usage: Option<[u64; 4]>,
}

impl AnswerSummary {
    pub fn of_json(response: &Value) -> Self {
        let mut summary = Self { usage: usage_of_json(&response["usage"]), ..Self::default() };
        for item in response["output"].as_array().into_iter().flatten() {
            summary.add_item(item);
        }
        summary.stop = match (response["status"].as_str(), response["incomplete_details"]["reason"].as_str())
        {
            (Some("incomplete"), Some("content_filter")) => "filter",
            (Some("incomplete"), _) => "limit",
            _ if !summary.calls.is_empty() => "calls",
            _ => "complete",
        }
        .to_owned();
        summary
    }

    fn add_item(&mut self, item: &Value) {
        let text = |name: &str| item[name].as_str().unwrap_or_default().to_owned();
        match item["type"].as_str() {
            Some("message") => {
                for part in item["content"].as_array().into_iter().flatten() {
                    self.text.push_str(part["text"].as_str().unwrap_or_default());
                    self.refusal.push_str(part["refusal"].as_str().unwrap_or_default());
                    self.citations += part["annotations"].as_array().map_or(0, Vec::len);
                }
            }
            Some("reasoning") => {
                for name in ["content", "summary"] {
                    let parts = item[name].as_array().into_iter().flatten();
                    let texts: Vec<_> = parts.filter_map(|part| part["text"].as_str()).collect();
                    self.reasoning.push_str(&texts.join("\n\n"));
                }
            }
            Some("function_call") => {
                let namespace =
                    item["namespace"].as_str().map(|name| format!("{name}__")).unwrap_or_default();
                self.calls.push((text("call_id"), namespace + &text("name"), text("arguments")));
            }
            Some("custom_tool_call") => {
                self.calls.push((text("call_id"), text("name"), text("input")));
            }
            Some("tool_search_call") if item["execution"] == "client" => {
                let arguments = item["arguments"].to_string();
                self.calls.push((text("call_id"), "tool_search".to_owned(), arguments));
            }
            _ => {}
        }
    }

    pub fn of_form(answer: &ConversationAnswer) -> Self {
        let mut summary = Self::default();
        for part in &answer.parts {
            match &part.content {
                PartContent::Text { text, citations } => {
                    summary.text.push_str(text);
                    summary.citations += citations.len();
                }
                PartContent::Refusal(refusal) => summary.refusal.push_str(refusal),
                PartContent::Reasoning(reasoning) => summary.reasoning.push_str(&reasoning.text),
                PartContent::ToolCall(call) => {
                    let (ToolInput::Json(input) | ToolInput::Text(input)) = &call.input;
                    summary.calls.push((call.id.clone(), call.name.clone(), input.clone()));
                }
                _ => {}
            }
        }
        summary.stop = match &answer.stop {
            StopReason::Complete => "complete",
            StopReason::ToolCalls => "calls",
            StopReason::MaxTokens => "limit",
            StopReason::ContentFilter => "filter",
            other => panic!("{other:?}"),
        }
        .to_owned();
        if answer.count.is_complete() {
            let usage = answer.count.usage(0, 0);
            summary.usage = Some([
                usage.input_tokens,
                usage.cached_input_tokens,
                usage.output_tokens,
                usage.reasoning_tokens,
            ]);
        }
        summary
    }
}

fn usage_of_json(usage: &Value) -> Option<[u64; 4]> {
    let count = |value: &Value| value.as_u64().unwrap_or(0);
    Some([
        usage["input_tokens"].as_u64()?,
        count(&usage["input_tokens_details"]["cached_tokens"]),
        usage["output_tokens"].as_u64()?,
        count(&usage["output_tokens_details"]["reasoning_tokens"]),
    ])
}
