//! Who may call the admin API.
//!
//! With a token, whoever has it: a page of another origin does not, and no browser
//! sends it along by itself. Without one the listener is on loopback, and pages in an
//! operator's browser are kept out by [`CrossOriginRules`].

use std::sync::Arc;

use axum::body::Body;
use axum::extract::State;
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use http::{HeaderMap, Request};
use sha2::{Digest, Sha256};

use super::Admin;
use crate::client::error::ApiError;
use crate::client::keys::bearer;
use crate::cross_origin::{Allowed, AllowedHosts, CrossOriginRules, Refused};

/// Lets in who may call.
pub(super) async fn guard(State(admin): State<Arc<Admin>>, request: Request<Body>, next: Next) -> Response {
    let checked = match &admin.token() {
        Some(token) => with_token(request.headers(), token.expose()),
        None => without_token(&request),
    };
    match checked {
        Ok(()) => next.run(request).await,
        Err(refused) => refused.into_response(),
    }
}

fn with_token(headers: &HeaderMap, token: &str) -> Result<(), ApiError> {
    let given = bearer(headers).unwrap_or_default();
    // Hashes are compared, so that the time tells nothing about the token.
    if Sha256::digest(given) == Sha256::digest(token) {
        return Ok(());
    }
    let message = "the admin API needs its token: send it in the header `Authorization: Bearer TOKEN`";
    Err(ApiError::unauthorized(message))
}

fn without_token<B>(request: &Request<B>) -> Result<(), ApiError> {
    let rules = CrossOriginRules {
        hosts: AllowedHosts::Local { single_labels: false, names: Vec::new() },
        origins: Allowed::Only(Vec::new()),
        may_end_tls: false,
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
        ApiError::forbidden("cross_origin", message)
    })
}

#[cfg(test)]
mod tests;
