//! Content of a request, for policies with a grant to read it, and its shape, for orchestrating
//! policies.

use crate::model::Modalities;

mod size;

pub use size::{ContentSize, PIECE_BYTES, escaped_len, tokens_of_text};

/// Place, kind and size of a part of a message, without its content.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ContentPart {
    /// Message, counted from 0 at the oldest.
    pub message: usize,
    /// Part of that message, counted from 0.
    pub part: usize,
    /// Kind of content; empty if it is unknown.
    pub kind: Modalities,
    /// Encoded size in bytes of a text, or of media in the request.
    pub bytes: usize,
}

/// Read access to a request's messages. Implementations may decode the request on the first call.
/// Without a grant there is no call.
pub trait Prompt: Send + Sync {
    /// Returns the number of messages, including system messages.
    fn message_count(&self) -> usize;
    /// Returns the role of a message; `None` past the end.
    fn role(&self, message: usize) -> Option<&str>;
    /// Returns the text parts of a message, joined by line ends; `None` past the end.
    fn text(&self, message: usize) -> Option<&str>;
    /// Returns the names of the tools in the request.
    fn tool_names(&self) -> &[String];
    /// Returns the parts of all messages, ordered by message and part.
    fn parts(&self) -> &[ContentPart];
    /// Returns the text of a part; `None` if it has no text.
    fn part_text(&self, message: usize, part: usize) -> Option<&str>;

    /// Returns the size of all messages with only these kinds of parts. The pieces include all that
    /// have to be walked, whatever their kind.
    fn conversation_size(&self, kinds: Modalities) -> ContentSize {
        let mut size = ContentSize {
            messages: self.message_count() as u64,
            pieces: (self.message_count() + self.parts().len()) as u64,
            ..ContentSize::default()
        };
        for part in self.parts().iter().filter(|part| kinds.contains(part.kind)) {
            size.bytes += part.bytes as u64;
            size.text_bytes += if part.kind == Modalities::TEXT { part.bytes as u64 } else { 0 };
        }
        size
    }

    /// Returns the size of a part, or of the bytes `from..to` of its text. `None` if the part or
    /// its text does not exist, or an end splits a character.
    fn part_size(&self, message: usize, part: usize, excerpt: Option<(usize, usize)>) -> Option<ContentSize> {
        match excerpt {
            Some((from, to)) => Some(ContentSize::unwritten(self.part_text(message, part)?.get(from..to)?)),
            None => {
                let part = self.parts().iter().find(|it| (it.message, it.part) == (message, part))?;
                let bytes = part.bytes as u64;
                Some(ContentSize::text(if part.kind == Modalities::TEXT { bytes } else { 0 }, bytes))
            }
        }
    }
}

/// Request without content, for trial decisions.
#[derive(Clone, Copy, Debug, Default)]
pub struct NoPrompt;

impl Prompt for NoPrompt {
    fn message_count(&self) -> usize {
        0
    }

    fn role(&self, _: usize) -> Option<&str> {
        None
    }

    fn text(&self, _: usize) -> Option<&str> {
        None
    }

    fn tool_names(&self) -> &[String] {
        &[]
    }

    fn parts(&self) -> &[ContentPart] {
        &[]
    }

    fn part_text(&self, _: usize, _: usize) -> Option<&str> {
        None
    }
}
