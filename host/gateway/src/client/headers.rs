//! Headers that the gateway reads, passes on, and adds.

use std::time::Duration;

use http::{HeaderMap, HeaderName, HeaderValue};
use pointsman_domain::money::Picodollars;

use super::error::ApiError;

/// Request headers that go to the backend. Everything else stays here: the
/// client's key above all, cookies, and what proxies added.
const FORWARDED: [HeaderName; 6] = [
    HeaderName::from_static("traceparent"),
    HeaderName::from_static("tracestate"),
    HeaderName::from_static("x-request-id"),
    HeaderName::from_static("x-client-request-id"),
    HeaderName::from_static("openai-beta"),
    HeaderName::from_static("idempotency-key"),
];

const DEADLINE: HeaderName = HeaderName::from_static("x-pointsman-deadline-ms");
const PREFER: HeaderName = HeaderName::from_static("x-pointsman-prefer");
const SESSION: HeaderName = HeaderName::from_static("x-pointsman-session");

const ROUTE: HeaderName = HeaderName::from_static("x-pointsman-route");
const POLICY: HeaderName = HeaderName::from_static("x-pointsman-policy");
const POLICY_FAILURE: HeaderName = HeaderName::from_static("x-pointsman-policy-failure");
const MODEL: HeaderName = HeaderName::from_static("x-pointsman-model");
const DECISION_ID: HeaderName = HeaderName::from_static("x-pointsman-decision-id");
const ATTEMPTS: HeaderName = HeaderName::from_static("x-pointsman-attempts");
const TASKS: HeaderName = HeaderName::from_static("x-pointsman-tasks");
const COST: HeaderName = HeaderName::from_static("x-pointsman-cost-usd");
const LATENCY: HeaderName = HeaderName::from_static("x-pointsman-latency-ms");

/// Response headers that pages of allowed origins may read, beside those that CORS always
/// exposes.
pub(super) const EXPOSED: &str = "x-pointsman-route, x-pointsman-policy, x-pointsman-policy-failure, \
                                  x-pointsman-model, x-pointsman-decision-id, x-pointsman-attempts, \
                                  x-pointsman-tasks, x-pointsman-cost-usd, x-pointsman-latency-ms, \
                                  retry-after, x-request-id";

/// Longest session name that is passed to policies.
const MAX_SESSION: usize = 128;

/// What the client asks of the gateway, besides the request itself.
#[derive(Debug, Default)]
pub(crate) struct Wishes {
    /// Time for the whole answer.
    pub(crate) deadline: Option<Duration>,
    /// `cost`, `speed` or `quality`.
    pub(crate) prefer: Option<String>,
    /// Name of the conversation.
    pub(crate) session: Option<String>,
}

impl Wishes {
    /// Reads the `x-pointsman-*` request headers.
    pub(crate) fn read(headers: &HeaderMap) -> Result<Self, ApiError> {
        Ok(Self { deadline: deadline(headers)?, prefer: prefer(headers)?, session: session(headers)? })
    }
}

fn deadline(headers: &HeaderMap) -> Result<Option<Duration>, ApiError> {
    let Some(value) = headers.get(DEADLINE) else { return Ok(None) };
    match value.to_str().ok().and_then(|text| text.trim().parse::<u32>().ok()) {
        Some(ms) if ms > 0 => Ok(Some(Duration::from_millis(ms.into()))),
        _ => Err(bad_header("x-pointsman-deadline-ms", "a whole number of milliseconds above 0")),
    }
}

fn prefer(headers: &HeaderMap) -> Result<Option<String>, ApiError> {
    let Some(value) = headers.get(PREFER) else { return Ok(None) };
    match value.to_str().map(str::trim) {
        Ok(wish @ ("cost" | "speed" | "quality")) => Ok(Some(wish.to_owned())),
        _ => Err(bad_header("x-pointsman-prefer", "`cost`, `speed` or `quality`")),
    }
}

fn session(headers: &HeaderMap) -> Result<Option<String>, ApiError> {
    let Some(value) = headers.get(SESSION) else { return Ok(None) };
    match value.to_str() {
        Ok(name) if (1..=MAX_SESSION).contains(&name.len()) => Ok(Some(name.to_owned())),
        _ => Err(bad_header("x-pointsman-session", "1 to 128 printable ASCII characters")),
    }
}

fn bad_header(name: &'static str, expected: &str) -> ApiError {
    let message = format!("the header `{name}` has to be {expected}");
    ApiError::bad_request("invalid_header", Some(name.to_owned()), message)
}

/// The client's headers that go to the backend.
pub(crate) fn forwarded(headers: &HeaderMap) -> HeaderMap {
    let mut passed = HeaderMap::new();
    for name in &FORWARDED {
        if let Some(value) = headers.get(name) {
            passed.insert(name, value.clone());
        }
    }
    passed
}

/// What an answer says of itself. Grows while the request is worked on; an
/// error answer carries what was known by then.
#[derive(Clone, Debug, Default)]
pub(crate) struct Told {
    headers: HeaderMap,
}

impl Told {
    pub(crate) fn decision_id(&mut self, id: &str) {
        self.put(DECISION_ID, id);
    }

    pub(crate) fn route(&mut self, label: &str) {
        self.put(ROUTE, label);
    }

    pub(crate) fn policy(&mut self, version: &str) {
        self.put(POLICY, version);
    }

    /// The gateway's own order, whoever was asked before.
    pub(crate) fn no_policy(&mut self) {
        self.headers.remove(POLICY);
    }

    /// How many tasks the request was cut into, if it was.
    pub(crate) fn plan(&mut self, tasks: Option<usize>) {
        if let Some(tasks) = tasks {
            self.headers.insert(TASKS, HeaderValue::from(tasks));
        }
    }

    pub(crate) fn policy_failure(&mut self, reason: &'static str) {
        self.headers.insert(POLICY_FAILURE, HeaderValue::from_static(reason));
    }

    pub(crate) fn model(&mut self, id: &str) {
        self.put(MODEL, id);
    }

    pub(crate) fn attempts(&mut self, attempts: u32) {
        self.headers.insert(ATTEMPTS, HeaderValue::from(attempts));
    }

    pub(crate) fn cost(&mut self, cost: Picodollars) {
        self.put(COST, &cost.to_string());
    }

    pub(crate) fn latency(&mut self, latency: Duration) {
        self.put(LATENCY, &format!("{:.1}", latency.as_secs_f64() * 1e3));
    }

    /// Adds them to an answer's headers.
    pub(crate) fn write(self, headers: &mut HeaderMap) {
        headers.extend(self.headers);
    }

    /// Names are checked when configured and labels when decided, so a value
    /// that no header can hold does not occur; it would be left out.
    fn put(&mut self, name: HeaderName, value: &str) {
        if let Ok(value) = HeaderValue::from_str(value) {
            self.headers.insert(name, value);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(pairs: &[(&'static str, &'static str)]) -> HeaderMap {
        pairs
            .iter()
            .map(|&(name, value)| (HeaderName::from_static(name), HeaderValue::from_static(value)))
            .collect()
    }

    #[test]
    fn every_header_that_the_gateway_adds_is_exposed_to_web_pages() {
        let exposed: Vec<&str> = EXPOSED.split(", ").collect();
        for name in [ROUTE, POLICY, POLICY_FAILURE, MODEL, DECISION_ID, ATTEMPTS, TASKS, COST, LATENCY] {
            assert!(exposed.contains(&name.as_str()), "{name}");
        }
    }

    #[test]
    fn only_listed_request_headers_reach_a_backend() {
        let passed = forwarded(&headers(&[
            ("authorization", "Bearer secret"),
            ("api-key", "secret"),
            ("x-api-key", "secret"),
            ("cookie", "a=b"),
            ("traceparent", "00-1-2-01"),
            ("x-pointsman-model", "forged"),
        ]));
        assert_eq!(passed, headers(&[("traceparent", "00-1-2-01")]));
    }

    #[test]
    fn wishes_are_read_and_nonsense_is_refused_by_name() {
        let wishes =
            Wishes::read(&headers(&[("x-pointsman-deadline-ms", "250"), ("x-pointsman-prefer", "speed")]))
                .expect("good headers");
        assert_eq!(wishes.deadline, Some(Duration::from_millis(250)));
        assert_eq!(wishes.prefer.as_deref(), Some("speed"));

        for bad in [
            ("x-pointsman-deadline-ms", "0"),
            ("x-pointsman-deadline-ms", "soon"),
            ("x-pointsman-prefer", "luck"),
        ] {
            let error = Wishes::read(&headers(&[bad])).expect_err("nonsense");
            assert!(error.message().starts_with(&format!("the header `{}` has to be", bad.0)), "{error:?}");
        }
    }
}
