//! Conditions that need an operator, from the status of the gateway.
//!
//! The thresholds are fixed, and listed in docs/seeing.md.

use pointsman_admin_api::{
    AttentionEntry, AttentionKind, AttentionLevel, AttentionSubject, ConfigResult, FailureCauses,
    GatewayStatus, ModelStatus, PolicyStatus,
};
use pointsman_domain::outcome::FailureCounts;
use pointsman_telemetry::IntervalTotals;

use super::loss_watch::{LossKind, RecentLoss};
use super::status::causes;

/// Time over which failures are counted, in milliseconds.
const PERIOD_MS: u64 = 60_000;
/// Fewest requests in that time of which a share is judged.
const FEWEST_REQUESTS: u64 = 20;
/// Share of failed requests from which on a condition is amber.
const AMBER_SHARE: f64 = 0.01;
/// Share of failed requests from which on a condition is red.
const RED_SHARE: f64 = 0.05;
/// Longest message with its detail, in bytes.
const MAX_MESSAGE: usize = 4_096;

/// Requests of the last minute.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct MinuteSums {
    /// Requests that ended, or were rejected before a decision.
    pub(super) requests: u64,
    /// Those that failed or were rejected, by cause.
    pub(super) failed: FailureCauses,
}

impl MinuteSums {
    /// Sums the seconds of the last minute.
    pub(super) fn of(seconds: &[IntervalTotals], now_ms: u64) -> Self {
        let (mut requests, mut failed) = (0, FailureCounts::default());
        for second in seconds.iter().filter(|second| second.at_ms + PERIOD_MS > now_ms) {
            requests += second.requests + second.rejected_by.total();
            failed += second.failed_by;
            failed += second.rejected_by;
        }
        Self { requests, failed: causes(failed) }
    }
}

/// Returns the conditions of a gateway, the most urgent first.
pub(super) fn entries(
    status: &GatewayStatus,
    minute: &MinuteSums,
    losses: &[RecentLoss],
) -> Vec<AttentionEntry> {
    let mut entries: Vec<AttentionEntry> = failures(minute).into_iter().collect();
    entries.extend(status.models.iter().filter_map(|model| model_entry(&model.status)));
    entries.extend(configuration(status));
    entries.extend(status.policies.iter().flat_map(policy_entries));
    entries.extend(losses.iter().map(loss));
    entries.sort_by_key(|entry| entry.level);
    entries
}

fn failures(minute: &MinuteSums) -> Option<AttentionEntry> {
    let MinuteSums { requests, failed } = *minute;
    let share = |count: u64| count as f64 / requests.max(1) as f64;
    let level = match share(failed.not_by_clients()) {
        _ if requests < FEWEST_REQUESTS => return None,
        RED_SHARE.. => AttentionLevel::Red,
        AMBER_SHARE.. => AttentionLevel::Amber,
        _ => return None,
    };
    let parts = [("models", failed.model), ("policies", failed.policy), ("limits", failed.limit)];
    let parts = parts.iter().filter(|(_, count)| *count > 0);
    let parts: Vec<String> =
        parts.map(|(name, count)| format!("{name} {}", percent(share(*count)))).collect();
    let clients = match failed.client {
        0 => String::new(),
        count => format!("; not counted: {} by clients", percent(share(count))),
    };
    let message = format!(
        "{} of {requests} requests failed in the last minute: {}{clients}",
        percent(share(failed.not_by_clients())),
        parts.join(", "),
    );
    Some(entry(level, AttentionKind::Failures, None, None, message))
}

fn model_entry(model: &ModelStatus) -> Option<AttentionEntry> {
    let subject = Some(AttentionSubject::Model(model.id.clone()));
    if let Some(since) = model.down_since_ms {
        let message = format!("{} is down: its last calls or probes failed", model.id);
        return Some(entry(AttentionLevel::Red, AttentionKind::ModelDown, subject, Some(since), message));
    }
    let since = model.resting_since_ms?;
    let message = format!("{} is resting: its backend asked not to be called for a time", model.id);
    Some(entry(AttentionLevel::Amber, AttentionKind::ModelResting, subject, Some(since), message))
}

fn configuration(status: &GatewayStatus) -> Option<AttentionEntry> {
    let reload = status.last_reload.as_ref()?;
    let ConfigResult::Rejected(reason) = &reload.config else { return None };
    let message = format!("the configuration was rejected, and the one before is in force: {reason}");
    let since = Some(reload.at.saturating_mul(1_000));
    Some(entry(AttentionLevel::Red, AttentionKind::ConfigurationRejected, None, since, message))
}

fn policy_entries(policy: &PolicyStatus) -> Vec<AttentionEntry> {
    let subject = || Some(AttentionSubject::Policy(policy.name.clone()));
    let rejected = policy.rejected.as_ref().map(|rejected| {
        let (level, kind, what) = match policy.loaded {
            true => (
                AttentionLevel::Amber,
                AttentionKind::PolicyRejected,
                "a new version was rejected, and the one before decides",
            ),
            false => (AttentionLevel::Red, AttentionKind::PolicyUnavailable, "no version could be loaded"),
        };
        let message = format!("{}: {what}: {}", policy.name, rejected.error);
        entry(level, kind, subject(), Some(rejected.at.saturating_mul(1_000)), message)
    });
    let held = policy.holds.iter().filter(|hold| hold.in_force).map(|hold| {
        let short = hold.digest.get(..12).unwrap_or(&hold.digest);
        let state = match hold.until {
            None => "is quarantined until an operator releases it",
            Some(_) => "is on hold",
        };
        let message = format!("version {short} of {} {state}: {}", policy.name, hold.why);
        let since = Some(hold.since.saturating_mul(1_000));
        entry(AttentionLevel::Amber, AttentionKind::VersionHeld, subject(), since, message)
    });
    rejected.into_iter().chain(held).collect()
}

fn loss(loss: &RecentLoss) -> AttentionEntry {
    let (kind, level, message) = match loss.kind {
        LossKind::Panic => (
            AttentionKind::Panic,
            AttentionLevel::Red,
            format!("{} panics in the gateway's own code since the start; please report them", loss.count),
        ),
        kind => (
            AttentionKind::Dropped,
            AttentionLevel::Amber,
            format!("{} {} dropped since the start", loss.count, kind.noun()),
        ),
    };
    let subject = loss.kind.queue().map(|queue| AttentionSubject::Queue(queue.to_owned()));
    entry(level, kind, subject, Some(loss.last_ms), message)
}

fn entry(
    level: AttentionLevel,
    kind: AttentionKind,
    subject: Option<AttentionSubject>,
    since_ms: Option<u64>,
    mut message: String,
) -> AttentionEntry {
    message.truncate(message.floor_char_boundary(MAX_MESSAGE));
    let first = message.lines().next().unwrap_or_default().to_owned();
    let detail = (first.len() < message.trim_end().len()).then_some(message);
    AttentionEntry { level, kind, subject, since_ms, message: first, detail }
}

/// Returns a share in per cent, with one decimal below ten.
fn percent(share: f64) -> String {
    let percent = share * 100.0;
    if percent < 9.95 { format!("{percent:.1} %") } else { format!("{percent:.0} %") }
}

#[cfg(test)]
mod tests;
