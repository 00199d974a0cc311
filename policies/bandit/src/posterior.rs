//! Knowledge of a mean, as a normal distribution, and the chance that a model is the best.

/// Points at which the chances of some models are summed up, and those of many.
const POINTS: [usize; 2] = [96, 32];
/// Number of models from which on they are many.
const MANY: usize = 65;
/// Smallest chance that counts, so that its logarithm is a number.
const SMALLEST: f64 = 1e-300;
/// Range of the sum, in deviations on both sides of each mean.
const RANGE: f64 = 6.0;

/// Normal distribution of a mean that is not known exactly.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Posterior {
    pub mean: f64,
    /// Standard deviation; above 0.
    pub deviation: f64,
    /// Number of observations.
    pub count: u64,
}

impl Posterior {
    /// Returns the distribution of the sum with another mean, whose observations do not count.
    pub fn plus(self, other: Self) -> Self {
        let deviation = self.deviation.hypot(other.deviation);
        Self { mean: self.mean + other.mean, deviation, count: self.count }
    }

    /// Returns the distribution of a multiple.
    pub fn scaled(self, factor: f64) -> Self {
        Self { mean: self.mean * factor, deviation: self.deviation * factor, count: self.count }
    }

    /// Returns the chance that the mean is below `x`.
    fn below(&self, x: f64) -> f64 {
        normal_below((x - self.mean) / self.deviation)
    }

    /// Returns the density at `x`, up to a factor that is the same for all.
    fn density(&self, x: f64) -> f64 {
        let deviations = (x - self.mean) / self.deviation;
        (-0.5 * deviations * deviations).exp() / self.deviation
    }
}

/// Returns the chance of each of these models to have the highest mean; their sum is 1. Drawing a model
/// by them is Thompson sampling, with probabilities that are known:
///
/// `chance(k) = ∫ density(k, x) · Π below(j, x) dx` over all other models `j`
pub(crate) fn chances_to_be_best(models: &[usize], posteriors: &[Posterior]) -> Vec<f64> {
    let of = |index: &usize| posteriors[*index];
    let ends =
        models.iter().map(of).map(|it| (it.mean - RANGE * it.deviation, it.mean + RANGE * it.deviation));
    // No model is the highest below the lower end of another.
    let low = ends.clone().map(|(low, _)| low).fold(f64::NEG_INFINITY, f64::max);
    let high = ends.map(|(_, high)| high).fold(f64::NEG_INFINITY, f64::max);
    let points = POINTS[usize::from(models.len() >= MANY)];
    let step = (high - low) / points as f64;
    let mut chances = vec![0.0; models.len()];
    let mut below = vec![0.0; models.len()];
    for point in 0..points {
        let x = low + (point as f64 + 0.5) * step;
        for (below, model) in below.iter_mut().zip(models) {
            *below = of(model).below(x).max(SMALLEST).ln();
        }
        let all: f64 = below.iter().sum();
        for ((chance, below), model) in chances.iter_mut().zip(&below).zip(models) {
            *chance += of(model).density(x) * (all - below).exp();
        }
    }
    let total: f64 = chances.iter().sum();
    if total > 0.0 && total.is_finite() {
        chances.iter_mut().for_each(|chance| *chance /= total);
    } else {
        chances.fill(1.0 / models.len() as f64);
    }
    chances
}

/// Returns the chance that a standard normal number is below `x`: formula 26.2.17 of Abramowitz and
/// Stegun, Handbook of Mathematical Functions, exact to 7.5e-8.
fn normal_below(x: f64) -> f64 {
    let t = 1.0 / (1.0 + 0.231_641_9 * x.abs());
    let polynomial = t
        * (0.319_381_530
            + t * (-0.356_563_782 + t * (1.781_477_937 + t * (-1.821_255_978 + t * 1.330_274_429))));
    let tail = (-0.5 * x * x).exp() / (2.0 * std::f64::consts::PI).sqrt() * polynomial;
    if x < 0.0 { tail } else { 1.0 - tail }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn posterior(mean: f64, deviation: f64) -> Posterior {
        Posterior { mean, deviation, count: 0 }
    }

    #[test]
    fn the_normal_distribution_is_that_of_tables() {
        for (x, chance) in [(0.0, 0.5), (1.0, 0.841_344_746), (-1.96, 0.024_997_895), (4.0, 0.999_968_329)] {
            assert!((normal_below(x) - chance).abs() < 1e-7, "{x}");
        }
    }

    #[test]
    fn the_chance_of_two_models_is_that_of_their_difference() {
        for (mean, deviation) in [(0.5, 0.1), (0.55, 0.1), (0.7, 0.05), (0.9, 0.01), (0.2, 0.3)] {
            let both = [posterior(0.5, 0.1), posterior(mean, deviation)];
            let chances = chances_to_be_best(&[0, 1], &both);
            let expected = normal_below((mean - 0.5) / deviation.hypot(0.1));
            assert!(
                (chances[1] - expected).abs() < 1e-4,
                "{mean} ± {deviation}: {chances:?}, not {expected}"
            );
        }
    }

    #[test]
    fn equal_models_have_equal_chances_and_one_model_all() {
        let equal = vec![posterior(0.5, 0.1); 50];
        let models: Vec<usize> = (0..50).collect();
        let chances = chances_to_be_best(&models, &equal);
        assert!(chances.iter().all(|chance| (chance - 0.02).abs() < 1e-12));
        assert_eq!(chances_to_be_best(&[3], &equal), [1.0]);
    }
}
