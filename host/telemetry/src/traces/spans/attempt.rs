//! Span of one call of a model.

use std::borrow::Cow;

use pointsman_domain::failure::FailureKind;
use pointsman_domain::history::{CallEnd, ModelCall};
use pointsman_domain::model::Operation;

use super::{DerivedSpan, RequestSpans, operation_name};
use crate::traces::protobuf::MessageWriter;
use crate::traces::span::{AttributeWriter, SpanHead, SpanKind, SpanWriter};

/// Reason for a call after an earlier one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum CallReason {
    /// The earlier call failed, and another model is tried.
    Fallback,
    /// The earlier call failed, and the same model is tried again.
    Retry,
    /// The earlier call is silent.
    Hedge,
}

impl CallReason {
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

impl RequestSpans<'_> {
    pub(super) fn attempt(&self, message: &mut MessageWriter<'_>, number: usize) {
        let Some(call) = self.history.calls.get(number) else { return };
        let ended = call.ended.unwrap_or(self.history.outcome.latency);
        let head = SpanHead {
            parent: Some(self.parent_of(call)),
            ..self.head(call.span, SpanKind::Client, call.begun, ended)
        };
        let (model, operation) = (&call.model, operation_name(self.operation_of(call)));
        let mut span = SpanWriter::begin(message, head, format_args!("{operation} {}", model.upstream_name));
        let mut attributes = span.attributes();
        attributes.text("gen_ai.operation.name", operation);
        attributes.text("gen_ai.request.model", &model.upstream_name);
        attributes.text("pointsman.model", model.id.as_str());
        attributes.text("pointsman.backend", model.backend.as_str());
        attributes.text("pointsman.decision.id", &self.history.outcome.id);
        self.server(&mut attributes, call);
        self.usage(&mut attributes, call);
        if let Some((before, reason)) = self.call_reason(number) {
            span.link(before.span, reason.as_str());
        }
        self.end(&mut span, call);
    }

    fn server(&self, attributes: &mut AttributeWriter<'_, '_>, call: &ModelCall) {
        let Some(server) = self.servers.get(&call.model.backend) else { return };
        attributes.text("gen_ai.provider.name", &server.provider);
        if let Some((host, port)) = &server.address {
            attributes.text("server.address", host);
            attributes.number("server.port", (*port).into());
        }
    }

    fn usage(&self, attributes: &mut AttributeWriter<'_, '_>, call: &ModelCall) {
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
        // Only the answer is streamed; outputs of tasks arrive whole.
        let is_streamed = self.history.request.streaming && call.task.is_none();
        if is_streamed {
            attributes.flag("gen_ai.request.stream", true);
        }
        if let (true, Some(first)) = (is_streamed, call.first_token) {
            let waited = first.saturating_sub(call.begun);
            attributes.float("gen_ai.response.time_to_first_chunk", waited.as_secs_f64());
        }
    }

    fn end(&self, span: &mut SpanWriter<'_, '_>, call: &ModelCall) {
        span.attributes().text("pointsman.result", call.end.as_str());
        match &call.end {
            CallEnd::Failed(kind) => {
                if let FailureKind::Status { status, .. } = kind {
                    span.attributes().number("http.response.status_code", (*status).into());
                }
                span.error(format_args!("{}", error_type(kind)), format_args!("{kind}"));
            }
            CallEnd::BrokeOff => {
                let error = self.history.outcome.error.as_deref().unwrap_or_default();
                span.error(format_args!("broke-off"), format_args!("{error}"));
            }
            CallEnd::Answered | CallEnd::Open | CallEnd::Cancelled => {}
        }
    }

    /// Writes an event for each call that follows an earlier one of the same request or task.
    pub(super) fn record_repeated_calls(&self, span: &mut SpanWriter<'_, '_>, task: Option<usize>) {
        for (number, call) in self.history.calls.iter().enumerate() {
            if call.task != task {
                continue;
            }
            let Some((before, reason)) = self.call_reason(number) else { continue };
            span.event(self.at(call.begun), reason.event(), |mut attributes| {
                attributes.text("pointsman.from", before.model.id.as_str());
                attributes.text("pointsman.to", call.model.id.as_str());
                if let CallEnd::Failed(kind) = &before.end {
                    attributes.text("error.type", &error_type(kind));
                }
            });
        }
    }

    /// Returns the earlier call for the same request or task, and the reason for this one.
    fn call_reason(&self, number: usize) -> Option<(&ModelCall, CallReason)> {
        let (before, from) = self.history.calls.split_at_checked(number)?;
        let call = from.first()?;
        let before = before.iter().rev().find(|before| before.task == call.task)?;
        let is_over = before.ended.is_some_and(|ended| ended <= call.begun);
        let reason = match (&before.end, is_over) {
            (CallEnd::Failed(_), true) if before.model.id == call.model.id => CallReason::Retry,
            (CallEnd::Failed(_), true) => CallReason::Fallback,
            // Calls of an abandoned plan have lost their tasks, and may have run side by side for them.
            (_, false) if call.task.is_some() || self.history.plan.is_none() => CallReason::Hedge,
            _ => return None,
        };
        Some((before, reason))
    }

    fn parent_of(&self, call: &ModelCall) -> u64 {
        let is_task = |&number: &usize| self.tasks().get(number).is_some_and(|task| task.begun.is_some());
        let task = call.task.filter(is_task);
        task.map_or(self.trace.span, |number| self.derived(DerivedSpan::Task, number))
    }

    /// Returns the operation of a call: that of its task or, for the answer and for calls of an
    /// abandoned plan, what the model can do.
    fn operation_of(&self, call: &ModelCall) -> Operation {
        let of_task = call.task.and_then(|number| self.tasks().get(number)).map(|task| task.operation);
        let operations = &call.model.operations;
        let of_model = operations.iter().find(|&&it| it == Operation::Chat).or_else(|| operations.first());
        of_task.or(of_model.copied()).unwrap_or(Operation::Chat)
    }
}

/// Returns the status of a failure, or its kind from a fixed list.
pub(super) fn error_type(kind: &FailureKind) -> Cow<'static, str> {
    match kind {
        FailureKind::Status { status, .. } => status.to_string().into(),
        other => other.as_str().into(),
    }
}
