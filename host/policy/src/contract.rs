//! The types of `wit/policy.wit` as they cross into the sandbox and back.
//!
//! Arguments borrow from the domain, so lowering a request copies each byte once, into the
//! policy's memory. Results are owned, and unchecked until the domain has validated them.

use std::time::Duration;

use pointsman_domain::candidate::Candidate as DomainCandidate;
use pointsman_domain::decision::{
    InvalidDecision, Proposal, Refusal as DomainRefusal, Target as DomainTarget,
};
use pointsman_domain::model;
use pointsman_domain::outcome::{Outcome as DomainOutcome, RequestEnd};
use pointsman_domain::rating::Rating as DomainRating;
use pointsman_domain::request::RequestFacts;
use wasmtime::component::{ComponentType, Lift, Lower, flags};

mod block;
pub(crate) mod plan;

/// Names of the contract's interfaces, with the version under which they are linked. wasmtime
/// links every version 0.1 to it.
pub(crate) mod interface {
    /// Leading part of the versions that are compatible with each other.
    pub(crate) const VERSION_LINE: &str = "0.1.";
    pub(crate) const PACKAGE: &str = "pointsman:policy/";
    pub(crate) const ROUTER: &str = "pointsman:policy/router@0.1.0";
    pub(crate) const ORCHESTRATOR: &str = "pointsman:policy/orchestrator@0.1.0";
    pub(crate) const CONFIGURATION: &str = "pointsman:policy/configuration@0.1.0";
    pub(crate) const OBSERVER: &str = "pointsman:policy/observer@0.1.0";
    pub(crate) const SETTINGS: &str = "pointsman:policy/settings@0.1.0";
    pub(crate) const LOG: &str = "pointsman:policy/log@0.1.0";
    pub(crate) const DETAILS: &str = "pointsman:policy/details@0.1.0";
    pub(crate) const PROMPT: &str = "pointsman:policy/prompt@0.1.0";
    pub(crate) const OUTLINE: &str = "pointsman:policy/outline@0.1.0";
    pub(crate) const FEEDBACK: &str = "pointsman:policy/feedback@0.1.0";
    pub(crate) const STATE: &str = "pointsman:policy/state@0.1.0";
    pub(crate) const OUTPUTS: &str = "pointsman:policy/outputs@0.1.0";

    /// Returns the name of an interface of the contract without package and version. `None` for
    /// another package or an incompatible version.
    pub(crate) fn short_name(interface: &str) -> Option<&str> {
        let (name, version) = interface.strip_prefix(PACKAGE)?.split_once('@')?;
        is_in_line(version, VERSION_LINE).then_some(name)
    }

    /// Returns whether a version consists of a line, such as `0.1.`, and one number.
    pub(crate) fn is_in_line(version: &str, line: &str) -> bool {
        let last = version.strip_prefix(line);
        last.is_some_and(|last| !last.is_empty() && last.bytes().all(|byte| byte.is_ascii_digit()))
    }
}

/// Parameters of `router.route`.
pub(crate) type RouteParams<'a> = (Request<'a>, &'a [Candidate<'a>]);
/// Results of `router.route`.
pub(crate) type RouteResults = (Result<Decision, Refusal>,);
/// Results of `configuration.validate`.
pub(crate) type ValidateResults = (Result<(), String>,);
/// Parameters of `observer.observe`.
pub(crate) type ObserveParams<'a> = (Outcome<'a>,);
/// Parameters of `feedback.rate`.
pub(crate) type RateParams<'a> = (Rating<'a>,);

flags! {
    Modalities {
        #[component(name = "text")]
        const TEXT;
        #[component(name = "image")]
        const IMAGE;
        #[component(name = "audio")]
        const AUDIO;
        #[component(name = "video")]
        const VIDEO;
        #[component(name = "document")]
        const DOCUMENT;
    }
}

flags! {
    Abilities {
        #[component(name = "tools")]
        const TOOLS;
        #[component(name = "structured-output")]
        const STRUCTURED_OUTPUT;
        #[component(name = "reasoning")]
        const REASONING;
        #[component(name = "streaming")]
        const STREAMING;
        #[component(name = "log-probabilities")]
        const LOG_PROBABILITIES;
    }
}

#[derive(ComponentType, Lower)]
#[component(record)]
pub(crate) struct Request<'a> {
    id: &'a str,
    operation: &'a str,
    model: &'a str,
    tenant: Option<&'a str>,
    session: Option<&'a str>,
    #[component(name = "input-tokens")]
    input_tokens: u32,
    #[component(name = "max-output-tokens")]
    max_output_tokens: Option<u32>,
    inputs: Modalities,
    needs: Abilities,
    turns: u32,
    streaming: bool,
    #[component(name = "deadline-ms")]
    deadline_ms: Option<u32>,
    #[component(name = "budget-left")]
    budget_left: Option<f64>,
}

#[derive(ComponentType)]
#[component(record)]
pub(crate) struct Candidate<'a> {
    id: &'a str,
    #[component(name = "context-window")]
    context_window: Option<u32>,
    #[component(name = "max-output-tokens")]
    max_output_tokens: Option<u32>,
    inputs: Modalities,
    abilities: Abilities,
    #[component(name = "input-price")]
    input_price: f64,
    #[component(name = "output-price")]
    output_price: f64,
    quality: Option<f64>,
    healthy: bool,
    #[component(name = "in-flight")]
    in_flight: u32,
    #[component(name = "first-token-ms")]
    first_token_ms: Option<f64>,
    #[component(name = "tokens-per-second")]
    tokens_per_second: Option<f64>,
    #[component(name = "error-rate")]
    error_rate: f64,
}

#[derive(ComponentType, Lift)]
#[component(record)]
pub(crate) struct Target {
    candidate: u32,
    #[component(name = "timeout-ms")]
    timeout_ms: Option<u32>,
}

#[derive(ComponentType, Lift)]
#[component(record)]
pub(crate) struct Decision {
    targets: Vec<Target>,
    label: String,
    reason: Option<String>,
    #[component(name = "hedge-after-ms")]
    hedge_after_ms: Option<u32>,
    propensity: Option<f64>,
}

#[derive(ComponentType, Lift)]
#[component(variant)]
pub(crate) enum Refusal {
    #[component(name = "no-candidate")]
    NoCandidate(String),
    #[component(name = "denied")]
    Denied(String),
    #[component(name = "internal")]
    Internal(String),
}

#[derive(ComponentType, Lower, Clone, Copy)]
#[component(enum)]
#[repr(u8)]
pub(crate) enum OutcomeStatus {
    #[component(name = "answered")]
    Answered,
    #[component(name = "failed")]
    Failed,
    #[component(name = "cancelled")]
    Cancelled,
}

#[derive(ComponentType, Lower)]
#[component(record)]
pub(crate) struct Outcome<'a> {
    id: &'a str,
    label: &'a str,
    status: OutcomeStatus,
    model: Option<&'a str>,
    attempts: u32,
    #[component(name = "input-tokens")]
    input_tokens: u32,
    #[component(name = "output-tokens")]
    output_tokens: u32,
    cost: f64,
    #[component(name = "first-token-ms")]
    first_token_ms: Option<f64>,
    #[component(name = "latency-ms")]
    latency_ms: f64,
    error: Option<&'a str>,
}

/// Severity of a log line.
#[derive(ComponentType, Lift, Clone, Copy, PartialEq, Eq)]
#[expect(dead_code, reason = "policies construct the values; lifting reads them by number")]
#[component(enum)]
#[repr(u8)]
pub(crate) enum Level {
    #[component(name = "debug")]
    Debug,
    #[component(name = "info")]
    Info,
    #[component(name = "warn")]
    Warn,
    #[component(name = "error")]
    Error,
}

impl<'a> From<&'a RequestFacts> for Request<'a> {
    fn from(request: &'a RequestFacts) -> Self {
        Self {
            id: &request.id,
            operation: request.operation.name(),
            model: &request.model,
            tenant: request.tenant.as_ref().map(|tenant| tenant.as_str()),
            session: request.session.as_deref(),
            input_tokens: request.input_tokens,
            max_output_tokens: request.max_output_tokens,
            inputs: request.inputs.into(),
            needs: request.needs.into(),
            turns: request.turns,
            streaming: request.streaming,
            deadline_ms: request.deadline_ms,
            budget_left: request.budget_left,
        }
    }
}

impl<'a> From<&'a DomainCandidate> for Candidate<'a> {
    fn from(candidate: &'a DomainCandidate) -> Self {
        let DomainCandidate { model, live } = candidate;
        Self {
            id: model.id.as_str(),
            context_window: model.context_window,
            max_output_tokens: model.max_output_tokens,
            inputs: model.inputs.into(),
            abilities: model.abilities.into(),
            input_price: model.price.input_per_million(),
            output_price: model.price.output_per_million(),
            quality: model.quality.general,
            healthy: live.healthy,
            in_flight: live.in_flight,
            first_token_ms: live.first_token_ms,
            tokens_per_second: live.tokens_per_second,
            error_rate: live.error_rate,
        }
    }
}

impl<'a> From<&'a DomainOutcome> for Outcome<'a> {
    fn from(outcome: &'a DomainOutcome) -> Self {
        Self {
            id: &outcome.id,
            label: &outcome.label,
            status: match outcome.ending {
                RequestEnd::Answered => OutcomeStatus::Answered,
                RequestEnd::Failed => OutcomeStatus::Failed,
                RequestEnd::Cancelled => OutcomeStatus::Cancelled,
            },
            model: outcome.model.as_ref().map(|model| model.as_str()),
            attempts: outcome.attempts,
            input_tokens: saturating_tokens(outcome.usage.input_tokens),
            output_tokens: saturating_tokens(outcome.usage.output_tokens),
            cost: outcome.cost.usd(),
            first_token_ms: outcome.first_token.map(milliseconds),
            latency_ms: milliseconds(outcome.latency),
            error: outcome.error.as_deref(),
        }
    }
}

/// Converts a count to the contract's type, saturating.
pub(crate) fn saturating_u32(count: usize) -> u32 {
    u32::try_from(count).unwrap_or(u32::MAX)
}

fn saturating_tokens(tokens: u64) -> u32 {
    u32::try_from(tokens).unwrap_or(u32::MAX)
}

fn milliseconds(time: Duration) -> f64 {
    time.as_secs_f64() * 1e3
}

impl From<Modalities> for model::Modalities {
    fn from(kinds: Modalities) -> Self {
        MODALITIES.into_iter().filter(|(_, flag)| kinds.contains(*flag)).map(|(kind, _)| kind).collect()
    }
}

const MODALITIES: [(model::Modalities, Modalities); 5] = [
    (model::Modalities::TEXT, Modalities::TEXT),
    (model::Modalities::IMAGE, Modalities::IMAGE),
    (model::Modalities::AUDIO, Modalities::AUDIO),
    (model::Modalities::VIDEO, Modalities::VIDEO),
    (model::Modalities::DOCUMENT, Modalities::DOCUMENT),
];

impl From<model::Modalities> for Modalities {
    fn from(kinds: model::Modalities) -> Self {
        let mut flags = Self::empty();
        for (kind, flag) in MODALITIES {
            if kinds.contains(kind) {
                flags |= flag;
            }
        }
        flags
    }
}

impl From<model::Abilities> for Abilities {
    fn from(abilities: model::Abilities) -> Self {
        let mut flags = Self::empty();
        for (ability, flag) in [
            (model::Abilities::TOOLS, Self::TOOLS),
            (model::Abilities::STRUCTURED_OUTPUT, Self::STRUCTURED_OUTPUT),
            (model::Abilities::REASONING, Self::REASONING),
            (model::Abilities::STREAMING, Self::STREAMING),
            (model::Abilities::LOG_PROBABILITIES, Self::LOG_PROBABILITIES),
        ] {
            if abilities.contains(ability) {
                flags |= flag;
            }
        }
        flags
    }
}

#[derive(ComponentType, Lower)]
#[component(record)]
pub(crate) struct Rating<'a> {
    decision: &'a str,
    label: &'a str,
    model: &'a str,
    score: f64,
    name: Option<&'a str>,
}

impl<'a> From<&'a DomainRating> for Rating<'a> {
    fn from(rating: &'a DomainRating) -> Self {
        Self {
            decision: &rating.decision,
            label: &rating.label,
            model: rating.model.as_str(),
            score: rating.score,
            name: rating.name.as_deref(),
        }
    }
}

impl Decision {
    /// Refuses more targets than candidates, before any is converted.
    pub(crate) fn check_length(&self, candidates: usize) -> Result<(), InvalidDecision> {
        let targets = self.targets.len();
        if targets > candidates {
            Err(InvalidDecision::TooManyTargets { targets, candidates })
        } else {
            Ok(())
        }
    }
}

impl From<Decision> for Proposal {
    fn from(decision: Decision) -> Self {
        Self {
            targets: decision.targets.into_iter().map(DomainTarget::from).collect(),
            label: decision.label,
            reason: decision.reason,
            hedge_after: decision.hedge_after_ms.map(|ms| Duration::from_millis(ms.into())),
            propensity: decision.propensity,
        }
    }
}

impl From<Target> for DomainTarget {
    fn from(target: Target) -> Self {
        Self {
            candidate: target.candidate as usize,
            timeout: target.timeout_ms.map(|ms| Duration::from_millis(ms.into())),
        }
    }
}

impl Refusal {
    /// Converts to a refusal for the client; an internal error becomes its text as `Err`.
    pub(crate) fn into_domain(self) -> Result<DomainRefusal, String> {
        match self {
            Self::NoCandidate(text) => Ok(DomainRefusal::NoCandidate(text)),
            Self::Denied(text) => Ok(DomainRefusal::Denied(text)),
            Self::Internal(text) => Err(text),
        }
    }
}
