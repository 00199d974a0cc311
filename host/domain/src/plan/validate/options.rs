//! Members of a call that a policy can set.

use super::{Operation, TaskFault};
use crate::decision::MAX_LABEL;
use crate::text::printable;

/// Type of a member's value.
enum Kind {
    /// A number in a range.
    Number(f64, f64, &'static str),
    /// A whole number.
    Integer,
    /// One of several words.
    Word(&'static [&'static str], &'static str),
    /// A language as two or three letters.
    Language,
    /// A name of letters, digits, `-` and `_`.
    Name(&'static str),
    /// The width and height of an image, or `auto`.
    Size,
}

/// Longest name that an option may have, in bytes.
const MAX_NAME: usize = 64;

const CHAT: &[(&str, Kind)] = &[
    ("temperature", Kind::Number(0.0, 2.0, "a number from 0 to 2")),
    ("top_p", Kind::Number(0.0, 1.0, "a number from 0 to 1")),
    ("seed", Kind::Integer),
    (
        "reasoning_effort",
        Kind::Word(
            &["none", "minimal", "low", "medium", "high"],
            "\"none\", \"minimal\", \"low\", \"medium\" or \"high\"",
        ),
    ),
    ("response_format", Kind::Word(&["json_object", "text"], "\"json_object\" or \"text\"")),
];
const TRANSCRIPTION: &[(&str, Kind)] = &[("language", Kind::Language)];
const SPEECH: &[(&str, Kind)] = &[
    ("voice", Kind::Name("a voice such as \"alloy\"")),
    (
        "response_format",
        Kind::Word(
            &["mp3", "opus", "aac", "flac", "wav", "pcm"],
            "\"mp3\", \"opus\", \"aac\", \"flac\", \"wav\" or \"pcm\"",
        ),
    ),
    ("speed", Kind::Number(0.25, 4.0, "a number from 0.25 to 4")),
];
const IMAGE: &[(&str, Kind)] = &[
    ("size", Kind::Size),
    ("quality", Kind::Name("a quality such as \"low\"")),
    ("background", Kind::Word(&["transparent", "opaque", "auto"], "\"transparent\", \"opaque\" or \"auto\"")),
    ("output_format", Kind::Word(&["png", "jpeg", "webp"], "\"png\", \"jpeg\" or \"webp\"")),
];

/// Validates names and values.
pub(super) fn check(operation: Operation, options: &[(String, String)]) -> Result<(), TaskFault> {
    let known = match operation {
        Operation::Chat => CHAT,
        Operation::Transcription => TRANSCRIPTION,
        Operation::Speech => SPEECH,
        Operation::Image => IMAGE,
        Operation::Embedding | Operation::Translation | Operation::Moderation => &[],
    };
    for (at, (name, value)) in options.iter().enumerate() {
        let is_repeated = options.iter().take(at).any(|(earlier, _)| earlier == name);
        let Some((name, kind)) = known.iter().find(|(known, _)| known == name && !is_repeated) else {
            return Err(TaskFault::UnknownOption { name: printable(name, MAX_LABEL), operation });
        };
        if let Err(expected) = kind.check(value) {
            return Err(TaskFault::OptionValue { name, expected });
        }
    }
    Ok(())
}

impl Kind {
    fn check(&self, json: &str) -> Result<(), &'static str> {
        match self {
            Self::Number(from, to, expected) => match json.parse::<f64>() {
                Ok(number) if is_plain(json) && number >= *from && number <= *to => Ok(()),
                _ => Err(expected),
            },
            Self::Integer => match json.parse::<i64>() {
                Ok(_) if is_plain(json) => Ok(()),
                _ => Err("a whole number"),
            },
            Self::Word(words, expected) => match quoted(json) {
                Some(word) if words.contains(&word) => Ok(()),
                _ => Err(expected),
            },
            Self::Language => match quoted(json) {
                Some(code)
                    if (2..=3).contains(&code.len()) && code.bytes().all(|b| b.is_ascii_lowercase()) =>
                {
                    Ok(())
                }
                _ => Err("a language as two or three small letters, such as \"en\""),
            },
            Self::Name(expected) => match quoted(json) {
                Some(name) if is_name(name) => Ok(()),
                _ => Err(expected),
            },
            Self::Size => match quoted(json) {
                Some(size) if size == "auto" || is_size(size) => Ok(()),
                _ => Err("a size such as \"1024x1024\", or \"auto\""),
            },
        }
    }
}

fn is_name(name: &str) -> bool {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
    (1..=MAX_NAME).contains(&name.len()) && name.bytes().all(is_plain)
}

/// Returns whether a text is a width and a height of one to four digits.
fn is_size(size: &str) -> bool {
    let is_length = |side: &str| (1..=4).contains(&side.len()) && side.bytes().all(|b| b.is_ascii_digit());
    size.split_once('x').is_some_and(|(width, height)| is_length(width) && is_length(height))
}

/// Returns whether a number that Rust parses is also valid in JSON, without an exponent.
fn is_plain(number: &str) -> bool {
    let digits = number.strip_prefix('-').unwrap_or(number);
    let leading_zero = digits.len() > 1 && digits.starts_with('0') && !digits.starts_with("0.");
    digits.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.')
        && digits.starts_with(|c: char| c.is_ascii_digit())
        && !digits.ends_with('.')
        && !leading_zero
}

/// Returns the text of a JSON string without escapes.
fn quoted(json: &str) -> Option<&str> {
    json.strip_prefix('"')?.strip_suffix('"').filter(|text| !text.contains(['"', '\\']))
}
