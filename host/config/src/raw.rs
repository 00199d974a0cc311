//! Schema of the configuration file, as serde deserialises it.
//!
//! The doc comments on fields become the descriptions in the JSON Schema and in
//! `docs/configuration.md`, so they address the author of a configuration file. Checks that
//! need more than the value itself are made later, in `compile`.

mod choice;
mod date;
mod decision_log;
mod defaults;
mod limits;
mod model;
mod policy;
mod prices;
mod quantity;
mod rollout;
mod scalar;
mod state;
mod tls;
mod traces;

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub(super) use choice::WordOr;
pub(super) use decision_log::DecisionLog;
pub(super) use limits::{Memory, RetryBudget, Uploads};
pub(super) use model::{Ability, Input, Model, Operation, Simulate};
pub(super) use policy::{Grant, IsolationWord, Limits, OnFailureTable, OnFailureWord, Policy, Warm};
pub(super) use prices::{PriceChange, PriceTier, Prices};
pub(super) use quantity::{Address, Duration, Size};
pub(super) use rollout::{Canary, Rollback};
pub(super) use scalar::{Quality, Scalar};
pub(super) use state::{Compile, State};
pub(super) use tls::{ClientAuth, Tls};
pub(super) use traces::Traces;

/// The configuration of Pointsman: `pointsman.toml`.
///
/// Durations are text such as `"20ms"`, `"2s"`, `"1.5s"`, `"5m"`, `"1h"`. Sizes are a
/// number of bytes or text such as `"16 MiB"`. Paths are relative to the file.
#[derive(Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub(super) struct File {
    /// Listener of the client API, and limits on connections and requests.
    pub server: Server,
    /// Listener of the admin API: status, metrics, reload.
    pub admin: Admin,
    /// Log lines on standard error.
    pub log: Log,
    /// Export of request spans to an OpenTelemetry collector.
    pub traces: Traces,
    /// Log files with one line for each request.
    pub decision_log: DecisionLog,
    /// Data that persists across restarts.
    pub state: State,
    /// Limits on the compilation of policies.
    pub compile: Compile,
    /// Limits on the memory that requests and answers hold.
    pub memory: Memory,
    /// Files that clients upload.
    pub uploads: Uploads,
    /// Limit on the retries of one model in flight.
    pub retry_budget: RetryBudget,
    /// Automatic rollback of new policy versions and of policies on trial.
    pub rollback: Rollback,
    /// Servers that answer model calls, by name.
    pub backends: BTreeMap<String, Backend>,
    /// Models, by `backend/name`. When no policy decides, they are tried in the order of the
    /// file.
    pub models: BTreeMap<String, Model>,
    /// Directory in which every `NAME.wasm` is a policy NAME, with default settings and no
    /// grants unless `[policies.NAME]` sets them. It is watched for changes.
    pub policy_dir: Option<String>,
    /// Policies, by name.
    pub policies: BTreeMap<String, Policy>,
    /// Model names that clients can request, each bound to a policy and a set of models. A name
    /// is any model name that clients send, such as `meta-llama/Llama-3.1-8B-Instruct`: up to 256
    /// printable ASCII characters other than space, quotes, `\` and `*`. It must not be the name
    /// of a model.
    pub routes: BTreeMap<String, Route>,
    /// API keys of clients, by name. Operators can create further ones without this file, with
    /// `pointsman key create`. Without any key, every client that can reach the listener is served,
    /// unless `server.require_key` is true.
    pub keys: BTreeMap<String, Key>,
}

/// Listener of the client API, and limits on connections and requests.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Server {
    /// Address and port of the client API. Port 0 selects a free port.
    pub listen: Address,
    /// TLS of the listener. Without this table, it speaks plain HTTP.
    pub tls: Option<Tls>,
    /// Longest request body.
    pub max_body_bytes: Size,
    /// Longest request head: the request line and all headers.
    pub max_header_bytes: Size,
    /// Most connections at a time. For further connections, those that have been idle longest
    /// are closed; while none is idle, further connections wait to be accepted. This limit and
    /// the other limits on connections and request heads also apply to the admin API.
    pub max_connections: u32,
    /// Most connections of one IPv4 address or one IPv6 /64 network. For a further connection,
    /// the one of that address that has been idle longest is closed; while none is idle, the
    /// further connection gets status 503. The limit does not apply to `trusted_proxies`
    /// themselves, but to the clients that they report. Default: half of `max_connections`, and
    /// no limit for connections from this machine.
    pub max_connections_per_peer: Option<u32>,
    /// Most requests at a time on one HTTP/2 connection.
    pub max_concurrent_streams: u32,
    /// Proxies in front of the gateway: addresses or networks such as `"10.0.0.0/8"`. The
    /// client's address is read from the PROXY protocol, version 1 or 2, or else from the
    /// `x-forwarded-for` header of each request; a client reported by that header may have as
    /// many requests in flight as it may have connections. Both are ignored when they come from
    /// any other peer.
    pub trusted_proxies: Vec<String>,
    /// Longest time that a client may take to send a request head, including everything before
    /// it on a new connection.
    pub header_timeout: Duration,
    /// Longest time that a connection is kept open without a request in flight. Pings do not
    /// count as activity. Load balancers in front of the gateway should close idle connections
    /// earlier.
    pub idle_timeout: Duration,
    /// Longest time that a connection is kept open while its client reads nothing of the
    /// responses that are ready for it. Default: `idle_timeout`. A stream ends at the deadline
    /// of its request in any case.
    pub write_timeout: Option<Duration>,
    /// Time between SIGTERM or SIGINT and the closing of the listeners. From the signal on,
    /// `GET /ready` gets status 503 while requests are still served, so that load balancers
    /// stop sending them. A further SIGINT ends the process at once.
    pub shutdown_delay: Duration,
    /// Time for requests in flight to finish once the listeners are closed.
    pub drain_timeout: Duration,
    /// Serve clients on other machines without a key. When false, a listener that other
    /// machines can reach needs `[keys]` or `require_key`.
    pub allow_anonymous: bool,
    /// Reject requests without a valid key even if there are no `[keys]`: for gateways whose keys
    /// are all created with `pointsman key create`. Needs `[keys]` or `state.dir`, in which those
    /// keys are stored. When false, a key is required as soon as there are `[keys]` or the state
    /// directory ever had one.
    pub require_key: bool,
    /// Web origins such as `"https://app.example.com"` whose pages may call the client API;
    /// `"*"` allows all. Responses to them have CORS headers, and their preflight requests need
    /// no key. Where no key is required, requests from pages of other origins are rejected, unless
    /// the page was loaded from the gateway's own address; with keys, browsers prevent such
    /// pages from reading responses. Requests without an `origin` header do not come from web
    /// pages.
    pub allowed_origins: Vec<String>,
    /// Host names by which clients may call the client API where no key is required, such as
    /// `"llm.example.com"`; `"*"` allows all. IP addresses, `localhost` and names without a dot
    /// are always allowed. Default: no others if only this machine can reach the listener,
    /// which protects against DNS rebinding by web pages; all others if other machines can
    /// reach it.
    pub allowed_hosts: Option<Vec<String>>,
}

/// Listener of the admin API.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Admin {
    /// Address and port of the admin API. Other machines reach it only with a token.
    pub listen: Address,
    /// TLS of the listener. Without this table, it speaks plain HTTP.
    pub tls: Option<Tls>,
    /// Environment variable that holds the operators' token, sent as `authorization: Bearer`.
    pub token_env: Option<String>,
    /// File that holds the operators' token. It is watched: a new token takes effect without a restart.
    pub token_file: Option<String>,
    /// Environment variable that holds a token for reading: it changes nothing, and does not show what
    /// policies keep.
    pub read_token_env: Option<String>,
    /// File that holds the token for reading. It is watched.
    pub read_token_file: Option<String>,
}

/// Log lines on standard error.
#[derive(Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Log {
    /// Format of log lines.
    pub format: LogFormat,
    /// Lowest level of the lines that are written.
    pub level: LogLevel,
}

/// Format of log lines.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum LogFormat {
    /// Text on a terminal, JSON otherwise.
    #[default]
    Auto,
    /// Text for people to read.
    Text,
    /// One JSON object a line.
    Json,
}

/// Lowest level of the log lines that are written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum LogLevel {
    /// Failures that need an operator.
    Error,
    /// Warnings, and everything at level `error`.
    Warn,
    /// Events of normal operation, and everything above.
    #[default]
    Info,
    /// Details for debugging, and everything above.
    Debug,
    /// Everything.
    Trace,
}

/// A server that answers model calls.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Backend {
    /// Type of the backend.
    pub kind: BackendKind,
    /// Base URL of its API, usually with `/v1` at the end. Required for the kinds `openai` and `azure`. A query
    /// such as `?api-version=2024-10-21` is sent with every call. Redirects by status 307 or
    /// 308 are followed if scheme, host and port stay the same.
    pub base_url: Option<String>,
    /// Parameters that are added to the query of every call, such as
    /// `{ api-version = "2024-10-21" }`. Not for keys.
    pub query: BTreeMap<String, String>,
    /// Environment variable that holds the API key.
    pub api_key_env: Option<String>,
    /// File that holds the API key. It is watched: a new key is used without a restart.
    pub api_key_file: Option<String>,
    /// Command that prints the API key, as a program and its arguments, such as
    /// `["gcloud", "auth", "print-access-token"]`. It runs without a shell, in the background, with
    /// the gateway's environment: at the start, whenever `api_key_refresh_after` has passed, and
    /// when the server rejects the key. While it fails, the last key stays in use.
    pub api_key_command: Option<Vec<String>>,
    /// Age at which the key of `api_key_command` is refreshed. Default: `"5m"`.
    pub api_key_refresh_after: Option<Duration>,
    /// Longest time for one run of `api_key_command`; then it is killed. Default: `"30s"`.
    pub api_key_timeout: Option<Duration>,
    /// Header that carries the API key. Default: `authorization` for kind `openai`, `api-key` for
    /// `azure`, `x-api-key` for `anthropic`, `x-goog-api-key` for `gemini`.
    pub api_key_header: Option<String>,
    /// Text before the API key in its header, with the space after it. Default: `"Bearer "` in
    /// `authorization`, none in any other header.
    pub api_key_prefix: Option<String>,
    /// Parameter of the query that carries the API key, instead of a header. It is not logged.
    /// Prefer a header where the server takes one: proxies and servers often log addresses.
    pub api_key_query: Option<String>,
    /// Headers sent with every call. Not for keys.
    pub headers: BTreeMap<String, String>,
    /// Longest wait for a connection.
    pub connect_timeout: Duration,
    /// Longest wait for the head of an answer, for calls of all routes. A call that reaches
    /// this limit counts against the model's health; one that a route, a policy or a client
    /// ends earlier does not. Default: no limit besides those of the routes, and a call counts
    /// against the model's health after the longest `attempt_timeout` of the routes with the
    /// model.
    pub first_byte_timeout: Option<Duration>,
    /// Longest time that an idle connection is kept.
    pub idle_timeout: Duration,
    /// Most idle connections that are kept.
    pub max_idle_connections: u32,
    /// Use HTTP/2 with prior knowledge, without negotiation. With TLS, HTTP/2 is negotiated in
    /// any case.
    pub http2: bool,
    /// PEM file with the certificate authorities to trust instead of the system's, or with the
    /// server's own certificate. It is watched for changes.
    pub ca_file: Option<String>,
    /// PEM file with the client certificate for servers that request one, followed by its
    /// intermediate certificates. Requires `client_key_file`. It is watched for changes.
    pub client_cert_file: Option<String>,
    /// PEM file with the unencrypted private key of `client_cert_file`. It is watched for
    /// changes.
    pub client_key_file: Option<String>,
    /// Proxy to connect through: an address such as `"http://proxy.example.com:3128"`, with
    /// scheme `http`, `https`, `socks5` or `socks5h` (names are resolved by the proxy), or
    /// `"none"`. Default: the environment variables `HTTPS_PROXY` for `https` addresses,
    /// `HTTP_PROXY` for `http`, and `ALL_PROXY` for both, unless `NO_PROXY` lists the server.
    /// They are interpreted as by curl: addresses of this machine go through the proxy too
    /// unless `NO_PROXY` lists them, as in `NO_PROXY=localhost,127.0.0.1,::1`.
    pub proxy: Option<String>,
    /// Environment variable that holds the credentials for `proxy`: user name and password,
    /// separated by a colon.
    pub proxy_auth_env: Option<String>,
    /// File that holds the credentials for `proxy`: user name and password, separated by a
    /// colon. It is watched for changes.
    pub proxy_auth_file: Option<String>,
    /// Regular health probes. Without this table, health is determined from the calls alone.
    pub health: Option<Health>,
    /// Request token usage for each stream. If the client did not request it, it is removed
    /// from the client's stream. When a server rejects `stream_options`, the call is repeated
    /// without it, later calls omit it, and usage is estimated. Turn this off for a server that
    /// fails in another way.
    pub stream_usage: bool,
    /// APIs that the server offers beside chat completions: `responses` and the legacy
    /// `completions`. Requests of clients in these protocols are passed through to it; for other
    /// servers they are translated. Default: `responses` for OpenAI's own API, else none.
    pub apis: Option<Vec<NativeApi>>,
    /// Section of the embedded catalogue with the facts and prices of its models, such as
    /// `openai`. Default: the backend's name.
    pub provider: Option<String>,
    /// Seed of the answers and failures of kind `simulated`.
    pub seed: u64,
}

/// Kinds of backend.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub(super) enum BackendKind {
    /// A server that speaks the OpenAI protocol.
    #[default]
    Openai,
    /// Azure OpenAI. The base URL is `https://NAME.openai.azure.com?api-version=VERSION`, with
    /// deployments as models, or `https://NAME.openai.azure.com/openai/v1`.
    Azure,
    /// Anthropic's Messages API.
    Anthropic,
    /// Google's Gemini API.
    Gemini,
    /// Models simulated in this process, with configured speed, price and failure rate.
    Simulated,
}

/// Treatment of members that a model's API cannot express.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub(super) enum OnUntranslatable {
    /// Another model is called; if none can express them, the request is rejected.
    #[default]
    Reject,
    /// They are left out.
    Drop,
}

/// APIs of a server beside the one of its kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub(super) enum NativeApi {
    /// OpenAI's Responses API.
    Responses,
    /// OpenAI's legacy completions.
    Completions,
}

/// Regular health probes.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Health {
    /// Path of the probe, relative to the base URL. A response with a status below 500 counts
    /// as healthy.
    pub path: String,
    /// Time between two probes.
    pub interval: Duration,
    /// Longest wait for an answer.
    pub timeout: Duration,
}

/// A model name that clients can request.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
#[schemars(extend("required" = ["policy"]))]
pub(super) struct Route {
    /// Further names that clients can request: names such as `"gpt-4o"`, and patterns such as
    /// `"gpt-*"`, in which `*` matches any text. An exact name has precedence over every pattern;
    /// of several patterns, the one with the longest text before its first `*`, then the longest
    /// one, then the first one of the file. `"*"` stands for all names that nothing else matches.
    pub aliases: Vec<String>,
    /// Description in the list of models.
    pub description: Option<String>,
    /// Policy that decides: a name of `policies`, or the source of a built-in policy, such as
    /// `"builtin:cost"`, which then has its default settings and all grants that it needs.
    pub policy: Option<String>,
    /// Policy on trial that is also called for every request. Its decisions are compared with
    /// those of `policy` and have no effect on requests.
    pub shadow: Option<String>,
    /// Policy on trial that decides a share of the requests.
    pub canary: Option<Canary>,
    /// Models that the policy may choose from: ids, or patterns in which `*` matches any
    /// characters. Default: all.
    pub models: Option<Vec<String>>,
    /// Model that would answer every request without routing; costs are compared with the
    /// estimated cost of its answers. Default: the route's model with the highest
    /// `quality.general`; among equals, the most expensive one.
    pub baseline: Option<String>,
    /// Longest time for a request, from its arrival to the last byte of the answer.
    pub timeout: Duration,
    /// Longest wait for the head of one model's answer, from the start of the call.
    pub attempt_timeout: Duration,
    /// Longest wait for the first content of one model's answer, from the start of the call.
    /// Comments and white space are not content. Default: half of `timeout`, so that another
    /// model can still answer.
    pub first_content_timeout: Option<Duration>,
    /// Longest time between two chunks of one model's answer. Content, comments and white space
    /// all count as a chunk. Default: `attempt_timeout`.
    pub silence_timeout: Option<Duration>,
    /// Longest time for one model's complete answer, from the start of the call. Default: no
    /// limit besides `timeout`.
    pub answer_timeout: Option<Duration>,
    /// Most calls to models for one request: the policy's targets in order, then unhealthy
    /// models, then retries of models whose failure may be transient.
    pub max_attempts: u32,
    /// Call unhealthy models when the policy's targets have failed. The policy does not see
    /// unhealthy models; turn this off if it excludes models for reasons such as data
    /// residency.
    pub last_resort: bool,
    /// Treatment of a member of a request that a model's API has no counterpart of, and without
    /// which the answer would be of another kind, such as `n` for Anthropic's. Members that are
    /// hints are always left out. What is left out is named in the header `x-pointsman-dropped`.
    pub on_untranslatable: OnUntranslatable,
    /// Wait before a model is called again; doubles with each retry.
    pub backoff: Duration,
    /// Limits on plans, for policies that split requests into tasks.
    pub plan: Plan,
    /// Action when the policy fails, as in `[policies.NAME]`. Default: the policy's own
    /// `on_failure`.
    pub on_failure: Option<WordOr<OnFailureWord, OnFailureTable>>,
}

/// Limits on the plan of one request. A policy cannot exceed them.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Plan {
    /// Most tasks, over all steps.
    pub max_tasks: u32,
    /// Most calls of the policy.
    pub max_steps: u32,
    /// Most tasks that run at the same time; further ones wait.
    pub max_parallel: u32,
    /// Longest chain of tasks that depend on one another.
    pub max_depth: u32,
    /// Most output tokens of all calls together. Each call is sent a limit: the task's own,
    /// else an equal share of the remaining tokens. When none remain, no further call is made.
    pub max_output_tokens: u32,
    /// Most input tokens of all calls together, as estimated before each call.
    pub max_input_tokens: u64,
    /// Largest size of all task inputs and of a composed answer together, as JSON; each message
    /// and each part of one counts 256 bytes more.
    pub max_assembled_bytes: Size,
    /// Most US dollars for all calls together, and for the answer of one model when a policy
    /// that can plan routes to it. Before each call, its estimated input and its limit of
    /// output tokens are reserved at the price of its model; a call that would exceed the limit
    /// is not made. Default: no limit.
    pub max_cost: Option<f64>,
}

/// An API key of a client.
#[derive(Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
#[schemars(extend("required" = ["hash"]))]
pub(super) struct Key {
    /// `sha256:` and the SHA-256 of the key in hex. `pointsman key` generates a key and its
    /// hash.
    #[schemars(regex(pattern = r"^sha256:[0-9a-f]{64}$"))]
    pub hash: Option<String>,
    /// Routes and models that the key may request, under all of their names, and aliases: a
    /// client may use a route if its name or the name that the client sends is listed. `*`
    /// matches any characters. Default: all.
    pub routes: Option<Vec<String>>,
}
