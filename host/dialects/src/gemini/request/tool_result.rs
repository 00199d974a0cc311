//! Results of tools.

use super::media::Media;
use super::message::MessageRenderer;
use super::part::{FunctionResponse, JsonObject, PartData, RequestPart};
use crate::form::{DocumentContent, Part, PartContent, ToolResult};

/// Content of a result.
#[derive(Default)]
struct ResultContent<'a> {
    texts: Vec<&'a str>,
    media: Vec<Media<'a>>,
}

impl<'a> MessageRenderer<'a, '_> {
    /// Renders the result of a tool. Media are within the result where the model accepts that, and
    /// follow it otherwise.
    pub(super) fn push_result(&mut self, result: &'a ToolResult, path: &str) {
        let mut content = ResultContent::default();
        for (at, part) in result.content.iter().enumerate() {
            self.collect(part, &format!("{path}.content[{at}]"), &mut content);
        }
        let ResultContent { texts, media } = content;
        let response = match &*texts {
            [] if !media.is_empty() && !result.is_error => JsonObject::Empty {},
            [] => JsonObject::of_result("".into(), result.is_error),
            [text] => JsonObject::of_result((*text).into(), result.is_error),
            texts => JsonObject::of_result(texts.join("\n").into(), result.is_error),
        };
        let is_within = self.family.is_third_generation;
        let (parts, beside): (Vec<_>, Vec<_>) =
            media.into_iter().partition(|media| is_within && media.is_inline());
        // A result of a call that is not in the conversation has no name; the API requires one.
        let name = result.tool_name.as_deref().filter(|name| !name.is_empty()).unwrap_or("unknown");
        let response = FunctionResponse { id: &result.call_id, name, response, parts };
        self.parts.push(RequestPart::new(PartData::FunctionResponse(response)));
        self.parts.extend(beside.into_iter().map(|media| RequestPart::new(PartData::Media(media))));
    }

    fn collect(&mut self, part: &'a Part, path: &str, content: &mut ResultContent<'a>) {
        if part.cache.is_some() {
            self.losses.advisory(format!("{path}.cache_control"));
        }
        let (source, kind) = match &part.content {
            PartContent::Text { text, .. } => return content.texts.push(text),
            PartContent::Image { source, .. } => (source, "image"),
            PartContent::Audio(source) => (source, "audio"),
            PartContent::Video(source) => (source, "video"),
            PartContent::Document(document) => {
                self.record_labels(document, path);
                content.texts.extend(document.context.as_deref());
                match &document.content {
                    DocumentContent::Media(source) => (source, ""),
                    DocumentContent::Text(text) => return content.texts.push(text),
                    DocumentContent::Parts(parts) => {
                        return content.texts.extend(parts.iter().filter_map(Part::as_text));
                    }
                }
            }
            PartContent::Provider(part) => return self.losses.record(path, part.weight),
            PartContent::ToolCall(_)
            | PartContent::ToolResult(_)
            | PartContent::Reasoning(_)
            | PartContent::Refusal(_) => return self.losses.binding(path),
        };
        match Media::of(source, kind) {
            Some(media) => content.media.push(media),
            None => self.losses.binding(path),
        }
    }
}
