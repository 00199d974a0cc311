//! The results of cases, as text and as JSON.

use std::fmt::Write;

use pointsman_terminal::{Colour, Paint, TextTable};
use serde_json::{Value, json};

use super::coverage::{Coverage, DeclaredCoverage};
use super::selection::Selection;
use super::{CaseResult, PolicyFile};

/// Log lines of one case that are shown.
const MAX_SHOWN_LINES: usize = 20;

/// Describes the failed cases, and the number of all.
pub(super) fn text(
    results: &[CaseResult],
    selection: &Selection,
    coverage: Option<&Coverage>,
    paint: Paint,
) -> String {
    let mut text = failed_cases(results, paint);
    if let Some(coverage) = coverage {
        text += &covered(coverage);
        text.push('\n');
    }
    for (reason, count) in &selection.left_out {
        let _ = writeln!(text, "left out: {count} records: {reason}");
    }
    if selection.other_settings > 0 {
        let _ =
            writeln!(text, "note: {} records were decided under other settings", selection.other_settings);
    }
    let failed = results.iter().filter(|result| !result.passed()).count();
    let passed = results.len() - failed;
    let verdict = match failed {
        0 => paint.word(Colour::Green, format!("ok: {passed} passed")),
        _ => paint.word(Colour::Red, format!("failed: {failed} failed, {passed} passed")),
    };
    let _ = writeln!(text, "{verdict}{}", fuel(results));
    text
}

/// Describes the failed cases: each difference, the answers, and the lines that the policy logged.
pub fn failed_cases(results: &[CaseResult], paint: Paint) -> String {
    let failed_ones = results.iter().filter(|result| !result.passed());
    failed_ones.map(|result| failed(result, paint) + "\n").collect()
}

/// Describes the results for programs.
pub(super) fn json(
    file: &PolicyFile,
    results: &[CaseResult],
    selection: &Selection,
    coverage: Option<&Coverage>,
) -> Value {
    let case = |result: &CaseResult| {
        json!({
            "name": result.name,
            "file": result.file.display().to_string(),
            "passed": result.passed(),
            "differences": result.differences,
            "answers": result.observed,
            "log": result.log,
            "fuel": result.fuel,
        })
    };
    json!({
        "policy": { "source": file.source, "sha256": file.code.digest().to_string() },
        "passed": results.iter().filter(|result| result.passed()).count(),
        "failed": results.iter().filter(|result| !result.passed()).count(),
        "cases": results.iter().map(case).collect::<Vec<_>>(),
        "left_out": selection.left_out,
        "other_settings": selection.other_settings,
        "coverage": coverage,
    })
}

fn failed(result: &CaseResult, paint: Paint) -> String {
    let title = paint.word(Colour::Red, "FAILED");
    let mut text = format!("{title}  {}  ({})\n", result.name, result.file.display());
    for difference in &result.differences {
        let _ = writeln!(text, "  {}", paint.word(Colour::Bold, &difference.what));
        let _ = writeln!(text, "    expected  {}", paint.word(Colour::Green, &difference.expected));
        let _ = writeln!(text, "    actual    {}", paint.word(Colour::Red, &difference.actual));
    }
    for (number, observed) in result.observed.iter().enumerate() {
        let title =
            if result.observed.len() == 1 { "answer".to_owned() } else { format!("answer {}", number + 1) };
        let _ = writeln!(text, "  {title}  {}", observed.summary());
    }
    for line in result.log.iter().take(MAX_SHOWN_LINES) {
        let _ = writeln!(text, "  log  {line}");
    }
    text
}

fn covered(coverage: &Coverage) -> String {
    let mut table = TextTable::new(&["ANSWER", "KIND", "TIMES"]);
    for (kind, counts) in
        [("label", &coverage.labels), ("refusal", &coverage.refusals), ("failure", &coverage.failures)]
    {
        for (name, count) in counts {
            table.add(vec![kind.to_owned(), name.clone(), count.to_string()]);
        }
    }
    table.render(coverage.declared.iter().flat_map(compared).collect()) + "\n"
}

/// Describes the differences from what the policy's description declares.
fn compared(declared: &DeclaredCoverage) -> Vec<String> {
    let lines = [
        ("declared, but no case leads to it: label", &declared.labels_never_given),
        ("given, but not declared: label", &declared.labels_not_declared),
        ("declared, but no case leads to it: refusal", &declared.refusals_never_given),
        ("given, but not declared: refusal", &declared.refusals_not_declared),
    ];
    let lines =
        lines.into_iter().flat_map(|(what, names)| names.iter().map(move |name| format!("{what} {name}")));
    let lines: Vec<String> = lines.collect();
    if lines.is_empty() {
        vec!["all labels and refusals are those that are declared".to_owned()]
    } else {
        lines
    }
}

/// Returns the executed instructions of the most expensive case.
fn fuel(results: &[CaseResult]) -> String {
    let most = results.iter().filter_map(|result| Some((result.fuel?, &result.name))).max();
    most.map_or_else(String::new, |(fuel, name)| format!("; most fuel: {fuel} ({name})"))
}
