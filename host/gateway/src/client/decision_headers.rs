//! The `x-pointsman-*` response headers, which report how a request was served, and the id that
//! client libraries log.

use std::time::Duration;

use http::{HeaderMap, HeaderName, HeaderValue};
use pointsman_dialects::protocol::Protocol;
use pointsman_domain::ids::ModelId;
use pointsman_serving::accounting::RequestReport;
use pointsman_serving::token_count::TokenCount;

const ROUTE: HeaderName = HeaderName::from_static("x-pointsman-route");
const POLICY: HeaderName = HeaderName::from_static("x-pointsman-policy");
const POLICY_FAILURE: HeaderName = HeaderName::from_static("x-pointsman-policy-failure");
const MODEL: HeaderName = HeaderName::from_static("x-pointsman-model");
const DECISION_ID: HeaderName = HeaderName::from_static("x-pointsman-decision-id");
const ATTEMPTS: HeaderName = HeaderName::from_static("x-pointsman-attempts");
const TASKS: HeaderName = HeaderName::from_static("x-pointsman-tasks");
const DROPPED: HeaderName = HeaderName::from_static("x-pointsman-dropped");
const COST: HeaderName = HeaderName::from_static("x-pointsman-cost-usd");
const LATENCY: HeaderName = HeaderName::from_static("x-pointsman-latency-ms");
/// Id of a request, by which OpenAI's libraries refer to it.
const X_REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
/// Id of a request, by which Anthropic's libraries refer to it.
const REQUEST_ID: HeaderName = HeaderName::from_static("request-id");
const TOKEN_COUNT: HeaderName = HeaderName::from_static("x-pointsman-token-count");

/// Most members that are listed as left out.
const MAX_DROPPED: usize = 32;

/// Response headers that pages of allowed origins may read, beside those that CORS always
/// exposes.
pub(super) const EXPOSED: &str = "x-pointsman-route, x-pointsman-policy, x-pointsman-policy-failure, \
                                  x-pointsman-model, x-pointsman-decision-id, x-pointsman-attempts, \
                                  x-pointsman-tasks, x-pointsman-dropped, x-pointsman-cost-usd, x-pointsman-latency-ms, \
                                  x-pointsman-token-count, retry-after, x-request-id, request-id";

/// Adds the report of a request to the headers of its response. The id of its decision is also that of
/// the request for the client's libraries, unless the provider stated one that passes through.
pub(super) fn write(report: RequestReport, protocol: Protocol, headers: &mut HeaderMap) {
    let RequestReport {
        decision_id,
        label,
        policy,
        policy_failure,
        model,
        dropped,
        attempts,
        tasks,
        cost,
        latency,
    } = report;
    put(headers, DECISION_ID, Some(decision_id.as_str()));
    let request_id = if protocol == Protocol::Messages { REQUEST_ID } else { X_REQUEST_ID };
    if !headers.contains_key(&request_id) {
        put(headers, request_id, Some(decision_id.as_str()));
    }
    put(headers, ROUTE, label.as_deref());
    put(headers, POLICY, policy.as_deref());
    put(headers, POLICY_FAILURE, policy_failure);
    put(headers, MODEL, model.as_ref().map(|model| model.as_str()));
    put(headers, DROPPED, dropped_members(&dropped).as_deref());
    put(headers, COST, cost.map(|cost| cost.to_string()).as_deref());
    put(headers, LATENCY, latency.map(milliseconds).as_deref());
    headers.extend(attempts.map(|attempts| (ATTEMPTS, HeaderValue::from(attempts))));
    headers.extend(tasks.map(|tasks| (TASKS, HeaderValue::from(tasks))));
}

/// Adds the origin of a number of tokens to the headers of its response.
pub(super) fn write_token_count(count: &TokenCount, headers: &mut HeaderMap) {
    put(headers, MODEL, count.model.as_ref().map(ModelId::as_str));
    let origin = if count.model.is_some() { "provider" } else { "estimate" };
    put(headers, TOKEN_COUNT, Some(origin));
}

/// Names are checked when configured and labels when decided, so a value that no header can hold
/// does not occur; it would be left out.
fn put(headers: &mut HeaderMap, name: HeaderName, value: Option<&str>) {
    if let Some(Ok(value)) = value.map(HeaderValue::from_str) {
        headers.insert(name, value);
    }
}

/// Lists members that were left out, as many as a header should have.
fn dropped_members(dropped: &[String]) -> Option<String> {
    let (listed, rest) = dropped.split_at(dropped.len().min(MAX_DROPPED));
    let members = listed.iter().map(|member| member.chars().filter(char::is_ascii_graphic).collect());
    let more = (!rest.is_empty()).then(|| format!("and {} more", rest.len()));
    let members: Vec<String> = members.chain(more).collect();
    (!members.is_empty()).then(|| members.join(", "))
}

fn milliseconds(latency: Duration) -> String {
    format!("{:.1}", latency.as_secs_f64() * 1e3)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_header_that_the_gateway_adds_is_exposed_to_web_pages() {
        let exposed: Vec<&str> = EXPOSED.split(", ").collect();
        let names = [
            ROUTE,
            POLICY,
            POLICY_FAILURE,
            MODEL,
            DECISION_ID,
            ATTEMPTS,
            TASKS,
            DROPPED,
            COST,
            LATENCY,
            X_REQUEST_ID,
            REQUEST_ID,
            TOKEN_COUNT,
        ];
        for name in names {
            assert!(exposed.contains(&name.as_str()), "{name}");
        }
    }
}
