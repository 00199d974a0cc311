//! Sides of a comparison, as text and as JSON.

use pointsman_evaluation::trade_off::{Payback, PaybackInputs};
use pointsman_terminal::TextTable;
use serde_json::{Value, json};

use super::side::SideFigures;
use crate::figures::{count, decimal, percent, usd};
use crate::workload::Workload;

/// Describes the sides side by side.
pub(super) fn text(
    sides: &[SideFigures],
    workload: &Workload,
    inputs: &PaybackInputs,
    is_live: bool,
) -> String {
    let mut titles = vec![""];
    titles.extend(sides.iter().map(|side| side.name.as_str()));
    let mut table = TextTable::new(&titles);
    let mut row = |name: &str, cell: &dyn Fn(&SideFigures) -> String| {
        let cells = std::iter::once(name.to_owned()).chain(sides.iter().map(cell));
        table.add(cells.collect());
    };
    row("answered", &|it| count(it.answered));
    row("failed", &|it| count(it.failed));
    row("cost a request", &|it| usd(it.mean_cost_usd));
    row("cost a month", &|it| usd(it.mean_cost_usd.map(|cost| cost * inputs.requests_per_month)));
    row("latency p50 ms", &|it| decimal(it.latency.p50));
    row("latency p95 ms", &|it| decimal(it.latency.p95));
    row("latency p99 ms", &|it| decimal(it.latency.p99));
    if !is_live {
        row("first token p50 ms", &|it| decimal(it.first_token.p50));
        row("stated quality", &|it| decimal(it.quality));
    }
    if !workload.graded_models().is_empty() && !is_live {
        row("recorded quality", &|it| it.recorded_quality.0.map_or_else(|| "-".to_owned(), score));
        row("scored answers", &|it| count(it.recorded_quality.1));
    }
    row("calls a request", &|it| decimal(Some(it.complexity.calls)));
    row("with several calls", &|it| percent(it.complexity.several_calls));
    if !is_live {
        row("depth mean", &|it| decimal(Some(it.complexity.depth)));
        row("depth largest", &|it| it.largest_depth.to_string());
    }
    row("providers", &|it| count(it.complexity.providers));
    if !is_live {
        row("policy lines", &|it| known(it.complexity.policy_lines));
        row("configuration lines", &|it| known(it.complexity.configuration_lines));
    }
    row("complexity", &|it| {
        format!("{} ({} points)", it.complexity.rating().as_str(), it.complexity.points())
    });
    let mut number = 0;
    row("payback", &|it| payback_text(payback(sides, it, inputs)));
    for side in sides {
        number = number.max(side.models.len());
    }
    for rank in 0..number {
        let name = if rank == 0 { "calls by model" } else { "" };
        row(name, &|it| {
            it.models
                .get(rank)
                .map_or_else(String::new, |(model, calls)| format!("{model} {}", count(*calls)))
        });
    }
    let mut notes = vec![format!(
        "payback against {}: {} requests a month, {} once, {} a month",
        sides.first().map_or("", |first| first.name.as_str()),
        count(inputs.requests_per_month as u64),
        usd(Some(inputs.one_off_usd)),
        usd(Some(inputs.monthly_usd)),
    )];
    if is_live {
        notes.push(
            "measured at the running gateway; depth and lines are not known from there, and count 0"
                .to_owned(),
        );
    }
    format!("{}\n\n{}", workload.describe(), table.render(notes))
}

/// Returns a score with three decimals.
fn score(score: f64) -> String {
    format!("{score:.3}")
}

fn known(number: Option<u64>) -> String {
    number.map_or_else(|| "-".to_owned(), count)
}

/// Returns the payback of a side against the first one; `None` for the first one, and without costs.
fn payback(sides: &[SideFigures], side: &SideFigures, inputs: &PaybackInputs) -> Option<Payback> {
    let first = sides.first()?;
    if std::ptr::eq(first, side) {
        return None;
    }
    Some(Payback::of(first.mean_cost_usd?, side.mean_cost_usd?, inputs))
}

fn payback_text(payback: Option<Payback>) -> String {
    match payback {
        None => "-".to_owned(),
        Some(Payback { months: None, monthly_saving_usd }) => {
            format!("never ({} a month)", usd(Some(monthly_saving_usd)))
        }
        Some(Payback { months: Some(months), monthly_saving_usd }) => {
            format!("{} months ({} a month)", decimal(Some(months)), usd(Some(monthly_saving_usd)))
        }
    }
}

/// Describes the sides for programs.
pub(super) fn json(sides: &[SideFigures], workload: &Workload, inputs: &PaybackInputs) -> Value {
    let side = |side: &SideFigures| {
        let payback = payback(sides, side, inputs);
        json!({
            "side": side.name,
            "answered": side.answered,
            "failed": side.failed,
            "mean_cost_usd": side.mean_cost_usd,
            "monthly_cost_usd": side.mean_cost_usd.map(|cost| cost * inputs.requests_per_month),
            "latency_ms": side.latency,
            "first_token_ms": side.first_token,
            "stated_quality": side.quality,
            "recorded_quality": side.recorded_quality.0,
            "scored_answers": side.recorded_quality.1,
            "complexity": side.complexity,
            "largest_depth": side.largest_depth,
            "points": side.complexity.points(),
            "rating": side.complexity.rating(),
            "payback": payback,
            "calls_by_model": side.models.iter().cloned().collect::<std::collections::BTreeMap<_, _>>(),
        })
    };
    json!({
        "requests": workload.count(),
        "seed": workload.seed(),
        "payback_inputs": inputs,
        "sides": sides.iter().map(side).collect::<Vec<_>>(),
    })
}
