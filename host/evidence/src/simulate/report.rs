//! Results of simulations, as text and as JSON.

use pointsman_evaluation::simulation::{ModelReport, QuantileSketch, SimulationReport};
use pointsman_terminal::TextTable;
use serde_json::{Value, json};

use super::Simulated;
use crate::figures::{Latency, count, decimal, milliseconds, percent, usd};
use crate::workload::{Recorded, Workload};

/// Describes worlds side by side, then the models of each.
pub(super) fn text(worlds: &[Simulated], workload: &Workload) -> String {
    let recorded = workload.recorded();
    let mut titles = vec![String::new()];
    titles.extend(worlds.iter().map(|world| world.name.clone()));
    titles.extend(recorded.map(|_| "recorded".to_owned()));
    let titles: Vec<&str> = titles.iter().map(String::as_str).collect();
    let mut table = TextTable::new(&titles);
    for (name, simulated, in_log) in ROWS {
        let mut cells = vec![(*name).to_owned()];
        cells.extend(worlds.iter().map(simulated));
        cells.extend(recorded.map(in_log));
        table.add(cells);
    }
    let mut parts = vec![workload.describe(), table.render(Vec::new())];
    for world in worlds {
        parts.push(models(world, worlds.len() > 1));
    }
    parts.push(notes(worlds).join("\n"));
    parts.join("\n\n")
}

type Row = (&'static str, fn(&Simulated) -> String, fn(&Recorded) -> String);

const ROWS: &[Row] = &[
    ("answered", |it| answered(report(it)), |it| count(it.answered)),
    ("failed", |it| count(report(it).requests.failed()), |it| count(it.failed)),
    (
        "cost a request",
        |it| usd(report(it).mean_cost_usd()),
        |it| usd((it.answered + it.failed > 0).then(|| it.cost_usd / (it.answered + it.failed) as f64)),
    ),
    ("cost in all", |it| usd(Some(report(it).cost.usd())), |it| usd(Some(it.cost_usd))),
    ("latency p50 ms", |it| quantile(&report(it).latency, 0.5), |it| quantile(&it.latency, 0.5)),
    ("latency p95 ms", |it| quantile(&report(it).latency, 0.95), |it| quantile(&it.latency, 0.95)),
    ("latency p99 ms", |it| quantile(&report(it).latency, 0.99), |it| quantile(&it.latency, 0.99)),
    ("first token p50 ms", |it| quantile(&report(it).first_token, 0.5), |it| quantile(&it.first_token, 0.5)),
    (
        "first token p95 ms",
        |it| quantile(&report(it).first_token, 0.95),
        |it| quantile(&it.first_token, 0.95),
    ),
    ("calls a request", |it| decimal(per_answer(report(it), report(it).shape.calls)), |_| "-".to_owned()),
    ("recorded quality", |it| decimal(report(it).mean_recorded_quality()), |_| "-".to_owned()),
    ("takeovers", |it| count(report(it).takeovers), |_| "-".to_owned()),
    ("decision failures", |it| count(report(it).decision_failures.values().sum()), |_| "-".to_owned()),
];

fn report(world: &Simulated) -> &SimulationReport {
    &world.run.report
}

fn answered(report: &SimulationReport) -> String {
    let (answered, total) = (report.requests.answered, report.requests.total());
    format!("{} ({})", count(answered), percent(answered as f64 / total.max(1) as f64))
}

fn quantile(sketch: &QuantileSketch, share: f64) -> String {
    milliseconds(sketch.quantile(share))
}

fn per_answer(report: &SimulationReport, sum: u64) -> Option<f64> {
    let answered = report.requests.answered;
    (answered > 0).then(|| sum as f64 / answered as f64)
}

fn models(world: &Simulated, is_named: bool) -> String {
    let report = report(world);
    let titles =
        ["MODEL", "SHARE", "CALLS", "FAILED", "WORKING", "UTILISED", "QUEUE", "LONGEST", "CACHED", "COST"];
    let mut table = TextTable::new(&titles);
    for model in &report.models {
        table.add(vec![
            model.id.to_string(),
            percent(model.answered as f64 / report.requests.answered.max(1) as f64),
            count(model.calls),
            count(model.failed_calls),
            decimal(Some(model.mean_working)),
            model.utilisation.map_or_else(|| "-".to_owned(), percent),
            decimal(Some(model.mean_queue)),
            count(model.longest_queue.into()),
            percent(cached(model)),
            usd(Some(model.cost.usd())),
        ]);
    }
    let title = if is_named { format!("{}:\n", world.name) } else { String::new() };
    title + &table.render(Vec::new())
}

fn cached(model: &ModelReport) -> f64 {
    model.usage.cached_input_tokens as f64 / model.usage.input_tokens.max(1) as f64
}

fn notes(worlds: &[Simulated]) -> Vec<String> {
    let mut notes = Vec::new();
    for world in worlds {
        let report = report(world);
        let name = if worlds.len() > 1 { format!("{}: ", world.name) } else { String::new() };
        let requests = report.requests;
        let kinds = [
            ("no answer", requests.no_answer),
            ("deadline", requests.deadline),
            ("refused by the policy", requests.refused),
            ("no model can serve them", requests.no_candidate),
            ("the policy failed", requests.rejected),
            ("a task failed", requests.task_failed),
        ];
        let kinds = kinds.iter().filter(|(_, count)| *count > 0);
        let kinds: Vec<String> = kinds.map(|(kind, number)| format!("{kind} {}", count(*number))).collect();
        if !kinds.is_empty() {
            notes.push(format!("{name}failed: {}", kinds.join(", ")));
        }
        let reasons =
            report.decision_failures.iter().map(|(reason, number)| format!("{reason} {}", count(*number)));
        let reasons: Vec<String> = reasons.collect();
        if !reasons.is_empty() {
            notes.push(format!("{name}decision failures: {}", reasons.join(", ")));
        }
        let mut labels: Vec<(&String, &u64)> = report.labels.iter().collect();
        labels.sort_by_key(|(label, count)| (std::cmp::Reverse(**count), (*label).clone()));
        let labels: Vec<String> =
            labels.iter().take(8).map(|(label, number)| format!("{label} {}", count(**number))).collect();
        notes.push(format!("{name}labels: {}", labels.join(", ")));
        let seconds = world.run.took.as_secs_f64();
        let speed = requests.total() as f64 / seconds.max(1e-9);
        notes.push(format!(
            "{name}{:.0} s simulated in {seconds:.2} s: {} requests/s",
            report.simulated.as_secs_f64(),
            count(speed as u64)
        ));
    }
    notes
}

/// Describes worlds for programs.
pub(super) fn json(worlds: &[Simulated], workload: &Workload) -> Value {
    let world = |world: &Simulated| {
        let mut report = json_of(&world.run.report);
        let seconds = world.run.took.as_secs_f64();
        report["name"] = world.name.as_str().into();
        report["route"] = world.world.route.name.as_str().into();
        report["wall_seconds"] = seconds.into();
        report["requests_per_wall_second"] =
            (world.run.report.requests.total() as f64 / seconds.max(1e-9)).into();
        report
    };
    let mut report = json!({
        "requests": workload.count(),
        "seed": workload.seed(),
        "worlds": worlds.iter().map(world).collect::<Vec<_>>(),
    });
    if let Some(recorded) = workload.recorded() {
        let requests = (recorded.answered + recorded.failed).max(1);
        report["recorded"] = json!({
            "answered": recorded.answered,
            "failed": recorded.failed,
            "left_out": recorded.left_out,
            "mean_cost_usd": recorded.cost_usd / requests as f64,
            "latency_ms": Latency::of(&recorded.latency),
            "first_token_ms": Latency::of(&recorded.first_token),
        });
    }
    report
}

/// Returns the results of a simulation for programs.
pub fn json_of(report: &SimulationReport) -> Value {
    let requests = report.requests;
    let model = |model: &ModelReport| {
        json!({
            "model": model.id.as_str(),
            "answered": model.answered,
            "calls": model.calls,
            "failed_calls": model.failed_calls,
            "rejected_calls": model.rejected,
            "mean_working": model.mean_working,
            "utilisation": model.utilisation,
            "mean_queue": model.mean_queue,
            "longest_queue": model.longest_queue,
            "input_tokens": model.usage.input_tokens,
            "cached_input_tokens": model.usage.cached_input_tokens,
            "output_tokens": model.usage.output_tokens,
            "cost_usd": model.cost.usd(),
        })
    };
    json!({
        "answered": requests.answered,
        "failed": {
            "total": requests.failed(),
            "no_answer": requests.no_answer,
            "deadline": requests.deadline,
            "refused": requests.refused,
            "no_candidate": requests.no_candidate,
            "rejected": requests.rejected,
            "task": requests.task_failed,
        },
        "cost_usd": report.cost.usd(),
        "mean_cost_usd": report.mean_cost_usd(),
        "latency_ms": Latency::of(&report.latency),
        "first_token_ms": Latency::of(&report.first_token),
        "takeovers": report.takeovers,
        "timeouts": report.timeouts,
        "hedges": report.hedges,
        "decision_failures": report.decision_failures,
        "labels": report.labels,
        "calls": report.shape.calls,
        "requests_with_several_calls": report.shape.with_several_calls,
        "mean_depth": per_answer(report, report.shape.depth),
        "largest_depth": report.shape.largest_depth,
        "stated_quality": report.mean_stated_quality(),
        "recorded_quality": report.mean_recorded_quality(),
        "scored_answers": report.recorded_quality.1,
        "simulated_seconds": report.simulated.as_secs_f64(),
        "models": report.models.iter().map(model).collect::<Vec<_>>(),
    })
}
