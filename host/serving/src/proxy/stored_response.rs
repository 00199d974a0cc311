//! Requests for a response that a provider keeps: they go to the model that made it.

use std::time::Duration;

use bytes::Bytes;
use futures_util::{Stream, stream};
use http::{HeaderMap, Method};
use pointsman_backends::{Backend, BackendBody, BackendRequest, BackendResponse};
use pointsman_config::Key;
use pointsman_dialects::call::stored_response_path;
use pointsman_domain::failure::{CallFailure, FailureKind, TimeLimit};
use pointsman_domain::model::NativeApis;
use pointsman_domain::serving_error::{ErrorKind, ServingError};

use super::provider_state::unknown_response;
use crate::response_owners::ResponseOwners;
use crate::snapshot::Snapshot;

/// Longest wait for the head of an answer.
const HEAD_TIMEOUT: Duration = Duration::from_secs(60);

/// Request for a stored response.
#[derive(Debug)]
pub struct StoredResponseRequest<'a> {
    /// Method: GET, DELETE or POST.
    pub method: Method,
    /// Id of the response.
    pub id: &'a str,
    /// Part of the path behind the id, such as `cancel`.
    pub action: Option<&'static str>,
    /// Query as the client sent it.
    pub query: Option<&'a str>,
    /// Headers of the client to forward.
    pub headers: HeaderMap,
}

/// Answer of a provider, whatever its status.
#[derive(Debug)]
pub struct StoredResponse {
    /// HTTP status.
    pub status: u16,
    /// Headers that a client may see.
    pub headers: HeaderMap,
    /// Body that follows.
    pub body: StoredResponseBody,
}

/// Body of an answer as it arrives.
#[derive(Debug)]
pub struct StoredResponseBody(BackendBody);

/// Body that a provider did not send to its end.
#[derive(Debug, thiserror::Error)]
#[error("the provider's answer broke off: {}", .0.kind)]
pub struct BrokenOff(CallFailure);

impl StoredResponseBody {
    /// Returns the pieces of the body. An error is the last item.
    pub fn into_pieces(self) -> impl Stream<Item = Result<Bytes, BrokenOff>> + Send {
        stream::unfold(Some(self.0), |body| async {
            let mut body = body?;
            match body.chunk().await? {
                Ok(piece) => Some((Ok(piece), Some(body))),
                Err(failure) => Some((Err(BrokenOff(failure)), None)),
            }
        })
    }
}

/// Sends a request to the provider that keeps the response, and returns the head of its answer.
///
/// # Errors
/// Fails if the key did not request the response, or nothing is known of it and several providers
/// could have it, or the provider does not answer.
pub async fn forward(
    owners: &ResponseOwners,
    snapshot: &Snapshot,
    key: Option<&Key>,
    request: StoredResponseRequest<'_>,
) -> Result<StoredResponse, ServingError> {
    let backend = backend_of(owners, snapshot, key, request.id)?;
    let path = stored_response_path(backend.dialect(), request.id, request.action, request.query);
    let call = BackendRequest { method: request.method, path: &path, headers: request.headers };
    let answer = match tokio::time::timeout(HEAD_TIMEOUT, backend.request(call)).await {
        Ok(answer) => answer,
        Err(_) => {
            Err(CallFailure::from(FailureKind::Timeout { limit: TimeLimit::FirstByte, waited: HEAD_TIMEOUT }))
        }
    };
    let BackendResponse { status, headers, body } = answer.map_err(|failure| {
        let message =
            format!("the provider of the response gave no answer: {}", failure.kind.client_message());
        ServingError::new(ErrorKind::AllModelsFailed, message).with_retry_after(failure.retry_after)
    })?;
    Ok(StoredResponse { status, headers, body: StoredResponseBody(body) })
}

fn backend_of<'a>(
    owners: &ResponseOwners,
    snapshot: &'a Snapshot,
    key: Option<&Key>,
    id: &str,
) -> Result<&'a Backend, ServingError> {
    let unknown = || unknown_response(id);
    let models = || snapshot.config.models.iter();
    let owner = owners.get(id, key.map(|key| &key.name));
    let model = match &owner {
        Some(owner) => models().find(|model| model.id == owner.model),
        // Without keys there is one client, and the response may be older than this process.
        None if key.is_none() && !owners.is_of_another(id, None) => {
            let mut keeping = models().filter(|model| model.native_apis.contains(NativeApis::RESPONSES));
            let first = keeping.next();
            first.filter(|first| keeping.all(|other| other.backend == first.backend))
        }
        None => None,
    };
    snapshot.backends.get(&model.ok_or_else(unknown)?.backend).ok_or_else(unknown)
}
