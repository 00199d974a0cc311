//! `[policies]`

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Duration, Size, WordOr};

/// A policy.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Policy {
    /// `builtin:` and a name; the path of a WebAssembly file, a component or the
    /// core module that cargo leaves in `target/`, which is watched; an `https://`
    /// address; or `oci://REGISTRY/REPOSITORY:TAG` or `…@sha256:HEX`. Default: the
    /// file of the policy's name in `policy_dir`.
    pub source: Option<String>,
    /// The SHA-256 that its bytes must have, in hex. Needed for `https://`.
    pub sha256: Option<String>,
    /// The minisign public key that must have signed its bytes: one line that
    /// begins with `RW`. The signature is in `FILE.minisig` beside the file or
    /// address, in a registry in the annotation `dev.pointsman.policy.minisig`.
    pub public_key: Option<String>,
    /// How often a registry is asked where the tag leads now. Default: only when
    /// something else calls for a reload.
    pub poll: Option<Duration>,
    /// File with the certificate authorities to trust instead of the system's, in PEM.
    pub ca_file: Option<String>,
    /// Who the web server or the registry is asked as.
    pub username: Option<String>,
    /// Environment variable that holds the password or access token.
    pub password_env: Option<String>,
    /// File that holds the password or access token.
    pub password_file: Option<String>,
    /// What the policy itself is told. Which keys there are is up to the policy.
    #[schemars(with = "serde_json::Map<String, serde_json::Value>")]
    pub settings: toml::Table,
    /// What the policy may import besides what every policy may.
    pub grants: Vec<Grant>,
    /// What one decision may use.
    pub limits: Limits,
    /// Whether instances are reused. `fresh`: each decision has an instance of its
    /// own, so nothing leaks from one to the next. `warm`: instances are reused,
    /// which is faster, and a policy may remember; with settings it is
    /// `{ warm = { recycle_after = 10000, instances = 4 } }`.
    pub isolation: WordOr<IsolationWord, IsolationTable>,
    /// What happens when the policy fails. `fallback`: the models are tried in the
    /// order of the route. `reject`: the request is refused. `previous`: the last
    /// version of the policy that worked decides. `{ fallback = "NAME" }`: another
    /// policy decides.
    pub on_failure: WordOr<OnFailureWord, OnFailureTable>,
}

/// A capability.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Grant {
    /// Read the content of requests.
    Prompt,
    /// Read what the tasks of its plans gave.
    Outputs,
    /// Import WASI, on an empty context: no files, sockets or environment; what is
    /// printed is logged; clocks and random numbers are stand-ins.
    Wasi,
    /// Tell the time, where WASI is granted too.
    Clocks,
    /// Draw real random numbers, where WASI is granted too.
    Random,
}

/// What one decision of a policy may use.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Limits {
    /// Longest time for one decision, until its answer has been checked. Time that it
    /// waits, for its turn or for a processor, is in it.
    pub deadline: Duration,
    /// Most memory of one instance.
    pub memory: Size,
    /// Most decisions of this policy at the same time; further ones wait, at most
    /// for as long as the deadline.
    pub concurrency: u32,
    /// Most calls to the host in one decision. Default: 1000, and 16 more for each
    /// candidate and for each part of the conversation.
    pub host_calls: Option<u32>,
    /// Most lines per second that the policy may write to the gateway's log, all its
    /// versions and decisions together. One decision may write 32. Lines beyond that
    /// are dropped and counted.
    pub log_lines_per_second: u32,
    /// Most bytes of the prompt that are read in one decision.
    pub prompt_bytes: Size,
    /// Largest WebAssembly file.
    pub component: Size,
}

/// Whether instances are reused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum IsolationWord {
    /// A new instance for each decision: nothing leaks from one to the next.
    Fresh,
    /// Reused instances: faster, and a policy may remember.
    Warm,
}

/// Reused instances, with settings.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct IsolationTable {
    /// Reused instances.
    pub warm: Warm,
}

/// Settings of reused instances.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Warm {
    /// Decisions after which an instance is replaced.
    pub recycle_after: u32,
    /// Most instances that are kept while idle.
    pub instances: u32,
}

/// What happens when a policy fails.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum OnFailureWord {
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
pub(crate) struct OnFailureTable {
    /// The policy that decides instead.
    pub fallback: String,
}
