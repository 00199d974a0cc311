//! Parsing of items of the output.

use serde::Deserialize;
use serde_json::value::RawValue;

use crate::form::{
    LossWeight, MediaSource, Part, PartContent, ProviderPart, Reasoning, Signature, SignatureOrigin,
    ToolCall, ToolInput,
};
use crate::responses::annotation;
use crate::responses::offered_tools::{SEARCH_TOOL, common_name};
use crate::responses::signed_content::{SignedContent, SignedPart};

/// Part of an answer, or a signature that belongs to an earlier one.
#[derive(Debug)]
pub(super) enum AnswerPart {
    Part(Box<Part>),
    Signature(Signature, SignedPart),
}

/// Members of the items whose content the common form has.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct ItemBody<'a> {
    #[serde(rename = "type")]
    pub kind: String,
    pub id: Option<String>,
    call_id: Option<String>,
    name: Option<String>,
    namespace: Option<String>,
    execution: Option<String>,
    #[serde(borrow)]
    arguments: Option<&'a RawValue>,
    #[serde(borrow)]
    input: Option<&'a RawValue>,
    #[serde(borrow)]
    content: Option<&'a RawValue>,
    #[serde(borrow)]
    summary: Option<&'a RawValue>,
    encrypted_content: Option<String>,
    #[serde(borrow)]
    result: Option<&'a RawValue>,
    output_format: Option<String>,
}

/// Part of a message or of reasoning.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct ContentBody<'a> {
    #[serde(rename = "type")]
    pub kind: String,
    pub text: Option<String>,
    pub refusal: Option<String>,
    #[serde(borrow)]
    pub annotations: Option<Vec<&'a RawValue>>,
}

/// Returns the parts that an item has. An item of a tool that the provider ran is a part that only
/// its own family understands.
pub(super) fn parse(item: &RawValue) -> Vec<AnswerPart> {
    match ItemBody::parse(item) {
        Some(body) => body.parts(item),
        None => Vec::new(),
    }
}

impl<'a> ItemBody<'a> {
    pub fn parse(item: &'a RawValue) -> Option<Self> {
        serde_json::from_str(item.get()).ok()
    }

    /// Returns the call that the item is, with its input as far as it is there.
    pub fn call(&self) -> Option<ToolCall> {
        let name = || common_name(self.namespace.as_deref(), self.name.as_deref().unwrap_or_default());
        let (name, input) = match &*self.kind {
            "function_call" => (name(), ToolInput::Json(text(self.arguments))),
            "custom_tool_call" => (name(), ToolInput::Text(text(self.input))),
            "tool_search_call" if self.execution.as_deref() == Some("client") => {
                (SEARCH_TOOL.to_owned(), ToolInput::Json(text(self.arguments)))
            }
            _ => return None,
        };
        let id = self.call_id.clone().or_else(|| self.id.clone()).unwrap_or_default();
        Some(ToolCall { id, name, input })
    }

    /// Returns the parts of a message.
    pub fn content(&self) -> Vec<ContentBody<'a>> {
        self.content.and_then(|content| serde_json::from_str(content.get()).ok()).unwrap_or_default()
    }

    /// Returns the text of the reasoning and its summary.
    pub fn reasoning_texts(&self) -> [(bool, String); 2] {
        let joined = |value: Option<&RawValue>| {
            let parts: Option<Vec<ContentBody<'_>>> =
                value.and_then(|value| serde_json::from_str(value.get()).ok());
            let texts = parts.unwrap_or_default().into_iter().filter_map(|part| part.text);
            texts.collect::<Vec<_>>().join("\n\n")
        };
        [(false, joined(self.content)), (true, joined(self.summary))]
    }

    pub fn signed_content(&self) -> Option<SignedContent> {
        self.encrypted_content.as_deref().filter(|value| !value.is_empty()).map(SignedContent::parse)
    }

    /// Returns the image that the item is.
    pub fn image(&self) -> Option<PartContent> {
        if self.kind != "image_generation_call" {
            return None;
        }
        let data = text(self.result);
        let media_type = format!("image/{}", self.output_format.as_deref().unwrap_or("png"));
        let source = MediaSource::Base64 { media_type, data };
        Some(PartContent::Image { source, detail: None })
    }

    fn parts(&self, item: &RawValue) -> Vec<AnswerPart> {
        if let Some(call) = self.call() {
            return vec![part(Part::new(PartContent::ToolCall(call)))];
        }
        match &*self.kind {
            "message" => self.content().iter().filter_map(|content| Some(part(content.part()?))).collect(),
            "reasoning" => self.reasoning(),
            _ => vec![part(Part::new(self.image().unwrap_or_else(|| provider_part(item))))],
        }
    }

    fn reasoning(&self) -> Vec<AnswerPart> {
        let id = &self.id;
        let reasoning = |(is_summary, text)| Reasoning { text, is_summary, encrypted: None, id: id.clone() };
        let texts = self.reasoning_texts().into_iter().filter(|(_, text)| !text.is_empty());
        let mut parts: Vec<Part> =
            texts.map(|text| Part::new(PartContent::Reasoning(reasoning(text)))).collect();
        let signed = self.signed_content();
        if let Some(SignedContent { signature, target: target @ (SignedPart::Text | SignedPart::Call(_)) }) =
            signed
        {
            return vec![AnswerPart::Signature(signature, target)];
        }
        if let Some(SignedContent { signature, target }) = signed {
            if parts.is_empty() {
                parts.push(Part::new(PartContent::Reasoning(reasoning((false, String::new())))));
            }
            if let Some(Part { content: PartContent::Reasoning(reasoning), signature: own, .. }) =
                parts.last_mut()
            {
                if target == SignedPart::Encrypted {
                    reasoning.encrypted = Some(signature);
                } else {
                    *own = Some(signature);
                }
            }
        }
        parts.into_iter().map(part).collect()
    }
}

impl ContentBody<'_> {
    /// Returns the part; `None` if it is of another kind than text and refusal.
    fn part(&self) -> Option<Part> {
        match &*self.kind {
            "refusal" => Some(Part::new(PartContent::Refusal(self.refusal.clone()?))),
            _ => {
                let annotations = self.annotations.iter().flatten();
                let citations = annotations.filter_map(|value| annotation::parse(value.get())).collect();
                Some(Part::new(PartContent::Text { text: self.text.clone()?, citations }))
            }
        }
    }
}

/// Returns an item that only OpenAI's own dialects can express.
pub(super) fn provider_part(item: &RawValue) -> PartContent {
    let (origin, weight) = (SignatureOrigin::OpenAi, LossWeight::Advisory);
    PartContent::Provider(ProviderPart { origin, value: item.into(), weight })
}

fn part(part: Part) -> AnswerPart {
    AnswerPart::Part(Box::new(part))
}

/// Returns a string, or the JSON of another value.
fn text(value: Option<&RawValue>) -> String {
    let Some(value) = value else { return String::new() };
    serde_json::from_str(value.get()).unwrap_or_else(|_| value.get().to_owned())
}
