//! The report of an evaluation, for people.

use pointsman_evaluation::graded::StrategyResult;
use pointsman_terminal::TextTable;

use super::Evaluation;

/// Renders the report.
pub(super) fn text(evaluation: &Evaluation) -> String {
    let Evaluation { rows, models, .. } = evaluation;
    let mut heading =
        format!("{} models; {} rows learnt from, {} reported", models.len(), rows.train, rows.test);
    if rows.leaks > 0 {
        heading += &format!("; {} left out, whose request is learnt from", rows.leaks);
    }
    let timed = evaluation.baselines.iter().any(|line| line.latency_ms.is_some());
    let mut titles =
        vec!["strategy", "score", "$ per 1,000", "saved", "against best", "above hull", "models"];
    if timed {
        titles.push("latency");
    }
    let mut table = TextTable::new(&titles);
    for line in evaluation.baselines.iter().chain(&evaluation.policies) {
        table.add(cells(line, models));
    }
    let table = table.render(notes(evaluation));
    format!("{heading}\n\n{table}")
}

fn cells(line: &StrategyResult, models: &[String]) -> Vec<String> {
    let StrategyResult { score, saved, difference, above_hull, .. } = line;
    let percent = [saved.value, saved.low, saved.high].map(|share| 100.0 * share);
    let used =
        if line.models == 1 { "one".to_owned() } else { format!("{} of {}", line.models, models.len()) };
    let mut cells = vec![
        line.name.clone(),
        format!("{:.3}", score.value),
        format!("{:.4}", line.cost_of_1000),
        format!("{:.1} % [{:.1}, {:.1}]", percent[0], percent[1], percent[2]),
        format!("{:+.3} [{:+.3}, {:+.3}]", difference.value, difference.low, difference.high),
        format!("{:+.3} [{:+.3}, {:+.3}]", above_hull.value, above_hull.low, above_hull.high),
        used,
    ];
    cells.extend(line.latency_ms.map(|ms| format!("{ms:.0} ms")));
    cells
}

fn notes(evaluation: &Evaluation) -> Vec<String> {
    let mut notes = vec![format!(
        "Oracle corrected for noise: {:.3}, with a reliability of outcomes of at least {:.2}.",
        evaluation.corrected_oracle, evaluation.reliability
    )];
    for policy in evaluation.policies.iter().filter(|policy| policy.models == 1) {
        notes.push(format!("{} chooses one model for all requests: it does not route.", policy.name));
    }
    if let Some(tokens) = evaluation.assumed_answer_tokens {
        notes.push(format!(
            "Where the data have no tokens of an answer, {tokens} at the price of the request are assumed."
        ));
    }
    if evaluation.answers_missing {
        notes.push(
            "Costs are without answers, whose tokens the data do not have: give --answer-tokens before speaking of \
             savings."
                .to_owned(),
        );
    }
    for line in &evaluation.two_models {
        let share = |share: Option<f64>| {
            share.map_or("not reached".to_owned(), |share| format!("{:.1} %", 100.0 * share))
        };
        notes.push(format!(
            "{} between {} and {}: APGR {:.3}, CPT(50 %) {}, CPT(80 %) {} over {} points.",
            line.policy,
            line.strong,
            line.weak,
            line.result.apgr,
            share(line.result.cpt_50),
            share(line.result.cpt_80),
            line.result.points
        ));
    }
    notes
}
