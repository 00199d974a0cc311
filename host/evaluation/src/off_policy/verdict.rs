//! Verdicts on differences.

use serde::Serialize;

use super::estimate::Difference;

/// Probability with which a policy that is equal in all outcomes gets another verdict for one of them, on either side.
const FALSE_VERDICTS: f64 = 0.05;

/// Direction in which an outcome is better.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Better {
    /// Less is better, as for costs.
    Lower,
    /// More is better, as for scores.
    Higher,
}

/// Verdict on an outcome of the other policy.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Verdict {
    /// It is better, beyond chance.
    Better,
    /// It is worse, beyond chance.
    Worse,
    /// The data shows no difference.
    NoDifferenceShown,
}

/// Judges one of several outcomes. The more outcomes are judged, the wider is the interval that has to exclude 0
/// (Bonferroni's correction), so that all verdicts together are wrong as rarely as one.
pub fn verdict(difference: &Difference, better: Better, outcomes: usize) -> Verdict {
    let interval = difference.difference.at_level(1.0 - FALSE_VERDICTS / outcomes.max(1) as f64);
    let (is_less, is_more) = (interval.high < 0.0, interval.low > 0.0);
    match better {
        Better::Lower if is_less => Verdict::Better,
        Better::Higher if is_more => Verdict::Better,
        _ if is_less || is_more => Verdict::Worse,
        _ => Verdict::NoDifferenceShown,
    }
}
