//! Body of a request.

use std::convert::Infallible;
use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::{Bytes, BytesMut};
use http_body::{Body, Frame, SizeHint};

/// Longest body, in bytes, that is copied into one piece: up to this size, the copy costs less
/// than sending several pieces.
const MAX_COPIED: usize = 64 * 1024;

/// Body in pieces that are sent without a copy. Its length is known, so it is not sent with
/// chunked coding, which some servers reject.
pub(super) struct RequestBody {
    pieces: std::vec::IntoIter<Bytes>,
    left: u64,
}

impl RequestBody {
    pub(super) fn new(pieces: Vec<Bytes>) -> Self {
        let left = length(&pieces) as u64;
        Self { pieces: pieces.into_iter(), left }
    }
}

/// Copies the pieces of a short body into one.
pub(super) fn joined(mut pieces: Vec<Bytes>) -> Vec<Bytes> {
    let length = length(&pieces);
    if pieces.len() > 1 && length <= MAX_COPIED {
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

impl Body for RequestBody {
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
