//! Requests to cache a prompt: `cache_control`.

use serde::Serialize;
use serde_json::value::RawValue;

use crate::form::{CacheHint, CacheLifetime, Losses};
use crate::json::{MemberPath, ObjectMembers};
use pointsman_domain::serving_error::ServingError;

/// Name of the member.
pub(super) const CACHE_CONTROL: &str = "cache_control";

/// `cache_control` of a block or a tool.
#[derive(Clone, Copy, Debug, Serialize)]
#[serde(tag = "type", rename = "ephemeral")]
pub(super) struct CacheControl {
    #[serde(skip_serializing_if = "Option::is_none")]
    ttl: Option<&'static str>,
}

impl From<CacheHint> for CacheControl {
    fn from(hint: CacheHint) -> Self {
        let ttl = hint.lifetime.map(|lifetime| match lifetime {
            CacheLifetime::FiveMinutes => "5m",
            CacheLifetime::OneHour => "1h",
        });
        Self { ttl }
    }
}

/// Removes `cache_control` from the members of a block or a tool, and parses it. A lifetime that is
/// not known is a loss.
pub(super) fn take_cache_hint(
    members: &mut ObjectMembers<'_>,
    path: &MemberPath<'_>,
    losses: &mut Losses,
) -> Result<Option<CacheHint>, ServingError> {
    members.take(CACHE_CONTROL).map(|value| parse(value, &path.member(CACHE_CONTROL), losses)).transpose()
}

fn parse(value: &RawValue, path: &MemberPath<'_>, losses: &mut Losses) -> Result<CacheHint, ServingError> {
    let mut members = ObjectMembers::parse(value, path)?;
    members.take("type");
    let ttl: Option<String> = members.take_as("ttl", path, "a string")?;
    let lifetime = match ttl.as_deref() {
        None => None,
        Some("5m") => Some(CacheLifetime::FiveMinutes),
        Some("1h") => Some(CacheLifetime::OneHour),
        Some(_) => {
            losses.advisory(path.member("ttl").to_string());
            None
        }
    };
    super::record_rest(members, path, losses);
    Ok(CacheHint { lifetime })
}
