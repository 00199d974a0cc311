//! Estimates from sums.

use std::fmt;

use serde::{Serialize, Serializer};

use super::accumulator::Accumulator;
use super::direct_model::DirectModel;
use super::jackknife::{FEWEST_GROUPS, GroupedSum, Interval};

/// Smallest effective sample size with which an estimate is made.
const FEWEST_EFFECTIVE: f64 = 100.0;
/// Largest share of requests without a prediction with which the direct estimate is made.
const MOST_UNSUPPORTED: f64 = 0.01;
/// Deviation of the mean weight from 1 that is tolerated even where it is significant.
const WEIGHT_TOLERANCE: f64 = 0.02;
/// Level at which the mean weight is compared with 1. It is high, so that few estimates are declined by chance.
const WEIGHT_LEVEL: f64 = 0.999;
/// Smallest share of requests with propensities at which the doubly robust estimate is preferred.
const MOST_WITH_PROPENSITIES: f64 = 0.95;

/// Method of an estimate.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Method {
    /// The choices are the same, so that nothing is estimated.
    Known,
    /// Doubly robust.
    DoublyRobust,
    /// Direct.
    Direct,
}

/// An estimate for the other policy, in units of the outcome per request.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Difference {
    /// Mean outcome of the other policy.
    pub value: Interval,
    /// Its difference to the logged outcome of the same requests.
    pub difference: Interval,
}

/// Reason why there is no estimate.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Declined {
    /// There are no observations.
    NoObservations,
    /// No propensities were logged.
    NoPropensities,
    /// The effective sample size is too small.
    TooFew {
        /// Effective sample size.
        effective: f64,
    },
    /// The observations are of too few clusters.
    TooFewClusters {
        /// Groups of clusters with observations.
        groups: usize,
    },
    /// The policy makes choices that the log has no example of.
    NoExample {
        /// Share of the requests.
        share: f64,
    },
    /// The log could not have made all choices of the policy.
    NoOverlap {
        /// Share of the choices that it could have made.
        share: f64,
    },
    /// The logged propensities are too small to be true.
    WrongPropensities {
        /// Mean of the weights, which is 1 with true propensities.
        mean_weight: f64,
    },
}

/// Estimates of one outcome by all methods.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Estimates {
    /// Number of observations.
    pub records: u64,
    /// Mean of the logged outcomes.
    pub logged_mean: f64,
    /// The same with its interval, if there are enough clusters for one.
    pub logged: Option<Interval>,
    /// Share of the requests for which both choose the same, so that the outcome is known.
    pub known_share: f64,
    /// Share of the requests with logged propensities.
    pub propensity_share: f64,
    /// Effective number of observations behind the predictions of the direct method. `None` if nothing is predicted.
    pub direct_effective: Option<f64>,
    /// Effective number of observations behind the weighted methods: `(Σ w)² / Σ w²` (Kish 1965; Kong 1992).
    pub weighted_effective: f64,
    /// Mean of the weights of the observations with propensities, which is 1 where the propensities are true and the log
    /// could have made every choice.
    pub mean_weight: Option<f64>,
    /// Direct estimate.
    #[serde(serialize_with = "estimate_or_reason")]
    pub direct: Result<Difference, Declined>,
    /// Inverse propensity score.
    #[serde(serialize_with = "estimate_or_reason")]
    pub ips: Result<Difference, Declined>,
    /// Self-normalised inverse propensity score.
    #[serde(serialize_with = "estimate_or_reason")]
    pub snips: Result<Difference, Declined>,
    /// Doubly robust.
    #[serde(serialize_with = "estimate_or_reason")]
    pub doubly_robust: Result<Difference, Declined>,
}

/// Values of all estimates from one set of groups.
#[derive(Clone, Copy, Default)]
struct Values {
    logged: f64,
    direct: f64,
    ips: f64,
    snips: f64,
    robust: f64,
    /// Logged mean of the observations with propensities.
    propensity_logged: f64,
    mean_weight: f64,
}

impl Difference {
    /// Returns the outcome of the same choices.
    fn known(logged: Option<Interval>, mean: f64) -> Self {
        Self { value: logged.unwrap_or(Interval::exact(mean)), difference: Interval::exact(0.0) }
    }
}

impl Accumulator {
    /// Computes all estimates from the sums.
    pub fn estimates(&self) -> Estimates {
        let model = DirectModel::new(&self.cells);
        let all = self.values(&model, None);
        let groups = self.sums.weight.occupied();
        let without: Vec<Values> = groups.iter().map(|group| self.values(&model, Some(*group))).collect();
        let interval = |of: &dyn Fn(&Values) -> f64| {
            let values: Vec<f64> = without.iter().map(of).collect();
            Interval::jackknife(of(&all), &values)
        };
        let weight = self.sums.weight.total();
        let share = |part: f64| if weight > 0.0 { part / weight } else { 0.0 };
        let matched = self.sums.matched.total();
        let weighted_effective =
            if self.matched_squares > 0.0 { matched * matched / self.matched_squares } else { 0.0 };
        let direct_effective = self.direct_effective(&model);
        let may_count = self.enough(groups.len());
        let direct = may_count.and_then(|()| self.may_predict(&model, direct_effective)).map(|()| {
            Difference { value: interval(&|it| it.logged + it.direct), difference: interval(&|it| it.direct) }
        });
        let logged = may_count.ok().map(|()| interval(&|it| it.logged));
        let mean_weight = (self.sums.propensity_weight.total() > 0.0).then(|| interval(&|it| it.mean_weight));
        let may_weigh = may_count.and_then(|()| self.may_weigh(mean_weight, weighted_effective));
        let weighted = |value: fn(&Values) -> f64| {
            may_weigh.map(|()| Difference {
                value: interval(&value),
                difference: interval(&|it| value(it) - it.propensity_logged),
            })
        };
        Estimates {
            records: self.records,
            logged_mean: all.logged,
            logged,
            known_share: share(self.same_weight),
            propensity_share: share(self.sums.propensity_weight.total()),
            direct_effective,
            weighted_effective,
            mean_weight: mean_weight.map(|it| it.estimate),
            direct: if self.is_known() { Ok(Difference::known(logged, all.logged)) } else { direct },
            ips: weighted(|it| it.ips),
            snips: weighted(|it| it.snips),
            doubly_robust: weighted(|it| it.robust),
        }
    }

    /// Returns whether both choose the same for all requests.
    fn is_known(&self) -> bool {
        self.records > 0 && self.same_weight >= self.sums.weight.total() * (1.0 - 1e-12)
    }

    fn values(&self, model: &DirectModel<'_>, left_out: Option<usize>) -> Values {
        let sums = &self.sums;
        let of = |sum: &GroupedSum| sum.without(left_out);
        let ratio = |part: f64, whole: &GroupedSum| {
            if whole.is_positive_without(left_out) { part / whole.without(left_out) } else { 0.0 }
        };
        let predictions = model.predictions(left_out);
        let (mut direct, mut robust) = (of(&sums.direct), of(&sums.robust));
        for (cell, prediction) in self.cells.iter().zip(predictions) {
            direct += of(&cell.direct) * prediction;
            robust += of(&cell.robust) * prediction;
        }
        Values {
            logged: ratio(of(&sums.outcome), &sums.weight),
            direct: ratio(direct, &sums.weight),
            ips: ratio(of(&sums.matched_outcome), &sums.propensity_weight),
            snips: ratio(of(&sums.matched_outcome), &sums.matched),
            robust: ratio(robust, &sums.propensity_weight),
            propensity_logged: ratio(of(&sums.propensity_outcome), &sums.propensity_weight),
            mean_weight: ratio(of(&sums.matched), &sums.propensity_weight),
        }
    }

    fn enough(&self, groups: usize) -> Result<(), Declined> {
        match groups {
            0 => Err(Declined::NoObservations),
            groups if groups < FEWEST_GROUPS => Err(Declined::TooFewClusters { groups }),
            _ => Ok(()),
        }
    }

    /// Returns the effective number of observations behind the predictions of the direct method: that of a sample whose
    /// mean varies as much, `(Σ |c|)² / Σ (c² / n)` with the factors `c` and the observations `n` of the cells.
    fn direct_effective(&self, model: &DirectModel<'_>) -> Option<f64> {
        let (mut sum, mut squares) = (0.0, 0.0);
        for (place, cell) in self.cells.iter().enumerate() {
            let observations = model.observations(place);
            if observations > 0 {
                sum += cell.target_scale;
                squares += cell.target_scale * cell.target_scale / observations as f64;
            }
        }
        (squares > 0.0).then(|| sum * sum / squares)
    }

    fn may_predict(&self, model: &DirectModel<'_>, effective: Option<f64>) -> Result<(), Declined> {
        let unsupported = |(place, _): &(usize, _)| model.is_unsupported(*place);
        let cells = self.cells.iter().enumerate().filter(unsupported);
        let share = cells.map(|(_, cell)| cell.target_weight).sum::<f64>() / self.sums.weight.total();
        match effective {
            _ if share > MOST_UNSUPPORTED => Err(Declined::NoExample { share }),
            Some(effective) if effective < FEWEST_EFFECTIVE => Err(Declined::TooFew { effective }),
            // Without an effective number, nothing but known parts is predicted.
            _ => Ok(()),
        }
    }

    fn may_weigh(&self, mean_weight: Option<Interval>, effective: f64) -> Result<(), Declined> {
        let Some(mean) = mean_weight else { return Err(Declined::NoPropensities) };
        let mean = mean.at_level(WEIGHT_LEVEL);
        if mean.high < 1.0 && mean.estimate < 1.0 - WEIGHT_TOLERANCE {
            return Err(Declined::NoOverlap { share: mean.estimate });
        }
        if effective < FEWEST_EFFECTIVE {
            return Err(Declined::TooFew { effective });
        }
        if self.sums.matched.occupied().len() < FEWEST_GROUPS {
            return Err(Declined::TooFewClusters { groups: self.sums.matched.occupied().len() });
        }
        if mean.low > 1.0 && mean.estimate > 1.0 + WEIGHT_TOLERANCE {
            return Err(Declined::WrongPropensities { mean_weight: mean.estimate });
        }
        Ok(())
    }
}

impl Estimates {
    /// Returns the estimate to rely on: what is known, else doubly robust where almost all requests have propensities,
    /// else direct.
    ///
    /// # Errors
    /// Fails with the reason why there is no direct estimate, if there is none at all.
    pub fn best(&self) -> Result<(Method, Difference), Declined> {
        if let Ok(direct) = self.direct
            && self.known_share >= 1.0 - 1e-12
        {
            return Ok((Method::Known, direct));
        }
        match self.doubly_robust {
            Ok(robust) if self.propensity_share >= MOST_WITH_PROPENSITIES => {
                Ok((Method::DoublyRobust, robust))
            }
            _ => self.direct.map(|direct| (Method::Direct, direct)),
        }
    }
}

impl fmt::Display for Declined {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoObservations => f.write_str("no observations"),
            Self::NoPropensities => f.write_str("no propensities were logged"),
            Self::TooFew { effective } => {
                write!(
                    f,
                    "overlap too thin: effective sample size {effective:.0} is below {FEWEST_EFFECTIVE}"
                )
            }
            Self::TooFewClusters { groups } => {
                write!(f, "requests of too few sessions or keys: {groups} of at least {FEWEST_GROUPS} groups")
            }
            Self::NoExample { share } => {
                write!(f, "the log has no example of {:.1} % of the choices", share * 100.0)
            }
            Self::NoOverlap { share } => {
                write!(f, "the log could have made only {:.1} % of the choices", share * 100.0)
            }
            Self::WrongPropensities { mean_weight } => {
                write!(
                    f,
                    "the logged propensities cannot be true: mean weight {mean_weight:.2} in place of 1"
                )
            }
        }
    }
}

/// Serialises an estimate, or `{ "declined": REASON }`.
fn estimate_or_reason<S: Serializer>(
    estimate: &Result<Difference, Declined>,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    #[derive(Serialize)]
    #[serde(untagged)]
    enum EstimateOrReason<'a> {
        Estimate(&'a Difference),
        Reason { declined: String },
    }
    let value = match estimate {
        Ok(difference) => EstimateOrReason::Estimate(difference),
        Err(declined) => EstimateOrReason::Reason { declined: declined.to_string() },
    };
    value.serialize(serializer)
}
