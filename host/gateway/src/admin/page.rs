//! The live page: its files, which are embedded in the binary, and their security headers.
//!
//! The files hold no data, so they need no token. The page gets its data from the admin API,
//! like any other client.

use axum::Router;
use axum::extract::Path;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use http::header::{
    CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, ETAG, IF_NONE_MATCH, REFERRER_POLICY,
    X_CONTENT_TYPE_OPTIONS,
};
use http::{HeaderMap, HeaderName, StatusCode};
use sha2::{Digest, Sha256};

use super::error::{AdminError, AdminErrorKind};

/// No foreign resources, nothing inline, no embedding in frames. Text of a client or a policy
/// cannot run as code, even if the page mistook it for markup.
const SECURITY_POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; \
                               connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";
/// Prevents other sites from loading the files, by which they could detect a gateway.
const RESOURCE_POLICY: (HeaderName, &str) =
    (HeaderName::from_static("cross-origin-resource-policy"), "same-origin");

/// A file below `/page/`, or the document itself.
struct PageFile {
    name: &'static str,
    bytes: &'static [u8],
}

macro_rules! files {
    ($($name:literal),+ $(,)?) => {
        &[$(PageFile { name: $name, bytes: include_bytes!(concat!("../../page/", $name)) }),+]
    };
}

/// All files, the document first.
static FILES: &[PageFile] = files![
    "index.html",
    "icon.svg",
    "style.css",
    "parts.css",
    "actions.js",
    "address.js",
    "api.js",
    "attention.js",
    "changes.js",
    "chart.js",
    "decision.js",
    "decisions.js",
    "description.js",
    "dialog.js",
    "dom.js",
    "explain.js",
    "format.js",
    "gantt.js",
    "gateway.js",
    "history.js",
    "key-actions.js",
    "keys.js",
    "main.js",
    "model.js",
    "models.js",
    "overview.js",
    "parts.js",
    "period.js",
    "plan-chart.js",
    "plans.js",
    "playground.js",
    "policies.js",
    "recent.js",
    "routes.js",
    "scale.js",
    "series.js",
    "spending.js",
    "steady.js",
    "store.js",
    "stream.js",
    "trade-off.js",
];

/// The routes of the page.
pub(super) fn router() -> Router {
    Router::new().route("/", get(index)).route("/page/{file}", get(file))
}

async fn index(headers: HeaderMap) -> Result<Response, AdminError> {
    serve("index.html", &headers)
}

async fn file(Path(name): Path<String>, headers: HeaderMap) -> Result<Response, AdminError> {
    serve(&name, &headers)
}

fn serve(name: &str, request: &HeaderMap) -> Result<Response, AdminError> {
    let file = FILES.iter().find(|file| file.name == name).ok_or_else(|| {
        let message = format!("the page has no file `{name}`: it is at / of this listener");
        AdminError::new(AdminErrorKind::NotFound, message).code("unknown_url")
    })?;
    let tag = file.tag();
    // Cached by the browser and revalidated each time, so that a new version is shown at once.
    let head = [
        (CACHE_CONTROL, "no-cache"),
        (ETAG, tag.as_str()),
        (CONTENT_SECURITY_POLICY, SECURITY_POLICY),
        (X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (REFERRER_POLICY, "no-referrer"),
        RESOURCE_POLICY,
    ];
    let known = request.get_all(IF_NONE_MATCH).iter().any(|known| known.as_bytes() == tag.as_bytes());
    Ok(if known {
        (StatusCode::NOT_MODIFIED, head).into_response()
    } else {
        (head, [(CONTENT_TYPE, file.content_type())], file.bytes).into_response()
    })
}

impl PageFile {
    fn content_type(&self) -> &'static str {
        match self.name.rsplit_once('.') {
            Some((_, "html")) => "text/html; charset=utf-8",
            Some((_, "css")) => "text/css; charset=utf-8",
            Some((_, "js")) => "text/javascript; charset=utf-8",
            Some((_, "svg")) => "image/svg+xml",
            _ => "application/octet-stream",
        }
    }

    fn tag(&self) -> String {
        let digest: String =
            Sha256::digest(self.bytes).iter().take(8).map(|byte| format!("{byte:02x}")).collect();
        format!("\"{digest}\"")
    }
}

#[cfg(test)]
mod tests;
