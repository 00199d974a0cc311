//! Anthropic's Messages.

use super::{of_gateway, row, row_beside, row_of_default};
use crate::requests::Row;

pub const ROWS: &[Row] = &[
    of_gateway("anthropic_version", r#"{"anthropic_version": "vertex-2023-10-16"}"#),
    row("container", r#"{"container": "c"}"#),
    row("context_management", r#"{"context_management": {"edits": [{"type": "clear_tool_uses_20250919"}]}}"#),
    row("max_tokens", r#"{"max_tokens": 10}"#),
    row("mcp_servers", r#"{"mcp_servers": [{"type": "url", "url": "https://a.example/mcp", "name": "n"}]}"#),
    row("messages: text", r#"{"messages": [{"role": "user", "content": [{"type": "text", "text": "a"}]}]}"#),
    row(
        "messages: assistant",
        r#"{"messages": [{"role": "user", "content": "hi"}, {"role": "assistant", "content": "a"}, {"role": "user", "content": "b"}]}"#,
    ),
    row_beside(
        "messages: cache_control",
        r#"{"messages": [{"role": "user", "content": [{"type": "text", "text": "hi"}]}]}"#,
        r#"{"messages": [{"role": "user", "content": [{"type": "text", "text": "hi", "cache_control": {"type": "ephemeral", "ttl": "1h"}}]}]}"#,
    ),
    row(
        "messages: image in base64",
        r#"{"messages": [{"role": "user", "content": [{"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": "AA=="}}]}]}"#,
    ),
    row(
        "messages: image at a URL",
        r#"{"messages": [{"role": "user", "content": [{"type": "image", "source": {"type": "url", "url": "https://a.example/b.png"}}]}]}"#,
    ),
    row(
        "messages: image in a file",
        r#"{"messages": [{"role": "user", "content": [{"type": "image", "source": {"type": "file", "file_id": "file_1"}}]}]}"#,
    ),
    row(
        "messages: document in base64",
        r#"{"messages": [{"role": "user", "content": [{"type": "document", "source": {"type": "base64", "media_type": "application/pdf", "data": "AA=="}}]}]}"#,
    ),
    row(
        "messages: document of text",
        r#"{"messages": [{"role": "user", "content": [{"type": "document", "source": {"type": "text", "media_type": "text/plain", "data": "a"}}]}]}"#,
    ),
    row(
        "messages: document at a URL",
        r#"{"messages": [{"role": "user", "content": [{"type": "document", "source": {"type": "url", "url": "https://a.example/b.pdf"}}]}]}"#,
    ),
    row_beside(
        "messages: document title, context, citations",
        r#"{"messages": [{"role": "user", "content": [{"type": "document", "source": {"type": "text", "media_type": "text/plain", "data": "a"}}]}]}"#,
        r#"{"messages": [{"role": "user", "content": [{"type": "document", "title": "t", "context": "c", "citations": {"enabled": true}, "source": {"type": "text", "media_type": "text/plain", "data": "a"}}]}]}"#,
    ),
    row(
        "messages: search_result",
        r#"{"messages": [{"role": "user", "content": [{"type": "search_result", "source": "https://a.example", "title": "t", "content": [{"type": "text", "text": "a"}]}]}]}"#,
    ),
    row(
        "messages: tool_use and tool_result",
        r#"{"messages": [{"role": "user", "content": "hi"}, {"role": "assistant", "content": [{"type": "tool_use", "id": "c1", "name": "f", "input": {"a": 1}}, {"type": "tool_use", "id": "c2", "name": "f", "input": {}}]}, {"role": "user", "content": [{"type": "tool_result", "tool_use_id": "c1", "content": "x"}, {"type": "tool_result", "tool_use_id": "c2", "content": "no", "is_error": true}]}]}"#,
    ),
    row(
        "messages: tool_result with an image",
        r#"{"messages": [{"role": "user", "content": "hi"}, {"role": "assistant", "content": [{"type": "tool_use", "id": "c1", "name": "f", "input": {}}]}, {"role": "user", "content": [{"type": "tool_result", "tool_use_id": "c1", "content": [{"type": "text", "text": "x"}, {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": "AA=="}}]}]}]}"#,
    ),
    row_beside(
        "messages: thinking",
        r#"{"messages": [{"role": "user", "content": "hi"}, {"role": "assistant", "content": [{"type": "text", "text": "a"}]}, {"role": "user", "content": "b"}]}"#,
        r#"{"messages": [{"role": "user", "content": "hi"}, {"role": "assistant", "content": [{"type": "thinking", "thinking": "hm", "signature": "sig"}, {"type": "text", "text": "a"}]}, {"role": "user", "content": "b"}]}"#,
    ),
    row_beside(
        "messages: redacted_thinking",
        r#"{"messages": [{"role": "user", "content": "hi"}, {"role": "assistant", "content": [{"type": "text", "text": "a"}]}, {"role": "user", "content": "b"}]}"#,
        r#"{"messages": [{"role": "user", "content": "hi"}, {"role": "assistant", "content": [{"type": "redacted_thinking", "data": "enc"}, {"type": "text", "text": "a"}]}, {"role": "user", "content": "b"}]}"#,
    ),
    row_beside(
        "messages: redacted_thinking of Google",
        r#"{"messages": [{"role": "user", "content": "hi"}, {"role": "assistant", "content": [{"type": "tool_use", "id": "c1", "name": "f", "input": {}}]}, {"role": "user", "content": [{"type": "tool_result", "tool_use_id": "c1", "content": "x"}]}]}"#,
        r#"{"messages": [{"role": "user", "content": "hi"}, {"role": "assistant", "content": [{"type": "redacted_thinking", "data": "gemini:sig"}, {"type": "tool_use", "id": "c1", "name": "f", "input": {}}]}, {"role": "user", "content": [{"type": "tool_result", "tool_use_id": "c1", "content": "x"}]}]}"#,
    ),
    row_beside(
        "messages: server_tool_use",
        r#"{"messages": [{"role": "user", "content": "hi"}, {"role": "assistant", "content": [{"type": "text", "text": "a"}]}, {"role": "user", "content": "b"}]}"#,
        r#"{"messages": [{"role": "user", "content": "hi"}, {"role": "assistant", "content": [{"type": "server_tool_use", "id": "srvtoolu_1", "name": "web_search", "input": {"query": "q"}}, {"type": "web_search_tool_result", "tool_use_id": "srvtoolu_1", "content": []}, {"type": "text", "text": "a"}]}, {"role": "user", "content": "b"}]}"#,
    ),
    row("metadata: user_id", r#"{"metadata": {"user_id": "u"}}"#),
    of_gateway("model", r#"{"model": "route"}"#),
    row_beside(
        "output_config: effort",
        r#"{"max_tokens": 40000}"#,
        r#"{"output_config": {"effort": "high"}, "max_tokens": 40000}"#,
    ),
    row(
        "output_config: format",
        r#"{"output_config": {"format": {"type": "json_schema", "schema": {"type": "object", "properties": {"a": {"type": "string"}}, "required": ["a"], "additionalProperties": false}}}}"#,
    ),
    row(
        "output_format",
        r#"{"output_format": {"type": "json_schema", "schema": {"type": "object", "properties": {"a": {"type": "string"}}, "required": ["a"], "additionalProperties": false}}}"#,
    ),
    row("service_tier", r#"{"service_tier": "standard_only"}"#),
    row("stop_sequences", r#"{"stop_sequences": ["END"]}"#),
    of_gateway("stream", r#"{"stream": true}"#),
    row("system", r#"{"system": [{"type": "text", "text": "s"}]}"#),
    row_beside(
        "system: cache_control",
        r#"{"system": [{"type": "text", "text": "s"}]}"#,
        r#"{"system": [{"type": "text", "text": "s", "cache_control": {"type": "ephemeral"}}]}"#,
    ),
    row("temperature", r#"{"temperature": 0.5}"#),
    row_beside(
        "thinking: enabled",
        r#"{"max_tokens": 40000}"#,
        r#"{"thinking": {"type": "enabled", "budget_tokens": 5000}, "max_tokens": 40000}"#,
    ),
    row_of_default(
        "thinking: adaptive",
        r#"{"max_tokens": 40000}"#,
        r#"{"thinking": {"type": "adaptive"}, "max_tokens": 40000}"#,
    ),
    row("thinking: disabled", r#"{"thinking": {"type": "disabled"}}"#),
    row_beside(
        "tool_choice: any",
        r#"{"tools": [{"name": "f", "input_schema": {"type": "object"}}]}"#,
        r#"{"tool_choice": {"type": "any"}, "tools": [{"name": "f", "input_schema": {"type": "object"}}]}"#,
    ),
    row_beside(
        "tool_choice: tool",
        r#"{"tools": [{"name": "f", "input_schema": {"type": "object"}}]}"#,
        r#"{"tool_choice": {"type": "tool", "name": "f"}, "tools": [{"name": "f", "input_schema": {"type": "object"}}]}"#,
    ),
    row_beside(
        "tool_choice: disable_parallel_tool_use",
        r#"{"tools": [{"name": "f", "input_schema": {"type": "object"}}]}"#,
        r#"{"tool_choice": {"type": "auto", "disable_parallel_tool_use": true}, "tools": [{"name": "f", "input_schema": {"type": "object"}}]}"#,
    ),
    row(
        "tools: client",
        r#"{"tools": [{"name": "f", "description": "d", "input_schema": {"type": "object"}}]}"#,
    ),
    row_beside(
        "tools: strict",
        r#"{"tools": [{"name": "f", "input_schema": {"type": "object", "properties": {}, "additionalProperties": false}}]}"#,
        r#"{"tools": [{"name": "f", "strict": true, "input_schema": {"type": "object", "properties": {}, "additionalProperties": false}}]}"#,
    ),
    row_beside(
        "tools: cache_control",
        r#"{"tools": [{"name": "f", "input_schema": {"type": "object"}}]}"#,
        r#"{"tools": [{"name": "f", "input_schema": {"type": "object"}, "cache_control": {"type": "ephemeral"}}]}"#,
    ),
    row("tools: web_search", r#"{"tools": [{"type": "web_search_20250305", "name": "web_search"}]}"#),
    row("top_k", r#"{"top_k": 5}"#),
    row("top_p", r#"{"top_p": 0.5}"#),
    row("unknown members", r#"{"x_unknown": 1}"#),
];
