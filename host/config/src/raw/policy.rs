//! `[policies]`

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Duration, Size, WordOr};

/// A policy: its code, settings, grants and limits.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Policy {
    /// `builtin:` and a name; the path of a WebAssembly file, which is watched and holds a
    /// component or the core module that cargo builds in `target/`; an `https://` address; or
    /// `oci://REGISTRY/REPOSITORY:TAG` or `…@sha256:HEX`. Default: the file of the policy's
    /// name in `policy_dir`.
    pub source: Option<String>,
    /// Required SHA-256 of the code, in hex. Mandatory for `https://`.
    pub sha256: Option<String>,
    /// Minisign public key that must have signed the code: one line that begins with `RW`. The
    /// signature is read from `FILE.minisig` next to the file or address, or, in a registry,
    /// from the annotation `dev.pointsman.policy.minisig`.
    pub public_key: Option<String>,
    /// Interval at which the tag is resolved again in the registry. Default: only on a reload
    /// for another reason.
    pub poll: Option<Duration>,
    /// PEM file with the certificate authorities to trust instead of the system's.
    pub ca_file: Option<String>,
    /// User name for the web server or the registry.
    pub username: Option<String>,
    /// Environment variable that holds the password or access token.
    pub password_env: Option<String>,
    /// File that holds the password or access token.
    pub password_file: Option<String>,
    /// Settings that are passed to the policy. The policy defines the keys.
    #[schemars(with = "serde_json::Map<String, serde_json::Value>")]
    pub settings: toml::Table,
    /// Capabilities that the policy may import in addition to the standard ones.
    pub grants: Vec<Grant>,
    /// Limits on one decision.
    pub limits: Limits,
    /// Reuse of instances. `fresh`: each decision runs in an instance of its own, so nothing
    /// leaks from one to the next. `warm`: instances are reused, which is faster, and a policy
    /// may keep state between decisions; settings are given as `{ warm = { recycle_after =
    /// 10000, instances = 4 } }`.
    pub isolation: WordOr<IsolationWord, IsolationTable>,
    /// Policy whose state it uses, if not its own: for a new version that is on trial under another
    /// name. Needs the grant `state`.
    pub state_of: Option<String>,
    /// Action when the policy fails. `fallback`: the models are tried in the order of the
    /// route. `reject`: the request is rejected. `previous`: the last version of the policy
    /// that worked decides. `{ fallback = "NAME" }`: another policy decides.
    pub on_failure: WordOr<OnFailureWord, OnFailureTable>,
}

/// A capability that a policy can be granted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Grant {
    /// Read the content of requests.
    Prompt,
    /// Read the outputs of tasks in its plans.
    Outputs,
    /// Import WASI with an empty context: no files, sockets or environment; printed text is
    /// logged; clocks and random numbers are deterministic substitutes.
    Wasi,
    /// Read real clocks. Requires `wasi`.
    Clocks,
    /// Read real random numbers. Requires `wasi`.
    Random,
    /// Keep values between requests.
    State,
}

/// Limits on one decision of a policy.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Limits {
    /// Longest time for one decision, including the validation of its answer and the time that
    /// it waits for its turn or for a processor.
    pub deadline: Duration,
    /// Most memory of one instance.
    pub memory: Size,
    /// Most decisions of this policy at the same time; further ones wait, at most until their
    /// deadline.
    pub concurrency: u32,
    /// Most host calls in one decision. Default: 1000, plus 16 for each candidate and for each
    /// part of the conversation.
    pub host_calls: Option<u32>,
    /// Most lines per second that the policy may write to the gateway's log, over all its
    /// versions and decisions. One decision may write 32. Lines beyond these limits are dropped
    /// and counted.
    pub log_lines_per_second: u32,
    /// Most bytes of the prompt that one decision may read.
    pub prompt_bytes: Size,
    /// Largest WebAssembly file.
    pub component: Size,
}

/// Reuse of a policy's instances.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum IsolationWord {
    /// A new instance for each decision: nothing leaks from one to the next.
    Fresh,
    /// Reused instances: faster, and a policy may keep state between decisions.
    Warm,
}

/// Reused instances, with explicit settings.
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
    /// Most idle instances that are kept.
    pub instances: u32,
}

/// Action when a policy fails.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum OnFailureWord {
    /// The models are tried in the order of the file.
    Fallback,
    /// The request is rejected.
    Reject,
    /// The last version of the policy that worked decides.
    Previous,
}

/// Another policy to fall back to.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct OnFailureTable {
    /// Policy that decides instead.
    pub fallback: String,
}
