use ::http::{HeaderMap, Method};
use pointsman_domain::model::{Model, Operation};
use pointsman_wire::CallBody;

/// Request to a backend that calls no model.
#[derive(Debug)]
pub struct BackendRequest<'a> {
    /// Method.
    pub method: Method,
    /// Path below the base URL, with a query.
    pub path: &'a str,
    /// Headers of the client that may go upstream.
    pub headers: HeaderMap,
}

/// Request to a model of a backend.
#[derive(Debug)]
pub struct BackendCall<'a> {
    /// Model to call, one of the backend's.
    pub model: &'a Model,
    /// Kind of work.
    pub operation: Operation,
    /// Path of the call below the base URL.
    pub path: &'a str,
    /// Media type of the body; `None` for JSON.
    pub content_type: Option<&'a str>,
    /// Body, which already carries the name by which the backend knows the model.
    pub body: CallBody,
    /// Headers of the client that may go upstream. Those of the backend's configuration take
    /// precedence.
    pub headers: HeaderMap,
}
