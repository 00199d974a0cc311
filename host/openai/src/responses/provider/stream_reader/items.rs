//! Items of a stream, which may overlap.

use std::collections::{BTreeMap, HashMap};

use serde_json::value::RawValue;

use super::super::item::{self, AnswerPart, ContentBody, ItemBody};
use crate::form::{AnswerEvent, PartContent, PartDelta, PartStart, ToolInput};
use crate::responses::annotation;
use crate::responses::signed_content::{SignedContent, SignedPart};

/// Items by their position in the output.
#[derive(Debug, Default)]
pub(super) struct StreamedItems {
    items: BTreeMap<usize, StreamedItem>,
    /// Position of the latest event: some servers leave it out.
    latest: usize,
    /// Position of the item whose events are sent at once.
    current: usize,
    has_calls: bool,
}

/// Item whose events are sent once all items before it are complete.
#[derive(Debug, Default)]
struct StreamedItem {
    /// Id of the item, if it is stated.
    id: Option<String>,
    /// Events that are not sent yet.
    events: Vec<AnswerEvent>,
    /// Part that has begun and not ended.
    open: Option<PartKey>,
    /// Parts that have begun, with the length of their texts.
    parts: HashMap<PartKey, usize>,
    citations: usize,
    is_complete: bool,
}

/// Part of an item. Texts of reasoning with different numbers are one part.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum PartKey {
    Text(usize),
    Refusal(usize),
    Reasoning(usize),
    Summary(usize),
    Call,
}

impl PartKey {
    /// Returns whether both are texts of one part.
    fn is_same_part(self, other: Self) -> bool {
        matches!(
            (self, other),
            (Self::Reasoning(_), Self::Reasoning(_)) | (Self::Summary(_), Self::Summary(_))
        ) || self == other
    }

    fn start(self) -> PartStart {
        match self {
            Self::Text(_) => PartStart::Text,
            Self::Refusal(_) => PartStart::Refusal,
            Self::Reasoning(_) => PartStart::Reasoning { is_summary: false },
            Self::Summary(_) => PartStart::Reasoning { is_summary: true },
            Self::Call => PartStart::ToolCall { id: String::new(), name: String::new(), takes_text: false },
        }
    }
}

impl StreamedItems {
    pub fn is_empty(&self) -> bool {
        self.items.is_empty()
    }

    pub const fn has_calls(&self) -> bool {
        self.has_calls
    }

    /// Begins an item.
    pub fn begin(&mut self, index: Option<usize>, body: &ItemBody<'_>) {
        let call = body.call();
        self.has_calls |= call.is_some();
        let item = self.item(index);
        item.id.clone_from(&body.id);
        if let Some(call) = call
            && item.parts.is_empty()
        {
            let takes_text = matches!(call.input, ToolInput::Text(_));
            let start = PartStart::ToolCall { id: call.id, name: call.name, takes_text };
            item.begin_part(PartKey::Call, start);
        }
    }

    /// Adds text, which is a string.
    pub fn add_text(&mut self, index: Option<usize>, key: PartKey, delta: Option<&RawValue>) {
        if let Some(text) = delta.and_then(string).filter(|text| !text.is_empty()) {
            self.item(index).add_text(key, text);
        }
    }

    /// Completes a text, of which nothing may have arrived so far.
    pub fn complete_text(&mut self, index: Option<usize>, key: PartKey, text: Option<&RawValue>) {
        if let Some(text) = text.and_then(string) {
            self.item(index).complete_text(key, text);
        }
    }

    pub fn add_citation(&mut self, index: Option<usize>, content: usize, value: Option<&RawValue>) {
        let item = self.item(index);
        if let Some(citation) = value.and_then(|value| annotation::parse(value.get())) {
            item.ensure_part(PartKey::Text(content));
            item.citations += 1;
            item.events.push(AnswerEvent::Delta(PartDelta::Citation(Box::new(citation))));
        }
    }

    /// Adds the annotations of a part that is complete, if none has arrived so far.
    pub fn complete_annotations(&mut self, index: Option<usize>, content: usize, part: Option<&RawValue>) {
        let part: Option<ContentBody<'_>> = part.and_then(|part| serde_json::from_str(part.get()).ok());
        let item = self.item(index);
        if let Some(part) = part
            && item.open == Some(PartKey::Text(content))
        {
            item.complete_annotations(&part);
        }
    }

    /// Completes an item.
    pub fn complete(&mut self, index: Option<usize>, item: &RawValue) {
        let Some(body) = ItemBody::parse(item) else { return };
        self.has_calls |= body.call().is_some();
        self.item(index).complete(&body, item);
    }

    /// Completes the items of the response at the end of the stream that have not been complete.
    /// Some servers count positions in the stream and in the response differently.
    pub fn complete_from_response(&mut self, output: &[&RawValue]) {
        let id = |(index, item): (&usize, &StreamedItem)| Some((item.id.clone()?, *index));
        let known: HashMap<String, usize> = self.items.iter().filter_map(id).collect();
        for (index, item) in output.iter().enumerate() {
            let Some(body) = ItemBody::parse(item) else { continue };
            let index = body.id.as_ref().and_then(|id| known.get(id)).copied().unwrap_or(index);
            self.complete(Some(index), item);
        }
    }

    /// Sends the events of the items whose turn it is.
    pub fn flush(&mut self, events: &mut Vec<AnswerEvent>) {
        for (index, item) in self.items.range_mut(self.current..) {
            self.current = *index;
            events.append(&mut item.events);
            if !item.is_complete {
                break;
            }
        }
    }

    /// Ends all parts, and sends all events.
    pub fn end_all(&mut self, events: &mut Vec<AnswerEvent>) {
        for item in self.items.values_mut() {
            item.end_part();
            events.append(&mut item.events);
            item.is_complete = true;
        }
    }

    fn item(&mut self, index: Option<usize>) -> &mut StreamedItem {
        self.latest = index.unwrap_or(self.latest);
        self.items.entry(self.latest).or_default()
    }
}

impl StreamedItem {
    fn begin_part(&mut self, key: PartKey, start: PartStart) {
        self.end_part();
        self.open = Some(key);
        self.parts.entry(key).or_default();
        self.citations = 0;
        self.events.push(AnswerEvent::PartStart(start));
    }

    fn end_part(&mut self) {
        if self.open.take().is_some() {
            self.events.push(AnswerEvent::PartEnd);
        }
    }

    fn ensure_part(&mut self, key: PartKey) {
        match self.open {
            Some(open) if open == key => {}
            Some(open) if open.is_same_part(key) => {
                self.open = Some(key);
                self.parts.entry(key).or_default();
                self.events.push(AnswerEvent::Delta(PartDelta::Text("\n\n".to_owned())));
            }
            _ => self.begin_part(key, key.start()),
        }
    }

    fn add_text(&mut self, key: PartKey, text: String) {
        self.ensure_part(key);
        *self.parts.entry(key).or_default() += text.len();
        let is_input = key == PartKey::Call;
        let delta = if is_input { PartDelta::ToolInput(text) } else { PartDelta::Text(text) };
        self.events.push(AnswerEvent::Delta(delta));
    }

    fn complete_text(&mut self, key: PartKey, text: String) {
        let is_known = self.parts.get(&key).is_some_and(|len| *len > 0);
        if !is_known && !text.is_empty() && !self.is_complete {
            self.add_text(key, text);
        }
    }

    fn complete_annotations(&mut self, part: &ContentBody<'_>) {
        if self.citations > 0 {
            return;
        }
        for citation in part.annotations.iter().flatten().filter_map(|value| annotation::parse(value.get())) {
            self.citations += 1;
            self.events.push(AnswerEvent::Delta(PartDelta::Citation(Box::new(citation))));
        }
    }

    fn complete(&mut self, body: &ItemBody<'_>, item: &RawValue) {
        if self.is_complete {
            return;
        }
        match &*body.kind {
            "message" => self.complete_message(body),
            "reasoning" => self.complete_reasoning(body),
            _ => self.complete_other(body, item),
        }
        self.end_part();
        self.is_complete = true;
    }

    fn complete_message(&mut self, body: &ItemBody<'_>) {
        for (index, part) in body.content().into_iter().enumerate() {
            let (key, text) = match &*part.kind {
                "refusal" => (PartKey::Refusal(index), part.refusal.clone()),
                _ => (PartKey::Text(index), part.text.clone()),
            };
            let Some(text) = text else { continue };
            if !self.parts.contains_key(&key) {
                self.begin_part(key, key.start());
            }
            self.complete_text(key, text);
            if self.open == Some(key) {
                self.complete_annotations(&part);
            }
        }
    }

    fn complete_reasoning(&mut self, body: &ItemBody<'_>) {
        let signed = body.signed_content();
        if matches!(signed, Some(SignedContent { target: SignedPart::Text | SignedPart::Call(_), .. })) {
            // The part that it belongs to has ended.
            return;
        }
        for (is_summary, text) in body.reasoning_texts() {
            let is_known = self
                .parts
                .iter()
                .any(|(known, len)| *len > 0 && matches!(known, PartKey::Summary(_)) == is_summary);
            if !is_known && !text.is_empty() {
                let key = if is_summary { PartKey::Summary(0) } else { PartKey::Reasoning(0) };
                self.add_text(key, text);
            }
        }
        if let Some(SignedContent { signature, target }) = signed {
            if self.open.is_none() {
                self.begin_part(PartKey::Reasoning(0), PartKey::Reasoning(0).start());
            }
            let delta = match target {
                SignedPart::Encrypted => PartDelta::Encrypted(signature),
                _ => PartDelta::Signature(signature),
            };
            self.events.push(AnswerEvent::Delta(delta));
        }
    }

    /// Completes a call, or adds an item that arrives whole.
    fn complete_other(&mut self, body: &ItemBody<'_>, item: &RawValue) {
        for part in item::parse(item) {
            let AnswerPart::Part(part) = part else { continue };
            match part.content {
                PartContent::ToolCall(call) => {
                    let takes_text = matches!(call.input, ToolInput::Text(_));
                    let (ToolInput::Json(input) | ToolInput::Text(input)) = call.input;
                    if self.parts.is_empty() {
                        let start = PartStart::ToolCall { id: call.id, name: call.name, takes_text };
                        self.begin_part(PartKey::Call, start);
                    }
                    self.complete_text(PartKey::Call, input);
                }
                PartContent::Provider(part) => self.add_whole(PartStart::Provider(Box::new(part))),
                content => self.add_whole(PartStart::Media(Box::new(content))),
            }
        }
        self.id.clone_from(&body.id);
    }

    fn add_whole(&mut self, start: PartStart) {
        self.end_part();
        self.events.extend([AnswerEvent::PartStart(start), AnswerEvent::PartEnd]);
    }
}

fn string(value: &RawValue) -> Option<String> {
    serde_json::from_str(value.get()).ok()
}
