//! Requests on kept connections that the server closes as they arrive.

use std::error::Error;
use std::io;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use ::http::Extensions;
use hyper_util::client::legacy;
use hyper_util::client::legacy::connect::HttpInfo;
use pointsman_domain::failure::CallFailure;

/// A connection that closes without an answer within this time had been given up before the
/// request arrived: the close was on its way. One that closes later may have worked on it.
const CLOSE_ON_ITS_WAY: Duration = Duration::from_secs(1);

/// A request without an answer.
#[derive(Debug)]
pub(super) struct SendError {
    pub(super) failure: CallFailure,
    pub(super) cause: SendErrorCause,
    pub(super) port: Option<LocalPort>,
}

/// Causes of a failed send, by what they say about the server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum SendErrorCause {
    /// The server says that it did not process the request.
    Refused,
    /// The connection closed before a byte of the answer.
    Closed,
    /// The same, and there may be other requests to which it happened at the same time.
    SharedClosed,
    /// Anything else.
    Other,
}

/// The port at this end of a connection.
#[derive(Clone, Copy, Debug)]
pub(super) struct LocalPort(u16);

/// The local ports of connections that brought an answer: a bit for each port. A new connection
/// on a port that was used before counts as a kept one; then a request that it loses is sent once
/// more, which is all that a wrong bit can cause.
pub(super) struct KeptConnections(Box<[AtomicU64]>);

impl KeptConnections {
    /// Notes that a connection brought an answer.
    pub(super) fn answered(&self, port: Option<LocalPort>) {
        if let Some((word, bit)) = port.and_then(|port| self.place(port))
            && word.load(Ordering::Relaxed) & bit == 0
        {
            word.fetch_or(bit, Ordering::Relaxed);
        }
    }

    /// Returns whether the server did nothing with a request that failed after this time: it
    /// said so, or closed a connection that it had kept open (RFC 9112, section 9.3.1).
    pub(super) fn is_unprocessed(&self, error: &SendError, after: Duration) -> bool {
        match error.cause {
            SendErrorCause::Refused => true,
            SendErrorCause::Closed | SendErrorCause::SharedClosed => {
                let Some((word, bit)) = error.port.and_then(|port| self.place(port)) else { return false };
                let was_kept = word.load(Ordering::Relaxed) & bit != 0;
                if error.cause == SendErrorCause::Closed {
                    word.fetch_and(!bit, Ordering::Relaxed);
                }
                was_kept && after < CLOSE_ON_ITS_WAY
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

impl LocalPort {
    /// Returns the port of the connection that an answer came on.
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

    /// RFC 9113, section 8.7: a stream that was refused, or is beyond the last that a server
    /// which goes away has taken, was not processed.
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
    use crate::backend::broken;

    fn error(cause: SendErrorCause, port: u16) -> SendError {
        SendError { failure: broken(String::new()), cause, port: Some(LocalPort(port)) }
    }

    #[test]
    fn a_close_means_nothing_was_done_only_at_once_and_on_a_kept_connection() {
        let kept = KeptConnections::default();
        let at_once = Duration::from_millis(5);
        for port in [0, 63, 64, 40_000, u16::MAX] {
            let closed = error(SendErrorCause::Closed, port);
            assert!(!kept.is_unprocessed(&closed, at_once), "{port}");
            kept.answered(Some(LocalPort(port)));
            assert!(kept.is_unprocessed(&closed, at_once), "{port}");
            assert!(!kept.is_unprocessed(&closed, at_once), "it is gone");
            kept.answered(Some(LocalPort(port)));
            assert!(!kept.is_unprocessed(&closed, Duration::from_secs(5)), "it was at work");
            assert!(!kept.is_unprocessed(&error(SendErrorCause::Other, port), at_once));
            assert!(kept.is_unprocessed(&error(SendErrorCause::Refused, port), Duration::from_secs(5)));
        }
    }
}
