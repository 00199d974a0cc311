//! The subcommands that show something.

use clap::Args as ClapArgs;
use serde_json::Value;

use super::admin::Gateway;
use super::{Failure, print};
use crate::clock::unix_seconds;

#[derive(Debug, ClapArgs)]
pub(super) struct List {
    /// Print what the gateway says, as JSON
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    gateway: Gateway,
}

#[derive(Debug, ClapArgs)]
pub(super) struct Routes {
    /// Print what the gateway says, as JSON
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    gateway: Gateway,
}

#[derive(Debug, ClapArgs)]
pub(super) struct Audit {
    /// How many of the newest changes
    #[arg(long, default_value_t = 20)]
    limit: usize,
    /// Print what the gateway says, as JSON
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    gateway: Gateway,
}

/// Rows under their titles, each column as wide as it has to be.
struct Table(Vec<Vec<String>>);

pub(super) fn list(args: &List) -> Result<(), Failure> {
    let answer = args.gateway.get("/admin/policies")?;
    if args.json {
        return print(format_args!("{answer:#}"));
    }
    let mut table =
        Table::new(&["POLICY", "VERSION", "DECISIONS", "FAILED", "P50", "P99", "ERRORS", "ROUTES"]);
    let mut notes = Vec::new();
    for policy in rows(&answer["policies"]) {
        let name = text(&policy["name"]);
        let record = &policy["active_record"];
        table.row(vec![
            name.to_owned(),
            version(policy),
            number(&record["decisions"]),
            failed(record).to_string(),
            time(&record["decision_us_p50"]),
            time(&record["decision_us_p99"]),
            format!("{} of {}", number(&record["errors"]), number(&record["requests"])),
            names(&policy["routes"]),
        ]);
        for hold in rows(&policy["holds"]).iter().filter(|hold| hold["in_force"] == true) {
            notes.push(format!("`{name}`: version {} {}", short(&hold["digest"]), held(hold)));
        }
        if let Some(error) = policy["rejected"]["error"].as_str() {
            let what = match policy["loaded"].as_bool() {
                Some(false) => "the policy is not loaded, and its routes follow `on_failure`",
                _ => "another version was not let in",
            };
            notes.push(format!("`{name}`: {what}: {error}"));
        }
    }
    print(table.with(notes))
}

pub(super) fn routes(args: &Routes) -> Result<(), Failure> {
    let answer = args.gateway.get("/admin/routes")?;
    if args.json {
        return print(format_args!("{answer:#}"));
    }
    let mut table = Table::new(&[
        "ROUTE",
        "POLICY",
        "ON TRIAL",
        "DECISIONS",
        "FAILED",
        "P99",
        "AGREES",
        "COST",
        "LATENCY",
    ]);
    let mut notes = Vec::new();
    for route in rows(&answer) {
        let (name, trial) = (text(&route["name"]), &route["trial"]);
        let own = format!(
            "{}{}",
            text(&route["version"]),
            if route["promoted"].is_object() { " (promoted)" } else { "" }
        );
        if trial.is_null() {
            table.row(vec![name.to_owned(), own, "-".to_owned()]);
        } else {
            let record = &trial["trial"];
            let (cost, latency) = differences(trial);
            table.row(vec![
                name.to_owned(),
                own,
                on_trial(trial),
                number(&record["decisions"]),
                failed(record).to_string(),
                time(&record["decision_us_p99"]),
                share(&trial["compared"]["agreement"]),
                cost,
                latency,
            ]);
        }
        for hold in rows(&route["holds"]).iter().filter(|hold| hold["in_force"] == true) {
            notes.push(format!("`{name}`: version {} {}", short(&hold["digest"]), held(hold)));
        }
    }
    print(table.with(notes))
}

pub(super) fn audit(args: &Audit) -> Result<(), Failure> {
    let answer = args.gateway.get(&format!("/admin/audit?limit={}", args.limit))?;
    if args.json {
        return print(format_args!("{answer:#}"));
    }
    let mut table = Table::new(&["AGO", "WHO", "WHAT", "POLICY", "ROUTE", "FROM", "TO", "WHY"]);
    let now = unix_seconds();
    for event in rows(&answer) {
        let or_dash = |value: &Value| value.as_str().map_or("-", |text| text).to_owned();
        table.row(vec![
            ago(now.saturating_sub(event["at"].as_u64().unwrap_or(now))),
            who(&event["who"]),
            text(&event["action"]).to_owned(),
            or_dash(&event["policy"]),
            or_dash(&event["route"]),
            short(&event["from"]).to_owned(),
            short(&event["digest"]).to_owned(),
            text(&event["why"]).to_owned(),
        ]);
    }
    print(table.with(Vec::new()))
}

fn version(policy: &Value) -> String {
    let how = policy["chosen"]["how"].as_str();
    format!("{}{}", short(&policy["active"]), how.map(|how| format!(" ({how})")).unwrap_or_default())
}

fn on_trial(trial: &Value) -> String {
    let policy = text(&trial["policy"]);
    match (trial["suspended"] == true, trial["percent"].as_f64()) {
        (true, _) => format!("{policy}, suspended"),
        (false, Some(percent)) => format!("{policy}, {percent} %"),
        (false, None) => format!("{policy}, shadow"),
    }
}

/// How much more or less a policy on trial costs and takes: predicted of a
/// shadow, measured of a canary.
fn differences(trial: &Value) -> (String, String) {
    let relative = |active: &Value, other: &Value| match (active.as_f64(), other.as_f64()) {
        (Some(active), Some(other)) if active > 0.0 => format!("{:+.0} %", (other / active - 1.0) * 100.0),
        _ => "-".to_owned(),
    };
    let compared = &trial["compared"];
    if compared.is_object() {
        let of = |pair: &Value| relative(&pair["active"], &pair["trial"]);
        return (of(&compared["predicted_cost_usd"]), of(&compared["predicted_latency_ms"]));
    }
    let of = |key: &str| relative(&trial["active"][key], &trial["trial"][key]);
    (of("mean_cost_usd"), of("mean_latency_ms"))
}

fn held(hold: &Value) -> String {
    let why = text(&hold["why"]);
    match hold["until"].as_u64() {
        Some(until) => format!("is left alone for {} ({why})", ago(until.saturating_sub(unix_seconds()))),
        None => format!("is in quarantine ({why})"),
    }
}

fn who(who: &Value) -> String {
    match who["admin"].as_str() {
        Some("") => "admin".to_owned(),
        Some(name) => name.to_owned(),
        None => text(who).to_owned(),
    }
}

fn rows(value: &Value) -> &[Value] {
    value.as_array().map(Vec::as_slice).unwrap_or_default()
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

fn short(digest: &Value) -> &str {
    digest.as_str().map_or("-", |digest| digest.get(..12).unwrap_or(digest))
}

fn names(value: &Value) -> String {
    let names: Vec<&str> = rows(value).iter().map(text).collect();
    if names.is_empty() { "-".to_owned() } else { names.join(", ") }
}

fn number(value: &Value) -> String {
    value.as_u64().unwrap_or_default().to_string()
}

fn failed(record: &Value) -> u64 {
    rows(&record["failures"]).iter().filter_map(|failure| failure[1].as_u64()).sum()
}

fn share(value: &Value) -> String {
    value.as_f64().map_or_else(|| "-".to_owned(), |share| format!("{:.0} %", share * 100.0))
}

fn time(microseconds: &Value) -> String {
    match microseconds.as_f64() {
        None => "-".to_owned(),
        Some(time) if time < 1_000.0 => format!("{time:.0} us"),
        Some(time) => format!("{:.1} ms", time / 1e3),
    }
}

fn ago(seconds: u64) -> String {
    match seconds {
        0..120 => format!("{seconds} s"),
        120..7_200 => format!("{} min", seconds / 60),
        7_200..172_800 => format!("{} h", seconds / 3_600),
        _ => format!("{} d", seconds / 86_400),
    }
}

impl Table {
    fn new(titles: &[&str]) -> Self {
        Self(vec![titles.iter().map(|title| (*title).to_owned()).collect()])
    }

    fn row(&mut self, cells: Vec<String>) {
        self.0.push(cells);
    }

    /// The table as text, and below it what does not fit into it.
    fn with(self, notes: Vec<String>) -> String {
        let columns = self.0.iter().map(Vec::len).max().unwrap_or_default();
        let width = |column: usize| {
            self.0
                .iter()
                .filter_map(|row| row.get(column))
                .map(|cell| cell.chars().count())
                .max()
                .unwrap_or(0)
        };
        let widths: Vec<usize> = (0..columns).map(width).collect();
        let line = |row: &Vec<String>| {
            let cells = row.iter().zip(&widths).map(|(cell, width)| format!("{cell:width$}"));
            cells.collect::<Vec<_>>().join("  ").trim_end().to_owned()
        };
        let mut lines: Vec<String> = self.0.iter().map(line).collect();
        if !notes.is_empty() {
            lines.push(String::new());
            lines.extend(notes);
        }
        lines.join("\n")
    }
}
