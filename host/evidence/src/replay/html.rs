//! The report as one HTML file, without scripts and without anything from elsewhere.

mod chart;
mod markup;

use self::chart::{Bar, BarPart, IntervalRow};
use self::markup::{escape, table};
use super::outcome::Outcome;
use super::report::{Best, Counted, GroupReport, OutcomeReport, Report, share};
use super::text::{all_methods, interval, method_name, percent, requests, verdict_name};

/// Colours and layout. A narrow screen scrolls tables, not the page.
const STYLE: &str = include_str!("html/style.css");

/// Renders the page.
pub(super) fn render(report: &Report) -> String {
    let title = format!("Replay of {}", report.policy.source);
    let sections = [
        summary(report),
        agreement(report),
        outcomes(report),
        transitions(report),
        methods(report),
        groups(report),
        propensities(report),
        log(report),
    ];
    format!(
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <meta http-equiv=\"content-security-policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">\n\
         <title>{title}</title>\n<style>\n{STYLE}</style>\n</head>\n<body>\n<main>\n<h1>{title}</h1>\n{}</main>\n\
         </body>\n</html>\n",
        sections.concat(),
        title = escape(&title),
    )
}

fn section(title: &str, content: &str) -> String {
    format!("<section>\n<h2>{}</h2>\n{content}</section>\n", escape(title))
}

fn summary(report: &Report) -> String {
    let mut content = String::from("<dl class=\"facts\">\n");
    let fact =
        |name: &str, value: &str| format!("<div><dt>{}</dt><dd>{}</dd></div>\n", escape(name), escape(value));
    content += &fact("requests replayed", &requests(report.log.replayed));
    content += &fact("same first choice", &percent(report.agreement()));
    content += &fact("failures", &requests(report.decisions.failed));
    for outcome in [Outcome::Cost, Outcome::Latency] {
        let text = match report.outcome(outcome).and_then(|it| it.best) {
            Some(best) => best.relative().map_or_else(
                || outcome.display_difference(best.estimate.difference.estimate),
                |relative| format!("{:+.1} %", relative * 100.0),
            ),
            None => "no estimate".to_owned(),
        };
        content += &fact(&format!("predicted {}", outcome.title()), &text);
    }
    content += "</dl>\n";
    for warning in &report.warnings {
        content += &format!("<p class=\"warning\">{}</p>\n", escape(warning));
    }
    content += &format!(
        "<p class=\"quiet\">Policy <code>{}</code>, digest <code>{}</code>, settings <code>{}</code></p>\n",
        escape(&report.policy.source),
        escape(&report.policy.digest.chars().take(12).collect::<String>()),
        escape(&report.policy.settings)
    );
    section("Summary", &content)
}

fn agreement(report: &Report) -> String {
    let (all, decisions) = (report.log.replayed, &report.decisions);
    let same = share(decisions.same, all);
    let problems = share(decisions.failed, all) + share(decisions.refused, all);
    let same_first = share(decisions.same_first_choice, all);
    let parts = [
        BarPart { name: "same in everything", share: same, class: "same" },
        BarPart { name: "same first choice", share: (same_first - same).max(0.0), class: "close" },
        BarPart {
            name: "another choice",
            share: (1.0 - same_first.max(same) - problems).max(0.0),
            class: "other",
        },
        BarPart { name: "fails or refuses", share: problems, class: "bad" },
    ];
    let mut content = chart::stacked(&parts);
    let changes = decisions.changes.iter();
    let changes = changes.map(|it| vec![it.name.clone(), requests(it.count), percent(share(it.count, all))]);
    content += &table(&["change", "requests", "share"], changes);
    for (title, list) in [("failure", &decisions.failures), ("refusal", &decisions.refusals)] {
        let rows = list.iter().map(|it| vec![it.name.clone(), requests(it.count)]);
        content += &table(&[title, "requests"], rows);
    }
    section("Decisions", &content)
}

fn outcomes(report: &Report) -> String {
    let estimated: Vec<(&OutcomeReport, Best)> =
        report.outcomes.iter().filter_map(|it| Some((it, it.best?))).collect();
    let rows = estimated.iter().filter_map(|(it, best)| relative_row(it.outcome.title(), best));
    let mut content =
        chart::intervals("difference to the log, in % of the logged mean", &rows.collect::<Vec<_>>());
    let rows = estimated.iter().map(|(it, best)| {
        vec![
            it.outcome.title().to_owned(),
            it.outcome.display(best.logged),
            it.outcome.display(best.estimate.value.estimate),
            it.outcome.display_difference(best.estimate.difference.estimate),
            interval(it.outcome, &best.estimate),
            method_name(best.method).to_owned(),
            it.verdict.map_or("", verdict_name).to_owned(),
        ]
    });
    let titles = ["outcome", "logged", "policy", "difference", "95 % interval", "method", "verdict"];
    content += &table(&titles, rows);
    for it in report.outcomes.iter().filter(|it| it.estimates.records > 0) {
        if let Some(declined) = &it.declined {
            let text = format!("{}: no estimate: {declined}", it.outcome.title());
            content += &format!("<p class=\"warning\">{}</p>\n", escape(&text));
        }
    }
    for Counted { name, count } in &report.not_estimated {
        let text = format!("{} requests are not in the estimates: {name}", requests(*count));
        content += &format!("<p class=\"quiet\">{}</p>\n", escape(&text));
    }
    content += "<p class=\"quiet\">Where the choice is the same, the outcome is known. Elsewhere it is estimated: directly, \
                from means of the log by model, route, operation and size, or, where propensities were logged, corrected \
                by weighted outcomes (doubly robust).</p>\n";
    section("Predicted outcomes", &content)
}

/// Returns a row of the chart of intervals: the difference in per cent of the logged mean.
fn relative_row(name: &str, best: &Best) -> Option<IntervalRow> {
    let (difference, logged) = (best.estimate.difference, best.logged);
    (logged > 0.0).then(|| IntervalRow {
        name: name.to_owned(),
        low: 100.0 * difference.low / logged,
        middle: 100.0 * difference.estimate / logged,
        high: 100.0 * difference.high / logged,
    })
}

fn transitions(report: &Report) -> String {
    if report.transitions.is_empty() {
        return String::new();
    }
    let bars: Vec<Bar> = report
        .transitions
        .iter()
        .map(|it| Bar {
            name: if it.to.is_empty() { it.from.clone() } else { format!("{} → {}", it.from, it.to) },
            value: it.count.requests,
            text: requests(it.count),
        })
        .collect();
    let rows = report.transitions.iter().map(|it| {
        let shift = it.cost_shift_usd.map(|shift| Outcome::Cost.display_difference(shift));
        vec![it.from.clone(), it.to.clone(), requests(it.count), shift.unwrap_or_else(|| "-".to_owned())]
    });
    let titles = ["from", "to", "requests", "cost per request at the same tokens"];
    section("Changed choices", &(chart::bars(&bars) + &table(&titles, rows)))
}

fn methods(report: &Report) -> String {
    let rows = report.outcomes.iter().filter(|it| it.estimates.records > 0).flat_map(|it| {
        all_methods(it).map(|(method, estimate, effective)| {
            let (difference, interval) = match estimate {
                Ok(estimate) => (
                    it.outcome.display_difference(estimate.difference.estimate),
                    interval(it.outcome, &estimate),
                ),
                Err(declined) => ("no estimate".to_owned(), declined.to_string()),
            };
            let effective = effective.map_or_else(|| "-".to_owned(), |effective| format!("{effective:.0}"));
            vec![it.outcome.title().to_owned(), method.to_owned(), difference, interval, effective]
        })
    });
    let titles = ["outcome", "method", "difference", "95 % interval, or reason", "effective sample"];
    section("All methods", &table(&titles, rows))
}

fn groups(report: &Report) -> String {
    let dimension = |(name, rows): (&&str, &Vec<GroupReport>)| {
        let intervals: Vec<IntervalRow> =
            rows.iter().filter_map(|row| relative_row(&row.name, row.cost_usd.as_ref()?)).collect();
        let bars: Vec<Bar> = rows
            .iter()
            .map(|row| {
                let changed = share(row.changed, row.count);
                Bar { name: row.name.clone(), value: changed, text: format!("{} changed", percent(changed)) }
            })
            .collect();
        let mut content = chart::bars(&bars);
        content += &chart::intervals("difference of the cost, in % of the logged mean", &intervals);
        let estimate = |outcome: Outcome, best: &Option<Best>| match best {
            Some(best) => format!(
                "{} ({})",
                outcome.display_difference(best.estimate.difference.estimate),
                interval(outcome, &best.estimate)
            ),
            None => "no estimate".to_owned(),
        };
        let cells = rows.iter().map(|row| {
            vec![
                row.name.clone(),
                requests(row.count),
                percent(share(row.changed, row.count)),
                requests(row.failed),
                requests(row.refused),
                estimate(Outcome::Cost, &row.cost_usd),
                estimate(Outcome::Latency, &row.latency_ms),
            ]
        });
        content += &table(&[name, "requests", "changed", "failed", "refused", "cost", "latency"], cells);
        section(&format!("By {name}"), &content)
    };
    report.groups.iter().filter(|(_, rows)| !rows.is_empty()).map(dimension).collect()
}

fn propensities(report: &Report) -> String {
    if report.propensities.records == 0 {
        return String::new();
    }
    let rows = report.propensities.models.iter().map(|it| {
        let ratio = it.calibration.ratio;
        let verdict = match it.calibration.fault {
            Some(fault) => {
                serde_json::to_value(fault).unwrap_or_default().as_str().unwrap_or_default().to_owned()
            }
            None => "plausible".to_owned(),
        };
        let interval = format!("{:.3} to {:.3}", ratio.low, ratio.high);
        vec![
            it.model.clone(),
            it.calibration.draws.to_string(),
            format!("{:.3}", ratio.estimate),
            interval,
            verdict,
        ]
    });
    let note = "<p class=\"quiet\">Frequency of the draws of each model, as a multiple of what the logged propensities \
                say. It is 1 if they are true and the model could be drawn in every request.</p>\n";
    section(
        "Logged propensities",
        &(note.to_owned() + &table(&["model", "draws", "ratio", "interval", "finding"], rows)),
    )
}

fn log(report: &Report) -> String {
    let log = &report.log;
    let mut rows = vec![
        vec!["files".to_owned(), log.files.to_string()],
        vec!["lines".to_owned(), log.lines.to_string()],
        vec!["left out by options".to_owned(), log.filtered.to_string()],
        vec!["records replayed".to_owned(), log.replayed.records.to_string()],
        vec!["ratings joined".to_owned(), log.ratings.joined.to_string()],
        vec!["ratings without a replayed decision".to_owned(), log.ratings.unmatched.to_string()],
        vec!["lines that could not be read".to_owned(), log.line_errors.to_string()],
    ];
    for Counted { name, count } in &log.not_replayable {
        rows.push(vec![format!("not replayable: {name}"), count.records.to_string()]);
    }
    let errors =
        log.first_line_errors.iter().map(|it| vec![it.file.clone(), it.line.to_string(), it.error.clone()]);
    section("Log", &(table(&["", "number"], rows) + &table(&["file", "line", "error"], errors)))
}

#[cfg(test)]
mod tests;
