//! JSON objects member by member, with values that are parsed when they are needed.
//!
//! The order of members and unknown members survive, so that a translation can name what it leaves
//! out and a schema keeps the order that its author gave it.

use std::borrow::Cow;
use std::fmt;
use std::ops::Range;

use pointsman_domain::serving_error::{ErrorKind, ServingError};
use serde::de::{Deserialize, Deserializer, Error as _, MapAccess, Visitor};
use serde_json::value::RawValue;

/// Path of a value in a request: `messages[2].content`.
#[derive(Clone, Copy, Debug)]
pub enum MemberPath<'a> {
    /// The request itself.
    Root,
    /// Member of an object.
    Member(&'a MemberPath<'a>, &'a str),
    /// Element of an array.
    Element(&'a MemberPath<'a>, usize),
}

impl<'a> MemberPath<'a> {
    /// Returns the path of a member.
    pub const fn member(&'a self, name: &'a str) -> Self {
        Self::Member(self, name)
    }

    /// Returns the path of an element.
    pub const fn element(&'a self, index: usize) -> Self {
        Self::Element(self, index)
    }

    /// Returns the error of a value that has another type than expected.
    pub fn wrong_type(&self, expected: &str) -> ServingError {
        let message = format!("Invalid type for '{self}': expected {expected}.");
        ServingError::new(ErrorKind::InvalidType, message).with_parameter(self.to_string())
    }

    /// Returns the error of a value that is not allowed.
    pub fn invalid_value(&self, expected: &str) -> ServingError {
        let message = format!("Invalid value for '{self}': expected {expected}.");
        ServingError::new(ErrorKind::InvalidValue, message).with_parameter(self.to_string())
    }

    /// Returns the error of a required member that is absent.
    pub fn missing(&self) -> ServingError {
        let message = format!("Missing required parameter: '{self}'.");
        ServingError::new(ErrorKind::MissingParameter, message).with_parameter(self.to_string())
    }

    /// Parses a value.
    ///
    /// # Errors
    /// Fails if it has another type, which `expected` names: "a string".
    pub fn parse<'v, T: Deserialize<'v>>(
        &self,
        value: &'v RawValue,
        expected: &str,
    ) -> Result<T, ServingError> {
        serde_json::from_str(value.get()).map_err(|_| self.wrong_type(expected))
    }
}

impl fmt::Display for MemberPath<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Root => Ok(()),
            Self::Member(Self::Root, name) => f.write_str(name),
            Self::Member(parent, name) => write!(f, "{parent}.{name}"),
            Self::Element(parent, index) => write!(f, "{parent}[{index}]"),
        }
    }
}

/// Returns the range of a value in the body that it is borrowed from.
pub fn span_in(body: &[u8], value: &RawValue) -> Range<usize> {
    let start = value.get().as_ptr().addr().saturating_sub(body.as_ptr().addr());
    start..start + value.get().len()
}

/// Members of an object in their order, with unparsed values.
#[derive(Debug, Default)]
pub struct ObjectMembers<'a>(Vec<(Cow<'a, str>, &'a RawValue)>);

impl<'a> ObjectMembers<'a> {
    /// Parses the body of a request.
    ///
    /// # Errors
    /// Fails if it is not a JSON object, or a member occurs twice in it.
    pub fn parse_request(body: &'a [u8]) -> Result<Self, ServingError> {
        serde_json::from_slice(body).map_err(|error| match error.classify() {
            serde_json::error::Category::Data => {
                let message = format!("The request body must be a JSON object: {error}.");
                ServingError::new(ErrorKind::InvalidType, message)
            }
            _ => {
                let message = format!("The request body is not valid JSON: {error}.");
                ServingError::new(ErrorKind::InvalidJson, message)
            }
        })
    }

    /// Parses an object within a request.
    ///
    /// # Errors
    /// Fails if it is not an object, or a member occurs twice in it.
    pub fn parse(value: &'a RawValue, path: &MemberPath<'_>) -> Result<Self, ServingError> {
        path.parse(value, "an object whose members occur once")
    }

    /// Parses an object in the answer of a provider; `None` if it is none.
    pub fn parse_answer(body: &'a [u8]) -> Option<Self> {
        serde_json::from_slice(body).ok()
    }

    /// Removes a member, and returns its value; `None` if it is absent or `null`.
    pub fn take(&mut self, name: &str) -> Option<&'a RawValue> {
        let at = self.0.iter().position(|(key, _)| key == name)?;
        Some(self.0.remove(at).1).filter(|value| value.get() != "null")
    }

    /// Removes a member, and parses its value; `None` if it is absent or `null`.
    ///
    /// # Errors
    /// Fails if it has another type, which `expected` names.
    pub fn take_as<T: Deserialize<'a>>(
        &mut self,
        name: &str,
        path: &MemberPath<'_>,
        expected: &str,
    ) -> Result<Option<T>, ServingError> {
        self.take(name).map(|value| path.member(name).parse(value, expected)).transpose()
    }

    /// Removes a member with a number of things, and returns it; `None` if it is absent or `null`.
    /// A fraction of zero (`2.0`) is that of a whole number, and a larger number is the largest.
    ///
    /// # Errors
    /// Fails if it is no number, negative, or has a fraction.
    pub fn take_count(&mut self, name: &str, path: &MemberPath<'_>) -> Result<Option<u32>, ServingError> {
        const EXPECTED: &str = "a whole number";
        let Some(count) = self.take_as::<f64>(name, path, EXPECTED)? else { return Ok(None) };
        if count < 0.0 || count.fract() != 0.0 {
            return Err(path.member(name).wrong_type(EXPECTED));
        }
        // A conversion of floats saturates.
        Ok(Some(count as u32))
    }

    /// Removes a required member, and parses its value.
    ///
    /// # Errors
    /// Fails if it is absent, `null`, or has another type.
    pub fn require<T: Deserialize<'a>>(
        &mut self,
        name: &str,
        path: &MemberPath<'_>,
        expected: &str,
    ) -> Result<T, ServingError> {
        self.take_as(name, path, expected)?.ok_or_else(|| path.member(name).missing())
    }

    /// Returns the value of a member without removing it; `None` if it is absent or `null`.
    pub fn get(&self, name: &str) -> Option<&'a RawValue> {
        let (_, value) = self.0.iter().find(|(key, _)| key == name)?;
        Some(*value).filter(|value| value.get() != "null")
    }

    /// Returns the value of a member, `null` included; `None` if it is absent.
    pub fn raw(&self, name: &str) -> Option<&'a RawValue> {
        self.0.iter().find(|(key, _)| key == name).map(|(_, value)| *value)
    }

    /// Returns the members that are left and not `null`.
    pub fn rest(self) -> impl Iterator<Item = (Cow<'a, str>, &'a RawValue)> {
        self.0.into_iter().filter(|(_, value)| value.get() != "null")
    }
}

impl<'de> Deserialize<'de> for ObjectMembers<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct MembersVisitor;

        impl<'de> Visitor<'de> for MembersVisitor {
            type Value = ObjectMembers<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut members: Vec<(Cow<'de, str>, &'de RawValue)> = Vec::new();
                while let Some(Key(key)) = map.next_key::<Key<'de>>()? {
                    let value = map.next_value()?;
                    members.push((key, value));
                }
                let mut names: Vec<&str> = members.iter().map(|(name, _)| &**name).collect();
                names.sort_unstable();
                if let Some(twice) = names.windows(2).find(|pair| pair[0] == pair[1]) {
                    return Err(A::Error::custom(format_args!("`{}` occurs twice", twice[0])));
                }
                Ok(ObjectMembers(members))
            }
        }

        deserializer.deserialize_map(MembersVisitor)
    }
}

/// Key that is borrowed unless it is escaped.
#[derive(serde::Deserialize)]
struct Key<'a>(#[serde(borrow)] Cow<'a, str>);
