//! Rendering of streamed answers.

use pointsman_domain::serving_error::{ErrorClass, ErrorKind, ServingError};
use pointsman_domain::usage::Usage;
use pointsman_wire::openai::client::ErrorBody;

use super::echoed::EchoedMembers;
use super::event::{Event, EventWriter};
use super::item::ItemStatus;
use super::output::Output;
use super::response::{IncompleteDetails, Response, ResponseError, ResponseIdentity};
use crate::form::{AnswerEvent, AnswerIdentity, StopReason, StreamWriter};

/// Renders a streamed answer for clients of the Responses API.
#[derive(Debug)]
pub struct ResponsesStreamWriter {
    identity: AnswerIdentity,
    /// Identity of the response, once its first events are written.
    response: Option<ResponseIdentity>,
    echoed: EchoedMembers,
    output: Output,
    sequence_number: u64,
}

impl ResponsesStreamWriter {
    /// Returns a writer for an answer that has not begun.
    pub fn new(identity: AnswerIdentity, echoed: EchoedMembers) -> Self {
        let output = Output::new(identity.id.clone());
        Self { identity, response: None, echoed, output, sequence_number: 0 }
    }

    /// Writes the first two events, once, and returns the identity of the response.
    fn begin(&mut self, model: &str, created: Option<u64>, out: &mut Vec<u8>) -> ResponseIdentity {
        if let Some(identity) = &self.response {
            return identity.clone();
        }
        let identity = ResponseIdentity::new(&self.identity, model, created);
        let response = Response::new(&identity, &self.echoed);
        let mut events = EventWriter::new(&mut self.sequence_number, out);
        for kind in ["response.created", "response.in_progress"] {
            events.write(kind, &Event { response: Some(&response), ..Event::default() });
        }
        self.response = Some(identity.clone());
        identity
    }
}

impl StreamWriter for ResponsesStreamWriter {
    fn write(&mut self, event: &AnswerEvent, out: &mut Vec<u8>) {
        if let AnswerEvent::Start(start) = event {
            self.begin(&start.model, start.created, out);
            return;
        }
        if self.response.is_none() && matches!(event, AnswerEvent::PartStart(_)) {
            self.begin("", None, out);
        }
        let mut events = EventWriter::new(&mut self.sequence_number, out);
        match event {
            AnswerEvent::PartStart(start) => self.output.begin(start, &self.echoed, &mut events),
            AnswerEvent::Delta(delta) => self.output.add(delta, &mut events),
            AnswerEvent::PartEnd => self.output.end_part(&mut events),
            _ => {}
        }
    }

    fn end(&mut self, stop: &StopReason, usage: Usage, out: &mut Vec<u8>) {
        let identity = self.begin("", None, out);
        let mut events = EventWriter::new(&mut self.sequence_number, out);
        let incomplete = IncompleteDetails::of(stop, self.output.has_refusal());
        self.output.close(ItemStatus::at_end(incomplete.is_some()), &mut events);
        let response =
            Response::new(&identity, &self.echoed).with_output(self.output.items()).ended(incomplete, usage);
        let kind = if incomplete.is_some() { "response.incomplete" } else { "response.completed" };
        events.write(kind, &Event { response: Some(&response), ..Event::default() });
    }

    /// Writes the error twice, as the API does: SDKs raise one of the two events.
    fn error(&mut self, error: &ServingError, out: &mut Vec<u8>) {
        let identity = self.begin("", None, out);
        let mut events = EventWriter::new(&mut self.sequence_number, out);
        events.write_error(&ErrorBody::from(error));
        let failure = ResponseError { code: response_error_code(error.kind), message: &error.message };
        let response =
            Response::new(&identity, &self.echoed).with_output(self.output.items()).failed(failure);
        events.write("response.failed", &Event { response: Some(&response), ..Event::default() });
    }
}

/// Returns the code of a failed response: clients distinguish errors by it.
const fn response_error_code(kind: ErrorKind) -> &'static str {
    match (kind, kind.class()) {
        (ErrorKind::ContextLengthExceeded, _) => "context_length_exceeded",
        (ErrorKind::Overloaded, _) => "server_is_overloaded",
        (_, ErrorClass::RateLimited) => "rate_limit_exceeded",
        (_, ErrorClass::InvalidRequest | ErrorClass::TooLarge) => "invalid_prompt",
        _ => "server_error",
    }
}

#[cfg(test)]
mod tests;
