//! Headers of the W3C trace context, which connect a request to the spans of its client and of models.

use http::{HeaderMap, HeaderName, HeaderValue};
use pointsman_domain::trace::{RemoteSpan, SampleRatio, TraceContext};
use pointsman_wire::trace_context::{is_tracestate, parse_traceparent, traceparent};

pub const TRACEPARENT: HeaderName = HeaderName::from_static("traceparent");
const TRACESTATE: HeaderName = HeaderName::from_static("tracestate");

/// Starts the trace context of a request from the client's headers, and corrects the headers that are
/// forwarded: `traceparent` is set for each call later, and `tracestate` is forwarded only if it is
/// valid and belongs to a valid parent.
pub fn start(received: &HeaderMap, forwarded: &mut HeaderMap, sample: SampleRatio) -> TraceContext {
    let mut parents = received.get_all(&TRACEPARENT).iter();
    let parent = match (parents.next(), parents.next()) {
        (Some(only), None) => parse_traceparent(only.as_bytes()),
        _ => None,
    };
    forwarded.remove(&TRACEPARENT);
    forwarded.remove(&TRACESTATE);
    if parent.is_some()
        && let Some(state) = tracestate(received)
    {
        forwarded.insert(TRACESTATE, state);
    }
    let new = (fastrand::u128(1..), fastrand::u64(1..));
    TraceContext::begin(parent, new, sample)
}

/// Joins all `tracestate` headers, if the result is valid.
fn tracestate(received: &HeaderMap) -> Option<HeaderValue> {
    let mut states = received.get_all(&TRACESTATE).iter();
    let first = states.next()?;
    let rest: Vec<&[u8]> = states.map(HeaderValue::as_bytes).collect();
    let joined = match rest.as_slice() {
        [] => first.clone(),
        rest => {
            let all: Vec<&[u8]> = std::iter::once(first.as_bytes()).chain(rest.iter().copied()).collect();
            HeaderValue::from_bytes(&all.join(&b","[..])).ok()?
        }
    };
    is_tracestate(joined.as_bytes()).then_some(joined)
}

/// Renders the `traceparent` of a call of a model, whose parent is the span of the call.
pub fn render_traceparent(trace: TraceContext, span: u64) -> Option<HeaderValue> {
    let TraceContext { trace, sampled, .. } = trace;
    HeaderValue::from_bytes(&traceparent(RemoteSpan { trace, span, sampled })).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

    fn begun(received: &[(&'static str, &'static str)]) -> (TraceContext, HeaderMap) {
        let headers = || {
            let pairs = received.iter();
            pairs.map(|&(name, value)| (HeaderName::from_static(name), HeaderValue::from_static(value)))
        };
        let mut all = HeaderMap::new();
        headers().for_each(|(name, value)| _ = all.append(name, value));
        let mut forwarded: HeaderMap = headers().collect();
        let context = start(&all, &mut forwarded, SampleRatio::ALL);
        (context, forwarded)
    }

    #[test]
    fn a_client_s_trace_is_continued_with_its_state() {
        let (context, forwarded) =
            begun(&[("traceparent", GOOD), ("tracestate", "a=1"), ("tracestate", "b=2")]);
        assert_eq!(
            (context.trace, context.parent),
            (0x4bf9_2f35_77b3_4da6_a3ce_929d_0e0e_4736, Some(0x00f0_67aa_0ba9_02b7))
        );
        assert_eq!(forwarded, HeaderMap::from_iter([(TRACESTATE, HeaderValue::from_static("a=1,b=2"))]));
    }

    #[test]
    fn an_invalid_state_is_dropped_and_its_trace_is_continued() {
        let (context, forwarded) = begun(&[("traceparent", GOOD), ("tracestate", "nonsense")]);
        assert!(context.parent.is_some() && forwarded.is_empty());
    }

    #[test]
    fn without_a_valid_parent_a_new_trace_starts_and_no_state_is_forwarded() {
        let bad = "00-4bf92f3577b34da6a3ce929d0e0e4736-0000000000000000-01";
        for received in [
            &[("tracestate", "a=1")][..],
            &[("traceparent", bad), ("tracestate", "a=1")],
            &[("traceparent", GOOD), ("traceparent", GOOD), ("tracestate", "a=1")],
        ] {
            let (context, forwarded) = begun(received);
            assert_eq!(context.parent, None, "{received:?}");
            assert!(context.sampled && forwarded.is_empty(), "{received:?}");
        }
    }

    #[test]
    fn the_span_of_a_call_is_the_parent_of_the_model_s_spans() {
        let trace = TraceContext { trace: 0xab, parent: Some(1), span: 2, sampled: true };
        let header = render_traceparent(trace, 0xcd).expect("digits and hyphens");
        assert_eq!(header, "00-000000000000000000000000000000ab-00000000000000cd-01");
    }
}
