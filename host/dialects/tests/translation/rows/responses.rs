//! OpenAI's Responses.

use super::{of_gateway, of_gateway_beside, row, row_beside, row_of_default};
use crate::requests::Row;

pub const ROWS: &[Row] = &[
    row("background", r#"{"background": true}"#),
    row(
        "context_management",
        r#"{"context_management": [{"type": "compaction", "compact_threshold": 1000}]}"#,
    ),
    row("conversation", r#"{"conversation": "conv_1"}"#),
    row("include", r#"{"include": ["message.output_text.logprobs"]}"#),
    of_gateway("include: encrypted reasoning", r#"{"include": ["reasoning.encrypted_content"]}"#),
    row("input: text", r#"{"input": "a"}"#),
    row(
        "input: messages",
        r#"{"input": [{"role": "user", "content": "a"}, {"role": "assistant", "content": "b"}, {"role": "user", "content": [{"type": "input_text", "text": "c"}]}]}"#,
    ),
    row(
        "input: developer",
        r#"{"input": [{"role": "developer", "content": "s"}, {"role": "user", "content": "hi"}]}"#,
    ),
    row(
        "input: input_image",
        r#"{"input": [{"role": "user", "content": [{"type": "input_image", "image_url": "data:image/png;base64,AA==", "detail": "auto"}]}]}"#,
    ),
    row(
        "input: input_file",
        r#"{"input": [{"role": "user", "content": [{"type": "input_file", "filename": "a.pdf", "file_data": "data:application/pdf;base64,AA=="}]}]}"#,
    ),
    row(
        "input: function_call and output",
        r#"{"input": [{"role": "user", "content": "hi"}, {"type": "function_call", "call_id": "c1", "name": "f", "arguments": "{\"a\":1}"}, {"type": "function_call_output", "call_id": "c1", "output": "x"}]}"#,
    ),
    row(
        "input: output with an image",
        r#"{"input": [{"role": "user", "content": "hi"}, {"type": "function_call", "call_id": "c1", "name": "f", "arguments": "{}"}, {"type": "function_call_output", "call_id": "c1", "output": [{"type": "input_image", "image_url": "data:image/png;base64,AA=="}]}]}"#,
    ),
    row(
        "input: custom_tool_call and output",
        r#"{"input": [{"role": "user", "content": "hi"}, {"type": "custom_tool_call", "call_id": "c1", "name": "f", "input": "ls"}, {"type": "custom_tool_call_output", "call_id": "c1", "output": "x"}]}"#,
    ),
    row_beside(
        "input: reasoning",
        r#"{"input": [{"role": "user", "content": "hi"}, {"role": "assistant", "content": "b"}, {"role": "user", "content": "c"}]}"#,
        r#"{"input": [{"role": "user", "content": "hi"}, {"type": "reasoning", "id": "rs_1", "summary": [{"type": "summary_text", "text": "hm"}], "encrypted_content": "enc"}, {"role": "assistant", "content": "b"}, {"role": "user", "content": "c"}]}"#,
    ),
    row(
        "input: item_reference",
        r#"{"input": [{"type": "item_reference", "id": "msg_1"}, {"role": "user", "content": "hi"}]}"#,
    ),
    row(
        "input: item_reference to reasoning",
        r#"{"input": [{"role": "user", "content": "hi"}, {"type": "item_reference", "id": "rs_1"}]}"#,
    ),
    row("instructions", r#"{"instructions": "s"}"#),
    row("max_output_tokens", r#"{"max_output_tokens": 100}"#),
    row("max_tool_calls", r#"{"max_tool_calls": 2}"#),
    row("metadata", r#"{"metadata": {"a": "b"}}"#),
    of_gateway("model", r#"{"model": "route"}"#),
    row("moderation", r#"{"moderation": {"model": "omni-moderation-latest"}}"#),
    of_gateway_beside(
        "parallel_tool_calls: false",
        r#"{"tools": [{"type": "function", "name": "f", "parameters": {"type": "object"}, "strict": false}]}"#,
        r#"{"parallel_tool_calls": false, "tools": [{"type": "function", "name": "f", "parameters": {"type": "object"}, "strict": false}]}"#,
    ),
    row("previous_response_id", r#"{"previous_response_id": "resp_1"}"#),
    row("prompt", r#"{"prompt": {"id": "pmpt_1"}}"#),
    row("prompt_cache_key", r#"{"prompt_cache_key": "k"}"#),
    row("prompt_cache_options", r#"{"prompt_cache_options": {"mode": "explicit"}}"#),
    row("prompt_cache_retention", r#"{"prompt_cache_retention": "24h"}"#),
    row_beside(
        "reasoning: effort",
        r#"{"max_output_tokens": 40000}"#,
        r#"{"reasoning": {"effort": "high"}, "max_output_tokens": 40000}"#,
    ),
    row_of_default(
        "reasoning: summary",
        r#"{"reasoning": {"effort": "high"}, "max_output_tokens": 40000}"#,
        r#"{"reasoning": {"effort": "high", "summary": "auto"}, "max_output_tokens": 40000}"#,
    ),
    row("safety_identifier", r#"{"safety_identifier": "u"}"#),
    row("service_tier", r#"{"service_tier": "flex"}"#),
    of_gateway("store: false", r#"{"store": false}"#),
    of_gateway("stream", r#"{"stream": true}"#),
    of_gateway("stream_options", r#"{"stream": true, "stream_options": {"include_obfuscation": false}}"#),
    row("temperature", r#"{"temperature": 0.5}"#),
    row(
        "text: json_schema",
        r#"{"text": {"format": {"type": "json_schema", "name": "n", "schema": {"type": "object", "properties": {"a": {"type": "string"}}, "required": ["a"], "additionalProperties": false}, "strict": true}}}"#,
    ),
    row("text: json_object", r#"{"text": {"format": {"type": "json_object"}}}"#),
    row("text: verbosity", r#"{"text": {"verbosity": "low"}}"#),
    row_beside(
        "tool_choice: required",
        r#"{"tools": [{"type": "function", "name": "f", "parameters": {"type": "object"}, "strict": false}]}"#,
        r#"{"tool_choice": "required", "tools": [{"type": "function", "name": "f", "parameters": {"type": "object"}, "strict": false}]}"#,
    ),
    row_beside(
        "tool_choice: function",
        r#"{"tools": [{"type": "function", "name": "f", "parameters": {"type": "object"}, "strict": false}]}"#,
        r#"{"tool_choice": {"type": "function", "name": "f"}, "tools": [{"type": "function", "name": "f", "parameters": {"type": "object"}, "strict": false}]}"#,
    ),
    row(
        "tools: function",
        r#"{"tools": [{"type": "function", "name": "f", "description": "d", "parameters": {"type": "object"}, "strict": false}]}"#,
    ),
    row(
        "tools: strict",
        r#"{"tools": [{"type": "function", "name": "f", "parameters": {"type": "object", "properties": {}, "additionalProperties": false}, "strict": true}]}"#,
    ),
    row("tools: custom", r#"{"tools": [{"type": "custom", "name": "f", "description": "d"}]}"#),
    row(
        "tools: custom with a grammar",
        r#"{"tools": [{"type": "custom", "name": "f", "format": {"type": "grammar", "syntax": "regex", "definition": "a+"}}]}"#,
    ),
    row("tools: web_search", r#"{"tools": [{"type": "web_search"}]}"#),
    row("top_logprobs", r#"{"top_logprobs": 2}"#),
    row("top_p", r#"{"top_p": 0.5}"#),
    row("truncation: auto", r#"{"truncation": "auto"}"#),
    row("user", r#"{"user": "u"}"#),
    row("unknown members", r#"{"x_unknown": 1}"#),
];
