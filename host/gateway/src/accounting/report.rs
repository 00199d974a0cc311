//! The summary of a request that its client sees in the headers of the response.

use std::time::Duration;

use pointsman_domain::ids::ModelId;
use pointsman_domain::money::Picodollars;

/// Route, policy, model, attempts, cost and latency of a request, as far as they are known when
/// the headers of its response are sent.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct RequestReport {
    /// Id of the decision.
    pub(crate) decision_id: String,
    /// Label of the decision, or of the last step of a plan.
    pub(crate) label: Option<String>,
    /// Name and version of the policy that decided; `None` for the gateway's own order.
    pub(crate) policy: Option<String>,
    /// Reason for which the route's own policy did not decide.
    pub(crate) policy_failure: Option<&'static str>,
    /// The model that answers.
    pub(crate) model: Option<ModelId>,
    /// Calls made so far.
    pub(crate) attempts: Option<u32>,
    /// Tasks of the plan.
    pub(crate) tasks: Option<usize>,
    /// Cost of the whole request. A stream's is not known before its end.
    pub(crate) cost: Option<Picodollars>,
    /// Time from arrival to the answer. A stream's is not known before its end.
    pub(crate) latency: Option<Duration>,
}
