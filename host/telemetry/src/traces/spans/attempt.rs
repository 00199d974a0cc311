//! The span of one call of a model.

use std::borrow::Cow;

use pointsman_domain::failure::FailureKind;
use pointsman_domain::history::{CallEnd, ModelCall};
use pointsman_domain::model::Operation;

use super::{Part, Spans, operation};
use crate::traces::protobuf::Message;
use crate::traces::span::{Attributes, Head, Kind, Span};

/// Why a call was made after another one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Turn {
    /// Another model is to do better.
    Fallback,
    /// The same one is.
    Retry,
    /// The one before is slow.
    Hedge,
}

impl Turn {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Fallback => "fallback",
            Self::Retry => "retry",
            Self::Hedge => "hedge",
        }
    }

    const fn event(self) -> &'static str {
        match self {
            Self::Fallback => "pointsman.fallback",
            Self::Retry => "pointsman.retry",
            Self::Hedge => "pointsman.hedge",
        }
    }
}

impl Spans<'_> {
    pub(super) fn attempt(&self, message: &mut Message<'_>, number: usize) {
        let Some(call) = self.history.calls.get(number) else { return };
        let ended = call.ended.unwrap_or(self.history.outcome.latency);
        let head = Head {
            parent: Some(self.parent_of(call)),
            ..self.head(call.span, Kind::Client, call.begun, ended)
        };
        let (model, operation) = (&call.model, operation(self.operation_of(call)));
        let mut span = Span::begin(message, head, format_args!("{operation} {}", model.upstream_name));
        let mut attributes = span.attributes();
        attributes.text("gen_ai.operation.name", operation);
        attributes.text("gen_ai.request.model", &model.upstream_name);
        attributes.text("pointsman.model", model.id.as_str());
        attributes.text("pointsman.backend", model.backend.as_str());
        attributes.text("pointsman.decision.id", &self.history.outcome.id);
        self.server(&mut attributes, call);
        self.usage(&mut attributes, call);
        if let Some((before, turn)) = self.turn(number) {
            span.link(before.span, turn.as_str());
        }
        self.end(&mut span, call);
    }

    fn server(&self, attributes: &mut Attributes<'_, '_>, call: &ModelCall) {
        let Some(server) = self.servers.get(&call.model.backend) else { return };
        attributes.text("gen_ai.provider.name", &server.provider);
        if let Some((host, port)) = &server.address {
            attributes.text("server.address", host);
            attributes.number("server.port", (*port).into());
        }
    }

    fn usage(&self, attributes: &mut Attributes<'_, '_>, call: &ModelCall) {
        attributes.number("gen_ai.usage.input_tokens", call.usage.input_tokens);
        attributes.number("gen_ai.usage.output_tokens", call.usage.output_tokens);
        for (name, tokens) in [
            ("gen_ai.usage.cache_read.input_tokens", call.usage.cached_input_tokens),
            ("gen_ai.usage.cache_creation.input_tokens", call.usage.cache_write_tokens),
            ("gen_ai.usage.reasoning.output_tokens", call.usage.reasoning_tokens),
        ] {
            if tokens > 0 {
                attributes.number(name, tokens);
            }
        }
        if call.usage.estimated {
            attributes.flag("pointsman.usage.estimated", true);
        }
        attributes.float("pointsman.cost_usd", call.cost().usd());
        // Only the answer is streamed; what a plan goes on with comes whole.
        let is_streamed = self.history.request.streaming && call.task.is_none();
        if is_streamed {
            attributes.flag("gen_ai.request.stream", true);
        }
        if let (true, Some(first)) = (is_streamed, call.first_token) {
            let waited = first.saturating_sub(call.begun);
            attributes.float("gen_ai.response.time_to_first_chunk", waited.as_secs_f64());
        }
    }

    fn end(&self, span: &mut Span<'_, '_>, call: &ModelCall) {
        span.attributes().text("pointsman.result", call.end.as_str());
        match &call.end {
            CallEnd::Failed(kind) => {
                if let FailureKind::Status { status, .. } = kind {
                    span.attributes().number("http.response.status_code", (*status).into());
                }
                span.error(format_args!("{}", error_type(kind)), format_args!("{kind}"));
            }
            CallEnd::BrokeOff => {
                let why = self.history.outcome.error.as_deref().unwrap_or_default();
                span.error(format_args!("broke-off"), format_args!("{why}"));
            }
            CallEnd::Answered | CallEnd::Open | CallEnd::Cancelled => {}
        }
    }

    /// Notes in the span that calls are made for, which of them were made after another.
    pub(super) fn turns(&self, span: &mut Span<'_, '_>, task: Option<usize>) {
        for (number, call) in self.history.calls.iter().enumerate() {
            if call.task != task {
                continue;
            }
            let Some((before, turn)) = self.turn(number) else { continue };
            span.event(self.at(call.begun), turn.event(), |mut attributes| {
                attributes.text("pointsman.from", before.model.id.as_str());
                attributes.text("pointsman.to", call.model.id.as_str());
                if let CallEnd::Failed(kind) = &before.end {
                    attributes.text("error.type", &error_type(kind));
                }
            });
        }
    }

    /// The call that was made before for the same thing, and why another was made.
    fn turn(&self, number: usize) -> Option<(&ModelCall, Turn)> {
        let (before, from) = self.history.calls.split_at_checked(number)?;
        let call = from.first()?;
        let before = before.iter().rev().find(|before| before.task == call.task)?;
        let is_over = before.ended.is_some_and(|ended| ended <= call.begun);
        let turn = match (&before.end, is_over) {
            (CallEnd::Failed(_), true) if before.model.id == call.model.id => Turn::Retry,
            (CallEnd::Failed(_), true) => Turn::Fallback,
            // Calls of a plan that was given up are nobody's any more: they ran side
            // by side for other reasons.
            (_, false) if call.task.is_some() || self.history.plan.is_none() => Turn::Hedge,
            _ => return None,
        };
        Some((before, turn))
    }

    fn parent_of(&self, call: &ModelCall) -> u64 {
        let is_task = |&number: &usize| self.tasks().get(number).is_some_and(|task| task.begun.is_some());
        let task = call.task.filter(is_task);
        task.map_or(self.trace.span, |number| self.derived(Part::Task, number))
    }

    /// What a call was made for: for a task, for the answer, or, where the plan that
    /// made it was given up, for what the model can do.
    fn operation_of(&self, call: &ModelCall) -> Operation {
        let of_task = call.task.and_then(|number| self.tasks().get(number)).map(|task| task.operation);
        let operations = &call.model.operations;
        let of_model = operations.iter().find(|&&it| it == Operation::Chat).or_else(|| operations.first());
        of_task.or(of_model.copied()).unwrap_or(Operation::Chat)
    }
}

/// A word of a fixed list, or the status.
pub(super) fn error_type(kind: &FailureKind) -> Cow<'static, str> {
    match kind {
        FailureKind::Status { status, .. } => status.to_string().into(),
        other => other.as_str().into(),
    }
}
