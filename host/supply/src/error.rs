//! Why a policy was not fetched.

use std::time::Duration;

use pointsman_domain::ids::Digest;

use crate::signature::SignatureError;

/// Why there are no bytes. `at` is the path or the address that was asked, without
/// any secrets; messages are fit for an operator.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SupplyError {
    /// A file that cannot be read, or is none.
    #[error("cannot read {at}: {reason}")]
    Unreadable {
        /// The path.
        at: String,
        /// What the system says.
        reason: String,
        /// The system's code for it.
        code: Option<i32>,
    },
    /// No connection.
    #[error("cannot reach {at}: {reason}; is the address right, and the server up?")]
    Unreachable {
        /// The address.
        at: String,
        /// What the connection failed at.
        reason: String,
    },
    /// An answer that does not come, or not to its end.
    #[error("the answer of {at} broke off: {reason}")]
    Broken {
        /// The address.
        at: String,
        /// How.
        reason: String,
    },
    /// It took too long.
    #[error("{at} took longer than {limit:?}")]
    TimedOut {
        /// The source.
        at: String,
        /// The order's timeout.
        limit: Duration,
    },
    /// Another answer than what was asked for.
    #[error("{at} answers with status {status}: {}", advice(*.status))]
    Status {
        /// The address.
        at: String,
        /// The HTTP status.
        status: u16,
    },
    /// A registry that lets nobody in, or nobody with these credentials.
    #[error("{at} refuses: {reason}")]
    Unauthorized {
        /// The address.
        at: String,
        /// What is missing.
        reason: String,
    },
    /// A redirect that is not followed.
    #[error("{at} redirects {reason}")]
    Redirect {
        /// The address.
        at: String,
        /// Where to, and why not.
        reason: String,
    },
    /// More bytes than allowed.
    #[error("{at} has more than the {limit} bytes that are allowed; if it is meant to, raise the limit")]
    TooLarge {
        /// The path or address.
        at: String,
        /// Most bytes.
        limit: usize,
    },
    /// Other bytes than expected.
    #[error(
        "{at} has the SHA-256 {found}, not {expected} as expected: it was replaced, or the expected one is out of date"
    )]
    WrongDigest {
        /// The path or address.
        at: String,
        /// What was expected.
        expected: Digest,
        /// What is there.
        found: Digest,
    },
    /// A manifest that is not that of a policy.
    #[error("{at} is no policy: {reason}; `wkg oci push` makes what is expected")]
    Manifest {
        /// The address.
        at: String,
        /// What is wrong with it.
        reason: String,
    },
    /// Not signed by whom it has to be.
    #[error("{error} (looked for in {at})")]
    Signature {
        /// Where the signature belongs.
        at: String,
        /// What is wrong with it.
        error: SignatureError,
    },
    /// No certificate authorities in what was given as such.
    #[error("the certificate authorities are not PEM certificates: {reason}")]
    Authorities {
        /// What is wrong with them.
        reason: String,
    },
    /// The client cannot be built.
    #[error("cannot set up the HTTP client: {reason}")]
    Client {
        /// Why not.
        reason: String,
    },
}

impl SupplyError {
    /// Returns whether a server could not be asked, or could not answer for reasons of its own,
    /// so that the same question may be answered later. An answer that is no good does not count.
    pub fn is_unreachable(&self) -> bool {
        match self {
            Self::Unreachable { .. } | Self::Broken { .. } | Self::TimedOut { .. } => true,
            Self::Status { status, .. } => matches!(status, 408 | 429 | 500..),
            _ => false,
        }
    }
}

/// What to do about an HTTP status.
fn advice(status: u16) -> &'static str {
    match status {
        401 | 403 => "it wants other credentials",
        404 => "there is nothing by this name; was it published?",
        429 => "it was asked too often; poll less",
        500.. => "it has a fault of its own",
        _ => "which is no answer to this request",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_servers_that_cannot_be_asked_or_cannot_answer_are_unreachable() {
        let (at, reason) = (String::from("oci://example.com/router"), String::new());
        for (status, expected) in
            [(408, true), (429, true), (500, true), (503, true), (401, false), (403, false), (404, false)]
        {
            let error = SupplyError::Status { at: at.clone(), status };
            assert_eq!(error.is_unreachable(), expected, "{status}");
        }
        let (at, reason) = (|| at.clone(), || reason.clone());
        for (error, expected) in [
            (SupplyError::Unreachable { at: at(), reason: reason() }, true),
            (SupplyError::Broken { at: at(), reason: reason() }, true),
            (SupplyError::TimedOut { at: at(), limit: Duration::from_secs(60) }, true),
            (SupplyError::Unauthorized { at: at(), reason: reason() }, false),
            (SupplyError::Redirect { at: at(), reason: reason() }, false),
            (SupplyError::Manifest { at: at(), reason: reason() }, false),
            (SupplyError::TooLarge { at: at(), limit: 1 }, false),
            (SupplyError::Unreadable { at: at(), reason: reason(), code: None }, false),
        ] {
            assert_eq!(error.is_unreachable(), expected, "{error}");
        }
    }
}
