//! Axes and centres of requests, learnt from their features alone.
//!
//! The axes are the main directions of the rows (subspace iteration), each scaled to a variance of 1; the centres are
//! those of k-means with the seeding of k-means++ (Arthur and Vassilvitskii, 2007).

use pointsman_text_features::{Axis, COUNT, Guard, Numbers, Place, QuantizedRow, SIGNS, Space, SparseVector};

use super::generator;
use super::matrix::{add_multiple, dot};
use crate::random::Random;

/// Axes of a space, if there are rows enough.
const AXES: usize = 16;
/// Centres of a space, if there are rows enough.
const CENTRES: usize = 32;
/// Rows for each axis and for each centre.
const ROWS_EACH: usize = 12;
/// Rows that a space is learnt from: more do not change it much.
const SPACE_ROWS: usize = 8_000;
/// Weight of a sign beside that of words: signs vary more.
const SIGN_SCALE: f64 = 0.3;
/// Iterations until axes and centres hardly move.
const ITERATIONS: usize = 25;
/// Starts of k-means, of which the best counts.
const STARTS: usize = 3;

/// Learns the space of rows.
pub(super) fn learn_space(vectors: &[&SparseVector]) -> Space {
    let step = vectors.len().div_ceil(SPACE_ROWS).max(1);
    let sample: Vec<&SparseVector> = vectors.iter().step_by(step).copied().collect();
    let mut random = generator();
    let directions = main_directions(&sample, AXES.min(sample.len() / ROWS_EACH), &mut random);
    let mut space =
        Space { axes: directions.iter().map(|weights| axis(weights, 0.0)).collect(), centres: Vec::new() };
    let coordinates =
        |space: &Space| -> Vec<Vec<f64>> { sample.iter().map(|vector| space.project(vector).0).collect() };
    let raw = coordinates(&space);
    let count = raw.len().max(1) as f64;
    for (number, weights) in directions.iter().enumerate() {
        let along = || raw.iter().filter_map(|point| point.get(number).copied());
        let mean = along().sum::<f64>() / count;
        let deviation = (along().map(|value| (value - mean).powi(2)).sum::<f64>() / count).sqrt().max(1e-9);
        let scaled: Vec<f64> = weights.iter().map(|weight| weight / deviation).collect();
        if let Some(place) = space.axes.get_mut(number) {
            *place = axis(&scaled, mean / deviation);
        }
    }
    let points = coordinates(&space);
    space.centres = best_centres(&points, CENTRES.min(points.len() / ROWS_EACH), &mut random);
    space
}

/// Returns the limits that admit a share of the rows each.
pub(super) fn guard(places: &[Place], share: f64) -> Guard {
    let limit = |of: fn(&Place) -> f64| {
        let mut values: Vec<f64> = places.iter().map(of).collect();
        values.sort_by(f64::total_cmp);
        let at = (values.len() as f64 * share.clamp(0.0, 1.0)) as usize;
        values.get(at.min(values.len().saturating_sub(1))).copied()
    };
    if share >= 1.0 {
        return Guard::default();
    }
    Guard { distance: limit(|place| place.distance), rest: limit(|place| place.rest) }
}

/// Rounds weights to those that the router has, so that places are the same in learning and deciding.
fn axis(weights: &[f64], mean: f64) -> Axis {
    let row = QuantizedRow::of(weights);
    let words = row.values();
    let length = words.get(SIGNS..).map_or(0.0, |words| dot(words, words));
    Axis { scale: row.scale, weights: row.weights, mean, length }
}

/// Returns the directions of the greatest variance, by subspace iteration.
fn main_directions(rows: &[&SparseVector], axes: usize, random: &mut Random) -> Vec<Vec<f64>> {
    let scaled =
        |feature: u16, value: f64| if usize::from(feature) < SIGNS { value * SIGN_SCALE } else { value };
    let mut mean = vec![0.0; COUNT];
    for row in rows {
        for &(feature, value) in row.entries() {
            mean[usize::from(feature)] += scaled(feature, value) / rows.len() as f64;
        }
    }
    let mut directions: Vec<Vec<f64>> =
        (0..axes).map(|_| (0..COUNT).map(|_| random.unit() - 0.5).collect()).collect();
    for _ in 0..ITERATIONS {
        orthonormalise(&mut directions);
        let along_mean: Vec<f64> = directions.iter().map(|direction| dot(direction, &mean)).collect();
        let mut images = vec![vec![0.0; COUNT]; axes];
        for row in rows {
            for ((image, direction), offset) in images.iter_mut().zip(&directions).zip(&along_mean) {
                let along = row.entries().iter().fold(-offset, |sum, &(feature, value)| {
                    sum + direction[usize::from(feature)] * scaled(feature, value)
                });
                for &(feature, value) in row.entries() {
                    image[usize::from(feature)] += along * scaled(feature, value);
                }
            }
        }
        // The sum of all `along` is 0, so the mean drops out.
        directions = images;
    }
    orthonormalise(&mut directions);
    for direction in &mut directions {
        direction.iter_mut().take(SIGNS).for_each(|weight| *weight *= SIGN_SCALE);
    }
    directions
}

/// Makes rows orthogonal, each of length 1 (Gram and Schmidt).
fn orthonormalise(rows: &mut [Vec<f64>]) {
    for number in 0..rows.len() {
        let (done, rest) = rows.split_at_mut(number);
        let Some(row) = rest.first_mut() else { return };
        for other in done.iter() {
            let along = dot(row, other);
            add_multiple(row, -along, other);
        }
        let length = dot(row, row).sqrt();
        if length > 0.0 {
            row.iter_mut().for_each(|value| *value /= length);
        }
    }
}

/// Returns the centres of the best of some starts.
fn best_centres(points: &[Vec<f64>], count: usize, random: &mut Random) -> Vec<Numbers> {
    if count == 0 {
        return Vec::new();
    }
    let starts = (0..STARTS).map(|_| k_means(points, count, random));
    let (_, centres) = starts.min_by(|a, b| a.0.total_cmp(&b.0)).unwrap_or((0.0, Vec::new()));
    centres.into_iter().map(Numbers::from_iter).collect()
}

/// Returns the sum of squared distances, and the centres.
fn k_means(points: &[Vec<f64>], count: usize, random: &mut Random) -> (f64, Vec<Vec<f64>>) {
    let first = points.get(random.below(points.len())).cloned().unwrap_or_default();
    let mut nearest: Vec<f64> = points.iter().map(|point| squared_distance(point, &first)).collect();
    let mut centres = vec![first];
    while centres.len() < count {
        let mut left = random.unit() * nearest.iter().sum::<f64>();
        let chosen = nearest.iter().position(|distance| {
            left -= distance;
            left <= 0.0
        });
        let centre = points.get(chosen.unwrap_or(0)).cloned().unwrap_or_default();
        for (nearest, point) in nearest.iter_mut().zip(points) {
            *nearest = nearest.min(squared_distance(point, &centre));
        }
        centres.push(centre);
    }
    let mut total = 0.0;
    for _ in 0..ITERATIONS {
        let mut sums = vec![(vec![0.0; centres[0].len()], 0.0); count];
        total = 0.0;
        for point in points {
            let keyed = centres.iter().map(|centre| squared_distance(point, centre)).enumerate();
            let Some((place, distance)) = keyed.min_by(|a, b| a.1.total_cmp(&b.1)) else { continue };
            total += distance;
            add_multiple(&mut sums[place].0, 1.0, point);
            sums[place].1 += 1.0;
        }
        for (centre, (sum, points)) in centres.iter_mut().zip(sums) {
            if points > 0.0 {
                *centre = sum.into_iter().map(|value| value / points).collect();
            }
        }
    }
    (total, centres)
}

fn squared_distance(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| (a - b) * (a - b)).sum()
}

#[cfg(test)]
mod tests {
    use pointsman_text_features::{Facts, features};

    use super::*;

    #[test]
    fn requests_of_one_form_are_near_each_other_and_others_are_not_admitted() {
        let text = |number: usize| match number % 3 {
            0 => format!("Write a Python function that returns item {number} of a list."),
            1 => format!("Who was king of country number {number}, and when was he born?"),
            _ => format!("Translate into French: the weather is fine on day {number}."),
        };
        let vectors: Vec<SparseVector> =
            (0..240).map(|number| features(&Facts { text: &text(number), ..Facts::default() })).collect();
        let space = learn_space(&vectors.iter().collect::<Vec<_>>());
        assert_eq!((space.axes.len(), space.centres.len()), (16, 20));
        let place = |vector: &SparseVector| {
            let (coordinates, rest) = space.project(vector);
            space.place(&coordinates, rest)
        };
        let nearest = |number: usize| {
            let memberships = place(&vectors[number]).memberships.into_iter().enumerate();
            memberships.max_by(|a, b| a.1.total_cmp(&b.1)).unwrap().0
        };
        // No centre has requests of two forms.
        let mut owner = vec![None; 20];
        for number in 0..240 {
            let centre = nearest(number);
            assert_eq!(*owner[centre].get_or_insert(number % 3), number % 3);
        }
        let places: Vec<Place> = vectors.iter().map(place).collect();
        let limits = guard(&places, 0.95);
        let admitted = places.iter().filter(|place| limits.admits(place)).count();
        assert!((200..240).contains(&admitted), "{admitted}");
        let other = "Bonjour! Quel beau sonnet; lisez-le encore, s'il vous plait, et chantez.";
        assert!(!limits.admits(&place(&features(&Facts { text: other, ..Facts::default() }))));
        assert_eq!(guard(&places, 1.0), Guard::default());
    }
}
