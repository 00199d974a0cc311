//! Index for random access to long strings with escapes.

use std::ops::Range;

use memchr::memchr;

use super::escape::{escaped, written_len};

/// Written bytes between two checkpoints: scanning them takes a fraction of a microsecond.
const SPACING: usize = 256;

/// Index of a string's interior from offsets in the text to written offsets. Takes 8 bytes for
/// each 256 of the written form.
#[derive(Debug)]
pub(crate) struct EscapeIndex {
    /// Checkpoints in order, each between two characters. The first is the start.
    checkpoints: Vec<Checkpoint>,
    written: usize,
}

#[derive(Clone, Copy, Debug)]
struct Checkpoint {
    decoded: u32,
    written: u32,
}

impl EscapeIndex {
    /// Builds the index of an interior that a scanner has accepted, of at most 4 GiB.
    pub fn of(raw: &[u8]) -> Self {
        let mut index = Self { checkpoints: Vec::with_capacity(raw.len() / SPACING + 1), written: raw.len() };
        let (mut written, mut decoded) = (0, 0);
        index.add(decoded, written);
        while written < raw.len() {
            let rest = &raw[written..];
            let near = &rest[..rest.len().min(SPACING)];
            let (taken, text) = match memchr(b'\\', near) {
                Some(0) => {
                    let (character, taken) = escaped(rest);
                    (taken.min(rest.len()), character.len_utf8())
                }
                Some(plain) => (plain, plain),
                None => {
                    // A checkpoint is not inside a character.
                    let is_inside = |byte: &&u8| (**byte as i8) < -0x40;
                    let inside = rest[near.len()..].iter().take_while(is_inside).count();
                    (near.len() + inside, near.len() + inside)
                }
            };
            (written, decoded) = (written + taken, decoded + text);
            index.add(decoded, written);
        }
        index
    }

    /// Returns the written offset of an offset in the text; `None` past the end, or inside a
    /// character. `read` copies a range of the written form.
    pub fn written(&self, decoded: usize, read: impl FnOnce(Range<usize>) -> Vec<u8>) -> Option<usize> {
        let after = self.checkpoints.partition_point(|checkpoint| checkpoint.decoded as usize <= decoded);
        let checkpoint = self.checkpoints.get(after.checked_sub(1)?)?;
        let start = checkpoint.written as usize;
        let end = self.checkpoints.get(after).map_or(self.written, |next| next.written as usize);
        let within = decoded - checkpoint.decoded as usize;
        Some(start + written_len(&read(start..end), within)?)
    }

    /// Adds a checkpoint if the last one is far enough away.
    fn add(&mut self, decoded: usize, written: usize) {
        let is_near = |last: &Checkpoint| written - (last.written as usize) < SPACING;
        let (Ok(at), Ok(place)) = (u32::try_from(decoded), u32::try_from(written)) else { return };
        if !self.checkpoints.last().is_some_and(is_near) {
            self.checkpoints.push(Checkpoint { decoded: at, written: place });
        }
    }
}

#[cfg(test)]
mod tests;
