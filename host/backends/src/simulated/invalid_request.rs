//! Reasons why a server would reject a request, in the words of OpenAI's API.

use std::fmt;
use std::marker::PhantomData;

use bytes::Bytes;
use pointsman_wire::whole_number;
use serde::de::{DeserializeOwned, Error, Unexpected, Visitor};
use serde::{Deserialize, Deserializer};

/// Code of a member of another type.
const INVALID_TYPE: &str = "invalid_type";
/// Code of a member with another value.
const INVALID_VALUE: &str = "invalid_value";
/// Code of a member that is missing.
const MISSING: &str = "missing_required_parameter";

/// Reason why a server would reject a request.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct InvalidRequest {
    pub(super) message: String,
    /// Member at fault, such as `messages[0].content`.
    pub(super) parameter: Option<String>,
    pub(super) code: Option<&'static str>,
}

impl InvalidRequest {
    /// Returns the reason that a member has a value which it may not have.
    pub(super) fn value(member: &str, message: impl Into<String>) -> Self {
        Self { message: message.into(), parameter: Some(member.to_owned()), code: Some(INVALID_VALUE) }
    }

    /// Returns the reason that a member is missing.
    pub(super) fn missing(member: &str) -> Self {
        Self {
            message: format!("Missing required parameter: '{member}'."),
            parameter: Some(member.to_owned()),
            code: Some(MISSING),
        }
    }

    /// Returns the reason for an error at a place of the body.
    fn at(path: &str, error: &serde_json::Error) -> Self {
        let text = error.to_string();
        if !error.is_data() {
            return text.into();
        }
        let reason = text.rsplit_once(" at line ").map_or(&*text, |(reason, _)| reason);
        let missing = reason.strip_prefix("missing field `").and_then(|rest| rest.strip_suffix('`'));
        match (missing, path) {
            (Some(member), ".") => return Self::missing(member),
            (Some(member), path) => return Self::missing(&format!("{path}.{member}")),
            (None, ".") => return reason.to_owned().into(),
            (None, _) => {}
        }
        // Serde names the types of numbers as Rust does.
        let reason = &reason.replace("expected f64", "expected a number");
        let found =
            ["invalid type: ", "invalid value: "].into_iter().find_map(|kind| reason.strip_prefix(kind));
        Self {
            message: format!("Invalid type for '{path}': {}.", found.unwrap_or(reason)),
            parameter: Some(path.to_owned()),
            code: Some(INVALID_TYPE),
        }
    }
}

impl From<String> for InvalidRequest {
    /// Returns a reason that concerns no member.
    fn from(message: String) -> Self {
        Self { message, parameter: None, code: None }
    }
}

/// Parses the body of a request.
///
/// # Errors
/// Returns the reason why a server would reject it.
pub(super) fn parse<T: DeserializeOwned>(pieces: &[Bytes]) -> Result<T, InvalidRequest> {
    let body = pieces.concat();
    let mut deserializer = serde_json::Deserializer::from_slice(&body);
    let parsed = serde_path_to_error::deserialize(&mut deserializer)
        .map_err(|error| InvalidRequest::at(&error.path().to_string(), error.inner()))?;
    deserializer.end().map_err(|error| error.to_string())?;
    Ok(parsed)
}

/// Number of things, from 0, in any notation: a fraction of zero (`2.0`) is that of a whole number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct Count<T>(pub(super) T);

impl<'de, T: TryFrom<u64>> Deserialize<'de> for Count<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(CountVisitor(PhantomData))
    }
}

struct CountVisitor<T>(PhantomData<T>);

impl<T: TryFrom<u64>> CountVisitor<T> {
    fn count<E: Error>(self, value: Option<u64>, found: Unexpected<'_>) -> Result<Count<T>, E> {
        let Some(value) = value else { return Err(E::invalid_type(found, &self)) };
        T::try_from(value).map(Count).map_err(|_| E::invalid_value(found, &"a smaller number"))
    }
}

impl<T: TryFrom<u64>> Visitor<'_> for CountVisitor<T> {
    type Value = Count<T>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a whole number")
    }

    fn visit_u64<E: Error>(self, value: u64) -> Result<Count<T>, E> {
        self.count(Some(value), Unexpected::Unsigned(value))
    }

    fn visit_i64<E: Error>(self, value: i64) -> Result<Count<T>, E> {
        self.count(u64::try_from(value).ok(), Unexpected::Signed(value))
    }

    fn visit_f64<E: Error>(self, value: f64) -> Result<Count<T>, E> {
        // Above 2^53 the neighbours of a number are not known.
        const MAX: f64 = 9_007_199_254_740_992.0;
        let is_whole = (0.0..=MAX).contains(&value) && value.fract() == 0.0;
        self.count(is_whole.then_some(value as u64), Unexpected::Float(value))
    }
}

/// Returns the number of things that the field of a form states.
///
/// # Errors
/// Fails if it is none.
pub(super) fn parse_count(name: &str, value: &str) -> Result<u32, InvalidRequest> {
    let count = whole_number(value.as_bytes()).and_then(|count| u32::try_from(count).ok());
    count.ok_or_else(|| InvalidRequest::value(name, format!("{name} is {value:?}, not a whole number")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, Deserialize, PartialEq)]
    #[serde(expecting = "an object")]
    struct Body {
        name: String,
        n: Option<Count<u32>>,
        list: Option<Vec<Inner>>,
    }

    #[derive(Debug, Deserialize, PartialEq)]
    #[serde(expecting = "an object")]
    struct Inner {
        small: Count<u8>,
    }

    fn fault(body: &'static str) -> (String, Option<String>) {
        let invalid = parse::<Body>(&[body.into()]).unwrap_err();
        (invalid.message, invalid.parameter)
    }

    #[test]
    fn a_fraction_of_zero_is_that_of_a_whole_number() {
        for (number, value) in
            [("2", 2), ("2.0", 2), ("2e1", 20), ("0", 0), ("-0.0", 0), ("4294967295", u32::MAX)]
        {
            let body = format!(r#"{{"name":"a","n":{number}}}"#);
            let parsed: Body = parse(&[body.into()]).unwrap();
            assert_eq!(parsed.n, Some(Count(value)), "{number}");
            assert_eq!(parse_count("n", number).unwrap(), value);
        }
        for (number, found) in [
            ("2.5", "floating point `2.5`, expected a whole number"),
            ("-1", "integer `-1`, expected a whole number"),
            ("1e300", "floating point `1e+300`, expected a whole number"),
            ("\"2\"", "string \"2\", expected a whole number"),
            ("true", "boolean `true`, expected a whole number"),
            ("4294967296", "integer `4294967296`, expected a smaller number"),
        ] {
            let body = format!(r#"{{"name":"a","n":{number}}}"#);
            let invalid = parse::<Body>(&[body.into()]).unwrap_err();
            assert_eq!(invalid.message, format!("Invalid type for 'n': {found}."));
            assert_eq!((invalid.parameter.as_deref(), invalid.code), (Some("n"), Some("invalid_type")));
            assert_eq!(parse_count("n", number).unwrap_err().parameter.as_deref(), Some("n"));
        }
    }

    #[test]
    fn the_member_at_fault_is_named_by_its_path() {
        let (message, parameter) = fault(r#"{"name":"a","list":[{"small":1},{"small":"x"}]}"#);
        assert_eq!(message, "Invalid type for 'list[1].small': string \"x\", expected a whole number.");
        assert_eq!(parameter.as_deref(), Some("list[1].small"));
        let (message, parameter) = fault(r#"{"name":"a","list":[{}]}"#);
        assert_eq!(message, "Missing required parameter: 'list[0].small'.");
        assert_eq!(parameter.as_deref(), Some("list[0].small"));
        assert_eq!(fault("{}").0, "Missing required parameter: 'name'.");
        assert_eq!(fault("7"), ("invalid type: integer `7`, expected an object".to_owned(), None));
        assert_eq!(fault("{"), ("EOF while parsing an object at line 1 column 1".to_owned(), None));
        assert_eq!(fault(r#"{"name":"a"} x"#).1, None);
    }
}
