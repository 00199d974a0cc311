use super::*;
use crate::testkit::candidate;

fn models(count: usize) -> Vec<Candidate> {
    (0..count).map(|number| candidate(&format!("fleet/m{number}"), 1.0, 1.0)).collect()
}

fn draw(key: &[&str], weights: &[f64]) -> Draw {
    let candidates = models(weights.len());
    by_weight(key, &candidates, (0..weights.len()).collect(), |index, _| weights[index])
}

/// Returns how often each candidate takes each place, for many keys.
fn places(weights: &[f64], draws: usize) -> Vec<Vec<f64>> {
    let mut counts = vec![vec![0.0; weights.len()]; weights.len()];
    for number in 0..draws {
        for (place, index) in draw(&[&format!("key-{number}")], weights).order.into_iter().enumerate() {
            counts[place][index] += 1.0 / draws as f64;
        }
    }
    counts
}

#[test]
fn shares_of_the_first_place_are_those_of_the_weights() {
    let weights = [5.0, 3.0, 1.5, 0.5, 0.0];
    let shares = &places(&weights, 50_000)[0];
    for (share, weight) in shares.iter().zip(weights) {
        let expected = weight / 10.0;
        let deviation = (expected * (1.0 - expected) / 50_000.0_f64).sqrt();
        assert!((share - expected).abs() <= 4.0 * deviation, "{share} {expected}");
    }
}

#[test]
fn the_second_place_is_a_draw_among_the_others() {
    let [a, b, c] = [0.5, 0.3, 0.2];
    let expected = b * a / (1.0 - b) + c * a / (1.0 - c);
    let share = places(&[a, b, c], 50_000)[1][0];
    assert!((share - expected).abs() < 0.01, "{share} {expected}");
}

#[test]
fn the_propensity_is_the_share_of_the_weight_at_any_scale() {
    for scale in [1e-300, 1e-3, 1.0, 1e300] {
        for number in 0..100 {
            let weights = [3.0 * scale, scale];
            let Draw { order, propensity } = draw(&[&number.to_string()], &weights);
            let expected = if order[0] == 0 { 0.75 } else { 0.25 };
            assert!((propensity - expected).abs() < 1e-12, "{propensity} {expected}");
        }
    }
}

#[test]
fn weights_that_are_no_weights_count_as_zero_and_come_last_in_their_order() {
    for number in 0..100 {
        let weights = [f64::NAN, -1.0, 2.0, 0.0, f64::INFINITY];
        let draw = draw(&[&number.to_string()], &weights);
        assert_eq!(draw, Draw { order: vec![2, 0, 1, 3, 4], propensity: 1.0 });
    }
}

#[test]
fn without_any_weight_all_are_equal() {
    let mut firsts = [0; 4];
    for number in 0..4_000 {
        let Draw { order, propensity } = draw(&[&number.to_string()], &[0.0; 4]);
        assert_eq!(propensity, 0.25);
        firsts[order[0]] += 1;
    }
    assert!(firsts.iter().all(|count| (900..1_100).contains(count)), "{firsts:?}");
}

#[test]
fn a_removed_candidate_moves_only_its_own_keys() {
    let weights = [1.0, 2.0, 3.0, 4.0];
    let candidates = models(4);
    for number in 0..1_000 {
        let key = number.to_string();
        let all = draw(&[&key], &weights).order;
        let fewer = by_weight(&[&key], &candidates, vec![0, 1, 3], |index, _| weights[index]).order;
        let without: Vec<usize> = all.iter().copied().filter(|&index| index != 2).collect();
        assert_eq!(fewer, without, "the order of the others is as before");
    }
}

#[test]
fn parts_of_a_key_are_kept_apart_and_a_key_always_draws_the_same() {
    let orders = |parts: fn(usize) -> Vec<String>| -> Vec<Vec<usize>> {
        let order = |number| {
            let parts = parts(number);
            draw(&parts.iter().map(String::as_str).collect::<Vec<_>>(), &[1.0; 6]).order
        };
        (0..50).map(order).collect()
    };
    let together = orders(|number| vec![format!("salt{number}")]);
    assert_eq!(together, orders(|number| vec![format!("salt{number}")]));
    assert_ne!(together, orders(|number| vec!["salt".to_owned(), number.to_string()]));
}

#[test]
fn an_empty_order_draws_nothing() {
    assert_eq!(draw(&["key"], &[]), Draw { order: Vec::new(), propensity: 1.0 });
}
