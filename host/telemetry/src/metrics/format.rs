//! Text formats of metrics.

use prometheus_client::encoding::{prometheus_text, text};
use prometheus_client::registry::Registry;

/// A text format.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MetricsFormat {
    /// OpenMetrics 1.0, which includes units.
    OpenMetrics,
    /// Format of Prometheus, which every reader supports.
    Prometheus,
}

impl MetricsFormat {
    /// Selects the format for an `Accept` header: OpenMetrics if the header names it and prefers
    /// nothing else.
    pub fn accepted(accept: &str) -> Self {
        let weight = |wanted: &str| accept.split(',').filter_map(|range| weight(range, wanted)).max();
        match weight("application/openmetrics-text") {
            Some(open) if open > 0 && Some(open) >= weight("text/plain") => Self::OpenMetrics,
            _ => Self::Prometheus,
        }
    }

    /// Returns the media type.
    pub const fn content_type(self) -> &'static str {
        match self {
            Self::OpenMetrics => "application/openmetrics-text; version=1.0.0; charset=utf-8",
            Self::Prometheus => prometheus_text::CONTENT_TYPE,
        }
    }

    pub(super) fn write(self, registry: &Registry) -> String {
        let mut page = String::new();
        // Writing to a string does not fail.
        let _ = match self {
            Self::OpenMetrics => text::encode(&mut page, registry),
            Self::Prometheus => prometheus_text::encode(&mut page, registry),
        };
        page
    }
}

/// Returns the weight of a media range in thousandths, if it is of this type.
fn weight(range: &str, wanted: &str) -> Option<u32> {
    let mut parts = range.split(';').map(str::trim);
    if !parts.next()?.eq_ignore_ascii_case(wanted) {
        return None;
    }
    let weight = parts.find_map(|parameter| {
        let (name, value) = parameter.split_once('=')?;
        name.trim().eq_ignore_ascii_case("q").then(|| value.trim().parse::<f64>().unwrap_or(0.0))
    });
    Some((weight.unwrap_or(1.0).clamp(0.0, 1.0) * 1e3) as u32)
}
