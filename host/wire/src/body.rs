//! Body in the chunks in which it arrived, and edits that do not copy it.

use std::fmt;
use std::ops::Range;

use bytes::{Bytes, BytesMut};

/// Length below which pieces are joined: a client that sends its body byte by byte would
/// otherwise cost a hundred times its size, since each piece keeps the whole buffer that it was
/// read into.
const SMALL_PIECE: usize = 16 * 1024;
/// Length up to which joined pieces grow.
const JOINED_PIECE: usize = 64 * 1024;
/// Length up to which a body is copied when edited: one small write is cheaper than four pieces,
/// each with its own allocation and entry in the vector of the system call.
const COPIED: usize = 8 * 1024;

/// Collects a body that arrives or is composed.
#[derive(Default)]
pub(crate) struct BodyBuilder {
    body: Body,
    /// Joined small pieces at the end.
    tail: BytesMut,
}

impl BodyBuilder {
    pub fn len(&self) -> usize {
        self.body.len() + self.tail.len()
    }

    pub fn push(&mut self, piece: Bytes) {
        if piece.len() < SMALL_PIECE && self.len() > 0 {
            self.tail.extend_from_slice(&piece);
            if self.tail.len() >= JOINED_PIECE {
                self.flush();
            }
        } else if !piece.is_empty() {
            self.flush();
            self.body.push(piece);
        }
    }

    /// Appends a copy of short bytes.
    pub fn write(&mut self, bytes: &[u8]) {
        self.tail.extend_from_slice(bytes);
    }

    /// Appends a range of another body, without a copy if it is long.
    pub fn share(&mut self, body: &Body, range: Range<usize>) {
        body.for_each_slice(range, |piece, within| self.push(piece.slice(within)));
    }

    pub fn finish(mut self) -> Body {
        self.flush();
        self.body
    }

    fn flush(&mut self) {
        if !self.tail.is_empty() {
            self.body.push(self.tail.split().freeze());
        }
    }
}

/// Complete body.
#[derive(Default)]
pub(crate) struct Body {
    pieces: Vec<Bytes>,
    /// End offset of each piece, for a binary search.
    ends: Vec<usize>,
}

/// Range, and the bytes that replace it.
pub type Edit = (Range<usize>, Bytes);

impl Body {
    pub fn len(&self) -> usize {
        self.ends.last().copied().unwrap_or(0)
    }

    fn push(&mut self, piece: Bytes) {
        self.ends.push(self.len() + piece.len());
        self.pieces.push(piece);
    }

    /// Returns the pieces in order.
    pub fn pieces(&self) -> &[Bytes] {
        &self.pieces
    }

    /// Returns the byte at an offset; `None` past the end.
    pub fn byte(&self, at: usize) -> Option<u8> {
        let number = self.ends.partition_point(|&end| end <= at);
        let (piece, end) = (self.pieces.get(number)?, self.ends.get(number)?);
        piece.get(at.checked_sub(end - piece.len())?).copied()
    }

    /// Returns the bytes of a range in one piece, shared if they are in one.
    pub fn bytes(&self, range: Range<usize>) -> Bytes {
        let number = self.ends.partition_point(|&end| end <= range.start);
        let piece = self.pieces.get(number).zip(self.ends.get(number));
        match piece.map(|(piece, end)| (piece, end - piece.len())) {
            Some((piece, start)) if range.end <= start + piece.len() => {
                piece.slice(range.start - start..range.end - start)
            }
            _ => self.copy(range).into(),
        }
    }

    /// Returns a copy of a range.
    pub fn copy(&self, range: Range<usize>) -> Vec<u8> {
        let mut copy = Vec::with_capacity(range.len());
        self.for_each_slice(range, |piece, within| copy.extend_from_slice(&piece[within]));
        copy
    }

    /// Returns the body with edits, which are in order and do not overlap.
    pub fn edited(&self, edits: &[Edit]) -> Vec<Bytes> {
        if self.len() <= COPIED {
            let added: usize = edits.iter().map(|(_, new)| new.len()).sum();
            let mut copy = Vec::with_capacity(self.len() + added);
            self.for_each_edited(edits, |piece, within| copy.extend_from_slice(&piece[within]));
            return vec![copy.into()];
        }
        let mut pieces = Vec::with_capacity(self.pieces.len() + 2 * edits.len());
        self.for_each_edited(edits, |piece, within| pieces.push(piece.slice(within)));
        pieces
    }

    fn for_each_edited(&self, edits: &[Edit], mut each: impl FnMut(&Bytes, Range<usize>)) {
        let mut from = 0;
        for (range, new) in edits {
            self.for_each_slice(from..range.start, &mut each);
            each(new, 0..new.len());
            from = range.end;
        }
        self.for_each_slice(from..self.len(), each);
    }

    fn for_each_slice(&self, range: Range<usize>, mut each: impl FnMut(&Bytes, Range<usize>)) {
        let first = self.ends.partition_point(|&end| end <= range.start);
        for (piece, &end) in self.pieces.iter().zip(&self.ends).skip(first) {
            let start = end - piece.len();
            if start >= range.end {
                break;
            }
            let within = range.start.max(start) - start..range.end.min(end) - start;
            if !within.is_empty() {
                each(piece, within);
            }
        }
    }
}

/// Returns a body that is in one piece with edits, which are in order and do not overlap. Only a
/// small body is copied.
pub fn edited(body: &Bytes, edits: Vec<Edit>) -> Vec<Bytes> {
    let mut pieces = Vec::with_capacity(2 * edits.len() + 1);
    let mut from = 0;
    for (range, new) in edits {
        pieces.extend([body.slice(from..range.start), new]);
        from = range.end;
    }
    pieces.push(body.slice(from..));
    if body.len() <= COPIED { vec![pieces.concat().into()] } else { pieces }
}

/// Joins the pieces of a body if it is small.
pub(crate) fn joined(pieces: Vec<Bytes>) -> Vec<Bytes> {
    if pieces.len() == 1 || pieces.iter().map(Bytes::len).sum::<usize>() > COPIED {
        return pieces;
    }
    vec![pieces.concat().into()]
}

impl fmt::Debug for BodyBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "BodyBuilder({} bytes)", self.len())
    }
}

impl fmt::Debug for Body {
    /// Omits the content, which is a client's and must not reach a log.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Body({} bytes)", self.len())
    }
}

#[cfg(test)]
mod tests;
