//! Parts of one message.

use super::super::model_family::ModelFamily;
use super::media::Media;
use super::part::{PartData, RequestPart};
use crate::form::{
    Document, DocumentContent, Losses, MediaSource, MessageRole, Part, PartContent, Reasoning, Signature,
    SignatureOrigin,
};

/// Signature that models of the third generation accept for a call whose own is not known, such as
/// one that another model made.
const PLACEHOLDER_SIGNATURE: &str = "skip_thought_signature_validator";

/// Renders the parts of one message.
pub(super) struct MessageRenderer<'a, 'l> {
    role: MessageRole,
    pub(super) family: ModelFamily,
    pub(super) losses: &'l mut Losses,
    pub(super) parts: Vec<RequestPart<'a>>,
    /// Signature of the part that follows, if that is a call.
    pending: Option<&'a str>,
}

impl<'a, 'l> MessageRenderer<'a, 'l> {
    /// A message without parts.
    pub(super) const fn new(role: MessageRole, family: ModelFamily, losses: &'l mut Losses) -> Self {
        Self { role, family, losses, parts: Vec::new(), pending: None }
    }

    /// Renders the next part, which has a path in the request.
    pub(super) fn push(&mut self, part: &'a Part, path: &str) {
        if part.cache.is_some() {
            self.losses.advisory(format!("{path}.cache_control"));
        }
        let signature = self.own_signature(part.signature.as_ref(), path);
        if !matches!(part.content, PartContent::ToolCall(_)) {
            self.flush_pending();
        }
        match &part.content {
            PartContent::Text { text, citations } => {
                if !citations.is_empty() {
                    self.losses.advisory(format!("{path}.citations"));
                }
                self.push_text(text, signature);
            }
            PartContent::Refusal(text) => self.push_text(text, signature),
            PartContent::Reasoning(reasoning) => self.push_reasoning(reasoning, signature, path),
            PartContent::ToolCall(call) => {
                let pending = self.pending.take();
                self.parts.push(RequestPart::call(call, signature.or(pending)));
            }
            PartContent::Provider(part) if part.origin == SignatureOrigin::Gemini => {
                self.parts.push(RequestPart::AsWritten(&part.value));
            }
            PartContent::Provider(part) => self.losses.record(path, part.weight),
            PartContent::ToolResult(result) => self.push_result(result, path),
            // Instructions are texts.
            _ if matches!(self.role, MessageRole::System | MessageRole::Developer) => {
                self.losses.binding(path);
            }
            PartContent::Image { source, detail } => {
                if detail.as_ref().is_some_and(|detail| detail != "auto") {
                    self.losses.advisory(format!("{path}.detail"));
                }
                self.push_media(source, "image", signature, path);
            }
            PartContent::Audio(source) => self.push_media(source, "audio", signature, path),
            PartContent::Video(source) => self.push_media(source, "video", signature, path),
            PartContent::Document(document) => self.push_document(document, path),
        }
    }

    /// Returns a signature that this API made, and records one of another.
    fn own_signature(&mut self, signature: Option<&'a Signature>, path: &str) -> Option<&'a str> {
        let signature = signature?;
        if is_foreign(signature) {
            self.losses.advisory(format!("{path}.signature"));
            return None;
        }
        Some(&signature.value)
    }

    /// Appends a text. The API rejects an empty one unless it has a signature.
    fn push_text(&mut self, text: &'a str, signature: Option<&'a str>) {
        if !text.is_empty() || signature.is_some() {
            self.parts.push(RequestPart::signed(PartData::Text(text.into()), signature));
        }
    }

    /// Appends reasoning. A signature without a text belongs to the call next to it: APIs that have
    /// no place for it at the call have it beside.
    fn push_reasoning(&mut self, reasoning: &'a Reasoning, signature: Option<&'a str>, path: &str) {
        if reasoning.text.is_empty() && reasoning.encrypted.as_ref().is_some_and(is_foreign) {
            return self.losses.advisory(path);
        }
        let encrypted = self.own_signature(reasoning.encrypted.as_ref(), path);
        let mut signature = signature;
        if !reasoning.text.is_empty() {
            self.parts.push(RequestPart::thought(&reasoning.text, signature.take()));
        }
        let Some(encrypted) = encrypted.or(signature) else { return };
        match self.parts.last_mut().and_then(RequestPart::call_signature_mut) {
            Some(slot @ None) => *slot = Some(encrypted),
            _ => self.pending = Some(encrypted),
        }
    }

    /// Appends a signature that belongs to no call: it is that of an empty text.
    fn flush_pending(&mut self) {
        if let Some(signature) = self.pending.take() {
            self.parts.push(RequestPart::signed(PartData::Text("".into()), Some(signature)));
        }
    }

    fn push_media(&mut self, source: &'a MediaSource, kind: &str, signature: Option<&'a str>, path: &str) {
        match Media::of(source, kind) {
            Some(media) => self.parts.push(RequestPart::signed(PartData::Media(media), signature)),
            None => self.losses.binding(path),
        }
    }

    fn push_document(&mut self, document: &'a Document, path: &str) {
        self.record_labels(document, path);
        if let Some(context) = &document.context {
            self.push_text(context, None);
        }
        match &document.content {
            DocumentContent::Media(source) => self.push_media(source, "", None, path),
            DocumentContent::Text(text) => self.push_text(text, None),
            DocumentContent::Parts(parts) => {
                for (at, part) in parts.iter().enumerate() {
                    let path = format!("{path}.content[{at}]");
                    match &part.content {
                        PartContent::Text { text, .. } => self.push_text(text, None),
                        PartContent::Image { source, .. } => self.push_media(source, "image", None, &path),
                        _ => self.losses.binding(path),
                    }
                }
            }
        }
    }

    /// Records what a document has beside its content and its context.
    pub(super) fn record_labels(&mut self, document: &Document, path: &str) {
        let labels = [
            (document.title.is_some(), "title"),
            (document.with_citations, "citations"),
            (document.search_source.is_some(), "source"),
        ];
        for (_, label) in labels.into_iter().filter(|(is_stated, _)| *is_stated) {
            self.losses.advisory(format!("{path}.{label}"));
        }
    }

    /// Returns the parts. In a turn of the model the first call needs a signature.
    pub(super) fn finish(mut self) -> Vec<RequestPart<'a>> {
        self.flush_pending();
        if self.role == MessageRole::Assistant
            && self.family.is_third_generation
            && let Some(slot @ None) = self.parts.iter_mut().find_map(RequestPart::call_signature_mut)
        {
            *slot = Some(PLACEHOLDER_SIGNATURE);
        }
        self.parts
    }
}

/// Returns whether another API made a signature.
fn is_foreign(signature: &Signature) -> bool {
    signature.origin != SignatureOrigin::Gemini
}
