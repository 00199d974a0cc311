//! Access to the admin API.
//!
//! With a token configured, requests have to send it: pages of other origins do not have it, and
//! browsers do not add it on their own. Without one, the listener is on loopback, and pages in
//! an operator's browser are kept out by [`CrossOriginRules`].

use std::sync::Arc;

use axum::body::Body;
use axum::extract::State;
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use http::{HeaderMap, Request};
use pointsman_config::cross_origin::{Allowed, AllowedHosts, CrossOriginRules, Refused};
use pointsman_serving::auth::bearer;
use sha2::{Digest, Sha256};

use super::Admin;
use super::error::{AdminError, AdminErrorKind};

/// Passes on requests that are allowed.
pub(super) async fn authorize(
    State(admin): State<Arc<Admin>>,
    request: Request<Body>,
    next: Next,
) -> Response {
    let checked = match &admin.token() {
        Some(token) => check_token(request.headers(), token.expose()),
        None => check_origin(&request, admin.app.snapshot().config.admin.tls.is_some()),
    };
    match checked {
        Ok(()) => next.run(request).await,
        Err(error) => error.into_response(),
    }
}

fn check_token(headers: &HeaderMap, token: &str) -> Result<(), AdminError> {
    let given = bearer(headers).unwrap_or_default();
    // Hashes are compared, so that the duration does not depend on the token.
    if Sha256::digest(given) == Sha256::digest(token) {
        return Ok(());
    }
    let message = "the admin API needs its token: send it in the header `Authorization: Bearer TOKEN`";
    Err(AdminError::new(AdminErrorKind::Unauthorized, message))
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
