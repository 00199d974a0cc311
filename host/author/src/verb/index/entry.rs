//! An entry of an index.

use bytes::Bytes;
use pointsman_domain::text::printable;
use pointsman_policy::{Inspection, inspect};
use pointsman_supply::{PublicKey, verify};
use serde::Serialize;

/// Most policies of an index.
pub(super) const MAX_POLICIES: usize = 1_000;
/// Bytes of a file's name that are shown.
const MAX_NAME: usize = 200;

/// A policy of a folder or registry, before it is inspected.
pub(super) struct SourcePolicy {
    /// Name of the file, or reference of the artifact.
    pub(super) name: String,
    /// Tags that refer to the artifact.
    pub(super) tags: Vec<String>,
    /// Its bytes, or the reason why they cannot be read.
    pub(super) bytes: Result<Bytes, String>,
    /// Text of its signature, if it has one.
    pub(super) signature: Option<String>,
}

/// A file or artifact of an index.
#[derive(Debug, Serialize)]
pub(super) struct Entry {
    pub(super) file: String,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) tags: Vec<String>,
    pub(super) signature: SignatureState,
    #[serde(flatten)]
    pub(super) policy: IndexedPolicy,
}

/// Content of a file.
#[derive(Debug, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum IndexedPolicy {
    /// A policy, as `pointsman policy inspect --json` describes it.
    #[serde(rename = "policy")]
    Readable(Box<Inspection>),
    /// No policy.
    #[serde(untagged)]
    Unreadable {
        /// The reason.
        error: String,
    },
}

/// State of a signature.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum SignatureState {
    /// There is none.
    Absent,
    /// There is one, and no key to verify it with.
    Unverified,
    /// It is by the key.
    Verified,
    /// It is not by the key over these bytes.
    Wrong(String),
}

impl Entry {
    /// Reads a policy and verifies its signature.
    pub(super) fn of(policy: &SourcePolicy, key: Option<&PublicKey>) -> Self {
        let bytes = policy.bytes.as_deref();
        let signature = match (&policy.signature, key, &bytes) {
            (None, ..) => SignatureState::Absent,
            (Some(_), None, _) | (Some(_), _, Err(_)) => SignatureState::Unverified,
            (Some(signature), Some(key), Ok(bytes)) => match verify(bytes, signature, key) {
                Ok(()) => SignatureState::Verified,
                Err(error) => SignatureState::Wrong(error.to_string()),
            },
        };
        let read =
            bytes.map_err(Clone::clone).and_then(|bytes| inspect(bytes).map_err(|error| error.to_string()));
        let policy_read = match read {
            Ok(inspection) => IndexedPolicy::Readable(Box::new(inspection)),
            Err(error) => IndexedPolicy::Unreadable { error },
        };
        Self {
            file: printable(&policy.name, MAX_NAME),
            tags: policy.tags.clone(),
            signature,
            policy: policy_read,
        }
    }

    /// Returns whether it is no policy, or its signature is wrong.
    pub(super) fn is_faulty(&self) -> bool {
        matches!(self.signature, SignatureState::Wrong(_))
            || matches!(self.policy, IndexedPolicy::Unreadable { .. })
    }
}

impl SignatureState {
    /// Describes it in a few words.
    pub(super) fn describe(&self) -> String {
        match self {
            Self::Absent => "none".to_owned(),
            Self::Unverified => "there, not verified".to_owned(),
            Self::Verified => "verified".to_owned(),
            Self::Wrong(why) => format!("wrong: {why}"),
        }
    }
}
