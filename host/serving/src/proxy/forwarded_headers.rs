//! Headers of a client that are forwarded to backends.

use http::{HeaderMap, HeaderName};

/// Forwarded headers; a dialect leaves out those of others. The rest stays here: the client's key above all, cookies, and what proxies
/// added.
const FORWARDED: [HeaderName; 8] = [
    HeaderName::from_static("traceparent"),
    HeaderName::from_static("tracestate"),
    HeaderName::from_static("x-request-id"),
    HeaderName::from_static("x-client-request-id"),
    HeaderName::from_static("openai-beta"),
    HeaderName::from_static("anthropic-version"),
    HeaderName::from_static("anthropic-beta"),
    HeaderName::from_static("idempotency-key"),
];

/// Returns the headers to forward.
pub fn forwarded_headers(headers: &HeaderMap) -> HeaderMap {
    let mut forwarded = HeaderMap::new();
    for name in &FORWARDED {
        if let Some(value) = headers.get(name) {
            forwarded.insert(name, value.clone());
        }
    }
    forwarded
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    #[test]
    fn only_listed_request_headers_reach_a_backend() {
        let headers = |pairs: &[(&'static str, &'static str)]| -> HeaderMap {
            let pairs = pairs.iter();
            pairs
                .map(|&(name, value)| (HeaderName::from_static(name), HeaderValue::from_static(value)))
                .collect()
        };
        let forwarded = forwarded_headers(&headers(&[
            ("authorization", "Bearer secret"),
            ("api-key", "secret"),
            ("x-api-key", "secret"),
            ("cookie", "a=b"),
            ("traceparent", "00-1-2-01"),
            ("x-pointsman-model", "forged"),
        ]));
        assert_eq!(forwarded, headers(&[("traceparent", "00-1-2-01")]));
    }
}
