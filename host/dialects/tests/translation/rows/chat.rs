//! OpenAI's chat completions.

use super::{of_gateway, of_gateway_beside, row, row_beside};
use crate::requests::Row;

pub const ROWS: &[Row] = &[
    of_gateway("model", r#"{"model": "route"}"#),
    row("messages: text", r#"{"messages": [{"role": "user", "content": [{"type": "text", "text": "a"}]}]}"#),
    row(
        "messages: system",
        r#"{"messages": [{"role": "system", "content": "s"}, {"role": "user", "content": "hi"}]}"#,
    ),
    row(
        "messages: developer",
        r#"{"messages": [{"role": "developer", "content": "s"}, {"role": "user", "content": "hi"}]}"#,
    ),
    row(
        "messages: assistant",
        r#"{"messages": [{"role": "user", "content": "hi"}, {"role": "assistant", "content": "a"}, {"role": "user", "content": "b"}]}"#,
    ),
    row_beside(
        "messages: name",
        r#"{"messages": [{"role": "user", "content": "hi"}]}"#,
        r#"{"messages": [{"role": "user", "content": "hi", "name": "n"}]}"#,
    ),
    row(
        "messages: image in base64",
        r#"{"messages": [{"role": "user", "content": [{"type": "image_url", "image_url": {"url": "data:image/png;base64,AA=="}}]}]}"#,
    ),
    row(
        "messages: image at a URL",
        r#"{"messages": [{"role": "user", "content": [{"type": "image_url", "image_url": {"url": "https://a.example/b.png"}}]}]}"#,
    ),
    row_beside(
        "messages: image detail",
        r#"{"messages": [{"role": "user", "content": [{"type": "image_url", "image_url": {"url": "https://a.example/b.png"}}]}]}"#,
        r#"{"messages": [{"role": "user", "content": [{"type": "image_url", "image_url": {"url": "https://a.example/b.png", "detail": "low"}}]}]}"#,
    ),
    row(
        "messages: audio",
        r#"{"messages": [{"role": "user", "content": [{"type": "input_audio", "input_audio": {"data": "AA==", "format": "wav"}}]}]}"#,
    ),
    row(
        "messages: file in base64",
        r#"{"messages": [{"role": "user", "content": [{"type": "file", "file": {"file_data": "data:application/pdf;base64,AA=="}}]}]}"#,
    ),
    row_beside(
        "messages: file name",
        r#"{"messages": [{"role": "user", "content": [{"type": "file", "file": {"file_data": "data:application/pdf;base64,AA=="}}]}]}"#,
        r#"{"messages": [{"role": "user", "content": [{"type": "file", "file": {"filename": "a.pdf", "file_data": "data:application/pdf;base64,AA=="}}]}]}"#,
    ),
    row(
        "messages: file id",
        r#"{"messages": [{"role": "user", "content": [{"type": "file", "file": {"file_id": "file-1"}}]}]}"#,
    ),
    row_beside(
        "messages: refusal",
        r#"{"messages": [{"role": "user", "content": "hi"}]}"#,
        r#"{"messages": [{"role": "user", "content": "hi"}, {"role": "assistant", "refusal": "no"}, {"role": "user", "content": "b"}]}"#,
    ),
    row(
        "messages: tool_calls and results",
        r#"{"messages": [{"role": "user", "content": "hi"}, {"role": "assistant", "tool_calls": [{"id": "c1", "type": "function", "function": {"name": "f", "arguments": "{\"a\":1}"}}, {"id": "c2", "type": "function", "function": {"name": "f", "arguments": "{}"}}]}, {"role": "tool", "tool_call_id": "c1", "content": "x"}, {"role": "tool", "tool_call_id": "c2", "content": "{\"y\":1}"}]}"#,
    ),
    row_beside(
        "messages: reasoning_content",
        r#"{"messages": [{"role": "user", "content": "hi"}, {"role": "assistant", "content": "a"}, {"role": "user", "content": "b"}]}"#,
        r#"{"messages": [{"role": "user", "content": "hi"}, {"role": "assistant", "content": "a", "reasoning_content": "hm"}, {"role": "user", "content": "b"}]}"#,
    ),
    row_beside(
        "messages: reasoning_details of Anthropic",
        r#"{"messages": [{"role": "user", "content": "hi"}, {"role": "assistant", "content": "a"}, {"role": "user", "content": "b"}]}"#,
        r#"{"messages": [{"role": "user", "content": "hi"}, {"role": "assistant", "content": "a", "reasoning_details": [{"type": "reasoning.text", "text": "hm", "signature": "sig", "format": "anthropic-claude-v1", "index": 0}]}, {"role": "user", "content": "b"}]}"#,
    ),
    row_beside(
        "messages: thought_signature of Google",
        r#"{"messages": [{"role": "user", "content": "hi"}, {"role": "assistant", "tool_calls": [{"id": "c1", "type": "function", "function": {"name": "f", "arguments": "{}"}}]}, {"role": "tool", "tool_call_id": "c1", "content": "x"}]}"#,
        r#"{"messages": [{"role": "user", "content": "hi"}, {"role": "assistant", "tool_calls": [{"id": "c1", "type": "function", "function": {"name": "f", "arguments": "{}"}, "extra_content": {"google": {"thought_signature": "sig"}}}]}, {"role": "tool", "tool_call_id": "c1", "content": "x"}]}"#,
    ),
    row_beside(
        "messages: cache_control",
        r#"{"messages": [{"role": "user", "content": [{"type": "text", "text": "hi"}]}]}"#,
        r#"{"messages": [{"role": "user", "content": [{"type": "text", "text": "hi", "cache_control": {"type": "ephemeral"}}]}]}"#,
    ),
    row("audio", r#"{"modalities": ["text", "audio"], "audio": {"voice": "alloy", "format": "wav"}}"#),
    row("frequency_penalty", r#"{"frequency_penalty": 0.5}"#),
    row(
        "function_call",
        r#"{"functions": [{"name": "f", "parameters": {"type": "object"}}], "function_call": {"name": "f"}}"#,
    ),
    row("functions", r#"{"functions": [{"name": "f", "parameters": {"type": "object"}}]}"#),
    row("logit_bias", r#"{"logit_bias": {"1": 5}}"#),
    row("logprobs", r#"{"logprobs": true}"#),
    row("max_completion_tokens", r#"{"max_completion_tokens": 10}"#),
    row("max_tokens", r#"{"max_tokens": 10}"#),
    row("metadata", r#"{"metadata": {"a": "b"}}"#),
    row("modalities", r#"{"modalities": ["text", "image"]}"#),
    row("moderation", r#"{"moderation": {"model": "omni-moderation-latest"}}"#),
    row("n", r#"{"n": 2}"#),
    of_gateway_beside(
        "parallel_tool_calls: false",
        r#"{"tools": [{"type": "function", "function": {"name": "f", "parameters": {"type": "object"}}}]}"#,
        r#"{"parallel_tool_calls": false, "tools": [{"type": "function", "function": {"name": "f", "parameters": {"type": "object"}}}]}"#,
    ),
    row("prediction", r#"{"prediction": {"type": "content", "content": "a"}}"#),
    row("presence_penalty", r#"{"presence_penalty": 0.5}"#),
    row("prompt_cache_key", r#"{"prompt_cache_key": "k"}"#),
    row("prompt_cache_options", r#"{"prompt_cache_options": {"mode": "explicit"}}"#),
    row("prompt_cache_retention", r#"{"prompt_cache_retention": "24h"}"#),
    row_beside(
        "reasoning_effort",
        r#"{"max_completion_tokens": 40000}"#,
        r#"{"reasoning_effort": "high", "max_completion_tokens": 40000}"#,
    ),
    row_beside(
        "reasoning_effort: none",
        r#"{"max_completion_tokens": 40000}"#,
        r#"{"reasoning_effort": "none", "max_completion_tokens": 40000}"#,
    ),
    row("response_format: json_object", r#"{"response_format": {"type": "json_object"}}"#),
    row(
        "response_format: json_schema",
        r#"{"response_format": {"type": "json_schema", "json_schema": {"name": "n", "schema": {"type": "object", "properties": {"a": {"type": "string"}}, "required": ["a"], "additionalProperties": false}, "strict": true}}}"#,
    ),
    row("safety_identifier", r#"{"safety_identifier": "u"}"#),
    row("seed", r#"{"seed": 1}"#),
    row("service_tier", r#"{"service_tier": "flex"}"#),
    row("stop", r#"{"stop": ["END"]}"#),
    row("store", r#"{"store": true}"#),
    of_gateway("stream", r#"{"stream": true}"#),
    of_gateway("stream_options", r#"{"stream": true, "stream_options": {"include_usage": true}}"#),
    row("temperature", r#"{"temperature": 0.5}"#),
    row_beside(
        "tool_choice: required",
        r#"{"tools": [{"type": "function", "function": {"name": "f", "parameters": {"type": "object"}}}]}"#,
        r#"{"tool_choice": "required", "tools": [{"type": "function", "function": {"name": "f", "parameters": {"type": "object"}}}]}"#,
    ),
    row_beside(
        "tool_choice: function",
        r#"{"tools": [{"type": "function", "function": {"name": "f", "parameters": {"type": "object"}}}]}"#,
        r#"{"tool_choice": {"type": "function", "function": {"name": "f"}}, "tools": [{"type": "function", "function": {"name": "f", "parameters": {"type": "object"}}}]}"#,
    ),
    row_beside(
        "tool_choice: allowed_tools",
        r#"{"tools": [{"type": "function", "function": {"name": "f", "parameters": {"type": "object"}}}]}"#,
        r#"{"tool_choice": {"type": "allowed_tools", "allowed_tools": {"mode": "auto", "tools": [{"type": "function", "function": {"name": "f"}}]}}, "tools": [{"type": "function", "function": {"name": "f", "parameters": {"type": "object"}}}]}"#,
    ),
    row(
        "tools: function",
        r#"{"tools": [{"type": "function", "function": {"name": "f", "description": "d", "parameters": {"type": "object"}}}]}"#,
    ),
    row_beside(
        "tools: strict",
        r#"{"tools": [{"type": "function", "function": {"name": "f", "parameters": {"type": "object", "properties": {}, "additionalProperties": false}}}]}"#,
        r#"{"tools": [{"type": "function", "function": {"name": "f", "strict": true, "parameters": {"type": "object", "properties": {}, "additionalProperties": false}}}]}"#,
    ),
    row("tools: custom", r#"{"tools": [{"type": "custom", "custom": {"name": "f", "description": "d"}}]}"#),
    row("top_logprobs", r#"{"logprobs": true, "top_logprobs": 2}"#),
    row("top_p", r#"{"top_p": 0.5}"#),
    row("user", r#"{"user": "u"}"#),
    row("verbosity", r#"{"verbosity": "low"}"#),
    row("web_search_options", r#"{"web_search_options": {}}"#),
    row("unknown members", r#"{"x_unknown": 1}"#),
];
