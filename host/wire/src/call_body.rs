//! Body of a call of a provider: bytes in memory, and uploads that are not.

use std::fmt;
use std::io;
use std::sync::Arc;

use bytes::{Bytes, BytesMut};

/// Bytes that are read in one step.
const READ_BYTES: usize = 64 * 1024;

/// Content that is stored outside of the memory, such as an uploaded file.
pub trait StoredContent: fmt::Debug + Send + Sync {
    /// Returns the number of bytes.
    fn size(&self) -> u64;

    /// Reads bytes from an offset on, and returns their number, which is 0 only at the end. Blocks.
    ///
    /// # Errors
    /// Fails if the storage does.
    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> io::Result<usize>;
}

/// Piece of a body.
#[derive(Clone, Debug)]
pub enum BodyPiece {
    /// Bytes in memory.
    Bytes(Bytes),
    /// Content that is read while it is sent.
    Stored(Arc<dyn StoredContent>),
}

/// Body of a call. Clones share the content.
#[derive(Clone)]
pub enum CallBody {
    /// Bytes in memory, in pieces that are sent one after the other.
    Memory(Vec<Bytes>),
    /// Pieces of which some are stored.
    Stored(Vec<BodyPiece>),
}

impl BodyPiece {
    /// Returns the number of bytes.
    pub fn size(&self) -> u64 {
        match self {
            Self::Bytes(bytes) => bytes.len() as u64,
            Self::Stored(content) => content.size(),
        }
    }

    /// Reads the bytes from an offset on, as many as are sent in one step; none at the end. Blocks
    /// if they are stored.
    ///
    /// # Errors
    /// Fails if stored content cannot be read, or ends early.
    pub fn read(&self, offset: u64) -> io::Result<Bytes> {
        match self {
            Self::Bytes(bytes) => {
                let at = usize::try_from(offset).unwrap_or(usize::MAX).min(bytes.len());
                Ok(bytes.slice(at..))
            }
            Self::Stored(content) => {
                let left = content.size().saturating_sub(offset);
                let mut buffer =
                    BytesMut::zeroed(usize::try_from(left).unwrap_or(READ_BYTES).min(READ_BYTES));
                let read = if buffer.is_empty() { 0 } else { content.read_at(offset, &mut buffer)? };
                if read == 0 && left > 0 {
                    return Err(io::ErrorKind::UnexpectedEof.into());
                }
                buffer.truncate(read);
                Ok(buffer.freeze())
            }
        }
    }
}

impl CallBody {
    /// Returns the number of bytes.
    pub fn size(&self) -> u64 {
        match self {
            Self::Memory(pieces) => pieces.iter().map(|piece| piece.len() as u64).sum(),
            Self::Stored(pieces) => pieces.iter().map(BodyPiece::size).sum(),
        }
    }

    /// Returns the whole body, which the caller has found to be small enough. Blocks if some of it is
    /// stored.
    ///
    /// # Errors
    /// Fails if stored content cannot be read.
    pub fn to_bytes(&self) -> io::Result<Bytes> {
        let pieces = match self {
            Self::Memory(pieces) => return Ok(pieces.concat().into()),
            Self::Stored(pieces) => pieces,
        };
        let mut whole = BytesMut::new();
        for piece in pieces {
            let mut at = 0;
            while at < piece.size() {
                let read = piece.read(at)?;
                at += read.len() as u64;
                whole.extend_from_slice(&read);
            }
        }
        Ok(whole.freeze())
    }
}

impl From<Vec<Bytes>> for CallBody {
    fn from(pieces: Vec<Bytes>) -> Self {
        Self::Memory(pieces)
    }
}

impl From<Bytes> for CallBody {
    fn from(body: Bytes) -> Self {
        Self::Memory(vec![body])
    }
}

impl fmt::Debug for CallBody {
    /// Omits the content, which must not reach a log.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "CallBody({} bytes)", self.size())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug)]
    struct InPieces(Vec<u8>);

    impl StoredContent for InPieces {
        fn size(&self) -> u64 {
            self.0.len() as u64
        }

        fn read_at(&self, offset: u64, buffer: &mut [u8]) -> io::Result<usize> {
            let rest = &self.0[offset as usize..];
            let read = rest.len().min(buffer.len()).min(3);
            buffer[..read].copy_from_slice(&rest[..read]);
            Ok(read)
        }
    }

    /// Storage that has lost its end.
    #[derive(Debug)]
    struct Cut;

    impl StoredContent for Cut {
        fn size(&self) -> u64 {
            10
        }

        fn read_at(&self, _: u64, _: &mut [u8]) -> io::Result<usize> {
            Ok(0)
        }
    }

    #[test]
    fn stored_content_is_read_in_the_order_of_the_pieces() {
        let body = CallBody::Stored(vec![
            BodyPiece::Bytes(Bytes::from_static(b"a form: ")),
            BodyPiece::Stored(Arc::new(InPieces(b"its file".to_vec()))),
            BodyPiece::Bytes(Bytes::from_static(b", the end")),
        ]);
        assert_eq!(body.size(), 25);
        assert_eq!(body.to_bytes().unwrap(), "a form: its file, the end");
    }

    #[test]
    fn content_that_ends_early_is_an_error() {
        let body = CallBody::Stored(vec![BodyPiece::Stored(Arc::new(Cut))]);
        assert_eq!(body.to_bytes().unwrap_err().kind(), io::ErrorKind::UnexpectedEof);
    }
}
