//! The body of a call.

use std::convert::Infallible;
use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::{Bytes, BytesMut};
use http_body::{Body, Frame, SizeHint};

/// Up to this size a body is copied into one piece, which costs less than
/// handing over the pieces.
const COPIED: usize = 64 * 1024;

/// A body; a long one is sent from where its pieces are. Its length is known, so
/// it is not sent chunked, which some servers refuse.
pub(super) struct Pieces {
    pieces: std::vec::IntoIter<Bytes>,
    left: u64,
}

impl Pieces {
    pub(super) fn new(pieces: Vec<Bytes>) -> Self {
        let left = length(&pieces) as u64;
        Self { pieces: pieces.into_iter(), left }
    }
}

/// Puts a short body together.
pub(super) fn joined(mut pieces: Vec<Bytes>) -> Vec<Bytes> {
    let length = length(&pieces);
    if pieces.len() > 1 && length <= COPIED {
        let mut whole = BytesMut::with_capacity(length);
        pieces.iter().for_each(|piece| whole.extend_from_slice(piece));
        pieces.clear();
        pieces.push(whole.freeze());
    }
    pieces
}

fn length(pieces: &[Bytes]) -> usize {
    pieces.iter().map(Bytes::len).sum()
}

impl Body for Pieces {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        let piece = self.pieces.find(|piece| !piece.is_empty());
        self.left -= piece.as_ref().map_or(0, |piece| piece.len() as u64);
        Poll::Ready(piece.map(|piece| Ok(Frame::data(piece))))
    }

    fn is_end_stream(&self) -> bool {
        self.left == 0
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.left)
    }
}
