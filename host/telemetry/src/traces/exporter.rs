//! Sends spans in batches.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use bytes::Bytes;
use tokio::sync::watch;
use tokio::time::timeout;

use super::batches::Batch;
use super::protobuf::{Message, rejected_spans};
use super::span::Attributes;
use super::{Settings, Shared};

/// Longest wait that a collector can ask for.
const LONGEST_WAIT: Duration = Duration::from_secs(30);
/// Most times that a batch is sent.
const TRIES: u32 = 5;
/// How fast it works.
const PACE: Pace = Pace { old: Duration::from_secs(1), backoff: Duration::from_millis(500) };

/// Media type of the requests to a collector.
pub const REQUEST_TYPE: &str = "application/x-protobuf";

/// Connection to a collector. Its implementation transports bytes; their meaning, and that of
/// statuses, is known here.
pub trait Collector: Send + Sync {
    /// Returns the address without secrets, for log lines.
    fn address(&self) -> String;

    /// Posts a request of type [`REQUEST_TYPE`]. Fails, with a reason for the log, if there is no
    /// response.
    fn post(&self, request: Bytes) -> impl Future<Output = Result<CollectorResponse, String>> + Send;
}

/// Response of a collector.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CollectorResponse {
    /// HTTP status.
    pub status: u16,
    /// Time after which the collector asks to be called again.
    pub retry_after: Option<Duration>,
    /// Body.
    pub body: Bytes,
}

/// Failure to export a batch.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{reason}")]
struct ExportError {
    reason: String,
    is_retryable: bool,
    retry_after: Option<Duration>,
}

/// Posts an `ExportTraceServiceRequest`, and returns the body of the response.
async fn export(collector: &impl Collector, request: Bytes) -> Result<Bytes, ExportError> {
    match collector.post(request).await {
        Ok(CollectorResponse { status: 200..300, body, .. }) => Ok(body),
        Ok(CollectorResponse { status, retry_after, .. }) => Err(ExportError {
            reason: format!("{}: status {status}", collector.address()),
            // The statuses that the OTLP specification calls retryable.
            is_retryable: matches!(status, 429 | 502..=504),
            retry_after,
        }),
        Err(failure) => Err(ExportError {
            reason: format!("{}: {failure}", collector.address()),
            is_retryable: true,
            retry_after: None,
        }),
    }
}

/// How fast an exporter works.
#[derive(Clone, Copy, Debug)]
struct Pace {
    /// A batch is sent when it is as old as this.
    old: Duration,
    /// Wait before a batch is sent again; doubles each time.
    backoff: Duration,
}

/// The end that sends spans.
#[derive(Debug)]
pub struct Exporter {
    pace: Pace,
    shared: Arc<Shared>,
    /// What all batches begin with: who tells all this.
    resource: Vec<u8>,
    /// Whether the last batch was not taken.
    is_refused: bool,
    /// How many spans had found no room when that was last looked at.
    overflowed: u64,
    /// Whether some have lately.
    is_overflowing: bool,
    /// Spans of the batch that is being sent. A panic leaves them.
    sending: u64,
}

impl Exporter {
    pub(super) fn new(settings: &Settings, shared: Arc<Shared>) -> Self {
        let resource = resource(settings);
        let (is_refused, is_overflowing) = (false, false);
        Self { pace: PACE, shared, resource, is_refused, overflowed: 0, is_overflowing, sending: 0 }
    }

    /// Sends spans until it is told to stop, and then what is still there. Whoever
    /// tells it so sees to it that no more requests end. May be called again after a panic.
    pub async fn run(&mut self, collector: &impl Collector, stop: &mut watch::Receiver<bool>) {
        self.shared.refused.fetch_add(std::mem::take(&mut self.sending), Ordering::Relaxed);
        loop {
            let batch = tokio::select! {
                batch = self.shared.batches.next(self.pace.old) => batch,
                () = stopped(stop) => break,
            };
            self.deliver(batch, collector, stop).await;
        }
        while let Some(batch) = self.shared.batches.rest() {
            self.deliver(batch, collector, stop).await;
        }
    }

    /// Sends a batch, again if it has to be, and tells what became of it.
    async fn deliver(&mut self, batch: Batch, collector: &impl Collector, stop: &mut watch::Receiver<bool>) {
        self.sending = batch.count;
        let (count, request) = (batch.count, batch.finish(&self.resource));
        let mut backoff = self.pace.backoff;
        for tries_left in (0..TRIES).rev() {
            match export(collector, request.clone()).await {
                Ok(answer) => {
                    let rejected = rejected_spans(&answer).min(count);
                    self.shared.exported.fetch_add(count - rejected, Ordering::Relaxed);
                    self.shared.refused.fetch_add(rejected, Ordering::Relaxed);
                    self.taken(rejected);
                    break;
                }
                Err(refused) => {
                    self.refused(&refused);
                    // Once it is stopping nothing is waited for.
                    if tries_left == 0 || !refused.is_retryable || *stop.borrow() {
                        self.shared.refused.fetch_add(count, Ordering::Relaxed);
                        break;
                    }
                    let wait = refused.retry_after.unwrap_or_default().max(backoff).min(LONGEST_WAIT);
                    let _ = timeout(wait, stopped(stop)).await;
                    backoff *= 2;
                }
            }
        }
        self.sending = 0;
        self.look_for_overflow();
    }

    /// Says so, if it is news.
    fn refused(&mut self, refused: &ExportError) {
        if !std::mem::replace(&mut self.is_refused, true) {
            tracing::warn!("the collector of [traces] does not take spans: {refused}");
        }
    }

    fn taken(&mut self, rejected: u64) {
        if rejected > 0 {
            let reason = format!("it took a batch without {rejected} of its spans");
            self.refused(&ExportError { reason, is_retryable: false, retry_after: None });
        } else if std::mem::take(&mut self.is_refused) {
            let lost = self.shared.refused.load(Ordering::Relaxed);
            tracing::info!("the collector of [traces] takes spans again; {lost} were refused so far");
        }
    }

    fn look_for_overflow(&mut self) {
        let overflowed = self.shared.overflowed.load(Ordering::Relaxed);
        let before = std::mem::replace(&mut self.overflowed, overflowed);
        let is_overflowing = overflowed > before;
        if is_overflowing && !self.is_overflowing {
            tracing::warn!(
                "spans are dropped: requests end faster than the collector of [traces] takes them"
            );
        } else if self.is_overflowing && !is_overflowing {
            tracing::info!("spans are no longer dropped; {overflowed} were so far");
        }
        self.is_overflowing = is_overflowing;
    }
}

impl Batch {
    /// An `ExportTraceServiceRequest` of one resource and one scope.
    fn finish(self, resource: &[u8]) -> Bytes {
        let mut request = Vec::with_capacity(self.spans.len() + resource.len() + 64);
        Message::at_end_of(&mut request).message(1, |resource_spans| {
            resource_spans.bytes(1, resource);
            resource_spans.message(2, |scope_spans| {
                scope_spans.message(1, |scope| {
                    scope.bytes(1, b"pointsman");
                    scope.bytes(2, env!("CARGO_PKG_VERSION").as_bytes());
                });
                scope_spans.raw().extend_from_slice(&self.spans);
            });
        });
        request.into()
    }
}

/// Who tells all this.
fn resource(settings: &Settings) -> Vec<u8> {
    let mut resource = Vec::new();
    let mut message = Message::at_end_of(&mut resource);
    let mut attributes = Attributes::of_resource(&mut message);
    attributes.text("service.name", &settings.service);
    attributes.text("service.version", env!("CARGO_PKG_VERSION"));
    attributes.text("service.instance.id", &settings.instance);
    resource
}

/// Waits until it is time to stop. Whoever could tell being gone is no reason.
async fn stopped(stop: &mut watch::Receiver<bool>) {
    if stop.wait_for(|stop| *stop).await.is_err() {
        std::future::pending::<()>().await;
    }
}

#[cfg(test)]
mod tests;
