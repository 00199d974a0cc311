//! Who may call the admin API.
//!
//! With a token, whoever has it: a page of another origin does not, and no browser
//! sends it along by itself. Without one the listener is on loopback, and what is to
//! be kept out are pages in an operator's browser: those of other origins, and those
//! whose own name was made to lead to this machine (DNS rebinding), which only the
//! name in `Host` gives away.

use std::net::IpAddr;
use std::sync::Arc;

use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use http::uri::Authority;
use http::{HeaderMap, header};
use sha2::{Digest, Sha256};

use super::Admin;
use crate::client::error::ApiError;
use crate::client::keys::bearer;

/// Lets in who may call.
pub(super) async fn guard(State(admin): State<Arc<Admin>>, request: Request, next: Next) -> Response {
    let checked = match &admin.token() {
        Some(token) => with_token(request.headers(), token.expose()),
        None => without_token(request.headers(), request.uri().authority()),
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

fn without_token(headers: &HeaderMap, authority: Option<&Authority>) -> Result<(), ApiError> {
    let host = match authority {
        Some(authority) => Some(authority.clone()),
        None => headers.get(header::HOST).and_then(|host| host.to_str().ok()?.parse().ok()),
    };
    if let Some(host) = &host
        && !is_local(host.host())
    {
        return Err(refused(format!(
            "without a token the admin API answers to no name but localhost, not to {host}"
        )));
    }
    let Some(origin) = headers.get(header::ORIGIN) else { return Ok(()) };
    let own = host.map(|host| format!("http://{host}"));
    if own.is_some_and(|own| origin.as_bytes() == own.as_bytes()) {
        return Ok(());
    }
    Err(refused("requests from other web pages need an admin token".to_owned()))
}

fn refused(why: String) -> ApiError {
    ApiError::forbidden("cross_origin", format!("{why}: set `token_env` or `token_file` below [admin]"))
}

/// Whether a host is an address, or a name that no DNS server is asked for.
fn is_local(host: &str) -> bool {
    let address = host.trim_start_matches('[').trim_end_matches(']');
    address.parse::<IpAddr>().is_ok() || host == "localhost" || host.ends_with(".localhost")
}

#[cfg(test)]
mod tests;
