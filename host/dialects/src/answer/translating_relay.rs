//! Translation of a streamed answer, event by event.

use bytes::Bytes;
use pointsman_domain::serving_error::{ErrorKind, ServingError};
use pointsman_domain::usage::Usage;
use pointsman_wire::sse::{self, EventSplitter, SseFragment};
use pointsman_wire::usage_count::UsageCount;

use super::{BrokenStream, ReportedError, StreamState};
use crate::form::{
    AnswerEvent, PartDelta, PartStart, ProviderError, ProviderErrorKind, StopReason, StreamReader,
    StreamWriter,
};

/// Limit of bytes of an event: a larger one cannot be read, and ends the answer.
const MAX_EVENT: usize = 16 << 20;

/// Reads a provider's stream, and renders its events in the client's protocol.
#[derive(Debug)]
pub(super) struct TranslatingRelay {
    splitter: EventSplitter,
    reader: Box<dyn StreamReader>,
    writer: Box<dyn StreamWriter>,
    /// Events of the chunk that is being read.
    events: Vec<AnswerEvent>,
    /// Usage of further calls for the same answer.
    others: Usage,
    input_tokens: u32,
    count: UsageCount,
    output_bytes: u64,
    has_content: bool,
    stop: Option<StopReason>,
    is_done: bool,
    /// First reported error, and its message.
    error: Option<(ReportedError, String)>,
}

impl TranslatingRelay {
    pub fn new(
        reader: Box<dyn StreamReader>,
        writer: Box<dyn StreamWriter>,
        others: Usage,
        input_tokens: u32,
    ) -> Self {
        Self {
            splitter: EventSplitter::new(MAX_EVENT),
            reader,
            writer,
            events: Vec::new(),
            others,
            input_tokens,
            count: UsageCount::NONE,
            output_bytes: 0,
            has_content: false,
            stop: None,
            is_done: false,
            error: None,
        }
    }

    pub fn push(&mut self, chunk: Bytes, out: &mut Vec<Bytes>) {
        let (mut at, mut rendered) = (0, Vec::new());
        while !self.is_over()
            && let Some(fragment) = self.splitter.next(&chunk, &mut at)
        {
            match fragment {
                SseFragment::Event(here) => self.process(chunk.get(here).unwrap_or_default(), &mut rendered),
                SseFragment::Joined(event) => self.process(&event, &mut rendered),
                SseFragment::Part(_) | SseFragment::JoinedPart(_) => self.reject_event(&mut rendered),
            }
        }
        if !rendered.is_empty() {
            out.push(rendered.into());
        }
    }

    pub fn finish(&mut self, out: &mut Vec<Bytes>) -> Result<(), BrokenStream> {
        let mut rendered = Vec::new();
        if !self.is_over() {
            if let Some(rest) = self.splitter.finish() {
                self.process(&rest, &mut rendered);
            }
            self.reader.finish(&mut self.events);
            self.write_events(&mut rendered);
        }
        if !self.is_over() && self.stop.is_some() {
            self.end(&mut rendered);
        }
        if !rendered.is_empty() {
            out.push(rendered.into());
        }
        self.check()
    }

    pub fn check(&self) -> Result<(), BrokenStream> {
        match &self.error {
            Some((error, message)) => Err(BrokenStream::Reported(*error, message.clone())),
            None if self.stop.is_some() || (self.is_done && self.has_content) => Ok(()),
            None => Err(BrokenStream::Truncated),
        }
    }

    pub fn state(&self) -> StreamState {
        if self.is_done {
            StreamState::Done
        } else if self.error.is_some() || self.stop.is_some() {
            StreamState::Finished
        } else if self.has_content {
            StreamState::Answering
        } else {
            StreamState::Waiting
        }
    }

    pub fn has_content(&self) -> bool {
        self.has_content
    }

    pub fn held_bytes(&self) -> usize {
        self.splitter.held_bytes()
    }

    pub fn error(&self) -> Option<ReportedError> {
        self.error.as_ref().map(|(error, _)| *error)
    }

    pub fn usage_or_estimate(&self, input_tokens: u32) -> Usage {
        self.count.usage(input_tokens, self.output_bytes)
    }

    /// Renders an error of the gateway that ends the stream.
    pub fn write_error(&mut self, error: &ServingError, out: &mut Vec<u8>) {
        self.writer.error(error, out);
    }

    fn is_over(&self) -> bool {
        self.is_done || self.error.is_some()
    }

    fn process(&mut self, event: &[u8], out: &mut Vec<u8>) {
        if let Some(data) = sse::data(event) {
            self.reader.read(&data.bytes, &mut self.events);
            self.write_events(out);
        }
    }

    fn write_events(&mut self, out: &mut Vec<u8>) {
        for event in std::mem::take(&mut self.events) {
            if self.is_over() {
                return;
            }
            self.record_content(&event);
            match event {
                AnswerEvent::Usage(count) => self.count.update(count),
                AnswerEvent::Stop(reason) => self.stop = Some(reason),
                AnswerEvent::Error(error) => self.fail(&error, out),
                AnswerEvent::Done => self.end(out),
                AnswerEvent::Start(_)
                | AnswerEvent::PartStart(_)
                | AnswerEvent::Delta(_)
                | AnswerEvent::PartEnd => self.writer.write(&event, out),
            }
        }
    }

    fn record_content(&mut self, event: &AnswerEvent) {
        let bytes = match event {
            AnswerEvent::Delta(PartDelta::Text(text) | PartDelta::ToolInput(text)) => text.len(),
            AnswerEvent::PartStart(PartStart::ToolCall { name, .. }) => name.len().max(1),
            AnswerEvent::PartStart(PartStart::Media(_) | PartStart::Provider(_)) => {
                self.has_content = true;
                0
            }
            _ => 0,
        };
        self.output_bytes += bytes as u64;
        self.has_content |= bytes > 0;
    }

    fn end(&mut self, out: &mut Vec<u8>) {
        self.is_done = true;
        if self.stop.is_some() || self.has_content {
            let stop = self.stop.clone().unwrap_or_default();
            let usage = self.others + self.usage_or_estimate(self.input_tokens);
            self.writer.end(&stop, usage, out);
        }
    }

    fn fail(&mut self, error: &ProviderError, out: &mut Vec<u8>) {
        self.error = Some((error.reported(), error.message.clone()));
        // Until there is content another model takes over, and the client sees no error.
        if self.has_content {
            let message = format!("the model's server reported an error: {}", error.message);
            self.writer.error(&ServingError::new(ErrorKind::StreamBroken, message), out);
        }
    }

    fn reject_event(&mut self, out: &mut Vec<u8>) {
        let message = format!("an event of the stream is larger than {MAX_EVENT} bytes");
        let error = ProviderError {
            kind: ProviderErrorKind::Server,
            status: 502,
            message,
            code: None,
            parameter: None,
            retry_after: None,
        };
        self.fail(&error, out);
    }
}

#[cfg(test)]
mod tests;
