//! A plan as a chart: a bar for each task over time, those of the critical path
//! set off.

use std::fmt::Write;

use pointsman_telemetry::record::Task;

use super::PlanTrace;

const WIDTH: f64 = 960.0;
const LEFT: f64 = 180.0;
const RIGHT: f64 = 190.0;
const TOP: f64 = 64.0;
const ROW: f64 = 28.0;
const BAR: f64 = 18.0;
/// Characters that fit left of the bars, and beside the longest one.
const MOST_NAME: usize = 24;
const MOST_BESIDE: usize = 30;
/// Lines of the time axis, besides the first.
const TICKS: u32 = 4;

const STYLE: &str = "\
    svg{color-scheme:light dark;font:12px system-ui,sans-serif;background:#fff}\
    text{fill:#1c2733}.small{fill:#5b6b7b}.head{font-size:15px;font-weight:600}\
    .grid{stroke:#dfe5eb}.done{fill:#9db8d4}.critical{fill:#1f6fb2}.failed{fill:#c2453c}\
    .cancelled{fill:#b9a45a}.skipped{fill:none;stroke:#b8c2cc;stroke-dasharray:3 3}\
    @media(prefers-color-scheme:dark){svg{background:#12181f}text{fill:#e4eaf0}.small{fill:#93a3b3}\
    .grid{stroke:#2b3641}.done{fill:#41617f}.critical{fill:#4aa3ec}}";

/// The picture, as SVG.
pub(super) fn picture(trace: &PlanTrace<'_>) -> String {
    let height = TOP + ROW * trace.plan.tasks.len() as f64 + 34.0;
    let total = trace.latency_ms.max(0.001);
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {height}\" width=\"{WIDTH}\" \
         height=\"{height}\" role=\"img\" aria-label=\"Tasks of plan {}\"><style>{STYLE}</style>",
        escaped(trace.id)
    );
    head(trace, &mut svg);
    axis(total, height, &mut svg);
    for (row, task) in trace.plan.tasks.iter().enumerate() {
        bar(trace, task, row, total, &mut svg);
    }
    svg.push_str("</svg>\n");
    svg
}

fn head(trace: &PlanTrace<'_>, svg: &mut String) {
    let PlanTrace { label, route, policy, latency_ms, cost_usd, ending, .. } = trace;
    let critical_path_ms = trace.plan.critical_path_ms;
    let _ = write!(
        svg,
        "<text class=\"head\" x=\"14\" y=\"24\">{}</text><text class=\"small\" x=\"14\" y=\"42\">route {}, \
         {}; {ending} after {latency_ms:.1} ms, critical path {critical_path_ms:.1} ms, ${cost_usd:.6}</text>",
        escaped(label),
        escaped(route),
        escaped(policy),
    );
}

fn axis(total: f64, height: f64, svg: &mut String) {
    for tick in 0..=TICKS {
        let time = total * f64::from(tick) / f64::from(TICKS);
        let x = place(time, total);
        let _ = write!(
            svg,
            "<line class=\"grid\" x1=\"{x:.1}\" x2=\"{x:.1}\" y1=\"{}\" y2=\"{}\"/><text class=\"small\" \
             text-anchor=\"middle\" x=\"{x:.1}\" y=\"{}\">{time:.0} ms</text>",
            TOP - 8.0,
            height - 26.0,
            height - 10.0,
        );
    }
}

fn bar(trace: &PlanTrace<'_>, task: &Task<'_>, row: usize, total: f64, svg: &mut String) {
    let y = TOP + ROW * row as f64;
    let baseline = y + BAR - 5.0;
    let class = match task.status {
        "done" if trace.plan.critical_path.contains(&task.number) => "critical",
        status => status,
    };
    let (begun, ended) = match (task.begun_ms, task.ended_ms) {
        (Some(begun), Some(ended)) => (begun, ended),
        _ => (0.0, total),
    };
    let (from, to) = (place(begun, total), place(ended, total));
    let _ = write!(
        svg,
        "<text x=\"14\" y=\"{baseline}\">{}</text><rect class=\"{class}\" x=\"{from:.1}\" y=\"{y}\" rx=\"3\" \
         width=\"{:.1}\" height=\"{BAR}\"><title>{}</title></rect><text class=\"small\" x=\"{:.1}\" \
         y=\"{baseline}\">{}</text>",
        escaped(&short(task.name, MOST_NAME)),
        (to - from).max(2.0),
        escaped(&told(task)),
        to + 6.0,
        escaped(&short(&beside(task), MOST_BESIDE)),
    );
}

/// What stands beside a bar.
fn beside(task: &Task<'_>) -> String {
    let model = task.model.unwrap_or(task.status);
    match (task.begun_ms, task.ended_ms) {
        (Some(begun), Some(ended)) => format!("{model}, {:.0} ms", ended - begun),
        _ => model.to_owned(),
    }
}

/// What is told when a pointer rests on a bar.
fn told(task: &Task<'_>) -> String {
    let Task { name, operation, status, attempts, input_tokens, output_tokens, cost_usd, .. } = task;
    let mut text = format!(
        "{name} ({operation}): {status}, calls: {attempts}, tokens: {input_tokens} + {output_tokens}, \
         ${cost_usd:.6}"
    );
    if let Some(error) = task.error {
        let _ = write!(text, "; {error}");
    }
    text
}

fn place(time: f64, total: f64) -> f64 {
    LEFT + (WIDTH - LEFT - RIGHT) * (time / total).clamp(0.0, 1.0)
}

/// A text that has to fit beside others; what rests on the bar has all of it.
fn short(text: &str, most: usize) -> String {
    match text.char_indices().nth(most) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

#[cfg(test)]
mod tests;
