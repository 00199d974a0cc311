//! Operations on routes and policies: trials, promotions, rollbacks, pins and uploads.

use std::sync::Arc;

use axum::Json;
use axum::body::Body;
use axum::extract::{Path, State};
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD as BASE64;
use http::HeaderMap;
use pointsman_admin_api::{
    OperationResult, Reason, ReloadReport, SIGNATURE_HEADER, TrialMode, TrialRequest, VersionRequest,
};
use pointsman_config::{Mode, PolicySource, Trial};
use pointsman_domain::ids::{PolicyName, RouteName};
use pointsman_policy::Code;

use super::error::{AdminError, AdminErrorKind};
use super::operator_request::{OperatorRequest, attribution, read_body};
use super::query::ApiQuery;
use super::{Admin, found, reload};

type OperationResponse = Result<Json<OperationResult>, AdminError>;

/// `PUT /admin/routes/{route}/trial`
pub(super) async fn set_trial(request: OperatorRequest<TrialRequest>) -> OperationResponse {
    let OperatorRequest { admin, name, body, attribution } = request;
    let mode = match body.mode {
        TrialMode::Shadow => Mode::Shadow,
        TrialMode::Canary { percent } => Mode::Canary { percent },
    };
    let trial = Trial { policy: PolicyName::new(body.policy), mode };
    admin.reloader.set_trial(&RouteName::new(name), Some(trial), attribution)?;
    done("trial", None)
}

/// `DELETE /admin/routes/{route}/trial`
pub(super) async fn end_trial(request: OperatorRequest<Reason>) -> OperationResponse {
    let OperatorRequest { admin, name, attribution, .. } = request;
    admin.reloader.set_trial(&RouteName::new(name), None, attribution)?;
    done("trial-ended", None)
}

/// `POST /admin/routes/{route}/promote`
pub(super) async fn promote(request: OperatorRequest<Reason>) -> OperationResponse {
    let OperatorRequest { admin, name, attribution, .. } = request;
    admin.reloader.promote(&RouteName::new(name), attribution)?;
    done("promoted", None)
}

/// `POST /admin/routes/{route}/rollback`
pub(super) async fn demote(request: OperatorRequest<Reason>) -> OperationResponse {
    let OperatorRequest { admin, name, attribution, .. } = request;
    admin.reloader.demote(&RouteName::new(name), attribution)?;
    done("rolled-back", None)
}

/// `POST /admin/policies/{policy}/rollback`
pub(super) async fn roll_back(request: OperatorRequest<Reason>) -> OperationResponse {
    let OperatorRequest { admin, name, attribution, .. } = request;
    let rolled_back = admin.reloader.roll_back(&PolicyName::new(name), attribution).await?;
    done("rolled-back", Some(rolled_back.to.to_string()))
}

/// `PUT /admin/policies/{policy}/pin`
pub(super) async fn pin(request: OperatorRequest<VersionRequest>) -> OperationResponse {
    let OperatorRequest { admin, name, body, attribution } = request;
    let digest = admin.reloader.pin(&PolicyName::new(name), &body.digest, attribution).await?;
    done("pinned", Some(digest.to_string()))
}

/// `DELETE /admin/policies/{policy}/pin`
pub(super) async fn unpin(request: OperatorRequest<Reason>) -> Result<Json<ReloadReport>, AdminError> {
    let OperatorRequest { admin, name, attribution, .. } = request;
    let report = admin.reloader.unpin(&PolicyName::new(name), attribution).await?;
    Ok(Json(reload::report(&report)))
}

/// `POST /admin/policies/{policy}/release`
pub(super) async fn release(
    request: OperatorRequest<VersionRequest>,
) -> Result<Json<ReloadReport>, AdminError> {
    let OperatorRequest { admin, name, body, attribution } = request;
    let report = admin.reloader.release(&PolicyName::new(name), &body.digest, attribution).await?;
    Ok(Json(reload::report(&report)))
}

/// `PUT /admin/policies/{policy}/code?why=…` with the WebAssembly file as the body
pub(super) async fn upload(
    State(admin): State<Arc<Admin>>,
    Path(policy): Path<String>,
    ApiQuery(Reason { why }): ApiQuery<Reason>,
    headers: HeaderMap,
    body: Body,
) -> OperationResponse {
    let policy = PolicyName::new(policy);
    let snapshot = admin.app.snapshot();
    let configured = found(snapshot.config.policy(&policy), || {
        format!("there is no policy `{policy}`: add [policies.{policy}] to the configuration first")
    })?;
    let limit = configured.spec.limits.max_component_bytes;
    let bytes = read_body(body, limit, "the policy", " (`limits.component`)").await?;
    check_signature(&configured.source, &headers, &bytes)?;
    let attribution = attribution(&headers, why)?;
    let digest = admin.reloader.upload(&policy, Code::new(bytes), attribution).await?;
    done("uploaded", Some(digest.to_string()))
}

/// Verifies the signature of an upload if the policy has a public key.
fn check_signature(source: &PolicySource, headers: &HeaderMap, bytes: &[u8]) -> Result<(), AdminError> {
    let Some(key) = source.fetch_spec().and_then(|spec| spec.public_key.as_ref()) else { return Ok(()) };
    let rejected = |message: String| AdminError::new(AdminErrorKind::Rejected, message);
    let Some(header) = headers.get(SIGNATURE_HEADER) else {
        return Err(rejected(format!(
            "the policy has a `public_key`, so an upload has to be signed: send the `.minisig` file, in base64, \
             in the header `{SIGNATURE_HEADER}`"
        )));
    };
    let decoded = BASE64.decode(header.as_bytes()).ok().and_then(|text| String::from_utf8(text).ok());
    let Some(signature) = decoded else {
        let message = format!("the header `{SIGNATURE_HEADER}` is not a `.minisig` file in base64");
        return Err(AdminError::new(AdminErrorKind::BadRequest, message)
            .code("invalid_header")
            .param(SIGNATURE_HEADER));
    };
    pointsman_supply::verify(bytes, &signature, key).map_err(|error| rejected(error.to_string()))
}

fn done(operation: &str, digest: Option<String>) -> OperationResponse {
    Ok(Json(OperationResult { done: operation.to_owned(), digest }))
}
