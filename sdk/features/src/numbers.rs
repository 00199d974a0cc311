//! Lists of numbers as one short text, which is read many times faster than decimals.

use std::fmt;
use std::ops::Deref;

use serde::de::{Error, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::base64::{decode, encode};

/// Bytes of a number.
const BYTES: usize = size_of::<f32>();

/// Numbers, rounded to 32 bits. Written as base64 of IEEE 754 single precision, least significant byte first;
/// a list of decimals is read too.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Numbers(Vec<f64>);

impl Deref for Numbers {
    type Target = [f64];

    fn deref(&self) -> &[f64] {
        &self.0
    }
}

impl FromIterator<f64> for Numbers {
    fn from_iter<I: IntoIterator<Item = f64>>(numbers: I) -> Self {
        Self(numbers.into_iter().map(|number| f64::from(number as f32)).collect())
    }
}

impl<const N: usize> From<[f64; N]> for Numbers {
    fn from(numbers: [f64; N]) -> Self {
        numbers.into_iter().collect()
    }
}

impl Serialize for Numbers {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let bytes: Vec<u8> = self.0.iter().flat_map(|number| (*number as f32).to_le_bytes()).collect();
        serializer.serialize_str(&encode(&bytes))
    }
}

impl<'de> Deserialize<'de> for Numbers {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(NumbersVisitor)
    }
}

struct NumbersVisitor;

impl<'de> Visitor<'de> for NumbersVisitor {
    type Value = Numbers;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("numbers of 32 bits in base64, or a list of numbers")
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Numbers, E> {
        let invalid = || E::custom("the text is not the base64 of numbers of 32 bits");
        let bytes = decode(text.as_bytes()).ok_or_else(invalid)?;
        let (numbers, rest) = bytes.as_chunks::<BYTES>();
        if !rest.is_empty() {
            return Err(invalid());
        }
        Ok(Numbers(numbers.iter().map(|bytes| f64::from(f32::from_le_bytes(*bytes))).collect()))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Numbers, A::Error> {
        let mut numbers = Vec::new();
        while let Some(number) = list.next_element::<f64>()? {
            numbers.push(number);
        }
        Ok(Numbers(numbers))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_read_as_they_were_written_and_from_lists() {
        let numbers: Numbers = [0.1, -3.5, 0.0, 1e9].into();
        let json = serde_json::to_string(&numbers).unwrap();
        assert_eq!(serde_json::from_str::<Numbers>(&json).unwrap(), numbers);
        assert_eq!(*serde_json::from_str::<Numbers>("[0.1, 2]").unwrap(), [0.1, 2.0]);
        assert_eq!(serde_json::to_string(&Numbers::from([1.0])).unwrap(), "\"AACAPw==\"");
    }

    #[test]
    fn texts_that_are_no_numbers_are_rejected() {
        for text in ["\"AACA\"", "\"AAC*Pw==\"", "\"AACAPw=\"", "7"] {
            let error = serde_json::from_str::<Numbers>(text).unwrap_err().to_string();
            assert!(error.contains("numbers of 32 bits"), "{error}");
        }
    }
}
