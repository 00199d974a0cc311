//! What the demonstration prints.

use super::fleet::Answer;
use super::requests::{LARGEST, Request};

/// A request, how it was routed, and the largest model's answer to it.
pub struct Row<'a> {
    pub request: &'a Request,
    pub routed: Answer,
    pub baseline: Option<Answer>,
}

/// One line for each request.
pub fn of_routes(rows: &[Row<'_>]) -> String {
    let head = ["route", "request", "decision", "model", "latency", "cost", "largest", "saved"];
    let lines = rows.iter().map(|Row { request, routed, baseline }| {
        let (largest, saved) = match baseline {
            Some(baseline) => (usd(baseline.cost_usd), percent(1.0 - routed.cost_usd / baseline.cost_usd)),
            None => ("cannot".to_owned(), "-".to_owned()),
        };
        [
            request.route.to_owned(),
            request.kind.to_owned(),
            routed.route.clone(),
            routed.model.clone(),
            ms(routed.latency_ms),
            usd(routed.cost_usd),
            largest,
            saved,
        ]
    });
    table(head, lines)
}

/// The same request under two versions of a policy.
pub fn of_swap(before: &Answer, after: &Answer) -> String {
    let line = |when: &str, answer: &Answer| {
        [
            when.to_owned(),
            answer.policy.clone(),
            answer.route.clone(),
            answer.model.clone(),
            usd(answer.cost_usd),
        ]
    };
    table(["", "policy", "decision", "model", "cost"], [line("before", before), line("after", after)])
}

/// What routing saved, over the requests that the largest model could answer too.
pub fn summary(rows: &[Row<'_>]) -> String {
    let (routed, largest): (Vec<&Answer>, Vec<&Answer>) =
        rows.iter().filter_map(|row| Some((&row.routed, row.baseline.as_ref()?))).unzip();
    let cost = |answers: &[&Answer]| answers.iter().map(|answer| answer.cost_usd).sum::<f64>();
    let time = |answers: &[&Answer]| answers.iter().map(|answer| answer.latency_ms).sum::<f64>();
    format!(
        "{} text requests: {} routed against {} with {LARGEST} for all, {} saved; {:.0} ms against {:.0} ms in all.",
        routed.len(),
        usd(cost(&routed)),
        usd(cost(&largest)),
        percent(1.0 - cost(&routed) / cost(&largest)),
        time(&routed),
        time(&largest)
    )
}

fn usd(dollars: f64) -> String {
    format!("${dollars:.5}")
}

fn ms(milliseconds: f64) -> String {
    format!("{milliseconds:.0} ms")
}

fn percent(share: f64) -> String {
    format!("{:.0} %", share * 100.0)
}

/// Columns as wide as their longest cell.
fn table<const N: usize>(head: [&str; N], lines: impl IntoIterator<Item = [String; N]>) -> String {
    let lines: Vec<[String; N]> = std::iter::once(head.map(str::to_owned)).chain(lines).collect();
    let widths: [usize; N] = std::array::from_fn(|column| {
        lines.iter().map(|line| line[column].chars().count()).max().unwrap_or(0)
    });
    let rule = widths.map(|width| "-".repeat(width));
    let (first, rest) = lines.split_at(1);
    let print = |line: &[String; N]| {
        let cells: Vec<String> =
            line.iter().zip(widths).map(|(cell, width)| format!("{cell:width$}")).collect();
        format!("  {}", cells.join("  ").trim_end())
    };
    first.iter().chain([&rule]).chain(rest).map(print).collect::<Vec<_>>().join("\n")
}
