//! Costs of requests by their routes, beside those at the baseline.

use pointsman_terminal::TextTable;

use crate::fleet::RoutedAnswer;
use crate::requests::{BASELINE, Request};

/// Change below which two figures are called equal.
const EQUAL: f64 = 0.005;

/// A request, its answer by a route, and its answer by the baseline.
pub(crate) struct Comparison<'a> {
    pub(crate) request: &'a Request,
    pub(crate) routed: RoutedAnswer,
    /// `None` if the baseline cannot serve it.
    pub(crate) baseline: Option<RoutedAnswer>,
}

/// Renders one line for each request.
pub(crate) fn table(rows: &[Comparison<'_>]) -> String {
    let mut table = TextTable::new(&[
        "  ROUTE",
        "REQUEST",
        "DECISION",
        "MODEL",
        "LATENCY",
        "COST",
        "BASELINE",
        "COST AGAINST BASELINE",
    ]);
    for Comparison { request, routed, baseline } in rows {
        let (baseline, change) = match baseline {
            Some(baseline) => (
                usd(baseline.cost_usd),
                change(routed.cost_usd, baseline.cost_usd, "cheaper", "more expensive"),
            ),
            None => ("-".to_owned(), "cannot serve it".to_owned()),
        };
        table.add(vec![
            format!("  {}", request.route),
            request.kind.to_owned(),
            routed.route.clone(),
            routed.model.clone(),
            format!("{:.0} ms", routed.latency_ms),
            usd(routed.cost_usd),
            baseline,
            change,
        ]);
    }
    table.render(Vec::new())
}

/// Renders the answers to the same request by two versions of a policy.
pub(crate) fn swap_table(before: &RoutedAnswer, after: &RoutedAnswer) -> String {
    let mut table = TextTable::new(&["  FILE", "POLICY", "DECISION", "MODEL", "COST"]);
    for (when, answer) in [("before", before), ("after", after)] {
        table.add(vec![
            format!("  {when}"),
            answer.policy.clone(),
            answer.route.clone(),
            answer.model.clone(),
            usd(answer.cost_usd),
        ]);
    }
    table.render(Vec::new())
}

/// Sums up the requests that the baseline answered too, in words.
pub(crate) fn summary(rows: &[Comparison<'_>]) -> String {
    let (routed, baseline): (Vec<&RoutedAnswer>, Vec<&RoutedAnswer>) =
        rows.iter().filter_map(|row| Some((&row.routed, row.baseline.as_ref()?))).unzip();
    let cost = |answers: &[&RoutedAnswer]| answers.iter().map(|answer| answer.cost_usd).sum::<f64>();
    let time = |answers: &[&RoutedAnswer]| answers.iter().map(|answer| answer.latency_ms).sum::<f64>();
    let (cost, baseline_cost) = (cost(&routed), cost(&baseline));
    let (time, baseline_time) = (time(&routed), time(&baseline));
    let verdict = match baseline_cost - cost {
        saved if saved >= 0.0 => format!("{} saved", usd(saved)),
        lost => format!("{} more", usd(-lost)),
    };
    format!(
        "The {} requests with text alone cost {} with routing. If {BASELINE} answers all of them, they cost {}:\n\
         {verdict}, {}. They took {time:.0} ms instead of {baseline_time:.0} ms, {}.\n\
         The calls to the baseline were made for this comparison only.",
        routed.len(),
        usd(cost),
        usd(baseline_cost),
        change(cost, baseline_cost, "cheaper", "more expensive"),
        change(time, baseline_time, "faster", "slower"),
    )
}

/// Describes a change by its sign and in words.
fn change(new: f64, baseline: f64, less: &str, more: &str) -> String {
    let change = new / baseline - 1.0;
    match change {
        change if change.abs() < EQUAL => "0 % (equal)".to_owned(),
        change if change < 0.0 => format!("-{:.0} % ({less})", -change * 100.0),
        change if change > 0.0 => format!("+{:.0} % ({more})", change * 100.0),
        _ => "-".to_owned(),
    }
}

fn usd(dollars: f64) -> String {
    format!("${dollars:.5}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::requests::DOZEN;

    fn answer(model: &str, cost_usd: f64, latency_ms: f64) -> RoutedAnswer {
        RoutedAnswer {
            id: "1".to_owned(),
            route: "label".to_owned(),
            policy: "p@1".to_owned(),
            model: model.to_owned(),
            latency_ms,
            cost_usd,
        }
    }

    fn rows(cost_usd: f64, latency_ms: f64) -> [Comparison<'static>; 2] {
        [
            Comparison {
                request: &DOZEN[0],
                routed: answer("a/small", cost_usd, latency_ms),
                baseline: Some(answer(BASELINE, 0.004, 100.0)),
            },
            Comparison { request: &DOZEN[1], routed: answer("a/vision", 9.0, 9.0), baseline: None },
        ]
    }

    #[test]
    fn savings_and_losses_are_named_with_their_sign_and_baseline() {
        let cheaper = rows(0.001, 40.0);
        assert_eq!(
            summary(&cheaper),
            "The 1 requests with text alone cost $0.00100 with routing. If fleet/llama-70b answers all of them, they \
             cost $0.00400:\n$0.00300 saved, -75 % (cheaper). They took 40 ms instead of 100 ms, -60 % (faster).\nThe \
             calls to the baseline were made for this comparison only."
        );
        let text = table(&cheaper);
        assert!(text.contains("$0.00100  $0.00400  -75 % (cheaper)"), "{text}");
        assert!(text.contains("-         cannot serve it"), "{text}");
        let dearer = summary(&rows(0.006, 100.0));
        assert!(dearer.contains("$0.00200 more, +50 % (more expensive)"), "{dearer}");
        assert!(dearer.contains("0 % (equal)"), "{dearer}");
    }
}
