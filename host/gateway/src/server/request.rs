//! Requests of one connection, each counted until its response is handed over or dropped.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use axum::body::Body;
use bytes::Bytes;
use hyper::body::{Body as HttpBody, Frame, SizeHint};
use tokio::time::Instant;

use super::activity::Activity;
use super::table::PeerShare;

/// A request that is open on its connection until this is dropped.
#[derive(Debug)]
pub(super) struct OpenRequest {
    activity: Arc<Activity>,
    /// True if the gateway works on it, as opposed to waiting for its client.
    works: bool,
    /// Its place in the share of the peer that a trusted proxy reports.
    _share: Option<PeerShare>,
}

/// A response's body that belongs to an open request.
#[derive(Debug)]
pub(super) struct TrackedBody {
    body: Body,
    request: OpenRequest,
}

impl OpenRequest {
    /// Opens a request whose head has just arrived.
    pub(super) fn begin(activity: Arc<Activity>, share: Option<PeerShare>) -> Self {
        activity.begin(Instant::now());
        Self { activity, works: true, _share: share }
    }

    /// Records that the response moved on: whether the gateway works on it from now on, and
    /// how many more bytes it handed over for sending.
    fn progress(&mut self, works: bool, handed_over: usize) {
        self.activity.progress(self.works, works, handed_over, Instant::now());
        self.works = works;
    }

    /// Goes on with the response, whose head is complete.
    pub(super) fn respond(mut self, body: Body) -> TrackedBody {
        self.progress(false, 0);
        TrackedBody { body, request: self }
    }
}

impl Drop for OpenRequest {
    fn drop(&mut self) {
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
        let polled = Pin::new(&mut self.body).poll_frame(context);
        let handed_over = match &polled {
            Poll::Ready(Some(Ok(frame))) => frame.data_ref().map_or(0, Bytes::len),
            _ => 0,
        };
        self.request.progress(polled.is_pending(), handed_over);
        polled
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
