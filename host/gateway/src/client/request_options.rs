//! The `x-pointsman-*` request headers.

use std::time::Duration;

use http::{HeaderMap, HeaderName};
use pointsman_domain::serving_error::{ErrorKind, ServingError};

use pointsman_serving::proxy::facts::RequestOptions;

const DEADLINE: HeaderName = HeaderName::from_static("x-pointsman-deadline-ms");
const PREFER: HeaderName = HeaderName::from_static("x-pointsman-prefer");
const SESSION: HeaderName = HeaderName::from_static("x-pointsman-session");

/// Longest name of a session that is passed to policies, in bytes.
const MAX_SESSION: usize = 128;

/// Reads the options of a request.
pub(super) fn read(headers: &HeaderMap) -> Result<RequestOptions, ServingError> {
    Ok(RequestOptions { deadline: deadline(headers)?, prefer: prefer(headers)?, session: session(headers)? })
}

fn deadline(headers: &HeaderMap) -> Result<Option<Duration>, ServingError> {
    let Some(value) = headers.get(DEADLINE) else { return Ok(None) };
    match value.to_str().ok().and_then(|text| text.trim().parse::<u32>().ok()) {
        Some(ms) if ms > 0 => Ok(Some(Duration::from_millis(ms.into()))),
        _ => Err(bad_header("x-pointsman-deadline-ms", "a whole number of milliseconds above 0")),
    }
}

fn prefer(headers: &HeaderMap) -> Result<Option<String>, ServingError> {
    let Some(value) = headers.get(PREFER) else { return Ok(None) };
    match value.to_str().map(str::trim) {
        Ok(preference @ ("cost" | "speed" | "quality")) => Ok(Some(preference.to_owned())),
        _ => Err(bad_header("x-pointsman-prefer", "`cost`, `speed` or `quality`")),
    }
}

fn session(headers: &HeaderMap) -> Result<Option<String>, ServingError> {
    let Some(value) = headers.get(SESSION) else { return Ok(None) };
    match value.to_str() {
        Ok(name) if (1..=MAX_SESSION).contains(&name.len()) => Ok(Some(name.to_owned())),
        _ => Err(bad_header("x-pointsman-session", "1 to 128 printable ASCII characters")),
    }
}

fn bad_header(name: &'static str, expected: &str) -> ServingError {
    let message = format!("the header `{name}` has to be {expected}");
    ServingError::new(ErrorKind::InvalidHeader, message).with_parameter(name)
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    fn headers(pairs: &[(&'static str, &'static str)]) -> HeaderMap {
        pairs
            .iter()
            .map(|&(name, value)| (HeaderName::from_static(name), HeaderValue::from_static(value)))
            .collect()
    }

    #[test]
    fn options_are_read_and_invalid_ones_are_rejected_by_name() {
        let options = read(&headers(&[("x-pointsman-deadline-ms", "250"), ("x-pointsman-prefer", "speed")]))
            .expect("valid headers");
        assert_eq!(options.deadline, Some(Duration::from_millis(250)));
        assert_eq!(options.prefer.as_deref(), Some("speed"));

        for invalid in [
            ("x-pointsman-deadline-ms", "0"),
            ("x-pointsman-deadline-ms", "soon"),
            ("x-pointsman-prefer", "luck"),
        ] {
            let error = read(&headers(&[invalid])).expect_err("an invalid header");
            assert!(error.message.starts_with(&format!("the header `{}` has to be", invalid.0)), "{error:?}");
        }
    }
}
