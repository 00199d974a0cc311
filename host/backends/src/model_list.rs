//! Lists of models of backends: a check of address, key and models at no cost.

use std::time::Duration;

use ::http::Method;
use ::http::header::CONTENT_TYPE;
use bytes::Bytes;
use pointsman_domain::failure::FailureKind;
use pointsman_wire::provider::ProviderDialect;

use crate::backend::{Backend, BackendBody};
use crate::http::{ConnectCause, HttpBackend, HttpResponse, SendError};

mod parse;

use parse::Form;

/// Longest list that is read, in bytes. Brokers list hundreds of models with a description each.
const MAX_LIST: usize = 16 << 20;
/// Longest beginning of an error that is read, in bytes.
const MAX_ERROR: usize = 64 << 10;
/// Words in an error of Gemini's API, which reports a wrong key by status 400.
const GEMINI_WRONG_KEY: &[u8] = b"API_KEY_INVALID";

/// Models that a backend lists.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ModelList {
    /// Names by which the backend knows its models.
    pub names: Vec<String>,
    /// False if there are more models than these.
    pub is_complete: bool,
}

/// Reason why a backend's list of models could not be read. No text of the backend is part of it: an error may
/// repeat the key.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ModelListError {
    /// No connection could be opened.
    #[error("{reason}")]
    Unreachable {
        /// Cause of it.
        cause: ConnectCause,
        /// Errors of the client, joined by colons.
        reason: String,
    },
    /// The backend did not respond in time.
    #[error("no complete response within {} ms", .0.as_millis())]
    Timeout(Duration),
    /// There is no key, so nothing was sent.
    #[error("no API key: {0}")]
    NoKey(String),
    /// The backend rejects the key, or requires one.
    #[error("status {status}: {}", if *.has_key { "the key is rejected" } else { "a key is required" })]
    WrongKey {
        /// HTTP status.
        status: u16,
        /// True if the request had a key.
        has_key: bool,
    },
    /// The base URL is not that of the API.
    #[error("{0}")]
    WrongAddress(WrongAddress),
    /// The API is there and takes the key, but has no list of models.
    #[error("the API has no list of models")]
    NoList,
    /// Another status that is no success.
    #[error("status {0}")]
    Status(u16),
    /// The connection broke.
    #[error("{0}")]
    Broken(String),
}

/// Sign of a base URL that is not that of the API.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum WrongAddress {
    /// There is no such page.
    #[error("status {0}")]
    Status(u16),
    /// A page for browsers.
    #[error("the response is a web page")]
    WebPage,
    /// A redirect to another server, or one that clients of an API do not follow.
    #[error("status {0}, a redirect to another address")]
    Redirect(u16),
    /// Not JSON.
    #[error("the response is not JSON")]
    NotJson,
    /// JSON of another form.
    #[error("the response is no list of models")]
    OtherJson,
    /// A list in the form of another API.
    #[error("the response is a list of models in the form of {}", .0.name())]
    OtherApi(ProviderDialect),
}

impl Backend {
    /// Reads the list of models. Calls no model, unless there is no list: then a request for an answer without
    /// any member is sent, which no API can serve, to see whether the API is there and takes the key.
    ///
    /// # Errors
    /// Fails with what is wrong: the way to the server, the key, or the base URL. `None` is returned for a
    /// simulated fleet, which has no list.
    pub async fn list_models(&self, timeout: Duration) -> Result<Option<ModelList>, ModelListError> {
        let Some(server) = self.server() else { return Ok(None) };
        let listing = async { Request { server, dialect: self.dialect() }.list().await };
        tokio::time::timeout(timeout, listing).await.map_err(|_| ModelListError::Timeout(timeout))?.map(Some)
    }
}

struct Request<'a> {
    server: &'a HttpBackend,
    dialect: ProviderDialect,
}

/// Whole response.
struct Received {
    status: u16,
    is_html: bool,
    body: Bytes,
}

impl Request<'_> {
    async fn list(&self) -> Result<ModelList, ModelListError> {
        let response = self.send(Method::GET, list_path(self.dialect), "").await?;
        match response.status {
            200..300 => self.read(&response),
            404 | 405 | 501 => match empty_call_path(self.dialect) {
                Some(path) => self.send_empty_call(path, &response).await,
                None => Err(self.failure(&response)),
            },
            _ => Err(self.failure(&response)),
        }
    }

    /// Sends a request for an answer that has no member. An API without a list of models rejects it as
    /// incomplete.
    async fn send_empty_call(&self, path: &str, listed: &Received) -> Result<ModelList, ModelListError> {
        let response = self.send(Method::POST, path, "{}").await?;
        let is_json = serde_json::from_slice::<serde::de::IgnoredAny>(&response.body).is_ok();
        match response.status {
            400 | 422 | 429 if is_json => Err(ModelListError::NoList),
            401 | 403 => Err(self.failure(&response)),
            _ => Err(self.failure(listed)),
        }
    }

    fn read(&self, response: &Received) -> Result<ModelList, ModelListError> {
        let wrong = |sign| Err(ModelListError::WrongAddress(sign));
        if response.is_html {
            return wrong(WrongAddress::WebPage);
        }
        let form = Form::of(self.dialect);
        if let Some(list) = form.parse(&response.body) {
            return Ok(list);
        }
        if form.other().parse(&response.body).is_some() {
            return wrong(WrongAddress::OtherApi(form.other().dialect()));
        }
        match serde_json::from_slice::<serde::de::IgnoredAny>(&response.body) {
            Ok(_) => wrong(WrongAddress::OtherJson),
            Err(_) => wrong(WrongAddress::NotJson),
        }
    }

    fn failure(&self, response: &Received) -> ModelListError {
        let is_wrong_key = match (self.dialect, response.status) {
            (_, 401 | 403) => true,
            (ProviderDialect::Gemini, 400) => {
                response.body.windows(GEMINI_WRONG_KEY.len()).any(|bytes| bytes == GEMINI_WRONG_KEY)
            }
            _ => false,
        };
        let status = response.status;
        match status {
            _ if is_wrong_key => ModelListError::WrongKey { status, has_key: self.server.has_key() },
            300..400 => ModelListError::WrongAddress(WrongAddress::Redirect(status)),
            404 | 405 | 501 => ModelListError::WrongAddress(WrongAddress::Status(status)),
            _ => ModelListError::Status(status),
        }
    }

    async fn send(&self, method: Method, path: &str, body: &'static str) -> Result<Received, ModelListError> {
        let response = self.server.diagnose(method, path, body).await.map_err(send_failure)?;
        let HttpResponse { status, headers, body } = response;
        let content_type =
            headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
        let is_html = content_type.to_ascii_lowercase().starts_with("text/html");
        let body = BackendBody::from(body);
        let body = match status {
            200..300 => body.whole(MAX_LIST).await,
            // The status is enough if an error is too long, or breaks off.
            _ => Ok(body.whole(MAX_ERROR).await.unwrap_or_default()),
        };
        let body = body.map_err(|failure| ModelListError::Broken(failure.to_string()))?;
        Ok(Received { status, is_html, body })
    }
}

fn send_failure(error: SendError) -> ModelListError {
    match (error.connect, error.failure.kind) {
        (Some(cause), kind) => {
            let reason = match kind {
                FailureKind::Connect(reason) => reason,
                other => other.to_string(),
            };
            ModelListError::Unreachable { cause, reason }
        }
        (None, FailureKind::NoKey(reason)) => ModelListError::NoKey(reason),
        (None, FailureKind::Broken(reason)) => ModelListError::Broken(reason),
        (None, other) => ModelListError::Broken(other.to_string()),
    }
}

/// Returns the path of the list, with the greatest number of models that one response may have.
fn list_path(dialect: ProviderDialect) -> &'static str {
    match dialect {
        ProviderDialect::Anthropic => "models?limit=1000",
        ProviderDialect::Gemini => "models?pageSize=1000",
        ProviderDialect::OpenAi | ProviderDialect::Azure => dialect.models_path(),
    }
}

/// Returns the path of requests for an answer, where the name of the model is in their body.
fn empty_call_path(dialect: ProviderDialect) -> Option<&'static str> {
    match dialect {
        ProviderDialect::OpenAi => Some("chat/completions"),
        ProviderDialect::Anthropic => Some("messages"),
        ProviderDialect::Azure | ProviderDialect::Gemini => None,
    }
}

#[cfg(test)]
mod tests;
