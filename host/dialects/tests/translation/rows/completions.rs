//! OpenAI's legacy completions.

use super::{of_gateway, row};
use crate::requests::Row;

pub const ROWS: &[Row] = &[
    row("best_of", r#"{"best_of": 2}"#),
    row("echo", r#"{"echo": true}"#),
    row("frequency_penalty", r#"{"frequency_penalty": 0.5}"#),
    row("logit_bias", r#"{"logit_bias": {"1": 5}}"#),
    row("logprobs", r#"{"logprobs": 2}"#),
    row("max_tokens", r#"{"max_tokens": 10}"#),
    of_gateway("model", r#"{"model": "route"}"#),
    row("n", r#"{"n": 2}"#),
    row("presence_penalty", r#"{"presence_penalty": 0.5}"#),
    row("prompt: text", r#"{"prompt": "a"}"#),
    row("prompt: array of one text", r#"{"prompt": ["a"]}"#),
    row("prompt: several texts", r#"{"prompt": ["a", "b"]}"#),
    row("prompt: tokens", r#"{"prompt": [1, 2]}"#),
    row("seed", r#"{"seed": 1}"#),
    row("stop", r#"{"stop": ["END"]}"#),
    of_gateway("stream", r#"{"stream": true}"#),
    of_gateway("stream_options", r#"{"stream": true, "stream_options": {"include_usage": true}}"#),
    row("suffix", r#"{"suffix": "a"}"#),
    row("temperature", r#"{"temperature": 0.5}"#),
    row("top_p", r#"{"top_p": 0.5}"#),
    row("user", r#"{"user": "u"}"#),
    row("unknown members", r#"{"x_unknown": 1}"#),
];
