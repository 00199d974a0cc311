//! Resolution of the parts of a policy's messages.

use pointsman_domain::model::Modalities;
use pointsman_domain::plan::{ComposedPart, ContentRef};

use super::ChatRequest;
use crate::json::{Span, unescape};
use crate::task_outputs::TaskOutputs;

/// Content that the parts of a policy's messages refer to.
#[derive(Clone, Copy)]
pub(super) struct TaskContent<'a> {
    pub request: &'a ChatRequest,
    pub outputs: &'a TaskOutputs,
}

/// Content of a part, resolved.
pub(super) enum ResolvedPart<'a> {
    /// Text of the policy.
    Text(&'a str),
    /// Output of the task with this number.
    Output(usize),
    /// Span of a text in the client's request, without its quotes.
    Written(Span),
    /// Span of the JSON of a part in the client's request that is not text.
    Media(Span),
}

impl<'a> TaskContent<'a> {
    /// Resolves a part; `None` if it refers to nothing.
    pub fn resolve(&self, part: &'a ComposedPart) -> Option<ResolvedPart<'a>> {
        match part {
            ComposedPart::Text(text) => Some(ResolvedPart::Text(text)),
            ComposedPart::Output(output) if self.outputs.text(output.task).is_some() => {
                Some(ResolvedPart::Output(output.task))
            }
            ComposedPart::Output(output) => output.otherwise.as_deref().map(ResolvedPart::Text),
            ComposedPart::Original(place) => self.original(place),
        }
    }

    fn original(&self, place: &ContentRef) -> Option<ResolvedPart<'a>> {
        let ContentRef { message, part, excerpt } = *place;
        if let Some(range) = excerpt {
            let (span, _) = self.request.index.excerpt(&self.request.body, (message, part), range)?;
            return Some(ResolvedPart::Written(span));
        }
        let part = self.request.index.part(message, part)?;
        Some(match part.kind == Modalities::TEXT {
            true => ResolvedPart::Written(part.text.span()),
            false => ResolvedPart::Media(part.whole.span()),
        })
    }

    /// Returns whether a part is an empty text.
    pub fn is_empty(&self, part: &ResolvedPart<'_>) -> bool {
        match part {
            ResolvedPart::Text(text) => text.is_empty(),
            ResolvedPart::Output(task) => self.outputs.text(*task).is_none_or(str::is_empty),
            ResolvedPart::Written(span) => span.is_empty(),
            ResolvedPart::Media(_) => false,
        }
    }

    /// Returns the texts of parts, concatenated.
    pub fn text(&self, parts: &'a [ComposedPart]) -> String {
        let mut text = String::new();
        for part in parts {
            match self.resolve(part) {
                Some(ResolvedPart::Text(piece)) => text.push_str(piece),
                Some(ResolvedPart::Output(task)) => {
                    text.push_str(self.outputs.text(task).unwrap_or_default())
                }
                Some(ResolvedPart::Written(span)) => text.push_str(&unescape(&self.request.body.bytes(span))),
                Some(ResolvedPart::Media(_)) | None => {}
            }
        }
        text
    }
}
