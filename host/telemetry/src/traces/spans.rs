//! Spans of a request: one for the request, one for each decision, one for each task of a plan, and one
//! for each call of a model.
//!
//! Attributes are named by OpenTelemetry's conventions for generative AI if those have a name, and begin
//! with `pointsman.` otherwise. Only the spans of calls have token counts under the conventional names,
//! so that a sum over all spans is correct.

mod attempt;

use std::collections::HashMap;
use std::time::{Duration, UNIX_EPOCH};

use pointsman_domain::history::{CallEnd, DecisionAnswer, DecisionEntry, History, TaskEnd, TaskRun};
use pointsman_domain::ids::BackendName;
use pointsman_domain::model::Operation;
use pointsman_domain::outcome::{Fault, RequestEnd};
use pointsman_domain::trace::TraceContext;
use pointsman_record::ms;

use super::content::SpanContent;
use super::protobuf::MessageWriter;
use super::span::{AttributeWriter, SpanHead, SpanKind, SpanWriter};

/// Number of the field of `ScopeSpans` that holds spans.
const SPANS: u32 = 2;

/// Servers of models by backend.
pub type ModelServers = HashMap<BackendName, ModelServer>;

/// Server of the models of a backend.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ModelServer {
    /// Provider, by OpenTelemetry's name if there is one.
    pub provider: String,
    /// Host and port; `None` for a simulated backend.
    pub address: Option<(String, u16)>,
}

/// Returns the number of spans of a request.
pub(super) fn count(history: &History) -> u64 {
    let tasks = history.plan.iter().flat_map(|run| &run.tasks).filter(|task| task.begun.is_some());
    (1 + history.decisions.len() + history.calls.len() + tasks.count()) as u64
}

/// Writer of the spans of one request.
#[derive(Clone, Copy)]
pub(super) struct RequestSpans<'h> {
    pub(super) history: &'h History,
    pub(super) trace: TraceContext,
    pub(super) servers: &'h ModelServers,
    pub(super) content: Option<&'h SpanContent>,
}

/// Kind of a span whose id is derived, since the history has none for it.
#[derive(Clone, Copy)]
enum DerivedSpan {
    Decision = 1,
    Task = 2,
}

impl RequestSpans<'_> {
    /// Appends the spans to a buffer, as fields of `ScopeSpans`.
    pub(super) fn write(&self, buffer: &mut Vec<u8>) {
        let mut message = MessageWriter::append_to(buffer);
        message.message(SPANS, |span| self.request(span));
        for number in 0..self.history.decisions.len() {
            message.message(SPANS, |span| self.decision(span, number));
        }
        for (number, task) in self.tasks().iter().enumerate() {
            if let Some(begun) = task.begun {
                message.message(SPANS, |span| self.task(span, number, task, begun));
            }
        }
        for number in 0..self.history.calls.len() {
            message.message(SPANS, |span| self.attempt(span, number));
        }
    }

    fn request(&self, message: &mut MessageWriter<'_>) {
        let (history, outcome) = (self.history, &self.history.outcome);
        let (facts, operation) = (&history.request, operation_name(history.request.operation));
        let head = SpanHead {
            parent: self.trace.parent,
            is_parent_remote: self.trace.parent.is_some(),
            ..self.head(self.trace.span, SpanKind::Server, Duration::ZERO, outcome.latency)
        };
        let mut span = SpanWriter::begin(message, head, format_args!("{operation} {}", history.route));
        let mut attributes = span.attributes();
        attributes.text("gen_ai.operation.name", operation);
        attributes.text("gen_ai.provider.name", "pointsman");
        attributes.text("gen_ai.request.model", &history.route);
        attributes.optional_text("gen_ai.response.model", outcome.model.as_ref().map(|model| model.as_str()));
        attributes.optional_text("gen_ai.conversation.id", facts.session.as_deref());
        if facts.streaming {
            attributes.flag("gen_ai.request.stream", true);
        }
        if let Some(most) = facts.max_output_tokens {
            attributes.number("gen_ai.request.max_tokens", most.into());
        }
        if let (true, Some(first)) = (facts.streaming, outcome.first_token) {
            attributes.float("gen_ai.response.time_to_first_chunk", first.as_secs_f64());
        }
        self.result(&mut attributes);
        if let Some(content) = self.content {
            content.write(&mut attributes);
        }
        self.record_repeated_calls(&mut span, None);
        if outcome.ending == RequestEnd::Failed {
            let (fault, error) = (outcome.fault.map_or("_OTHER", Fault::as_str), outcome.error.as_deref());
            match outcome.fault {
                // As in the conventions for HTTP, a client's fault is not an error of the server span.
                Some(Fault::Client) => span.attributes().text("error.type", fault),
                _ => span.error(format_args!("{fault}"), format_args!("{}", error.unwrap_or_default())),
            }
        }
    }

    /// Writes the result of a request under the gateway's own names.
    fn result(&self, attributes: &mut AttributeWriter<'_, '_>) {
        let (history, outcome) = (self.history, &self.history.outcome);
        attributes.text("pointsman.decision.id", &outcome.id);
        attributes.text("pointsman.route", &history.route);
        attributes.text("pointsman.label", &outcome.label);
        attributes.text("pointsman.ending", outcome.ending.as_str());
        attributes.optional_text("pointsman.key", history.request.tenant.as_ref().map(|key| key.as_str()));
        if let Some(version) = history.decided_by() {
            attributes.text("pointsman.policy", version.policy.as_str());
            attributes.display("pointsman.policy.digest", version.digest);
        }
        attributes.number("pointsman.attempts", outcome.attempts.into());
        attributes.number("pointsman.input_tokens", outcome.usage.input_tokens);
        attributes.number("pointsman.output_tokens", outcome.usage.output_tokens);
        attributes.float("pointsman.cost_usd", outcome.cost.usd());
        if let Some(baseline) = &history.baseline {
            attributes.text("pointsman.baseline.model", baseline.model.id.as_str());
            attributes.float("pointsman.baseline.cost_usd", baseline.cost.usd());
        }
        for (key, time) in [
            ("pointsman.first_token_ms", outcome.first_token),
            ("pointsman.added_ms", history.added_latency()),
        ] {
            if let Some(time) = time {
                attributes.float(key, ms(time));
            }
        }
        if let Some(run) = &history.plan {
            attributes.number("pointsman.plan.steps", run.steps as u64);
            attributes.number("pointsman.plan.tasks", run.tasks.len() as u64);
        }
    }

    fn decision(&self, message: &mut MessageWriter<'_>, number: usize) {
        let Some(entry) = self.history.decisions.get(number) else { return };
        let id = self.derived(DerivedSpan::Decision, number);
        let head = SpanHead {
            parent: Some(self.trace.span),
            ..self.head(id, SpanKind::Internal, entry.at, entry.at + entry.took)
        };
        let policy = entry.policy.as_ref().map_or("in order", |version| version.policy.as_str());
        let mut span = SpanWriter::begin(message, head, format_args!("decide {policy}"));
        let mut attributes = span.attributes();
        if let Some(version) = &entry.policy {
            attributes.text("pointsman.policy", version.policy.as_str());
            attributes.display("pointsman.policy.digest", version.digest);
        }
        attributes.number("pointsman.candidates", entry.candidates.len() as u64);
        attributes.number("pointsman.candidates.whole", entry.whole as u64);
        answer(&mut span, entry);
    }

    fn task(&self, message: &mut MessageWriter<'_>, number: usize, task: &TaskRun, begun: Duration) {
        let ended = task.ended.unwrap_or(self.history.outcome.latency);
        let head = SpanHead {
            parent: Some(self.trace.span),
            ..self.head(self.derived(DerivedSpan::Task, number), SpanKind::Internal, begun, ended)
        };
        let mut span = SpanWriter::begin(message, head, format_args!("task {}", task.name));
        let (end, error) = task.end(Some(&self.history.outcome));
        let mut attributes = span.attributes();
        attributes.text("pointsman.task.name", &task.name);
        attributes.number("pointsman.task.number", number as u64);
        attributes.number("pointsman.task.step", task.step as u64);
        attributes.text("pointsman.task.operation", task.operation.name());
        attributes.text("pointsman.task.status", end.as_str());
        attributes.optional_text("gen_ai.response.model", task.model.as_deref());
        for &before in &task.after {
            if self.tasks().get(before).is_some_and(|task| task.begun.is_some()) {
                span.link(self.derived(DerivedSpan::Task, before), "after");
            }
        }
        self.record_repeated_calls(&mut span, Some(number));
        if end == TaskEnd::Failed {
            let last = self.history.calls.iter().rev().find(|call| call.task == Some(number));
            let kind = match last.map(|call| &call.end) {
                Some(CallEnd::Failed(kind)) => attempt::error_type(kind),
                _ => "_OTHER".into(),
            };
            span.error(format_args!("{kind}"), format_args!("{}", error.unwrap_or_default()));
        }
    }

    fn tasks(&self) -> &[TaskRun] {
        self.history.plan.as_ref().map(|run| run.tasks.as_slice()).unwrap_or_default()
    }

    fn head(&self, id: u64, kind: SpanKind, begun: Duration, ended: Duration) -> SpanHead {
        let (begun, ended) = (self.at(begun), self.at(ended));
        SpanHead { trace: self.trace.trace, id, parent: None, is_parent_remote: false, kind, begun, ended }
    }

    /// Converts a time since the arrival to nanoseconds since 1970.
    fn at(&self, since_arrival: Duration) -> u64 {
        let since = self.history.arrived.duration_since(UNIX_EPOCH).unwrap_or_default() + since_arrival;
        u64::try_from(since.as_nanos()).unwrap_or(u64::MAX)
    }

    /// Derives the id of a span. Only calls have ids of their own, since models receive them in
    /// `traceparent`.
    fn derived(&self, kind: DerivedSpan, number: usize) -> u64 {
        let place = (kind as u64) << 32 | number as u64;
        mix(self.trace.span ^ place.wrapping_mul(0x9e37_79b9_7f4a_7c15)).max(1)
    }
}

/// Writes the answer of a decision.
fn answer(span: &mut SpanWriter<'_, '_>, entry: &DecisionEntry) {
    let mut attributes = span.attributes();
    attributes.text("pointsman.answer", entry.answer.as_str());
    match &entry.answer {
        DecisionAnswer::Route(decision) => {
            attributes.text("pointsman.label", decision.label());
            attributes.optional_text("pointsman.reason", decision.reason());
            let targets = decision.targets().iter();
            let models = targets.filter_map(|target| entry.candidates.get(target.candidate));
            attributes.list("pointsman.targets", models.map(|candidate| candidate.model.id.as_str()));
            if let Some(after) = decision.hedge_after() {
                attributes.float("pointsman.hedge_after_ms", ms(after));
            }
            if let Some(propensity) = decision.propensity() {
                attributes.float("pointsman.propensity", propensity);
            }
        }
        DecisionAnswer::Plan { label, reason, tasks } => {
            attributes.text("pointsman.label", label);
            attributes.optional_text("pointsman.reason", reason.as_deref());
            attributes.number("pointsman.plan.tasks", *tasks as u64);
        }
        DecisionAnswer::Finish { label, reason } => {
            attributes.text("pointsman.label", label);
            attributes.optional_text("pointsman.reason", reason.as_deref());
        }
        DecisionAnswer::Refusal(refusal) => {
            attributes.text("pointsman.refusal.code", refusal.code());
            attributes.text("pointsman.reason", refusal.message());
        }
        DecisionAnswer::Failure { reason, message } => {
            span.error(format_args!("{reason}"), format_args!("{message}"));
        }
    }
}

/// Returns OpenTelemetry's name of an operation, or the gateway's own where it has none.
const fn operation_name(operation: Operation) -> &'static str {
    match operation {
        Operation::Embedding => "embeddings",
        _ => operation.name(),
    }
}

/// Mixes all bits of a number (the finaliser of splitmix64).
fn mix(number: u64) -> u64 {
    let number = (number ^ number >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let number = (number ^ number >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
    number ^ number >> 31
}

#[cfg(test)]
mod tests;
