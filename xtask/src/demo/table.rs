//! The tables that the demonstration prints.

use super::fleet::RoutedAnswer;
use super::requests::{LARGEST, Request};

/// A request, its answer by a route, and its answer by the largest model.
pub struct Comparison<'a> {
    pub request: &'a Request,
    pub routed: RoutedAnswer,
    pub baseline: Option<RoutedAnswer>,
}

/// Formats one line for each request.
pub fn format_comparisons(rows: &[Comparison<'_>]) -> String {
    let head = ["route", "request", "decision", "model", "latency", "cost", "largest", "saved"];
    let lines = rows.iter().map(|Comparison { request, routed, baseline }| {
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

/// Formats the answers to the same request by two versions of a policy.
pub fn format_swap(before: &RoutedAnswer, after: &RoutedAnswer) -> String {
    let line = |when: &str, answer: &RoutedAnswer| {
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

/// Sums up the requests that the largest model answered too.
pub fn summary(rows: &[Comparison<'_>]) -> String {
    let (routed, largest): (Vec<&RoutedAnswer>, Vec<&RoutedAnswer>) =
        rows.iter().filter_map(|row| Some((&row.routed, row.baseline.as_ref()?))).unzip();
    let cost = |answers: &[&RoutedAnswer]| answers.iter().map(|answer| answer.cost_usd).sum::<f64>();
    let time = |answers: &[&RoutedAnswer]| answers.iter().map(|answer| answer.latency_ms).sum::<f64>();
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

/// Lays out columns as wide as their longest cell.
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
