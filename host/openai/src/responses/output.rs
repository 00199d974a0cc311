//! Output of a response, which is composed part by part.

use std::collections::HashSet;

use self::message::OpenMessage;
use self::reasoning::OpenReasoning;
use super::echoed::EchoedMembers;
use super::event::{Event, EventItem, EventWriter};
use super::item::{Call, ItemStatus, OutputItem};
use super::offered_tools::CallKind;
use super::signed_content::{SignedContent, SignedPart};
use crate::form::{
    MediaSource, PartContent, PartDelta, PartStart, ProviderPart, RawJson, Signature, SignatureOrigin,
};

mod message;
mod reasoning;

/// Output so far. Texts that follow each other are parts of one message, so a message remains open
/// until an item of another kind begins.
#[derive(Debug)]
pub(super) struct Output {
    /// Suffix of the ids of all items, followed by their position.
    id: String,
    /// Items that are complete.
    items: Vec<RawJson>,
    open: OpenItem,
    /// Ids of the calls, which clients distinguish them by.
    call_ids: HashSet<String>,
    has_refusal: bool,
}

/// Item to which deltas belong.
#[derive(Debug)]
enum OpenItem {
    None,
    Message(OpenMessage),
    Reasoning(OpenReasoning),
    Call(Call, Vec<Signature>),
}

impl Output {
    /// Returns an output without items.
    pub fn new(id: String) -> Self {
        let (items, call_ids) = (Vec::new(), HashSet::new());
        Self { id, items, open: OpenItem::None, call_ids, has_refusal: false }
    }

    /// Returns the items that are complete.
    pub fn items(&self) -> &[RawJson] {
        &self.items
    }

    /// Returns whether the model refused in its own words.
    pub const fn has_refusal(&self) -> bool {
        self.has_refusal
    }

    /// Begins a part.
    pub fn begin(&mut self, start: &PartStart, echoed: &EchoedMembers, events: &mut EventWriter<'_>) {
        if !matches!(start, PartStart::Text | PartStart::Refusal) {
            self.close(ItemStatus::Completed, events);
        }
        match start {
            PartStart::Text => self.begin_text(false, events),
            PartStart::Refusal => self.begin_text(true, events),
            PartStart::Reasoning { is_summary } => {
                let id = self.item_id("rs");
                let item =
                    OutputItem::Reasoning { id: &id, summary: &[], content: &[], encrypted_content: None };
                self.write_item("response.output_item.added", &EventItem::Rendered(item), events);
                let is_summary = *is_summary || echoed.wants_summary;
                let open = OpenReasoning { id, is_summary, text: String::new(), encrypted: None };
                self.open = OpenItem::Reasoning(open);
            }
            PartStart::ToolCall { id, name, takes_text } => {
                let suffix = format!("{}_{}", self.id, self.items.len());
                // Some providers state no ids, or the same one twice.
                let id = if id.is_empty() || self.call_ids.contains(id) {
                    format!("call_{suffix}")
                } else {
                    id.clone()
                };
                self.call_ids.insert(id.clone());
                let call = Call::new(id, name, *takes_text, &echoed.offered, &suffix);
                let input = if call.kind() == CallKind::Search { "{}" } else { "" };
                let item = EventItem::Rendered(call.item(input, ItemStatus::InProgress));
                self.write_item("response.output_item.added", &item, events);
                self.open = OpenItem::Call(call, Vec::new());
            }
            PartStart::Media(content) => self.add_media(content, events),
            PartStart::Provider(part) => self.add_provider_part(part, events),
        }
    }

    /// Adds to the current part.
    pub fn add(&mut self, delta: &PartDelta, events: &mut EventWriter<'_>) {
        let output_index = Some(self.items.len());
        match (&mut self.open, delta) {
            (OpenItem::Message(message), PartDelta::Text(text)) => {
                message.add_text(text, output_index, events)
            }
            (OpenItem::Message(message), PartDelta::Citation(citation)) => {
                message.add_citation(citation, output_index, events);
            }
            (OpenItem::Message(message), PartDelta::Signature(signature)) => {
                message.signatures.push(signature.clone());
            }
            (OpenItem::Reasoning(reasoning), PartDelta::Text(text)) => {
                reasoning.add_text(text, output_index, events);
            }
            (OpenItem::Reasoning(reasoning), PartDelta::Signature(signature)) => {
                reasoning.encrypted.get_or_insert_with(|| SignedContent {
                    signature: signature.clone(),
                    target: SignedPart::Reasoning,
                });
            }
            (OpenItem::Reasoning(reasoning), PartDelta::Encrypted(signature)) => {
                let target = SignedPart::Encrypted;
                reasoning.encrypted = Some(SignedContent { signature: signature.clone(), target });
            }
            (OpenItem::Call(call, _), PartDelta::ToolInput(input)) => {
                call.input.push_str(input);
                if call.is_streamed() {
                    write_input_delta(call, input, output_index, events);
                }
            }
            (OpenItem::Call(_, signatures), PartDelta::Signature(signature)) => {
                signatures.push(signature.clone());
            }
            _ => {}
        }
    }

    /// Ends the current part.
    pub fn end_part(&mut self, events: &mut EventWriter<'_>) {
        let output_index = Some(self.items.len());
        match &mut self.open {
            OpenItem::Message(message) => message.end_part(output_index, events),
            OpenItem::None => {}
            OpenItem::Reasoning(_) | OpenItem::Call(..) => self.close(ItemStatus::Completed, events),
        }
    }

    /// Ends the current item.
    pub fn close(&mut self, status: ItemStatus, events: &mut EventWriter<'_>) {
        let output_index = Some(self.items.len());
        match std::mem::replace(&mut self.open, OpenItem::None) {
            OpenItem::None => {}
            OpenItem::Message(mut message) => {
                message.end_part(output_index, events);
                let OpenMessage { id, content, signatures, .. } = message;
                let item = OutputItem::Message { id: &id, status, role: "assistant", content: &content };
                self.end_item(item, events);
                for signature in signatures {
                    self.add_signature(SignedContent { signature, target: SignedPart::Text }, events);
                }
            }
            OpenItem::Reasoning(reasoning) => self.end_reasoning(&reasoning, events),
            OpenItem::Call(call, signatures) => {
                self.end_call(&call, status, events);
                for signature in signatures {
                    let target = SignedPart::Call(call.id().to_owned());
                    self.add_signature(SignedContent { signature, target }, events);
                }
            }
        }
    }

    fn item_id(&self, prefix: &str) -> String {
        format!("{prefix}_{}_{}", self.id, self.items.len())
    }

    fn begin_text(&mut self, is_refusal: bool, events: &mut EventWriter<'_>) {
        self.has_refusal |= is_refusal;
        if !matches!(self.open, OpenItem::Message(_)) {
            self.close(ItemStatus::Completed, events);
            let id = self.item_id("msg");
            let status = ItemStatus::InProgress;
            let item = OutputItem::Message { id: &id, status, role: "assistant", content: &[] };
            self.write_item("response.output_item.added", &EventItem::Rendered(item), events);
            self.open = OpenItem::Message(OpenMessage::new(id));
        }
        let output_index = Some(self.items.len());
        if let OpenItem::Message(message) = &mut self.open {
            message.begin_part(is_refusal, output_index, events);
        }
    }

    fn end_reasoning(&mut self, reasoning: &OpenReasoning, events: &mut EventWriter<'_>) {
        reasoning.end_text(Some(self.items.len()), events);
        let part = [reasoning.part()];
        let shown = if reasoning.text.is_empty() { &[] } else { &part[..] };
        let (summary, content) = if reasoning.is_summary { (shown, &[][..]) } else { (&[][..], shown) };
        let encrypted = reasoning.encrypted.as_ref().map(SignedContent::render);
        let encrypted_content = encrypted.as_deref();
        let item = OutputItem::Reasoning { id: &reasoning.id, summary, content, encrypted_content };
        self.end_item(item, events);
    }

    fn end_call(&mut self, call: &Call, status: ItemStatus, events: &mut EventWriter<'_>) {
        let output_index = Some(self.items.len());
        let input = call.whole_input();
        if (!call.is_streamed() || call.input.is_empty()) && !input.is_empty() {
            write_input_delta(call, &input, output_index, events);
        }
        let event = Event { item_id: Some(&call.item_id), output_index, ..Event::default() };
        match call.kind() {
            CallKind::Function => {
                let event = Event { name: Some(call.name()), arguments: Some(&input), ..event };
                events.write("response.function_call_arguments.done", &event);
            }
            CallKind::Custom => {
                let event = Event { input: Some(&input), ..event };
                events.write("response.custom_tool_call_input.done", &event);
            }
            CallKind::Search => {}
        }
        self.end_item(call.item(&input, status), events);
    }

    /// Adds an item that has nothing but a signature.
    fn add_signature(&mut self, content: SignedContent, events: &mut EventWriter<'_>) {
        let (id, encrypted) = (self.item_id("rs"), content.render());
        let item = |encrypted_content| OutputItem::Reasoning {
            id: &id,
            summary: &[],
            content: &[],
            encrypted_content,
        };
        self.write_item("response.output_item.added", &EventItem::Rendered(item(None)), events);
        self.end_item(item(Some(&encrypted)), events);
    }

    /// Adds an image that the model made. The API has no place for other media in an output.
    fn add_media(&mut self, content: &PartContent, events: &mut EventWriter<'_>) {
        if let PartContent::Image { source: MediaSource::Base64 { media_type, data }, .. } = content {
            let id = self.item_id("ig");
            let output_format = media_type.strip_prefix("image/").unwrap_or(media_type);
            let item =
                |status, result| OutputItem::ImageGenerationCall { id: &id, status, result, output_format };
            let added = EventItem::Rendered(item(ItemStatus::InProgress, ""));
            self.write_item("response.output_item.added", &added, events);
            self.end_item(item(ItemStatus::Completed, data), events);
        }
    }

    /// Adds an item of a tool that the provider ran, if it is one of this API.
    fn add_provider_part(&mut self, part: &ProviderPart, events: &mut EventWriter<'_>) {
        #[derive(serde::Deserialize)]
        struct ItemHead {
            #[serde(rename = "type")]
            _kind: serde::de::IgnoredAny,
            #[serde(rename = "id")]
            _id: serde::de::IgnoredAny,
        }

        if part.origin == SignatureOrigin::OpenAi && part.value.parse_as::<ItemHead>().is_ok() {
            for kind in ["response.output_item.added", "response.output_item.done"] {
                self.write_item(kind, &EventItem::Raw(&part.value), events);
            }
            self.items.push(part.value.clone());
        }
    }

    fn end_item(&mut self, item: OutputItem<'_>, events: &mut EventWriter<'_>) {
        // Strings and JSON: this cannot fail.
        if let Ok(item) = RawJson::of(&item) {
            self.write_item("response.output_item.done", &EventItem::Raw(&item), events);
            self.items.push(item);
        }
    }

    fn write_item(&self, kind: &str, item: &EventItem<'_>, events: &mut EventWriter<'_>) {
        let output_index = Some(self.items.len());
        events.write(kind, &Event { output_index, item: Some(item), ..Event::default() });
    }
}

fn write_input_delta(call: &Call, input: &str, output_index: Option<usize>, events: &mut EventWriter<'_>) {
    let kind = match call.kind() {
        CallKind::Function => "response.function_call_arguments.delta",
        CallKind::Custom => "response.custom_tool_call_input.delta",
        CallKind::Search => return,
    };
    let event = Event { item_id: Some(&call.item_id), output_index, delta: Some(input), ..Event::default() };
    events.write(kind, &event);
}
