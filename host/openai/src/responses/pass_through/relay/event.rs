//! Events as far as a relay reads them.

use std::borrow::Cow;

use pointsman_wire::usage_count::UsageCount;
use serde::Deserialize;
use serde_json::value::RawValue;

use crate::form::{Part, ProviderError, ProviderErrorKind};
use crate::responses::error;
use crate::responses::provider::{ResponseBody, content};

/// Members of an event that are read.
#[derive(Debug, Deserialize)]
pub(super) struct RelayedEvent<'a> {
    #[serde(rename = "type", borrow)]
    kind: Cow<'a, str>,
    #[serde(borrow)]
    delta: Option<&'a RawValue>,
    #[serde(borrow)]
    item: Option<&'a RawValue>,
    #[serde(borrow)]
    response: Option<&'a RawValue>,
    #[serde(borrow)]
    error: Option<&'a RawValue>,
    /// Members of an error that stand at the top.
    #[serde(borrow)]
    code: Option<&'a RawValue>,
    #[serde(borrow)]
    message: Option<&'a RawValue>,
}

/// Meaning of an event.
#[derive(Debug)]
pub(super) enum EventContent {
    /// Nothing that the gateway reads.
    None,
    /// The response has an id.
    Response { id: Option<String> },
    /// Text of the model.
    Text { bytes: u64 },
    /// Item that has content by its presence: a call of a tool, or work of the provider.
    Item,
    /// End of the response.
    End {
        id: Option<String>,
        /// Ids of the items of the response.
        item_ids: Vec<String>,
        count: UsageCount,
        output_bytes: u64,
        has_output: bool,
    },
    /// Error.
    Error { error: ProviderError, ends_stream: bool },
}

/// Type of an item.
#[derive(Deserialize)]
struct ItemHead<'a> {
    #[serde(rename = "type", borrow)]
    kind: Cow<'a, str>,
}

/// Id of a response, whose other members may be large.
#[derive(Deserialize)]
struct ResponseHead {
    id: Option<String>,
}

impl<'a> RelayedEvent<'a> {
    /// Parses the data of an event; `None` if it is not one of the API.
    pub fn parse(data: &'a [u8]) -> Option<Self> {
        serde_json::from_slice(data).ok()
    }

    /// Returns what the event means.
    pub fn content(&self) -> EventContent {
        let kind = &*self.kind;
        match kind {
            "response.completed" | "response.incomplete" | "response.done" => self.end(),
            "response.failed" | "response.cancelled" => {
                let response: Option<ResponseBody<'_>> = self.parsed_response();
                let error = response.and_then(|response| response.failure());
                EventContent::Error { error: error.unwrap_or_else(unknown_error), ends_stream: true }
            }
            "error" => EventContent::Error { error: self.parsed_error(), ends_stream: false },
            "response.output_item.added" | "response.output_item.done" => self.item(),
            _ if kind.ends_with(".delta") => self.text(),
            _ => match self.parsed_response::<ResponseHead>() {
                Some(ResponseHead { id }) => EventContent::Response { id },
                None => EventContent::None,
            },
        }
    }

    fn text(&self) -> EventContent {
        let Some(delta) = self.delta else { return EventContent::None };
        let bytes =
            serde_json::from_str(delta.get()).map_or(delta.get().len(), |text: Cow<'_, str>| text.len());
        if bytes == 0 { EventContent::None } else { EventContent::Text { bytes: bytes as u64 } }
    }

    fn item(&self) -> EventContent {
        let head: Option<ItemHead<'_>> = self.item.and_then(|item| serde_json::from_str(item.get()).ok());
        match head {
            // A message and reasoning begin empty.
            Some(head) if self.kind.ends_with(".added") && matches!(&*head.kind, "message" | "reasoning") => {
                EventContent::None
            }
            Some(_) => EventContent::Item,
            None => EventContent::None,
        }
    }

    fn end(&self) -> EventContent {
        let response: ResponseBody<'_> = self.parsed_response().unwrap_or_default();
        let answer = content(&response);
        let output_bytes = answer.parts.iter().map(Part::text_bytes).sum();
        let has_output = !answer.parts.is_empty();
        let item_ids = response.item_ids();
        EventContent::End { id: response.id, item_ids, count: answer.count, output_bytes, has_output }
    }

    fn parsed_response<'r, T: Deserialize<'r>>(&'r self) -> Option<T> {
        self.response.and_then(|response| serde_json::from_str(response.get()).ok())
    }

    fn parsed_error(&self) -> ProviderError {
        if let Some(error) = self.error.and_then(|error| error::parse_object(error, None)) {
            return error;
        }
        let text = |value: Option<&RawValue>| value.and_then(|value| serde_json::from_str(value.get()).ok());
        error::of_members(text(self.code), text(self.message))
    }
}

fn unknown_error() -> ProviderError {
    ProviderError {
        kind: ProviderErrorKind::Server,
        status: 500,
        message: "the response has failed".to_owned(),
        code: None,
        parameter: None,
        retry_after: None,
    }
}
