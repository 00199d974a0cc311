//! Errors of fetching and publishing a policy.

use std::time::Duration;

use pointsman_domain::ids::Digest;

use crate::signature::SignatureError;

/// A policy was not fetched or published. `at` is the path or URL concerned, without secrets. Messages are for
/// operators.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SupplyError {
    /// The file cannot be read, or is not a regular file.
    #[error("cannot read {at}: {reason}")]
    Unreadable {
        /// The path.
        at: String,
        /// Message of the operating system.
        reason: String,
        /// Error code of the operating system.
        code: Option<i32>,
    },
    /// The connection failed.
    #[error("cannot reach {at}: {reason}; is the address right, and the server up?")]
    Unreachable {
        /// The URL.
        at: String,
        /// The cause.
        reason: String,
    },
    /// The response did not arrive completely.
    #[error("the response of {at} broke off: {reason}")]
    Broken {
        /// The URL.
        at: String,
        /// The cause.
        reason: String,
    },
    /// The fetch exceeded its time limit.
    #[error("{at} took longer than {limit:?}")]
    TimedOut {
        /// The source.
        at: String,
        /// The time limit.
        limit: Duration,
    },
    /// The server responded with an error status.
    #[error("{at} responds with status {status}: {}", advice(*.status))]
    Status {
        /// The URL.
        at: String,
        /// The HTTP status.
        status: u16,
    },
    /// The registry denies access without credentials or with these credentials.
    #[error("{at} refuses: {reason}")]
    Unauthorized {
        /// The URL.
        at: String,
        /// The reason.
        reason: String,
    },
    /// The server redirects to a place that must not be followed.
    #[error("{at} redirects {reason}")]
    Redirect {
        /// The URL.
        at: String,
        /// The target and the reason, continuing "redirects".
        reason: String,
    },
    /// The file or response is larger than allowed.
    #[error("{at} has more than the {limit} bytes that are allowed; if it is meant to, raise the limit")]
    TooLarge {
        /// The path or URL.
        at: String,
        /// Largest allowed size in bytes.
        limit: usize,
    },
    /// The bytes have another digest than expected.
    #[error(
        "{at} has the SHA-256 {found}, not {expected} as expected: it was replaced, or the expected one is out of date"
    )]
    WrongDigest {
        /// The path or URL.
        at: String,
        /// The expected digest.
        expected: Digest,
        /// The digest of the bytes.
        found: Digest,
    },
    /// The registry does not take the upload.
    #[error("{at} refuses the upload with status {status}: {}{words}", upload_advice(*.status))]
    Rejected {
        /// The URL.
        at: String,
        /// The HTTP status.
        status: u16,
        /// The registry's own message in parentheses; empty if there is none.
        words: String,
    },
    /// The server does not follow the API of registries.
    #[error("{at} is not a registry that takes uploads: {reason}; is the host right?")]
    NotRegistry {
        /// The URL.
        at: String,
        /// The reason.
        reason: String,
    },
    /// The registry's list of tags cannot be read.
    #[error("{at}: {reason}; is it a registry?")]
    Listing {
        /// The URL.
        at: String,
        /// The reason.
        reason: String,
    },
    /// The reference of an upload has no tag.
    #[error(
        "{at} names a digest, which follows from the content; to publish, name a tag, as in REPOSITORY:1.0.0"
    )]
    NoTag {
        /// The reference.
        at: String,
    },
    /// The manifest does not describe a policy.
    #[error("{at} is not a policy: {reason}; publish it with `pointsman policy push`")]
    Manifest {
        /// The URL.
        at: String,
        /// The reason.
        reason: String,
    },
    /// The signature is missing or invalid.
    #[error("{error} (looked for in {at})")]
    Signature {
        /// Place of the signature.
        at: String,
        /// The reason.
        error: SignatureError,
    },
    /// The configured certificate authorities cannot be parsed.
    #[error("the certificate authorities are not PEM certificates: {reason}")]
    Authorities {
        /// The reason.
        reason: String,
    },
    /// The HTTP client cannot be built.
    #[error("cannot set up the HTTP client: {reason}")]
    Client {
        /// The reason.
        reason: String,
    },
}

impl SupplyError {
    /// Returns whether the error may be temporary: the server could not be reached, or failed for
    /// reasons of its own, so that a later fetch may succeed. A wrong response is not temporary.
    pub fn is_unreachable(&self) -> bool {
        match self {
            Self::Unreachable { .. } | Self::Broken { .. } | Self::TimedOut { .. } => true,
            Self::Status { status, .. } | Self::Rejected { status, .. } => {
                matches!(status, 408 | 429 | 500..)
            }
            _ => false,
        }
    }
}

/// Advises what to do about an HTTP status.
fn advice(status: u16) -> &'static str {
    match status {
        401 | 403 => "it requires other credentials",
        404 => "there is nothing by this name; was it published?",
        429 => "it was called too often; poll less often",
        500.. => "the server has failed",
        _ => "which is unexpected here",
    }
}

/// Advises what to do about the HTTP status of an upload.
fn upload_advice(status: u16) -> &'static str {
    match status {
        404 => "there is no such repository; some registries need it to be created first",
        405 | 501 => "it takes no uploads, as a mirror does not; push to the registry behind it",
        408 => "it waited too long for the upload; try again",
        413 => "the policy is larger than the registry, or a proxy before it, accepts; raise the limit there",
        429 => "it was called too often; try again later",
        500.. => "the server has failed; try again later",
        _ => "it does not accept the request",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_failures_to_reach_a_server_and_of_the_server_are_temporary() {
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
