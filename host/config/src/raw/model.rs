//! `[models]`

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{PriceChange, PriceTier, Quality, Scalar};

/// A model on a backend. Omitted facts are taken from the catalogue.
#[derive(Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Model {
    /// Name of the model at the backend. Default: the part of the id after the backend's name.
    pub upstream_name: Option<String>,
    /// Catalogue entry to take facts and prices from, such as `openai/gpt-4o`. Default: the
    /// backend's provider and the upstream name, if the catalogue has such an entry.
    pub catalogue: Option<String>,
    /// Most tokens of input and output together. The length of a request is estimated, so this
    /// ranks models; only a request that is too long by any count is rejected.
    pub context_window: Option<u32>,
    /// Most tokens of one answer.
    pub max_output_tokens: Option<u32>,
    /// Kinds of content that the model accepts. Requests with other content are not sent to it.
    /// Default outside the catalogue: text.
    pub inputs: Option<Vec<Input>>,
    /// Abilities of the model. Requests that need others are not sent to it. Default outside
    /// the catalogue: all, but a request with `reasoning_effort` prefers models that are known
    /// to reason.
    pub abilities: Option<Vec<Ability>>,
    /// Operations that the model supports. Default outside the catalogue: chat.
    pub operations: Option<Vec<Operation>>,
    /// US dollars per million input tokens.
    pub input_price: Option<f64>,
    /// US dollars per million output tokens.
    pub output_price: Option<f64>,
    /// US dollars per million input tokens that the provider reads from its cache. Default: the
    /// catalogue's price unless `input_price` is set, else `input_price`.
    pub cached_input_price: Option<f64>,
    /// US dollars per million input tokens that the provider writes to its cache. Default: as
    /// for `cached_input_price`.
    pub cache_write_price: Option<f64>,
    /// US dollars per million input tokens that the provider writes to its cache for an hour.
    /// Default: the catalogue's price unless `input_price` or `cache_write_price` is set, else
    /// `cache_write_price`.
    pub cache_write_1h_price: Option<f64>,
    /// US dollars per million reasoning tokens in the output. Default: the catalogue's price
    /// unless `output_price` is set, else `output_price`.
    pub reasoning_price: Option<f64>,
    /// US dollars per million input tokens of audio. Default: as for `cached_input_price`.
    pub audio_input_price: Option<f64>,
    /// US dollars per million output tokens of audio. Default: as for `reasoning_price`.
    pub audio_output_price: Option<f64>,
    /// US dollars per million input tokens of images, where the provider counts them apart. Default:
    /// as for `cached_input_price`.
    pub image_input_price: Option<f64>,
    /// US dollars per million output tokens of images, where the provider counts them apart. Default:
    /// as for `reasoning_price`.
    pub image_output_price: Option<f64>,
    /// Prices of calls with long inputs, in ascending order of `above`. The last tier that the input
    /// reaches applies to the whole call. Default: the catalogue's tiers unless `input_price` or
    /// `output_price` is set, else none.
    pub price_tiers: Option<Vec<PriceTier>>,
    /// Changes of the prices: a list of tables with the date `from`, such as `"2027-01-01"`, and any of
    /// the keys above, in ascending order of `from`. Prices are in force from 00:00 UTC on; a request
    /// has those of its arrival. Default: the catalogue's changes unless `input_price` or
    /// `output_price` is set, else none.
    pub prices: Option<Vec<PriceChange>>,
    /// Quality of the answers, 0 to 1: a number, or a table by kind of task with `general` for
    /// all others.
    pub quality: Option<Quality>,
    /// Expected speed, used until measurements exist.
    pub expected: Expected,
    /// Named facts for policies, such as `parameters = "7B"`.
    pub attributes: BTreeMap<String, Scalar>,
    /// Behaviour of a simulated model. Only on backends of kind `simulated`.
    pub simulate: Option<Simulate>,
}

/// Kinds of content.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Input {
    /// Text.
    Text,
    /// Images.
    Image,
    /// Audio recordings.
    Audio,
    /// Videos.
    Video,
    /// Files such as PDF.
    Document,
}

/// An ability of a model.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Ability {
    /// Calls tools.
    Tools,
    /// Answers according to a given JSON schema.
    StructuredOutput,
    /// Reasons before it answers.
    Reasoning,
    /// Streams the answer.
    Streaming,
    /// Reports log probabilities.
    LogProbabilities,
}

/// An operation of a model.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Operation {
    /// Chat completions.
    Chat,
    /// Embeddings.
    Embedding,
    /// Transcriptions of speech.
    Transcription,
    /// Translations of speech into English.
    Translation,
    /// Speech that reads out a text.
    Speech,
    /// Generated and edited images.
    Image,
    /// Moderations: judgements on harmful content.
    Moderation,
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

/// Behaviour of a simulated model.
#[derive(Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Simulate {
    /// Milliseconds to the first token. Default: as expected.
    pub first_token_ms: Option<f64>,
    /// Tokens per second after it. Default: as expected.
    pub tokens_per_second: Option<f64>,
    /// Input tokens per second that it reads before the first token. Default: all at once.
    pub input_tokens_per_second: Option<f64>,
    /// Share of calls that fail, 0 to 1.
    pub failure_rate: Option<f64>,
    /// Calls that it works on at once; further ones wait. Default: any number.
    pub capacity: Option<u32>,
    /// Calls that wait at most; further ones get status 429. Default: any number.
    pub queue: Option<u32>,
}
