//! Requests of one connection, each counted until its response is handed over or dropped.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use axum::body::Body;
use bytes::Bytes;
use hyper::body::{Body as HttpBody, Frame, SizeHint};
use tokio::time::Instant;

use super::activity::Activity;
use super::deadlines::{Deadlines, LimitedBody};
use super::table::PeerShare;
use crate::deadline::ResponseDeadline;

const SMALL_BODY: u64 = 16 << 10;

/// A request that is open on its connection until this is dropped.
#[derive(Debug)]
pub(super) struct OpenRequest {
    activity: Arc<Activity>,
    /// True if the gateway works on it, as opposed to waiting for its client.
    works: bool,
    /// Time by which the response has to be written, if it has a deadline.
    ends_at: Option<Instant>,
    /// Its place in the share of the peer that a trusted proxy reports.
    _share: Option<PeerShare>,
}

/// A response's body that belongs to an open request.
#[derive(Debug)]
pub(super) struct TrackedBody {
    body: ResponseBody,
    request: OpenRequest,
}

/// A body with or without a deadline of its own.
#[derive(Debug)]
enum ResponseBody {
    Unlimited(Body),
    Limited(LimitedBody),
}

/// Returns whether a body is there as a whole, and so short that nothing is gained by dropping
/// it.
fn is_small(body: &Body) -> bool {
    body.size_hint().exact().is_some_and(|size| size <= SMALL_BODY)
}

impl OpenRequest {
    /// Opens a request whose head has just arrived.
    pub(super) fn begin(activity: Arc<Activity>, share: Option<PeerShare>) -> Self {
        activity.begin(Instant::now());
        Self { activity, works: true, ends_at: None, _share: share }
    }

    /// Records that the response moved on: whether the gateway works on it from now on, and
    /// how many more bytes it handed over for sending.
    fn progress(&mut self, works: bool, handed_over: usize) {
        self.activity.progress(self.works, works, handed_over, Instant::now());
        self.works = works;
    }

    /// Goes on with the response, whose head is complete.
    pub(super) fn respond(
        mut self,
        body: Body,
        deadline: Option<ResponseDeadline>,
        deadlines: &Arc<Deadlines>,
    ) -> TrackedBody {
        self.progress(false, 0);
        self.ends_at = deadline.map(|ResponseDeadline(deadline)| Deadlines::end_of(deadline.into()));
        let body = match self.ends_at {
            Some(ends_at) if !is_small(&body) => ResponseBody::Limited(deadlines.limit(body, ends_at)),
            _ => ResponseBody::Unlimited(body),
        };
        TrackedBody { body, request: self }
    }
}

impl Drop for OpenRequest {
    fn drop(&mut self) {
        if let Some(ends_at) = self.ends_at {
            self.activity.limit_writing(ends_at);
        }
        self.activity.end(self.works, Instant::now());
    }
}

impl HttpBody for TrackedBody {
    type Data = Bytes;
    type Error = axum::Error;

    // Called only when there is room for more: the client has taken what came before.
    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        let polled = match &mut self.body {
            ResponseBody::Unlimited(body) => Pin::new(body).poll_frame(context),
            ResponseBody::Limited(body) => Pin::new(body).poll_frame(context),
        };
        let handed_over = match &polled {
            Poll::Ready(Some(Ok(frame))) => frame.data_ref().map_or(0, Bytes::len),
            _ => 0,
        };
        self.request.progress(polled.is_pending(), handed_over);
        polled
    }

    fn is_end_stream(&self) -> bool {
        match &self.body {
            ResponseBody::Unlimited(body) => body.is_end_stream(),
            ResponseBody::Limited(body) => body.is_end_stream(),
        }
    }

    fn size_hint(&self) -> SizeHint {
        match &self.body {
            ResponseBody::Unlimited(body) => body.size_hint(),
            ResponseBody::Limited(body) => body.size_hint(),
        }
    }
}
