use pointsman_domain::model::Modalities;
use pointsman_domain::plan::{ContentRef, Part};

use super::{ChatRequest, Outputs};
use crate::json::{Span, unescape, written_len};

/// What a policy's parts refer to.
#[derive(Clone, Copy)]
pub(super) struct Content<'a, 'text> {
    pub request: &'a ChatRequest,
    pub outputs: Outputs<'a, 'text>,
}

/// What a part comes to.
pub(super) enum Resolved<'a> {
    /// A text to be written.
    Text(&'a str),
    /// A text of the client's, as it is written in the request: the place
    /// between its quotes.
    Written {
        span: Span,
        /// Bytes of the text itself.
        decoded_len: usize,
    },
    /// A part of the client's that is no text: the place of its JSON.
    Media { span: Span, tokens: u64 },
}

impl<'a, 'text: 'a> Content<'a, 'text> {
    /// What a part is; `None` where there is nothing.
    pub fn resolve(&self, part: &'a Part) -> Option<Resolved<'a>> {
        match part {
            Part::Text(text) => Some(Resolved::Text(text)),
            Part::Output(output) => {
                let text = (self.outputs)(output.task).or(output.otherwise.as_deref())?;
                Some(Resolved::Text(text))
            }
            Part::Original(place) => self.original(place),
        }
    }

    fn original(&self, place: &ContentRef) -> Option<Resolved<'a>> {
        let part = self.request.texts.part(place.message, place.part)?;
        let is_text = part.kind == Modalities::TEXT;
        match place.excerpt {
            Some((from, to)) if is_text => {
                let span = part.text.span();
                let written = self.request.body.copy(span.clone());
                let start = span.start + written_len(&written, from)?;
                let end = span.start + written_len(&written, to)?;
                Some(Resolved::Written { span: start..end, decoded_len: to.checked_sub(from)? })
            }
            Some(_) => None,
            None if is_text => {
                Some(Resolved::Written { span: part.text.span(), decoded_len: part.bytes as usize })
            }
            None => Some(Resolved::Media { span: part.whole.span(), tokens: u64::from(part.media_tokens) }),
        }
    }

    /// The texts of parts, one after the other.
    pub fn text(&self, parts: &'a [Part]) -> String {
        let mut text = String::new();
        for part in parts {
            match self.resolve(part) {
                Some(Resolved::Text(piece)) => text.push_str(piece),
                Some(Resolved::Written { span, .. }) => {
                    text.push_str(&unescape(&self.request.body.copy(span)));
                }
                Some(Resolved::Media { .. }) | None => {}
            }
        }
        text
    }
}
