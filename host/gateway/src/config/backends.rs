//! Servers that answer model calls.

use std::time::Duration;

use pointsman_backends::{HttpConfig, ProbeConfig, SimulatedConfig};
use pointsman_domain::ids::BackendName;

use http::header::{AUTHORIZATION, CONNECTION, CONTENT_LENGTH, CONTENT_TYPE, HOST, TRANSFER_ENCODING};
use http::{HeaderMap, HeaderName, HeaderValue, Uri};

use super::document::Node;
use super::models::CompiledModel;
use super::problem::Problems;
use super::secrets::{Secrets, Source};
use super::{names, raw};

/// Headers whose values are keys.
pub(super) const KEY_HEADERS: [&str; 3] = ["api-key", "x-api-key", "authorization"];
/// Headers that belong to the connection or to the call.
const FIXED_HEADERS: [HeaderName; 6] =
    [AUTHORIZATION, CONNECTION, CONTENT_LENGTH, CONTENT_TYPE, HOST, TRANSFER_ENCODING];

/// A server that answers model calls.
#[derive(Clone, Debug, PartialEq)]
pub struct Backend {
    /// Its name.
    pub name: BackendName,
    /// What it is. Backends of equal kind can share connections.
    pub kind: BackendKind,
    /// Who runs it, as the catalogue of models calls them.
    pub provider: String,
    /// How to ask whether it is there, if at all.
    pub probe: Option<ProbeConfig>,
    /// Longest wait for the first byte of an answer, whichever route asks.
    pub first_byte_timeout: Option<Duration>,
}

/// What a backend is.
#[derive(Clone, Debug, PartialEq)]
pub enum BackendKind {
    /// A server.
    Http(HttpConfig),
    /// A fleet in this process.
    Simulated(SimulatedConfig),
}

pub(super) fn compile(
    file: &raw::File,
    node: Node<'_>,
    secrets: Secrets<'_>,
    models: &[CompiledModel],
    problems: &mut Problems<'_>,
) -> Vec<Backend> {
    let mut backends = Vec::new();
    for (name, node) in node.entries() {
        names::check("backend", name, node, problems);
        let Some(raw) = file.backends.get(name) else { continue };
        let kind = match raw.kind {
            raw::BackendKind::Openai => BackendKind::Http(http(raw, node, secrets, problems)),
            raw::BackendKind::Simulated => {
                BackendKind::Simulated(simulated(raw, name, node, models, problems))
            }
        };
        backends.push(Backend {
            name: BackendName::new(name),
            kind,
            provider: raw.provider.as_deref().unwrap_or(name).to_owned(),
            probe: raw.health.as_ref().and_then(|health| probe(health, node.get("health"), problems)),
            first_byte_timeout: first_byte_timeout(raw, node.get("first_byte_timeout"), problems),
        });
    }
    backends
}

fn first_byte_timeout(raw: &raw::Backend, node: Node<'_>, problems: &mut Problems<'_>) -> Option<Duration> {
    let timeout = raw.first_byte_timeout?.get();
    if timeout.is_zero() {
        problems.add(node.place(), "`first_byte_timeout` is zero, so no model could answer");
    }
    Some(timeout)
}

fn http(raw: &raw::Backend, node: Node<'_>, secrets: Secrets<'_>, problems: &mut Problems<'_>) -> HttpConfig {
    let source = Source {
        keys: ["api_key_env", "api_key_file"],
        env: raw.api_key_env.as_deref(),
        file: raw.api_key_file.as_deref(),
    };
    let mut config = HttpConfig::new(base_url(raw, node, problems));
    config.api_key = secrets.read(&source, node, problems);
    config.headers = headers(raw, node.get("headers"), problems);
    config.http2 = raw.http2;
    config.connect_timeout = raw.connect_timeout.get();
    config.idle_timeout = raw.idle_timeout.get();
    config.max_idle_connections = raw.max_idle_connections as usize;
    if let Some(path) = &raw.ca_file {
        config.ca_pem = secrets.bytes(path, node.get("ca_file"), problems);
    }
    config
}

fn base_url(raw: &raw::Backend, node: Node<'_>, problems: &mut Problems<'_>) -> String {
    const EXAMPLE: &str =
        "it is where the API begins, such as \"https://api.openai.com/v1\" or \"http://127.0.0.1:8000/v1\"";
    let Some(url) = &raw.base_url else {
        problems.lacks(node, "the backend has no `base_url`", EXAMPLE);
        return String::new();
    };
    let place = node.get("base_url").place();
    if url.contains('@') {
        problems
            .add(place, "`base_url` holds a user name or a password")
            .secret()
            .hint("secrets are not written in the configuration: use `api_key_env` or `api_key_file`");
        return String::new();
    }
    let parsed = url.parse::<Uri>().ok().filter(|uri| {
        matches!(uri.scheme_str(), Some("http" | "https")) && uri.host().is_some() && uri.query().is_none()
    });
    if parsed.is_none() || url.contains('#') {
        problems.add(place, format!("{url:?} is not the address of an API")).hint(EXAMPLE);
    }
    url.clone()
}

fn headers(raw: &raw::Backend, node: Node<'_>, problems: &mut Problems<'_>) -> HeaderMap {
    let mut headers = HeaderMap::new();
    for (name, value) in &raw.headers {
        let place = node.get(name);
        if KEY_HEADERS.iter().any(|key| name.eq_ignore_ascii_case(key)) {
            problems
                .add(place.key(), format!("the header `{name}` carries a key"))
                .hint("secrets are not written in the configuration: use `api_key_env` or `api_key_file`");
            continue;
        }
        let Ok(header) = name.parse::<HeaderName>() else {
            problems.add(place.key(), format!("{name:?} is not the name of a header"));
            continue;
        };
        if FIXED_HEADERS.contains(&header) {
            problems.add(place.key(), format!("the header `{name}` is set by Pointsman"));
            continue;
        }
        let Ok(value) = HeaderValue::from_str(value) else {
            problems.add(place.place(), format!("the header `{name}` cannot carry this value"));
            continue;
        };
        headers.insert(header, value);
    }
    headers
}

fn simulated(
    raw: &raw::Backend,
    name: &str,
    node: Node<'_>,
    models: &[CompiledModel],
    problems: &mut Problems<'_>,
) -> SimulatedConfig {
    for (key, is_set) in [
        ("base_url", raw.base_url.is_some()),
        ("api_key_env", raw.api_key_env.is_some()),
        ("api_key_file", raw.api_key_file.is_some()),
        ("ca_file", raw.ca_file.is_some()),
        ("health", raw.health.is_some()),
    ] {
        if is_set {
            problems
                .add(node.get(key).key(), format!("`{key}` means nothing to a simulated backend"))
                .hint("remove it, or set `kind = \"openai\"`");
        }
    }
    let behaviour = models
        .iter()
        .filter(|model| model.model.backend.as_str() == name)
        .map(|model| (model.model.upstream_name.clone(), model.behaviour))
        .collect();
    SimulatedConfig { models: behaviour, seed: raw.seed }
}

fn probe(health: &raw::Health, node: Node<'_>, problems: &mut Problems<'_>) -> Option<ProbeConfig> {
    let (interval, timeout) = (health.interval.get(), health.timeout.get());
    for (key, time) in [("interval", interval), ("timeout", timeout)] {
        if time.is_zero() {
            problems.add(node.get(key).place(), format!("`{key}` of a health probe is zero"));
        }
    }
    Some(ProbeConfig { path: health.path.clone(), interval, timeout })
}
