//! Reasoning with its signatures, in the members that OpenRouter has added to chat completions.

use std::collections::HashMap;

use serde::{Deserialize, Serialize};

use crate::form::{Part, PartContent, Reasoning, Signature, SignatureOrigin};

/// Element of `reasoning_details`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct ReasoningDetail {
    /// Kind: `reasoning.text`, `reasoning.summary` or `reasoning.encrypted`.
    #[serde(rename = "type", default)]
    pub kind: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub summary: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub data: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub signature: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub format: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub index: Option<u32>,
}

const TEXT: &str = "reasoning.text";
const SUMMARY: &str = "reasoning.summary";
const ENCRYPTED: &str = "reasoning.encrypted";

/// Returns the family of providers that a `format` names.
fn origin(format: &str) -> Option<SignatureOrigin> {
    match format {
        _ if format.starts_with("anthropic-") => Some(SignatureOrigin::Anthropic),
        _ if format.starts_with("google-") => Some(SignatureOrigin::Gemini),
        _ if format.starts_with("openai-") || format.starts_with("azure-openai-") => {
            Some(SignatureOrigin::OpenAi)
        }
        _ => None,
    }
}

const fn format(origin: SignatureOrigin) -> &'static str {
    match origin {
        SignatureOrigin::Anthropic => "anthropic-claude-v1",
        SignatureOrigin::Gemini => "google-gemini-v1",
        SignatureOrigin::OpenAi => "openai-responses-v1",
    }
}

impl ReasoningDetail {
    /// Returns a text, or a piece of one.
    pub fn of_text(text: &str, is_summary: bool, index: u32) -> Self {
        let own = Self { kind: Self::kind(is_summary), index: Some(index), ..Self::default() };
        let text = Some(text.to_owned());
        if is_summary { Self { summary: text, ..own } } else { Self { text, ..own } }
    }

    /// Returns the signature of a text whose pieces precede it.
    pub fn of_signature(signature: &Signature, is_summary: bool, index: u32) -> Self {
        Self {
            kind: Self::kind(is_summary),
            signature: Some(signature.value.clone()),
            format: Some(format(signature.origin).to_owned()),
            index: Some(index),
            ..Self::default()
        }
    }

    /// Returns encrypted reasoning.
    pub fn of_encrypted(encrypted: &Signature, index: u32) -> Self {
        Self {
            kind: ENCRYPTED.to_owned(),
            data: Some(encrypted.value.clone()),
            format: Some(format(encrypted.origin).to_owned()),
            index: Some(index),
            ..Self::default()
        }
    }

    fn kind(is_summary: bool) -> String {
        if is_summary { SUMMARY } else { TEXT }.to_owned()
    }

    /// Returns the origin of its signature or data; `None` for a family that is not known.
    pub fn origin(&self) -> Option<SignatureOrigin> {
        // OpenRouter's default is Anthropic's format.
        self.format.as_deref().map_or(Some(SignatureOrigin::Anthropic), origin)
    }

    /// Returns the signature of its text, if it has one of a known family.
    pub fn signature(&self) -> Option<Signature> {
        let value = self.signature.clone().filter(|value| !value.is_empty())?;
        Some(Signature { origin: self.origin()?, value })
    }

    /// Returns the encrypted reasoning, if it is of a known family.
    pub fn encrypted(&self) -> Option<Signature> {
        let value = self.data.clone().filter(|value| self.kind == ENCRYPTED && !value.is_empty())?;
        Some(Signature { origin: self.origin()?, value })
    }

    pub fn is_summary(&self) -> bool {
        self.kind == SUMMARY
    }

    /// Returns the text or the summary.
    pub fn text(&self) -> &str {
        let text = if self.is_summary() { &self.summary } else { &self.text };
        text.as_deref().unwrap_or_default()
    }

    /// Returns whether it has a signature or data that no known family can read.
    pub fn is_foreign(&self) -> bool {
        self.origin().is_none() && (self.signature.is_some() || self.data.is_some())
    }

    /// Returns the id of the call that it signs, if it is Google's: OpenRouter writes its signatures
    /// of calls as encrypted reasoning.
    pub fn google_call_id(&self) -> Option<&str> {
        let is_google = self.origin() == Some(SignatureOrigin::Gemini) && self.kind == ENCRYPTED;
        self.id.as_deref().filter(|_| is_google)
    }

    /// Returns the part that it stands for; `None` if it is empty.
    fn part(&self) -> Option<Part> {
        let (signature, encrypted) = (self.signature(), self.encrypted());
        if self.text().is_empty() && signature.is_none() && encrypted.is_none() {
            return None;
        }
        let (text, id) = (self.text().to_owned(), self.id.clone());
        let reasoning = Reasoning { text, is_summary: self.is_summary(), encrypted, id };
        Some(Part { signature, ..Part::new(PartContent::Reasoning(reasoning)) })
    }

    /// Returns whether it is a further piece of a text: clients may return the pieces of a stream.
    fn continues(&self, earlier: &Self) -> bool {
        self.kind != ENCRYPTED
            && self.kind == earlier.kind
            && self.index.is_some()
            && self.index == earlier.index
            && earlier.signature.is_none()
    }

    /// Returns whether it is the encrypted form of a reasoning whose text precedes it.
    fn belongs_to(&self, earlier: &Self) -> bool {
        let same_item = match (&self.id, &earlier.id) {
            (Some(own), Some(other)) => own == other,
            _ => self.index == earlier.index || earlier.is_summary(),
        };
        self.kind == ENCRYPTED
            && earlier.kind != ENCRYPTED
            && same_item
            && (earlier.format.is_none() || self.format == earlier.format)
    }
}

/// Returns the parts that details stand for. Encrypted reasoning that follows its own summary is one
/// part with it; Google's signatures of calls are left to [`sign_calls`].
pub(super) fn reasoning_parts(details: &[ReasoningDetail], calls: &[Part]) -> Vec<Part> {
    let ids = call_indexes(calls);
    let mut parts: Vec<Part> = Vec::new();
    let mut earlier: Option<&ReasoningDetail> = None;
    for detail in details {
        if signed_call(detail, &ids).is_some() {
            continue;
        }
        let last = parts.last_mut().and_then(|part| match &mut part.content {
            PartContent::Reasoning(last) => Some((last, &mut part.signature)),
            _ => None,
        });
        match last.zip(earlier) {
            Some(((last, signature), earlier)) if detail.continues(earlier) => {
                last.text.push_str(detail.text());
                *signature = detail.signature();
            }
            Some(((last, _), earlier)) if detail.belongs_to(earlier) => {
                last.encrypted = detail.encrypted();
                last.id = last.id.take().or_else(|| detail.id.clone());
            }
            _ => parts.extend(detail.part()),
        }
        earlier = Some(detail);
    }
    parts
}

/// Sets the signatures of calls that are among the details, by the ids of the calls.
pub(super) fn sign_calls(details: &[ReasoningDetail], calls: &mut [Part]) {
    let ids: HashMap<String, usize> =
        call_indexes(calls).into_iter().map(|(id, index)| (id.to_owned(), index)).collect();
    for detail in details {
        let index = detail.google_call_id().and_then(|id| ids.get(id));
        if let Some(call) = index.and_then(|index| calls.get_mut(*index)) {
            call.signature = call.signature.take().or_else(|| detail.encrypted());
        }
    }
}

/// Returns the index of the call that a detail signs.
fn signed_call(detail: &ReasoningDetail, ids: &HashMap<&str, usize>) -> Option<usize> {
    let id = detail.google_call_id()?;
    detail.encrypted()?;
    ids.get(id).copied()
}

/// Returns the indexes of calls by their ids.
fn call_indexes(calls: &[Part]) -> HashMap<&str, usize> {
    let indexes = calls.iter().enumerate().filter_map(|(index, part)| match &part.content {
        PartContent::ToolCall(call) => Some((call.id.as_str(), index)),
        _ => None,
    });
    indexes.collect()
}

/// Returns the details that stand for a part: one for its text and signature, one for its encrypted
/// form. `index` is that of the part among the reasoning of its message.
pub(super) fn details_of(
    reasoning: &Reasoning,
    signature: Option<&Signature>,
    index: u32,
) -> impl Iterator<Item = ReasoningDetail> {
    let Reasoning { text, is_summary, encrypted, id } = reasoning;
    let with_id = |detail| ReasoningDetail { id: id.clone(), ..detail };
    let readable = (!text.is_empty() || signature.is_some()).then(|| {
        let detail = ReasoningDetail::of_text(text, *is_summary, index);
        let origin = signature.or(encrypted.as_ref()).map(|signature| signature.origin);
        ReasoningDetail {
            signature: signature.map(|signature| signature.value.clone()),
            format: origin.map(|origin| format(origin).to_owned()),
            ..detail
        }
    });
    let encrypted = encrypted.as_ref().map(|encrypted| ReasoningDetail::of_encrypted(encrypted, index));
    readable.into_iter().chain(encrypted).map(with_id)
}

/// Google's members of a call or a message in its own chat completions.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct ExtraContent {
    #[serde(default)]
    pub google: GoogleContent,
}

/// Google's part of an [`ExtraContent`].
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct GoogleContent {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub thought_signature: Option<String>,
}

impl ExtraContent {
    /// Returns the members for a signature; `None` if it is not Google's.
    pub fn of(signature: &Signature) -> Option<Self> {
        let is_own = signature.origin == SignatureOrigin::Gemini;
        let google = GoogleContent { thought_signature: Some(signature.value.clone()) };
        is_own.then_some(Self { google })
    }

    /// Returns the signature, if there is one.
    pub fn signature(self) -> Option<Signature> {
        let value = self.google.thought_signature.filter(|value| !value.is_empty())?;
        Some(Signature { origin: SignatureOrigin::Gemini, value })
    }
}
