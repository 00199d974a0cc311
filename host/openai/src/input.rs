//! The content of a request that is no conversation, summarized or as text, without a copy of its
//! elements.

use std::fmt;

use pointsman_domain::serving_error::{ErrorKind, ServingError};
use pointsman_wire::tokens;
use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::value::RawValue;

use crate::json::MemberPath;

/// Most elements of an array of inputs. Providers allow 2,048.
const MAX_ELEMENTS: u64 = 16_384;

/// Summary of a text, texts, tokens, or objects with texts and images.
#[derive(Debug, Default)]
pub(crate) struct InputSummary {
    /// Tokens that the client counted: numbers.
    numbers: u64,
    texts: u64,
    text_bytes: u64,
    longest_text: u64,
    images: u64,
    /// Number of inputs.
    pub elements: u64,
    /// Texts, if they are collected.
    text: Option<String>,
}

impl InputSummary {
    /// Reads the value of a member.
    ///
    /// # Errors
    /// Fails if it is neither a text nor an array, or has too many elements.
    pub fn read(value: &RawValue, path: &MemberPath<'_>) -> Result<Self, ServingError> {
        let mut summary = Self::default();
        if !summary.add(value) {
            return Err(path.wrong_type("a string or an array"));
        }
        if summary.elements > MAX_ELEMENTS {
            let elements = summary.elements;
            let message = format!(
                "Invalid '{path}': an array of at most {MAX_ELEMENTS} elements is expected, this one has {elements}."
            );
            return Err(ServingError::new(ErrorKind::InvalidValue, message).with_parameter(path.to_string()));
        }
        if summary.elements == 0 && summary.texts == 0 {
            let message = format!("Invalid '{path}': it must not be empty.");
            return Err(ServingError::new(ErrorKind::EmptyArray, message).with_parameter(path.to_string()));
        }
        Ok(summary)
    }

    /// Returns all texts, one in a line.
    pub fn collect_text(value: &RawValue) -> String {
        let mut summary = Self { text: Some(String::new()), ..Self::default() };
        summary.add(value);
        summary.text.unwrap_or_default()
    }

    /// Returns the estimated tokens of everything.
    pub fn tokens(&self) -> u64 {
        self.numbers + tokens::of_text(self.text_bytes) + self.images * tokens::IMAGE
    }

    /// Returns a lower bound on the tokens of the longest text. Each is embedded for itself, so a
    /// model need not hold them together.
    pub fn least_tokens(&self) -> u64 {
        self.longest_text.div_ceil(tokens::LONGEST_TOKEN_BYTES as u64)
    }

    pub const fn has_images(&self) -> bool {
        self.images > 0
    }

    fn add(&mut self, value: &RawValue) -> bool {
        let mut json = serde_json::Deserializer::from_str(value.get());
        json.deserialize_any(InputVisitor { summary: self, depth: 0 }).is_ok()
    }

    fn add_text(&mut self, text: &str) {
        let bytes = text.len() as u64;
        self.texts += 1;
        self.text_bytes += bytes;
        self.longest_text = self.longest_text.max(bytes);
        if let Some(collected) = &mut self.text {
            if !collected.is_empty() {
                collected.push('\n');
            }
            collected.push_str(text);
        }
    }
}

/// Visits a value at some depth of arrays.
struct InputVisitor<'s> {
    summary: &'s mut InputSummary,
    depth: u8,
}

impl<'de> Visitor<'de> for InputVisitor<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a text, texts, tokens or objects with a text")
    }

    fn visit_str<E>(self, text: &str) -> Result<(), E> {
        self.summary.add_text(text);
        Ok(())
    }

    fn visit_u64<E: serde::de::Error>(self, _: u64) -> Result<(), E> {
        self.visit_f64(0.0)
    }

    fn visit_i64<E: serde::de::Error>(self, _: i64) -> Result<(), E> {
        self.visit_f64(0.0)
    }

    /// Counts a number as a token. Whether it is one, the model's server decides.
    fn visit_f64<E: serde::de::Error>(self, _: f64) -> Result<(), E> {
        if self.depth == 0 {
            return Err(E::custom("a number"));
        }
        self.summary.numbers += 1;
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut elements: A) -> Result<(), A::Error> {
        let Self { summary, depth } = self;
        if depth > 1 {
            return Err(serde::de::Error::custom("an array within arrays"));
        }
        let numbers = summary.numbers;
        while elements.next_element_seed(InputVisitor { summary, depth: depth + 1 })?.is_some() {
            if depth == 0 {
                summary.elements += 1;
            }
        }
        // An array of tokens is one input.
        if depth == 0 && summary.numbers - numbers == summary.elements {
            summary.elements = summary.elements.min(1);
        }
        Ok(())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<(), A::Error> {
        let Self { summary, depth } = self;
        while let Some(name) = members.next_key::<std::borrow::Cow<'de, str>>()? {
            match &*name {
                "text" => members.next_value_seed(InputVisitor { summary, depth: depth.max(1) })?,
                "image_url" => {
                    summary.images += 1;
                    members.next_value::<IgnoredAny>()?;
                }
                _ => {
                    members.next_value::<IgnoredAny>()?;
                }
            }
        }
        Ok(())
    }
}

impl<'de> DeserializeSeed<'de> for InputVisitor<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(json: &str) -> Result<InputSummary, ServingError> {
        let value: &RawValue = serde_json::from_str(json).unwrap();
        InputSummary::read(value, &MemberPath::Root.member("input"))
    }

    #[test]
    fn texts_and_tokens_are_counted() {
        let tokens = |json| read(json).unwrap().tokens();
        assert_eq!(tokens(r#""eight by""#), 2);
        assert_eq!(tokens(r#"["eight by", "four"]"#), 3);
        assert_eq!(tokens("[1, 2, 3]"), 3);
        assert_eq!(tokens("[[1, 2, 3], [4]]"), 4);
        assert_eq!(tokens("[1.0, -2, 3e0]"), 3);
        assert_eq!(
            tokens(r#"[{"type":"text","text":"four"},{"type":"image_url","image_url":{"url":"x"}}]"#),
            1 + tokens::IMAGE
        );
    }

    #[test]
    fn the_longest_text_alone_bounds_the_tokens_of_one_input() {
        let long = "x".repeat(256);
        assert_eq!(read(&format!(r#"["{long}", "{long}"]"#)).unwrap().least_tokens(), 2);
    }

    #[test]
    fn what_is_no_input_is_rejected_with_the_member() {
        for json in ["true", "7", r#"[[["x"]]]"#, "1.5"] {
            assert_eq!(
                read(json).unwrap_err().message,
                "Invalid type for 'input': expected a string or an array."
            );
        }
        assert_eq!(read("[]").unwrap_err().kind, ErrorKind::EmptyArray);
        let many = format!("[{}]", vec!["\"\""; 16_385].join(","));
        assert!(read(&many).unwrap_err().message.ends_with("this one has 16385."));
        // Tokens of one input.
        assert_eq!(read(&format!("[{}]", vec!["1"; 16_385].join(","))).unwrap().tokens(), 16_385);
    }

    #[test]
    fn all_texts_are_collected() {
        let value: &RawValue = serde_json::from_str(r#"["a\n", {"type":"text","text":"b"}, 3]"#).unwrap();
        assert_eq!(InputSummary::collect_text(value), "a\n\nb");
    }
}
