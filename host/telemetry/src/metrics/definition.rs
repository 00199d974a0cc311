//! List of all metrics, from which the page, its documentation and the tests of both are made.

/// Definition of one metric.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MetricDefinition {
    /// Name without unit and suffix.
    pub(super) base: &'static str,
    /// Kind.
    pub kind: MetricKind,
    /// Unit, if there is one.
    pub unit: Option<&'static str>,
    /// Names of its labels.
    pub labels: &'static [&'static str],
    /// Meaning, as one sentence.
    pub meaning: &'static str,
}

/// Kind of a metric.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MetricKind {
    /// A number that only grows.
    Counter,
    /// A number that goes up and down.
    Gauge,
    /// Numbers counted in buckets.
    Histogram,
    /// Always 1; the labels carry the information.
    Info,
}

impl MetricKind {
    /// Returns the name of the kind.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Counter => "counter",
            Self::Gauge => "gauge",
            Self::Histogram => "histogram",
            Self::Info => "info",
        }
    }
}

impl MetricDefinition {
    /// Returns the full name, as in queries.
    pub fn name(&self) -> String {
        let unit = self.unit.map_or_else(String::new, |unit| format!("_{unit}"));
        let suffix = match self.kind {
            MetricKind::Counter => "_total",
            MetricKind::Info => "_info",
            MetricKind::Gauge | MetricKind::Histogram => "",
        };
        format!("{}{unit}{suffix}", self.base)
    }

    const fn of(self, unit: &'static str) -> Self {
        Self { unit: Some(unit), ..self }
    }
}

macro_rules! metrics {
    ($($(#[unit = $unit:literal])? $kind:ident $name:ident = $base:literal [$($label:literal),*] $meaning:literal;)*) => {
        $(pub(super) const $name: MetricDefinition = MetricDefinition {
            base: $base, kind: MetricKind::$kind, unit: None, labels: &[$($label),*], meaning: $meaning,
        }$(.of($unit))?;)*

        /// All metrics in the order of the page.
        pub const ALL: &[MetricDefinition] = &[$($name),*];
    };
}

metrics! {
    Info BUILD = "pointsman_build" ["version"]
        "The gateway's version.";
    #[unit = "seconds"]
    Gauge START = "pointsman_start_time" []
        "When the gateway started, in seconds since 1970.";
    Counter RELOADS = "pointsman_reloads" ["result"]
        "Reloads: applied, partial (a version of a policy was rejected), rejected (the configuration was).";
    Gauge LAST_RELOAD_OK = "pointsman_last_reload_successful" []
        "1 if the last reload, or the start, applied everything on disk, else 0.";
    #[unit = "seconds"]
    Gauge LAST_RELOAD = "pointsman_last_reload_success_timestamp" []
        "Time of the last reload, or start, that applied everything on disk, in seconds since 1970.";
    Gauge NOT_LOADED = "pointsman_policies_not_loaded" []
        "Policies that could not be loaded since the start, whose routes follow `on_failure`.";
    Counter DROPPED = "pointsman_dropped" ["queue"]
        "Entries that a full queue dropped or that could not be delivered: decision records, spans, events, requests for a shadow, outcomes, log lines.";
    Counter PANICS = "pointsman_panics" []
        "Panics: errors in the gateway's own code that ended a request or a piece of background work.";
    Counter HANDSHAKE_FAILURES = "pointsman_tls_handshake_failures" ["listener"]
        "Failed TLS handshakes of clients of the `client` or `admin` listener: no TLS, no common version or cipher, a refused certificate, or too slow.";
    Counter RESTARTS = "pointsman_background_restarts" ["task"]
        "Restarts of background work that panicked or ended unexpectedly.";

    #[unit = "bytes"]
    Gauge HELD = "pointsman_held_memory" []
        "Memory in use by request bodies and answers.";
    #[unit = "bytes"]
    Gauge HELD_LARGE = "pointsman_held_memory_large" ["kind"]
        "Memory in use by large request bodies and answers: all but the first 64 KiB of each.";
    #[unit = "bytes"]
    Gauge HELD_LIMIT = "pointsman_held_memory_limit" ["kind"]
        "Limits on the memory of all request bodies and answers, and of the large ones of each kind.";

    #[unit = "bytes"]
    Gauge STORED = "pointsman_stored_uploads" []
        "Bytes of uploads in files.";
    #[unit = "bytes"]
    Gauge STORED_LIMIT = "pointsman_stored_uploads_limit" []
        "Limit on the bytes of all uploads in files.";

    Counter REQUESTS = "pointsman_requests" ["route", "ending"]
        "Requests that ended after a decision: answered, failed, or cancelled by the client.";
    Counter ERRORS = "pointsman_request_errors" ["route", "fault"]
        "Failed requests by the party at fault: client, policy, backend, or deadline.";
    Counter FAILED = "pointsman_failed_requests" ["route", "cause"]
        "Failed requests by cause, as the live page counts them: client (its own short deadline too), model, policy, or limit.";
    Counter REJECTED = "pointsman_rejected_requests" ["code"]
        "Requests that were rejected before a decision, by the code of the error.";
    Counter ANSWERS = "pointsman_answers" ["route", "model"]
        "Answered requests by the model that answered; empty if the gateway composed the answer.";
    #[unit = "seconds"]
    Histogram LATENCY = "pointsman_request_duration" ["route", "model"]
        "Time from the arrival of an answered request to the end of its answer.";
    #[unit = "seconds"]
    Histogram FIRST_TOKEN = "pointsman_time_to_first_token" ["route", "model"]
        "Time from the arrival of an answered request to the first token of its answer.";
    #[unit = "seconds"]
    Histogram ADDED = "pointsman_added_latency" ["route"]
        "Part of the time to the first token in which the whole request had arrived and no model was working on it.";

    Counter TOKENS = "pointsman_tokens" ["route", "model", "direction"]
        "Tokens of all calls, unsuccessful ones included: input and output.";
    Counter SPECIAL_TOKENS = "pointsman_special_tokens" ["route", "model", "kind"]
        "Tokens of special kinds, which are included in the above: cached-input, cache-write (of which cache-write-1h), reasoning, and input and output of audio and images.";
    #[unit = "usd"]
    Counter COST = "pointsman_cost" ["route", "model"]
        "Cost of all calls in US dollars, unsuccessful ones included.";
    #[unit = "usd"]
    Counter COMPARED = "pointsman_compared_cost" ["route"]
        "Cost in US dollars of the answered requests that the baseline could have served too.";
    #[unit = "usd"]
    Counter BASELINE = "pointsman_baseline_cost" ["route"]
        "Cost in US dollars of the same requests on the baseline.";

    Counter DECISIONS = "pointsman_decisions" ["route", "answer"]
        "Answers of policies to requests: route, plan, finish, refusal, failure.";
    Counter POLICY_FALLBACKS = "pointsman_policy_fallbacks" ["route"]
        "Requests whose policy failed and that another policy, its previous version or the gateway's own order decided.";
    Counter FALLBACK_CALLS = "pointsman_fallback_calls" ["route"]
        "Calls of another model after the first one failed or stayed silent, for the same answer or task.";

    Counter PLANS = "pointsman_plans" ["route", "ending"]
        "Requests that were split into tasks, by their end.";
    Counter TASKS = "pointsman_plan_tasks" ["route", "operation", "end"]
        "Tasks of plans by operation and end: done, failed, cancelled, skipped.";
    #[unit = "seconds"]
    Histogram CRITICAL_PATH = "pointsman_plan_critical_path" ["route"]
        "Duration of the tasks on the critical path of a plan.";

    Info ROUTE = "pointsman_route" ["route", "policy"]
        "The policy of a route.";
    Info POLICY = "pointsman_policy" ["policy", "digest"]
        "The active version of a policy: the first 12 digits of its SHA-256.";
    #[unit = "seconds"]
    Gauge LOADED = "pointsman_policy_loaded_timestamp" ["policy"]
        "Time at which the active version was loaded, in seconds since 1970.";
    Counter SWAPS = "pointsman_policy_swaps" ["policy"]
        "Times that another version of a policy became active.";
    Counter NOT_LET_IN = "pointsman_policy_rejected_versions" ["policy"]
        "Versions of a policy that were rejected.";
    Counter ROLLBACKS = "pointsman_policy_rollbacks" ["policy", "action", "by"]
        "Times that a version, a canary or a promotion was undone, by the gateway or by an operator.";
    Counter FAILURES = "pointsman_policy_failures" ["policy", "reason"]
        "Failed decisions of a policy, shadows included.";
    Counter LOG_LINES_DROPPED = "pointsman_policy_log_lines_dropped" ["policy"]
        "Log lines of a policy that the rate limit dropped.";
    #[unit = "seconds"]
    Histogram DECISION = "pointsman_decision_duration" ["policy"]
        "Decision time over all versions of a policy, shadows included; bounds are exact to an eighth.";
    Gauge POLICY_CALLS = "pointsman_policy_calls_in_flight" ["policy"]
        "Calls of the active version that are running or waiting for a permit.";
    Gauge POLICY_CALLS_LIMIT = "pointsman_policy_calls_limit" ["policy"]
        "Most concurrent calls of the active version.";
    Gauge IDLE = "pointsman_policy_idle_instances" ["policy"]
        "Idle warm instances of the active version.";
    #[unit = "bytes"]
    Gauge MEMORY = "pointsman_policy_peak_memory" ["policy"]
        "Largest linear memory of an instance of the active version so far.";
    #[unit = "bytes"]
    Gauge MEMORY_LIMIT = "pointsman_policy_memory_limit" ["policy"]
        "Largest linear memory that an instance of the active version may have.";
    Gauge POOL_CALLS = "pointsman_policy_pool_calls_in_flight" []
        "Running calls of all policies.";
    Gauge POOL_PLACES = "pointsman_policy_pool_places" []
        "Most concurrent calls of all policies.";

    Counter FEEDBACK = "pointsman_feedback" []
        "Ratings of answers by applications.";
    Gauge STATE_KEYS = "pointsman_policy_state_keys" ["policy"]
        "Keys that a policy keeps between its calls.";
    #[unit = "bytes"]
    Gauge STATE_SIZE = "pointsman_policy_state" ["policy"]
        "Bytes of the keys and values that a policy keeps.";
    Gauge STATE_UNSTORED = "pointsman_policy_state_unstored_changes" ["policy"]
        "Changes of what a policy keeps that are not in the state directory yet, and would be lost in a crash.";
    Counter STATE_REJECTED = "pointsman_policy_state_rejected_writes" ["policy"]
        "Writes of a policy that exceeded a bound.";
    Counter STATE_FAILURES = "pointsman_policy_state_store_failures" []
        "Failed attempts to write what policies keep to the state directory.";
    Counter HISTORY_FAILURES = "pointsman_history_store_failures" []
        "Failed attempts to write the history of usage to the state directory. Its steps stay in memory, for a day at most.";

    Counter CALLS = "pointsman_calls" ["backend", "model", "result"]
        "Calls of models by result.";
    Counter RETRIES = "pointsman_call_retries" ["backend", "model"]
        "Calls of a model that was called before for the same answer or task.";
    Counter RETRIES_DENIED = "pointsman_call_retries_denied" ["backend", "model"]
        "Retries of a model that its retry budget denied.";
    Gauge IN_FLIGHT = "pointsman_model_calls_in_flight" ["backend", "model"]
        "Running calls of a model.";
    Gauge HEALTHY = "pointsman_model_healthy" ["backend", "model"]
        "0 if recent calls or probes of the model failed, else 1.";
    Gauge RESTING = "pointsman_model_resting" ["backend", "model"]
        "1 while the model rests because its backend asked not to be called for a time, else 0.";
}
