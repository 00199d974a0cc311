//! Export of spans.

use std::time::Duration;

use http::header::{CONNECTION, CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_TYPE, HOST, TRANSFER_ENCODING};
use http::{HeaderMap, HeaderName, HeaderValue, Uri};
use pointsman_backends::HttpConfig;
use pointsman_domain::trace::SampleRatio;

use super::document::Node;
use super::problem::Problems;
use super::secrets::Secrets;
use super::{backends, raw};

/// Path of the traces endpoint, as specified by OTLP.
const PATH: &str = "/v1/traces";
/// Headers that belong to the connection or to the content.
const FIXED_HEADERS: [HeaderName; 6] =
    [CONNECTION, CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_TYPE, HOST, TRANSFER_ENCODING];
const EXAMPLE: &str = "it is the OTLP/HTTP endpoint of a collector, such as \"http://127.0.0.1:4318\"";

/// Settings of the export of spans to a collector.
#[derive(Clone, Debug, PartialEq)]
pub struct Traces {
    /// Client configuration for the collector. Its base URL is the complete address.
    pub collector: HttpConfig,
    /// Longest wait for its answer.
    pub timeout: Duration,
    /// Share of the traces started by the gateway that is recorded.
    pub sample: SampleRatio,
    /// True if spans record the content of requests and answers.
    pub content: bool,
    /// Service name that is sent to the collector.
    pub service_name: String,
}

/// Reads `[traces]`. Returns `None` without an endpoint.
pub(super) fn compile(
    raw: &raw::Traces,
    node: Node<'_>,
    secrets: Secrets<'_>,
    problems: &mut Problems<'_>,
) -> Option<Traces> {
    if !(0.0..=1.0).contains(&raw.sample) {
        let message = format!("{} is not a share of traces", raw.sample);
        problems.add(node.get("sample").place(), message).hint("a share is 0 to 1");
    }
    if raw.timeout.get().is_zero() {
        problems.add(node.get("timeout").place(), "`timeout` is zero, so no collector could answer in time");
    }
    if raw.service_name.is_empty() {
        problems.add(node.get("service_name").place(), "`service_name` is empty");
    }
    let headers = headers(raw, node, secrets, problems);
    let ca_pem = raw.ca_file.as_ref().and_then(|path| secrets.bytes(path, node.get("ca_file"), problems));
    let Some(endpoint) = &raw.endpoint else {
        if raw.content {
            problems
                .add(node.get("content").key(), "`content` is on, but there is no `endpoint`")
                .hint(EXAMPLE);
        }
        return None;
    };
    let mut collector = HttpConfig::new(address(endpoint, node.get("endpoint"), problems));
    collector.headers = headers;
    collector.ca_pem = ca_pem;
    // Batches are sent sequentially.
    collector.max_idle_connections = 1;
    Some(Traces {
        collector,
        timeout: raw.timeout.get(),
        sample: SampleRatio::new(raw.sample),
        content: raw.content,
        service_name: raw.service_name.clone(),
    })
}

fn address(endpoint: &str, node: Node<'_>, problems: &mut Problems<'_>) -> String {
    if endpoint.contains('@') {
        problems
            .add(node.place(), "`endpoint` holds a user name or a password")
            .secret()
            .hint("secrets are not written in the configuration: use `headers_env` or `headers_file`");
        return String::new();
    }
    let parsed = endpoint.parse::<Uri>().ok().filter(|uri| {
        matches!(uri.scheme_str(), Some("http" | "https")) && uri.host().is_some() && uri.query().is_none()
    });
    if parsed.is_none() || endpoint.contains('#') {
        problems.add(node.place(), format!("{endpoint:?} is not the address of a collector")).hint(EXAMPLE);
    }
    let base = endpoint.trim_end_matches('/');
    format!("{}{PATH}", base.strip_suffix(PATH).unwrap_or(base))
}

/// Reads the headers of all three tables.
fn headers(
    raw: &raw::Traces,
    node: Node<'_>,
    secrets: Secrets<'_>,
    problems: &mut Problems<'_>,
) -> HeaderMap {
    let mut headers = HeaderMap::new();
    for (name, value) in &raw.headers {
        let at = node.get("headers").get(name);
        if backends::KEY_HEADERS.iter().any(|key| name.eq_ignore_ascii_case(key)) {
            problems
                .add(at.key(), format!("the header `{name}` carries a key"))
                .hint("secrets are not written in the configuration: use `headers_env` or `headers_file`");
            continue;
        }
        let value = HeaderValue::from_str(value).ok();
        if value.is_none() {
            problems.add(at.place(), format!("the header `{name}` cannot carry this value"));
        }
        insert(name, value, at, &mut headers, problems);
    }
    for (name, variable) in &raw.headers_env {
        let at = node.get("headers_env").get(name);
        let value = secrets.header_variable(variable, name, at, problems);
        insert(name, value, at, &mut headers, problems);
    }
    for (name, path) in &raw.headers_file {
        let at = node.get("headers_file").get(name);
        let value = secrets.header_file(path, at, problems);
        insert(name, value, at, &mut headers, problems);
    }
    headers
}

fn insert(
    name: &str,
    value: Option<HeaderValue>,
    at: Node<'_>,
    headers: &mut HeaderMap,
    problems: &mut Problems<'_>,
) {
    let Ok(header) = name.parse::<HeaderName>() else {
        problems.add(at.key(), format!("{name:?} is not the name of a header"));
        return;
    };
    if FIXED_HEADERS.contains(&header) {
        problems.add(at.key(), format!("the header `{name}` is set by Pointsman"));
    } else if headers.contains_key(&header) {
        problems.add(at.key(), format!("the header `{name}` is given twice")).hint("keep one of them");
    } else if let Some(value) = value {
        headers.insert(header, value);
    }
}
