//! Search for the end of the plain part of a string: the one loop whose speed matters, since
//! nearly all of a large body is string interiors.

const BLOCK: usize = 64;
const WORD: usize = 8;
/// Bytes that are searched first: short strings end there, and a whole block would cost more than
/// finding the end.
const HEAD: usize = 2 * WORD;

const ONES: u64 = u64::from_le_bytes([0x01; WORD]);
const HIGH_BITS: u64 = u64::from_le_bytes([0x80; WORD]);

/// Returns the number of leading bytes that are ASCII characters without a special meaning in a
/// JSON string: no quote, backslash or control character.
pub(super) fn plain_len(bytes: &[u8]) -> usize {
    let head = bytes.len().min(HEAD);
    let in_head = plain_len_by_words(&bytes[..head]);
    if in_head < head || head == bytes.len() {
        return in_head;
    }
    let (blocks, _) = bytes[head..].as_chunks::<BLOCK>();
    let clean = blocks.iter().take_while(|block| is_plain(block)).count();
    let rest = head + clean * BLOCK;
    rest + plain_len_by_words(&bytes[rest..])
}

/// Returns whether a block has only plain characters. It has no branch, so that it compiles to
/// vector instructions.
fn is_plain(block: &[u8; BLOCK]) -> bool {
    let mut special = 0;
    for &byte in block {
        // As a signed number, what is not ASCII is less than a space too.
        special |= u8::from((byte as i8) < 0x20) | u8::from(byte == b'"') | u8::from(byte == b'\\');
    }
    special == 0
}

/// Returns the index of the first control character.
pub(super) fn first_control(bytes: &[u8]) -> Option<usize> {
    // The fold has no branch and is fast; there is hardly ever a reason to look again.
    let any = bytes.iter().fold(0, |any, &byte| any | u8::from(byte < 0x20));
    if any == 0 { None } else { bytes.iter().position(|&byte| byte < 0x20) }
}

fn plain_len_by_words(bytes: &[u8]) -> usize {
    let (words, rest) = bytes.as_chunks::<WORD>();
    for (i, word) in words.iter().enumerate() {
        let special = special_bytes(u64::from_le_bytes(*word));
        if special != 0 {
            return i * WORD + (special.trailing_zeros() / 8) as usize;
        }
    }
    let plain = |byte: &u8| matches!(byte, 0x20..=0x7f) && !matches!(byte, b'"' | b'\\');
    words.len() * WORD + rest.iter().take_while(|byte| plain(byte)).count()
}

/// Sets the high bit of the first special byte. Bits above it have no meaning: the subtractions
/// borrow from there.
fn special_bytes(word: u64) -> u64 {
    let zero_in = |word: u64| word.wrapping_sub(ONES) & !word;
    let control = word.wrapping_sub(ONES * 0x20) & !word;
    (word | control | zero_in(word ^ (ONES * 0x22)) | zero_in(word ^ (ONES * 0x5c))) & HIGH_BITS
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_byte_is_found_at_every_place() {
        for special in 0..=u8::MAX {
            let stops = !(0x20..0x80).contains(&special) || special == b'"' || special == b'\\';
            for at in 0..150 {
                let mut bytes = [b'x'; 150];
                bytes[at] = special;
                let expected = if stops { at } else { bytes.len() };
                assert_eq!(plain_len(&bytes), expected, "byte {special:#x} at {at}");
            }
        }
    }

    #[test]
    fn only_the_first_special_byte_counts() {
        assert_eq!(plain_len(b"ab\"\\\n\xff\"\"cd"), 2);
        assert_eq!(plain_len(b"  !#[]~\x7f\"!!!"), 8);
    }
}
