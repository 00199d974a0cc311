//! Limits by which a replay fails, for continuous integration.

use pointsman_terminal::CommandError;

use super::outcome::Outcome;
use super::report::Report;

/// Limits.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Limits {
    /// Most requests that the policy fails at, in per cent.
    pub(super) failures_percent: Option<f64>,
    /// Most increase of the predicted cost, in per cent.
    pub(super) cost_increase_percent: Option<f64>,
}

impl Limits {
    /// Checks the report against the limits.
    ///
    /// # Errors
    /// Fails with exit status 1 if the replay was interrupted, a limit is exceeded, or the cost cannot be predicted and
    /// is limited.
    pub(super) fn check(self, report: &Report) -> Result<(), CommandError> {
        let mut problems = Vec::new();
        if report.log.interrupted {
            problems.push(format!("interrupted after {} records", report.log.replayed.records));
        }
        let failed = 100.0 * super::report::share(report.decisions.failed, report.log.replayed);
        if self.failures_percent.is_some_and(|most| failed > most) {
            let most = self.failures_percent.unwrap_or_default();
            problems.push(format!("the policy fails at {failed:.2} % of the requests, more than {most} %"));
        }
        if let Some(most) = self.cost_increase_percent {
            problems.extend(cost_problem(report, most));
        }
        if problems.is_empty() {
            Ok(())
        } else {
            Err(CommandError::Run(format!("error: {}", problems.join("\nerror: "))))
        }
    }
}

fn cost_problem(report: &Report, most: f64) -> Option<String> {
    let cost = report.outcome(Outcome::Cost)?;
    let Some(best) = &cost.best else {
        let reason = cost.declined.as_deref().unwrap_or_default();
        return Some(format!("the cost cannot be predicted: {reason}"));
    };
    let increase = match best.relative() {
        Some(relative) => 100.0 * relative,
        None if best.estimate.difference.estimate > 0.0 => f64::INFINITY,
        None => 0.0,
    };
    (increase > most).then(|| format!("the predicted cost is {increase:.2} % higher, more than {most} %"))
}
