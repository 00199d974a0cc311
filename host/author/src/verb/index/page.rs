//! The page of an index: one file without scripts, in which all text is escaped.

use std::fmt::{self, Write};

use pointsman_policy::Inspection;
use pointsman_policy::description::{DeclaredAnswer, SettingRow, SettingsSchema};
use pointsman_policy::inspect::Role;

use super::entry::{Entry, IndexedPolicy};

const STYLE: &str = "\
:root { color-scheme: light dark; font: 16px/1.5 system-ui, sans-serif; }
body { margin: 0 auto; max-width: 64rem; padding: 1rem; }
h1, h2, h3 { line-height: 1.2; overflow-wrap: anywhere; }
section { border-top: 1px solid #8886; padding: 0.5rem 0 1rem; }
dl { display: grid; gap: 0 1rem; grid-template-columns: max-content 1fr; }
dt { opacity: 0.75; }
dd { margin: 0; overflow-wrap: anywhere; }
.scroll { overflow-x: auto; }
table { border-collapse: collapse; width: 100%; }
th, td { border-bottom: 1px solid #8884; padding: 0.25rem 0.75rem 0.25rem 0; text-align: left; vertical-align: top; }
.fault { font-weight: bold; }
@media (max-width: 40rem) { dl { grid-template-columns: 1fr; } dd { margin-bottom: 0.5rem; } }
";

/// Renders the page.
pub(super) fn render(title: &str, entries: &[Entry]) -> String {
    let mut page = String::new();
    let shown = Escaped(title);
    // Writing to a string cannot fail.
    let _ = write!(
        page,
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width\">\n\
         <meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">\n\
         <title>{shown}</title>\n<style>\n{STYLE}</style>\n</head>\n<body>\n<h1>{shown}</h1>\n\
         <p>What authors say about their policies is not checked. Digests, imports and grants are read from the files.</p>\n"
    );
    page += "<nav aria-label=\"Policies\"><ul>\n";
    for (number, entry) in entries.iter().enumerate() {
        let _ = writeln!(page, "<li><a href=\"#policy-{number}\">{}</a></li>", Escaped(entry.title()));
    }
    page += "</ul></nav>\n<main>\n";
    for (number, entry) in entries.iter().enumerate() {
        section(&mut page, number, entry);
    }
    page += "</main>\n</body>\n</html>\n";
    page
}

impl Entry {
    fn title(&self) -> &str {
        match &self.policy {
            IndexedPolicy::Readable(policy) => {
                policy.description.as_ref().map_or(&self.file, |description| &description.title)
            }
            IndexedPolicy::Unreadable { .. } => &self.file,
        }
    }
}

fn section(page: &mut String, number: usize, entry: &Entry) {
    let id = format!("policy-{number}");
    let _ =
        writeln!(page, "<section aria-labelledby=\"{id}\">\n<h2 id=\"{id}\">{}</h2>", Escaped(entry.title()));
    match &entry.policy {
        IndexedPolicy::Readable(policy) => policy_details(page, entry, policy),
        IndexedPolicy::Unreadable { error } => {
            let _ = writeln!(
                page,
                "<p class=\"fault\">{} is no policy: {}</p>",
                Escaped(&entry.file),
                Escaped(error)
            );
        }
    }
    page.push_str("</section>\n");
}

fn policy_details(page: &mut String, entry: &Entry, policy: &Inspection) {
    let description = policy.description.as_ref();
    if let Some(text) = description.and_then(|description| description.description.as_ref()) {
        let _ = writeln!(page, "<p>{}</p>", Escaped(text));
    }
    for fault in policy.gate.refusals.iter().chain(&policy.description_problems) {
        let _ = writeln!(page, "<p class=\"fault\">{}</p>", Escaped(fault));
    }
    page.push_str("<dl>\n");
    fact(page, "File", &entry.file);
    if !entry.tags.is_empty() {
        fact(page, "Tags", &entry.tags.join(", "));
    }
    fact(
        page,
        "Role",
        match policy.role {
            Role::Router => "chooses the model for a request",
            Role::Orchestrator => "splits a request into tasks, or chooses the model for it",
        },
    );
    fact(page, "Contract", &policy.contract);
    fact(page, "Size", &format!("{} bytes", policy.bytes));
    fact(page, "SHA-256", &policy.sha256);
    fact(page, "Signature", &entry.signature.describe());
    if let Some(license) = description.and_then(|description| description.license.as_ref()) {
        fact(page, "Licence", license);
    }
    if let Some(address) = description.and_then(|description| description.homepage.as_ref()) {
        let shown = Escaped(address);
        let _ = writeln!(
            page,
            "<dt>Homepage</dt><dd><a href=\"{shown}\" rel=\"noopener noreferrer nofollow\">{shown}</a></dd>"
        );
    }
    fact(
        page,
        "Grants",
        &if policy.gate.grants.is_empty() { "none".to_owned() } else { policy.gate.grants.join(", ") },
    );
    page.push_str("</dl>\n");
    let imports = policy.imports.iter().map(|import| {
        [&*import.name, import.grant.unwrap_or("-"), import.allows.unwrap_or("(Pointsman does not offer it)")]
    });
    table(page, "What it may do", ["Import", "Grant", "Lets it"], imports);
    let Some(description) = description else { return };
    answers(page, "Labels", &description.labels);
    answers(page, "Refusals", &description.refusals);
    settings(page, &description.settings.as_ref().map(SettingsSchema::rows).unwrap_or_default());
}

fn fact(page: &mut String, term: &str, value: &str) {
    let _ = writeln!(page, "<dt>{}</dt><dd>{}</dd>", Escaped(term), Escaped(value));
}

fn answers(page: &mut String, title: &str, answers: &[DeclaredAnswer]) {
    table(page, title, ["Name", "When"], answers.iter().map(|answer| [&*answer.name, &*answer.meaning]));
}

fn settings(page: &mut String, rows: &[SettingRow]) {
    let cells = rows.iter().map(|row| {
        let default = row.default.as_deref().unwrap_or(if row.required { "required" } else { "-" });
        [&*row.name, &*row.expected, default, row.description.as_deref().unwrap_or_default()]
    });
    table(page, "Settings", ["Setting", "Expected", "Default", "Meaning"], cells);
}

/// Writes a table below a title, unless it is empty.
fn table<'c, const N: usize>(
    page: &mut String,
    title: &str,
    heads: [&str; N],
    rows: impl Iterator<Item = [&'c str; N]>,
) {
    let mut body = String::new();
    for row in rows {
        let cells = row.map(|cell| format!("<td>{}</td>", Escaped(cell))).concat();
        let _ = writeln!(body, "<tr>{cells}</tr>");
    }
    if !body.is_empty() {
        let heads = heads.map(|head| format!("<th scope=\"col\">{head}</th>")).concat();
        let _ = writeln!(
            page,
            "<h3>{title}</h3>\n<div class=\"scroll\"><table>\n<thead><tr>{heads}</tr></thead>\n<tbody>\n{body}</tbody>\n</table></div>"
        );
    }
}

/// Text in HTML, inside an element or a quoted attribute.
struct Escaped<'t>(&'t str);

impl fmt::Display for Escaped<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for character in self.0.chars() {
            match character {
                '&' => f.write_str("&amp;")?,
                '<' => f.write_str("&lt;")?,
                '>' => f.write_str("&gt;")?,
                '"' => f.write_str("&quot;")?,
                '\'' => f.write_str("&#39;")?,
                other => f.write_char(other)?,
            }
        }
        Ok(())
    }
}
