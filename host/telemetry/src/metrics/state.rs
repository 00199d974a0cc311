//! How things stand, as the gateway tells it to whoever asks for metrics.

use std::time::Duration;

/// What is rather than happens. All names are those of the configuration.
#[derive(Clone, Debug, Default)]
pub struct State {
    /// The gateway's version.
    pub version: &'static str,
    /// When it started, since 1970.
    pub started: Duration,
    /// Its routes.
    pub routes: Vec<RouteState>,
    /// Its models.
    pub models: Vec<ModelState>,
    /// Its policies.
    pub policies: Vec<PolicyState>,
    /// Number of policies that could not be loaded yet.
    pub policies_not_loaded: u64,
    /// Places for calls of policies.
    pub pool: PoolState,
    /// Memory that requests and answers hold.
    pub memory: MemoryState,
    /// Reloads so far.
    pub reloads: ReloadState,
    /// Spans that were not delivered.
    pub spans_dropped: u64,
    /// Decision records that were not written.
    pub records_dropped: u64,
    /// Log lines that were not written.
    pub log_lines_dropped: u64,
    /// Panics of all threads.
    pub panics: u64,
    /// Restarts of background work, by its name.
    pub restarts: Vec<(&'static str, u64)>,
}

/// A route.
#[derive(Clone, Debug, Default)]
pub struct RouteState {
    /// Its name.
    pub name: String,
    /// The policy that decides there.
    pub policy: String,
}

/// A model.
#[derive(Clone, Debug, Default)]
pub struct ModelState {
    /// Its backend.
    pub backend: String,
    /// Its id.
    pub id: String,
    /// Whether its recent calls or probes were answered.
    pub healthy: bool,
    /// Calls under way.
    pub in_flight: u32,
    /// Retries that the retry budget denied.
    pub retries_denied: u64,
}

/// A policy: its active version, and what was counted over all versions.
#[derive(Clone, Debug, Default)]
pub struct PolicyState {
    /// Its name.
    pub name: String,
    /// The first digits of the active version's digest.
    pub digest: String,
    /// When the active version was let in, in seconds since 1970.
    pub loaded_at: u64,
    /// How often another version took over.
    pub swaps: u64,
    /// How often a version was not let in.
    pub rejected: u64,
    /// What was undone about it.
    pub undone: Vec<Undone>,
    /// Failures by reason, those that never happened too.
    pub failures: Vec<(&'static str, u64)>,
    /// Log lines that were not written, since there were too many.
    pub log_lines_dropped: u64,
    /// How long decisions took: times, from the shortest, with how many took
    /// about that long.
    pub decision_times: Vec<(Duration, u64)>,
    /// How long all of them took together.
    pub decision_time: Duration,
    /// Calls under way.
    pub calls: usize,
    /// How many may be.
    pub calls_limit: usize,
    /// Warm instances that nobody uses.
    pub idle_instances: usize,
    /// The largest linear memory that an instance had, in bytes.
    pub peak_memory: usize,
    /// The largest that it may have.
    pub memory_limit: usize,
}

/// How often something was undone about a policy.
#[derive(Clone, Copy, Debug)]
pub struct Undone {
    /// The audit log's word for it.
    pub action: &'static str,
    /// Who did it: `gateway` or `admin`.
    pub by: &'static str,
    /// How often.
    pub count: u64,
}

/// Places for calls of policies, all together.
#[derive(Clone, Copy, Debug, Default)]
pub struct PoolState {
    /// Calls under way.
    pub calls: usize,
    /// How many may be.
    pub places: usize,
}

/// Memory that requests and answers hold.
#[derive(Clone, Copy, Debug, Default)]
pub struct MemoryState {
    /// All of it, in bytes.
    pub held: usize,
    /// Most of it.
    pub limit: usize,
    /// Memory of large bodies, by kind.
    pub large: [HeldKind; 2],
}

/// Memory that large bodies of one kind hold.
#[derive(Clone, Copy, Debug, Default)]
pub struct HeldKind {
    /// `request-bodies` or `answers`.
    pub kind: &'static str,
    /// Bytes.
    pub held: usize,
    /// Most bytes.
    pub limit: usize,
}

/// Reloads so far.
#[derive(Clone, Copy, Debug, Default)]
pub struct ReloadState {
    /// After which all on disk was in force.
    pub applied: u64,
    /// In which a version of a policy was not let in.
    pub partial: u64,
    /// In which the configuration was refused.
    pub rejected: u64,
    /// When the last of them was that left all in force, in seconds since 1970;
    /// the start counts as one.
    pub last_applied: u64,
    /// Whether the last one left all in force.
    pub last_is_clean: bool,
}
