//! Outcomes of requests that are compared.

use pointsman_evaluation::off_policy::Better;
use pointsman_record::DecisionRecord;

/// An outcome.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Outcome {
    Cost,
    Latency,
    FirstToken,
    Failure,
    Score,
}

impl Outcome {
    pub(super) const ALL: [Self; 5] =
        [Self::Cost, Self::Latency, Self::FirstToken, Self::Failure, Self::Score];
    /// Outcomes that are known when a request ends.
    pub(super) const AT_THE_END: [Self; 4] = [Self::Cost, Self::Latency, Self::FirstToken, Self::Failure];

    /// Returns the name in reports for programs.
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Cost => "cost_usd",
            Self::Latency => "latency_ms",
            Self::FirstToken => "first_token_ms",
            Self::Failure => "failure_share",
            Self::Score => "score",
        }
    }

    /// Returns the name for people.
    pub(super) const fn title(self) -> &'static str {
        match self {
            Self::Cost => "cost",
            Self::Latency => "latency",
            Self::FirstToken => "first token",
            Self::Failure => "failures",
            Self::Score => "score",
        }
    }

    pub(super) const fn better(self) -> Better {
        match self {
            Self::Score => Better::Higher,
            _ => Better::Lower,
        }
    }

    /// Displays a mean of the outcome with its unit.
    pub(super) fn display(self, value: f64) -> String {
        match self {
            Self::Cost => format!("${value:.6}"),
            Self::Latency | Self::FirstToken => format!("{value:.1} ms"),
            Self::Failure => format!("{:.2} %", value * 100.0),
            Self::Score => format!("{value:.3}"),
        }
    }

    /// Displays a difference of the outcome, with its sign.
    pub(super) fn display_difference(self, value: f64) -> String {
        let sign = if value < 0.0 { '-' } else { '+' };
        match self {
            Self::Failure => format!("{sign}{:.2} points", value.abs() * 100.0),
            _ => format!("{sign}{}", self.display(value.abs())),
        }
    }
}

/// Outcomes of a recorded request. What was not observed is absent.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct RecordedOutcomes {
    cost: f64,
    latency: Option<f64>,
    first_token: Option<f64>,
    failure: Option<f64>,
}

impl RecordedOutcomes {
    /// Returns the outcomes of a record; `None` for a dry run.
    ///
    /// Latency is that of answered requests. A request that the client broke off or was at fault for counts neither as
    /// answered nor as failed.
    pub(super) fn of(record: &DecisionRecord<'_>) -> Option<Self> {
        let outcome = record.outcome.as_ref()?;
        let is_answered = outcome.ending == "answered";
        let is_failed = outcome.ending == "failed" && outcome.fault.as_deref() != Some("client");
        Some(Self {
            cost: outcome.cost_usd,
            latency: is_answered.then_some(outcome.latency_ms),
            first_token: outcome.first_token_ms.filter(|_| is_answered),
            failure: (is_answered || is_failed).then(|| f64::from(u8::from(is_failed))),
        })
    }

    pub(super) fn get(&self, outcome: Outcome) -> Option<f64> {
        match outcome {
            Outcome::Cost => Some(self.cost),
            Outcome::Latency => self.latency,
            Outcome::FirstToken => self.first_token,
            Outcome::Failure => self.failure,
            // Ratings come later.
            Outcome::Score => None,
        }
    }
}
