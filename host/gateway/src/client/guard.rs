//! Rules for requests of web pages: CORS, and protection of a client API that needs no key.
//!
//! With keys a page has to know one. Without them, an operator who runs the gateway for the programs
//! of a machine or a network does not mean the pages that are open in its browsers.

use std::sync::Arc;

use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use pointsman_config as config;
use pointsman_config::cross_origin::{AllowedHosts, CrossOriginRules, Refused};
use pointsman_domain::serving_error::{ErrorKind, ServingError};
use pointsman_serving::app::App;

use super::cors::CorsPolicy;
use super::error::ErrorResponse;

/// Paths that reveal nothing but whether the gateway works.
const HEALTH_PATHS: [&str; 2] = ["/health", "/ready"];

/// State of the guard.
#[derive(Clone)]
pub(super) struct Guard {
    app: Arc<App>,
    rules: Arc<CrossOriginRules>,
    cors: CorsPolicy,
}

impl Guard {
    pub(super) fn new(app: Arc<App>, server: &config::Server) -> Self {
        let cors = CorsPolicy::new(server.allowed_origins.clone());
        Self { app, rules: Arc::new(rules(server)), cors }
    }
}

/// Answers preflight requests, passes other requests on unless they may come from a foreign web
/// page, and lets pages of allowed origins read the response.
pub(super) async fn guard(State(guard): State<Guard>, request: Request, next: Next) -> Response {
    if CorsPolicy::is_preflight(&request) {
        return guard.cors.preflight(request.headers()).into_response();
    }
    let origin = guard.cors.allowed_origin(request.headers());
    let mut response = guard.checked(request, next).await;
    guard.cors.expose(origin, response.headers_mut());
    response
}

impl Guard {
    async fn checked(&self, request: Request, next: Next) -> Response {
        // Health checks often name no host.
        let is_guarded = !HEALTH_PATHS.contains(&request.uri().path()) && !self.app.requires_key();
        if is_guarded && let Err(refused) = self.rules.check(&request) {
            let error = error(&refused);
            self.app.recorder.record_rejected(error.kind);
            return ErrorResponse::from(error).into_response();
        }
        next.run(request).await
    }
}

fn rules(server: &config::Server) -> CrossOriginRules {
    let is_local = server.listen.ip().is_loopback();
    let hosts = match &server.allowed_hosts {
        Some(config::Allowed::All) => AllowedHosts::All,
        Some(config::Allowed::Only(names)) => {
            AllowedHosts::Local { single_labels: true, names: names.clone() }
        }
        None if is_local => AllowedHosts::Local { single_labels: true, names: Vec::new() },
        None => AllowedHosts::All,
    };
    CrossOriginRules {
        hosts,
        origins: server.allowed_origins.clone(),
        may_end_tls: !is_local || server.tls.is_some(),
        may_omit_host: true,
    }
}

fn error(refused: &Refused) -> ServingError {
    let hint = match refused {
        Refused::InvalidHost | Refused::UnknownHost => {
            "name it in `server.allowed_hosts`, or require API keys"
        }
        Refused::ForeignPage => "name their origin in `server.allowed_origins`, or require API keys",
    };
    ServingError::new(ErrorKind::CrossOrigin, format!("{refused}: {hint}"))
}
