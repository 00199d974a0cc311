//! Orders of candidates.

use crate::Candidate;

/// Returns the indices of all candidates, smallest key first. Equal keys keep the route's
/// order; NaN comes last.
pub fn ascending(candidates: &[Candidate], key: impl Fn(usize, &Candidate) -> f64) -> Vec<usize> {
    sorted(candidates, key, 1.0)
}

/// Returns the indices of all candidates, largest key first. Equal keys keep the route's
/// order; NaN comes last.
pub fn descending(candidates: &[Candidate], key: impl Fn(usize, &Candidate) -> f64) -> Vec<usize> {
    sorted(candidates, key, -1.0)
}

/// Moves good candidates to the front: first those whose quality reaches `floor`, then those
/// of unknown quality, both in their order, then the rest, best first. Returns the order with
/// the number of good candidates. With a floor of 0 or less, all are good.
pub fn good_first(order: Vec<usize>, quality: &[Option<f64>], floor: f64) -> (Vec<usize>, usize) {
    if floor <= 0.0 {
        let all = order.len();
        return (order, all);
    }
    let of = |index: usize| quality.get(index).copied().flatten();
    let (mut sorted, mut below) = (Vec::with_capacity(order.len()), Vec::new());
    sorted.extend(order.iter().copied().filter(|&index| of(index).is_some_and(|quality| quality >= floor)));
    let good = sorted.len();
    sorted.extend(order.iter().copied().filter(|&index| of(index).is_none()));
    below.extend(order.iter().copied().filter(|&index| of(index).is_some_and(|quality| quality < floor)));
    below.sort_unstable_by(|&a, &b| of(b).unwrap_or(0.0).total_cmp(&of(a).unwrap_or(0.0)).then(a.cmp(&b)));
    sorted.append(&mut below);
    (sorted, good)
}

fn sorted(candidates: &[Candidate], key: impl Fn(usize, &Candidate) -> f64, sign: f64) -> Vec<usize> {
    let keyed = |(index, candidate)| {
        let key: f64 = key(index, candidate) * sign;
        (if key.is_nan() { f64::INFINITY } else { key }, index)
    };
    let mut order: Vec<(f64, usize)> = candidates.iter().enumerate().map(keyed).collect();
    // The index makes keys unique, so an unstable sort does, with half the code size.
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

    #[test]
    fn good_candidates_come_first_then_unknown_ones_then_the_rest_by_quality() {
        let quality = [Some(0.2), None, Some(0.9), Some(0.5), Some(0.7)];
        assert_eq!(good_first(vec![0, 1, 2, 3, 4], &quality, 0.6), (vec![2, 4, 1, 3, 0], 2));
        assert_eq!(good_first(vec![4, 0, 1], &quality, 0.0), (vec![4, 0, 1], 3));
    }
}
