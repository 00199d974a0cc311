//! The content of a request, for policies that were granted it, and its shape,
//! for those that orchestrate.

use crate::model::Modalities;

mod size;

pub use size::{ContentSize, PIECE_BYTES, escaped_len, tokens_of_text};

/// A part of a message: where it is and what, but not what it says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ContentPart {
    /// The message, the oldest being 0.
    pub message: usize,
    /// The part of that message, counted from 0.
    pub part: usize,
    /// One kind, or none where it is unknown.
    pub kind: Modalities,
    /// Bytes of a text, or of what is in the request itself, as it is encoded there.
    pub bytes: usize,
}

/// Read access to a request's messages. Implementations may decode the request
/// on the first call; without a grant there is no call.
pub trait Prompt: Send + Sync {
    /// Messages in the conversation, system messages included.
    fn message_count(&self) -> usize;
    /// The role of a message; `None` past the end.
    fn role(&self, message: usize) -> Option<&str>;
    /// The text parts of a message joined by line ends; `None` past the end.
    fn text(&self, message: usize) -> Option<&str>;
    /// The names of the tools that the request offers.
    fn tool_names(&self) -> &[String];
    /// The parts of all messages, by message and part.
    fn parts(&self) -> &[ContentPart];
    /// The text of one part; `None` where there is no text.
    fn part_text(&self, message: usize, part: usize) -> Option<&str>;

    /// Size of all messages with only parts of these kinds. The pieces are all
    /// that have to be walked for it, whatever their kind.
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

    /// Size of one part, or of bytes `from..to` of its text. `None` where there is
    /// no such part, no such text, or an end is inside a character.
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

/// A request without content: what a policy is probed with.
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
