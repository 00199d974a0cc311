//! The table that says where spans go.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Duration;

/// Spans of requests, for an OpenTelemetry collector.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Traces {
    /// Where the collector takes OTLP over HTTP, such as `http://127.0.0.1:4318`; `/v1/traces`
    /// is added where it is missing. Default: no spans, and trace headers pass as they came.
    pub endpoint: Option<String>,
    /// Headers sent to the collector. Not for keys.
    pub headers: BTreeMap<String, String>,
    /// Headers whose values are in environment variables: the variables' names.
    pub headers_env: BTreeMap<String, String>,
    /// Headers whose values are in files: the files' paths.
    pub headers_file: BTreeMap<String, String>,
    /// File with the certificate authorities to trust instead of the system's, in PEM.
    pub ca_file: Option<String>,
    /// Longest wait for the collector's answer.
    pub timeout: Duration,
    /// The share of the traces that begin here that is recorded: 0.1 is one in ten. Where a
    /// client sends `traceparent`, its own choice counts.
    pub sample: f64,
    /// Record what was asked and answered too, up to 32 KiB each. Off, no span holds any of it.
    pub content: bool,
    /// What the collector knows this service as.
    pub service_name: String,
}
