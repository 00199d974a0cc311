use pointsman_domain::model::Modalities;
use pointsman_domain::plan::{ComposedPart, ContentRef};

use super::{ChatRequest, TaskOutputs};
use crate::json::{Span, unescape};

/// What a policy's parts refer to.
#[derive(Clone, Copy)]
pub(super) struct TaskContent<'a> {
    pub request: &'a ChatRequest,
    pub outputs: &'a TaskOutputs,
}

/// What a part comes to.
pub(super) enum ResolvedPart<'a> {
    /// A text to be written.
    Text(&'a str),
    /// The output of this task.
    Output(usize),
    /// A text of the client's, as it is written in the request: the place
    /// between its quotes.
    Written(Span),
    /// A part of the client's that is no text: the place of its JSON.
    Media(Span),
}

impl<'a> TaskContent<'a> {
    /// What a part is; `None` where there is nothing.
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

    /// Returns whether a part comes to an empty text.
    pub fn is_empty(&self, part: &ResolvedPart<'_>) -> bool {
        match part {
            ResolvedPart::Text(text) => text.is_empty(),
            ResolvedPart::Output(task) => self.outputs.text(*task).is_none_or(str::is_empty),
            ResolvedPart::Written(span) => span.is_empty(),
            ResolvedPart::Media(_) => false,
        }
    }

    /// The texts of parts, one after the other.
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
