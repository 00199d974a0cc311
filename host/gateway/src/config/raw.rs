//! The shape of the file, as serde reads it and as editors know it.
//!
//! The comments on fields become the descriptions of the JSON Schema and of the
//! reference, so they speak to whoever writes a configuration. Whatever needs
//! more than the value itself is checked later, in `compile`.

mod choice;
mod defaults;
mod quantity;
mod scalar;

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub(super) use choice::WordOr;
pub(super) use quantity::{Address, Duration, Size};
pub(super) use scalar::{Quality, Scalar};

/// The configuration of Pointsman: `pointsman.toml`.
///
/// Durations are text such as `"20ms"`, `"2s"`, `"1.5s"`, `"5m"`, `"1h"`. Sizes are a
/// number of bytes or text such as `"16 MiB"`. Paths are relative to the file.
#[derive(Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub(super) struct File {
    /// Where clients connect, and what is taken from them.
    pub server: Server,
    /// The listener for operators: status, metrics, reload.
    pub admin: Admin,
    /// What is written to standard error.
    pub log: Log,
    /// Servers that answer model calls, by name.
    pub backends: BTreeMap<String, Backend>,
    /// Models, by `backend/name`. The order in the file is the order in which
    /// they are tried when no policy decides.
    pub models: BTreeMap<String, Model>,
    /// Routing policies, by name.
    pub policies: BTreeMap<String, Policy>,
    /// Model names that clients can ask for, bound to a policy and a set of models.
    pub routes: BTreeMap<String, Route>,
    /// API keys of clients, by name. Without any, whoever reaches the listener is served.
    pub keys: BTreeMap<String, Key>,
}

/// Where clients connect, and what is taken from them.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Server {
    /// Address and port of the client API. Port 0 takes a free one.
    pub listen: Address,
    /// Longest request body.
    pub max_body_bytes: Size,
    /// Longest request head: the request line and all headers.
    pub max_header_bytes: Size,
    /// Most connections at a time; further ones wait to be accepted.
    pub max_connections: u32,
    /// Longest time that a client may take to send a request's head.
    pub header_timeout: Duration,
    /// How long requests under way may take to finish once a stop was asked for.
    pub drain_timeout: Duration,
    /// Serve clients on other machines without any key. Without this, a listener
    /// that other machines can reach needs `[keys]`.
    pub allow_anonymous: bool,
}

/// The listener for operators.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Admin {
    /// Address and port of the admin API. Other machines reach it only with a token.
    pub listen: Address,
    /// Environment variable that holds the token, sent as `authorization: Bearer`.
    pub token_env: Option<String>,
    /// File that holds the token.
    pub token_file: Option<String>,
}

/// What is written to standard error.
#[derive(Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Log {
    /// How lines look.
    pub format: LogFormat,
    /// Which lines are written.
    pub level: LogLevel,
}

/// How log lines look.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum LogFormat {
    /// Text on a terminal, JSON otherwise.
    #[default]
    Auto,
    /// Lines for people.
    Text,
    /// One JSON object a line.
    Json,
}

/// Which log lines are written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum LogLevel {
    /// What failed and needs somebody.
    Error,
    /// What looks wrong.
    Warn,
    /// What happens in normal operation.
    #[default]
    Info,
    /// What helps to find a fault.
    Debug,
    /// Everything.
    Trace,
}

/// A server that answers model calls.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Backend {
    /// What it is.
    pub kind: BackendKind,
    /// Where its API begins, usually with `/v1` at the end. Needed for kind `openai`.
    pub base_url: Option<String>,
    /// Environment variable that holds the API key.
    pub api_key_env: Option<String>,
    /// File that holds the API key.
    pub api_key_file: Option<String>,
    /// Headers sent with every call. Not for keys.
    pub headers: BTreeMap<String, String>,
    /// Longest wait for a connection.
    pub connect_timeout: Duration,
    /// How long an unused connection is kept.
    pub idle_timeout: Duration,
    /// Most unused connections that are kept.
    pub max_idle_connections: u32,
    /// Speak HTTP/2 from the first byte, without asking. With TLS it is
    /// negotiated anyway.
    pub http2: bool,
    /// File with the certificate authorities to trust instead of the system's, in PEM.
    pub ca_file: Option<String>,
    /// Ask the server regularly whether it is there. Without it, its health is
    /// told from the calls alone.
    pub health: Option<Health>,
    /// The section of the embedded catalogue that states its models' facts and
    /// prices, such as `openai`. Default: the backend's name.
    pub provider: Option<String>,
    /// Number that the answers and failures of kind `simulated` depend on.
    pub seed: u64,
}

/// Kinds of backend.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub(super) enum BackendKind {
    /// A server that speaks the OpenAI protocol.
    #[default]
    Openai,
    /// Models simulated in this process, with stated speed, price and failures.
    Simulated,
}

/// Regular health probes.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Health {
    /// What to get, below the base URL; success is healthy.
    pub path: String,
    /// Time between two probes.
    pub interval: Duration,
    /// Longest wait for an answer.
    pub timeout: Duration,
}

/// A model on a backend. What is not stated comes from the catalogue.
#[derive(Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Model {
    /// The name that the backend knows it by. Default: what follows the backend's
    /// name in the id.
    pub upstream_name: Option<String>,
    /// The catalogue's entry to take facts and prices from, such as
    /// `openai/gpt-4o`. Default: the backend's provider and the upstream name,
    /// where the catalogue has that.
    pub catalogue: Option<String>,
    /// Most tokens of input and output together.
    pub context_window: Option<u32>,
    /// Most tokens of one answer.
    pub max_output_tokens: Option<u32>,
    /// Kinds of content it accepts. Default outside the catalogue: text.
    pub inputs: Option<Vec<Input>>,
    /// What it can do. Requests that need more are not sent to it. Default outside
    /// the catalogue: all but reasoning.
    pub abilities: Option<Vec<Ability>>,
    /// What it can be called for. Default outside the catalogue: chat.
    pub operations: Option<Vec<Operation>>,
    /// US dollars per million input tokens.
    pub input_price: Option<f64>,
    /// US dollars per million output tokens.
    pub output_price: Option<f64>,
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
pub(super) enum Input {
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
pub(super) enum Ability {
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
pub(super) enum Operation {
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
pub(super) struct Expected {
    /// Milliseconds to the first token.
    pub first_token_ms: Option<f64>,
    /// Tokens per second after it.
    pub tokens_per_second: Option<f64>,
}

/// How a simulated model behaves.
#[derive(Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Simulate {
    /// Milliseconds to the first token. Default: as expected.
    pub first_token_ms: Option<f64>,
    /// Tokens per second after it. Default: as expected.
    pub tokens_per_second: Option<f64>,
    /// Share of calls that fail, 0 to 1.
    pub failure_rate: Option<f64>,
}

/// A routing policy.
#[derive(Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Policy {
    /// `builtin:` and a name, or the path of a WebAssembly file: a component, or
    /// the core module that cargo leaves in `target/`. The file is watched.
    #[schemars(required)]
    pub source: Option<String>,
    /// What the policy itself is told. Which keys there are is up to the policy.
    #[schemars(with = "serde_json::Map<String, serde_json::Value>")]
    pub settings: toml::Table,
    /// What the policy may import besides what every policy may.
    pub grants: Vec<Grant>,
    /// What one decision may use.
    pub limits: Limits,
    /// Whether instances are reused.
    pub isolation: Option<WordOr<IsolationWord, IsolationTable>>,
    /// What happens when the policy fails.
    pub on_failure: Option<WordOr<OnFailureWord, OnFailureTable>>,
}

/// A capability.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Grant {
    /// Read the content of requests.
    Prompt,
    /// Import WASI, on an empty context: no files, sockets or environment.
    Wasi,
}

/// What one decision of a policy may use.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Limits {
    /// Longest time for one decision.
    pub deadline: Duration,
    /// Most memory of one instance.
    pub memory: Size,
    /// Most calls to the host in one decision.
    pub host_calls: u32,
    /// Most bytes of the prompt that are read in one decision.
    pub prompt_bytes: Size,
    /// Largest WebAssembly file.
    pub component: Size,
}

/// Whether instances are reused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub(super) enum IsolationWord {
    /// A new instance for each decision: nothing leaks from one to the next.
    Fresh,
    /// Reused instances: faster, and a policy may remember.
    Warm,
}

/// Reused instances, with settings.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct IsolationTable {
    /// Reused instances.
    pub warm: Warm,
}

/// Settings of reused instances.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Warm {
    /// Decisions after which an instance is replaced.
    pub recycle_after: u32,
    /// Most instances that are kept while idle.
    pub instances: u32,
}

/// What happens when a policy fails.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub(super) enum OnFailureWord {
    /// The models are tried in the order of the file.
    Fallback,
    /// The request is refused.
    Reject,
    /// The last version of the policy that worked decides.
    Previous,
}

/// Another policy to ask.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct OnFailureTable {
    /// The policy that decides instead.
    pub fallback: String,
}

/// A model name that clients can ask for.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Route {
    /// Shown in the list of models.
    pub description: Option<String>,
    /// The policy that decides.
    #[schemars(required)]
    pub policy: Option<String>,
    /// The models that it may choose from: ids, or patterns in which `*` stands for
    /// anything. Default: all.
    pub models: Option<Vec<String>>,
    /// Longest time for a request, from its arrival to the last byte of the answer.
    ///
    pub timeout: Duration,
    /// Longest wait for the first byte of one model's answer.
    pub attempt_timeout: Duration,
    /// Most calls to models for one request.
    pub max_attempts: u32,
    /// Wait before a model is called again; doubles each time.
    pub backoff: Duration,
    /// What happens when the policy fails. Default: as the policy says.
    pub on_failure: Option<WordOr<OnFailureWord, OnFailureTable>>,
}

/// An API key of a client.
#[derive(Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Key {
    /// `sha256:` and the SHA-256 of the key in hex. `pointsman key` makes a key and its hash.
    #[schemars(required, regex(pattern = r"^sha256:[0-9a-f]{64}$"))]
    pub hash: Option<String>,
    /// The routes and models that it may ask for, `*` standing for anything. Default: all.
    pub routes: Option<Vec<String>>,
}
