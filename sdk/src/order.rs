//! Putting candidates in order.

use crate::Candidate;

/// Indices of all candidates, smallest key first; equal keys keep the route's
/// order. A key that is not a number comes last.
pub fn ascending(candidates: &[Candidate], key: impl Fn(usize, &Candidate) -> f64) -> Vec<usize> {
    sorted(candidates, key, 1.0)
}

/// Indices of all candidates, largest key first; equal keys keep the route's
/// order. A key that is not a number comes last.
pub fn descending(candidates: &[Candidate], key: impl Fn(usize, &Candidate) -> f64) -> Vec<usize> {
    sorted(candidates, key, -1.0)
}

fn sorted(candidates: &[Candidate], key: impl Fn(usize, &Candidate) -> f64, sign: f64) -> Vec<usize> {
    let keyed = |(index, candidate)| {
        let key: f64 = key(index, candidate) * sign;
        (if key.is_nan() { f64::INFINITY } else { key }, index)
    };
    let mut order: Vec<(f64, usize)> = candidates.iter().enumerate().map(keyed).collect();
    // Unstable, because the index makes keys unique and the code is half the size.
    order.sort_unstable_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)));
    order.into_iter().map(|(_, index)| index).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testkit::candidate;

    #[test]
    fn equal_keys_keep_the_order_of_the_route_and_nan_comes_last() {
        let candidates = ["a/a", "a/b", "a/c", "a/d"].map(|id| candidate(id, 1.0, 1.0));
        let keys = [2.0, f64::NAN, 1.0, 2.0];
        assert_eq!(ascending(&candidates, |index, _| keys[index]), [2, 0, 3, 1]);
        assert_eq!(descending(&candidates, |index, _| keys[index]), [0, 3, 2, 1]);
    }
}
