//! Detection of requests that were lost because the server closed an idle connection as they arrived.

use std::error::Error;
use std::io;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use ::http::Extensions;
use hyper_util::client::legacy;
use hyper_util::client::legacy::connect::HttpInfo;
use pointsman_domain::failure::CallFailure;

use super::ConnectCause;

/// Longest time after which a close without a response still means that the server had closed
/// the connection before the request arrived. A server that closes later may have processed it.
const MAX_CLOSE_DELAY: Duration = Duration::from_secs(1);

/// Failure of a request without a response.
#[derive(Debug)]
pub(crate) struct SendError {
    pub(crate) failure: CallFailure,
    /// Cause, if no connection could be opened.
    pub(crate) connect: Option<ConnectCause>,
    pub(super) cause: SendErrorCause,
    pub(super) port: Option<LocalPort>,
}

/// Cause of a failed send.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum SendErrorCause {
    /// The server reported that it did not process the request.
    Refused,
    /// The connection closed before a byte of the response.
    Closed,
    /// The connection closed, and may have carried other requests at the same time.
    SharedClosed,
    /// Any other cause.
    Other,
}

/// Port at the gateway's end of a connection.
#[derive(Clone, Copy, Debug)]
pub(crate) struct LocalPort(u16);

/// Local ports of connections that delivered a response, as one bit for each port. A new
/// connection on a port that was used before counts as a kept one. The only effect of such a
/// wrong bit is that a request lost on it is sent once more.
pub(super) struct KeptConnections(Box<[AtomicU64]>);

impl KeptConnections {
    /// Records that a connection delivered a response.
    pub(super) fn record_response(&self, port: Option<LocalPort>) {
        if let Some((word, bit)) = port.and_then(|port| self.place(port))
            && word.load(Ordering::Relaxed) & bit == 0
        {
            word.fetch_or(bit, Ordering::Relaxed);
        }
    }

    /// Returns whether the server did not process a request that failed after this time: it
    /// reported so, or closed a connection that it had kept open (RFC 9112, section 9.3.1).
    pub(super) fn is_unprocessed(&self, error: &SendError, after: Duration) -> bool {
        match error.cause {
            SendErrorCause::Refused => true,
            SendErrorCause::Closed | SendErrorCause::SharedClosed => {
                let Some((word, bit)) = error.port.and_then(|port| self.place(port)) else { return false };
                let was_kept = word.load(Ordering::Relaxed) & bit != 0;
                if error.cause == SendErrorCause::Closed {
                    word.fetch_and(!bit, Ordering::Relaxed);
                }
                was_kept && after < MAX_CLOSE_DELAY
            }
            SendErrorCause::Other => false,
        }
    }

    fn place(&self, port: LocalPort) -> Option<(&AtomicU64, u64)> {
        let word = self.0.get(usize::from(port.0 / 64))?;
        Some((word, 1 << (port.0 % 64)))
    }
}

impl Default for KeptConnections {
    fn default() -> Self {
        Self((0..=u16::MAX / 64).map(|_| AtomicU64::new(0)).collect())
    }
}

impl SendError {
    /// Returns the error of a request that could not be made.
    pub(crate) fn before_sending(failure: CallFailure) -> Self {
        Self { failure, connect: None, cause: SendErrorCause::Other, port: None }
    }
}

impl LocalPort {
    /// Returns the port of the connection that a response arrived on.
    pub(super) fn of(extensions: &Extensions) -> Option<Self> {
        extensions.get::<HttpInfo>().map(HttpInfo::local_addr).as_ref().map(SocketAddr::port).map(Self)
    }

    /// Returns the port of the connection on which a request failed.
    pub(super) fn of_error(error: &legacy::Error) -> Option<Self> {
        let mut extensions = Extensions::new();
        error.connect_info()?.get_extras(&mut extensions);
        Self::of(&extensions)
    }
}

impl SendErrorCause {
    pub(super) fn of(error: &legacy::Error) -> Self {
        let mut source = error.source();
        while let Some(cause) = source {
            if let Some(error) = cause.downcast_ref::<h2::Error>() {
                return Self::of_http2(error);
            }
            if cause.downcast_ref::<hyper::Error>().is_some_and(hyper::Error::is_incomplete_message)
                || cause.downcast_ref::<io::Error>().is_some_and(is_close)
            {
                return Self::Closed;
            }
            source = cause.source();
        }
        Self::Other
    }

    /// Classifies an error of HTTP/2. A stream that was refused, or is beyond the last one that a
    /// closing server accepted, was not processed (RFC 9113, section 8.7).
    fn of_http2(error: &h2::Error) -> Self {
        if error.get_io().is_some_and(is_close) {
            return Self::SharedClosed;
        }
        let is_refused = error.is_reset() && error.reason() == Some(h2::Reason::REFUSED_STREAM);
        let is_goodbye = error.is_go_away() && error.reason() == Some(h2::Reason::NO_ERROR);
        if error.is_remote() && (is_refused || is_goodbye) { Self::Refused } else { Self::Other }
    }
}

fn is_close(error: &io::Error) -> bool {
    use io::ErrorKind::{BrokenPipe, ConnectionAborted, ConnectionReset, UnexpectedEof};
    matches!(error.kind(), BrokenPipe | ConnectionAborted | ConnectionReset | UnexpectedEof)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn error(cause: SendErrorCause, port: u16) -> SendError {
        SendError {
            failure: CallFailure::broken(String::new()),
            connect: None,
            cause,
            port: Some(LocalPort(port)),
        }
    }

    #[test]
    fn a_request_is_unprocessed_only_if_a_kept_connection_closed_at_once() {
        let kept = KeptConnections::default();
        let at_once = Duration::from_millis(5);
        for port in [0, 63, 64, 40_000, u16::MAX] {
            let closed = error(SendErrorCause::Closed, port);
            assert!(!kept.is_unprocessed(&closed, at_once), "{port}");
            kept.record_response(Some(LocalPort(port)));
            assert!(kept.is_unprocessed(&closed, at_once), "{port}");
            assert!(!kept.is_unprocessed(&closed, at_once), "it is gone");
            kept.record_response(Some(LocalPort(port)));
            assert!(!kept.is_unprocessed(&closed, Duration::from_secs(5)), "it was at work");
            assert!(!kept.is_unprocessed(&error(SendErrorCause::Other, port), at_once));
            assert!(kept.is_unprocessed(&error(SendErrorCause::Refused, port), Duration::from_secs(5)));
        }
    }
}
