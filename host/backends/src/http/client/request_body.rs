//! Body of a request.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::{Bytes, BytesMut};
use http_body::{Body, Frame, SizeHint};
use pointsman_wire::{BodyPiece, CallBody};
use tokio::task::JoinHandle;

/// Longest body, in bytes, that is copied into one piece: up to this size, the copy costs less
/// than sending several pieces.
const MAX_COPIED: usize = 64 * 1024;

/// Body in pieces that are sent without a copy. Its length is known, so it is not sent with
/// chunked coding, which some servers reject.
pub(super) struct RequestBody {
    pieces: Pieces,
    left: u64,
}

enum Pieces {
    Memory(std::vec::IntoIter<Bytes>),
    Stored(StoredPieces),
}

/// Pieces of which some are read from a disk while they are sent.
struct StoredPieces {
    waiting: std::vec::IntoIter<BodyPiece>,
    /// Piece that is being sent, with the number of its bytes that were read.
    current: Option<(BodyPiece, u64)>,
    reading: Option<JoinHandle<io::Result<Bytes>>>,
}

impl RequestBody {
    pub(super) fn new(body: CallBody) -> Self {
        let left = body.size();
        let pieces = match body {
            CallBody::Memory(pieces) => Pieces::Memory(pieces.into_iter()),
            CallBody::Stored(pieces) => {
                Pieces::Stored(StoredPieces { waiting: pieces.into_iter(), current: None, reading: None })
            }
        };
        Self { pieces, left }
    }
}

/// Copies the pieces of a short body into one.
pub(super) fn joined(body: CallBody) -> CallBody {
    let CallBody::Memory(mut pieces) = body else { return body };
    let length = pieces.iter().map(Bytes::len).sum();
    if pieces.len() > 1 && length <= MAX_COPIED {
        let mut whole = BytesMut::with_capacity(length);
        pieces.iter().for_each(|piece| whole.extend_from_slice(piece));
        pieces.clear();
        pieces.push(whole.freeze());
    }
    pieces.into()
}

impl StoredPieces {
    fn poll_piece(&mut self, cx: &mut Context<'_>) -> Poll<Option<io::Result<Bytes>>> {
        loop {
            if let Some(reading) = &mut self.reading {
                let read = ready!(Pin::new(reading).poll(cx)).unwrap_or_else(|error| Err(error.into()));
                self.reading = None;
                if let (Some((_, at)), Ok(read)) = (&mut self.current, &read) {
                    *at += read.len() as u64;
                }
                return Poll::Ready(Some(read));
            }
            match self.current.take() {
                Some((piece, at)) if at < piece.size() => {
                    self.current = Some((piece.clone(), at));
                    match piece {
                        BodyPiece::Bytes(bytes) => {
                            self.current = None;
                            return Poll::Ready(Some(Ok(bytes)));
                        }
                        stored @ BodyPiece::Stored(_) => {
                            self.reading = Some(tokio::task::spawn_blocking(move || stored.read(at)));
                        }
                    }
                }
                _ => match self.waiting.next() {
                    Some(piece) => self.current = Some((piece, 0)),
                    None => return Poll::Ready(None),
                },
            }
        }
    }
}

impl Body for RequestBody {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, io::Error>>> {
        let piece = match &mut self.pieces {
            Pieces::Memory(pieces) => pieces.find(|piece| !piece.is_empty()).map(Ok),
            Pieces::Stored(pieces) => ready!(pieces.poll_piece(cx)),
        };
        if let Some(Ok(piece)) = &piece {
            self.left = self.left.saturating_sub(piece.len() as u64);
        }
        Poll::Ready(piece.map(|piece| piece.map(Frame::data)))
    }

    fn is_end_stream(&self) -> bool {
        self.left == 0
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.left)
    }
}
