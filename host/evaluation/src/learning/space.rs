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
const CENTRES: usize = 64;
/// Rows for each axis and for each centre: centres with few rows are nearer to these than to others of their kind.
const ROWS_OF_AXIS: usize = 12;
const ROWS_OF_CENTRE: usize = 40;
/// Rows that a space is learnt from: more do not change it much.
const SPACE_ROWS: usize = 8_000;
/// Weight of a sign beside that of words: signs vary more.
const SIGN_SCALE: f64 = 0.3;
/// Iterations until axes and centres hardly move.
const ITERATIONS: usize = 25;
/// Starts of k-means, of which the best counts.
const STARTS: usize = 3;
/// Share of the rows beyond the limit of undescribed words, relative to that beyond the limit of the deviance.
const REST_SHARE: f64 = 0.1;
/// Rows that the prior variance of a centre counts as, and that variance, relative to that of all rows.
const PRIOR_ROWS: f64 = 10.0;
const PRIOR_VARIANCE: f64 = 0.3;

/// Learns the space of rows.
pub(super) fn learn_space(vectors: &[&SparseVector]) -> Space {
    let step = vectors.len().div_ceil(SPACE_ROWS).max(1);
    let sample: Vec<&SparseVector> = vectors.iter().step_by(step).copied().collect();
    let mut random = generator();
    let directions = main_directions(&sample, AXES.min(sample.len() / ROWS_OF_AXIS), &mut random);
    let axes = directions.iter().map(|weights| axis(weights, 0.0)).collect();
    let mut space = Space { axes, ..Space::default() };
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
    space.centres = best_centres(&points, CENTRES.min(points.len() / ROWS_OF_CENTRE), &mut random);
    (space.precisions, space.offsets) = gaussians(&points, &space.centres);
    space
}

/// Returns the inverse variance around each centre, the same along all axes, and the deviance on the centre.
fn gaussians(points: &[Vec<f64>], centres: &[Numbers]) -> (Numbers, Numbers) {
    let axes = points.first().map_or(0, Vec::len) as f64;
    let mut sums = vec![(0.0, 0.0); centres.len()];
    for point in points {
        let (centre, squares) = nearest_centre(point, centres);
        if let Some((sum, rows)) = sums.get_mut(centre) {
            *sum += squares;
            *rows += 1.0;
        }
    }
    let gaussian = |&(sum, rows): &(f64, f64)| {
        let variance = (sum / axes + PRIOR_ROWS * PRIOR_VARIANCE) / (rows + PRIOR_ROWS);
        let share = (rows + 1.0) / (points.len() + centres.len()) as f64;
        (1.0 / variance, axes * variance.ln() - 2.0 * share.ln())
    };
    let gaussians = || sums.iter().map(gaussian);
    (gaussians().map(|it| it.0).collect(), gaussians().map(|it| it.1).collect())
}

/// Returns the nearest of some centres, and its squared distance.
fn nearest_centre(point: &[f64], centres: &[impl std::ops::Deref<Target = [f64]>]) -> (usize, f64) {
    let keyed = centres.iter().map(|centre| squared_distance(point, centre)).enumerate();
    keyed.min_by(|a, b| a.1.total_cmp(&b.1)).unwrap_or((0, 0.0))
}

/// Returns limits of which that of the deviance admits a share of the rows, and that of undescribed words nearly all:
/// few rows are beyond it that are not unlike the others.
pub(super) fn guard(places: &[Place], share: f64) -> Guard {
    if share >= 1.0 {
        return Guard::default();
    }
    let limit = |of: fn(&Place) -> f64, left_out: f64| {
        let mut values: Vec<f64> = places.iter().map(of).collect();
        values.sort_by(f64::total_cmp);
        let at = (values.len() as f64 * (1.0 - left_out)) as usize;
        values.get(at.min(values.len().saturating_sub(1))).copied()
    };
    let left_out = 1.0 - share.max(0.0);
    Guard {
        deviance: limit(|place| place.deviance, left_out),
        rest: limit(|place| place.rest, left_out * REST_SHARE),
        ..Guard::default()
    }
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
            let (place, distance) = nearest_centre(point, &centres);
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
        assert_eq!((space.axes.len(), space.centres.len()), (16, 6));
        let place = |vector: &SparseVector| {
            let (coordinates, rest) = space.project(vector);
            space.place(&coordinates, rest)
        };
        let nearest = |number: usize| {
            let memberships = place(&vectors[number]).memberships.into_iter().enumerate();
            memberships.max_by(|a, b| a.1.total_cmp(&b.1)).unwrap().0
        };
        // No centre has requests of two forms.
        let mut owner = [None; 6];
        for number in 0..240 {
            let centre = nearest(number);
            assert_eq!(*owner[centre].get_or_insert(number % 3), number % 3);
        }
        let places: Vec<Place> = vectors.iter().map(place).collect();
        let limits = guard(&places, 0.9);
        let admitted = places.iter().filter(|place| limits.admits(place)).count();
        // Equal requests have equal deviances.
        assert!((205..240).contains(&admitted), "{admitted}");
        let other = "Bonjour! Quel beau sonnet; lisez-le encore, s'il vous plait, et chantez.";
        assert!(!limits.admits(&place(&features(&Facts { text: other, ..Facts::default() }))));
        assert_eq!(guard(&places, 1.0), Guard::default());
    }
}
