//! The metrics that there are. The page, its documentation and the tests of both
//! are made from this list.

/// One metric.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Definition {
    /// Its name, without unit and suffix.
    pub(super) base: &'static str,
    /// What it is.
    pub kind: Kind,
    /// In what it is counted, if not simply in numbers.
    pub unit: Option<&'static str>,
    /// Its labels.
    pub labels: &'static [&'static str],
    /// What it tells.
    pub meaning: &'static str,
}

/// What a metric is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A number that only grows.
    Counter,
    /// A number that goes up and down.
    Gauge,
    /// Numbers, counted in buckets.
    Histogram,
    /// Always 1: its labels are what it tells.
    Info,
}

impl Kind {
    /// The word for it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Counter => "counter",
            Self::Gauge => "gauge",
            Self::Histogram => "histogram",
            Self::Info => "info",
        }
    }
}

impl Definition {
    /// Its name as queries have it.
    pub fn name(&self) -> String {
        let unit = self.unit.map_or_else(String::new, |unit| format!("_{unit}"));
        let suffix = match self.kind {
            Kind::Counter => "_total",
            Kind::Info => "_info",
            Kind::Gauge | Kind::Histogram => "",
        };
        format!("{}{unit}{suffix}", self.base)
    }

    const fn of(self, unit: &'static str) -> Self {
        Self { unit: Some(unit), ..self }
    }
}

macro_rules! metrics {
    ($($(#[unit = $unit:literal])? $kind:ident $name:ident = $base:literal [$($label:literal),*] $meaning:literal;)*) => {
        $(pub(super) const $name: Definition = Definition {
            base: $base, kind: Kind::$kind, unit: None, labels: &[$($label),*], meaning: $meaning,
        }$(.of($unit))?;)*

        /// All of them, in the order of the page.
        pub const ALL: &[Definition] = &[$($name),*];
    };
}

metrics! {
    Info BUILD = "pointsman_build" ["version"]
        "The gateway's version.";
    #[unit = "seconds"]
    Gauge START = "pointsman_start_time" []
        "When the gateway started, in seconds since 1970.";
    Counter RELOADS = "pointsman_reloads" ["result"]
        "Reloads: applied, partial (a version of a policy was not let in), rejected (the configuration was not).";
    Gauge LAST_RELOAD_OK = "pointsman_last_reload_successful" []
        "1 if all on disk is in force since the last reload or the start, else 0.";
    #[unit = "seconds"]
    Gauge LAST_RELOAD = "pointsman_last_reload_success_timestamp" []
        "When all on disk was in force for the last time after a reload or the start, in seconds since 1970.";
    Gauge NOT_LOADED = "pointsman_policies_not_loaded" []
        "Policies that could not be loaded since the start, whose routes follow `on_failure`.";
    Counter DROPPED = "pointsman_dropped" ["queue"]
        "What was dropped rather than waited for, or could not be delivered: decision records, spans, events, requests for a shadow, outcomes, log lines.";
    Counter PANICS = "pointsman_panics" []
        "Panics: errors in the gateway's own code that ended a request or a piece of background work.";
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

    Counter REQUESTS = "pointsman_requests" ["route", "ending"]
        "Requests that were decided and ended: answered, failed, or cancelled by the client.";
    Counter ERRORS = "pointsman_request_errors" ["route", "fault"]
        "Failed requests by who could have done better: client, policy, backend, or deadline.";
    Counter REJECTED = "pointsman_rejected_requests" ["code"]
        "Requests turned away before anybody was asked what to do, by the code of the error.";
    Counter ANSWERS = "pointsman_answers" ["route", "model"]
        "Answered requests by the model that answered; none where the gateway put the answer together.";
    #[unit = "seconds"]
    Histogram LATENCY = "pointsman_request_duration" ["route", "model"]
        "Time from the arrival of an answered request to the end of its answer.";
    #[unit = "seconds"]
    Histogram FIRST_TOKEN = "pointsman_time_to_first_token" ["route", "model"]
        "Time from the arrival of an answered request to the first token of its answer.";
    #[unit = "seconds"]
    Histogram ADDED = "pointsman_added_latency" ["route"]
        "The part of the time to the first token in which the whole request was there and no model was working on it.";

    Counter TOKENS = "pointsman_tokens" ["route", "model", "direction"]
        "Tokens of all calls, those in vain included: input and output.";
    Counter SPECIAL_TOKENS = "pointsman_special_tokens" ["route", "model", "kind"]
        "Those of the tokens that have a price of their own: cached-input, cache-write and reasoning.";
    #[unit = "usd"]
    Counter COST = "pointsman_cost" ["route", "model"]
        "US dollars that all calls cost, those in vain included.";
    #[unit = "usd"]
    Counter COMPARED = "pointsman_compared_cost" ["route"]
        "US dollars that those answered requests cost that the baseline could have served too.";
    #[unit = "usd"]
    Counter BASELINE = "pointsman_baseline_cost" ["route"]
        "US dollars that the baseline would have charged for those.";

    Counter DECISIONS = "pointsman_decisions" ["route", "answer"]
        "Answers of policies to requests: route, plan, finish, refusal, failure.";
    Counter POLICY_FALLBACKS = "pointsman_policy_fallbacks" ["route"]
        "Requests whose policy failed, so that another, the version before it or the gateway's own order decided.";
    Counter FALLBACK_CALLS = "pointsman_fallback_calls" ["route"]
        "Calls of another model after the first one failed or kept silent, for the same answer or task.";

    Counter PLANS = "pointsman_plans" ["route", "ending"]
        "Requests that were cut into tasks, by how they ended.";
    Counter TASKS = "pointsman_plan_tasks" ["route", "operation", "end"]
        "Tasks of plans by what a model was called for and how they ended: done, failed, cancelled, skipped.";
    #[unit = "seconds"]
    Histogram CRITICAL_PATH = "pointsman_plan_critical_path" ["route"]
        "Time that the tasks took together that decided how long a plan took.";

    Info ROUTE = "pointsman_route" ["route", "policy"]
        "The policy that decides at a route.";
    Info POLICY = "pointsman_policy" ["policy", "digest"]
        "The version of a policy that serves: the first 12 digits of its SHA-256.";
    #[unit = "seconds"]
    Gauge LOADED = "pointsman_policy_loaded_timestamp" ["policy"]
        "When the version that serves was let in, in seconds since 1970.";
    Counter SWAPS = "pointsman_policy_swaps" ["policy"]
        "Times that another version of a policy took over.";
    Counter NOT_LET_IN = "pointsman_policy_rejected_versions" ["policy"]
        "Times that a version of a policy was not let in.";
    Counter ROLLBACKS = "pointsman_policy_rollbacks" ["policy", "action", "by"]
        "Times that a version, a canary or a promotion was undone, by the gateway itself or by a person.";
    Counter FAILURES = "pointsman_policy_failures" ["policy", "reason"]
        "Failed decisions of a policy, shadows included.";
    Counter LOG_LINES_DROPPED = "pointsman_policy_log_lines_dropped" ["policy"]
        "Log lines of a policy that were not written, since there were too many.";
    #[unit = "seconds"]
    Histogram DECISION = "pointsman_decision_duration" ["policy"]
        "Time that decisions took over all versions of a policy, shadows included; bounds are exact to an eighth.";
    Gauge POLICY_CALLS = "pointsman_policy_calls_in_flight" ["policy"]
        "Calls of the serving version that are under way or wait for a place.";
    Gauge POLICY_CALLS_LIMIT = "pointsman_policy_calls_limit" ["policy"]
        "Calls of the serving version that may be under way at once.";
    Gauge IDLE = "pointsman_policy_idle_instances" ["policy"]
        "Warm instances of the serving version that nobody uses.";
    #[unit = "bytes"]
    Gauge MEMORY = "pointsman_policy_peak_memory" ["policy"]
        "The largest linear memory that an instance of the serving version had.";
    #[unit = "bytes"]
    Gauge MEMORY_LIMIT = "pointsman_policy_memory_limit" ["policy"]
        "The largest linear memory that an instance of the serving version may have.";
    Gauge POOL_CALLS = "pointsman_policy_pool_calls_in_flight" []
        "Calls of all policies that are under way.";
    Gauge POOL_PLACES = "pointsman_policy_pool_places" []
        "Calls of all policies that may be under way at once.";

    Counter CALLS = "pointsman_calls" ["backend", "model", "result"]
        "Calls of models by what became of them.";
    Counter RETRIES = "pointsman_call_retries" ["backend", "model"]
        "Calls of a model that had failed for the same answer or task before.";
    Counter RETRIES_DENIED = "pointsman_call_retries_denied" ["backend", "model"]
        "Retries of a model that its retry budget did not allow.";
    Gauge IN_FLIGHT = "pointsman_model_calls_in_flight" ["backend", "model"]
        "Calls of a model that are under way.";
    Gauge HEALTHY = "pointsman_model_healthy" ["backend", "model"]
        "1 if recent calls or probes of the model were answered, else 0.";
}
