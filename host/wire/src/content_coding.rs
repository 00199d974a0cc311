//! Content codings: bodies that are compressed in transit (RFC 9110, section 8.4).
//!
//! A [`Decoder`] returns chunks of bounded size while a body arrives, so the limits of its caller
//! apply to decoded bytes before there are more of them, however small the encoded chunk was.
//! Bytes that a flush of the sender completed are returned at once, so an event of a compressed
//! stream is not held until the next.

mod codec;

use std::fmt;

use bytes::{Buf, Bytes};

use codec::{Codec, Progress};

/// The codings that can be decoded, as a value of `accept-encoding`.
pub const SUPPORTED: &str = "gzip, deflate, br, zstd";

/// Limit of bytes of a chunk that a decoder returns.
pub const MAX_CHUNK: usize = 16 * 1024;

/// Limit of codings of one body; more than one is unusual.
const MAX_CODINGS: usize = 4;

/// Limit of characters of an unknown coding that are quoted.
const MAX_QUOTED: usize = 40;

/// Content coding of a body.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ContentCoding {
    /// `gzip`, also called `x-gzip`.
    Gzip,
    /// `deflate`: the zlib format, or bare DEFLATE as some servers send it.
    Deflate,
    /// `br`.
    Brotli,
    /// `zstd`.
    Zstd,
}

/// Codings that cannot be decoded.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum UnsupportedCoding {
    /// Unknown coding with this name.
    #[error("the content coding {0:?} is not supported")]
    Unknown(String),
    /// More codings than the limit.
    #[error("more than {MAX_CODINGS} content codings are not supported")]
    TooMany,
}

/// Error of a body that is not what its coding says.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("its {coding} data cannot be decoded: {reason}")]
pub struct DecodeError {
    /// Stated coding of the body.
    pub coding: ContentCoding,
    /// Description of the fault.
    pub reason: String,
}

/// Decodes a body that arrives in chunks.
pub struct Decoder {
    /// One for each coding; the first decodes what arrives.
    stages: Vec<Stage>,
}

/// Decoding of one coding.
struct Stage {
    coding: ContentCoding,
    codec: Codec,
    /// Output of the previous stage that is not decoded yet.
    input: Bytes,
    scratch: Box<[u8]>,
    state: StageState,
    /// True if the codec may hold decoded bytes for which there was no room.
    has_more: bool,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum StageState {
    /// No byte has arrived.
    Empty,
    /// Inside the compressed data.
    Within,
    /// The compressed data are complete.
    Complete,
}

impl ContentCoding {
    /// Returns the name in `content-encoding`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Gzip => "gzip",
            Self::Deflate => "deflate",
            Self::Brotli => "br",
            Self::Zstd => "zstd",
        }
    }

    /// Parses a name, which is case-insensitive.
    fn parse(name: &str) -> Option<Self> {
        const NAMES: [(&str, ContentCoding); 5] = [
            ("gzip", ContentCoding::Gzip),
            ("x-gzip", ContentCoding::Gzip),
            ("deflate", ContentCoding::Deflate),
            ("br", ContentCoding::Brotli),
            ("zstd", ContentCoding::Zstd),
        ];
        NAMES.into_iter().find(|(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, coding)| coding)
    }
}

impl fmt::Display for ContentCoding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl Decoder {
    /// Returns the decoder for the values of `content-encoding`; `None` if there is nothing
    /// to decode.
    pub fn for_values<'v>(
        values: impl IntoIterator<Item = &'v [u8]>,
    ) -> Result<Option<Self>, UnsupportedCoding> {
        let mut stages = Vec::new();
        for value in values {
            for name in String::from_utf8_lossy(value).split(',').map(str::trim) {
                if name.is_empty() || name.eq_ignore_ascii_case("identity") {
                    continue;
                }
                let Some(coding) = ContentCoding::parse(name) else {
                    return Err(UnsupportedCoding::Unknown(name.chars().take(MAX_QUOTED).collect()));
                };
                if stages.len() == MAX_CODINGS {
                    return Err(UnsupportedCoding::TooMany);
                }
                stages.push(Stage::new(coding));
            }
        }
        // The last coding was applied last.
        stages.reverse();
        Ok((!stages.is_empty()).then_some(Self { stages }))
    }

    /// Returns the next decoded chunk, of at most [`MAX_CHUNK`] bytes, and removes from `chunk`
    /// the bytes that were read for it; `None` once `chunk` is used up.
    pub fn decode(&mut self, chunk: &mut Bytes) -> Result<Option<Bytes>, DecodeError> {
        decode(&mut self.stages, chunk)
    }

    /// Checks that the body was complete when it ended.
    pub fn finish(&self) -> Result<(), DecodeError> {
        match self.stages.iter().find(|stage| stage.state == StageState::Within) {
            Some(stage) => Err(stage.error("it ends too early".to_owned())),
            None => Ok(()),
        }
    }
}

impl fmt::Debug for Decoder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.stages.iter().map(|stage| stage.coding)).finish()
    }
}

fn decode(stages: &mut [Stage], chunk: &mut Bytes) -> Result<Option<Bytes>, DecodeError> {
    let Some((last, before)) = stages.split_last_mut() else {
        return Ok(None);
    };
    if before.is_empty() {
        return last.decode(chunk);
    }
    loop {
        let mut input = std::mem::take(&mut last.input);
        let piece = last.decode(&mut input)?;
        last.input = input;
        if piece.is_some() {
            return Ok(piece);
        }
        match decode(before, chunk)? {
            Some(decoded) => last.input = decoded,
            None => return Ok(None),
        }
    }
}

impl Stage {
    fn new(coding: ContentCoding) -> Self {
        Self {
            coding,
            codec: Codec::new(coding),
            input: Bytes::new(),
            scratch: vec![0; MAX_CHUNK].into(),
            state: StageState::Empty,
            has_more: false,
        }
    }

    fn decode(&mut self, input: &mut Bytes) -> Result<Option<Bytes>, DecodeError> {
        while self.has_more || !input.is_empty() {
            if self.state == StageState::Complete && !input.is_empty() && !self.begin_again(input) {
                // Bytes after the data are ignored, as clients do.
                input.clear();
                return Ok(None);
            }
            let step = self.codec.run(input, &mut self.scratch);
            let Progress { read, written, is_complete } = step.map_err(|reason| self.error(reason))?;
            let is_stuck = read == 0 && written == 0 && !is_complete;
            if is_stuck && !input.is_empty() {
                return Err(self.error("the data make no progress".to_owned()));
            }
            input.advance(read);
            self.has_more = written == self.scratch.len() && !is_complete;
            self.state = if is_complete { StageState::Complete } else { StageState::Within };
            if written > 0 {
                return Ok(Some(Bytes::copy_from_slice(&self.scratch[..written])));
            }
            if is_stuck {
                return Ok(None);
            }
        }
        Ok(None)
    }

    /// Starts over if the coding allows further data after the end, and the input is such data.
    fn begin_again(&mut self, input: &[u8]) -> bool {
        let is_next = match self.coding {
            ContentCoding::Gzip => input.first() == Some(&0x1f),
            // Its decoder expects another frame.
            ContentCoding::Zstd => true,
            ContentCoding::Deflate | ContentCoding::Brotli => false,
        };
        if self.coding == ContentCoding::Gzip && is_next {
            self.codec = Codec::new(self.coding);
        }
        is_next
    }

    fn error(&self, reason: String) -> DecodeError {
        DecodeError { coding: self.coding, reason }
    }
}

#[cfg(test)]
mod tests;
