//! State of the gateway at the moment of a scrape.

use std::time::Duration;

/// State of the gateway at the moment of a scrape. All names are those of the configuration.
#[derive(Clone, Debug, Default)]
pub struct MetricsState {
    /// Version of the gateway.
    pub version: &'static str,
    /// Start, since 1970.
    pub started: Duration,
    /// Routes.
    pub routes: Vec<RouteMetrics>,
    /// Models.
    pub models: Vec<ModelMetrics>,
    /// Policies.
    pub policies: Vec<PolicyMetrics>,
    /// Failed attempts to store what policies keep.
    pub state_failures: u64,
    /// Failed attempts to store the history of usage.
    pub history_failures: u64,
    /// Number of policies that could not be loaded yet.
    pub policies_not_loaded: u64,
    /// Calls of all policies.
    pub pool: PoolMetrics,
    /// Memory of requests and answers.
    pub memory: MemoryMetrics,
    /// Counts of reloads.
    pub reloads: ReloadMetrics,
    /// Spans that were not delivered.
    pub spans_dropped: u64,
    /// Decision records that were not written.
    pub records_dropped: u64,
    /// Log lines that were not written.
    pub log_lines_dropped: u64,
    /// Panics of all threads.
    pub panics: u64,
    /// Failed TLS handshakes, by listener.
    pub handshake_failures: Vec<(&'static str, u64)>,
    /// Restarts of background work, by its name.
    pub restarts: Vec<(&'static str, u64)>,
}

/// State of a route.
#[derive(Clone, Debug, Default)]
pub struct RouteMetrics {
    /// Name.
    pub name: String,
    /// Name of its policy.
    pub policy: String,
}

/// State of a model.
#[derive(Clone, Debug, Default)]
pub struct ModelMetrics {
    /// Name of its backend.
    pub backend: String,
    /// Id.
    pub id: String,
    /// False if recent calls or probes failed.
    pub healthy: bool,
    /// True while its backend asks not to be called.
    pub resting: bool,
    /// Calls under way.
    pub in_flight: u32,
    /// Retries that the retry budget denied.
    pub retries_denied: u64,
}

/// State of a policy: its active version, and counts over all versions.
#[derive(Clone, Debug, Default)]
pub struct PolicyMetrics {
    /// Name.
    pub name: String,
    /// First digits of the active version's digest.
    pub digest: String,
    /// Time at which the active version was loaded, in seconds since 1970.
    pub loaded_at: u64,
    /// Number of times that another version became active.
    pub swaps: u64,
    /// Number of versions that were rejected.
    pub rejected: u64,
    /// Undone changes.
    pub rollbacks: Vec<RollbackCount>,
    /// Failures by reason, with those that never occurred.
    pub failures: Vec<(&'static str, u64)>,
    /// Log lines that were dropped by the rate limit.
    pub log_lines_dropped: u64,
    /// Histogram of decision times: upper bounds in ascending order, with their counts.
    pub decision_times: Vec<(Duration, u64)>,
    /// Sum of all decision times.
    pub decision_time: Duration,
    /// Calls under way.
    pub calls: usize,
    /// Most calls at the same time.
    pub calls_limit: usize,
    /// Warm instances that are idle.
    pub idle_instances: usize,
    /// Largest linear memory of an instance so far, in bytes.
    pub peak_memory: usize,
    /// Largest linear memory that an instance may have, in bytes.
    pub memory_limit: usize,
    /// State that it keeps between calls, if any.
    pub state: Option<StateMetrics>,
}

/// State that a policy keeps.
#[derive(Clone, Copy, Debug, Default)]
pub struct StateMetrics {
    /// Number of keys.
    pub keys: usize,
    /// Bytes of keys and values.
    pub bytes: usize,
    /// Changes that are not stored yet.
    pub unstored: usize,
    /// Rejected writes.
    pub rejected_writes: u64,
}

/// Number of times that a change of a policy was undone.
#[derive(Clone, Copy, Debug)]
pub struct RollbackCount {
    /// Action as named in the audit log.
    pub action: &'static str,
    /// Actor: `gateway` or `admin`.
    pub by: &'static str,
    /// Number of times.
    pub count: u64,
}

/// Calls of all policies.
#[derive(Clone, Copy, Debug, Default)]
pub struct PoolMetrics {
    /// Calls under way.
    pub calls: usize,
    /// Most calls at the same time.
    pub places: usize,
}

/// Memory of requests and answers.
#[derive(Clone, Copy, Debug, Default)]
pub struct MemoryMetrics {
    /// Bytes in use.
    pub held: usize,
    /// Most bytes.
    pub limit: usize,
    /// Memory of large bodies, by kind.
    pub large: [HeldKind; 2],
    /// Bytes of uploads in files.
    pub stored_uploads: u64,
    /// Most bytes of uploads in files.
    pub stored_uploads_limit: u64,
}

/// Memory of large bodies of one kind.
#[derive(Clone, Copy, Debug, Default)]
pub struct HeldKind {
    /// `request-bodies` or `answers`.
    pub kind: &'static str,
    /// Bytes in use.
    pub held: usize,
    /// Most bytes.
    pub limit: usize,
}

/// Counts of reloads.
#[derive(Clone, Copy, Debug, Default)]
pub struct ReloadMetrics {
    /// Reloads that applied everything on disk.
    pub applied: u64,
    /// Reloads that rejected a version of a policy.
    pub partial: u64,
    /// Reloads that rejected the configuration.
    pub rejected: u64,
    /// Time of the last reload that applied everything on disk, in seconds since 1970. The start
    /// counts as one.
    pub last_applied: u64,
    /// True if the last reload applied everything on disk.
    pub last_is_clean: bool,
}
