//! Causes of connections that could not be opened.

use std::error::Error;
use std::fmt;
use std::io;

use rustls::pki_types::InvalidDnsNameError;

/// Cause of a connection that could not be opened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ConnectCause {
    /// The name of the host does not resolve.
    Dns,
    /// Nothing listens at the address.
    Refused,
    /// No network leads to the address.
    NoRoute,
    /// The TLS handshake failed.
    Tls,
    /// A time limit expired.
    Timeout,
    /// Any other cause, such as a proxy's refusal.
    Other,
}

impl ConnectCause {
    /// Every cause, in the order of the variants.
    pub const ALL: [Self; 6] =
        [Self::Dns, Self::Refused, Self::NoRoute, Self::Tls, Self::Timeout, Self::Other];

    /// Returns the name in reports.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Dns => "dns",
            Self::Refused => "refused",
            Self::NoRoute => "no-route",
            Self::Tls => "tls",
            Self::Timeout => "timeout",
            Self::Other => "other",
        }
    }

    /// Finds the cause of a client's error among its sources.
    pub(super) fn of(error: &(dyn Error + 'static)) -> Self {
        Self::find(error).unwrap_or(Self::Other)
    }

    fn find(error: &(dyn Error + 'static)) -> Option<Self> {
        if error.is::<rustls::Error>() {
            return Some(Self::Tls);
        }
        if let Some(error) = error.downcast_ref::<io::Error>() {
            match error.kind() {
                io::ErrorKind::ConnectionRefused => return Some(Self::Refused),
                io::ErrorKind::TimedOut => return Some(Self::Timeout),
                io::ErrorKind::HostUnreachable | io::ErrorKind::NetworkUnreachable => {
                    return Some(Self::NoRoute);
                }
                _ => {}
            }
            // The source of such an error is that of its inner one, which would be left out.
            if let Some(cause) = error.get_ref().and_then(|inner| Self::find(inner)) {
                return Some(cause);
            }
        }
        // The connector's error is private, and this is its whole text. TLS rejects names that none can have.
        if error.is::<InvalidDnsNameError>() || error.to_string() == "dns error" {
            return Some(Self::Dns);
        }
        error.source().and_then(Self::find)
    }
}

impl fmt::Display for ConnectCause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
