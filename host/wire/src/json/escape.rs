//! Conversion between the written form of a string and its text.

use bytes::Bytes;
use memchr::memchr;

/// Returns the text of a string's interior that a scanner has accepted. Escaped lone surrogates
/// become U+FFFD.
pub(crate) fn unescape(raw: &[u8]) -> String {
    let mut text = Vec::with_capacity(raw.len());
    let mut rest = raw;
    while let Some(backslash) = memchr(b'\\', rest) {
        text.extend_from_slice(&rest[..backslash]);
        let (character, written) = escaped(&rest[backslash..]);
        text.extend_from_slice(character.encode_utf8(&mut [0; 4]).as_bytes());
        rest = &rest[backslash + written..];
    }
    text.extend_from_slice(rest);
    String::from_utf8(text).unwrap_or_else(|bad| String::from_utf8_lossy(bad.as_bytes()).into_owned())
}

/// Returns the bytes of such an interior that make up `decoded` bytes of its text; `None` if
/// there are fewer, or if that is inside a character.
pub(crate) fn written_len(raw: &[u8], decoded: usize) -> Option<usize> {
    let (mut at, mut left) = (0, decoded);
    while left > 0 {
        let rest = raw.get(at..)?;
        let plain = memchr(b'\\', rest).unwrap_or(rest.len()).min(left);
        (at, left) = (at + plain, left - plain);
        if left > 0 {
            let (character, written) = escaped(rest.get(plain..).filter(|rest| !rest.is_empty())?);
            (at, left) = (at + written, left.checked_sub(character.len_utf8())?);
        }
    }
    let is_between = raw.get(at).is_none_or(|next| (*next as i8) >= -0x40);
    is_between.then_some(at)
}

/// Returns the character of an escape, and the bytes that it takes from its backslash on.
pub(super) fn escaped(raw: &[u8]) -> (char, usize) {
    match raw.get(1) {
        Some(b'u') => {
            let (character, taken) = unicode_escape(&raw[2..]);
            (character, 2 + taken)
        }
        Some(&letter) => (simple_escape(letter), 2),
        // No scanner lets it end here.
        None => (char::REPLACEMENT_CHARACTER, raw.len()),
    }
}

fn simple_escape(letter: u8) -> char {
    match letter {
        b'b' => '\u{8}',
        b'f' => '\u{c}',
        b'n' => '\n',
        b'r' => '\r',
        b't' => '\t',
        itself => char::from(itself),
    }
}

/// Returns the character that follows `\u`, and the bytes that it takes.
fn unicode_escape(after_u: &[u8]) -> (char, usize) {
    let first = code_unit(after_u);
    if let Some([b'\\', b'u', low @ ..]) = after_u.get(4..)
        && (0xd800..0xdc00).contains(&first)
        && let second @ 0xdc00..0xe000 = code_unit(low)
    {
        let joined = 0x1_0000 + ((first - 0xd800) << 10) + (second - 0xdc00);
        return (char::from_u32(joined).unwrap_or(char::REPLACEMENT_CHARACTER), 10);
    }
    (char::from_u32(first).unwrap_or(char::REPLACEMENT_CHARACTER), after_u.len().min(4))
}

fn code_unit(hex: &[u8]) -> u32 {
    hex.iter().take(4).fold(0, |unit, &digit| unit << 4 | hex_value(digit).unwrap_or(0))
}

/// Returns the value of a hexadecimal digit.
pub(super) fn hex_value(digit: u8) -> Option<u32> {
    char::from(digit).to_digit(16)
}

/// Returns the bytes of UTF-8 for a code unit of UTF-16; two for each half of a surrogate pair.
pub(super) fn utf8_len(code_unit: u32) -> usize {
    match code_unit {
        0..0x80 => 1,
        0x80..0x800 | 0xd800..0xe000 => 2,
        _ => 3,
    }
}

/// Escapes a text for JSON, without the quotes around it.
pub(crate) fn quoted_interior(text: &str) -> Bytes {
    let quoted = Bytes::from(quote(text));
    quoted.slice(1..quoted.len() - 1)
}

/// Returns a text as a JSON string, quotes included.
pub(crate) fn quote(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}
