//! Servers that answer model calls.

use std::time::Duration;

use pointsman_backends::{ClientCertificate, HttpConfig, ProbeConfig, SimulatedConfig, TransportConfig};
use pointsman_domain::ids::BackendName;
use pointsman_wire::provider::ProviderDialect;

use http::header::{AUTHORIZATION, CONNECTION, CONTENT_LENGTH, CONTENT_TYPE, HOST, TRANSFER_ENCODING};
use http::{HeaderMap, HeaderName, HeaderValue};

use super::document::Node;
use super::models::CompiledModel;
use super::problem::Problems;
use super::secrets::Secrets;
use super::{names, proxies, raw};

mod address;
mod auth;

/// Headers that carry keys.
pub(super) const KEY_HEADERS: [&str; 3] = ["api-key", "x-api-key", "authorization"];
/// Header of a key for Google's APIs. `headers` may still have it, with a warning.
const GOOGLE_KEY_HEADER: &str = "x-goog-api-key";
/// Headers that belong to the connection or to the call.
const FIXED_HEADERS: [HeaderName; 6] =
    [AUTHORIZATION, CONNECTION, CONTENT_LENGTH, CONTENT_TYPE, HOST, TRANSFER_ENCODING];

/// A server that answers model calls.
#[derive(Clone, Debug, PartialEq)]
pub struct Backend {
    /// Its name.
    pub name: BackendName,
    /// Settings of its transport. Backends with equal settings and dialects can share connections.
    pub transport: TransportConfig,
    /// Protocol of its API.
    pub dialect: ProviderDialect,
    /// Section of the model catalogue that applies to its models.
    pub provider: String,
    /// Content of its list of models.
    pub model_list: ModelListContent,
    /// Health probe, if one is configured.
    pub probe: Option<ProbeConfig>,
    /// Longest wait for the first byte of an answer, for calls of all routes.
    pub first_byte_timeout: Option<Duration>,
}

/// Content of the list of models of a backend's API.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ModelListContent {
    /// The models, under the names by which they are called.
    Models,
    /// Other names: the models are called by the names of deployments.
    BaseModels,
    /// No list: the address is that of one deployment.
    Nothing,
}

pub(super) fn compile(
    file: &raw::File,
    node: Node<'_>,
    secrets: Secrets<'_>,
    models: &[CompiledModel],
    problems: &mut Problems<'_>,
    warnings: &mut Vec<String>,
) -> Vec<Backend> {
    let mut backends = Vec::new();
    for (name, node) in node.entries() {
        names::check("backend", name, node, problems);
        let Some(raw) = file.backends.get(name) else { continue };
        // The key `kind` states both: each of its values is a transport and a dialect.
        let (transport, dialect) = match raw.kind {
            raw::BackendKind::Openai
            | raw::BackendKind::Azure
            | raw::BackendKind::Anthropic
            | raw::BackendKind::Gemini => {
                let dialect = dialect(raw);
                let config = http(raw, dialect, node, secrets, problems, warnings);
                (TransportConfig::Http(config), dialect)
            }
            raw::BackendKind::Simulated => {
                let config = simulated(raw, name, node, models, problems);
                (TransportConfig::Simulated(config), ProviderDialect::OpenAi)
            }
        };
        backends.push(Backend {
            name: BackendName::new(name),
            transport,
            dialect,
            provider: raw.provider.as_deref().unwrap_or(name).to_owned(),
            model_list: address::model_list(raw),
            probe: raw.health.as_ref().and_then(|health| probe(health, node.get("health"), problems)),
            first_byte_timeout: first_byte_timeout(raw, node.get("first_byte_timeout"), problems),
        });
    }
    backends
}

fn dialect(raw: &raw::Backend) -> ProviderDialect {
    match raw.kind {
        raw::BackendKind::Openai | raw::BackendKind::Simulated => ProviderDialect::OpenAi,
        raw::BackendKind::Azure if address::is_azure_v1(raw) => ProviderDialect::OpenAi,
        raw::BackendKind::Azure => ProviderDialect::Azure,
        raw::BackendKind::Anthropic => ProviderDialect::Anthropic,
        raw::BackendKind::Gemini => ProviderDialect::Gemini,
    }
}

/// Returns the header that carries the key where none is configured.
fn default_key_header(raw: &raw::Backend) -> HeaderName {
    let dialect = match raw.kind {
        // Both forms of its address take the key in the same header.
        raw::BackendKind::Azure => ProviderDialect::Azure,
        _ => dialect(raw),
    };
    HeaderName::from_static(dialect.key_header())
}

fn first_byte_timeout(raw: &raw::Backend, node: Node<'_>, problems: &mut Problems<'_>) -> Option<Duration> {
    let timeout = raw.first_byte_timeout?.get();
    if timeout.is_zero() {
        problems.add(node.place(), "`first_byte_timeout` is zero, so no model could answer");
    }
    Some(timeout)
}

fn http(
    raw: &raw::Backend,
    dialect: ProviderDialect,
    node: Node<'_>,
    secrets: Secrets<'_>,
    problems: &mut Problems<'_>,
    warnings: &mut Vec<String>,
) -> HttpConfig {
    let (base_url, target) = address::base_url(raw, dialect, node, problems);
    let mut config = HttpConfig::new(base_url);
    config.query = address::query(raw, node, problems);
    config.auth = auth::compile(raw, node, secrets, problems);
    config.headers = headers(raw, node.get("headers"), problems);
    if let Some(name) = raw.headers.keys().find(|name| name.eq_ignore_ascii_case(GOOGLE_KEY_HEADER)) {
        warnings.push(format!(
            "the header `{name}` of a backend carries a key, which does not belong in the configuration: use \
             `api_key_env` or `api_key_file` with `api_key_header = \"{name}\"`"
        ));
    }
    config.http2 = raw.http2;
    config.connect_timeout = raw.connect_timeout.get();
    config.idle_timeout = raw.idle_timeout.get();
    config.max_idle_connections = raw.max_idle_connections as usize;
    if let Some(path) = &raw.ca_file {
        config.ca_pem = secrets.bytes(path, node.get("ca_file"), problems);
    }
    config.client_certificate = client_certificate(raw, node, secrets, problems);
    config.proxy = proxies::of_backend(raw, target.as_ref(), node, secrets, problems, warnings);
    if let Some(target) = target.filter(|target| target.scheme_str() == Some("http"))
        && config.client_certificate.is_some()
    {
        warnings.push(format!("{target} is called without TLS, so the client certificate is not used"));
    }
    config
}

/// Reads the client certificate.
fn client_certificate(
    raw: &raw::Backend,
    node: Node<'_>,
    secrets: Secrets<'_>,
    problems: &mut Problems<'_>,
) -> Option<ClientCertificate> {
    let (certificate, key) = (&raw.client_cert_file, &raw.client_key_file);
    let (certificate, key) = match (certificate, key) {
        (None, None) => return None,
        (Some(certificate), Some(key)) => (certificate, key),
        (Some(_), None) => {
            let place = node.get("client_cert_file").key();
            problems.add(place, "`client_cert_file` is given without `client_key_file`");
            return None;
        }
        (None, Some(_)) => {
            let place = node.get("client_key_file").key();
            problems.add(place, "`client_key_file` is given without `client_cert_file`");
            return None;
        }
    };
    let chain_pem = secrets.bytes(certificate, node.get("client_cert_file"), problems);
    let key_pem = secrets.text(key, node.get("client_key_file"), problems);
    Some(ClientCertificate { chain_pem: chain_pem?, key_pem: key_pem? })
}

fn headers(raw: &raw::Backend, node: Node<'_>, problems: &mut Problems<'_>) -> HeaderMap {
    let mut headers = HeaderMap::new();
    for (name, value) in &raw.headers {
        let place = node.get(name);
        if KEY_HEADERS.iter().any(|key| name.eq_ignore_ascii_case(key)) {
            let also = match name.eq_ignore_ascii_case(AUTHORIZATION.as_str()) {
                true => String::new(),
                false => format!(" with `api_key_header = \"{name}\"`"),
            };
            problems.add(place.key(), format!("the header `{name}` carries a key")).hint(format!(
                "secrets are not written in the configuration: use `api_key_env` or `api_key_file`{also}"
            ));
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
        ("api_key_command", raw.api_key_command.is_some()),
        ("api_key_header", raw.api_key_header.is_some()),
        ("api_key_prefix", raw.api_key_prefix.is_some()),
        ("api_key_query", raw.api_key_query.is_some()),
        ("query", !raw.query.is_empty()),
        ("ca_file", raw.ca_file.is_some()),
        ("client_cert_file", raw.client_cert_file.is_some()),
        ("client_key_file", raw.client_key_file.is_some()),
        ("proxy", raw.proxy.is_some()),
        ("proxy_auth_env", raw.proxy_auth_env.is_some()),
        ("proxy_auth_file", raw.proxy_auth_file.is_some()),
        ("health", raw.health.is_some()),
    ] {
        if is_set {
            problems
                .add(node.get(key).key(), format!("`{key}` does not apply to a simulated backend"))
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
