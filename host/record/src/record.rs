//! The decision record of one request.

use std::borrow::Cow;
use std::time::SystemTime;

use pointsman_domain::history::{DecisionEntry, History, PlanRun};
use pointsman_domain::request::RequestFacts;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::attempt::AttemptRecord;
use crate::content::ContentRecord;
use crate::entry::DecisionEntryRecord;
use crate::outcome::OutcomeRecord;
use crate::plan::PlanRecord;
use crate::request::RequestRecord;
use crate::units::unix_ms;

/// Version of the format.
pub const SCHEMA: u32 = 1;

/// Everything that is recorded of one request. Times are milliseconds since the arrival of the
/// request unless the name of a member says otherwise; unknown values are left out.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(title = "Pointsman decision record")]
pub struct DecisionRecord<'a> {
    /// Version of this format: 1.
    pub schema: u32,
    /// Id of the decision, as in the header `x-pointsman-decision-id`: a UUID that sorts by time.
    pub id: Cow<'a, str>,
    /// Arrival of the request, in milliseconds since 1970.
    pub at_ms: u64,
    /// Route, or the model if the client named one.
    pub route: Cow<'a, str>,
    /// Name of the client's key.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub key: Option<Cow<'a, str>>,
    /// Trace of the request's spans: 32 hex digits.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub trace_id: Option<Cow<'a, str>>,
    /// Share of requests that is logged, if not all: each record stands for 1 / `sampling`
    /// requests.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sampling: Option<f64>,
    /// Facts of the request that are known without reading its content.
    pub request: RequestRecord<'a>,
    /// Content of the request, if `decision_log.content` is on.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub content: Option<Cow<'a, ContentRecord>>,
    /// Decisions in order, failed ones included. The gateway followed the last one.
    pub decisions: Vec<DecisionEntryRecord<'a>>,
    /// Calls of models, in the order in which they were started.
    pub attempts: Vec<AttemptRecord<'a>>,
    /// Execution of the plan, if the request was split into tasks.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub plan: Option<PlanRecord<'a>>,
    /// End of the request; absent in a dry run.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub outcome: Option<OutcomeRecord<'a>>,
}

/// A decision that was made but not carried out.
#[derive(Clone, Copy, Debug)]
pub struct DryRun<'a> {
    /// Name of the route.
    pub route: &'a str,
    /// Arrival of the request.
    pub arrived: SystemTime,
    /// Facts of the request.
    pub request: &'a RequestFacts,
    /// Decisions in order.
    pub decisions: &'a [DecisionEntry],
    /// First step of the plan, if the request would be split into tasks.
    pub plan: Option<&'a PlanRun>,
}

impl<'a> DecisionRecord<'a> {
    /// Creates the record of a request that has ended, without content.
    pub fn from_history(history: &'a History) -> Self {
        let decisions = history.decisions.iter().map(DecisionEntryRecord::new).collect();
        Self { decisions, ..Self::frame(history) }
    }

    /// Creates the same record, whose decisions lack policies and candidates.
    pub(crate) fn frame(history: &'a History) -> Self {
        let request = &history.request;
        Self {
            schema: SCHEMA,
            id: history.outcome.id.as_str().into(),
            at_ms: unix_ms(history.arrived),
            route: (&*history.route).into(),
            key: request.tenant.as_ref().map(|key| key.as_str().into()),
            trace_id: history.trace.map(|trace| format!("{:032x}", trace.trace).into()),
            sampling: None,
            request: RequestRecord::new(request),
            content: None,
            decisions: history.decisions.iter().map(DecisionEntryRecord::frame).collect(),
            attempts: history.calls.iter().map(|call| AttemptRecord::new(call, history)).collect(),
            plan: history
                .plan
                .as_ref()
                .map(|run| PlanRecord::new(run, &history.calls, Some(&history.outcome))),
            outcome: Some(OutcomeRecord::new(history)),
        }
    }

    /// Creates the record of a dry run.
    pub fn from_dry_run(dry: &DryRun<'a>) -> Self {
        let request = dry.request;
        Self {
            schema: SCHEMA,
            id: request.id.as_str().into(),
            at_ms: unix_ms(dry.arrived),
            route: dry.route.into(),
            key: request.tenant.as_ref().map(|key| key.as_str().into()),
            trace_id: None,
            sampling: None,
            request: RequestRecord::new(request),
            content: None,
            decisions: dry.decisions.iter().map(DecisionEntryRecord::new).collect(),
            attempts: Vec::new(),
            plan: dry.plan.map(|run| PlanRecord::new(run, &[], None)),
            outcome: None,
        }
    }
}

#[cfg(test)]
mod tests;
