//! `/admin/keys`: API keys of clients.

mod times;

use std::collections::HashMap;
use std::sync::Arc;

use axum::Json;
use axum::body::Body;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use http::header::CACHE_CONTROL;
use http::{HeaderMap, HeaderValue, StatusCode};
use pointsman_admin_api::{
    ChangeKeyRequest, CreateKeyRequest, IssuedKey, KeyList, KeySource, KeyState, KeyStatus, OperationResult,
    Reason, RotateKeyRequest,
};
use pointsman_config::Key;
use pointsman_domain::money::Picodollars;
use pointsman_serving::clock::unix_seconds;
use pointsman_serving::reload::{self, KeyChange, KeyOperationError, NewKey, Reloader};
use pointsman_state::StoredKey;

use super::Admin;
use super::error::{AdminError, AdminErrorKind};
use super::operator_request::{OperatorRequest, attribution, read_json};

/// Grace period of a rotation that states none, in seconds.
const DEFAULT_GRACE: u64 = 24 * 3_600;

/// Requests and cost of a key since the start.
#[derive(Clone, Copy, Default)]
struct KeyUsage {
    requests: u64,
    cost: Picodollars,
}

/// `GET /admin/keys`
pub(super) async fn list(State(admin): State<Arc<Admin>>) -> Json<KeyList> {
    let (snapshot, now, usage) = (admin.app.snapshot(), unix_seconds(), usage(&admin));
    let usage_of = |name: &str| usage.get(name).copied().unwrap_or_default();
    let file = snapshot.config.keys.iter().map(|key| of_file(key, usage_of(key.name.as_str())));
    let stored = admin.app.stored_keys.all();
    let stored = stored.iter().map(|key| status(key, now, usage_of(&key.name)));
    Json(KeyList {
        required: admin.app.requires_key(),
        can_store: admin.app.stored_keys.can_store(),
        keys: file.chain(stored).collect(),
    })
}

/// `POST /admin/keys`
pub(super) async fn create(
    State(admin): State<Arc<Admin>>,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, AdminError> {
    let CreateKeyRequest { name, routes, expires_in, expires_at, why } = read_json(body).await?;
    let attribution = attribution(&headers, why)?;
    let expires = times::expiry(expires_in.as_deref(), expires_at.as_ref(), unix_seconds())?;
    let new = NewKey { name, routes, expires };
    let issued = blocking(&admin, move |reloader| reloader.create_key(new, attribution)).await?;
    Ok(secret(StatusCode::CREATED, &issued, KeyUsage::default()))
}

/// `POST /admin/keys/{key}/rotate`
pub(super) async fn rotate(request: OperatorRequest<RotateKeyRequest>) -> Result<Response, AdminError> {
    let OperatorRequest { admin, name, body, attribution } = request;
    let grace = body.grace.as_deref().map_or(Ok(DEFAULT_GRACE), times::grace)?;
    let usage = usage(&admin).get(&name).copied().unwrap_or_default();
    let issued = blocking(&admin, move |reloader| reloader.rotate_key(&name, grace, attribution)).await?;
    Ok(secret(StatusCode::OK, &issued, usage))
}

/// `PATCH /admin/keys/{key}`
pub(super) async fn change(
    request: OperatorRequest<ChangeKeyRequest>,
) -> Result<Json<KeyStatus>, AdminError> {
    let OperatorRequest { admin, name, body, attribution } = request;
    let ChangeKeyRequest { disabled, expires_in, expires_at, routes, .. } = body;
    let (now, at) = (unix_seconds(), expires_at.as_ref().and_then(Option::as_ref));
    let expires = match (&expires_at, &expires_in) {
        (None, None) => None,
        (Some(None), None) => Some(None),
        (Some(None), Some(_)) => return Err(times::given_twice()),
        _ => Some(times::expiry(expires_in.as_deref(), at, now)?),
    };
    if disabled.is_none() && expires.is_none() && routes.is_none() {
        let message = "nothing to change: `disabled`, `expires_in`, `expires_at` or `routes` is needed";
        return Err(AdminError::new(AdminErrorKind::BadRequest, message).code("invalid_body"));
    }
    let usage = usage(&admin).get(&name).copied().unwrap_or_default();
    let change = KeyChange { disabled, expires, routes };
    let stored = blocking(&admin, move |reloader| reloader.change_key(&name, change, attribution)).await?;
    Ok(Json(status(&stored, now, usage)))
}

/// `DELETE /admin/keys/{key}`
pub(super) async fn delete(request: OperatorRequest<Reason>) -> Result<Json<OperationResult>, AdminError> {
    let OperatorRequest { admin, name, attribution, .. } = request;
    blocking(&admin, move |reloader| reloader.delete_key(&name, attribution)).await?;
    Ok(Json(OperationResult { done: "key-deleted".to_owned(), digest: None }))
}

/// Runs an operation, which waits for the disk, off the threads of requests. It is not interrupted if the caller
/// disconnects.
async fn blocking<T: Send + 'static>(
    admin: &Admin,
    operation: impl FnOnce(&Reloader) -> Result<T, KeyOperationError> + Send + 'static,
) -> Result<T, AdminError> {
    let reloader = Arc::clone(&admin.reloader);
    match tokio::task::spawn_blocking(move || operation(&reloader)).await {
        Ok(result) => Ok(result?),
        Err(error) => match error.try_into_panic() {
            Ok(panic) => std::panic::resume_unwind(panic),
            Err(_) => Err(AdminError::new(AdminErrorKind::Unavailable, "the gateway is stopping")),
        },
    }
}

/// Renders a key that is shown once.
fn secret(code: StatusCode, issued: &reload::IssuedKey, usage: KeyUsage) -> Response {
    let status = status(&issued.stored, unix_seconds(), usage);
    let body = IssuedKey { key: issued.secret.expose().to_owned(), status };
    (code, [(CACHE_CONTROL, HeaderValue::from_static("no-store"))], Json(body)).into_response()
}

fn usage(admin: &Admin) -> HashMap<String, KeyUsage> {
    let mut by_key: HashMap<String, KeyUsage> = HashMap::new();
    for line in admin.app.recorder.ledger.report() {
        let Some(key) = line.key else { continue };
        let usage = by_key.entry(key).or_default();
        usage.requests += line.totals.requests();
        usage.cost += line.totals.cost;
    }
    by_key
}

/// Returns the status of a key of the configuration.
fn of_file(key: &Key, usage: KeyUsage) -> KeyStatus {
    KeyStatus {
        name: key.name.to_string(),
        source: KeySource::File,
        state: KeyState::Active,
        routes: key.allowed.as_ref().map(|allowed| allowed.listed().to_vec()),
        created: None,
        rotated: None,
        grace_until: None,
        expires: None,
        requests: usage.requests,
        cost_usd: usage.cost.usd(),
    }
}

/// Returns the status of a stored key at a time.
fn status(key: &StoredKey, now: u64, usage: KeyUsage) -> KeyStatus {
    let state = match key {
        StoredKey { disabled: true, .. } => KeyState::Disabled,
        StoredKey { expires: Some(at), .. } if *at <= now => KeyState::Expired,
        _ => KeyState::Active,
    };
    KeyStatus {
        name: key.name.clone(),
        source: KeySource::Store,
        state,
        routes: key.routes.clone(),
        created: Some(key.created),
        rotated: key.rotated,
        grace_until: key.previous.map(|previous| previous.until).filter(|until| *until > now),
        expires: key.expires,
        requests: usage.requests,
        cost_usd: usage.cost.usd(),
    }
}

impl From<KeyOperationError> for AdminError {
    fn from(error: KeyOperationError) -> Self {
        let message = error.to_string();
        match error {
            KeyOperationError::NotFound(_) => {
                Self::new(AdminErrorKind::NotFound, message).code("key_not_found")
            }
            KeyOperationError::Conflict { code, .. } => {
                Self::new(AdminErrorKind::Conflict, message).code(code)
            }
            KeyOperationError::Invalid { member, .. } => {
                Self::new(AdminErrorKind::Rejected, message).param(&member)
            }
            KeyOperationError::Storage(_) | KeyOperationError::RandomNumbers(_) => {
                Self::new(AdminErrorKind::Unavailable, message)
            }
        }
    }
}
