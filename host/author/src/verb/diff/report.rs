//! The results of a comparison, as text and as JSON.

use std::fmt::Write;

use pointsman_terminal::{Colour, Paint, TextTable};
use serde_json::{Value, json};

use super::Comparison;
use crate::comparison::decisions::{ChangeGroup, CostComparison, DecisionComparison};
use crate::comparison::file::{AddedAndRemoved, FileComparison, OldAndNew};
use crate::subject::PolicyFile;

/// Groups of changes that are shown.
const MAX_SHOWN_GROUPS: usize = 40;
/// Groups of changes of the JSON form.
const MAX_GROUPS: usize = 10_000;

/// Describes the comparison.
pub(super) fn text(comparison: &Comparison<'_>, paint: Paint) -> String {
    let mut text = files(comparison, paint);
    for (reason, count) in &comparison.left_out {
        let _ = writeln!(text, "left out: {count} records: {reason}");
    }
    match &comparison.decisions {
        None => text += "decisions: not compared; give requests with --cases or --record\n",
        Some(decisions) => text += &described(decisions, paint),
    }
    text
}

/// Describes the comparison for programs.
pub(super) fn json(comparison: &Comparison<'_>) -> Value {
    let policy =
        |file: &PolicyFile| json!({ "source": file.source, "sha256": file.code.digest().to_string() });
    let decisions = comparison.decisions.clone().map(|mut decisions| {
        decisions.groups.truncate(MAX_GROUPS);
        decisions
    });
    json!({
        "old": policy(comparison.old),
        "new": policy(comparison.new),
        "files": comparison.files,
        "decisions": decisions,
        "left_out": comparison.left_out,
    })
}

fn files(comparison: &Comparison<'_>, paint: Paint) -> String {
    let FileComparison { is_same_file, bytes, role, contract, sdk, memory_bytes, grants, imports, exports } =
        &comparison.files;
    let mut table = TextTable::new(&["", "OLD", "NEW"]);
    let mut row = |title: &str, old: String, new: String| table.add(vec![title.to_owned(), old, new]);
    row("policy", comparison.old.source.clone(), comparison.new.source.clone());
    row("digest", comparison.old.code.digest().short(), comparison.new.code.digest().short());
    row("bytes", bytes.old.to_string(), bytes.new.to_string());
    for (title, it) in [("role", role), ("contract", contract)] {
        if it.old != it.new {
            row(title, it.old.clone(), it.new.clone());
        }
    }
    let kit = |kit: &Option<String>| kit.clone().unwrap_or_else(|| "-".to_owned());
    if sdk.old != sdk.new {
        row("sdk", kit(&sdk.old), kit(&sdk.new));
    }
    if memory_bytes.old != memory_bytes.new {
        row("memory KiB", (memory_bytes.old >> 10).to_string(), (memory_bytes.new >> 10).to_string());
    }
    let mut text = table.render(Vec::new()) + "\n";
    if *is_same_file {
        text += "the files are the same\n";
    }
    for (title, it) in [("grants", grants), ("imports", imports), ("exports", exports)] {
        text += &names(title, it, paint);
    }
    text.push('\n');
    text
}

fn names(title: &str, it: &AddedAndRemoved, paint: Paint) -> String {
    let mut text = String::new();
    for name in &it.added {
        let _ = writeln!(text, "{title}  {}", paint.word(Colour::Green, format!("+ {name}")));
    }
    for name in &it.removed {
        let _ = writeln!(text, "{title}  {}", paint.word(Colour::Red, format!("- {name}")));
    }
    text
}

fn described(decisions: &DecisionComparison, paint: Paint) -> String {
    let changed = decisions.requests - decisions.same;
    let mut text =
        format!("decisions: {} the same, {changed} of {} differ\n", decisions.same, decisions.requests);
    for (title, problems) in
        [("new failure", &decisions.new_failures), ("new refusal", &decisions.new_refusals)]
    {
        for (problem, count) in problems {
            let title = paint.word(Colour::Red, format!("{title}, {count} times"));
            let _ = writeln!(text, "  {title}: {problem}");
        }
    }
    text += &cost(&decisions.cost_usd);
    if decisions.fuel.old != decisions.fuel.new && decisions.fuel.old > 0 {
        let ratio = decisions.fuel.new as f64 / decisions.fuel.old as f64;
        let _ = writeln!(
            text,
            "instructions: {} to {} ({ratio:.2} times)",
            decisions.fuel.old, decisions.fuel.new
        );
    }
    if decisions.groups.is_empty() {
        return text;
    }
    let mut table =
        TextTable::new(&["COUNT", "CHANGE", "ROUTE", "KEY", "OPERATION", "OLD", "NEW", "COST", "CASES"]);
    decisions.groups.iter().take(MAX_SHOWN_GROUPS).for_each(|group| table.add(row(group)));
    let more = decisions.groups.len().saturating_sub(MAX_SHOWN_GROUPS);
    let notes = if more > 0 { vec![format!("and {more} further groups of changes")] } else { Vec::new() };
    text + "\n" + &table.render(notes) + "\n"
}

fn cost(cost: &CostComparison) -> String {
    if cost.requests == 0 {
        return String::new();
    }
    let percent = if cost.old > 0.0 {
        format!(" ({:+.1} %)", (cost.new / cost.old - 1.0) * 100.0)
    } else {
        String::new()
    };
    format!("predicted cost of {} requests: ${:.6} to ${:.6}{percent}\n", cost.requests, cost.old, cost.new)
}

fn row(group: &ChangeGroup) -> Vec<String> {
    let change = serde_json::to_value(group.change).unwrap_or_default();
    let with_label = |target: &str, label: &Option<String>| match label {
        Some(label) => format!("{target} [{label}]"),
        None => target.to_owned(),
    };
    let OldAndNew { old, new } = &group.target;
    vec![
        group.count.to_string(),
        change.as_str().unwrap_or_default().to_owned(),
        group.route.clone(),
        group.key.clone().unwrap_or_else(|| "-".to_owned()),
        group.operation.to_owned(),
        with_label(old, &group.label.old),
        with_label(new, &group.label.new),
        group.cost_change_usd.map_or_else(|| "-".to_owned(), signed_dollars),
        group.cases.join(", "),
    ]
}

fn signed_dollars(usd: f64) -> String {
    let sign = if usd < 0.0 { "-" } else { "+" };
    format!("{sign}${:.6}", usd.abs())
}
