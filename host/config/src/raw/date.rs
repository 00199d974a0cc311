//! Dates.

use std::borrow::Cow;
use std::fmt;

use pointsman_domain::date;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::value::MapAccessDeserializer;
use serde::de::{self, Deserializer, MapAccess, Visitor};
use serde::{Deserialize, Serialize, Serializer};

/// A date in UTC: `"2027-01-01"`, or a date of TOML, without quotes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Date(date::Date);

struct DateVisitor;

impl Date {
    pub(crate) fn get(self) -> date::Date {
        self.0
    }
}

impl<'de> Visitor<'de> for DateVisitor {
    type Value = Date;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a date such as \"2027-01-01\"")
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<Date, E> {
        date::Date::parse(text).map(Date).ok_or_else(|| E::invalid_value(de::Unexpected::Str(text), &self))
    }

    /// Reads a date of TOML, which its parser represents as a map.
    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Date, A::Error> {
        let date = toml::value::Datetime::deserialize(MapAccessDeserializer::new(map))?;
        self.visit_str(&date.to_string())
    }
}

impl<'de> Deserialize<'de> for Date {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(DateVisitor)
    }
}

impl Serialize for Date {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&self.0)
    }
}

impl JsonSchema for Date {
    fn schema_name() -> Cow<'static, str> {
        "Date".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "description": "A date in UTC: `\"2027-01-01\"`.",
            "type": "string",
            "pattern": r"^[0-9]{4}-[0-9]{2}-[0-9]{2}$",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, Deserialize)]
    struct Dated {
        from: Date,
    }

    #[test]
    fn a_date_is_text_or_a_date_of_toml() {
        for text in ["'2027-01-01'", "2027-01-01"] {
            let dated: Dated = toml::from_str(&format!("from = {text}")).unwrap();
            assert_eq!(dated.from.get().to_string(), "2027-01-01");
        }
        for other in
            ["'2027-02-30'", "2027-01-01T00:00:00Z", "2027-01-01T00:00:00", "12:00:00", "2027", "{}", "true"]
        {
            assert!(toml::from_str::<Dated>(&format!("from = {other}")).is_err(), "{other}");
        }
    }
}
