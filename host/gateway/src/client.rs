//! The APIs for applications: OpenAI's and Anthropic's, below `/v1`.

mod cors;
mod decision_headers;
mod decisions;
mod error;
mod feedback;
mod guard;
mod model_requests;
mod models;
mod reading;
mod request_options;
mod response;
mod stored_responses;

use std::sync::Arc;

use axum::Router;
use axum::extract::State;
use axum::middleware;
use axum::response::{IntoResponse, Response};
use axum::routing::{MethodRouter, any, get, post};
use http::{Method, StatusCode, Uri, header};
use pointsman_dialects::protocol::{ForwardedApi, Protocol};
use pointsman_domain::serving_error::{ErrorKind, ServingError};

use error::ErrorResponse;
use pointsman_config as config;
use pointsman_serving::app::App;

pub(crate) use error::render as render_error;

/// Paths below the base URL that answer POST, besides those of requests that are forwarded.
const POST_PATHS: [&str; 7] = [
    "/chat/completions",
    "/completions",
    "/responses",
    "/messages",
    "/messages/count_tokens",
    "/decisions",
    "/feedback",
];

/// Paths of OpenAI's API that are not served, and would be taken for that of a stored response.
const UNSERVED_PATHS: [&str; 2] = ["/responses/compact", "/responses/input_tokens"];

/// Returns all paths below the base URL that answer POST.
fn post_paths() -> impl Iterator<Item = String> {
    let forwarded = ForwardedApi::ALL.into_iter().map(|api| format!("/{}", api.path()));
    POST_PATHS.into_iter().map(str::to_owned).chain(forwarded)
}

/// The routes of the client listener.
///
/// Clients differ in whether their base URL ends with `/v1`, and whether they add it: both forms are
/// served, and `/v1` twice.
pub(crate) fn router(app: Arc<App>, server: &config::Server) -> Router {
    let guard = guard::Guard::new(Arc::clone(&app), server);
    let mut router = Router::new();
    for path in ["", "/v1", "/v1/v1"].into_iter().flat_map(|base| UNSERVED_PATHS.map(|path| [base, path])) {
        let path = path.concat();
        router = router.route(&format!("{path}/"), any(no_such_page)).route(&path, any(no_such_page));
    }
    router
        .merge(api())
        .nest("/v1", api())
        .nest("/v1/v1", api())
        .route("/health", get(health))
        .route("/ready", get(ready))
        .fallback(no_such_page)
        .method_not_allowed_fallback(wrong_method)
        .layer(middleware::from_fn_with_state(guard, guard::guard))
        .with_state(app)
}

/// The paths of the API below its base URL, each with and without a slash at its end.
fn api() -> Router<Arc<App>> {
    let stored = get(stored_responses::one).delete(stored_responses::one);
    let routes: [(&str, MethodRouter<Arc<App>>); 11] = [
        ("/chat/completions", post(model_requests::chat_completions)),
        ("/completions", post(model_requests::completions)),
        ("/responses", post(model_requests::responses)),
        ("/responses/{id}", stored),
        ("/responses/{id}/cancel", post(stored_responses::cancel)),
        ("/responses/{id}/input_items", get(stored_responses::input_items)),
        ("/messages", post(model_requests::messages)),
        ("/messages/count_tokens", post(model_requests::count_tokens)),
        ("/decisions", post(decisions::dry_run)),
        ("/feedback", post(feedback::rate)),
        ("/models", get(models::list)),
    ];
    let mut router = Router::new().route("/models/{*id}", get(models::one));
    for (path, handler) in routes {
        router = router.route(path, handler.clone()).route(&format!("{path}/"), handler);
    }
    for api in ForwardedApi::ALL {
        let handler = post(move |app, request| model_requests::forwarded(api, app, request));
        let path = format!("/{}", api.path());
        router = router.route(&path, handler.clone()).route(&format!("{path}/"), handler);
    }
    router
}

/// Liveness: the process runs.
async fn health() -> &'static str {
    "ok\n"
}

/// Readiness: the gateway listens only once it is configured, and accepts no new requests once it is
/// stopping.
async fn ready(State(app): State<Arc<App>>) -> (StatusCode, &'static str) {
    match app.is_stopping() {
        false => (StatusCode::OK, "ready\n"),
        true => (StatusCode::SERVICE_UNAVAILABLE, "stopping\n"),
    }
}

async fn no_such_page(State(app): State<Arc<App>>, uri: Uri) -> ErrorResponse {
    let served: Vec<String> = post_paths().map(|path| format!("POST /v1{path}")).collect();
    let message = match post_paths().find(|path| uri.path().trim_end_matches('/').ends_with(&**path)) {
        Some(path) => format!(
            "nothing at {}: the path is /v1{path}, so the base URL has to end with /v1 or with the port",
            uri.path()
        ),
        None => {
            format!("nothing at {}: this gateway serves {} and GET /v1/models", uri.path(), served.join(", "))
        }
    };
    rejected(&app, Protocol::ChatCompletions, ServingError::new(ErrorKind::UnknownUrl, message))
}

async fn wrong_method(State(app): State<Arc<App>>, method: Method, uri: Uri) -> Response {
    let path = uri.path().trim_end_matches('/');
    let answers_post = path.ends_with("/cancel") || post_paths().any(|known| path.ends_with(&*known));
    let allowed = if answers_post { "POST" } else { "GET" };
    let message = format!("{method} is not allowed at {}: use {allowed}", uri.path());
    let error = ServingError::new(ErrorKind::MethodNotAllowed, message);
    let error = rejected(&app, Protocol::ChatCompletions, error);
    ([(header::ALLOW, allowed)], error).into_response()
}

/// Counts a request that is rejected before a decision.
fn rejected(app: &App, protocol: Protocol, error: ServingError) -> ErrorResponse {
    app.recorder.record_rejected(error.kind);
    ErrorResponse { protocol, error }
}
