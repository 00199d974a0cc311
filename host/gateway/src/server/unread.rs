//! Request bodies, and the rest that a handler leaves unread.
//!
//! Closing a socket with unread bytes resets the connection, and a reset may destroy a response
//! that the client has not read yet (RFC 9112, section 9.6). So the rest of a body is discarded
//! before its response is sent. What exceeds the limits closes the connection: the response says
//! so, and [`TrackedStream`](super::stream::TrackedStream) reads on until the client has noticed.

use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, header};
use http_body_util::BodyExt;
use hyper::body::{Body, Frame, Incoming, SizeHint};

/// Longest time for the rest of a body to arrive before the response is sent. A client that takes
/// longer gets the response at once, and another connection for its next request.
const DISCARD_TIMEOUT: Duration = Duration::from_secs(1);

/// The body of a request. When it is dropped, its unread rest goes to its [`UnreadBody`].
#[derive(Debug)]
pub(super) struct RequestBody {
    /// Taken when this is dropped.
    body: Option<Incoming>,
    progress: Progress,
    shared: SharedRest,
}

/// The part of a request's body that its handler leaves unread.
#[derive(Debug)]
pub(super) struct UnreadBody {
    /// True if the client waits for status 100 before it sends the body.
    expects_continue: bool,
    shared: SharedRest,
}

/// `None` for a request without a body.
type SharedRest = Option<Arc<Mutex<Rest>>>;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Progress {
    /// Never polled, so hyper has not sent status 100 either.
    Untouched,
    Begun,
    Finished,
    /// The client broke it off, or sent something else than a body.
    Failed,
}

#[derive(Debug)]
enum Rest {
    /// The handler still has the body.
    InUse,
    Left(Incoming, Progress),
}

/// Splits a body into the part for the handler and the part that it leaves.
pub(super) fn split(body: Incoming, headers: &HeaderMap) -> (RequestBody, UnreadBody) {
    let shared = (!body.is_end_stream()).then(|| Arc::new(Mutex::new(Rest::InUse)));
    let expects_continue = headers.contains_key(header::EXPECT);
    let unread = UnreadBody { expects_continue, shared: shared.clone() };
    (RequestBody { body: Some(body), progress: Progress::Untouched, shared }, unread)
}

impl UnreadBody {
    /// Discards up to about `limit` bytes. Returns whether the whole body has been read, so
    /// that another request can follow on the same connection.
    pub(super) async fn discard(self, limit: usize) -> bool {
        let Some(shared) = self.shared else { return true };
        let rest = std::mem::replace(&mut *lock(&shared), Rest::InUse);
        let Rest::Left(mut body, progress) = rest else { return true };
        match progress {
            Progress::Finished => return true,
            Progress::Failed => return false,
            // Reading would ask the client for a body that nobody wants.
            Progress::Untouched if self.expects_continue => return false,
            Progress::Untouched | Progress::Begun => {}
        }
        if body.size_hint().lower() > limit as u64 {
            return false;
        }
        let discarding = async {
            let mut discarded = 0;
            while let Some(frame) = body.frame().await {
                let Ok(frame) = frame else { return false };
                discarded += frame.data_ref().map_or(0, Bytes::len);
                if discarded > limit {
                    return false;
                }
            }
            true
        };
        tokio::time::timeout(DISCARD_TIMEOUT, discarding).await.unwrap_or(false)
    }
}

impl Drop for RequestBody {
    fn drop(&mut self) {
        if let (Some(shared), Some(body)) = (&self.shared, self.body.take()) {
            *lock(shared) = Rest::Left(body, self.progress);
        }
    }
}

impl Body for RequestBody {
    type Data = Bytes;
    type Error = hyper::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, hyper::Error>>> {
        let Some(body) = &mut self.body else { return Poll::Ready(None) };
        let polled = Pin::new(body).poll_frame(context);
        if self.progress == Progress::Untouched {
            self.progress = Progress::Begun;
        }
        let frame = ready!(polled);
        match &frame {
            None => self.progress = Progress::Finished,
            Some(Err(_)) => self.progress = Progress::Failed,
            Some(Ok(_)) => {}
        }
        Poll::Ready(frame)
    }

    fn is_end_stream(&self) -> bool {
        self.body.as_ref().is_none_or(Body::is_end_stream)
    }

    fn size_hint(&self) -> SizeHint {
        self.body.as_ref().map(Body::size_hint).unwrap_or_default()
    }
}

fn lock(rest: &Mutex<Rest>) -> MutexGuard<'_, Rest> {
    rest.lock().unwrap_or_else(PoisonError::into_inner)
}
