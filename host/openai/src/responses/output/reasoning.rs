//! Reasoning in the output.

use super::super::event::{Event, EventWriter};
use super::super::item::ContentPart;
use super::super::signed_content::SignedContent;

/// Reasoning that is not complete.
#[derive(Debug)]
pub(super) struct OpenReasoning {
    pub id: String,
    pub is_summary: bool,
    pub text: String,
    pub encrypted: Option<SignedContent>,
}

impl OpenReasoning {
    pub fn part(&self) -> ContentPart<'_> {
        if self.is_summary {
            return ContentPart::SummaryText { text: &self.text };
        }
        ContentPart::ReasoningText { text: &self.text }
    }

    /// Returns an event about the text.
    fn event(&self, output_index: Option<usize>) -> Event<'_> {
        let event = Event { item_id: Some(&self.id), output_index, ..Event::default() };
        if self.is_summary {
            return Event { summary_index: Some(0), ..event };
        }
        Event { content_index: Some(0), ..event }
    }

    pub fn add_text(&mut self, text: &str, output_index: Option<usize>, events: &mut EventWriter<'_>) {
        if text.is_empty() {
            return;
        }
        if self.text.is_empty() {
            let event = Event { part: Some(&self.part()), ..self.event(output_index) };
            let kind = if self.is_summary {
                "response.reasoning_summary_part.added"
            } else {
                "response.content_part.added"
            };
            events.write(kind, &event);
        }
        let kind = if self.is_summary {
            "response.reasoning_summary_text.delta"
        } else {
            "response.reasoning_text.delta"
        };
        events.write(kind, &Event { delta: Some(text), ..self.event(output_index) });
        self.text.push_str(text);
    }

    /// Ends the text, if there is one.
    pub fn end_text(&self, output_index: Option<usize>, events: &mut EventWriter<'_>) {
        if self.text.is_empty() {
            return;
        }
        let [text_done, part_done] = if self.is_summary {
            ["response.reasoning_summary_text.done", "response.reasoning_summary_part.done"]
        } else {
            ["response.reasoning_text.done", "response.content_part.done"]
        };
        events.write(text_done, &Event { text: Some(&self.text), ..self.event(output_index) });
        events.write(part_done, &Event { part: Some(&self.part()), ..self.event(output_index) });
    }
}
