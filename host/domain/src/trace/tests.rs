use super::*;

const NEW: (u128, u64) = (0xabc, 0xdef);

#[test]
fn a_request_without_a_parent_begins_a_trace() {
    let context = TraceContext::begin(None, NEW, SampleRatio::ALL);
    assert_eq!(context, TraceContext { trace: 0xabc, parent: None, span: 0xdef, sampled: true });
}

#[test]
fn a_request_continues_its_parents_trace_and_sampling_decision() {
    for sampled in [true, false] {
        let parent = RemoteSpan { trace: 7, span: 8, sampled };
        for ratio in [SampleRatio::ALL, SampleRatio::new(0.0)] {
            let context = TraceContext::begin(Some(parent), NEW, ratio);
            assert_eq!(context, TraceContext { trace: 7, parent: Some(8), span: 0xdef, sampled });
        }
    }
}

#[test]
fn an_id_is_never_zero() {
    let context = TraceContext::begin(None, (0, 0), SampleRatio::ALL);
    assert_eq!((context.trace, context.span), (1, 1));
}

#[test]
fn a_ratio_takes_that_share_of_traces_and_always_the_same_ones() {
    let traces = || (0..10_000_u128).map(|n| n.wrapping_mul(0x9e37_79b9_7f4a_7c15_f39c_c060_5ced_c835));
    for (share, expected) in [(0.0, 0), (0.25, 2_500), (0.5, 5_000), (1.0, 10_000)] {
        let taken = traces().filter(|&trace| SampleRatio::new(share).takes(trace)).count();
        assert!(taken.abs_diff(expected) <= 200, "{taken} for {share}");
    }
    let few: Vec<u128> = traces().filter(|&trace| SampleRatio::new(0.1).takes(trace)).collect();
    assert!(few.iter().all(|&trace| SampleRatio::new(0.2).takes(trace)), "a larger share has the smaller's");
}

#[test]
fn a_share_out_of_range_is_clamped() {
    assert_eq!(SampleRatio::new(7.0), SampleRatio::ALL);
    assert_eq!(SampleRatio::new(-1.0), SampleRatio::new(0.0));
    assert!(!SampleRatio::new(0.0).takes(u128::MAX), "nothing at all");
}
