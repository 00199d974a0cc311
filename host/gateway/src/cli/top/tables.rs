//! The tables: what is in which column.

use super::figures::{ago, count, money, or_dash, prices, share, short, time};
use super::grid::{Cell, Column, Grid, Row};
use super::palette::Tone;
use super::state::State;
use super::told::{Change, Model, Overview, Policy, Route, Summary, Trial};

/// Share of failed calls from which on a model is worth a look.
const MANY_ERRORS: f64 = 0.05;

pub(super) fn models(state: &State) -> Grid {
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
    let overview = told(state);
    let all: u64 = overview.models.iter().map(|model| model.requests).sum();
    let shown = overview.models.iter().filter(|model| state.shows([model.id.as_str()]));
    Grid::new(columns, shown.map(|model| of_model(model, all)).collect())
}

fn of_model(model: &Model, all: u64) -> Row {
    let part = (all > 0).then(|| model.requests as f64 / all as f64);
    let health = match (model.healthy, model.resting) {
        (false, _) => ("DOWN", Tone::Bad),
        (true, true) => ("rests", Tone::Warn),
        (true, false) => ("ok", Tone::Good),
    };
    let errors = if model.error_rate >= MANY_ERRORS { Tone::Warn } else { Tone::Plain };
    Row {
        key: model.id.clone(),
        cells: vec![
            Cell::text(model.id.as_str()),
            Cell::text(health.0).toned(health.1),
            Cell::figure(model.in_flight as f64, count(model.in_flight)),
            Cell::perhaps(part, share),
            Cell::perhaps(model.first_token_ms, time),
            Cell::perhaps(model.tokens_per_second, |tokens| format!("{tokens:.0}")),
            Cell::figure(model.error_rate, share(model.error_rate)).toned(errors),
            Cell::figure(
                model.input_usd_per_million + model.output_usd_per_million,
                prices(model.input_usd_per_million, model.output_usd_per_million),
            ),
            Cell::figure(model.requests as f64, count(model.requests)),
            Cell::figure(model.cost_usd, money(model.cost_usd)),
        ],
    }
}

pub(super) fn routes(state: &State) -> Grid {
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
    let shown = told(state).routes.iter().filter(|route| {
        let texts = [route.name.as_str(), &route.version].into_iter();
        state.shows(texts.chain(route.models.iter().map(String::as_str)))
    });
    Grid::new(columns, shown.map(of_route).collect())
}

fn of_route(route: &Route) -> Row {
    let sums = &route.sums;
    let promoted = if route.promoted.is_some() { " (promoted)" } else { "" };
    let saving = Cell::perhaps(sums.saving(), share).toned(saving_tone(sums.saving()));
    Row {
        key: route.name.clone(),
        cells: vec![
            Cell::text(route.name.as_str()),
            Cell::text(format!("{}{promoted}", route.version)),
            Cell::text(or_dash(route.trial.as_ref(), on_trial)).toned(Tone::Accent),
            Cell::figure(sums.requests as f64, count(sums.requests)),
            failures(sums.failed),
            Cell::figure(sums.cost_usd, money(sums.cost_usd)),
            saving,
            Cell::text(route.baseline.as_deref().unwrap_or("-")),
            Cell::figure(route.models.len() as f64, count(route.models.len() as u64)),
        ],
    }
}

fn on_trial(trial: &Trial) -> String {
    match (trial.suspended, trial.percent) {
        (true, _) => format!("{}, suspended", trial.policy),
        (false, Some(percent)) => format!("{} {percent} %", trial.policy),
        (false, None) => format!("{}, shadow", trial.policy),
    }
}

pub(super) fn policies(state: &State) -> Grid {
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
    let shown = told(state).policies.iter().filter(|policy| {
        let texts = [policy.name.as_str()].into_iter();
        state.shows(texts.chain(policy.routes.iter().chain(&policy.on_trial).map(String::as_str)))
    });
    Grid::new(columns, shown.map(of_policy).collect())
}

fn of_policy(policy: &Policy) -> Row {
    let microseconds = |us: f64| time(us / 1e3);
    let held = policy.holds.iter().filter(|hold| hold.in_force).count();
    let standing = match (&policy.rejected, held) {
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
            failures(policy.failed()),
            Cell::perhaps(policy.active_record.decision_us_p50, microseconds),
            Cell::perhaps(policy.active_record.decision_us_p99, microseconds),
            Cell::figure(policy.swaps as f64, count(policy.swaps)),
            Cell::text(standing.0).toned(standing.1),
            Cell::text(if routes.is_empty() { "-".to_owned() } else { routes.join(", ") }),
        ],
    }
}

pub(super) fn decisions(state: &State) -> Grid {
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
        state.shows(texts.into_iter().flatten())
    });
    Grid::new(columns, shown.map(|decision| of_decision(decision, state.told_ms())).collect())
}

fn of_decision(decision: &Summary, now_ms: u64) -> Row {
    let tone = match decision.ending.as_str() {
        "answered" => Tone::Plain,
        "cancelled" => Tone::Warn,
        _ => Tone::Bad,
    };
    let why = match (&decision.error, &decision.reason) {
        (Some(error), _) => Cell::text(format!("{}: {error}", decision.ending)).toned(tone),
        (None, _) if tone != Tone::Plain => Cell::text(decision.ending.as_str()).toned(tone),
        (None, reason) => Cell::text(reason.as_deref().unwrap_or("")).toned(Tone::Dim),
    };
    let calls = match decision.tasks {
        Some(tasks) => format!("{} for {tasks} tasks", decision.attempts),
        None => count(decision.attempts),
    };
    Row {
        key: decision.id.clone(),
        cells: vec![
            Cell::text(ago(now_ms.saturating_sub(decision.at_ms))),
            Cell::text(decision.route.as_str()),
            Cell::text(decision.label.as_str()),
            Cell::text(decision.model.as_deref().unwrap_or("-")).toned(tone),
            Cell::figure(decision.attempts as f64, calls),
            Cell::perhaps(decision.first_token_ms, time),
            Cell::figure(decision.latency_ms, time(decision.latency_ms)),
            Cell::figure(decision.cost_usd, money(decision.cost_usd)),
            why,
        ],
    }
}

/// The audit log, the newest first.
pub(super) fn changes(state: &State) -> Grid {
    let columns = vec![
        Column::name("AGO", 1),
        Column::name("CHANGE", 0),
        Column::name("OF", 2),
        Column::name("TO", 3),
        Column::name("FROM", 6),
        Column::name("BY", 5),
        Column::text("WHY", 4),
    ];
    let overview = told(state);
    let shown = overview.changes.iter().filter(|change| {
        state.shows([change.policy.as_deref(), change.route.as_deref()].into_iter().flatten())
    });
    Grid::new(columns, shown.map(|change| of_change(change, overview.now_ms)).collect())
}

fn of_change(change: &Change, now_ms: u64) -> Row {
    let version = |digest: &Option<String>| or_dash(digest.as_deref(), |digest| short(digest).to_owned());
    let of = match (&change.policy, &change.route) {
        (Some(policy), Some(route)) => format!("{policy} at {route}"),
        (Some(one), None) | (None, Some(one)) => one.clone(),
        (None, None) => "-".to_owned(),
    };
    Row {
        key: String::new(),
        cells: vec![
            Cell::text(ago(now_ms.saturating_sub(change.at.saturating_mul(1_000)))),
            Cell::text(change.action.as_str()).toned(Tone::Accent),
            Cell::text(of),
            Cell::text(version(&change.digest)),
            Cell::text(version(&change.from)),
            Cell::text(change.who()),
            Cell::text(change.why.as_deref().unwrap_or("")).toned(Tone::Dim),
        ],
    }
}

fn failures(failed: u64) -> Cell {
    let tone = if failed > 0 { Tone::Bad } else { Tone::Plain };
    Cell::figure(failed as f64, count(failed)).toned(tone)
}

/// Spending more than the baseline is worth a look.
pub(super) fn saving_tone(saving: Option<f64>) -> Tone {
    match saving {
        Some(saving) if saving < 0.0 => Tone::Warn,
        Some(saving) if saving > 0.0 => Tone::Good,
        _ => Tone::Plain,
    }
}

fn told(state: &State) -> &Overview {
    static NOTHING: std::sync::LazyLock<Overview> = std::sync::LazyLock::new(Overview::default);
    state.overview.as_ref().unwrap_or(&NOTHING)
}
