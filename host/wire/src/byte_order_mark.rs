//! Byte order mark that some programs write before text in UTF-8.

use bytes::Bytes;

/// U+FEFF in UTF-8.
const MARK: &[u8] = b"\xef\xbb\xbf";

/// Removes a byte order mark from the start of a text that arrives in chunks.
#[derive(Debug, Default)]
pub struct BomStripper {
    /// Bytes of the mark that arrived and are withheld.
    withheld: usize,
    /// True once the text has begun.
    is_past: bool,
}

impl BomStripper {
    /// Returns the chunk without its part of the mark. A chunk that may end inside a mark is
    /// withheld until the next.
    pub fn strip(&mut self, mut chunk: Bytes) -> Bytes {
        if self.is_past {
            return chunk;
        }
        let rest = &MARK[self.withheld..];
        let matching = rest.iter().zip(&chunk).take_while(|(expected, byte)| expected == byte).count();
        if matching == rest.len() {
            self.is_past = true;
            return chunk.split_off(matching);
        }
        if matching == chunk.len() {
            self.withheld += matching;
            return Bytes::new();
        }
        self.is_past = true;
        match self.withheld {
            0 => chunk,
            withheld => [&MARK[..withheld], &chunk].concat().into(),
        }
    }

    /// Returns the bytes that are still withheld at the end of the text.
    pub fn finish(&mut self) -> Bytes {
        let is_withheld = !std::mem::replace(&mut self.is_past, true);
        Bytes::from_static(if is_withheld { &MARK[..self.withheld] } else { b"" })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn strip(text: &[u8], cut: usize) -> Vec<u8> {
        let mut mark = BomStripper::default();
        let mut stripped = Vec::new();
        for chunk in text.chunks(cut) {
            stripped.extend_from_slice(&mark.strip(Bytes::copy_from_slice(chunk)));
        }
        stripped.extend_from_slice(&mark.finish());
        stripped
    }

    #[test]
    fn one_mark_at_the_start_is_removed_however_the_text_is_cut() {
        let others: [&[u8]; 6] =
            [b"", b"{}", b"\xef", b"\xef\xbb", "\u{ff01}".as_bytes(), b" \xef\xbb\xbf{}"];
        for cut in 1..5 {
            for text in others {
                assert_eq!(strip(text, cut), text, "{text:?} by {cut}");
            }
            assert_eq!(strip("\u{feff}{}".as_bytes(), cut), b"{}");
            assert_eq!(strip("\u{feff}\u{feff}{}".as_bytes(), cut), "\u{feff}{}".as_bytes());
            assert_eq!(strip("\u{feff}".as_bytes(), cut), b"");
        }
    }
}
