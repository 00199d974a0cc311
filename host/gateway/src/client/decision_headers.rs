//! The `x-pointsman-*` response headers, which report how a request was served.

use std::time::Duration;

use http::{HeaderMap, HeaderName, HeaderValue};

use pointsman_serving::accounting::RequestReport;

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

/// Most members that are listed as left out.
const MAX_DROPPED: usize = 32;

/// Response headers that pages of allowed origins may read, beside those that CORS always
/// exposes.
pub(super) const EXPOSED: &str = "x-pointsman-route, x-pointsman-policy, x-pointsman-policy-failure, \
                                  x-pointsman-model, x-pointsman-decision-id, x-pointsman-attempts, \
                                  x-pointsman-tasks, x-pointsman-dropped, x-pointsman-cost-usd, x-pointsman-latency-ms, \
                                  retry-after, x-request-id";

/// Adds the report of a request to the headers of its response.
pub(super) fn write(report: RequestReport, headers: &mut HeaderMap) {
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
        for name in
            [ROUTE, POLICY, POLICY_FAILURE, MODEL, DECISION_ID, ATTEMPTS, TASKS, DROPPED, COST, LATENCY]
        {
            assert!(exposed.contains(&name.as_str()), "{name}");
        }
    }
}
