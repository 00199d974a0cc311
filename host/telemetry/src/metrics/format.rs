//! The formats that metrics are told in.

use prometheus_client::encoding::{prometheus_text, text};
use prometheus_client::registry::Registry;

/// A text format.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// OpenMetrics 1.0, which tells units.
    OpenMetrics,
    /// That of Prometheus before it, which everybody reads.
    Prometheus,
}

impl Format {
    /// What an `Accept` header asks for: OpenMetrics if it says so and wants
    /// nothing more than that.
    pub fn accepted(accept: &str) -> Self {
        let weight = |wanted: &str| accept.split(',').filter_map(|range| weight(range, wanted)).max();
        match weight("application/openmetrics-text") {
            Some(open) if open > 0 && Some(open) >= weight("text/plain") => Self::OpenMetrics,
            _ => Self::Prometheus,
        }
    }

    /// Its media type.
    pub const fn content_type(self) -> &'static str {
        match self {
            Self::OpenMetrics => "application/openmetrics-text; version=1.0.0; charset=utf-8",
            Self::Prometheus => prometheus_text::CONTENT_TYPE,
        }
    }

    pub(super) fn write(self, registry: &Registry) -> String {
        let mut page = String::new();
        // A text takes whatever is written to it.
        let _ = match self {
            Self::OpenMetrics => text::encode(&mut page, registry),
            Self::Prometheus => prometheus_text::encode(&mut page, registry),
        };
        page
    }
}

/// How much a range of media types is wanted, in thousandths, if it is this type.
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
