//! Replies of the fleet, and errors in the form of a real server's.

use ::http::header::CONTENT_TYPE;
use ::http::{HeaderMap, HeaderValue};
use bytes::Bytes;
use pointsman_wire::openai::client::ErrorBody;

use super::body::SimulatedBody;
use super::places::Place;

pub(super) const JSON: &str = "application/json";

/// Head of a response, and the body that follows.
#[derive(Debug)]
pub(crate) struct SimulatedResponse {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) body: SimulatedBody,
}

/// Error response.
#[derive(Debug)]
pub(super) struct ErrorReply {
    pub(super) status: u16,
    pub(super) message: String,
    /// Member of the request at fault.
    pub(super) parameter: Option<String>,
    pub(super) code: Option<&'static str>,
}

impl SimulatedResponse {
    pub(super) fn ok(content_type: &'static str, body: SimulatedBody) -> Self {
        Self::new(200, content_type, body)
    }

    pub(super) fn json(body: impl Into<Bytes>) -> Self {
        Self::ok(JSON, SimulatedBody::whole(body.into()))
    }

    /// Returns the response with a body that holds the place of the call until it ends.
    pub(super) fn holding(mut self, place: Option<Place>) -> Self {
        self.body.hold(place);
        self
    }

    fn new(status: u16, content_type: &'static str, body: SimulatedBody) -> Self {
        let mut headers = HeaderMap::new();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
        Self { status, headers, body }
    }
}

impl ErrorReply {
    pub(super) fn new(status: u16, message: impl Into<String>) -> Self {
        Self { status, message: message.into(), parameter: None, code: None }
    }

    pub(super) fn bad_request(message: impl Into<String>) -> Self {
        Self::new(400, message)
    }

    pub(super) fn not_found(message: impl Into<String>) -> Self {
        Self::new(404, message)
    }
}

impl From<ErrorReply> for SimulatedResponse {
    fn from(ErrorReply { status, message, parameter, code }: ErrorReply) -> Self {
        let kind = if status < 500 { "invalid_request_error" } else { "server_error" };
        let body = ErrorBody { message: &message, kind, param: parameter.as_deref(), code }.to_bytes();
        Self::new(status, JSON, SimulatedBody::whole(body))
    }
}
