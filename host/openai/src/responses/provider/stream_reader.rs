//! Reading of streamed answers.
//!
//! Items may overlap, as parallel calls do: the events of one wait until the item before it is
//! complete. Texts that arrive only in the event that completes them, or only in the response at
//! the end, are read there.

use std::borrow::Cow;

use serde::Deserialize;
use serde_json::value::RawValue;

use self::items::StreamedItems;
use super::answer::ResponseBody;
use super::item::ItemBody;
use crate::form::{AnswerEvent, ProviderError, ProviderErrorKind, StreamReader};
use crate::responses::error;

mod items;

/// Reader of the stream of a provider of the Responses API.
#[derive(Debug, Default)]
pub struct ResponsesStreamReader {
    has_started: bool,
    is_ended: bool,
    items: StreamedItems,
}

/// Members of the events that are read.
#[derive(Debug, Deserialize)]
struct StreamEvent<'a> {
    #[serde(rename = "type", borrow)]
    kind: Cow<'a, str>,
    output_index: Option<usize>,
    content_index: Option<usize>,
    summary_index: Option<usize>,
    #[serde(borrow)]
    delta: Option<&'a RawValue>,
    #[serde(borrow)]
    text: Option<&'a RawValue>,
    #[serde(borrow)]
    refusal: Option<&'a RawValue>,
    #[serde(borrow)]
    arguments: Option<&'a RawValue>,
    #[serde(borrow)]
    input: Option<&'a RawValue>,
    #[serde(borrow)]
    part: Option<&'a RawValue>,
    #[serde(borrow)]
    annotation: Option<&'a RawValue>,
    #[serde(borrow)]
    item: Option<&'a RawValue>,
    #[serde(borrow)]
    response: Option<&'a RawValue>,
    #[serde(borrow)]
    error: Option<&'a RawValue>,
}

impl ResponsesStreamReader {
    /// Returns a reader of a stream that has not begun.
    pub fn new() -> Self {
        Self::default()
    }

    fn start(&mut self, response: &ResponseBody<'_>, events: &mut Vec<AnswerEvent>) {
        if !std::mem::replace(&mut self.has_started, true) {
            events.push(AnswerEvent::Start(response.start()));
        }
    }

    fn end(&mut self, response: &ResponseBody<'_>, events: &mut Vec<AnswerEvent>) {
        self.is_ended = true;
        self.items.complete_from_response(response.output.as_deref().unwrap_or_default());
        self.items.end_all(events);
        events.push(AnswerEvent::Stop(response.stop(self.items.has_calls())));
        let count = response.count();
        if count != Default::default() {
            events.push(AnswerEvent::Usage(count));
        }
        events.push(AnswerEvent::Done);
    }

    fn fail(&mut self, error: Option<ProviderError>, events: &mut Vec<AnswerEvent>) {
        self.is_ended = true;
        self.items.end_all(events);
        events.push(AnswerEvent::Error(error.unwrap_or_else(|| ProviderError {
            kind: ProviderErrorKind::Server,
            status: 500,
            message: "The provider reported an error.".to_owned(),
            code: None,
            parameter: None,
            retry_after: None,
        })));
    }

    fn read_item_event(&mut self, event: &StreamEvent<'_>) {
        use items::PartKey;
        let (index, content) = (event.output_index, event.content_index.unwrap_or(0));
        let summary = event.summary_index.unwrap_or(0);
        let items = &mut self.items;
        match event.kind.strip_prefix("response.").unwrap_or_default() {
            "output_item.added" => {
                if let Some(item) = event.item.and_then(ItemBody::parse) {
                    items.begin(index, &item);
                }
            }
            "output_item.done" => {
                if let Some(item) = event.item {
                    items.complete(index, item);
                }
            }
            "output_text.delta" => items.add_text(index, PartKey::Text(content), event.delta),
            "output_text.done" => items.complete_text(index, PartKey::Text(content), event.text),
            "refusal.delta" => items.add_text(index, PartKey::Refusal(content), event.delta),
            "refusal.done" => items.complete_text(index, PartKey::Refusal(content), event.refusal),
            "reasoning_text.delta" => items.add_text(index, PartKey::Reasoning(content), event.delta),
            "reasoning_text.done" => items.complete_text(index, PartKey::Reasoning(content), event.text),
            "reasoning_summary_text.delta" => items.add_text(index, PartKey::Summary(summary), event.delta),
            "reasoning_summary_text.done" => {
                items.complete_text(index, PartKey::Summary(summary), event.text)
            }
            "output_text.annotation.added" => items.add_citation(index, content, event.annotation),
            "content_part.done" => items.complete_annotations(index, content, event.part),
            "function_call_arguments.delta" | "custom_tool_call_input.delta" => {
                items.add_text(index, PartKey::Call, event.delta);
            }
            "function_call_arguments.done" => items.complete_text(index, PartKey::Call, event.arguments),
            "custom_tool_call_input.done" => items.complete_text(index, PartKey::Call, event.input),
            _ => {}
        }
    }
}

impl StreamReader for ResponsesStreamReader {
    fn read(&mut self, data: &[u8], events: &mut Vec<AnswerEvent>) {
        if self.is_ended {
            return;
        }
        let Ok(event) = serde_json::from_slice::<StreamEvent<'_>>(data) else { return };
        let response: Option<ResponseBody<'_>> =
            event.response.and_then(|response| serde_json::from_str(response.get()).ok());
        match (&*event.kind, response) {
            ("error", _) => {
                let error = match event.error {
                    Some(error) => error::parse_object(error, None),
                    // The members of the error are those of the event.
                    None => {
                        serde_json::from_slice(data).ok().and_then(|error| error::parse_object(error, None))
                    }
                };
                self.fail(error, events);
            }
            ("response.failed" | "response.cancelled", response) => {
                self.fail(response.and_then(|response| response.failure()), events);
            }
            ("response.completed" | "response.incomplete" | "response.done", response) => {
                let response = response.unwrap_or_default();
                self.start(&response, events);
                self.end(&response, events);
            }
            (_, Some(response)) => self.start(&response, events),
            (_, None) => {
                self.read_item_event(&event);
                if !self.items.is_empty() {
                    self.start(&ResponseBody::default(), events);
                }
                self.items.flush(events);
            }
        }
    }

    fn finish(&mut self, events: &mut Vec<AnswerEvent>) {
        if !std::mem::replace(&mut self.is_ended, true) {
            self.items.end_all(events);
        }
    }
}

#[cfg(test)]
mod tests;
