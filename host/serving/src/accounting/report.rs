//! The summary of a request that its client sees in the headers of the response.

use std::time::Duration;

use pointsman_domain::ids::ModelId;
use pointsman_domain::money::Picodollars;

/// Route, policy, model, attempts, cost and latency of a request, as far as they are known when
/// the headers of its response are sent.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct RequestReport {
    /// Id of the decision.
    pub decision_id: String,
    /// Label of the decision, or of the last step of a plan.
    pub label: Option<String>,
    /// Name and version of the policy that decided; `None` for the gateway's own order.
    pub policy: Option<String>,
    /// Reason for which the route's own policy did not decide.
    pub policy_failure: Option<&'static str>,
    /// The model that answers.
    pub model: Option<ModelId>,
    /// Members of the client's request that the model's API cannot express, by their paths.
    pub dropped: Vec<String>,
    /// Calls made so far.
    pub attempts: Option<u32>,
    /// Tasks of the plan.
    pub tasks: Option<usize>,
    /// Cost of the whole request. A stream's is not known before its end.
    pub cost: Option<Picodollars>,
    /// Time from arrival to the answer. A stream's is not known before its end.
    pub latency: Option<Duration>,
}
