//! Trade-offs between ways to serve requests: their complexity as measured facts, a rating that follows
//! from the facts by a fixed rule, and the time in which a saving pays for the work that it takes.

use serde::{Deserialize, Serialize};

/// Measured facts about a way to serve requests. Facts that are not known do not count.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct ComplexityFacts {
    /// Mean number of calls of models for each answered request.
    pub calls: f64,
    /// Mean length of the longest chain of tasks that wait for each other: 1 where one model answers.
    pub depth: f64,
    /// Share of answered requests, 0..1, with more than one call.
    pub several_calls: f64,
    /// Backends that were called at all.
    pub providers: u64,
    /// Lines of the policies' sources that are neither empty nor comments.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub policy_lines: Option<u64>,
    /// Lines of the configuration that are neither empty nor comments.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub configuration_lines: Option<u64>,
}

/// Rating of complexity.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Rating {
    /// 0 to 2 points.
    Low,
    /// 3 to 6 points.
    Medium,
    /// 7 points or more.
    High,
}

impl Rating {
    /// Returns the name.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Low => "low",
            Self::Medium => "medium",
            Self::High => "high",
        }
    }
}

/// Upper bounds of 0, 1 and 2 points for calls of models for each request.
const CALLS: [f64; 3] = [1.05, 2.0, 4.0];
/// The same for the depth.
const DEPTH: [f64; 3] = [1.05, 2.0, 3.0];
/// The same for the share of requests with several calls; there are at most 2 points.
const SEVERAL_CALLS: [f64; 2] = [0.05, 0.5];
/// The same for the number of backends.
const PROVIDERS: [f64; 2] = [1.0, 2.0];
/// The same for lines of policy and configuration together.
const LINES: [f64; 2] = [150.0, 600.0];

impl ComplexityFacts {
    /// Returns the points of the facts, 0 to 12: the sum of 0 to 3 points for calls and for depth, and of
    /// 0 to 2 points for the share of requests with several calls, for backends and for lines.
    pub fn points(&self) -> u32 {
        let lines = match (self.policy_lines, self.configuration_lines) {
            (None, None) => 0,
            (policy, configuration) => policy.unwrap_or(0) + configuration.unwrap_or(0),
        };
        above(self.calls, &CALLS)
            + above(self.depth, &DEPTH)
            + above(self.several_calls, &SEVERAL_CALLS)
            + above(self.providers as f64, &PROVIDERS)
            + above(lines as f64, &LINES)
    }

    /// Returns the rating: low up to 2 points, medium up to 6, else high.
    pub fn rating(&self) -> Rating {
        match self.points() {
            ..=2 => Rating::Low,
            3..=6 => Rating::Medium,
            _ => Rating::High,
        }
    }
}

/// Returns the number of bounds that a value exceeds.
fn above(value: f64, bounds: &[f64]) -> u32 {
    bounds.iter().filter(|bound| value > **bound).count() as u32
}

/// Inputs of a payback time.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct PaybackInputs {
    /// Requests a month.
    pub requests_per_month: f64,
    /// Cost of the work until the change serves, in US dollars.
    pub one_off_usd: f64,
    /// Cost of running the change, in US dollars a month.
    pub monthly_usd: f64,
}

/// Payback of a change.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Payback {
    /// Saving in US dollars a month, the running cost subtracted. Negative for a loss.
    pub monthly_saving_usd: f64,
    /// Months until the savings equal the one-off cost; `None` if they never do.
    pub months: Option<f64>,
}

impl Payback {
    /// Computes the payback of a change from one cost of a request to another:
    /// `months = one-off / (requests × (before − after) − running)`, if that saving is above 0.
    pub fn of(before_usd: f64, after_usd: f64, inputs: &PaybackInputs) -> Self {
        let saving = inputs.requests_per_month * (before_usd - after_usd) - inputs.monthly_usd;
        let months = (saving > 0.0).then(|| inputs.one_off_usd.max(0.0) / saving);
        Self { monthly_saving_usd: saving, months: months.filter(|months| months.is_finite()) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_rating_follows_from_the_points() {
        let routing = ComplexityFacts {
            calls: 1.01,
            depth: 1.0,
            several_calls: 0.01,
            providers: 1,
            ..Default::default()
        };
        assert_eq!((routing.points(), routing.rating()), (0, Rating::Low));
        let two_providers = ComplexityFacts { providers: 2, policy_lines: Some(151), ..routing };
        assert_eq!((two_providers.points(), two_providers.rating()), (2, Rating::Low));
        let three_tasks = ComplexityFacts { calls: 3.0, depth: 2.0, several_calls: 1.0, ..routing };
        assert_eq!((three_tasks.points(), three_tasks.rating()), (5, Rating::Medium));
        let collaboration = ComplexityFacts { calls: 7.0, depth: 3.0, ..three_tasks };
        assert_eq!((collaboration.points(), collaboration.rating()), (7, Rating::High));
        let most = ComplexityFacts {
            calls: 9.0,
            depth: 9.0,
            several_calls: 1.0,
            providers: 9,
            policy_lines: Some(600),
            configuration_lines: Some(1),
        };
        assert_eq!(most.points(), 12);
        assert!(Rating::Low < Rating::High);
    }

    #[test]
    fn a_saving_pays_back_and_a_loss_never_does() {
        let inputs = PaybackInputs { requests_per_month: 1e6, one_off_usd: 12_000.0, monthly_usd: 1_000.0 };
        let payback = Payback::of(0.005, 0.002, &inputs);
        assert!((payback.monthly_saving_usd - 2_000.0).abs() < 1e-9);
        assert!((payback.months.unwrap() - 6.0).abs() < 1e-9);
        assert_eq!(Payback::of(0.002, 0.005, &inputs).months, None);
        assert_eq!(Payback::of(0.003, 0.002, &inputs).months, None, "the running cost eats the saving");
        let free = PaybackInputs { one_off_usd: 0.0, monthly_usd: 0.0, ..inputs };
        assert_eq!(Payback::of(0.005, 0.002, &free).months, Some(0.0));
    }
}
