//! `[models]`

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Quality, Scalar};

/// A model on a backend. What is not stated comes from the catalogue.
#[derive(Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Model {
    /// The name that the backend knows it by. Default: what follows the backend's
    /// name in the id.
    pub upstream_name: Option<String>,
    /// The catalogue's entry to take facts and prices from, such as
    /// `openai/gpt-4o`. Default: the backend's provider and the upstream name,
    /// where the catalogue has that.
    pub catalogue: Option<String>,
    /// Most tokens of input and output together. Requests are estimated, so this ranks
    /// models; only a request that is too long by any count is refused.
    pub context_window: Option<u32>,
    /// Most tokens of one answer.
    pub max_output_tokens: Option<u32>,
    /// Kinds of content it accepts. Requests with other content are not sent to it.
    /// Default outside the catalogue: text.
    pub inputs: Option<Vec<Input>>,
    /// What it can do. Requests that need more are not sent to it. Default outside
    /// the catalogue: everything, but a request with `reasoning_effort` prefers
    /// models that are known to reason.
    pub abilities: Option<Vec<Ability>>,
    /// What it can be called for. Default outside the catalogue: chat.
    pub operations: Option<Vec<Operation>>,
    /// US dollars per million input tokens.
    pub input_price: Option<f64>,
    /// US dollars per million output tokens.
    pub output_price: Option<f64>,
    /// US dollars per million input tokens that the provider reads from its cache. Default:
    /// the catalogue's price unless `input_price` is stated, else `input_price`.
    pub cached_input_price: Option<f64>,
    /// US dollars per million input tokens that the provider writes to its cache. Default: as
    /// for `cached_input_price`.
    pub cache_write_price: Option<f64>,
    /// US dollars per million output tokens that are reasoning. Default: the catalogue's
    /// price unless `output_price` is stated, else `output_price`.
    pub reasoning_price: Option<f64>,
    /// How good it is, 0 to 1: a number, or a table by kind of task with `general`
    /// for all others.
    pub quality: Option<Quality>,
    /// How fast it is expected to be, until something was measured.
    pub expected: Expected,
    /// Named facts for policies, such as `parameters = "7B"`.
    pub attributes: BTreeMap<String, Scalar>,
    /// How it behaves. Only on backends of kind `simulated`.
    pub simulate: Option<Simulate>,
}

/// Kinds of content.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Input {
    /// Written text.
    Text,
    /// Pictures.
    Image,
    /// Recorded sound.
    Audio,
    /// Moving pictures.
    Video,
    /// Files such as PDF.
    Document,
}

/// What a model can do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Ability {
    /// Calls tools.
    Tools,
    /// Answers in a given JSON schema.
    StructuredOutput,
    /// Thinks before it answers.
    Reasoning,
    /// Sends the answer in pieces.
    Streaming,
    /// Reports log probabilities.
    LogProbabilities,
}

/// What a model can be called for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Operation {
    /// Chat completions.
    Chat,
    /// Embeddings.
    Embedding,
    /// Transcriptions of speech.
    Transcription,
}

/// Expected speed.
#[derive(Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Expected {
    /// Milliseconds to the first token.
    pub first_token_ms: Option<f64>,
    /// Tokens per second after it.
    pub tokens_per_second: Option<f64>,
}

/// How a simulated model behaves.
#[derive(Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Simulate {
    /// Milliseconds to the first token. Default: as expected.
    pub first_token_ms: Option<f64>,
    /// Tokens per second after it. Default: as expected.
    pub tokens_per_second: Option<f64>,
    /// Share of calls that fail, 0 to 1.
    pub failure_rate: Option<f64>,
}
