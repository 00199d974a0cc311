use pointsman_domain::model::Modalities;
use pointsman_domain::plan::{ComposedPart, ContentRef};

use super::{ChatRequest, Outputs};
use crate::json::{Span, unescape};

/// What a policy's parts refer to.
#[derive(Clone, Copy)]
pub(super) struct Content<'a> {
    pub request: &'a ChatRequest,
    pub outputs: &'a Outputs,
}

/// What a part comes to.
pub(super) enum Resolved<'a> {
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

impl<'a> Content<'a> {
    /// What a part is; `None` where there is nothing.
    pub fn resolve(&self, part: &'a ComposedPart) -> Option<Resolved<'a>> {
        match part {
            ComposedPart::Text(text) => Some(Resolved::Text(text)),
            ComposedPart::Output(output) if self.outputs.text(output.task).is_some() => {
                Some(Resolved::Output(output.task))
            }
            ComposedPart::Output(output) => output.otherwise.as_deref().map(Resolved::Text),
            ComposedPart::Original(place) => self.original(place),
        }
    }

    fn original(&self, place: &ContentRef) -> Option<Resolved<'a>> {
        let ContentRef { message, part, excerpt } = *place;
        if let Some(range) = excerpt {
            let (span, _) = self.request.texts.excerpt(&self.request.body, (message, part), range)?;
            return Some(Resolved::Written(span));
        }
        let part = self.request.texts.part(message, part)?;
        Some(match part.kind == Modalities::TEXT {
            true => Resolved::Written(part.text.span()),
            false => Resolved::Media(part.whole.span()),
        })
    }

    /// Returns whether a part comes to an empty text.
    pub fn is_empty(&self, part: &Resolved<'_>) -> bool {
        match part {
            Resolved::Text(text) => text.is_empty(),
            Resolved::Output(task) => self.outputs.text(*task).is_none_or(str::is_empty),
            Resolved::Written(span) => span.is_empty(),
            Resolved::Media(_) => false,
        }
    }

    /// The texts of parts, one after the other.
    pub fn text(&self, parts: &'a [ComposedPart]) -> String {
        let mut text = String::new();
        for part in parts {
            match self.resolve(part) {
                Some(Resolved::Text(piece)) => text.push_str(piece),
                Some(Resolved::Output(task)) => text.push_str(self.outputs.text(task).unwrap_or_default()),
                Some(Resolved::Written(span)) => text.push_str(&unescape(&self.request.body.bytes(span))),
                Some(Resolved::Media(_)) | None => {}
            }
        }
        text
    }
}
