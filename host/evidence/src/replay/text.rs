//! The report as text for a terminal.

use pointsman_evaluation::off_policy::{Declined, Difference, Method, Verdict};
use pointsman_terminal::{Colour, Paint, TextTable, printable};

use super::outcome::Outcome;
use super::report::{Best, Counted, GroupReport, OutcomeReport, Report, share};
use super::tally::Count;

/// Rows of a table on the terminal.
const SHOWN_ROWS: usize = 10;

/// Renders the report.
pub(super) fn render(report: &Report, paint: Paint) -> String {
    let mut parts = vec![head(report), decisions(report)];
    parts.extend(transitions(report));
    parts.push(outcomes(report, paint));
    parts.extend(methods(report));
    parts.extend(report.groups.iter().filter_map(|(name, rows)| groups(name, rows)));
    parts.extend(warnings(report, paint));
    parts.join("\n\n")
}

/// Displays a share in per cent.
pub(super) fn percent(share: f64) -> String {
    format!("{:.1} %", share * 100.0)
}

/// Displays a number of requests, which is not whole where a log is sampled.
pub(super) fn requests(count: Count) -> String {
    format!("{:.0}", count.requests)
}

fn head(report: &Report) -> String {
    let log = &report.log;
    let mut table = TextTable::new(&["policy", &printable::text(&report.policy.source)]);
    table.add(vec!["digest".to_owned(), report.policy.digest.chars().take(12).collect()]);
    table.add(vec!["settings".to_owned(), printable::text(&report.policy.settings)]);
    table.add(vec!["log".to_owned(), format!("{} files, {} lines", log.files, log.lines)]);
    let sampled = if log.replayed.records as f64 == log.replayed.requests {
        String::new()
    } else {
        format!(", which stand for {} requests", requests(log.replayed))
    };
    table.add(vec!["replayed".to_owned(), format!("{} records{sampled}", log.replayed.records)]);
    if log.filtered > 0 {
        table.add(vec!["filtered".to_owned(), format!("{} lines that the options leave out", log.filtered)]);
    }
    for Counted { name, count } in &log.not_replayable {
        let text = format!("{} records: {}", count.records, printable::text(name));
        table.add(vec!["not replayable".to_owned(), text]);
    }
    if log.ratings.joined + log.ratings.unmatched > 0 {
        let text =
            format!("{} joined, {} without a replayed decision", log.ratings.joined, log.ratings.unmatched);
        table.add(vec!["ratings".to_owned(), text]);
    }
    table.render(Vec::new())
}

fn decisions(report: &Report) -> String {
    let all = report.log.replayed;
    let decisions = &report.decisions;
    let mut lines = vec![format!(
        "agreement: {} with the same first choice, {} the same in everything",
        percent(report.agreement()),
        percent(share(decisions.same, all))
    )];
    if !decisions.changes.is_empty() {
        let change = |it: &Counted| format!("{} {}", it.name, requests(it.count));
        lines.push(format!(
            "changes: {}",
            decisions.changes.iter().map(change).collect::<Vec<_>>().join(", ")
        ));
    }
    for (what, list) in [("failure", &decisions.failures), ("refusal", &decisions.refusals)] {
        for Counted { name, count } in list.iter().take(SHOWN_ROWS) {
            lines.push(format!("{what}: {} requests: {}", requests(*count), printable::text(name)));
        }
    }
    lines.join("\n")
}

fn transitions(report: &Report) -> Option<String> {
    if report.transitions.is_empty() {
        return None;
    }
    let mut table = TextTable::new(&["REQUESTS", "FROM", "TO", "COST AT THE SAME TOKENS"]);
    for row in report.transitions.iter().take(SHOWN_ROWS) {
        let shift = row.cost_shift_usd.map(|shift| Outcome::Cost.display_difference(shift));
        table.add(vec![
            requests(row.count),
            printable::text(&row.from),
            printable::text(&row.to),
            shift.unwrap_or_else(|| "-".to_owned()),
        ]);
    }
    Some(table.render(Vec::new()))
}

fn outcomes(report: &Report, paint: Paint) -> String {
    let mut table =
        TextTable::new(&["OUTCOME", "LOGGED", "POLICY", "DIFFERENCE", "95 % INTERVAL", "METHOD", "VERDICT"]);
    let mut notes = Vec::new();
    for it in &report.outcomes {
        let name = it.outcome.title();
        match (&it.best, &it.declined) {
            (Some(best), _) => table.add(outcome_row(it, best)),
            (None, _) if it.estimates.records == 0 => {}
            (None, declined) => {
                table.add(vec![
                    name.to_owned(),
                    it.outcome.display(it.estimates.logged_mean),
                    "?".to_owned(),
                ]);
                let reason = declined.as_deref().unwrap_or_default();
                notes.push(format!("{name}: no estimate: {}", paint.word(Colour::Yellow, reason)));
            }
        }
    }
    for Counted { name, count } in &report.not_estimated {
        notes.push(format!("{} requests are not in the estimates: {name}", requests(*count)));
    }
    table.render(notes)
}

fn outcome_row(it: &OutcomeReport, best: &Best) -> Vec<String> {
    let outcome = it.outcome;
    let difference = best.estimate.difference;
    let relative = best.relative().map(|relative| format!(" ({:+.1} %)", relative * 100.0));
    let verdict = it.verdict.map_or("", verdict_name);
    vec![
        outcome.title().to_owned(),
        outcome.display(best.logged),
        outcome.display(best.estimate.value.estimate),
        format!("{}{}", outcome.display_difference(difference.estimate), relative.unwrap_or_default()),
        interval(outcome, &best.estimate),
        method_name(best.method).to_owned(),
        verdict.to_owned(),
    ]
}

/// Displays the interval of a difference.
pub(super) fn interval(outcome: Outcome, estimate: &Difference) -> String {
    let difference = estimate.difference;
    if difference.standard_error == 0.0 {
        // As with failures in a log that has none. What is known has no degrees of freedom.
        return if difference.degrees == 0 { "known" } else { "no variation in the log" }.to_owned();
    }
    let (low, high) =
        (outcome.display_difference(difference.low), outcome.display_difference(difference.high));
    format!("{low} to {high}")
}

/// Returns the name of a method.
pub(super) const fn method_name(method: Method) -> &'static str {
    match method {
        Method::Known => "known",
        Method::DoublyRobust => "doubly robust",
        Method::Direct => "direct",
    }
}

/// Returns the words for a verdict.
pub(super) const fn verdict_name(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Better => "better",
        Verdict::Worse => "worse",
        Verdict::NoDifferenceShown => "no difference shown",
    }
}

/// Returns all methods for the outcomes, where there is more than one.
fn methods(report: &Report) -> Option<String> {
    let any = report
        .outcomes
        .iter()
        .any(|it| it.estimates.propensity_share > 0.0 && it.estimates.known_share < 1.0);
    if !any {
        return None;
    }
    let mut table = TextTable::new(&["OUTCOME", "METHOD", "DIFFERENCE", "95 % INTERVAL", "EFFECTIVE SAMPLE"]);
    for it in report.outcomes.iter().filter(|it| it.estimates.records > 0) {
        for (method, estimate, effective) in all_methods(it) {
            let mut row = vec![it.outcome.title().to_owned(), method.to_owned()];
            match estimate {
                Ok(estimate) => {
                    row.push(it.outcome.display_difference(estimate.difference.estimate));
                    row.push(interval(it.outcome, &estimate));
                }
                Err(declined) => row.extend(["?".to_owned(), declined.to_string()]),
            }
            row.extend(effective.map(|effective| format!("{effective:.0}")));
            table.add(row);
        }
    }
    Some(table.render(Vec::new()))
}

/// Returns the estimates of an outcome by all methods, with their effective sample sizes.
pub(super) fn all_methods(
    it: &OutcomeReport,
) -> [(&'static str, Result<Difference, Declined>, Option<f64>); 4] {
    let estimates = &it.estimates;
    let weighted = Some(estimates.weighted_effective);
    [
        ("direct", estimates.direct, estimates.direct_effective),
        ("IPS", estimates.ips, weighted),
        ("SNIPS", estimates.snips, weighted),
        ("doubly robust", estimates.doubly_robust, weighted),
    ]
}

fn groups(name: &str, rows: &[GroupReport]) -> Option<String> {
    if rows.len() < 2 {
        return None;
    }
    let title = name.to_uppercase();
    let mut table = TextTable::new(&[&title, "REQUESTS", "CHANGED", "FAILED", "COST", "LATENCY"]);
    for row in rows.iter().take(SHOWN_ROWS) {
        let difference = |outcome: Outcome, best: &Option<Best>| {
            best.map_or_else(
                || "?".to_owned(),
                |best| outcome.display_difference(best.estimate.difference.estimate),
            )
        };
        table.add(vec![
            printable::text(&row.name),
            requests(row.count),
            percent(share(row.changed, row.count)),
            percent(share(row.failed, row.count)),
            difference(Outcome::Cost, &row.cost_usd),
            difference(Outcome::Latency, &row.latency_ms),
        ]);
    }
    let hidden = rows.len().saturating_sub(SHOWN_ROWS);
    let notes = if hidden > 0 {
        vec![format!("and {hidden} more, which --json and --html show")]
    } else {
        Vec::new()
    };
    Some(table.render(notes))
}

fn warnings(report: &Report, paint: Paint) -> Option<String> {
    let warning =
        |text: &String| format!("{}: {}", paint.word(Colour::Yellow, "warning"), printable::text(text));
    let mut lines: Vec<String> = report.warnings.iter().map(warning).collect();
    for error in &report.log.first_line_errors {
        let file = printable::text(&error.file);
        lines.push(format!("  {file}:{}: {}", error.line, printable::text(&error.error)));
    }
    (!lines.is_empty()).then(|| lines.join("\n"))
}
