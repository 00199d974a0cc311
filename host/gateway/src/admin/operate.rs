//! What operators do about policies: trials, promotions, rollbacks, pins, uploads.

use std::sync::Arc;
use std::time::Duration;

use axum::Json;
use axum::body::Body;
use axum::extract::{FromRequest, FromRequestParts, Path, Request, State};
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD as BASE64;
use bytes::Bytes;
use http::{HeaderMap, HeaderName};
use pointsman_domain::ids::{PolicyName, RouteName};
use pointsman_policy::Code;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use super::Admin;
use super::query::Asking;
use crate::client::error::ApiError;
use crate::config::{PolicySource, Trial};
use crate::reload::{CannotDo, Report, Word};
use crate::rollout::{Event, Who};

/// Who calls, for the audit log. Whoever has the token may say any name.
const OPERATOR: HeaderName = HeaderName::from_static("x-pointsman-operator");
/// The signature of an upload.
const SIGNATURE: HeaderName = HeaderName::from_static("x-pointsman-signature");
/// Longest name, and longest reason, in characters.
const LONGEST_NAME: usize = 64;
const LONGEST_REASON: usize = 500;
/// Longest body of a request that is not an upload.
const LONGEST_BODY: usize = 64 << 10;
/// Longest time for a body to arrive.
const BODY_TIMEOUT: Duration = Duration::from_secs(60);
/// Events that are told when the caller does not say how many.
const EVENTS: usize = 100;

/// What a caller asks to be done about a route or a policy: the name in the
/// address, the body as JSON, and the caller's word for the audit log.
pub(super) struct Asked<T> {
    admin: Arc<Admin>,
    name: String,
    wanted: T,
    word: Word,
}

/// A body that may give a reason.
pub(super) trait Wanted: DeserializeOwned {
    /// The reason, or nothing.
    fn why(&mut self) -> String;
}

/// Nothing but a reason.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct Because {
    why: String,
}

/// A policy to put on trial.
#[derive(Debug, Deserialize)]
pub(super) struct TrialWanted {
    #[serde(flatten)]
    trial: Trial,
    #[serde(default)]
    why: String,
}

/// A version of a policy.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct VersionWanted {
    /// Its SHA-256, or the start of it.
    digest: String,
    #[serde(default)]
    why: String,
}

impl Wanted for Because {
    fn why(&mut self) -> String {
        std::mem::take(&mut self.why)
    }
}

impl Wanted for TrialWanted {
    fn why(&mut self) -> String {
        std::mem::take(&mut self.why)
    }
}

impl Wanted for VersionWanted {
    fn why(&mut self) -> String {
        std::mem::take(&mut self.why)
    }
}

impl<T: Wanted> FromRequest<Arc<Admin>> for Asked<T> {
    type Rejection = ApiError;

    async fn from_request(request: Request, admin: &Arc<Admin>) -> Result<Self, ApiError> {
        let (mut parts, body) = request.into_parts();
        let name = Path::<String>::from_request_parts(&mut parts, admin).await;
        let Path(name) =
            name.map_err(|error| ApiError::bad_request("invalid_url", None, error.body_text()))?;
        let mut wanted: T = wanted(body).await?;
        let word = word(&parts.headers, wanted.why())?;
        Ok(Self { admin: Arc::clone(admin), name, wanted, word })
    }
}

/// How many events.
#[derive(Debug, Deserialize)]
pub(super) struct Newest {
    #[serde(default = "events")]
    limit: usize,
}

fn events() -> usize {
    EVENTS
}

/// That it was done, and what serves now.
#[derive(Debug, Serialize)]
pub(super) struct Done {
    done: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    digest: Option<String>,
}

type Answer<T> = Result<Json<T>, ApiError>;

/// `PUT /admin/routes/{route}/trial`
pub(super) async fn set_trial(asked: Asked<TrialWanted>) -> Answer<Done> {
    let Asked { admin, name, wanted, word } = asked;
    admin.reloader.set_trial(&RouteName::new(name), Some(wanted.trial), word)?;
    done("trial", None)
}

/// `DELETE /admin/routes/{route}/trial`
pub(super) async fn end_trial(Asked { admin, name, word, .. }: Asked<Because>) -> Answer<Done> {
    admin.reloader.set_trial(&RouteName::new(name), None, word)?;
    done("trial-ended", None)
}

/// `POST /admin/routes/{route}/promote`
pub(super) async fn promote(Asked { admin, name, word, .. }: Asked<Because>) -> Answer<Done> {
    admin.reloader.promote(&RouteName::new(name), word)?;
    done("promoted", None)
}

/// `POST /admin/routes/{route}/rollback`
pub(super) async fn demote(Asked { admin, name, word, .. }: Asked<Because>) -> Answer<Done> {
    admin.reloader.demote(&RouteName::new(name), word)?;
    done("rolled-back", None)
}

/// `POST /admin/policies/{policy}/rollback`
pub(super) async fn roll_back(Asked { admin, name, word, .. }: Asked<Because>) -> Answer<Done> {
    let back = admin.reloader.roll_back(&PolicyName::new(name), word).await?;
    done("rolled-back", Some(back.to.to_string()))
}

/// `PUT /admin/policies/{policy}/pin`
pub(super) async fn pin(asked: Asked<VersionWanted>) -> Answer<Done> {
    let Asked { admin, name, wanted, word } = asked;
    let digest = admin.reloader.pin(&PolicyName::new(name), &wanted.digest, word).await?;
    done("pinned", Some(digest.to_string()))
}

/// `DELETE /admin/policies/{policy}/pin`
pub(super) async fn unpin(Asked { admin, name, word, .. }: Asked<Because>) -> Answer<Report> {
    Ok(Json(admin.reloader.unpin(&PolicyName::new(name), word).await?))
}

/// `POST /admin/policies/{policy}/release`
pub(super) async fn release(asked: Asked<VersionWanted>) -> Answer<Report> {
    let Asked { admin, name, wanted, word } = asked;
    Ok(Json(admin.reloader.release(&PolicyName::new(name), &wanted.digest, word).await?))
}

/// `PUT /admin/policies/{policy}/code?why=…`, the body being the WebAssembly file.
pub(super) async fn upload(
    State(admin): State<Arc<Admin>>,
    Path(policy): Path<String>,
    Asking(Because { why }): Asking<Because>,
    headers: HeaderMap,
    body: Body,
) -> Answer<Done> {
    let policy = PolicyName::new(policy);
    let snapshot = admin.app.snapshot();
    let configured = snapshot.config.policy(&policy);
    let configured = found(configured, || {
        format!("there is no policy `{policy}`: add [policies.{policy}] to the configuration first")
    })?;
    let limit = configured.spec.limits.max_component_bytes;
    let bytes = read_body(body, limit, "the policy", " (`limits.component`)").await?;
    check_signature(&configured.source, &headers, &bytes)?;
    let word = word(&headers, why)?;
    let digest = admin.reloader.upload(&policy, Code::new(bytes), word).await?;
    done("uploaded", Some(digest.to_string()))
}

/// An upload to a policy with a public key is signed, as its source is.
fn check_signature(source: &PolicySource, headers: &HeaderMap, bytes: &[u8]) -> Result<(), ApiError> {
    let Some(key) = source.order().and_then(|order| order.public_key.as_ref()) else { return Ok(()) };
    let bad = |message: &str| ApiError::bad_request("invalid_header", Some(SIGNATURE.to_string()), message);
    let Some(given) = headers.get(SIGNATURE) else {
        return Err(ApiError::unprocessable(
            "the policy has a `public_key`, so what is uploaded has to be signed: send the `.minisig` file, in \
             base64, in the header `x-pointsman-signature`",
        ));
    };
    let text = BASE64.decode(given.as_bytes()).ok().and_then(|text| String::from_utf8(text).ok());
    let text =
        text.ok_or_else(|| bad("the header `x-pointsman-signature` is not a `.minisig` file in base64"))?;
    pointsman_supply::verify(bytes, &text, key).map_err(|error| ApiError::unprocessable(error.to_string()))
}

/// `GET /admin/audit?limit=100`: the newest changes, newest first.
pub(super) async fn audit(
    State(admin): State<Arc<Admin>>,
    Asking(newest): Asking<Newest>,
) -> Json<Vec<Event>> {
    Json(admin.reloader.rollouts.audit.newest(newest.limit))
}

/// What is there, or the answer that it is not.
pub(super) fn found<T>(thing: Option<T>, message: impl FnOnce() -> String) -> Result<T, ApiError> {
    thing.ok_or_else(|| ApiError::not_found("not_found", message()))
}

fn done(what: &'static str, digest: Option<String>) -> Answer<Done> {
    Ok(Json(Done { done: what, digest }))
}

/// Reads a body of at most `limit` bytes.
async fn read_body(body: Body, limit: usize, what: &str, key: &str) -> Result<Bytes, ApiError> {
    match tokio::time::timeout(BODY_TIMEOUT, axum::body::to_bytes(body, limit)).await {
        Ok(Ok(bytes)) => Ok(bytes),
        Ok(Err(_)) => Err(ApiError::too_large(format!(
            "{what} is longer than its limit of {limit} bytes{key}, or was cut off"
        ))),
        Err(_) => {
            let seconds = BODY_TIMEOUT.as_secs();
            Err(ApiError::request_timeout(format!("{what} did not arrive within {seconds} s")))
        }
    }
}

/// The body as JSON; without one, all is as it is by default.
async fn wanted<T: DeserializeOwned>(body: Body) -> Result<T, ApiError> {
    let bytes = read_body(body, LONGEST_BODY, "the body", "").await?;
    let text: &[u8] = if bytes.is_empty() { b"{}" } else { &bytes };
    serde_json::from_slice(text).map_err(|error| {
        ApiError::bad_request("invalid_body", None, format!("the body is not what is expected here: {error}"))
    })
}

fn word(headers: &HeaderMap, why: String) -> Result<Word, ApiError> {
    let name = headers.get(OPERATOR).map(|name| name.to_str().map(str::trim));
    let name = match name {
        None => "",
        Some(Ok(name)) if name.len() <= LONGEST_NAME => name,
        Some(_) => {
            let message = format!(
                "the header `x-pointsman-operator` has to be up to {LONGEST_NAME} printable ASCII characters"
            );
            return Err(ApiError::bad_request("invalid_header", Some(OPERATOR.to_string()), message));
        }
    };
    if why.chars().count() > LONGEST_REASON || why.chars().any(char::is_control) {
        let message = format!("`why` has to be up to {LONGEST_REASON} printable characters");
        return Err(ApiError::bad_request("invalid_body", Some("why".to_owned()), message));
    }
    Ok(Word { who: Who::Admin(name.to_owned()), why })
}

impl From<CannotDo> for ApiError {
    fn from(cannot: CannotDo) -> Self {
        let message = cannot.to_string();
        match cannot {
            CannotDo::NotFound(_) => Self::not_found("not_found", message),
            CannotDo::Conflict(_) => Self::conflict(message),
            CannotDo::Invalid(_) => Self::unprocessable(message),
            CannotDo::Kept(_) => Self::unavailable("cannot_remember", message),
        }
    }
}
