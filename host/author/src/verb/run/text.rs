//! The report of one request, as text and as JSON.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::time::Duration;

use pointsman_domain::candidate::Candidate;
use pointsman_policy::{Examination, ImportCall};
use pointsman_terminal::{Colour, Paint};
use serde_json::{Value, json};

use crate::execution::{EarlierRun, RequestRun};
use crate::observed::Observed;
use crate::subject::PolicyFile;

/// Imports of one call that are shown.
const MAX_SHOWN_IMPORTS: usize = 40;

/// Describes a run as text.
pub(super) fn describe(file: &PolicyFile, run: &RequestRun, observed: &[Observed], paint: Paint) -> String {
    let mut text = String::new();
    let mut line = |title: &str, value: &str| {
        let _ = writeln!(text, "{}  {value}", paint.word(Colour::Bold, format!("{title:<10}")));
    };
    line("policy", &format!("{} ({})", file.source, file.code.digest().short()));
    line("request", &request(run));
    let mut title = "candidates";
    for it in run.input.candidates.iter() {
        line(title, &candidate(it));
        title = "";
    }
    for (number, call) in run.earlier.iter().enumerate() {
        let result = call.failure.as_ref().map_or_else(|| "ok".to_owned(), ToString::to_string);
        line(&format!("earlier {}", number + 1), &format!("{}: {result}", call.kind));
    }
    for (number, (call, answer)) in run.calls.iter().zip(observed).enumerate() {
        let _ = writeln!(text);
        let name =
            if number == 0 { "first call".to_owned() } else { format!("call {} (resumed)", number + 1) };
        let _ = writeln!(text, "{}", paint.word(Colour::Bold, name));
        text += &described_call(call, answer, paint);
    }
    if let Some(stopped) = &run.stopped {
        let _ = writeln!(text, "\n{}: {stopped}", paint.word(Colour::Yellow, "stopped"));
    }
    text
}

/// Describes a run for programs.
pub(super) fn json(file: &PolicyFile, run: &RequestRun, observed: &[Observed]) -> Value {
    let calls: Vec<Value> =
        run.calls.iter().zip(observed).map(|(call, answer)| json_call(call, answer)).collect();
    json!({
        "policy": { "source": file.source, "sha256": file.code.digest().to_string() },
        "earlier": run.earlier.iter().map(earlier).collect::<Vec<_>>(),
        "calls": calls,
        "fuel": run.fuel(),
        "memory_bytes": run.memory_bytes(),
        "stopped": run.stopped.as_ref().map(ToString::to_string),
    })
}

fn earlier(call: &EarlierRun) -> Value {
    json!({
        "kind": call.kind,
        "failure": call.failure.as_ref().map(ToString::to_string),
        "fuel": call.fuel.map(|fuel| fuel.total()),
    })
}

fn json_call(call: &Examination, answer: &Observed) -> Value {
    let import = |it: &ImportCall| {
        json!({
            "interface": it.interface, "function": it.function, "arguments": it.arguments,
            "bytes": it.bytes, "times": it.times,
        })
    };
    let log = call.trace.log.iter().map(|line| json!({ "level": line.level.as_str(), "text": line.text }));
    json!({
        "answer": answer,
        "imports": call.trace.imports.iter().map(import).collect::<Vec<_>>(),
        "more_imports": call.trace.more_imports,
        "log": log.collect::<Vec<_>>(),
        "fuel": call.fuel.map(|fuel| json!({ "start": fuel.start, "call": fuel.call })),
        "memory_bytes": call.memory_bytes,
        "start_us": microseconds(call.start),
        "call_us": microseconds(call.call),
    })
}

fn microseconds(time: Duration) -> f64 {
    (time.as_secs_f64() * 1e7).round() / 10.0
}

fn request(run: &RequestRun) -> String {
    let request = &run.input.request;
    let names = |names: Vec<String>| names.join("+").to_lowercase();
    let inputs = names(request.inputs.iter_names().map(|(name, _)| name.to_owned()).collect());
    let mut words = vec![
        format!("{} for `{}`", request.operation, request.model),
        format!("{} input tokens", request.input_tokens),
        inputs,
        format!("{} turns", request.turns),
    ];
    if !request.needs.is_empty() {
        let needs = names(request.needs.iter_names().map(|(name, _)| name.replace('_', "-")).collect());
        words.push(format!("needs {needs}"));
    }
    if let Some(tenant) = &request.tenant {
        words.push(format!("tenant `{tenant}`"));
    }
    words.join(", ")
}

fn candidate(candidate: &Candidate) -> String {
    let (model, live) = (&candidate.model, &candidate.live);
    let mut words = vec![
        model.id.to_string(),
        format!(
            "${}/${} per million tokens",
            model.price.input_per_million(),
            model.price.output_per_million()
        ),
    ];
    words.extend(model.quality.general.map(|quality| format!("quality {quality}")));
    if !live.healthy {
        words.push("unhealthy".to_owned());
    }
    words.join(", ")
}

fn described_call(call: &Examination, answer: &Observed, paint: Paint) -> String {
    let mut text = String::new();
    let mut line = |title: &str, value: &str| {
        let title = paint.word(Colour::Dim, format!("{title:<8}"));
        let _ = writeln!(text, "  {title}  {value}");
    };
    let mut title = "imports";
    for import in call.trace.imports.iter().take(MAX_SHOWN_IMPORTS) {
        line(title, &shown_import(import));
        title = "";
    }
    let hidden = call.trace.imports.len().saturating_sub(MAX_SHOWN_IMPORTS) as u64 + call.trace.more_imports;
    if hidden > 0 {
        line("", &format!("… and {hidden} more"));
    } else if call.trace.imports.is_empty() {
        line("imports", "none called");
    }
    let read = bytes_read(&call.trace.imports);
    if !read.is_empty() {
        let read: Vec<String> =
            read.iter().map(|(interface, bytes)| format!("{bytes} bytes of {interface}")).collect();
        line("read", &read.join(", "));
    }
    if let Some(fuel) = call.fuel {
        line("fuel", &format!("{} ({} to start)", fuel.total(), fuel.start));
    }
    line("memory", &format!("{} KiB", call.memory_bytes.div_ceil(1024)));
    line("time", &format!("start {} µs, call {} µs", microseconds(call.start), microseconds(call.call)));
    let mut title = "log";
    for logged in &call.trace.log {
        line(title, &format!("{}: {}", logged.level.as_str(), logged.text));
        title = "";
    }
    for (title, value) in answer_lines(answer) {
        line(title, &value);
    }
    text
}

/// Lines of an answer, each with its title.
fn answer_lines(answer: &Observed) -> Vec<(&'static str, String)> {
    let mut lines = vec![("answer", answer.kind.to_owned())];
    lines.extend(answer.targets.iter().enumerate().map(|(at, target)| ("", format!("{}. {target}", at + 1))));
    if let Some(plan) = &answer.plan {
        for task in &plan.tasks {
            let after = if task.after.is_empty() {
                String::new()
            } else {
                format!(", after {}", task.after.join(", "))
            };
            let optional = if task.optional { ", optional" } else { "" };
            let targets = task.targets.join(", ");
            lines.push(("", format!("task {}: {} by {targets}{after}{optional}", task.name, task.operation)));
        }
        lines.push(("", format!("then {}", plan.next)));
    }
    lines.extend(answer.problem.as_ref().map(|problem| ("", format!("{}: {}", problem.kind, problem.text))));
    lines.extend(answer.label.iter().map(|label| ("label", label.clone())));
    lines.extend(answer.reason.iter().map(|reason| ("reason", reason.clone())));
    lines.extend(answer.hedge_after_ms.map(|ms| ("hedge", format!("after {ms} ms"))));
    lines.extend(answer.propensity.map(|propensity| ("chance", propensity.to_string())));
    lines.extend(answer.answer.iter().map(|text| ("text", text.replace('\n', "\n            "))));
    lines
}

fn shown_import(import: &ImportCall) -> String {
    let ImportCall { interface, function, arguments, bytes, times } = import;
    let name = match (*interface, *function) {
        (interface, "") => interface.to_owned(),
        (interface, function) => format!("{interface}.{function}({arguments})"),
    };
    let bytes = if *bytes > 0 { format!("  {bytes} bytes") } else { String::new() };
    let times = if *times > 1 { format!("  {times} times") } else { String::new() };
    format!("{name}{bytes}{times}")
}

fn bytes_read(imports: &[ImportCall]) -> BTreeMap<&'static str, u64> {
    let mut read = BTreeMap::new();
    for import in imports.iter().filter(|import| import.bytes > 0) {
        *read.entry(import.interface).or_default() += import.bytes as u64 * import.times;
    }
    read
}
