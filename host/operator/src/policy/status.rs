//! The subcommands that show the status.

use clap::Args as ClapArgs;
use pointsman_admin_api::{
    AUDIT, AuditEvent, HoldStatus, POLICIES, PolicyList, PolicyStatus, ROUTES, RouteStatus, TrialMode,
    TrialScore, TrialStatus, ValuePair, VersionStats,
};

use super::short;
use crate::arguments::{ShowArgs, ago, unix_seconds};
use crate::{CommandError, TextTable};

/// Cells without a value.
const NONE: &str = "-";

#[derive(Debug, ClapArgs)]
pub struct ListArgs {
    #[command(flatten)]
    show: ShowArgs,
}

#[derive(Debug, ClapArgs)]
pub struct RoutesArgs {
    #[command(flatten)]
    show: ShowArgs,
}

#[derive(Debug, ClapArgs)]
pub struct AuditArgs {
    /// Number of changes to show, the newest
    #[arg(long, default_value_t = 20)]
    limit: usize,
    #[command(flatten)]
    show: ShowArgs,
}

pub(super) fn list(args: &ListArgs) -> Result<(), CommandError> {
    args.show.show(POLICIES, render_policies)
}

pub(super) fn routes(args: &RoutesArgs) -> Result<(), CommandError> {
    args.show.show(ROUTES, render_routes)
}

pub(super) fn audit(args: &AuditArgs) -> Result<(), CommandError> {
    args.show.show(&format!("{AUDIT}?limit={}", args.limit), render_audit)
}

fn render_policies(list: PolicyList) -> String {
    let mut table =
        TextTable::new(&["POLICY", "VERSION", "DECISIONS", "FAILED", "P50", "P99", "ERRORS", "ROUTES"]);
    let mut notes = Vec::new();
    for policy in &list.policies {
        let stats = &policy.active_record;
        table.add(vec![
            policy.name.clone(),
            version(policy),
            stats.decisions.to_string(),
            stats.failed().to_string(),
            time(stats.decision_us_p50),
            time(stats.decision_us_p99),
            format!("{} of {}", stats.errors, stats.requests),
            if policy.routes.is_empty() { NONE.to_owned() } else { policy.routes.join(", ") },
        ]);
        notes.extend(hold_notes(&policy.name, &policy.holds));
        if let Some(rejected) = &policy.rejected {
            let effect = if policy.loaded {
                "another version was rejected"
            } else {
                "the policy is not loaded, and its routes follow `on_failure`"
            };
            notes.push(format!("`{}`: {effect}: {}", policy.name, rejected.error));
        }
    }
    table.render(notes)
}

fn render_routes(routes: Vec<RouteStatus>) -> String {
    let mut table = TextTable::new(&[
        "ROUTE",
        "POLICY",
        "ON TRIAL",
        "DECISIONS",
        "FAILED",
        "P99",
        "AGREES",
        "COST",
        "LATENCY",
    ]);
    let mut notes = Vec::new();
    for route in &routes {
        let promoted = if route.promoted.is_some() { " (promoted)" } else { "" };
        let mut row = vec![route.name.clone(), format!("{}{promoted}", route.version)];
        match &route.trial {
            None => row.push(NONE.to_owned()),
            Some(trial) => row.extend(trial_cells(trial)),
        }
        table.add(row);
        notes.extend(hold_notes(&route.name, &route.holds));
    }
    table.render(notes)
}

fn trial_cells(trial: &TrialStatus) -> [String; 7] {
    let unknown = VersionStats::default();
    let stats = trial.score.as_ref().map_or(&unknown, |score| &score.trial);
    let compared = trial.score.as_ref().and_then(|score| score.compared.as_ref());
    let [cost, latency] = trial.score.as_ref().map_or([None; 2], differences);
    let relative = |difference: Option<f64>| or_none(difference, |share| format!("{:+.0} %", share * 100.0));
    [
        trial_name(trial),
        stats.decisions.to_string(),
        stats.failed().to_string(),
        time(stats.decision_us_p99),
        or_none(compared.and_then(|compared| compared.agreement), |share| format!("{:.0} %", share * 100.0)),
        relative(cost),
        relative(latency),
    ]
}

fn render_audit(events: Vec<AuditEvent>) -> String {
    let mut table = TextTable::new(&["AGO", "WHO", "WHAT", "POLICY", "ROUTE", "KEY", "FROM", "TO", "WHY"]);
    let now = unix_seconds();
    let text = |text: &Option<String>| text.clone().unwrap_or_else(|| NONE.to_owned());
    let version = |digest: &Option<String>| digest.as_deref().map_or(NONE, short).to_owned();
    for event in &events {
        table.add(vec![
            ago(now.saturating_sub(event.at)),
            event.actor(),
            event.action.clone(),
            text(&event.policy),
            text(&event.route),
            text(&event.key),
            version(&event.from),
            version(&event.digest),
            event.why.clone().unwrap_or_default(),
        ]);
    }
    table.render(Vec::new())
}

fn version(policy: &PolicyStatus) -> String {
    let chosen = policy.chosen.as_ref().map(|chosen| format!(" ({})", chosen.how.as_str()));
    format!("{}{}", short(&policy.active), chosen.unwrap_or_default())
}

fn trial_name(trial: &TrialStatus) -> String {
    let policy = &trial.policy;
    match (trial.suspended, trial.mode) {
        (true, _) => format!("{policy}, suspended"),
        (false, TrialMode::Canary { percent }) => format!("{policy}, {percent} %"),
        (false, TrialMode::Shadow) => format!("{policy}, shadow"),
    }
}

/// Returns the relative differences in cost and latency of a policy on trial: predicted ones for
/// a shadow, measured ones for a canary.
fn differences(score: &TrialScore) -> [Option<f64>; 2] {
    let relative = |active: f64, trial: f64| (active > 0.0).then(|| trial / active - 1.0);
    if let Some(compared) = &score.compared {
        let predicted = |pair: Option<ValuePair>| pair.and_then(|pair| relative(pair.active, pair.trial));
        return [predicted(compared.predicted_cost_usd), predicted(compared.predicted_latency_ms)];
    }
    let measured =
        |mean: fn(&VersionStats) -> Option<f64>| relative(mean(&score.active)?, mean(&score.trial)?);
    [measured(|stats| stats.mean_cost_usd), measured(|stats| stats.mean_latency_ms)]
}

/// Describes the holds that are in force.
fn hold_notes(name: &str, holds: &[HoldStatus]) -> Vec<String> {
    let in_force = holds.iter().filter(|hold| hold.in_force);
    let note = in_force.map(|hold| {
        let state = match hold.until {
            Some(until) => format!("is on hold for {}", ago(until.saturating_sub(unix_seconds()))),
            None => "is in quarantine".to_owned(),
        };
        format!("`{name}`: version {} {state} ({})", short(&hold.digest), hold.why)
    });
    note.collect()
}

fn or_none(value: Option<f64>, render: impl Fn(f64) -> String) -> String {
    value.map_or_else(|| NONE.to_owned(), render)
}

fn time(microseconds: Option<f64>) -> String {
    or_none(microseconds, |time| {
        if time < 1_000.0 { format!("{time:.0} us") } else { format!("{:.1} ms", time / 1e3) }
    })
}
