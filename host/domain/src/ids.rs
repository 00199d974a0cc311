//! Identifiers that several crates use, each with its own type.

use std::borrow::Borrow;
use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

macro_rules! name {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
        #[serde(from = "String", into = "String")]
        pub struct $name(Arc<str>);

        impl From<String> for $name {
            fn from(name: String) -> Self {
                Self(name.into())
            }
        }

        impl From<$name> for String {
            fn from(name: $name) -> Self {
                (*name.0).to_owned()
            }
        }

        impl $name {
            /// Wraps a name. The configuration validates names; this type accepts any.
            pub fn new(name: impl Into<Arc<str>>) -> Self {
                Self(name.into())
            }

            /// Returns the name.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl Borrow<str> for $name {
            fn borrow(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{:?}", &*self.0)
            }
        }
    };
}

name! {
    /// Name of a backend in the configuration.
    BackendName
}
name! {
    /// Id of a model, `backend/model`, unique in the catalogue.
    ModelId
}
name! {
    /// Name of a route: a model name that clients request and a policy resolves.
    RouteName
}
name! {
    /// Name of a policy in the configuration, whatever version is loaded.
    PolicyName
}
name! {
    /// Name of a client's API key.
    KeyName
}

/// SHA-256 of a policy's bytes, which identifies its version.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Digest([u8; 32]);

impl Digest {
    /// Wraps a SHA-256 sum.
    pub const fn new(sha256: [u8; 32]) -> Self {
        Self(sha256)
    }

    /// Returns the first 12 hex digits, which are enough to identify a version in a header or a
    /// table.
    pub fn short(&self) -> String {
        self.0[..6].iter().flat_map(|&byte| hex(byte)).map(char::from).collect()
    }
}

fn hex(byte: u8) -> [u8; 2] {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    [DIGITS[usize::from(byte >> 4)], DIGITS[usize::from(byte & 15)]]
}

/// Text that is not the 64 hex digits of a SHA-256 sum.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a SHA-256 digest: 64 hex digits are expected, with `sha256:` before them or not")]
pub struct InvalidDigest;

impl FromStr for Digest {
    type Err = InvalidDigest;

    fn from_str(text: &str) -> Result<Self, InvalidDigest> {
        let hex = text.strip_prefix("sha256:").unwrap_or(text).as_bytes();
        let (pairs, []) = hex.as_chunks::<2>() else { return Err(InvalidDigest) };
        let pairs: &[[u8; 2]; 32] = pairs.try_into().map_err(|_| InvalidDigest)?;
        let mut sum = [0; 32];
        for (byte, pair) in sum.iter_mut().zip(pairs) {
            let digit = |hex: u8| char::from(hex).to_digit(16).ok_or(InvalidDigest);
            *byte = (digit(pair[0])? * 16 + digit(pair[1])?) as u8;
        }
        Ok(Self(sum))
    }
}

impl TryFrom<String> for Digest {
    type Error = InvalidDigest;

    fn try_from(text: String) -> Result<Self, InvalidDigest> {
        text.parse()
    }
}

impl From<Digest> for String {
    fn from(digest: Digest) -> Self {
        digest.to_string()
    }
}

impl fmt::Display for Digest {
    /// Writes all 64 hex digits.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let digits = self.0.map(hex);
        f.write_str(str::from_utf8(digits.as_flattened()).unwrap_or_default())
    }
}

impl fmt::Debug for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.short())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_digest_shows_twelve_digits_short_and_all_in_full() {
        let digest = Digest::new([0xab; 32]);
        assert_eq!(digest.short(), "abababababab");
        assert_eq!(digest.to_string(), "ab".repeat(32));
    }

    #[test]
    fn a_digest_is_read_as_it_is_shown_and_nothing_else_is() {
        let digest = Digest::new([0xab; 32]);
        assert_eq!(digest.to_string().parse(), Ok(digest));
        assert_eq!(format!("sha256:{digest}").parse(), Ok(digest));
        for no_digest in ["", "ab", &"ab".repeat(33), &"xy".repeat(32), &"é".repeat(32)] {
            assert_eq!(no_digest.parse::<Digest>(), Err(InvalidDigest), "{no_digest}");
        }
    }
}
