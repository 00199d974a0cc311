//! The shape of the file, as serde reads it and as editors know it.
//!
//! The comments on fields become the descriptions of the JSON Schema and of the
//! reference, so they speak to whoever writes a configuration. Whatever needs
//! more than the value itself is checked later, in `compile`.

mod choice;
mod decision_log;
mod defaults;
mod limits;
mod model;
mod policy;
mod quantity;
mod rollout;
mod scalar;
mod state;
mod traces;

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub(super) use choice::WordOr;
pub(super) use decision_log::DecisionLog;
pub(super) use limits::{Memory, RetryBudget};
pub(super) use model::{Ability, Input, Model, Operation, Simulate};
pub(super) use policy::{Grant, IsolationWord, Limits, OnFailureTable, OnFailureWord, Policy, Warm};
pub(super) use quantity::{Address, Duration, Size};
pub(super) use rollout::{Canary, Rollback};
pub(super) use scalar::{Quality, Scalar};
pub(super) use state::{Compile, State};
pub(super) use traces::Traces;

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
    /// Spans of requests, for an OpenTelemetry collector.
    pub traces: Traces,
    /// A line for each request, in files.
    pub decision_log: DecisionLog,
    /// What outlives the process.
    pub state: State,
    /// How policies are compiled.
    pub compile: Compile,
    /// Bounds on the memory that requests and answers hold.
    pub memory: Memory,
    /// Limit on the retries of one model in flight.
    pub retry_budget: RetryBudget,
    /// When new versions of policies, and policies on trial, are undone by themselves.
    pub rollback: Rollback,
    /// Servers that answer model calls, by name.
    pub backends: BTreeMap<String, Backend>,
    /// Models, by `backend/name`. The order in the file is the order in which
    /// they are tried when no policy decides.
    pub models: BTreeMap<String, Model>,
    /// Directory in which every `NAME.wasm` is a policy NAME, with default settings
    /// and no grants unless `[policies.NAME]` says otherwise. It is watched.
    pub policy_dir: Option<String>,
    /// Policies, by name.
    pub policies: BTreeMap<String, Policy>,
    /// Model names that clients can ask for, bound to a policy and a set of models. Any name
    /// of printable ASCII without space, quotes, `\` and `*` that is not a model's.
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
    /// Most connections at a time. For further ones, the connections that have been idle
    /// longest are closed; while none is idle, they wait to be accepted. Holds for the
    /// admin API as well, as do the other limits on connections and heads.
    pub max_connections: u32,
    /// Most connections of one IPv4 address or one IPv6 /64 network. For a further one, the
    /// address' connection that has been idle longest is closed; while none is idle, the
    /// further one gets status 503. Does not hold for `trusted_proxies` themselves, but for
    /// the clients that they report. Default: half of `max_connections`, and no limit for
    /// connections from this machine.
    pub max_connections_per_peer: Option<u32>,
    /// Most requests at a time on one HTTP/2 connection.
    pub max_concurrent_streams: u32,
    /// Proxies in front of the gateway: addresses or networks such as `"10.0.0.0/8"`. Which
    /// client they connect for is taken from the PROXY protocol, version 1 or 2, or else
    /// from the `x-forwarded-for` header of each request; a client reported by that header
    /// may have as many requests under way as it may have connections. Neither is taken
    /// from anybody else.
    pub trusted_proxies: Vec<String>,
    /// Longest time that a client may take to send a request's head, and on a new
    /// connection everything before it.
    pub header_timeout: Duration,
    /// Longest time that a connection is kept while no request is open. Pings do not count.
    /// Balancers in front of the gateway should close idle connections earlier.
    pub idle_timeout: Duration,
    /// Longest time that a connection is kept while its client takes nothing of the responses
    /// that are ready for it. Default: `idle_timeout`. A stream ends at the deadline of its
    /// request in any case.
    pub write_timeout: Option<Duration>,
    /// Time between SIGTERM or SIGINT and the moment when the listeners close. `GET /ready`
    /// gets status 503 from the signal on, while requests are still served, so that balancers
    /// stop sending them. A further SIGINT ends the process at once.
    pub shutdown_delay: Duration,
    /// Time for requests under way to finish once the listeners are closed.
    pub drain_timeout: Duration,
    /// Serve clients on other machines without any key. Without this, a listener
    /// that other machines can reach needs `[keys]`.
    pub allow_anonymous: bool,
    /// Web origins such as `"https://app.example.com"` whose pages may call the client API;
    /// `"*"` allows all. Responses to them have CORS headers, and their preflight requests
    /// need no key. Without `[keys]`, requests from pages of other origins are refused, unless
    /// the page was loaded from the gateway's own address; with `[keys]`, browsers keep such
    /// pages from reading responses. Requests without an `origin` header do not come from web
    /// pages.
    pub allowed_origins: Vec<String>,
    /// Host names by which clients may call the client API when there are no `[keys]`, such
    /// as `"llm.example.com"`; `"*"` allows all. IP addresses, `localhost` and names without
    /// a dot are always allowed. Default: no others if only this machine can reach the
    /// listener, so that no web page can pass for a page of the gateway by a DNS name that
    /// leads here; all others if other machines can reach it.
    pub allowed_hosts: Option<Vec<String>>,
}

/// The listener for operators.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Admin {
    /// Address and port of the admin API. Other machines reach it only with a token.
    pub listen: Address,
    /// Environment variable that holds the token, sent as `authorization: Bearer`.
    pub token_env: Option<String>,
    /// File that holds the token. It is watched: a new token counts without a restart.
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
    /// Address of its API, usually with `/v1` at the end. Needed for kind `openai`. A query
    /// such as `?api-version=2024-10-21` is sent with every call. Redirects by status 307 or
    /// 308 are followed if they stay at the same scheme, host and port.
    pub base_url: Option<String>,
    /// Environment variable that holds the API key.
    pub api_key_env: Option<String>,
    /// File that holds the API key. It is watched: a new key is used without a restart.
    pub api_key_file: Option<String>,
    /// Header that carries the API key: as `Bearer …` in `authorization`, as it is in any
    /// other, such as `api-key`. Default: `authorization`.
    pub api_key_header: Option<String>,
    /// Headers sent with every call. Not for keys.
    pub headers: BTreeMap<String, String>,
    /// Longest wait for a connection.
    pub connect_timeout: Duration,
    /// Longest wait for the head of an answer, whichever route asks. A call that waits this
    /// long in vain counts against the model's health; one that a route, a policy or a
    /// client ends earlier does not. Default: no limit beside those of the routes, and the
    /// longest `attempt_timeout` of the routes with the model is the wait that counts.
    pub first_byte_timeout: Option<Duration>,
    /// How long an unused connection is kept.
    pub idle_timeout: Duration,
    /// Most unused connections that are kept.
    pub max_idle_connections: u32,
    /// Speak HTTP/2 from the first byte, without asking. With TLS it is
    /// negotiated anyway.
    pub http2: bool,
    /// File with the certificate authorities to trust instead of the system's, in PEM. It may
    /// hold the server's own certificate instead. It is watched.
    pub ca_file: Option<String>,
    /// File with the certificate that is shown to a server which asks for one, in PEM,
    /// followed by those between it and its authority. Needs `client_key_file`. It is watched.
    pub client_cert_file: Option<String>,
    /// File with the private key of `client_cert_file`, in PEM and not encrypted. It is watched.
    pub client_key_file: Option<String>,
    /// Proxy to go through: an address such as `"http://proxy.example.com:3128"`, with scheme
    /// `http`, `https`, `socks5` or `socks5h` (names are resolved by the proxy), or `"none"`.
    /// Default: the environment variables `HTTPS_PROXY` for `https` addresses, `HTTP_PROXY`
    /// for `http`, and `ALL_PROXY` for both, unless `NO_PROXY` names the server. They have the
    /// meaning that they have for curl: addresses of this machine go through the proxy too
    /// unless `NO_PROXY` has them, such as `NO_PROXY=localhost,127.0.0.1,::1`.
    pub proxy: Option<String>,
    /// Environment variable that holds the user name and the password for `proxy`, with a
    /// colon between them.
    pub proxy_auth_env: Option<String>,
    /// File that holds the user name and the password for `proxy`, with a colon between them.
    /// It is watched.
    pub proxy_auth_file: Option<String>,
    /// Ask the server regularly whether it is alive. Without it, its health follows from the
    /// calls alone.
    pub health: Option<Health>,
    /// Request the usage of each stream. Where the client did not request it, it is hidden
    /// from the client. A server that refuses `stream_options` is called again without it,
    /// and not asked again; usage is estimated then. Turn this off for a server that fails
    /// in another way.
    pub stream_usage: bool,
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
    /// Path of the probe, below the base URL. Any answer with a status below 500 is that of a
    /// server which is alive.
    pub path: String,
    /// Time between two probes.
    pub interval: Duration,
    /// Longest wait for an answer.
    pub timeout: Duration,
}

/// A model name that clients can ask for.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
#[schemars(extend("required" = ["policy"]))]
pub(super) struct Route {
    /// Shown in the list of models.
    pub description: Option<String>,
    /// The policy that decides.
    pub policy: Option<String>,
    /// A policy on trial that is asked about every request too. Its answers are
    /// compared with those of `policy`, and nothing else is done with them.
    pub shadow: Option<String>,
    /// A policy on trial that decides a share of the requests.
    pub canary: Option<Canary>,
    /// The models that it may choose from: ids, or patterns in which `*` stands for
    /// anything. Default: all.
    pub models: Option<Vec<String>>,
    /// The model that would answer everything without routing: what its answers would
    /// have cost is what costs are compared with. Default: of the route's models the
    /// one with the highest `quality.general`; among equals the dearest.
    pub baseline: Option<String>,
    /// Longest time for a request, from its arrival to the last byte of the answer.
    pub timeout: Duration,
    /// Longest wait for the head of one model's answer, from the call on.
    pub attempt_timeout: Duration,
    /// Longest wait for the first content of one model's answer, from the call on, however
    /// many comments or how much white space the server sends before. Default: half of
    /// `timeout`, so that another model can still answer.
    pub first_content_timeout: Option<Duration>,
    /// Longest time between two pieces of one model's answer, whatever is in them: content,
    /// a comment or white space. Default: `attempt_timeout`.
    pub silence_timeout: Option<Duration>,
    /// Longest time for the whole of one model's answer, from the call on. Default: no limit
    /// beside `timeout`.
    pub answer_timeout: Option<Duration>,
    /// Most calls to models for one request: the policy's targets in order, then
    /// unhealthy models, then retries of those whose failure may pass.
    pub max_attempts: u32,
    /// Call unhealthy models when the policy's targets have failed. The policy does not
    /// see them; turn this off where it leaves models out for reasons of its own, such
    /// as where data may be processed.
    pub last_resort: bool,
    /// Wait before a model is called again; doubles each time.
    pub backoff: Duration,
    /// What a plan may use up where the policy cuts requests into tasks.
    pub plan: Plan,
    /// What happens when the policy fails, as in `[policies.NAME]`. Default: what
    /// the policy says.
    pub on_failure: Option<WordOr<OnFailureWord, OnFailureTable>>,
}

/// What the plan of one request may use up, whatever its policy says.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Plan {
    /// Most tasks, over all steps.
    pub max_tasks: u32,
    /// Most times that the policy is asked.
    pub max_steps: u32,
    /// Most tasks that run at the same time; further ones wait.
    pub max_parallel: u32,
    /// Most tasks that wait for one another in a row.
    pub max_depth: u32,
    /// Most output tokens of all calls together. Each call is sent a limit: the
    /// task's own, else an equal share of what is left. When nothing is left, no
    /// further call is made.
    pub max_output_tokens: u32,
    /// Most input tokens of all calls together, as estimated before each call.
    pub max_input_tokens: u64,
    /// Largest size of all inputs of tasks and of a composed answer together, as
    /// they are written in JSON; each message and each piece of one counts 256
    /// bytes more.
    pub max_assembled_bytes: Size,
    /// Most US dollars for all calls together, and for the answer of one model
    /// that a policy that can plan routes to. Before each call, its estimated
    /// input and its limit of output tokens are reserved at its model's price; a
    /// call that would exceed the limit is not made. Default: no limit.
    pub max_cost: Option<f64>,
}

/// An API key of a client.
#[derive(Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
#[schemars(extend("required" = ["hash"]))]
pub(super) struct Key {
    /// `sha256:` and the SHA-256 of the key in hex. `pointsman key` makes a key and its hash.
    #[schemars(regex(pattern = r"^sha256:[0-9a-f]{64}$"))]
    pub hash: Option<String>,
    /// The routes and models that it may ask for, `*` standing for anything. Default: all.
    pub routes: Option<Vec<String>>,
}
