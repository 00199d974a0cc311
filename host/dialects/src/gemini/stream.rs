//! Reads streams, and whole answers as streams of one event.

use serde_json::value::RawValue;

use super::citations::CitationCollector;
use super::error::reported_error;
use super::response::{
    Candidate, FileData, FunctionCall, GenerateContentResponse, InlineData, ResponsePart, is_blocked,
    stop_reason, usage_count,
};
use crate::form::{
    AnswerEvent, AnswerStart, LossWeight, PartDelta, PartStart, ProviderPart, RawJson, Signature,
    SignatureOrigin, StopReason, StreamReader,
};
use crate::json::ObjectMembers;

/// Longest id of a call that is made up, in bytes of the answer's id.
const MAX_ID: usize = 40;

/// Reader of the stream of one answer.
///
/// No event marks the end, and some versions of the API state a reason to stop in each event: the
/// stop follows in [`finish`](StreamReader::finish), as do citations, which refer to the whole text.
#[derive(Debug, Default)]
pub struct GeminiStreamReader {
    is_started: bool,
    /// True after the end or an error.
    is_ended: bool,
    response_id: String,
    /// Index of the candidate that is read. Others are answers to the same request.
    candidate: Option<u32>,
    open: Option<OpenPart>,
    calls: usize,
    stop: Option<StopReason>,
    citations: CitationCollector,
}

/// Part that the next text may continue.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct OpenPart {
    is_thought: bool,
    is_signed: bool,
}

impl GeminiStreamReader {
    /// A reader at the beginning of a stream.
    pub fn new() -> Self {
        Self::default()
    }

    /// Returns whether the answer has a reason to stop.
    pub(super) const fn has_stop(&self) -> bool {
        self.stop.is_some()
    }

    /// Reads an event that was parsed.
    pub(super) fn read_response(
        &mut self,
        response: GenerateContentResponse<'_>,
        events: &mut Vec<AnswerEvent>,
    ) {
        if self.is_ended {
            return;
        }
        if let Some(error) = response.error {
            self.is_ended = true;
            events.push(AnswerEvent::Error(reported_error(None, error.get().as_bytes())));
            return;
        }
        if !self.is_started {
            self.is_started = true;
            self.response_id = response.response_id.unwrap_or_default();
            events.push(AnswerEvent::Start(AnswerStart {
                id: self.response_id.clone(),
                created: None,
                model: response.model_version.unwrap_or_default(),
            }));
        }
        for candidate in response.candidates.into_iter().flatten() {
            let index = candidate.index.unwrap_or(0);
            if *self.candidate.get_or_insert(index) == index {
                self.read_candidate(candidate, events);
            }
        }
        if response.prompt_feedback.is_some_and(is_blocked) {
            self.stop = Some(StopReason::ContentFilter);
        }
        if let Some(usage) = response.usage_metadata {
            events.push(AnswerEvent::Usage(usage_count(usage)));
        }
    }

    fn read_candidate(&mut self, candidate: Candidate<'_>, events: &mut Vec<AnswerEvent>) {
        let parts = candidate.content.and_then(|content| content.parts);
        for part in parts.into_iter().flatten() {
            self.read_part(part, events);
        }
        if let Some(metadata) = candidate.grounding_metadata {
            self.citations.add_grounding(metadata);
        }
        if let Some(metadata) = candidate.citation_metadata {
            self.citations.add_recitation(metadata);
        }
        if let Some(stop) = candidate.finish_reason.and_then(stop_reason) {
            self.stop = Some(stop);
        }
    }

    fn read_part(&mut self, raw: &RawValue, events: &mut Vec<AnswerEvent>) {
        let Ok(part) = serde_json::from_str::<ResponsePart<'_>>(raw.get()) else { return };
        let ResponsePart { text, thought, thought_signature, function_call, inline_data, file_data } = part;
        let signature = thought_signature.map(|value| Signature { origin: SignatureOrigin::Gemini, value });
        if let Some(call) = function_call {
            self.read_call(call, signature, events);
        } else if let Some(text) = text {
            self.read_text(text, thought == Some(true), signature, events);
        } else if let Some(content) =
            inline_data.map(InlineData::into_content).or_else(|| file_data.map(FileData::into_content))
        {
            self.whole_part(PartStart::Media(Box::new(content)), signature.map(PartDelta::Signature), events);
        } else {
            self.read_other(raw, signature, events);
        }
    }

    /// Reads a part of another kind: code that the provider ran, its output, and the like.
    fn read_other(&mut self, raw: &RawValue, signature: Option<Signature>, events: &mut Vec<AnswerEvent>) {
        let members = ObjectMembers::parse_answer(raw.get().as_bytes()).map_or(0, |part| part.rest().count());
        match signature {
            Some(signature) if members == 1 => self.read_text(String::new(), false, Some(signature), events),
            _ if members == 0 => {}
            _ => {
                // A signature is a member of the value.
                let part = ProviderPart {
                    origin: SignatureOrigin::Gemini,
                    value: RawJson::from(raw),
                    weight: LossWeight::Advisory,
                };
                self.whole_part(PartStart::Provider(Box::new(part)), None, events);
            }
        }
    }

    fn read_text(
        &mut self,
        text: String,
        is_thought: bool,
        signature: Option<Signature>,
        events: &mut Vec<AnswerEvent>,
    ) {
        let continues = self.open.is_some_and(|open| open.is_thought == is_thought && !open.is_signed);
        if text.is_empty() && !continues {
            // A signature alone, at the end of a stream.
            if let Some(signature) = signature {
                let start = PartStart::Reasoning { is_summary: false };
                self.whole_part(start, Some(PartDelta::Encrypted(signature)), events);
            }
            return;
        }
        if !continues {
            self.end_part(events);
            events.push(AnswerEvent::PartStart(if is_thought {
                PartStart::Reasoning { is_summary: true }
            } else {
                PartStart::Text
            }));
        }
        if !is_thought {
            self.citations.add_text(&text);
        }
        if !text.is_empty() {
            events.push(AnswerEvent::Delta(PartDelta::Text(text)));
        }
        self.open = Some(OpenPart { is_thought, is_signed: signature.is_some() });
        events.extend(signature.map(|signature| AnswerEvent::Delta(PartDelta::Signature(signature))));
    }

    fn read_call(
        &mut self,
        call: FunctionCall<'_>,
        signature: Option<Signature>,
        events: &mut Vec<AnswerEvent>,
    ) {
        self.end_part(events);
        let id = call.id.filter(|id| !id.is_empty()).unwrap_or_else(|| self.call_id());
        self.calls += 1;
        let name = call.name.unwrap_or_default();
        events.push(AnswerEvent::PartStart(PartStart::ToolCall { id, name, takes_text: false }));
        // Before the input, so that a writer may state it with the name.
        events.extend(signature.map(|signature| AnswerEvent::Delta(PartDelta::Signature(signature))));
        let input = call.args.map_or("{}", RawValue::get).to_owned();
        events.push(AnswerEvent::Delta(PartDelta::ToolInput(input)));
        events.push(AnswerEvent::PartEnd);
    }

    /// Returns an id for a call without one, which is unique as far as the answer's id is.
    fn call_id(&self) -> String {
        let id = self
            .response_id
            .bytes()
            .filter(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'));
        let id: String = id.take(MAX_ID).map(char::from).collect();
        format!("call_{id}_{}", self.calls)
    }

    fn whole_part(&mut self, start: PartStart, delta: Option<PartDelta>, events: &mut Vec<AnswerEvent>) {
        self.end_part(events);
        events.push(AnswerEvent::PartStart(start));
        events.extend(delta.map(AnswerEvent::Delta));
        events.push(AnswerEvent::PartEnd);
    }

    fn end_part(&mut self, events: &mut Vec<AnswerEvent>) {
        if self.open.take().is_some() {
            events.push(AnswerEvent::PartEnd);
        }
    }

    /// Appends the citations to the open text, or to an empty one.
    fn end_citations(&mut self, events: &mut Vec<AnswerEvent>) {
        let citations = self.citations.finish();
        if citations.is_empty() {
            return;
        }
        if self.open.is_none_or(|open| open.is_thought) {
            self.end_part(events);
            events.push(AnswerEvent::PartStart(PartStart::Text));
            self.open = Some(OpenPart { is_thought: false, is_signed: false });
        }
        let citations = citations.into_iter().map(Box::new).map(PartDelta::Citation);
        events.extend(citations.map(AnswerEvent::Delta));
    }
}

impl StreamReader for GeminiStreamReader {
    fn read(&mut self, data: &[u8], events: &mut Vec<AnswerEvent>) {
        for response in parse_responses(data).into_iter().flatten() {
            self.read_response(response, events);
        }
    }

    fn finish(&mut self, events: &mut Vec<AnswerEvent>) {
        if std::mem::replace(&mut self.is_ended, true) {
            return;
        }
        self.end_citations(events);
        self.end_part(events);
        if let Some(stop) = self.stop.take() {
            let has_calls = self.calls > 0;
            events.push(AnswerEvent::Stop(match stop {
                // The API has no reason of its own for calls.
                StopReason::Complete if has_calls => StopReason::ToolCalls,
                stop => stop,
            }));
            events.push(AnswerEvent::Done);
        }
    }
}

/// Parses an event: a response, or an array of them.
pub(super) fn parse_responses(data: &[u8]) -> serde_json::Result<Vec<GenerateContentResponse<'_>>> {
    if data.trim_ascii_start().starts_with(b"[") {
        serde_json::from_slice(data)
    } else {
        serde_json::from_slice(data).map(|response| vec![response])
    }
}
