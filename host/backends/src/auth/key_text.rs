//! Keys as text of a file or of a command's output.

use std::fs::File;
use std::io::Read;
use std::path::Path;

use pointsman_domain::secret::Secret;

/// Longest text that is read, in bytes.
pub(super) const MAX_TEXT: usize = 64 << 10;

/// Reads a key from a file.
pub(super) fn read(path: &Path) -> Result<Secret, String> {
    let mut text = Vec::new();
    let read = File::open(path).and_then(|file| file.take(MAX_TEXT as u64 + 1).read_to_end(&mut text));
    read.map_err(|error| format!("it cannot be read: {error}"))?;
    parse(&text).map_err(|problem| format!("it {problem}"))
}

/// Parses a key: one line of visible characters, with white space around it or not. The error
/// continues a sentence about the text and does not quote it.
pub(super) fn parse(text: &[u8]) -> Result<Secret, String> {
    if text.len() > MAX_TEXT {
        return Err(format!("has more than {MAX_TEXT} bytes, which is no key"));
    }
    match str::from_utf8(text).map(str::trim) {
        Ok("") => Err("is empty".to_owned()),
        Ok(key) if key.lines().count() > 1 => Err("has more than one line, which is no key".to_owned()),
        Ok(key) if key.bytes().all(|byte| byte.is_ascii_graphic()) => Ok(Secret::new(key)),
        _ => Err("has characters that a header cannot carry".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_one_line_of_visible_characters() {
        for text in ["sk-1", "sk-1\n", "\r\n sk-1 \r\n"] {
            assert_eq!(parse(text.as_bytes()), Ok(Secret::new("sk-1")));
        }
        for (text, problem) in [
            ("", "is empty"),
            (" \n", "is empty"),
            ("sk-1\nsk-2", "has more than one line, which is no key"),
            ("sk 1", "has characters that a header cannot carry"),
            ("sk-é", "has characters that a header cannot carry"),
        ] {
            assert_eq!(parse(text.as_bytes()), Err(problem.to_owned()), "{text:?}");
        }
        assert!(parse(b"\xff").is_err());
        assert!(parse(&[b'x'; MAX_TEXT + 1]).is_err_and(|problem| problem.contains("65536 bytes")));
    }
}
