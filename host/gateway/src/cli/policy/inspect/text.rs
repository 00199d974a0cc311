//! The text form of an inspection.

use std::fmt::Write;

use pointsman_policy::description::{DeclaredAnswer, SettingRow, SettingsSchema};
use pointsman_policy::inspect::{BOUNDS, Export, Format, Gate, Import, Role, Tool};
use pointsman_policy::{Inspection, Limits};

/// Describes a policy and its source.
pub(super) fn describe(source: &str, policy: &Inspection) -> String {
    let mut text = format!("{source}\n");
    text += &table(&summary(policy));
    text.push('\n');
    text += &description(policy);
    text += &table(&imports(policy));
    text.push('\n');
    text += &table(&exports(policy));
    text.push('\n');
    text += &table(&counts(policy));
    text.push('\n');
    text += &gate(&policy.gate);
    text
}

type Row = Vec<String>;

fn row<const N: usize>(cells: [&str; N]) -> Row {
    cells.map(str::to_owned).into()
}

/// Columns as wide as their widest cell, indented below a title.
fn table(rows: &[Row]) -> String {
    let columns = rows.iter().map(Vec::len).max().unwrap_or_default();
    let width =
        |column: usize| rows.iter().filter_map(|row| row.get(column)).map(|cell| cell.chars().count()).max();
    let widths: Vec<usize> = (0..columns).map(|column| width(column).unwrap_or_default()).collect();
    let mut text = String::new();
    for row in rows {
        let cells = row.iter().zip(&widths).map(|(cell, width)| format!("  {cell:<width$}"));
        let _ = writeln!(text, "{}", cells.collect::<String>().trim_end());
    }
    text
}

fn summary(policy: &Inspection) -> Vec<Row> {
    let does = match policy.role {
        Role::Router => "chooses the model for a request",
        Role::Orchestrator => "splits a request into tasks, or chooses the model for it",
    };
    let format = match policy.format {
        Format::Component => "component",
        Format::CoreModule => "core module with an embedded component type",
    };
    let sdk = policy.sdk.as_ref().map(|sdk| match &sdk.version {
        Some(version) => format!("{} {version}", sdk.language),
        None => sdk.language.clone(),
    });
    vec![
        row(["does", does]),
        row(["contract", &policy.contract]),
        row(["file", &format!("{format}, {} bytes", policy.bytes)]),
        row(["sha-256", &policy.sha256]),
        row(["sdk", sdk.as_deref().unwrap_or("not recorded")]),
        row(["languages", &named(&policy.languages)]),
        row(["made with", &named(&policy.tools)]),
    ]
}

/// Describes what the policy says about itself, which is a claim of its author.
fn description(policy: &Inspection) -> String {
    let mut text = String::new();
    if let Some(described) = &policy.description {
        let prose = [
            ("says", Some(&described.title)),
            ("", described.description.as_ref()),
            ("homepage", described.homepage.as_ref()),
            ("license", described.license.as_ref()),
        ];
        let rows = prose.into_iter().filter_map(|(name, value)| Some(row([name, value?])));
        text += &table(&rows.collect::<Vec<_>>());
        text.push('\n');
        text += &answers("labels", &described.labels);
        text += &answers("refusals", &described.refusals);
        text += &settings(described.settings.as_ref().map(SettingsSchema::rows).unwrap_or_default());
    }
    for problem in &policy.description_problems {
        let _ = writeln!(text, "  fault in its description: {problem}");
    }
    if !policy.description_problems.is_empty() {
        text.push('\n');
    }
    text
}

fn answers(title: &str, answers: &[DeclaredAnswer]) -> String {
    if answers.is_empty() {
        return String::new();
    }
    let rows = answers.iter().map(|answer| row([&answer.name, &answer.meaning]));
    table(&[row([title, "when"])].into_iter().chain(rows).collect::<Vec<_>>()) + "\n"
}

fn settings(settings: Vec<SettingRow>) -> String {
    if settings.is_empty() {
        return String::new();
    }
    let rows = settings.iter().map(|setting| {
        let default = setting.default.as_deref().unwrap_or(if setting.required { "required" } else { "-" });
        row([&setting.name, &setting.expected, default, setting.description.as_deref().unwrap_or_default()])
    });
    let heading = row(["settings", "expected", "default", "meaning"]);
    table(&[heading].into_iter().chain(rows).collect::<Vec<_>>()) + "\n"
}

fn named(tools: &[Tool]) -> String {
    let named = tools.iter().map(|tool| match &tool.version {
        Some(version) => format!("{} {version}", tool.name),
        None => tool.name.clone(),
    });
    let named: Vec<String> = named.collect();
    if named.is_empty() { "not recorded".to_owned() } else { named.join(", ") }
}

fn imports(policy: &Inspection) -> Vec<Row> {
    let heading = row(["imports", "grant", "lets it", "by"]);
    let row = |import: &Import| {
        let name = short(&import.name, policy);
        // Interfaces of other packages have many functions with long names.
        let functions = if name == import.name { String::new() } else { import.functions.join(", ") };
        row([
            name,
            import.grant.unwrap_or("-"),
            import.allows.unwrap_or("(Pointsman does not offer it)"),
            &functions,
        ])
    };
    [heading].into_iter().chain(policy.imports.iter().map(row)).collect()
}

fn exports(policy: &Inspection) -> Vec<Row> {
    let heading = row(["exports", "which", "by"]);
    let row = |export: &Export| {
        row([
            short(&export.name, policy),
            export.purpose.unwrap_or("(Pointsman never calls it)"),
            &export.functions.join(", "),
        ])
    };
    [heading].into_iter().chain(policy.exports.iter().map(row)).collect()
}

/// Returns the name of an interface, without package and version if they are those of the contract.
fn short<'n>(name: &'n str, policy: &Inspection) -> &'n str {
    let Some((package, version)) = policy.contract.split_once('@') else { return name };
    let inner = name.strip_prefix(package).and_then(|name| name.strip_prefix('/'));
    inner.and_then(|name| name.strip_suffix(version)?.strip_suffix('@')).unwrap_or(name)
}

fn counts(policy: &Inspection) -> Vec<Row> {
    let counts = policy.counts;
    let row = |what: &str, count: u64, most: u64| row([what, &count.to_string(), &most.to_string()]);
    vec![
        vec!["counts".to_owned(), "has".to_owned(), "at most".to_owned()],
        row("modules", counts.modules as u64, BOUNDS.modules as u64),
        row("core instances", counts.core_instances as u64, BOUNDS.core_instances as u64),
        row("functions", counts.functions as u64, BOUNDS.functions as u64),
        row(
            "bytes of the largest function",
            counts.largest_function_bytes as u64,
            BOUNDS.largest_function_bytes as u64,
        ),
        row("locals of a function", counts.most_locals, BOUNDS.most_locals),
        row("bytes of memory at first", counts.memory_bytes, Limits::default().memory_bytes as u64),
    ]
}

fn gate(gate: &Gate) -> String {
    let grants: Vec<String> = gate.grants.iter().map(|grant| format!("\"{grant}\"")).collect();
    let grants = (!grants.is_empty()).then(|| format!("grants = [{}]", grants.join(", ")));
    let verdict = match (gate.refusals.is_empty(), grants) {
        (true, None) => "lets it in without any grant".to_owned(),
        (true, Some(grants)) => format!("lets it in with {grants}"),
        (false, None) => "refuses it:".to_owned(),
        (false, Some(grants)) => format!("refuses it, even with {grants}:"),
    };
    let mut text = format!("  load gate  {verdict}\n");
    for refusal in &gate.refusals {
        let _ = writeln!(text, "    {refusal}");
    }
    text += "  `pointsman check` tests compilation, settings and a probe decision\n";
    text
}
