//! API keys of clients.

use std::fmt;

use serde::{Deserialize, Deserializer, Serialize};

/// All keys: the response to `GET /admin/keys`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(default)]
pub struct KeyList {
    /// True if the gateway serves no request without a key.
    pub required: bool,
    /// True if keys can be created: the gateway has a state directory to store them in.
    pub can_store: bool,
    /// The keys of the file, in its order, then the stored ones, by name.
    pub keys: Vec<KeyStatus>,
}

/// Key of a client. Times are in seconds since 1970.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct KeyStatus {
    /// Its name.
    pub name: String,
    /// The place where it is defined.
    pub source: KeySource,
    /// Its state.
    pub state: KeyState,
    /// Routes, models and aliases that it may request, as names and patterns. All if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub routes: Option<Vec<String>>,
    /// Time of its creation, if it is stored.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub created: Option<u64>,
    /// Time of the last rotation, if there was one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rotated: Option<u64>,
    /// End of the time in which the key before the rotation is accepted too, while it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub grace_until: Option<u64>,
    /// Time from which it is not accepted, if there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires: Option<u64>,
    /// Requests with the key that have ended, since the start of the gateway.
    #[serde(default)]
    pub requests: u64,
    /// Their cost in US dollars.
    #[serde(default)]
    pub cost_usd: f64,
}

/// Place where a key is defined.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum KeySource {
    /// The configuration file.
    File,
    /// The state directory: it was created through the admin API.
    Store,
    /// A place that this version does not know.
    #[serde(untagged)]
    Other(String),
}

/// State of a key.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum KeyState {
    /// Requests with it are served.
    Active,
    /// An operator disabled it.
    Disabled,
    /// Its time is over.
    Expired,
    /// A state that this version does not know.
    #[serde(untagged)]
    Other(String),
}

/// A key that was just created or rotated: the response to `POST /admin/keys` and to
/// `POST /admin/keys/NAME/rotate`. The key itself is not shown again.
#[derive(Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct IssuedKey {
    /// The key that the client sends.
    pub key: String,
    /// Its status.
    #[serde(flatten)]
    pub status: KeyStatus,
}

/// The body of `POST /admin/keys`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct CreateKeyRequest {
    /// The name.
    pub name: String,
    /// Routes, models and aliases that it may request, as names and patterns. All if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub routes: Option<Vec<String>>,
    /// Time after which it expires, such as `30d`. Never if this and `expires_at` are absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires_in: Option<String>,
    /// Time at which it expires.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<TimeValue>,
    /// The reason, for the audit log.
    #[serde(default)]
    pub why: String,
}

/// The body of `POST /admin/keys/NAME/rotate`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct RotateKeyRequest {
    /// Time in which the old key is accepted too, such as `24h`; `0` for none. `24h` if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub grace: Option<String>,
    /// The reason, for the audit log.
    #[serde(default)]
    pub why: String,
}

/// The body of `PATCH /admin/keys/NAME`: members that are absent stay as they are.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct ChangeKeyRequest {
    /// True to disable it, false to enable it again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub disabled: Option<bool>,
    /// Time after which it expires, such as `30d`; `0` for at once.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires_in: Option<String>,
    /// Time at which it expires; null for never.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "present")]
    pub expires_at: Option<Option<TimeValue>>,
    /// Routes, models and aliases that it may request, as names and patterns; null for all.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "present")]
    pub routes: Option<Option<Vec<String>>>,
    /// The reason, for the audit log.
    #[serde(default)]
    pub why: String,
}

/// A time.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(untagged, expecting = "a time has to be text such as \"2027-01-31\", or seconds since 1970")]
pub enum TimeValue {
    /// Seconds since 1970.
    UnixSeconds(u64),
    /// A date in UTC, such as `2027-01-31`, or a time, such as `2027-01-31T12:00:00Z`.
    Text(String),
}

/// Reads a member that is there, which may be null.
fn present<'de, D: Deserializer<'de>, T: Deserialize<'de>>(
    deserializer: D,
) -> Result<Option<Option<T>>, D::Error> {
    Option::deserialize(deserializer).map(Some)
}

impl fmt::Debug for IssuedKey {
    /// Leaves out the key.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("IssuedKey").field("status", &self.status).finish_non_exhaustive()
    }
}

impl KeyState {
    /// Returns its name.
    pub fn as_str(&self) -> &str {
        match self {
            Self::Active => "active",
            Self::Disabled => "disabled",
            Self::Expired => "expired",
            Self::Other(name) => name,
        }
    }
}

impl KeySource {
    /// Returns its name.
    pub fn as_str(&self) -> &str {
        match self {
            Self::File => "file",
            Self::Store => "store",
            Self::Other(name) => name,
        }
    }
}
