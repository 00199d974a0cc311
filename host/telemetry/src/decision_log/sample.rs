//! Sampling of requests.

/// Returns whether a decision is in the sample. The result depends on the id alone, so several
/// gateways and later tools agree on it.
pub(super) fn is_sampled(id: &str, share: f64) -> bool {
    share >= 1.0 || fraction(id) < share
}

/// Maps an id to a number in 0..1: FNV-1a, and the finaliser of MurmurHash3, since the high bits of
/// the former are not uniform.
fn fraction(id: &str) -> f64 {
    let hash = id.bytes().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    });
    let hash = (hash ^ (hash >> 33)).wrapping_mul(0xff51_afd7_ed55_8ccd);
    let hash = (hash ^ (hash >> 33)).wrapping_mul(0xc4ce_b9fe_1a85_ec53);
    let hash = hash ^ (hash >> 33);
    (hash >> 11) as f64 / (1_u64 << 53) as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sample_of_a_tenth_is_stable_and_of_that_size() {
        let id = |n: u32| format!("0199c3a1-{n:04x}-7{n:03x}-8000-{n:012x}");
        let sampled = |n: &u32| is_sampled(&id(*n), 0.1);
        let first: Vec<u32> = (0..50_000).filter(sampled).collect();
        let again: Vec<u32> = (0..50_000).filter(sampled).collect();
        assert!((4_700..5_300).contains(&first.len()), "{}", first.len());
        assert_eq!(first, again);
        assert!((0..1_000).all(|n| is_sampled(&id(n), 1.0)));
    }

    #[test]
    fn a_larger_sample_includes_a_smaller_one() {
        let ids = (0..5_000).map(|n: u32| format!("id-{n}"));
        assert!(ids.filter(|id| is_sampled(id, 0.05)).all(|id| is_sampled(&id, 0.5)));
    }
}
