//! Parts of a streamed answer in their order.
//!
//! Deltas of parallel calls may alternate, but parts in the common form do not overlap. So the first
//! part that has not ended is reported as it arrives, and later ones are held back until it ends: a
//! call ends when its arguments are a complete object and another part has begun, anything else when
//! another part begins. Where too much is held back, a call ends before that.

use std::collections::VecDeque;

use crate::chat::answer::{CallDelta, call_id};
use crate::form::{AnswerEvent, PartContent, PartDelta, PartStart, Signature};

/// Parts that are held back.
const MAX_PARTS: usize = 256;
/// Bytes of arguments and texts that are held back.
const MAX_HELD: usize = 8 << 20;

/// Parts that have not ended.
#[derive(Debug, Default)]
pub(super) struct PartQueue {
    parts: VecDeque<OpenPart>,
    /// Bytes of the deltas that have not been reported.
    held: usize,
    /// Number of calls so far.
    calls: usize,
    has_content: bool,
    /// Signatures of calls that have not begun, by their ids.
    signatures: Vec<(String, Signature)>,
    /// Additions to a text that has not begun.
    of_text: Vec<PartDelta>,
}

/// Identity of a part among those that have not ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum PartKey {
    Text,
    Refusal,
    Reasoning {
        index: u32,
        is_summary: bool,
    },
    /// Encrypted reasoning without a text.
    Encrypted,
    Media,
    Call {
        index: Option<u64>,
        id: Option<String>,
    },
}

#[derive(Debug)]
struct OpenPart {
    key: PartKey,
    /// Start that has not been reported. That of a call has no name until it arrives.
    start: Option<PartStart>,
    /// Deltas that have not been reported.
    deltas: Vec<PartDelta>,
    arguments: ObjectEnd,
}

impl PartKey {
    /// Reasoning without details.
    pub const REASONING: Self = Self::Reasoning { index: 0, is_summary: false };

    const fn is_reasoning(&self) -> bool {
        matches!(self, Self::Reasoning { .. })
    }
}

impl OpenPart {
    fn new(key: PartKey, start: PartStart) -> Self {
        Self { key, start: Some(start), deltas: Vec::new(), arguments: ObjectEnd::default() }
    }

    /// Returns whether nothing more can arrive once another part has begun.
    const fn is_complete(&self) -> bool {
        match self.key {
            PartKey::Call { .. } => self.arguments.is_complete(),
            _ => true,
        }
    }

    const fn name_is_missing(&self) -> bool {
        matches!(&self.start, Some(PartStart::ToolCall { name, .. }) if name.is_empty())
    }

    /// Returns the bytes of the texts and arguments that have not been reported.
    fn held_bytes(&self) -> usize {
        let bytes = self.deltas.iter().map(|delta| match delta {
            PartDelta::Text(text) | PartDelta::ToolInput(text) => text.len(),
            _ => 0,
        });
        bytes.sum()
    }

    /// Reports what has arrived.
    fn report(&mut self, events: &mut Vec<AnswerEvent>) {
        events.extend(self.start.take().map(AnswerEvent::PartStart));
        events.extend(self.deltas.drain(..).map(AnswerEvent::Delta));
    }
}

impl PartQueue {
    /// Returns whether there has been any content.
    pub const fn has_content(&self) -> bool {
        self.has_content
    }

    /// Returns whether there has been a call.
    pub const fn has_calls(&self) -> bool {
        self.calls > 0
    }

    /// Adds a text to the last part if it has this key, else to a new one.
    pub fn text(&mut self, key: PartKey, text: String) {
        if text.is_empty() {
            return;
        }
        if self.parts.back().is_none_or(|part| part.key != key) {
            let start = match key {
                PartKey::Refusal => PartStart::Refusal,
                PartKey::Reasoning { is_summary, .. } => PartStart::Reasoning { is_summary },
                _ => PartStart::Text,
            };
            self.push(OpenPart::new(key.clone(), start));
        }
        let of_text = if key == PartKey::Text { std::mem::take(&mut self.of_text) } else { Vec::new() };
        if let Some(part) = self.parts.back_mut() {
            self.held += text.len();
            match part.deltas.last_mut() {
                Some(PartDelta::Text(last)) => last.push_str(&text),
                _ => part.deltas.push(PartDelta::Text(text)),
            }
            part.deltas.extend(of_text);
        }
    }

    /// Adds an image or another medium.
    pub fn media(&mut self, content: PartContent) {
        self.push(OpenPart::new(PartKey::Media, PartStart::Media(Box::new(content))));
    }

    /// Adds a delta to the last text, or to the next one.
    pub fn add_to_text(&mut self, delta: PartDelta) {
        match self.parts.iter_mut().rfind(|part| part.key == PartKey::Text) {
            Some(part) => part.deltas.push(delta),
            None if self.of_text.len() < MAX_PARTS => self.of_text.push(delta),
            None => {}
        }
    }

    /// Adds a delta to the last reasoning, or to a new one without a text.
    pub fn add_to_reasoning(&mut self, delta: PartDelta) {
        if !self.parts.iter().any(|part| part.key.is_reasoning()) {
            let start = PartStart::Reasoning { is_summary: false };
            self.push(OpenPart::new(PartKey::REASONING, start));
        }
        if let Some(part) = self.parts.iter_mut().rfind(|part| part.key.is_reasoning()) {
            part.deltas.push(delta);
        }
    }

    /// Adds encrypted reasoning: to the summary that precedes it, or as a part of its own.
    pub fn encrypted(&mut self, encrypted: Signature) {
        let is_own = |part: &OpenPart| matches!(part.key, PartKey::Reasoning { is_summary: true, .. });
        let delta = PartDelta::Encrypted(encrypted);
        match self.parts.back_mut().filter(|part| is_own(part)) {
            Some(summary) => {
                // Nothing can follow in this part.
                summary.key = PartKey::Encrypted;
                summary.deltas.push(delta);
            }
            None => {
                let start = PartStart::Reasoning { is_summary: false };
                self.push(OpenPart { deltas: vec![delta], ..OpenPart::new(PartKey::Encrypted, start) });
            }
        }
    }

    /// Adds the signature of a call that has begun or is about to.
    pub fn sign_call(&mut self, id: &str, signature: Signature) {
        let has_id = |part: &&mut OpenPart| match &part.key {
            PartKey::Call { id: own, .. } => own.as_deref() == Some(id),
            _ => false,
        };
        match self.parts.iter_mut().find(has_id) {
            Some(part) => part.deltas.push(PartDelta::Signature(signature)),
            None if self.signatures.len() < MAX_PARTS => self.signatures.push((id.to_owned(), signature)),
            None => {}
        }
    }

    /// Adds a piece of a call.
    pub fn call(&mut self, call: CallDelta, answer_id: &str) {
        let position =
            self.parts.iter().rposition(|part| continues(&part.key, part.name_is_missing(), &call));
        let position = match position {
            Some(position) => position,
            // The rest of a call that has ended.
            None if call.name.is_none() && call.id.is_none() => return,
            None => {
                self.begin_call(&call, answer_id);
                self.parts.len() - 1
            }
        };
        let Some(part) = self.parts.get_mut(position) else { return };
        if let (Some(PartStart::ToolCall { name: own, .. }), Some(name)) = (&mut part.start, call.name)
            && own.is_empty()
        {
            *own = name;
        }
        if let Some(input) = call.input.filter(|input| !input.is_empty()) {
            part.arguments.read(&input);
            self.held += input.len();
            part.deltas.push(PartDelta::ToolInput(input));
        }
        part.deltas.extend(call.signature.map(PartDelta::Signature));
    }

    fn begin_call(&mut self, call: &CallDelta, answer_id: &str) {
        let id = call.id.clone().unwrap_or_else(|| call_id(answer_id, self.calls));
        self.calls += 1;
        let start = PartStart::ToolCall { id: id.clone(), name: String::new(), takes_text: call.takes_text };
        let mut part = OpenPart::new(PartKey::Call { index: call.index, id: call.id.clone() }, start);
        if let Some(at) = self.signatures.iter().position(|(own, _)| *own == id) {
            part.deltas.push(PartDelta::Signature(self.signatures.swap_remove(at).1));
        }
        self.push(part);
    }

    fn push(&mut self, part: OpenPart) {
        self.has_content = true;
        self.parts.push_back(part);
    }

    /// Reports what is certain.
    pub fn drain(&mut self, events: &mut Vec<AnswerEvent>) {
        loop {
            let is_full = self.held > MAX_HELD || self.parts.len() > MAX_PARTS;
            let first = self.parts.front_mut().filter(|part| is_full || !part.name_is_missing());
            let Some(first) = first else { return };
            self.held = self.held.saturating_sub(first.held_bytes());
            first.report(events);
            let is_complete = is_full || first.is_complete();
            if self.parts.len() == 1 || !is_complete {
                return;
            }
            events.push(AnswerEvent::PartEnd);
            self.parts.pop_front();
        }
    }

    /// Reports and ends all parts.
    pub fn flush(&mut self, events: &mut Vec<AnswerEvent>) {
        if self.of_text.iter().any(|delta| matches!(delta, PartDelta::Signature(_))) {
            // Google may sign an answer that ends without a text.
            let deltas = std::mem::take(&mut self.of_text);
            self.push(OpenPart { deltas, ..OpenPart::new(PartKey::Text, PartStart::Text) });
        }
        for mut part in self.parts.drain(..) {
            part.report(events);
            events.push(AnswerEvent::PartEnd);
        }
    }
}

/// Returns whether a piece belongs to a part. Servers leave out the index, repeat id and name in each
/// piece, or number all calls with 0.
fn continues(key: &PartKey, name_is_missing: bool, call: &CallDelta) -> bool {
    let PartKey::Call { index, id } = key else { return false };
    let same_id = match (&call.id, id) {
        (Some(new), Some(own)) => return new == own,
        (Some(_), None) => false,
        (None, _) => true,
    };
    match (call.index, index) {
        (Some(new), Some(own)) => new == *own,
        // Without an index, a name begins a new call.
        _ => same_id && (call.name.is_none() || name_is_missing),
    }
}

/// Tracks the end of a JSON object in pieces.
#[derive(Clone, Copy, Debug, Default)]
struct ObjectEnd {
    depth: u32,
    in_string: bool,
    is_escaped: bool,
    has_begun: bool,
}

impl ObjectEnd {
    const fn is_complete(&self) -> bool {
        self.has_begun && self.depth == 0
    }

    fn read(&mut self, piece: &str) {
        for byte in piece.bytes() {
            match byte {
                _ if self.is_escaped => self.is_escaped = false,
                b'\\' if self.in_string => self.is_escaped = true,
                b'"' => self.in_string = !self.in_string,
                _ if self.in_string => {}
                b'{' | b'[' => {
                    self.has_begun = true;
                    self.depth = self.depth.saturating_add(1);
                }
                b'}' | b']' => self.depth = self.depth.saturating_sub(1),
                _ => {}
            }
        }
    }
}
