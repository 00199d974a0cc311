//! Size of content that goes into a model's input or an answer.

use std::ops::{Add, AddAssign};

/// Bytes that each piece counts in addition to its own, for the work and memory that even an empty
/// piece needs.
pub const PIECE_BYTES: u64 = 256;

/// Four bytes of English text are about one token (OpenAI's help pages, "What
/// are tokens"). Other alphabets take more bytes and more tokens a character.
const BYTES_PER_TOKEN: u64 = 4;
/// Tokens that a chat template adds to each message: three around it and one
/// for the role (OpenAI cookbook, "How to count tokens with tiktoken").
const TOKENS_PER_MESSAGE: u64 = 4;
/// Tokens that a chat template adds to begin the answer (same source).
const TOKENS_PER_ANSWER: u64 = 3;

/// Size of content before any of it is copied.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ContentSize {
    /// Bytes when written in JSON.
    pub bytes: u64,
    /// Messages, and parts of messages.
    pub pieces: u64,
    /// Messages.
    pub messages: u64,
    /// Bytes of text after unescaping, from which tokens are estimated.
    pub text_bytes: u64,
    /// Estimated tokens of media.
    pub media_tokens: u64,
}

impl ContentSize {
    /// Returns the size of a text that takes `written` bytes in a JSON string.
    pub const fn text(text_bytes: u64, written: u64) -> Self {
        Self { bytes: written, pieces: 1, messages: 0, text_bytes, media_tokens: 0 }
    }

    /// Returns the size of a text that is not yet written into a JSON string.
    pub fn unwritten(text: &str) -> Self {
        Self::text(text.len() as u64, escaped_len(text))
    }

    /// Returns the size of a message without its content.
    pub const fn message() -> Self {
        Self { bytes: 0, pieces: 1, messages: 1, text_bytes: 0, media_tokens: 0 }
    }

    /// Returns the bytes that count against a limit on assembled bytes: the bytes as written, and
    /// [`PIECE_BYTES`] for each piece.
    pub const fn assembled_bytes(&self) -> u64 {
        self.bytes.saturating_add(self.pieces.saturating_mul(PIECE_BYTES))
    }

    /// Returns the estimated tokens as the input of a chat.
    pub const fn input_tokens(&self) -> u64 {
        tokens_of_text(self.text_bytes)
            .saturating_add(self.messages.saturating_mul(TOKENS_PER_MESSAGE))
            .saturating_add(TOKENS_PER_ANSWER)
            .saturating_add(self.media_tokens)
    }
}

impl Add for ContentSize {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        Self {
            bytes: self.bytes.saturating_add(other.bytes),
            pieces: self.pieces.saturating_add(other.pieces),
            messages: self.messages.saturating_add(other.messages),
            text_bytes: self.text_bytes.saturating_add(other.text_bytes),
            media_tokens: self.media_tokens.saturating_add(other.media_tokens),
        }
    }
}

impl AddAssign for ContentSize {
    fn add_assign(&mut self, other: Self) {
        *self = *self + other;
    }
}

/// Returns the estimated tokens of this many bytes of UTF-8 text, rounded up.
pub const fn tokens_of_text(bytes: u64) -> u64 {
    bytes.div_ceil(BYTES_PER_TOKEN)
}

/// Returns the bytes that a text takes between the quotes of a JSON string: `"`, `\` and control
/// characters are escaped, the latter with six bytes unless they have a short form (RFC 8259,
/// section 7).
pub fn escaped_len(text: &str) -> u64 {
    let is_escaped = |byte: &u8| *byte < 0x20 || *byte == b'"' || *byte == b'\\';
    // Without a branch inside, so that it compiles to vector instructions.
    let escaped = text.as_bytes().iter().filter(|byte| is_escaped(byte)).count();
    if escaped == 0 {
        return text.len() as u64;
    }
    let has_no_short_form = |byte: &u8| *byte < 0x20 && !matches!(byte, b'\n' | b'\r' | b'\t' | 0x08 | 0x0c);
    let long = text.as_bytes().iter().filter(|byte| has_no_short_form(byte)).count();
    (text.len() + escaped + 4 * long) as u64
}
