//! The results of a campaign, as text and as JSON.

use std::fmt::Write;
use std::time::Duration;

use pointsman_terminal::{Colour, Paint};
use serde_json::{Value, json};

use super::Summary;
use crate::case::Case;
use crate::case::format::Messages;
use crate::fuzz::campaign::{CampaignEnd, CampaignReport};
use crate::subject::PolicyFile;

/// Refusals that are shown.
const MAX_SHOWN_REFUSALS: usize = 5;

/// Describes a campaign that is under way, on one line.
pub(super) fn progress(report: &CampaignReport, elapsed: Duration) -> String {
    format!(
        "fuzzing: {} inputs, {:.0}/s, {} behaviours, {} findings",
        report.runs,
        rate(report.runs, elapsed.as_secs_f64()),
        report.behaviours,
        report.findings.len()
    )
}

/// Describes the results.
pub(super) fn text(file: &PolicyFile, summary: &Summary, paint: Paint) -> String {
    let report = &summary.report;
    let mut text = String::new();
    for (finding, path) in report.findings.iter().zip(&summary.files) {
        let title = format!("{} ({})", finding.problem.kind, finding.problem.call);
        let _ = writeln!(text, "{}  {title}", paint.word(Colour::Red, "FOUND"));
        let _ = writeln!(text, "  {}", finding.problem.message);
        let _ = writeln!(
            text,
            "  in run {} after {:.1} s, and {} times in all",
            finding.run, finding.seconds, finding.times
        );
        let _ = writeln!(text, "  case  {}  ({})\n", path.display(), shape(&finding.case));
    }
    if report.more_findings > 0 {
        let _ = writeln!(text, "{} inputs with further findings are not listed\n", report.more_findings);
    }
    let _ = writeln!(
        text,
        "{}: {} inputs in {:.1} s ({:.0}/s), seed {}, {} behaviours{}",
        file.source,
        report.runs,
        summary.seconds,
        rate(report.runs, summary.seconds),
        summary.seed,
        report.behaviours,
        if summary.end == CampaignEnd::Interrupted { ", interrupted" } else { "" },
    );
    let answers: Vec<String> =
        report.answers.iter().map(|(kind, count)| format!("{count} {}", plural(kind, *count))).collect();
    let _ = writeln!(text, "answers: {}", answers.join(", "));
    for (refusal, count) in most_frequent(report) {
        let _ = writeln!(text, "  refused {count} times: {refusal}");
    }
    if report.rejected > 0 {
        let _ = writeln!(text, "left out: {} inputs whose settings or state were rejected", report.rejected);
    }
    if let Some((median, most)) = fuel(report) {
        let _ = writeln!(text, "instructions of a call: median {median}, most {most}");
    }
    let verdict = match report.findings.len() {
        0 => paint.word(Colour::Green, "ok: nothing was found".to_owned()),
        count => paint.word(Colour::Red, format!("found: {count}")),
    };
    let _ = writeln!(text, "{verdict}");
    text
}

/// Describes the results for programs.
pub(super) fn json(file: &PolicyFile, summary: &Summary) -> Value {
    let report = &summary.report;
    let findings = report.findings.iter().zip(&summary.files).map(|(finding, path)| {
        json!({
            "kind": finding.problem.kind,
            "call": finding.problem.call,
            "message": finding.problem.message,
            "run": finding.run,
            "seconds": (finding.seconds * 1e3).round() / 1e3,
            "times": finding.times,
            "file": path.display().to_string(),
            "case": finding.case,
        })
    });
    json!({
        "policy": { "source": file.source, "sha256": file.code.digest().to_string() },
        "seed": summary.seed,
        "runs": report.runs,
        "seconds": (summary.seconds * 1e3).round() / 1e3,
        "end": match summary.end {
            CampaignEnd::Time => "time",
            CampaignEnd::Runs => "runs",
            CampaignEnd::Interrupted => "interrupted",
        },
        "behaviours": report.behaviours,
        "findings": findings.collect::<Vec<_>>(),
        "more_findings": report.more_findings,
        "answers": report.answers,
        "refusals": report.refusals,
        "rejected": report.rejected,
        "fuel": fuel(report).map(|(median, most)| json!({ "median": median, "most": most })),
    })
}

/// Describes the size of a case.
fn shape(case: &Case) -> String {
    let messages = match &case.request.messages {
        None => "no message".to_owned(),
        Some(Messages::Text(text)) => format!("a message of {} bytes", text.len()),
        Some(Messages::List(list)) => format!("{} {}", list.len(), plural("message", list.len() as u64)),
    };
    let candidates = case.candidates.as_ref().map_or(0, Vec::len);
    format!("{candidates} {}, {messages}", plural("candidate", candidates as u64))
}

fn plural(word: &str, count: u64) -> String {
    if count == 1 { word.to_owned() } else { format!("{word}s") }
}

fn most_frequent(report: &CampaignReport) -> Vec<(&str, u64)> {
    let mut refusals: Vec<(&str, u64)> =
        report.refusals.iter().map(|(text, count)| (text.as_str(), *count)).collect();
    refusals.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
    refusals.truncate(MAX_SHOWN_REFUSALS);
    refusals
}

/// Returns the median and the largest number of executed instructions.
fn fuel(report: &CampaignReport) -> Option<(u64, u64)> {
    let mut sorted = report.fuel.clone();
    sorted.sort_unstable();
    Some((*sorted.get(sorted.len() / 2)?, *sorted.last()?))
}

fn rate(runs: u64, seconds: f64) -> f64 {
    if seconds > 0.0 { runs as f64 / seconds } else { 0.0 }
}
