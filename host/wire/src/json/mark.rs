//! The byte order mark that some clients write before JSON.

use bytes::{Buf, Bytes};

use super::{JsonError, Problem};

/// U+FEFF in UTF-8.
const MARK: &[u8] = b"\xef\xbb\xbf";

/// Removes the byte order mark at the start of a document that arrives in chunks. RFC 8259
/// lets a reader ignore it, and forbids to send one.
#[derive(Debug, Default)]
pub(crate) struct LeadingMark {
    /// Bytes of it that were removed; all of them once the document has begun.
    removed: usize,
}

impl LeadingMark {
    /// Removes what this chunk holds of the mark. No JSON begins with a part of it.
    pub fn remove_from(&mut self, chunk: &mut Bytes) -> Result<(), JsonError> {
        while let (Some(expected), Some(byte)) = (MARK.get(self.removed), chunk.first()) {
            if byte == expected {
                chunk.advance(1);
                self.removed += 1;
            } else if self.removed == 0 {
                self.removed = MARK.len();
            } else {
                return Err(JsonError { offset: 0, problem: Problem::Expected("a value") });
            }
        }
        Ok(())
    }
}
