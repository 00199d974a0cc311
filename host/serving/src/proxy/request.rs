//! A request that may be served: authenticated, read, and addressed to a route.

use std::sync::Arc;
use std::time::Instant;

use http::HeaderMap;
use pointsman_config::Key;
use pointsman_dialects::request::ClientRequest;
use pointsman_domain::outcome::FailureCause;
use pointsman_domain::serving_error::{ErrorKind, ServingError};

use super::facts::{self, RequestOptions};
use super::provider_state::ServingModels;
use super::routing::RoutingInput;
use crate::memory::MemoryLease;
use crate::response_owners::ResponseOwners;
use crate::snapshot::{Route, Snapshot};

/// A request as a client API has read it.
pub struct IncomingRequest<'a> {
    /// The headers as received.
    pub headers: HeaderMap,
    /// The body.
    pub body: ClientRequest,
    /// The key that authenticated the request; `None` where no keys are configured.
    pub key: Option<&'a Key>,
    /// The client's options for the gateway.
    pub options: RequestOptions,
    /// Time of arrival.
    pub arrived: Instant,
    /// Time from which the time for the answer counts.
    pub timed_from: Instant,
    /// Counts the body as held.
    pub body_memory: MemoryLease,
}

/// A request that may be served.
pub struct AcceptedRequest<'a> {
    /// The headers as received.
    pub headers: HeaderMap,
    /// The body.
    pub body: ClientRequest,
    /// The request as policies see it, with its route.
    pub routing: RoutingInput<'a>,
    /// Counts the body as held.
    pub body_memory: MemoryLease,
}

impl<'a> AcceptedRequest<'a> {
    /// Resolves the route or model that the request names.
    ///
    /// # Errors
    /// Fails when there is none of that name, the key may not use it, or none of its models has the
    /// state that the request needs.
    pub fn accept(
        snapshot: &'a Snapshot,
        owners: &ResponseOwners,
        incoming: IncomingRequest<'_>,
    ) -> Result<Self, ServingError> {
        let IncomingRequest { headers, body, key, options, arrived, timed_from, body_memory } = incoming;
        let route = route(snapshot, body.model(), key)?;
        let timeout = options.deadline.map_or(route.limits.timeout, |own| own.min(route.limits.timeout));
        let deadline = timed_from + timeout;
        let deadline_cause = match options.deadline {
            Some(own) if own < route.limits.timeout => FailureCause::Client,
            _ => FailureCause::Limit,
        };
        let tenant = key.map(|key| key.name.clone());
        let serving = match body.as_conversation() {
            Some(request) => ServingModels::for_request(request, route, owners, tenant.as_ref())?,
            None => ServingModels::All,
        };
        let facts = facts::of(facts::decision_id(), &body, options, tenant, deadline);
        let prompt = body.prompt();
        let request = Arc::new(facts);
        let routing = RoutingInput { route, serving, request, prompt, arrived, deadline, deadline_cause };
        Ok(Self { headers, body, routing, body_memory })
    }
}

fn route<'a>(snapshot: &'a Snapshot, model: &str, key: Option<&Key>) -> Result<&'a Route, ServingError> {
    let Some(route) = snapshot.requested(model) else {
        return Err(unknown_model(snapshot, model, key));
    };
    match key {
        Some(key) if !route.is_allowed(model, Some(key)) => {
            let message = format!("the key `{}` may not use `{model}`", key.name);
            Err(ServingError::new(ErrorKind::ModelNotAllowed, message))
        }
        _ => Ok(route),
    }
}

/// Returns the error for a name that nothing has, with the name that was likely meant.
pub fn unknown_model(snapshot: &Snapshot, model: &str, key: Option<&Key>) -> ServingError {
    let hint = match snapshot.did_you_mean(model, key) {
        Some(near) => format!("did you mean `{near}`? "),
        None => String::new(),
    };
    let message = format!("there is no route or model `{model}`: {hint}GET /v1/models lists what there is");
    ServingError::new(ErrorKind::ModelNotFound, message).with_parameter("model")
}
