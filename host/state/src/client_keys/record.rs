//! Form of a stored key: JSON with a version.
//!
//! A later version may add members, such as limits. A gateway that ignored them would serve what it should not,
//! so members that are unknown are refused.

use std::fmt::Write;

use serde::{Deserialize, Serialize};

use super::{PreviousKey, StoredKey};

/// Version of the form that this gateway writes, and the last one that it reads.
const VERSION: u32 = 1;

/// Reason why a stored key cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum UnreadableKey {
    /// It was stored by a later version.
    #[error("a later version of Pointsman stored it, in form {0}, which this one does not read")]
    Later(u32),
    /// Its text is not of the form.
    #[error("it is damaged: {0}")]
    Damaged(String),
}

#[derive(Deserialize)]
struct Versioned {
    version: u32,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct KeyRecord {
    version: u32,
    sha256: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    previous: Option<PreviousRecord>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    routes: Option<Vec<String>>,
    created: u64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    rotated: Option<u64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    expires: Option<u64>,
    #[serde(default)]
    disabled: bool,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct PreviousRecord {
    sha256: String,
    until: u64,
}

/// Encodes a key.
pub(super) fn encode(key: &StoredKey) -> Result<Vec<u8>, serde_json::Error> {
    let previous =
        key.previous.map(|PreviousKey { sha256, until }| PreviousRecord { sha256: hex(&sha256), until });
    serde_json::to_vec(&KeyRecord {
        version: VERSION,
        sha256: hex(&key.sha256),
        previous,
        routes: key.routes.clone(),
        created: key.created,
        rotated: key.rotated,
        expires: key.expires,
        disabled: key.disabled,
    })
}

/// Decodes the key of a name.
pub(super) fn decode(name: &str, bytes: &[u8]) -> Result<StoredKey, UnreadableKey> {
    let damaged = |error: serde_json::Error| UnreadableKey::Damaged(error.to_string());
    let Versioned { version } = serde_json::from_slice(bytes).map_err(damaged)?;
    if version > VERSION {
        return Err(UnreadableKey::Later(version));
    }
    let record: KeyRecord = serde_json::from_slice(bytes).map_err(damaged)?;
    let hash = |text: &str| {
        unhex(text).ok_or_else(|| UnreadableKey::Damaged("its hash is not 64 hex digits".to_owned()))
    };
    let previous = record.previous.map(|previous| {
        Ok::<_, UnreadableKey>(PreviousKey { sha256: hash(&previous.sha256)?, until: previous.until })
    });
    Ok(StoredKey {
        name: name.to_owned(),
        sha256: hash(&record.sha256)?,
        previous: previous.transpose()?,
        routes: record.routes,
        created: record.created,
        rotated: record.rotated,
        expires: record.expires,
        disabled: record.disabled,
    })
}

fn hex(bytes: &[u8; 32]) -> String {
    bytes.iter().fold(String::with_capacity(64), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

fn unhex(text: &str) -> Option<[u8; 32]> {
    if text.len() != 64 || !text.bytes().all(|digit| digit.is_ascii_hexdigit()) {
        return None;
    }
    let mut bytes = [0; 32];
    for (byte, start) in bytes.iter_mut().zip((0..).step_by(2)) {
        *byte = u8::from_str_radix(&text[start..start + 2], 16).ok()?;
    }
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key() -> StoredKey {
        StoredKey {
            name: "app".to_owned(),
            sha256: [0xab; 32],
            previous: Some(PreviousKey { sha256: [7; 32], until: 99 }),
            routes: Some(vec!["main".to_owned(), "gpt-*".to_owned()]),
            created: 1,
            rotated: Some(2),
            expires: Some(3),
            disabled: true,
        }
    }

    #[test]
    fn a_key_is_read_as_it_was_written() {
        let bare = StoredKey {
            previous: None,
            routes: None,
            rotated: None,
            expires: None,
            disabled: false,
            ..key()
        };
        for key in [key(), bare] {
            assert_eq!(decode("app", &encode(&key).unwrap()).unwrap(), key);
        }
    }

    #[test]
    fn the_form_of_this_version_stays_readable() {
        let hash = "ab".repeat(32);
        let text = format!(r#"{{"version":1,"sha256":"{hash}","created":5,"disabled":false}}"#);
        let read = decode("app", text.as_bytes()).unwrap();
        assert_eq!((read.sha256, read.created, read.routes.as_ref()), ([0xab; 32], 5, None));
        assert_eq!(String::from_utf8(encode(&read).unwrap()).unwrap(), text);
    }

    #[test]
    fn a_key_of_a_later_version_and_a_damaged_one_are_refused_with_the_reason() {
        let hash = "ab".repeat(32);
        let refused = |text: &str| decode("app", text.as_bytes()).unwrap_err().to_string();
        let later = refused(&format!(r#"{{"version":2,"sha256":"{hash}","created":5,"budget":1}}"#));
        assert!(later.contains("a later version of Pointsman stored it, in form 2"), "{later}");
        let unknown = refused(&format!(r#"{{"version":1,"sha256":"{hash}","created":5,"budget":1}}"#));
        assert!(unknown.contains("damaged") && unknown.contains("`budget`"), "{unknown}");
        for text in ["", "{}", "pm-0", r#"{"version":1,"sha256":"abcd","created":5}"#] {
            assert!(refused(text).contains("damaged"), "{text}");
        }
        let not_hex = format!(r#"{{"version":1,"sha256":"{}","created":5}}"#, "é".repeat(32));
        assert!(refused(&not_hex).contains("64 hex digits"));
    }
}
