//! Contents of answers.

use crate::answers::AnswerRow;

/// Row whose feature is shown by one text to the clients of every API.
const fn row(feature: &'static str, mark: &'static str, answers: [&'static str; 3]) -> AnswerRow {
    AnswerRow { feature, marks: [mark; 4], answers }
}

pub const ROWS: &[AnswerRow] = &[
    row(
        "text",
        "MARK",
        [
            r#"{"message": {"role": "assistant", "content": "MARK"}}"#,
            r#"{"content": [{"type": "text", "text": "MARK"}]}"#,
            r#"{"parts": [{"text": "MARK"}]}"#,
        ],
    ),
    row(
        "reasoning",
        "MARK",
        [
            r#"{"message": {"role": "assistant", "content": "a", "reasoning_content": "MARK"}}"#,
            r#"{"content": [{"type": "thinking", "thinking": "MARK", "signature": "s"}, {"type": "text", "text": "a"}]}"#,
            r#"{"parts": [{"text": "MARK", "thought": true}, {"text": "a"}]}"#,
        ],
    ),
    row(
        "signature of reasoning",
        "MARK",
        [
            "",
            r#"{"content": [{"type": "thinking", "thinking": "t", "signature": "MARK"}, {"type": "text", "text": "a"}]}"#,
            r#"{"parts": [{"text": "t", "thought": true, "thoughtSignature": "MARK"}, {"text": "a"}]}"#,
        ],
    ),
    row(
        "encrypted reasoning",
        "MARK",
        [
            "",
            r#"{"content": [{"type": "redacted_thinking", "data": "MARK"}, {"type": "text", "text": "a"}]}"#,
            "",
        ],
    ),
    row("signature of text", "MARK", ["", "", r#"{"parts": [{"text": "a", "thoughtSignature": "MARK"}]}"#]),
    row(
        "tool calls",
        "MARK",
        [
            r#"{"message": {"role": "assistant", "content": null, "tool_calls": [{"id": "c1", "type": "function", "function": {"name": "f", "arguments": "{\"x\":\"MARK\"}"}}]}, "finish_reason": "tool_calls"}"#,
            r#"{"content": [{"type": "tool_use", "id": "c1", "name": "f", "input": {"x": "MARK"}}], "stop_reason": "tool_use"}"#,
            r#"{"parts": [{"functionCall": {"id": "c1", "name": "f", "args": {"x": "MARK"}}}]}"#,
        ],
    ),
    row(
        "signature of a tool call",
        "MARK",
        [
            "",
            "",
            r#"{"parts": [{"functionCall": {"id": "c1", "name": "f", "args": {}}, "thoughtSignature": "MARK"}]}"#,
        ],
    ),
    row(
        "citations",
        "https://mark.example",
        [
            r#"{"message": {"role": "assistant", "content": "a", "annotations": [{"type": "url_citation", "url_citation": {"url": "https://mark.example", "title": "t", "start_index": 0, "end_index": 1}}]}}"#,
            r#"{"content": [{"type": "text", "text": "a", "citations": [{"type": "web_search_result_location", "url": "https://mark.example", "title": "t", "encrypted_index": "i", "cited_text": "c"}]}]}"#,
            r#"{"parts": [{"text": "a"}], "groundingMetadata": {"groundingChunks": [{"web": {"uri": "https://mark.example", "title": "t"}}], "groundingSupports": [{"segment": {"endIndex": 1}, "groundingChunkIndices": [0]}]}}"#,
        ],
    ),
    row(
        "refusals",
        "MARK",
        [r#"{"message": {"role": "assistant", "content": null, "refusal": "MARK"}}"#, "", ""],
    ),
    row(
        "images",
        "TUFSSw",
        ["", "", r#"{"parts": [{"inlineData": {"mimeType": "image/png", "data": "TUFSSw=="}}]}"#],
    ),
    row(
        "calls of the provider's own tools",
        "MARK",
        [
            "",
            r#"{"content": [{"type": "server_tool_use", "id": "s1", "name": "web_search", "input": {"query": "MARK"}}, {"type": "text", "text": "a"}]}"#,
            r#"{"parts": [{"executableCode": {"language": "PYTHON", "code": "MARK"}}, {"text": "a"}]}"#,
        ],
    ),
    AnswerRow {
        feature: "stop: limit of tokens",
        marks: ["\"length\"", "\"length\"", "\"max_output_tokens\"", "\"max_tokens\""],
        answers: [
            r#"{"finish_reason": "length"}"#,
            r#"{"stop_reason": "max_tokens"}"#,
            r#"{"parts": [{"text": "a"}], "finishReason": "MAX_TOKENS"}"#,
        ],
    },
    AnswerRow {
        feature: "stop: content filter",
        marks: ["\"content_filter\"", "\"content_filter\"", "\"content_filter\"", "\"refusal\""],
        answers: [
            r#"{"finish_reason": "content_filter"}"#,
            r#"{"stop_reason": "refusal"}"#,
            r#"{"parts": [{"text": "a"}], "finishReason": "SAFETY"}"#,
        ],
    },
    row(
        "stop: text of the stop sequence",
        "MARK",
        ["", r#"{"stop_reason": "stop_sequence", "stop_sequence": "MARK"}"#, ""],
    ),
    row(
        "usage: cached read",
        "4321",
        [
            r#"{"usage": {"prompt_tokens": 9000, "completion_tokens": 1, "total_tokens": 9001, "prompt_tokens_details": {"cached_tokens": 4321}}}"#,
            r#"{"usage": {"input_tokens": 4679, "cache_read_input_tokens": 4321, "output_tokens": 1}}"#,
            r#"{"parts": [{"text": "a"}], "usageMetadata": {"promptTokenCount": 9000, "cachedContentTokenCount": 4321, "candidatesTokenCount": 1, "totalTokenCount": 9001}}"#,
        ],
    ),
    row(
        "usage: cache write",
        "4321",
        [
            "",
            r#"{"usage": {"input_tokens": 4679, "cache_creation_input_tokens": 4321, "output_tokens": 1}}"#,
            "",
        ],
    ),
    row(
        "usage: reasoning",
        "4321",
        [
            r#"{"usage": {"prompt_tokens": 1, "completion_tokens": 9000, "total_tokens": 9001, "completion_tokens_details": {"reasoning_tokens": 4321}}}"#,
            "",
            r#"{"parts": [{"text": "a"}], "usageMetadata": {"promptTokenCount": 1, "candidatesTokenCount": 4679, "thoughtsTokenCount": 4321, "totalTokenCount": 9001}}"#,
        ],
    ),
];
