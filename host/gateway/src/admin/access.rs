//! Access to the admin API.
//!
//! With tokens configured, requests have to send one, which determines their role: pages of other origins do
//! not have it, and browsers do not add it on their own. Without one, the listener is on loopback, and pages in
//! an operator's browser are kept out by [`CrossOriginRules`].

use std::sync::Arc;

use axum::body::Body;
use axum::extract::State;
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use axum::{Extension, Json};
use http::{HeaderMap, Request};
use pointsman_admin_api::{AccessStatus, Role};
use pointsman_config::AdminTokens;
use pointsman_config::cross_origin::{Allowed, AllowedHosts, CrossOriginRules, Refused};
use pointsman_domain::secret::Secret;
use pointsman_serving::auth::bearer;
use sha2::{Digest, Sha256};

use super::Admin;
use super::error::{AdminError, AdminErrorKind};

/// Role of the caller, an extension of every request that is allowed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum CallerRole {
    Operator,
    ReadOnly,
}

/// Passes on requests that are allowed, with the role of their caller.
pub(super) async fn authorize(
    State(admin): State<Arc<Admin>>,
    mut request: Request<Body>,
    next: Next,
) -> Response {
    let tokens = admin.tokens();
    let role = match tokens.is_empty() {
        false => role_of(request.headers(), &tokens),
        // A program on this machine may do everything.
        true => check_origin(&request, admin.app.snapshot().config.admin.tls.is_some())
            .map(|()| CallerRole::Operator),
    };
    match role {
        Ok(role) => {
            request.extensions_mut().insert(role);
            next.run(request).await
        }
        Err(error) => error.into_response(),
    }
}

/// Passes on requests of operators.
pub(super) async fn require_operator(request: Request<Body>, next: Next) -> Response {
    match request.extensions().get() {
        Some(CallerRole::Operator) => next.run(request).await,
        Some(CallerRole::ReadOnly) | None => {
            let message = "this needs the role `operator`, and the token that was sent has the role `read-only`: \
                           send the one that `token_env` or `token_file` below [admin] names";
            AdminError::new(AdminErrorKind::Forbidden, message).code("operator_required").into_response()
        }
    }
}

/// `GET /admin/access`
pub(super) async fn status(Extension(role): Extension<CallerRole>) -> Json<AccessStatus> {
    let role = match role {
        CallerRole::Operator => Role::Operator,
        CallerRole::ReadOnly => Role::ReadOnly,
    };
    Json(AccessStatus { role })
}

/// Returns the role of the token that a request has.
fn role_of(headers: &HeaderMap, tokens: &AdminTokens) -> Result<CallerRole, AdminError> {
    let given = bearer(headers).unwrap_or_default();
    // Hashes are compared, so that the duration does not depend on the token.
    let is = |token: &Option<Secret>| {
        token.as_ref().is_some_and(|token| Sha256::digest(given) == Sha256::digest(token.expose()))
    };
    match (is(&tokens.operator), is(&tokens.read_only)) {
        (true, _) => Ok(CallerRole::Operator),
        (false, true) => Ok(CallerRole::ReadOnly),
        (false, false) => {
            let message =
                "the admin API needs its token: send it in the header `Authorization: Bearer TOKEN`";
            Err(AdminError::new(AdminErrorKind::Unauthorized, message))
        }
    }
}

fn check_origin<B>(request: &Request<B>, has_tls: bool) -> Result<(), AdminError> {
    let rules = CrossOriginRules {
        hosts: AllowedHosts::Local { single_labels: false, names: Vec::new() },
        origins: Allowed::Only(Vec::new()),
        may_end_tls: has_tls,
        may_omit_host: false,
    };
    rules.check(request).map_err(|refused| {
        let names = match refused {
            Refused::InvalidHost | Refused::UnknownHost => " but localhost and IP addresses",
            Refused::ForeignPage => "",
        };
        let message = format!(
            "without a token the admin API is for this machine: {refused}{names}; set `token_env` or \
             `token_file` below [admin]"
        );
        AdminError::new(AdminErrorKind::Forbidden, message)
    })
}

#[cfg(test)]
mod tests;
