//! Requests of operators: the parts that all operations have in common.

use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use axum::extract::{FromRequest, FromRequestParts, Path, Request};
use bytes::Bytes;
use http::HeaderMap;
use pointsman_admin_api::{
    ChangeKeyRequest, OPERATOR_HEADER, Reason, RotateKeyRequest, TrialRequest, VersionRequest,
};
use pointsman_serving::reload::ChangeAttribution;
use pointsman_serving::rollout::Actor;
use serde::de::DeserializeOwned;

use super::Admin;
use super::error::{AdminError, AdminErrorKind};

/// Limit on an operator's name, in characters.
const MAX_NAME: usize = 64;
/// Limit on a reason, in characters.
const MAX_REASON: usize = 500;
/// Limit on a body that is not an upload, in bytes.
const MAX_BODY: usize = 64 << 10;
/// Time for a body to arrive.
const BODY_TIMEOUT: Duration = Duration::from_secs(60);

/// An operation on a route, a policy or a key: the name in the path, the JSON body, and the
/// attribution for the audit log.
pub(super) struct OperatorRequest<T> {
    pub(super) admin: Arc<Admin>,
    /// The route, the policy or the key.
    pub(super) name: String,
    pub(super) body: T,
    pub(super) attribution: ChangeAttribution,
}

/// A body that may give a reason.
pub(super) trait HasReason: DeserializeOwned {
    /// Takes the reason out, which is empty if none was given.
    fn take_reason(&mut self) -> String;
}

macro_rules! bodies_with_reason {
    ($($body:ty),+ $(,)?) => {
        $(impl HasReason for $body {
            fn take_reason(&mut self) -> String {
                std::mem::take(&mut self.why)
            }
        })+
    };
}

bodies_with_reason![ChangeKeyRequest, Reason, RotateKeyRequest, TrialRequest, VersionRequest];

impl<T: HasReason> FromRequest<Arc<Admin>> for OperatorRequest<T> {
    type Rejection = AdminError;

    async fn from_request(request: Request, admin: &Arc<Admin>) -> Result<Self, AdminError> {
        let (mut parts, body) = request.into_parts();
        let name = Path::<String>::from_request_parts(&mut parts, admin).await;
        let Path(name) = name.map_err(|error| {
            AdminError::new(AdminErrorKind::BadRequest, error.body_text()).code("invalid_url")
        })?;
        let mut body: T = read_json(body).await?;
        let attribution = attribution(&parts.headers, body.take_reason())?;
        Ok(Self { admin: Arc::clone(admin), name, body, attribution })
    }
}

/// Reads a body of at most `limit` bytes. `what` names the body in errors, and `key` the
/// configuration key of the limit.
pub(super) async fn read_body(body: Body, limit: usize, what: &str, key: &str) -> Result<Bytes, AdminError> {
    match tokio::time::timeout(BODY_TIMEOUT, axum::body::to_bytes(body, limit)).await {
        Ok(Ok(bytes)) => Ok(bytes),
        Ok(Err(_)) => Err(AdminError::new(
            AdminErrorKind::TooLarge,
            format!("{what} is longer than its limit of {limit} bytes{key}, or was cut off"),
        )),
        Err(_) => {
            let seconds = BODY_TIMEOUT.as_secs();
            let message = format!("{what} did not arrive within {seconds} s");
            Err(AdminError::new(AdminErrorKind::RequestTimeout, message))
        }
    }
}

/// Parses a JSON body. An empty one stands for an object without members.
pub(super) async fn read_json<T: DeserializeOwned>(body: Body) -> Result<T, AdminError> {
    read_json_within(body, MAX_BODY).await
}

/// Parses a JSON body of at most `limit` bytes.
pub(super) async fn read_json_within<T: DeserializeOwned>(body: Body, limit: usize) -> Result<T, AdminError> {
    let bytes = read_body(body, limit, "the body", "").await?;
    let text: &[u8] = if bytes.is_empty() { b"{}" } else { &bytes };
    serde_json::from_slice(text)
        .map_err(|error| invalid_body(format!("the body is not what is expected here: {error}")))
}

/// Returns who makes a change and why. The name is not authenticated: a client with the token
/// may send any.
pub(super) fn attribution(headers: &HeaderMap, why: String) -> Result<ChangeAttribution, AdminError> {
    let name = match headers.get(OPERATOR_HEADER).map(|name| name.to_str().map(str::trim)) {
        None => "",
        Some(Ok(name)) if name.len() <= MAX_NAME => name,
        Some(_) => {
            let message = format!(
                "the header `{OPERATOR_HEADER}` has to be up to {MAX_NAME} printable ASCII characters"
            );
            return Err(AdminError::new(AdminErrorKind::BadRequest, message)
                .code("invalid_header")
                .param(OPERATOR_HEADER));
        }
    };
    if why.chars().count() > MAX_REASON || why.chars().any(char::is_control) {
        let message = format!("`why` has to be up to {MAX_REASON} printable characters");
        return Err(invalid_body(message).param("why"));
    }
    Ok(ChangeAttribution { who: Actor::Admin(name.to_owned()), why })
}

pub(super) fn invalid_body(message: String) -> AdminError {
    AdminError::new(AdminErrorKind::BadRequest, message).code("invalid_body")
}
