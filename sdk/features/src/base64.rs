//! Bytes in base64 (RFC 4648, standard alphabet), with random access, so that a decision decodes only the
//! weights that it needs.

/// Value of each character; 255 for those that are none.
static VALUES: [u8; 256] = {
    let alphabet = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut values = [255; 256];
    let mut index = 0;
    while index < alphabet.len() {
        values[alphabet[index] as usize] = index as u8;
        index += 1;
    }
    values
};

/// Place of a byte in a text: its bits are in two neighbouring characters.
#[derive(Clone, Copy, Debug)]
pub(crate) struct BytePlace {
    /// Number of the first character.
    at: usize,
    /// Number of the byte in its group of three, 0 to 2.
    phase: u32,
}

impl BytePlace {
    /// Returns the place of a byte by its number.
    pub(crate) fn of(byte: usize) -> Self {
        let phase = byte % 3;
        Self { at: byte / 3 * 4 + phase, phase: phase as u32 }
    }

    /// Returns the byte in a text, or `None` past the end and for characters that are not of the alphabet.
    pub(crate) fn read(self, text: &[u8]) -> Option<u8> {
        let value = |at: usize| VALUES.get(usize::from(*text.get(at)?)).copied();
        let (first, second) = (value(self.at)?, value(self.at + 1)?);
        let is_valid = (first | second) < 64;
        is_valid.then(|| first << (2 + 2 * self.phase) | second >> (4 - 2 * self.phase))
    }
}

/// Decodes a whole text; `None` if it is not base64 with its padding.
pub(crate) fn decode(text: &[u8]) -> Option<Vec<u8>> {
    let padding = text.iter().rev().take_while(|byte| **byte == b'=').count();
    let count = (text.len() / 4 * 3).checked_sub(padding)?;
    if padding > 2 || text_len(count) != text.len() {
        return None;
    }
    let mut bytes = Vec::with_capacity(count + 2);
    for group in text.chunks_exact(4) {
        let mut bits = 0;
        for &character in group {
            let is_padding = character == b'=' && bytes.len() + 3 > count;
            let value = if is_padding { 0 } else { VALUES.get(usize::from(character)).copied()? };
            if value > 63 {
                return None;
            }
            bits = bits << 6 | u32::from(value);
        }
        bytes.extend_from_slice(&[(bits >> 16) as u8, (bits >> 8) as u8, bits as u8]);
    }
    bytes.truncate(count);
    Some(bytes)
}

/// Returns the length of the text of a number of bytes, with padding.
pub(crate) fn text_len(bytes: usize) -> usize {
    bytes.div_ceil(3) * 4
}

/// Returns whether a text encodes exactly this number of bytes.
pub(crate) fn encodes(text: &[u8], bytes: usize) -> bool {
    let padding = (3 - bytes % 3) % 3;
    text.len() == text_len(bytes)
        && text.split_at_checked(text.len() - padding).is_some_and(|(data, end)| {
            // A fold without a branch is faster than a search for the first that is wrong.
            let worst = data
                .iter()
                .fold(0, |worst, byte| worst | VALUES.get(usize::from(*byte)).copied().unwrap_or(255));
            worst < 64 && end.iter().all(|byte| *byte == b'=')
        })
}

/// Encodes bytes.
pub(crate) fn encode(bytes: &[u8]) -> String {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::with_capacity(text_len(bytes.len()));
    for group in bytes.chunks(3) {
        let at = |index: usize| u32::from(group.get(index).copied().unwrap_or(0));
        let bits = at(0) << 16 | at(1) << 8 | at(2);
        for place in 0..4 {
            let value = (bits >> (18 - 6 * place)) as usize % 64;
            let is_padding = place > group.len();
            text.push(if is_padding { '=' } else { ALPHABET.get(value).copied().map_or('=', char::from) });
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_are_read_as_they_were_written() {
        // From RFC 4648.
        assert_eq!(
            ["", "f", "fo", "foo", "foob"].map(|text| encode(text.as_bytes())),
            ["", "Zg==", "Zm8=", "Zm9v", "Zm9vYg=="]
        );
        for length in 0..20_usize {
            let bytes: Vec<u8> = (0..length).map(|place| (place * 53 + 200) as u8).collect();
            let text = encode(&bytes);
            assert!(encodes(text.as_bytes(), length));
            assert!(!encodes(text.as_bytes(), length + 1));
            let read = (0..length).map(|byte| BytePlace::of(byte).read(text.as_bytes()));
            assert_eq!(read.collect::<Option<Vec<u8>>>(), Some(bytes.clone()));
            assert_eq!(decode(text.as_bytes()), Some(bytes));
        }
        assert_eq!(BytePlace::of(1).read(b"Zg=="), None);
        for text in ["Z", "Zg=", "Z===", "Zg==Zg==", "Z*8=", "Zm8*", "===="] {
            assert_eq!(decode(text.as_bytes()), None, "{text}");
        }
        assert!(!encodes(b"Z*8=", 2) && !encodes(b"Zm8*", 2) && !encodes("Zmé".as_bytes(), 3));
    }
}
