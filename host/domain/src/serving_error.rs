//! Errors that the gateway itself answers a request with. Each client API renders them in its own
//! format.

use std::time::Duration;

use crate::outcome::{FailureCause, Fault};

/// An error for the client of a request.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct ServingError {
    /// Kind of the error.
    pub kind: ErrorKind,
    /// Explanation with the next step, written for the client's developer.
    pub message: String,
    /// Member of the request, or header, that is at fault.
    pub parameter: Option<String>,
    /// Time after which a further attempt may succeed.
    pub retry_after: Option<Duration>,
}

impl ServingError {
    /// An error without a parameter and without a time to retry after.
    pub fn new(kind: ErrorKind, message: impl Into<String>) -> Self {
        Self { kind, message: message.into(), parameter: None, retry_after: None }
    }

    /// Names the member of the request that is at fault.
    #[must_use]
    pub fn with_parameter(self, parameter: impl Into<String>) -> Self {
        Self { parameter: Some(parameter.into()), ..self }
    }

    /// Asks the client to retry after a time.
    #[must_use]
    pub fn with_retry_after(self, wait: Option<Duration>) -> Self {
        Self { retry_after: wait, ..self }
    }
}

/// General class of an error: a client API has one status for each.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ErrorClass {
    /// The request is malformed, or no model supports what it asks for.
    InvalidRequest,
    /// There is no valid API key.
    Unauthenticated,
    /// The request is understood and not allowed.
    Forbidden,
    /// There is no such path, model or route.
    NotFound,
    /// The path exists for other methods.
    MethodNotAllowed,
    /// The request contradicts an earlier one.
    Conflict,
    /// The client did not send its request in time.
    RequestTimeout,
    /// The request body is too large.
    TooLarge,
    /// The request body has an unsupported content coding.
    UnsupportedMediaType,
    /// Every model is rate-limited.
    RateLimited,
    /// The backends did not give a usable answer.
    BadGateway,
    /// The gateway cannot serve the request at the moment.
    Unavailable,
    /// The time for the request ran out.
    DeadlineExceeded,
}

macro_rules! error_kinds {
    ($($(#[doc = $doc:literal])+ $kind:ident = $code:literal, $class:ident, $fault:ident;)+) => {
        /// Kind of a [`ServingError`].
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum ErrorKind {
            $($(#[doc = $doc])+ $kind,)+
        }

        impl ErrorKind {
            /// All kinds.
            pub const ALL: &[Self] = &[$(Self::$kind,)+];

            /// Returns the stable code of the kind, for programs and metrics.
            pub const fn code(self) -> &'static str {
                match self { $(Self::$kind => $code,)+ }
            }

            /// Returns the class of the kind.
            pub const fn class(self) -> ErrorClass {
                match self { $(Self::$kind => ErrorClass::$class,)+ }
            }

            /// Returns the party at fault.
            pub const fn fault(self) -> Fault {
                match self { $(Self::$kind => Fault::$fault,)+ }
            }
        }
    };
}

impl ErrorKind {
    /// Returns the cause of the failure. For [`DeadlineExceeded`](Self::DeadlineExceeded) it is the limit of the
    /// route, unless the client asked for less time.
    pub const fn cause(self) -> FailureCause {
        match self {
            Self::TooManyConnections | Self::Overloaded => FailureCause::Limit,
            _ => match self.fault() {
                Fault::Client => FailureCause::Client,
                Fault::Policy => FailureCause::Policy,
                Fault::Backend => FailureCause::Model,
                Fault::Deadline => FailureCause::Limit,
            },
        }
    }
}

error_kinds! {
    /// The body is not valid JSON.
    InvalidJson = "invalid_json", InvalidRequest, Client;
    /// A member has the wrong type.
    InvalidType = "invalid_type", InvalidRequest, Client;
    /// A member has a value that is not allowed.
    InvalidValue = "invalid_value", InvalidRequest, Client;
    /// A number is below its minimum.
    BelowMinimum = "integer_below_min_value", InvalidRequest, Client;
    /// An array is empty.
    EmptyArray = "empty_array", InvalidRequest, Client;
    /// A required member is missing.
    MissingParameter = "missing_required_parameter", InvalidRequest, Client;
    /// A member occurs twice.
    DuplicateParameter = "duplicate_parameter", InvalidRequest, Client;
    /// A header of the gateway has a value that is not allowed.
    InvalidHeader = "invalid_header", InvalidRequest, Client;
    /// The body ended before it was complete.
    IncompleteBody = "incomplete_body", InvalidRequest, Client;
    /// The body does not match its content coding.
    InvalidContentCoding = "invalid_content_coding", InvalidRequest, Client;
    /// The content coding of the body is not supported.
    UnsupportedContentCoding = "unsupported_content_coding", UnsupportedMediaType, Client;
    /// The media type of the body is not one that the API takes.
    UnsupportedMediaType = "unsupported_media_type", UnsupportedMediaType, Client;
    /// The body is not a valid form.
    InvalidForm = "invalid_form", InvalidRequest, Client;
    /// The body is larger than the gateway accepts.
    RequestTooLarge = "request_too_large", TooLarge, Client;
    /// The body did not arrive in time.
    RequestTimeout = "request_timeout", RequestTimeout, Client;
    /// There is no API key, or an unknown one.
    InvalidApiKey = "invalid_api_key", Unauthenticated, Client;
    /// A web page of another origin sent the request.
    CrossOrigin = "cross_origin", Forbidden, Client;
    /// There is no such path.
    UnknownUrl = "unknown_url", NotFound, Client;
    /// The path exists for other methods.
    MethodNotAllowed = "method_not_allowed", MethodNotAllowed, Client;
    /// There is no such model or route.
    ModelNotFound = "model_not_found", NotFound, Client;
    /// There is no such stored response, or it is another client's.
    ResponseNotFound = "response_not_found", NotFound, Client;
    /// There is no such decision that can be rated, or it is another client's.
    DecisionNotFound = "decision_not_found", NotFound, Client;
    /// The decision has been rated already.
    AlreadyRated = "already_rated", Conflict, Client;
    /// The response that the request continues is another client's.
    PreviousResponseNotFound = "previous_response_not_found", InvalidRequest, Client;
    /// The API key may not use the model or route.
    ModelNotAllowed = "model_not_allowed", Forbidden, Client;
    /// No model of the route supports the request.
    UnsupportedRequest = "unsupported_request", InvalidRequest, Client;
    /// The request exceeds the context window of each model.
    ContextLengthExceeded = "context_length_exceeded", InvalidRequest, Client;
    /// Too many requests of one address are under way.
    TooManyConnections = "too_many_connections", Unavailable, Client;
    /// The policy refused the request.
    PolicyDenied = "policy_denied", Forbidden, Policy;
    /// The policy found no suitable model.
    NoSuitableModel = "no_suitable_model", Unavailable, Policy;
    /// The policy failed, and the route rejects requests then.
    PolicyFailed = "policy_failed", Unavailable, Policy;
    /// A call, task or answer of a plan would exceed the limits of the plan.
    PlanLimit = "plan_limit", Unavailable, Policy;
    /// A required task of a plan failed.
    TaskFailed = "task_failed", BadGateway, Backend;
    /// The gateway has no memory left for the request.
    Overloaded = "overloaded", Unavailable, Backend;
    /// Every model is rate-limited.
    RateLimitExceeded = "rate_limit_exceeded", RateLimited, Backend;
    /// No model gave a usable answer.
    AllModelsFailed = "all_models_failed", BadGateway, Backend;
    /// The answer broke off after a part of it was sent.
    StreamBroken = "stream_broken", BadGateway, Backend;
    /// The time for the request ran out.
    DeadlineExceeded = "deadline_exceeded", DeadlineExceeded, Deadline;
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn each_kind_has_a_code_of_its_own() {
        let codes: BTreeSet<_> = ErrorKind::ALL.iter().map(|kind| kind.code()).collect();
        assert_eq!(codes.len(), ErrorKind::ALL.len());
    }

    #[test]
    fn the_client_is_at_fault_for_what_it_sent_and_never_for_a_backend() {
        for kind in ErrorKind::ALL {
            let is_of_client = match kind.class() {
                ErrorClass::InvalidRequest
                | ErrorClass::Unauthenticated
                | ErrorClass::NotFound
                | ErrorClass::MethodNotAllowed
                | ErrorClass::Conflict
                | ErrorClass::RequestTimeout
                | ErrorClass::TooLarge
                | ErrorClass::UnsupportedMediaType => true,
                ErrorClass::RateLimited | ErrorClass::BadGateway | ErrorClass::DeadlineExceeded => false,
                ErrorClass::Forbidden | ErrorClass::Unavailable => continue,
            };
            assert_eq!(kind.fault() == Fault::Client, is_of_client, "{kind:?}");
        }
    }
}
