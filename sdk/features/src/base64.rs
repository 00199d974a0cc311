//! Random access to bytes in base64 (RFC 4648, standard alphabet), so that a decision decodes only the
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

/// Returns the byte at a place, or `None` past the end.
pub(crate) fn byte_at(text: &[u8], place: usize) -> Option<u8> {
    let group = text.get(place / 3 * 4..)?;
    let value = |index: usize| {
        let value = VALUES.get(usize::from(*group.get(index)?)).copied()?;
        (value < 64).then_some(value)
    };
    Some(match place % 3 {
        0 => value(0)? << 2 | value(1)? >> 4,
        1 => value(1)? << 4 | value(2)? >> 2,
        _ => value(2)? << 6 | value(3)?,
    })
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
            let read: Vec<u8> = (0..length).map(|place| byte_at(text.as_bytes(), place).unwrap()).collect();
            assert_eq!(read, bytes);
        }
        assert_eq!(byte_at(b"Zg==", 1), None);
        assert!(!encodes(b"Z*8=", 2) && !encodes(b"Zm8*", 2) && !encodes("Zmé".as_bytes(), 3));
    }
}
