//! From the history of a request to its spans: one for the request, one for each
//! time that somebody was asked what to do, one for each task of a plan, one for
//! each call of a model.
//!
//! Names are those of OpenTelemetry's conventions for generative AI, where it has
//! one, and begin with `pointsman.` otherwise. Tokens are told by the calls that
//! used them and by nobody else under the conventional names, so that a sum over
//! all spans is right.

mod attempt;

use std::collections::HashMap;
use std::time::{Duration, UNIX_EPOCH};

use pointsman_domain::history::{CallEnd, DecisionAnswer, DecisionEntry, History, TaskEnd, TaskRun};
use pointsman_domain::ids::BackendName;
use pointsman_domain::model::Operation;
use pointsman_domain::outcome::{Fault, RequestEnd};
use pointsman_domain::trace::TraceContext;

use super::content::Content;
use super::protobuf::Message;
use super::span::{Attributes, Head, Kind, Span};
use crate::record::ms;

/// The field of `ScopeSpans` that holds spans.
const SPANS: u32 = 2;

/// Where models are called, by backend.
pub type Servers = HashMap<BackendName, Server>;

/// Where the models of a backend are called.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Server {
    /// Who runs it, in OpenTelemetry's words where it has one.
    pub provider: String,
    /// Its host and port; nothing where it is in this process.
    pub address: Option<(String, u16)>,
}

/// How many spans a request has.
pub(super) fn count(history: &History) -> u64 {
    let tasks = history.plan.iter().flat_map(|run| &run.tasks).filter(|task| task.begun.is_some());
    (1 + history.decisions.len() + history.calls.len() + tasks.count()) as u64
}

/// What the spans of one request are written from.
#[derive(Clone, Copy)]
pub(super) struct Spans<'h> {
    pub(super) history: &'h History,
    pub(super) trace: TraceContext,
    pub(super) servers: &'h Servers,
    pub(super) content: Option<&'h Content>,
}

/// What a span without an id in the history is for.
#[derive(Clone, Copy)]
enum Part {
    Decision = 1,
    Task = 2,
}

impl Spans<'_> {
    /// Appends them to a buffer, as fields of `ScopeSpans`.
    pub(super) fn write(&self, buffer: &mut Vec<u8>) {
        let mut message = Message::at_end_of(buffer);
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

    fn request(&self, message: &mut Message<'_>) {
        let (history, outcome) = (self.history, &self.history.outcome);
        let (facts, operation) = (&history.request, operation(history.request.operation));
        let head = Head {
            parent: self.trace.parent,
            is_parent_remote: self.trace.parent.is_some(),
            ..self.head(self.trace.span, Kind::Server, Duration::ZERO, outcome.latency)
        };
        let mut span = Span::begin(message, head, format_args!("{operation} {}", history.route));
        let mut attributes = span.attributes();
        attributes.text("gen_ai.operation.name", operation);
        attributes.text("gen_ai.provider.name", "pointsman");
        attributes.text("gen_ai.request.model", &history.route);
        attributes.maybe("gen_ai.response.model", outcome.model.as_ref().map(|model| model.as_str()));
        attributes.maybe("gen_ai.conversation.id", facts.session.as_deref());
        if facts.streaming {
            attributes.flag("gen_ai.request.stream", true);
        }
        if let Some(most) = facts.max_output_tokens {
            attributes.number("gen_ai.request.max_tokens", most.into());
        }
        if let (true, Some(first)) = (facts.streaming, outcome.first_token) {
            attributes.float("gen_ai.response.time_to_first_chunk", first.as_secs_f64());
        }
        self.what_became(&mut attributes);
        if let Some(content) = self.content {
            content.tell(&mut attributes);
        }
        self.turns(&mut span, None);
        if outcome.ending == RequestEnd::Failed {
            let (fault, why) = (outcome.fault.map_or("_OTHER", Fault::as_str), outcome.error.as_deref());
            match outcome.fault {
                // As with HTTP: what the client did wrong is no error of the server's.
                Some(Fault::Client) => span.attributes().text("error.type", fault),
                _ => span.error(format_args!("{fault}"), format_args!("{}", why.unwrap_or_default())),
            }
        }
    }

    /// What a request came to, in this gateway's own words.
    fn what_became(&self, attributes: &mut Attributes<'_, '_>) {
        let (history, outcome) = (self.history, &self.history.outcome);
        attributes.text("pointsman.decision.id", &outcome.id);
        attributes.text("pointsman.route", &history.route);
        attributes.text("pointsman.label", &outcome.label);
        attributes.text("pointsman.ending", outcome.ending.as_str());
        attributes.maybe("pointsman.key", history.request.tenant.as_ref().map(|key| key.as_str()));
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

    fn decision(&self, message: &mut Message<'_>, number: usize) {
        let Some(asked) = self.history.decisions.get(number) else { return };
        let id = self.derived(Part::Decision, number);
        let head = Head {
            parent: Some(self.trace.span),
            ..self.head(id, Kind::Internal, asked.at, asked.at + asked.took)
        };
        let who = asked.policy.as_ref().map_or("in order", |version| version.policy.as_str());
        let mut span = Span::begin(message, head, format_args!("decide {who}"));
        let mut attributes = span.attributes();
        if let Some(version) = &asked.policy {
            attributes.text("pointsman.policy", version.policy.as_str());
            attributes.display("pointsman.policy.digest", version.digest);
        }
        attributes.number("pointsman.candidates", asked.candidates.len() as u64);
        attributes.number("pointsman.candidates.whole", asked.whole as u64);
        said(&mut span, asked);
    }

    fn task(&self, message: &mut Message<'_>, number: usize, task: &TaskRun, begun: Duration) {
        let ended = task.ended.unwrap_or(self.history.outcome.latency);
        let head = Head {
            parent: Some(self.trace.span),
            ..self.head(self.derived(Part::Task, number), Kind::Internal, begun, ended)
        };
        let mut span = Span::begin(message, head, format_args!("task {}", task.name));
        let (end, why) = task.end(Some(&self.history.outcome));
        let mut attributes = span.attributes();
        attributes.text("pointsman.task.name", &task.name);
        attributes.number("pointsman.task.number", number as u64);
        attributes.number("pointsman.task.step", task.step as u64);
        attributes.text("pointsman.task.operation", task.operation.name());
        attributes.text("pointsman.task.status", end.as_str());
        attributes.maybe("gen_ai.response.model", task.model.as_deref());
        for &before in &task.after {
            if self.tasks().get(before).is_some_and(|task| task.begun.is_some()) {
                span.link(self.derived(Part::Task, before), "after");
            }
        }
        self.turns(&mut span, Some(number));
        if end == TaskEnd::Failed {
            let last = self.history.calls.iter().rev().find(|call| call.task == Some(number));
            let kind = match last.map(|call| &call.end) {
                Some(CallEnd::Failed(kind)) => attempt::error_type(kind),
                _ => "_OTHER".into(),
            };
            span.error(format_args!("{kind}"), format_args!("{}", why.unwrap_or_default()));
        }
    }

    fn tasks(&self) -> &[TaskRun] {
        self.history.plan.as_ref().map(|run| run.tasks.as_slice()).unwrap_or_default()
    }

    fn head(&self, id: u64, kind: Kind, begun: Duration, ended: Duration) -> Head {
        let (begun, ended) = (self.at(begun), self.at(ended));
        Head { trace: self.trace.trace, id, parent: None, is_parent_remote: false, kind, begun, ended }
    }

    /// Nanoseconds since 1970.
    fn at(&self, since_arrival: Duration) -> u64 {
        let since = self.history.arrived.duration_since(UNIX_EPOCH).unwrap_or_default() + since_arrival;
        u64::try_from(since.as_nanos()).unwrap_or(u64::MAX)
    }

    /// The id of a part's span. Only calls have one of their own, because only
    /// they are told to somebody while they are under way.
    fn derived(&self, part: Part, number: usize) -> u64 {
        let place = (part as u64) << 32 | number as u64;
        mixed(self.trace.span ^ place.wrapping_mul(0x9e37_79b9_7f4a_7c15)).max(1)
    }
}

/// The answer of whoever was asked.
fn said(span: &mut Span<'_, '_>, asked: &DecisionEntry) {
    let mut attributes = span.attributes();
    attributes.text("pointsman.answer", asked.answer.as_str());
    match &asked.answer {
        DecisionAnswer::Route(decision) => {
            attributes.text("pointsman.label", decision.label());
            attributes.maybe("pointsman.reason", decision.reason());
            let targets = decision.targets().iter();
            let models = targets.filter_map(|target| asked.candidates.get(target.candidate));
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
            attributes.maybe("pointsman.reason", reason.as_deref());
            attributes.number("pointsman.plan.tasks", *tasks as u64);
        }
        DecisionAnswer::Finish { label, reason } => {
            attributes.text("pointsman.label", label);
            attributes.maybe("pointsman.reason", reason.as_deref());
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

/// OpenTelemetry's name of an operation; it has none for transcriptions.
fn operation(ours: Operation) -> &'static str {
    match ours {
        Operation::Embedding => "embeddings",
        Operation::Chat | Operation::Transcription => ours.name(),
    }
}

/// Spreads what differs in few bits over all of them (the finalizer of splitmix64).
fn mixed(number: u64) -> u64 {
    let number = (number ^ number >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let number = (number ^ number >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
    number ^ number >> 31
}

#[cfg(test)]
mod tests;
