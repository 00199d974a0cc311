//! Message of the output: texts and refusals that follow each other.

use super::super::annotation;
use super::super::event::{Event, EventWriter};
use super::super::item::ContentPart;
use crate::form::{Citation, RawJson, Signature};

/// Message that is not complete.
#[derive(Debug)]
pub(super) struct OpenMessage {
    pub id: String,
    /// Parts that are complete.
    pub content: Vec<RawJson>,
    part: Option<OpenText>,
    /// Signatures of its texts, which become items after it.
    pub signatures: Vec<Signature>,
}

#[derive(Debug, Default)]
struct OpenText {
    is_refusal: bool,
    text: String,
    /// Length of the text in characters.
    chars: u32,
    annotations: Vec<RawJson>,
}

impl OpenMessage {
    /// Returns a message without content.
    pub const fn new(id: String) -> Self {
        Self { id, content: Vec::new(), part: None, signatures: Vec::new() }
    }

    /// Returns an event about the current part.
    fn event(&self, output_index: Option<usize>) -> Event<'_> {
        let content_index = Some(self.content.len());
        Event { item_id: Some(&self.id), output_index, content_index, ..Event::default() }
    }

    pub fn begin_part(
        &mut self,
        is_refusal: bool,
        output_index: Option<usize>,
        events: &mut EventWriter<'_>,
    ) {
        self.end_part(output_index, events);
        let part = OpenText { is_refusal, ..OpenText::default() };
        let event = Event { part: Some(&part.part()), ..self.event(output_index) };
        events.write("response.content_part.added", &event);
        self.part = Some(part);
    }

    pub fn add_text(&mut self, text: &str, output_index: Option<usize>, events: &mut EventWriter<'_>) {
        let Some(mut part) = self.part.take() else { return };
        part.text.push_str(text);
        let chars = u32::try_from(text.chars().count()).unwrap_or(u32::MAX);
        part.chars = part.chars.saturating_add(chars);
        let event = Event { delta: Some(text), ..self.event(output_index) };
        if part.is_refusal {
            events.write("response.refusal.delta", &event);
        } else {
            events.write("response.output_text.delta", &Event { logprobs: Some([]), ..event });
        }
        self.part = Some(part);
    }

    pub fn add_citation(
        &mut self,
        citation: &Citation,
        output_index: Option<usize>,
        events: &mut EventWriter<'_>,
    ) {
        let Some(mut part) = self.part.take() else { return };
        if let Some(annotation) = annotation::render(citation, part.chars) {
            let event = Event {
                annotation_index: Some(part.annotations.len()),
                annotation: Some(&annotation),
                ..self.event(output_index)
            };
            events.write("response.output_text.annotation.added", &event);
            part.annotations.push(annotation);
        }
        self.part = Some(part);
    }

    pub fn end_part(&mut self, output_index: Option<usize>, events: &mut EventWriter<'_>) {
        let Some(part) = self.part.take() else { return };
        let event = self.event(output_index);
        if part.is_refusal {
            let event = Event { refusal: Some(&part.text), ..event };
            events.write("response.refusal.done", &event);
        } else {
            let event = Event { text: Some(&part.text), logprobs: Some([]), ..event };
            events.write("response.output_text.done", &event);
        }
        let content = part.part();
        let event = Event { part: Some(&content), ..self.event(output_index) };
        events.write("response.content_part.done", &event);
        // Strings and JSON: this cannot fail.
        self.content.extend(RawJson::of(&content));
    }
}

impl OpenText {
    fn part(&self) -> ContentPart<'_> {
        if self.is_refusal {
            return ContentPart::Refusal { refusal: &self.text };
        }
        ContentPart::text(&self.text, &self.annotations)
    }
}
