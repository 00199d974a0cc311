//! Between a string's written form and its text.

use memchr::memchr;

/// The text of a string's interior that a scanner has accepted. Escaped lone
/// surrogates become U+FFFD.
pub(crate) fn unescape(raw: &[u8]) -> String {
    let mut text = Vec::with_capacity(raw.len());
    let mut rest = raw;
    while let Some(backslash) = memchr(b'\\', rest) {
        text.extend_from_slice(&rest[..backslash]);
        rest = &rest[backslash + 1..];
        rest = match rest.first() {
            Some(b'u') => {
                let (character, taken) = unicode_escape(&rest[1..]);
                let mut utf8 = [0; 4];
                text.extend_from_slice(character.encode_utf8(&mut utf8).as_bytes());
                &rest[1 + taken..]
            }
            Some(&letter) => {
                text.push(simple_escape(letter));
                &rest[1..]
            }
            None => rest,
        };
    }
    text.extend_from_slice(rest);
    String::from_utf8(text).unwrap_or_else(|bad| String::from_utf8_lossy(bad.as_bytes()).into_owned())
}

fn simple_escape(letter: u8) -> u8 {
    match letter {
        b'b' => 0x08,
        b'f' => 0x0c,
        b'n' => b'\n',
        b'r' => b'\r',
        b't' => b'\t',
        itself => itself,
    }
}

/// The character that follows `\u`, and how many bytes it took.
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

/// The value of a hexadecimal digit.
pub(super) fn hex_value(digit: u8) -> Option<u32> {
    char::from(digit).to_digit(16)
}

/// A text as a JSON string, quotes included.
pub(crate) fn quote(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}
