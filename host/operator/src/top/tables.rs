//! The tables and their columns.

use std::sync::LazyLock;

use pointsman_admin_api::{
    AuditEvent, DecisionSummary, ModelOverview, Overview, PolicyStatus, RouteOverview, TrialMode, TrialStatus,
};

use super::figures::{ago, count, money, or_dash, prices, saving, share, short, time};
use super::grid::{Cell, Column, Grid, Row};
use super::palette::Tone;
use super::state::TopState;

/// Share of failed calls above which a model needs attention.
const MANY_ERRORS: f64 = 0.05;

pub(super) fn models(state: &TopState) -> Grid {
    let columns = vec![
        Column::name("MODEL", 0),
        Column::name("HEALTH", 1),
        Column::figure("IN FLIGHT", 5),
        Column::figure("SHARE", 2),
        Column::figure("FIRST TOKEN", 3),
        Column::figure("TOKENS/S", 8),
        Column::figure("ERRORS", 4),
        Column::figure("$/M IN/OUT", 7),
        Column::figure("ANSWERS", 6),
        Column::figure("COST", 9),
    ];
    let models = &overview(state).status.models;
    let all: u64 = models.iter().map(|model| model.requests).sum();
    let shown = models.iter().filter(|model| state.accepts([model.status.id.as_str()]));
    Grid::new(columns, shown.map(|model| model_row(model, all)).collect())
}

fn model_row(model: &ModelOverview, all: u64) -> Row {
    let status = &model.status;
    let part = (all > 0).then(|| model.requests as f64 / all as f64);
    let health = match (status.healthy, status.down_since_ms, status.resting) {
        (false, ..) => ("DOWN", Tone::Bad),
        // Its pause is over, and the next call shows whether it answers.
        (true, Some(_), _) => ("retry", Tone::Warn),
        (true, None, true) => ("rests", Tone::Warn),
        (true, None, false) => ("ok", Tone::Good),
    };
    let errors = if status.error_rate >= MANY_ERRORS { Tone::Warn } else { Tone::Plain };
    Row {
        key: status.id.clone(),
        cells: vec![
            Cell::text(status.id.as_str()),
            Cell::text(health.0).tone(health.1),
            Cell::figure(status.in_flight.into(), count(status.in_flight.into())),
            Cell::optional_figure(part, share),
            Cell::optional_figure(status.first_token_ms, time),
            Cell::optional_figure(status.tokens_per_second, |tokens| format!("{tokens:.0}")),
            Cell::figure(status.error_rate, share(status.error_rate)).tone(errors),
            Cell::figure(
                status.input_usd_per_million + status.output_usd_per_million,
                prices(status.input_usd_per_million, status.output_usd_per_million),
            ),
            Cell::figure(model.requests as f64, count(model.requests)),
            Cell::figure(model.cost_usd, money(model.cost_usd)),
        ],
    }
}

pub(super) fn routes(state: &TopState) -> Grid {
    let columns = vec![
        Column::name("ROUTE", 0),
        Column::name("POLICY", 1),
        Column::name("TRIAL", 4),
        Column::figure("REQUESTS", 2),
        Column::figure("FAILED", 5),
        Column::figure("COST", 6),
        Column::figure("SAVED", 3),
        Column::name("AGAINST", 7),
        Column::figure("MODELS", 8),
    ];
    let shown = overview(state).status.routes.iter().filter(|route| {
        let texts = [route.status.name.as_str(), &route.status.version].into_iter();
        state.accepts(texts.chain(route.models.iter().map(String::as_str)))
    });
    Grid::new(columns, shown.map(route_row).collect())
}

fn route_row(route: &RouteOverview) -> Row {
    let (status, sums) = (&route.status, &route.totals.sums);
    let promoted = if status.promoted.is_some() { " (promoted)" } else { "" };
    let saving = saving(sums);
    Row {
        key: status.name.clone(),
        cells: vec![
            Cell::text(status.name.as_str()),
            Cell::text(format!("{}{promoted}", status.version)),
            Cell::text(or_dash(status.trial.as_ref(), trial_text)).tone(Tone::Accent),
            Cell::figure(route.totals.requests as f64, count(route.totals.requests)),
            failures(sums.failed),
            Cell::figure(sums.cost_usd, money(sums.cost_usd)),
            Cell::optional_figure(saving, share).tone(saving_tone(saving)),
            Cell::text(route.baseline.as_deref().unwrap_or("-")),
            Cell::figure(route.models.len() as f64, count(route.models.len() as u64)),
        ],
    }
}

fn trial_text(trial: &TrialStatus) -> String {
    match (trial.suspended, trial.mode) {
        (true, _) => format!("{}, suspended", trial.policy),
        (false, TrialMode::Canary { percent }) => format!("{} {percent} %", trial.policy),
        (false, TrialMode::Shadow) => format!("{}, shadow", trial.policy),
    }
}

pub(super) fn policies(state: &TopState) -> Grid {
    let columns = vec![
        Column::name("POLICY", 0),
        Column::name("VERSION", 2),
        Column::figure("DECISIONS", 3),
        Column::figure("FAILED", 1),
        Column::figure("P50", 8),
        Column::figure("P99", 4),
        Column::figure("SWAPS", 5),
        Column::text("STATE", 6),
        Column::text("ROUTES", 7),
    ];
    let shown = overview(state).status.policies.iter().filter(|policy| {
        let texts = [policy.name.as_str()].into_iter();
        state.accepts(texts.chain(policy.routes.iter().chain(&policy.on_trial).map(String::as_str)))
    });
    Grid::new(columns, shown.map(policy_row).collect())
}

fn policy_row(policy: &PolicyStatus) -> Row {
    let microseconds = |us: f64| time(us / 1e3);
    let held = policy.holds.iter().filter(|hold| hold.in_force).count();
    let state = match (&policy.rejected, held) {
        (Some(rejected), _) => (format!("rejected: {}", rejected.error), Tone::Bad),
        (None, 0) => ("ok".to_owned(), Tone::Good),
        (None, held) => (format!("{held} held"), Tone::Warn),
    };
    let mut routes = policy.routes.clone();
    routes.extend(policy.on_trial.iter().map(|route| format!("{route} (trial)")));
    Row {
        key: policy.name.clone(),
        cells: vec![
            Cell::text(policy.name.as_str()),
            Cell::text(short(&policy.active)),
            Cell::figure(policy.decisions as f64, count(policy.decisions)),
            failures(policy.failures.iter().map(|(_, count)| count).sum()),
            Cell::optional_figure(policy.active_record.decision_us_p50, microseconds),
            Cell::optional_figure(policy.active_record.decision_us_p99, microseconds),
            Cell::figure(policy.swaps as f64, count(policy.swaps)),
            Cell::text(state.0).tone(state.1),
            Cell::text(if routes.is_empty() { "-".to_owned() } else { routes.join(", ") }),
        ],
    }
}

pub(super) fn decisions(state: &TopState) -> Grid {
    let columns = vec![
        Column::name("AGO", 2),
        Column::name("ROUTE", 1),
        Column::name("LABEL", 6),
        Column::name("MODEL", 0),
        Column::figure("CALLS", 7),
        Column::figure("FIRST TOKEN", 8),
        Column::figure("LATENCY", 3),
        Column::figure("COST", 4),
        Column::text("WHY", 5),
    ];
    let shown = state.decisions.iter().filter(|decision| {
        let texts = [Some(decision.route.as_str()), decision.model.as_deref(), decision.policy.as_deref()];
        state.accepts(texts.into_iter().flatten())
    });
    Grid::new(columns, shown.map(|decision| decision_row(decision, state.now_ms())).collect())
}

fn decision_row(decision: &DecisionSummary, now_ms: u64) -> Row {
    let tone = match decision.ending.as_str() {
        "answered" => Tone::Plain,
        "cancelled" => Tone::Warn,
        _ => Tone::Bad,
    };
    let why = match (&decision.error, &decision.reason) {
        (Some(error), _) => Cell::text(format!("{}: {error}", decision.ending)).tone(tone),
        (None, _) if tone != Tone::Plain => Cell::text(decision.ending.as_str()).tone(tone),
        (None, reason) => Cell::text(reason.as_deref().unwrap_or("")).tone(Tone::Dim),
    };
    let calls = match decision.tasks {
        Some(tasks) => format!("{} for {tasks} tasks", decision.attempts),
        None => count(decision.attempts.into()),
    };
    Row {
        key: decision.id.clone(),
        cells: vec![
            Cell::text(ago(now_ms.saturating_sub(decision.at_ms))),
            Cell::text(decision.route.as_str()),
            Cell::text(decision.label.as_str()),
            Cell::text(decision.model.as_deref().unwrap_or("-")).tone(tone),
            Cell::figure(decision.attempts.into(), calls),
            Cell::optional_figure(decision.first_token_ms, time),
            Cell::figure(decision.latency_ms, time(decision.latency_ms)),
            Cell::figure(decision.cost_usd, money(decision.cost_usd)),
            why,
        ],
    }
}

/// Changes of the audit log, the newest first.
pub(super) fn changes(state: &TopState) -> Grid {
    let columns = vec![
        Column::name("AGO", 1),
        Column::name("CHANGE", 0),
        Column::name("OF", 2),
        Column::name("TO", 3),
        Column::name("FROM", 6),
        Column::name("BY", 5),
        Column::text("WHY", 4),
    ];
    let overview = overview(state);
    let shown = overview.changes.iter().filter(|change| {
        state.accepts(
            [&change.policy, &change.route, &change.model, &change.key]
                .into_iter()
                .filter_map(|name| name.as_deref()),
        )
    });
    Grid::new(columns, shown.map(|change| change_row(change, overview.status.now_ms)).collect())
}

fn change_row(change: &AuditEvent, now_ms: u64) -> Row {
    let version = |digest: &Option<String>| or_dash(digest.as_deref(), |digest| short(digest).to_owned());
    let of = match (change.policy.as_ref().or(change.model.as_ref()).or(change.key.as_ref()), &change.route) {
        (Some(policy), Some(route)) => format!("{policy} at {route}"),
        (Some(one), None) | (None, Some(one)) => one.clone(),
        (None, None) => "-".to_owned(),
    };
    Row {
        key: String::new(),
        cells: vec![
            Cell::text(ago(now_ms.saturating_sub(change.at.saturating_mul(1_000)))),
            Cell::text(change.action.as_str()).tone(Tone::Accent),
            Cell::text(of),
            Cell::text(version(&change.digest)),
            Cell::text(version(&change.from)),
            Cell::text(change.actor()),
            Cell::text(change.why.as_deref().unwrap_or("")).tone(Tone::Dim),
        ],
    }
}

fn failures(failed: u64) -> Cell {
    let tone = if failed > 0 { Tone::Bad } else { Tone::Plain };
    Cell::figure(failed as f64, count(failed)).tone(tone)
}

/// Returns the tone of a saving: spending more than the baseline needs attention.
pub(super) fn saving_tone(saving: Option<f64>) -> Tone {
    match saving {
        Some(saving) if saving < 0.0 => Tone::Warn,
        Some(saving) if saving > 0.0 => Tone::Good,
        _ => Tone::Plain,
    }
}

/// Returns the overview, or an empty one before the first update.
fn overview(state: &TopState) -> &Overview {
    static EMPTY: LazyLock<Overview> = LazyLock::new(Overview::default);
    state.overview.as_ref().unwrap_or(&EMPTY)
}
