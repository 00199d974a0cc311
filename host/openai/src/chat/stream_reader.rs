//! Reading of streamed answers.

mod parts;

use serde_json::value::RawValue;

use self::parts::{PartKey, PartQueue};
use super::annotations::Annotation;
use super::answer::{
    AnswerChunk, CallDelta, content_chunks, extra_signature, images, reasoning_details, reasoning_text,
    seconds, sources, stop_reason, string, transcript, usage,
};
use super::finish_reason::refine;
use super::provider_error::reported_error;
use super::reasoning_details::ReasoningDetail;
use crate::form::{AnswerEvent, AnswerStart, Citation, PartDelta, StopReason, StreamReader};
use crate::json::ObjectMembers;
use pointsman_wire::usage_count::UsageCount;

/// Reads the stream of a provider of chat completions. Of several choices it reads the first.
#[derive(Debug, Default)]
pub struct ChatStreamReader {
    has_started: bool,
    has_ended: bool,
    id: String,
    parts: PartQueue,
    count: UsageCount,
    /// Reason of the end, which is not reported before it is certain that no content follows.
    stop: Option<StopReason>,
    has_refusal: bool,
    /// Sources that are listed beside the choices, until they are reported.
    sources: Vec<Citation>,
    has_citations: bool,
}

impl ChatStreamReader {
    /// Returns a reader of a stream that begins.
    pub fn new() -> Self {
        Self::default()
    }

    fn chunk(&mut self, data: &[u8], events: &mut Vec<AnswerEvent>) {
        let Some(mut members) = ObjectMembers::parse_answer(data) else { return };
        if let Some(error) = reported_error(data) {
            self.parts.flush(events);
            events.push(AnswerEvent::Error(error));
            self.has_ended = true;
            return;
        }
        let choices = members.take("choices").and_then(|value| serde_json::from_str(value.get()).ok());
        let choices: Vec<&RawValue> = choices.unwrap_or_default();
        let mut choice = choices.into_iter().filter_map(|choice| {
            let mut choice: ObjectMembers<'_> = serde_json::from_str(choice.get()).ok()?;
            let index = choice.take("index").map_or("0", RawValue::get);
            (index == "0").then_some(choice)
        });
        let mut choice = choice.next();
        if choice.is_some() {
            self.start(&mut members, events);
        }
        self.sources
            .extend(Some(sources(&mut members)).filter(|_| self.sources.is_empty()).unwrap_or_default());
        if let Some(choice) = &mut choice {
            self.choice(choice, events);
        }
        let mut count = self.count;
        count.update(usage(&mut members, choice.as_mut()));
        if count != self.count {
            self.start(&mut members, events);
            self.count = count;
            events.push(AnswerEvent::Usage(count));
        }
    }

    fn start(&mut self, members: &mut ObjectMembers<'_>, events: &mut Vec<AnswerEvent>) {
        if self.has_started {
            return;
        }
        self.has_started = true;
        self.id = string(members, "id").unwrap_or_default();
        events.push(AnswerEvent::Start(AnswerStart {
            id: self.id.clone(),
            created: members.take("created").and_then(seconds),
            model: string(members, "model").unwrap_or_default(),
        }));
    }

    fn choice(&mut self, choice: &mut ObjectMembers<'_>, events: &mut Vec<AnswerEvent>) {
        let delta = choice.take("delta").or_else(|| choice.take("message"));
        if let Some(mut delta) = delta.and_then(|delta| serde_json::from_str(delta.get()).ok()) {
            self.delta(&mut delta);
        }
        self.parts.drain(events);
        if let Some(stop) = stop_reason(choice) {
            self.stop = Some(stop);
        }
    }

    fn delta(&mut self, delta: &mut ObjectMembers<'_>) {
        let details = reasoning_details(delta);
        let text = reasoning_text(delta);
        let has_text = details.iter().any(|detail| !detail.text().is_empty());
        if let Some(text) = text.filter(|_| !has_text) {
            self.parts.text(PartKey::REASONING, text);
        }
        for detail in &details {
            self.detail(detail);
        }
        for chunk in delta.take("content").map(content_chunks).unwrap_or_default() {
            match chunk {
                AnswerChunk::Text(text) => self.parts.text(PartKey::Text, text),
                AnswerChunk::Reasoning(text) => self.parts.text(PartKey::REASONING, text),
                AnswerChunk::Refusal(text) => self.refusal(text),
                AnswerChunk::Media(content) => self.parts.media(content),
            }
        }
        if let Some(text) = transcript(delta) {
            self.parts.text(PartKey::Text, text);
        }
        if let Some(text) = string(delta, "refusal") {
            self.refusal(text);
        }
        images(delta).into_iter().for_each(|image| self.parts.media(image));
        for call in CallDelta::take_all(delta) {
            self.parts.call(call, &self.id);
        }
        for citation in delta.take("annotations").map(Annotation::parse_all).unwrap_or_default() {
            self.has_citations = true;
            self.parts.add_to_text(PartDelta::Citation(Box::new(citation)));
        }
        if let Some(signature) = extra_signature(delta) {
            self.parts.add_to_text(PartDelta::Signature(signature));
        }
    }

    fn refusal(&mut self, text: String) {
        self.has_refusal = true;
        self.parts.text(PartKey::Refusal, text);
    }

    fn detail(&mut self, detail: &ReasoningDetail) {
        if let Some(id) = detail.google_call_id() {
            if let Some(signature) = detail.encrypted() {
                self.parts.sign_call(id, signature);
            }
            return;
        }
        let index = detail.index.unwrap_or_default();
        if !detail.text().is_empty() {
            let key = PartKey::Reasoning { index, is_summary: detail.is_summary() };
            self.parts.text(key, detail.text().to_owned());
        }
        if let Some(signature) = detail.signature() {
            self.parts.add_to_reasoning(PartDelta::Signature(signature));
        }
        if let Some(encrypted) = detail.encrypted() {
            self.parts.encrypted(encrypted);
        }
    }

    /// Reports the end, if the answer is complete.
    fn end(&mut self, is_done: bool, events: &mut Vec<AnswerEvent>) {
        if std::mem::replace(&mut self.has_ended, true) {
            return;
        }
        if !self.has_citations {
            for source in std::mem::take(&mut self.sources) {
                self.parts.add_to_text(PartDelta::Citation(Box::new(source)));
            }
        }
        self.parts.flush(events);
        // Some providers state no reason.
        let is_complete = self.stop.is_some() || is_done && self.parts.has_content();
        if is_complete && self.has_started {
            let stop = refine(self.stop.take(), self.parts.has_calls(), self.has_refusal);
            events.push(AnswerEvent::Stop(stop));
            events.push(AnswerEvent::Done);
        }
    }
}

impl StreamReader for ChatStreamReader {
    fn read(&mut self, data: &[u8], events: &mut Vec<AnswerEvent>) {
        if self.has_ended {
            return;
        }
        match data.trim_ascii() {
            b"[DONE]" => self.end(true, events),
            data => self.chunk(data, events),
        }
    }

    fn finish(&mut self, events: &mut Vec<AnswerEvent>) {
        self.end(false, events);
    }
}

#[cfg(test)]
mod tests;
