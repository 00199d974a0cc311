//! The Gantt chart of a plan: a bar for each task over time, with the critical path highlighted.

use std::fmt::Write;

use pointsman_admin_api::{PlanTrace, TaskTrace};

const WIDTH: f64 = 960.0;
const LEFT: f64 = 180.0;
const RIGHT: f64 = 190.0;
const TOP: f64 = 64.0;
const ROW: f64 = 28.0;
const BAR: f64 = 18.0;
/// Characters that fit to the left of the bars.
const MAX_NAME: usize = 24;
/// Characters that fit to the right of the longest bar.
const MAX_LABEL: usize = 30;
/// Lines of the time axis, not counting the first.
const TICKS: u32 = 4;

const STYLE: &str = "\
    svg{color-scheme:light dark;font:12px system-ui,sans-serif;background:#fff}\
    text{fill:#1c2733}.small{fill:#5b6b7b}.head{font-size:15px;font-weight:600}\
    .grid{stroke:#dfe5eb}.done{fill:#9db8d4}.critical{fill:#1f6fb2}.failed{fill:#c2453c}\
    .cancelled{fill:#b9a45a}.skipped{fill:none;stroke:#b8c2cc;stroke-dasharray:3 3}\
    @media(prefers-color-scheme:dark){svg{background:#12181f}text{fill:#e4eaf0}.small{fill:#93a3b3}\
    .grid{stroke:#2b3641}.done{fill:#41617f}.critical{fill:#4aa3ec}}";

/// Renders the chart as SVG.
pub(super) fn render(trace: &PlanTrace) -> String {
    let height = TOP + ROW * trace.plan.tasks.len() as f64 + 34.0;
    let total = trace.latency_ms.max(0.001);
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {height}\" width=\"{WIDTH}\" \
         height=\"{height}\" role=\"img\" aria-label=\"Tasks of plan {}\"><style>{STYLE}</style>",
        escaped(&trace.id)
    );
    head(trace, &mut svg);
    axis(total, height, &mut svg);
    for (row, task) in trace.plan.tasks.iter().enumerate() {
        bar(trace, task, row, total, &mut svg);
    }
    svg.push_str("</svg>\n");
    svg
}

fn head(trace: &PlanTrace, svg: &mut String) {
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
        let x = x_of(time, total);
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

fn bar(trace: &PlanTrace, task: &TaskTrace, row: usize, total: f64, svg: &mut String) {
    let y = TOP + ROW * row as f64;
    let baseline = y + BAR - 5.0;
    let class = match task.status.as_str() {
        "done" if trace.plan.critical_path.contains(&task.number) => "critical",
        status => status,
    };
    let (begun, ended) = match (task.begun_ms, task.ended_ms) {
        (Some(begun), Some(ended)) => (begun, ended),
        _ => (0.0, total),
    };
    let (from, to) = (x_of(begun, total), x_of(ended, total));
    let _ = write!(
        svg,
        "<text x=\"14\" y=\"{baseline}\">{}</text><rect class=\"{class}\" x=\"{from:.1}\" y=\"{y}\" rx=\"3\" \
         width=\"{:.1}\" height=\"{BAR}\"><title>{}</title></rect><text class=\"small\" x=\"{:.1}\" \
         y=\"{baseline}\">{}</text>",
        escaped(&shorten(&task.name, MAX_NAME)),
        (to - from).max(2.0),
        escaped(&tooltip(task)),
        to + 6.0,
        escaped(&shorten(&label(task), MAX_LABEL)),
    );
}

/// Returns the text to the right of a bar.
fn label(task: &TaskTrace) -> String {
    let model = task.model.as_deref().unwrap_or(&task.status);
    match (task.begun_ms, task.ended_ms) {
        (Some(begun), Some(ended)) => format!("{model}, {:.0} ms", ended - begun),
        _ => model.to_owned(),
    }
}

/// Returns the tooltip of a bar.
fn tooltip(task: &TaskTrace) -> String {
    let TaskTrace { name, operation, status, attempts, input_tokens, output_tokens, cost_usd, .. } = task;
    let mut text = format!(
        "{name} ({operation}): {status}, calls: {attempts}, tokens: {input_tokens} + {output_tokens}, \
         ${cost_usd:.6}"
    );
    if let Some(error) = &task.error {
        let _ = write!(text, "; {error}");
    }
    text
}

fn x_of(time: f64, total: f64) -> f64 {
    LEFT + (WIDTH - LEFT - RIGHT) * (time / total).clamp(0.0, 1.0)
}

/// Cuts a text after `max` characters. The tooltip has the whole text.
fn shorten(text: &str, max: usize) -> String {
    match text.char_indices().nth(max) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

#[cfg(test)]
mod tests;
