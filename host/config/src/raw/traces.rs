//! `[traces]`

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Duration;

/// Export of request spans to an OpenTelemetry collector.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Traces {
    /// OTLP/HTTP endpoint of the collector, such as `http://127.0.0.1:4318`; `/v1/traces` is
    /// appended if it is missing. Default: no spans, and trace headers are forwarded unchanged.
    pub endpoint: Option<String>,
    /// Headers sent to the collector. Not for keys.
    pub headers: BTreeMap<String, String>,
    /// Headers whose values are in environment variables: the variables' names.
    pub headers_env: BTreeMap<String, String>,
    /// Headers whose values are in files: the files' paths.
    pub headers_file: BTreeMap<String, String>,
    /// PEM file with the certificate authorities to trust instead of the system's.
    pub ca_file: Option<String>,
    /// Longest wait for the collector's answer.
    pub timeout: Duration,
    /// Share of the traces started by the gateway that is recorded: 0.1 is one in ten. If a
    /// client sends `traceparent`, its sampling decision applies.
    pub sample: f64,
    /// Record the content of requests and answers too, up to 32 KiB each. When off, no span
    /// holds any content.
    pub content: bool,
    /// Service name that is sent to the collector.
    pub service_name: String,
}
