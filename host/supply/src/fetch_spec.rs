//! The specification of a policy to fetch.

use std::fmt;
use std::time::Duration;

use crate::signature::PublicKey;
use crate::source::Source;

/// A policy to fetch, and the requirements on its bytes. Equal specifications share one cached
/// result.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FetchSpec {
    /// Place of the policy, and its digest if known.
    pub source: Source,
    /// Key that must have signed the policy, if any.
    pub public_key: Option<PublicKey>,
    /// Largest allowed size in bytes.
    pub max_bytes: usize,
    /// Longest time for the whole fetch: all requests, and verification.
    pub timeout: Duration,
    /// Access to the servers.
    pub access: RemoteAccess,
}

/// Access to the servers that store policies.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RemoteAccess {
    /// Certificate authorities to trust instead of the system's, in PEM. With them, a registry on
    /// this machine is called over HTTPS as well.
    pub ca_pem: Option<Vec<u8>>,
    /// Credentials for servers that require them. Sent only to the server of the policy, or to the one
    /// that it names as its token issuer.
    pub credentials: Option<Credentials>,
    /// Proxies for requests.
    pub proxies: Proxies,
}

/// Proxy addresses by URL scheme, such as `http://proxy.example.com:3128`. The addresses may contain
/// user names and passwords.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Proxies {
    /// Proxy for `http` URLs.
    pub http: Option<String>,
    /// Proxy for `https` URLs.
    pub https: Option<String>,
    /// Hosts to call directly, in the syntax of `NO_PROXY`.
    pub exempt: String,
}

/// A user name and password, or the equivalents that a registry accepts.
#[derive(Clone, PartialEq, Eq)]
pub struct Credentials {
    /// The user name.
    pub username: String,
    /// The password or access token. Omitted by `Debug`.
    pub password: String,
}

impl FetchSpec {
    /// Creates a specification with the usual limits: 32 MiB, one minute, the system's certificate
    /// authorities.
    pub fn new(source: Source) -> Self {
        Self {
            source,
            public_key: None,
            max_bytes: 32 << 20,
            timeout: Duration::from_secs(60),
            access: RemoteAccess::default(),
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
    fn debug_output_omits_the_password() {
        let credentials = Credentials { username: "reader".to_owned(), password: "let-me-in".to_owned() };
        assert_eq!(format!("{credentials:?}"), r#"Credentials { username: "reader", .. }"#);
    }
}
