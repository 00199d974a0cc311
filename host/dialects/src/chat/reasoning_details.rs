//! Reasoning with its signatures, in the members that OpenRouter has added to chat completions.

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
    /// Returns the origin of its signature or data; `None` for a family that is not known.
    pub fn origin(&self) -> Option<SignatureOrigin> {
        self.format.as_deref().and_then(origin)
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

    /// Returns whether it is the encrypted form of a reasoning whose text precedes it.
    fn belongs_to(&self, earlier: &Self) -> bool {
        let same_item = match (&self.id, &earlier.id) {
            (Some(own), Some(other)) => own == other,
            _ => self.index == earlier.index || earlier.is_summary(),
        };
        self.kind == ENCRYPTED && earlier.kind != ENCRYPTED && same_item && self.format == earlier.format
    }
}

/// Returns the parts that details stand for. Encrypted reasoning that follows its own summary is one
/// part with it; Google's signatures of calls are left to [`sign_calls`].
pub(super) fn reasoning_parts(details: &[ReasoningDetail], calls: &[Part]) -> Vec<Part> {
    let mut parts: Vec<Part> = Vec::new();
    let mut earlier: Option<&ReasoningDetail> = None;
    for detail in details {
        if signed_call(detail, calls).is_some() {
            continue;
        }
        let last = parts.last_mut().map(|part| &mut part.content);
        if let (Some(PartContent::Reasoning(last)), Some(before)) = (last, earlier)
            && detail.belongs_to(before)
        {
            last.encrypted = detail.encrypted();
            last.id = last.id.take().or_else(|| detail.id.clone());
        } else if !detail.text().is_empty() || detail.signature().is_some() || detail.encrypted().is_some() {
            let reasoning = Reasoning {
                text: detail.text().to_owned(),
                is_summary: detail.is_summary(),
                encrypted: detail.encrypted(),
                id: detail.id.clone(),
            };
            let part = Part::new(PartContent::Reasoning(reasoning));
            parts.push(Part { signature: detail.signature(), ..part });
        }
        earlier = Some(detail);
    }
    parts
}

/// Sets the signatures of calls that are among the details, by the ids of the calls.
pub(super) fn sign_calls(details: &[ReasoningDetail], calls: &mut [Part]) {
    for detail in details {
        if let Some(index) = signed_call(detail, calls)
            && let Some(call) = calls.get_mut(index)
        {
            call.signature = call.signature.take().or_else(|| detail.encrypted());
        }
    }
}

/// Returns the index of the call that a detail signs.
fn signed_call(detail: &ReasoningDetail, calls: &[Part]) -> Option<usize> {
    let id = detail.id.as_ref().filter(|_| detail.origin() == Some(SignatureOrigin::Gemini))?;
    detail.encrypted()?;
    calls.iter().position(|part| matches!(&part.content, PartContent::ToolCall(call) if call.id == *id))
}

/// Returns the details that stand for a part: one for its text and signature, one for its encrypted
/// form. `index` is that of the part among the reasoning of its message.
pub(super) fn details_of(
    reasoning: &Reasoning,
    signature: Option<&Signature>,
    index: u32,
) -> impl Iterator<Item = ReasoningDetail> {
    let Reasoning { text, is_summary, encrypted, id } = reasoning;
    let origin = signature.or(encrypted.as_ref()).map(|signature| signature.origin);
    let common = ReasoningDetail {
        id: id.clone(),
        format: origin.map(|origin| format(origin).to_owned()),
        index: Some(index),
        ..ReasoningDetail::default()
    };
    let readable = (!text.is_empty() || signature.is_some()).then(|| {
        let (text, summary) = if *is_summary { (None, Some(text)) } else { (Some(text), None) };
        ReasoningDetail {
            kind: if *is_summary { SUMMARY } else { TEXT }.to_owned(),
            text: text.cloned(),
            summary: summary.cloned(),
            signature: signature.map(|signature| signature.value.clone()),
            ..common.clone()
        }
    });
    let encrypted = encrypted.as_ref().map(|encrypted| encrypted_detail(encrypted, common));
    readable.into_iter().chain(encrypted)
}

/// Returns the detail of encrypted reasoning.
pub(super) fn encrypted_detail(encrypted: &Signature, common: ReasoningDetail) -> ReasoningDetail {
    ReasoningDetail {
        kind: ENCRYPTED.to_owned(),
        data: Some(encrypted.value.clone()),
        format: Some(format(encrypted.origin).to_owned()),
        ..common
    }
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
