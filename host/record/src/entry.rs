//! An entry of the list of decisions, in a decision record.

use std::borrow::Cow;

use pointsman_domain::decision::Decision;
use pointsman_domain::history::{DecisionAnswer, DecisionEntry, PolicyVersion, StateCounts};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::candidate::CandidateRecord;
use crate::units::ms;

/// One call of a policy, or one use of the gateway's own order.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct DecisionEntryRecord<'a> {
    /// Name of the policy; absent for the gateway's own order.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub policy: Option<Cow<'a, str>>,
    /// SHA-256 of the version that was called.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub digest: Option<Cow<'a, str>>,
    /// SHA-256 of the version's settings, as the JSON text that the policy reads.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub settings_digest: Option<Cow<'a, str>>,
    /// Time of the call.
    pub asked_ms: f64,
    /// Duration of the call in microseconds.
    pub took_us: f64,
    /// Number of candidates, counted from the first, that can serve the whole request.
    pub whole: usize,
    /// Candidates in the order of the call, with their facts at that moment.
    pub candidates: Vec<CandidateRecord<'a>>,
    /// Answer to the call.
    pub answer: AnswerRecord<'a>,
    /// Use of the values that the policy keeps between calls, if it keeps any. The values are not
    /// recorded.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub state: Option<StateCountsRecord>,
}

/// Use of the values that a policy keeps.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct StateCountsRecord {
    /// Reads.
    pub reads: u32,
    /// Writes that took effect.
    pub writes: u32,
    /// Rejected writes.
    pub rejected: u32,
}

/// Answer of a policy, or of the gateway's own order.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum AnswerRecord<'a> {
    /// One model answers.
    Route {
        /// Candidates to try, in order.
        targets: Vec<TargetRecord>,
        /// Label of the decision.
        label: Cow<'a, str>,
        /// Reason in the policy's words.
        #[serde(skip_serializing_if = "Option::is_none")]
        reason: Option<Cow<'a, str>>,
        /// Silence after which the next target is started too.
        #[serde(skip_serializing_if = "Option::is_none")]
        hedge_after_ms: Option<f64>,
        /// Probability of the first target, if the policy explores.
        #[serde(skip_serializing_if = "Option::is_none")]
        propensity: Option<f64>,
    },
    /// The request is split into tasks.
    Plan {
        /// Label of the plan.
        label: Cow<'a, str>,
        /// Reason in the policy's words.
        #[serde(skip_serializing_if = "Option::is_none")]
        reason: Option<Cow<'a, str>>,
        /// Number of tasks of this step.
        tasks: usize,
    },
    /// The answer is composed of outputs and of the policy's own text.
    Finish {
        /// Label of the answer.
        label: Cow<'a, str>,
        /// Reason in the policy's words.
        #[serde(skip_serializing_if = "Option::is_none")]
        reason: Option<Cow<'a, str>>,
    },
    /// The policy declined.
    Refusal {
        /// `no_candidate` or `denied`.
        code: Cow<'a, str>,
        /// Text that the client received.
        message: Cow<'a, str>,
    },
    /// The policy failed.
    Failure {
        /// Kind of failure, from a fixed list that contains `deadline`.
        reason: Cow<'a, str>,
        /// Details.
        message: Cow<'a, str>,
    },
}

/// A candidate to try.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct TargetRecord {
    /// Index into the candidates.
    pub candidate: usize,
    /// Longest wait for its first byte, if the policy set one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub timeout_ms: Option<f64>,
}

/// The members of an entry about its policy: the first ones, in the same order.
#[derive(Serialize)]
pub(crate) struct VersionMembers<'a> {
    policy: &'a str,
    digest: String,
    settings_digest: String,
}

impl<'a> VersionMembers<'a> {
    pub(crate) fn new(version: &'a PolicyVersion) -> Self {
        Self {
            policy: version.policy.as_str(),
            digest: version.digest.to_string(),
            settings_digest: version.settings.to_string(),
        }
    }
}

impl<'a> DecisionEntryRecord<'a> {
    pub(crate) fn new(entry: &'a DecisionEntry) -> Self {
        let version = entry.policy.as_ref();
        Self {
            policy: version.map(|version| version.policy.as_str().into()),
            digest: version.map(|version| version.digest.to_string().into()),
            settings_digest: version.map(|version| version.settings.to_string().into()),
            candidates: entry.candidates.iter().map(CandidateRecord::new).collect(),
            ..Self::frame(entry)
        }
    }

    /// Creates the same entry without the policy and with an empty list of candidates.
    pub(crate) fn frame(entry: &'a DecisionEntry) -> Self {
        Self {
            policy: None,
            digest: None,
            settings_digest: None,
            asked_ms: ms(entry.at),
            took_us: (entry.took.as_nanos() as f64 / 100.0).round() / 10.0,
            whole: entry.whole,
            candidates: Vec::new(),
            answer: AnswerRecord::new(&entry.answer),
            state: entry.state.map(StateCountsRecord::from),
        }
    }
}

impl From<StateCounts> for StateCountsRecord {
    fn from(StateCounts { reads, writes, rejected }: StateCounts) -> Self {
        Self { reads, writes, rejected }
    }
}

impl<'a> AnswerRecord<'a> {
    fn new(answer: &'a DecisionAnswer) -> Self {
        match answer {
            DecisionAnswer::Route(decision) => Self::route(decision),
            DecisionAnswer::Plan { label, reason, tasks } => Self::Plan {
                label: label.into(),
                reason: reason.as_deref().map(Cow::Borrowed),
                tasks: *tasks,
            },
            DecisionAnswer::Finish { label, reason } => {
                Self::Finish { label: label.into(), reason: reason.as_deref().map(Cow::Borrowed) }
            }
            DecisionAnswer::Refusal(refusal) => {
                Self::Refusal { code: refusal.code().into(), message: refusal.message().into() }
            }
            DecisionAnswer::Failure { reason, message } => {
                Self::Failure { reason: (*reason).into(), message: message.into() }
            }
        }
    }

    fn route(decision: &'a Decision) -> Self {
        let targets = decision
            .targets()
            .iter()
            .map(|target| TargetRecord { candidate: target.candidate, timeout_ms: target.timeout.map(ms) });
        Self::Route {
            targets: targets.collect(),
            label: decision.label().into(),
            reason: decision.reason().map(Cow::Borrowed),
            hedge_after_ms: decision.hedge_after().map(ms),
            propensity: decision.propensity(),
        }
    }
}
