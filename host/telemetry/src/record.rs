//! The decision record: what is told of one request.
//!
//! One format for the decision log, the admin API and the dry run. It is stable:
//! members are added, never renamed or given another meaning without another
//! [`SCHEMA`]. Times are milliseconds since the request's arrival unless their
//! name says otherwise; what is unknown is left out.

mod attempt;
mod candidate;
mod outcome;
mod plan;
mod schema;

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use pointsman_domain::decision::Decision;
use pointsman_domain::history::{DecisionAnswer, DecisionEntry, History, PlanRun};
use pointsman_domain::model::{Abilities, Modalities};
use pointsman_domain::request::RequestFacts;
use schemars::JsonSchema;
use serde::Serialize;

use crate::content::Content;
pub use attempt::Attempt;
pub use candidate::Candidate;
pub use outcome::Outcome;
pub use plan::{Plan, Task};
pub use schema::schema_json;

/// The version of the format.
pub const SCHEMA: u32 = 1;

/// What is told of one request.
#[derive(Clone, Debug, Serialize, JsonSchema)]
#[schemars(title = "Pointsman decision record")]
pub struct Record<'a> {
    /// The version of this format: 1.
    pub schema: u32,
    /// The decision's id, as in the header `x-pointsman-decision-id`: a UUID that sorts by time.
    pub id: &'a str,
    /// When the request arrived, in milliseconds since 1970.
    pub at_ms: u64,
    /// The route, or the model where the client named one.
    pub route: &'a str,
    /// The name of the client's key.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub key: Option<&'a str>,
    /// The trace that its spans are in: 32 hex digits.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub trace_id: Option<String>,
    /// The share of requests that is logged, where that is not all: each record
    /// stands for 1 / `sampling` requests.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sampling: Option<f64>,
    /// What was known of the request without reading it.
    pub request: Request<'a>,
    /// What the request says, where `decision_log.content` is on.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub content: Option<&'a Content>,
    /// Who was asked what to do, in order. The last answer was followed.
    pub decisions: Vec<Answered<'a>>,
    /// The calls of models, in the order in which they were made.
    pub attempts: Vec<Attempt<'a>>,
    /// How the plan went, where the request was cut into tasks.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub plan: Option<Plan<'a>>,
    /// How it ended; absent in a dry run.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub outcome: Option<Outcome<'a>>,
}

/// What was known of a request without reading it.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct Request<'a> {
    /// The endpoint: `chat`.
    pub operation: &'static str,
    /// The model name that the client asked for.
    pub model: &'a str,
    /// What ties requests of one conversation together, from `x-pointsman-session`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub session: Option<&'a str>,
    /// Estimated tokens of the input.
    pub input_tokens: u32,
    /// The client's limit on output tokens.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_output_tokens: Option<u32>,
    /// Kinds of content: `text`, `image`, `audio`, `video`, `document`.
    pub inputs: Vec<String>,
    /// What a model must be able to do: `tools`, `structured-output`, `reasoning` …
    pub needs: Vec<String>,
    /// Messages that are not system messages.
    pub turns: u32,
    /// Whether the answer was to be streamed.
    pub streaming: bool,
    /// Milliseconds that there were for the whole answer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub deadline_ms: Option<u32>,
    /// Named facts for policies, such as `prefer`.
    pub attributes: &'a std::collections::BTreeMap<String, String>,
}

/// One time that somebody was asked.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct Answered<'a> {
    /// The policy; absent for the gateway's own order.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub policy: Option<&'a str>,
    /// SHA-256 of the version that was asked.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub digest: Option<String>,
    /// When it was asked.
    pub asked_ms: f64,
    /// Microseconds that its answer took.
    pub took_us: f64,
    /// How many of the candidates, counted from the first, could serve the whole request.
    pub whole: usize,
    /// What there was to choose from, with the facts of that moment.
    pub candidates: Vec<Candidate<'a>>,
    /// What it answered.
    pub answer: Answer<'a>,
}

/// What was answered.
#[derive(Clone, Debug, Serialize, JsonSchema)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum Answer<'a> {
    /// One model answers.
    Route {
        /// Which are tried, in order.
        targets: Vec<Target>,
        /// What kind of choice it was.
        label: &'a str,
        /// Why, in the policy's words.
        #[serde(skip_serializing_if = "Option::is_none")]
        reason: Option<&'a str>,
        /// When the next target was to be started beside a silent one.
        #[serde(skip_serializing_if = "Option::is_none")]
        hedge_after_ms: Option<f64>,
        /// Probability of the first target, where the policy explores.
        #[serde(skip_serializing_if = "Option::is_none")]
        propensity: Option<f64>,
    },
    /// The request is cut into tasks.
    Plan {
        /// What kind of plan.
        label: &'a str,
        /// Why.
        #[serde(skip_serializing_if = "Option::is_none")]
        reason: Option<&'a str>,
        /// How many tasks this step has.
        tasks: usize,
    },
    /// The answer is put together from what is there.
    Finish {
        /// What kind of answer.
        label: &'a str,
        /// Why.
        #[serde(skip_serializing_if = "Option::is_none")]
        reason: Option<&'a str>,
    },
    /// The policy declined.
    Refusal {
        /// `no_candidate` or `denied`.
        code: &'static str,
        /// What the client was told.
        message: &'a str,
    },
    /// The policy failed.
    Failure {
        /// A word of a fixed list, such as `deadline`.
        reason: &'static str,
        /// More of it.
        message: &'a str,
    },
}

/// A candidate that is tried.
#[derive(Clone, Copy, Debug, Serialize, JsonSchema)]
pub struct Target {
    /// Its place among the candidates, the first being 0.
    pub candidate: usize,
    /// How long its first byte was waited for, if the policy set a limit.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub timeout_ms: Option<f64>,
}

/// A decision that nothing was done about.
#[derive(Clone, Copy, Debug)]
pub struct DryRun<'a> {
    /// The route.
    pub route: &'a str,
    /// When it was asked for.
    pub arrived: SystemTime,
    /// What was known of the request.
    pub request: &'a RequestFacts,
    /// Who was asked what to do.
    pub decisions: &'a [DecisionEntry],
    /// The first step of the plan, if the request would be cut into tasks.
    pub plan: Option<&'a PlanRun>,
}

impl<'a> Record<'a> {
    /// Of a request that has ended.
    pub fn of(history: &'a History) -> Self {
        let decisions = history.decisions.iter().map(Answered::of).collect();
        Self { decisions, ..Self::without_candidates(history) }
    }

    /// The same without candidates, for whoever puts them in otherwise.
    pub(crate) fn without_candidates(history: &'a History) -> Self {
        Self {
            schema: SCHEMA,
            id: &history.outcome.id,
            at_ms: unix_ms(history.arrived),
            route: &history.route,
            key: history.request.tenant.as_ref().map(|key| key.as_str()),
            trace_id: history.trace.map(|trace| format!("{:032x}", trace.trace)),
            sampling: None,
            request: Request::of(&history.request),
            content: None,
            decisions: history.decisions.iter().map(Answered::without_candidates).collect(),
            attempts: history.calls.iter().map(|call| Attempt::of(call, history)).collect(),
            plan: history.plan.as_ref().map(|run| Plan::of(run, &history.calls, Some(&history.outcome))),
            outcome: Some(Outcome::of(history)),
        }
    }

    /// Of a decision that nothing was done about.
    pub fn dry_run(dry: &'a DryRun<'a>) -> Self {
        let request = dry.request;
        Self {
            schema: SCHEMA,
            id: &request.id,
            at_ms: unix_ms(dry.arrived),
            route: dry.route,
            key: request.tenant.as_ref().map(|key| key.as_str()),
            trace_id: None,
            sampling: None,
            request: Request::of(request),
            content: None,
            decisions: dry.decisions.iter().map(Answered::of).collect(),
            attempts: Vec::new(),
            plan: dry.plan.map(|run| Plan::of(run, &[], None)),
            outcome: None,
        }
    }
}

impl<'a> Request<'a> {
    fn of(facts: &'a RequestFacts) -> Self {
        Self {
            operation: facts.operation.name(),
            model: &facts.model,
            session: facts.session.as_deref(),
            input_tokens: facts.input_tokens,
            max_output_tokens: facts.max_output_tokens,
            inputs: modalities(facts.inputs),
            needs: abilities(facts.needs),
            turns: facts.turns,
            streaming: facts.streaming,
            deadline_ms: facts.deadline_ms,
            attributes: &facts.attributes,
        }
    }
}

impl<'a> Answered<'a> {
    fn of(asked: &'a DecisionEntry) -> Self {
        let candidates = asked.candidates.iter().map(Candidate::of).collect();
        Self { candidates, ..Self::without_candidates(asked) }
    }

    fn without_candidates(asked: &'a DecisionEntry) -> Self {
        Self {
            policy: asked.policy.as_ref().map(|version| version.policy.as_str()),
            digest: asked.policy.as_ref().map(|version| version.digest.to_string()),
            asked_ms: ms(asked.at),
            took_us: (asked.took.as_nanos() as f64 / 100.0).round() / 10.0,
            whole: asked.whole,
            candidates: Vec::new(),
            answer: Answer::of(&asked.answer),
        }
    }
}

impl<'a> Answer<'a> {
    fn of(said: &'a DecisionAnswer) -> Self {
        match said {
            DecisionAnswer::Route(decision) => Self::route(decision),
            DecisionAnswer::Plan { label, reason, tasks } => {
                Self::Plan { label, reason: reason.as_deref(), tasks: *tasks }
            }
            DecisionAnswer::Finish { label, reason } => Self::Finish { label, reason: reason.as_deref() },
            DecisionAnswer::Refusal(refusal) => {
                Self::Refusal { code: refusal.code(), message: refusal.message() }
            }
            DecisionAnswer::Failure { reason, message } => Self::Failure { reason, message },
        }
    }

    fn route(decision: &'a Decision) -> Self {
        let targets = decision.targets().iter();
        Self::Route {
            targets: targets
                .map(|target| Target { candidate: target.candidate, timeout_ms: target.timeout.map(ms) })
                .collect(),
            label: decision.label(),
            reason: decision.reason(),
            hedge_after_ms: decision.hedge_after().map(ms),
            propensity: decision.propensity(),
        }
    }
}

fn is_zero(tokens: &u64) -> bool {
    *tokens == 0
}

/// Milliseconds, to the microsecond.
pub fn ms(time: Duration) -> f64 {
    time.as_micros() as f64 / 1e3
}

/// Milliseconds since 1970.
pub fn unix_ms(time: SystemTime) -> u64 {
    let since = time.duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
}

/// The words that the configuration has for them.
fn modalities(inputs: Modalities) -> Vec<String> {
    inputs.iter_names().map(|(name, _)| word(name)).collect()
}

fn abilities(needs: Abilities) -> Vec<String> {
    needs.iter_names().map(|(name, _)| word(name)).collect()
}

fn word(name: &str) -> String {
    name.to_ascii_lowercase().replace('_', "-")
}

#[cfg(test)]
mod tests;
