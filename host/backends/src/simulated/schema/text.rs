//! Texts within the lengths, the format and the pattern of a schema.

use fastrand::Rng;

use super::hints::Hints;
use super::pattern;
use super::shape::Shape;

/// Most characters of a text.
const MAX_LENGTH: usize = 4_096;

pub(super) fn text(shape: &Shape<'_>, hints: &mut Hints, choices: &mut Rng) -> String {
    let formatted = shape.format.and_then(|format| of_format(format, choices));
    let patterned = || shape.pattern.and_then(|pattern| pattern::matching(pattern, choices));
    if let Some(text) = formatted.or_else(patterned) {
        return text;
    }
    let mut text = hints.text();
    while text.chars().count() < shape.min_length.min(MAX_LENGTH) {
        text.push_str(if text.is_empty() { "a" } else { " more" });
    }
    match shape.max_length {
        Some(most) => text.chars().take(most).collect(),
        None => text,
    }
}

fn of_format(format: &str, choices: &mut Rng) -> Option<String> {
    let day = choices.u8(1..=28);
    Some(match format {
        "date-time" => format!("2026-03-{day:02}T09:30:00Z"),
        "date" => format!("2026-03-{day:02}"),
        "time" => "09:30:00Z".to_owned(),
        "duration" => "PT15M".to_owned(),
        "email" | "idn-email" => "ada@example.com".to_owned(),
        "hostname" | "idn-hostname" => "example.com".to_owned(),
        "ipv4" => format!("192.0.2.{day}"),
        "ipv6" => format!("2001:db8::{day:x}"),
        "uri" | "iri" | "url" => "https://example.com/".to_owned(),
        "uri-reference" | "iri-reference" => "/".to_owned(),
        "uuid" => {
            let (high, low) = (choices.u64(..), choices.u64(..));
            format!(
                "{:08x}-{:04x}-4{:03x}-8{:03x}-{:012x}",
                high >> 32,
                high >> 16 & 0xffff,
                high & 0xfff,
                low >> 48 & 0xfff,
                low & 0xffff_ffff_ffff
            )
        }
        "json-pointer" => String::new(),
        "regex" => ".*".to_owned(),
        _ => return None,
    })
}
