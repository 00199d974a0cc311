//! What is asked for, and what must be true of it.

use std::fmt;
use std::time::Duration;

use crate::signature::PublicKey;
use crate::source::Source;

/// A policy to be fetched. Equal orders share what was fetched last.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Order {
    /// Where it is, and its digest if that is known.
    pub source: Source,
    /// Whose signature it must have, if it must have one.
    pub public_key: Option<PublicKey>,
    /// Most bytes that are read of it.
    pub max_bytes: usize,
    /// Longest time for all of it: every request, and the checks.
    pub timeout: Duration,
    /// Certificate authorities to trust instead of the system's, in PEM. With
    /// them, a registry on this machine is called by HTTPS as well.
    pub ca_pem: Option<Vec<u8>>,
    /// Who asks, where the server wants to know. Sent to the server that the
    /// source names, or to the one that it says issues its tokens, and to no other.
    pub credentials: Option<Credentials>,
    /// Proxies to go through.
    pub proxies: Proxies,
}

/// Proxies by the scheme of what is called, such as `http://proxy.example.com:3128`. There may
/// be user names and passwords in the addresses.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Proxies {
    /// For `http` addresses.
    pub http: Option<String>,
    /// For `https` addresses.
    pub https: Option<String>,
    /// Hosts that are called directly, as in `NO_PROXY`.
    pub exempt: String,
}

/// A user name and a password, or what a registry takes for one.
#[derive(Clone, PartialEq, Eq)]
pub struct Credentials {
    /// The name.
    pub username: String,
    /// The password or access token. Not shown by `Debug`.
    pub password: String,
}

impl Order {
    /// The usual limits: 32 MiB, one minute, the system's certificate authorities.
    pub fn new(source: Source) -> Self {
        Self {
            source,
            public_key: None,
            max_bytes: 32 << 20,
            timeout: Duration::from_secs(60),
            ca_pem: None,
            credentials: None,
            proxies: Proxies::default(),
        }
    }
}

impl fmt::Debug for Proxies {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Proxies").field("exempt", &self.exempt).finish_non_exhaustive()
    }
}

impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Credentials").field("username", &self.username).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_is_not_shown_by_debug() {
        let credentials = Credentials { username: "reader".to_owned(), password: "let-me-in".to_owned() };
        assert_eq!(format!("{credentials:?}"), r#"Credentials { username: "reader", .. }"#);
    }
}
