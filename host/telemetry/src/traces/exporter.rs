//! Export of spans in batches.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use bytes::Bytes;
use tokio::sync::watch;
use tokio::time::timeout;

use super::batches::Batch;
use super::protobuf::{MessageWriter, rejected_spans};
use super::span::AttributeWriter;
use super::{SpanQueue, TraceSettings};

/// Longest wait that a collector can demand.
const LONGEST_WAIT: Duration = Duration::from_secs(30);
/// Most attempts to send a batch.
const MAX_ATTEMPTS: u32 = 5;
/// Usual timing.
const TIMING: ExportTiming =
    ExportTiming { max_age: Duration::from_secs(1), backoff: Duration::from_millis(500) };

/// Media type of the requests to a collector.
pub const REQUEST_TYPE: &str = "application/x-protobuf";

/// Connection to a collector. Its implementation transports bytes; their meaning, and that of
/// statuses, is known here.
pub trait SpanCollector: Send + Sync {
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
async fn export(collector: &impl SpanCollector, request: Bytes) -> Result<Bytes, ExportError> {
    match collector.post(request).await {
        Ok(CollectorResponse { status: 200..300, body, .. }) => Ok(body),
        Ok(CollectorResponse { status, retry_after, .. }) => Err(ExportError {
            reason: format!("{}: status {status}", collector.address()),
            // Statuses that the OTLP specification calls retryable.
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

/// Timing of an exporter.
#[derive(Clone, Copy, Debug)]
struct ExportTiming {
    /// Age at which a batch is sent although it is not full.
    max_age: Duration,
    /// Wait before the second attempt. It doubles with each one.
    backoff: Duration,
}

/// Exporter of spans.
#[derive(Debug)]
pub struct Exporter {
    timing: ExportTiming,
    queue: Arc<SpanQueue>,
    /// Encoded resource, with which every request begins.
    resource: Vec<u8>,
    /// True if the last batch was not accepted, which was logged.
    is_failing: bool,
    /// Spans that had found the queue full at the last check.
    overflowed: u64,
    /// True if there were new ones at that check.
    is_overflowing: bool,
    /// Spans of the batch that is being sent. Not zero at the start of `run` after a panic.
    sending: u64,
}

impl Exporter {
    pub(super) fn new(settings: &TraceSettings, queue: Arc<SpanQueue>) -> Self {
        let resource = resource(settings);
        let (is_failing, is_overflowing) = (false, false);
        Self { timing: TIMING, queue, resource, is_failing, overflowed: 0, is_overflowing, sending: 0 }
    }

    /// Sends spans until `stop` is true, and then the remaining ones once. No request may end after that.
    /// May be called again after a panic.
    pub async fn run(&mut self, collector: &impl SpanCollector, stop: &mut watch::Receiver<bool>) {
        self.queue.rejected.fetch_add(std::mem::take(&mut self.sending), Ordering::Relaxed);
        loop {
            let batch = tokio::select! {
                batch = self.queue.batches.next(self.timing.max_age) => batch,
                () = stopped(stop) => break,
            };
            self.deliver(batch, collector, stop).await;
        }
        while let Some(batch) = self.queue.batches.take_any() {
            self.deliver(batch, collector, stop).await;
        }
    }

    /// Sends a batch, with retries, and counts the result.
    async fn deliver(
        &mut self,
        batch: Batch,
        collector: &impl SpanCollector,
        stop: &mut watch::Receiver<bool>,
    ) {
        self.sending = batch.count;
        let (count, request) = (batch.count, batch.into_request(&self.resource));
        let mut backoff = self.timing.backoff;
        for attempts_left in (0..MAX_ATTEMPTS).rev() {
            match export(collector, request.clone()).await {
                Ok(response) => {
                    let rejected = rejected_spans(&response).min(count);
                    self.queue.exported.fetch_add(count - rejected, Ordering::Relaxed);
                    self.queue.rejected.fetch_add(rejected, Ordering::Relaxed);
                    self.record_success(rejected);
                    break;
                }
                Err(error) => {
                    self.record_failure(&error);
                    // There are no retries during shutdown.
                    if attempts_left == 0 || !error.is_retryable || *stop.borrow() {
                        self.queue.rejected.fetch_add(count, Ordering::Relaxed);
                        break;
                    }
                    let wait = error.retry_after.unwrap_or_default().max(backoff).min(LONGEST_WAIT);
                    let _ = timeout(wait, stopped(stop)).await;
                    backoff *= 2;
                }
            }
        }
        self.sending = 0;
        self.check_overflow();
    }

    /// Logs a failure, unless the last batch failed too.
    fn record_failure(&mut self, error: &ExportError) {
        if !std::mem::replace(&mut self.is_failing, true) {
            tracing::warn!("the collector of [traces] does not take spans: {error}");
        }
    }

    fn record_success(&mut self, rejected: u64) {
        if rejected > 0 {
            let reason = format!("it rejected {rejected} spans of a batch");
            self.record_failure(&ExportError { reason, is_retryable: false, retry_after: None });
        } else if std::mem::take(&mut self.is_failing) {
            let lost = self.queue.rejected.load(Ordering::Relaxed);
            tracing::info!("the collector of [traces] takes spans again; {lost} were rejected so far");
        }
    }

    fn check_overflow(&mut self) {
        let overflowed = self.queue.overflowed.load(Ordering::Relaxed);
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
    /// Encodes an `ExportTraceServiceRequest` of one resource and one scope.
    fn into_request(self, resource: &[u8]) -> Bytes {
        let mut request = Vec::with_capacity(self.spans.len() + resource.len() + 64);
        MessageWriter::append_to(&mut request).message(1, |resource_spans| {
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

/// Encodes the resource of all spans.
fn resource(settings: &TraceSettings) -> Vec<u8> {
    let mut resource = Vec::new();
    let mut message = MessageWriter::append_to(&mut resource);
    let mut attributes = AttributeWriter::of_resource(&mut message);
    attributes.text("service.name", &settings.service);
    attributes.text("service.version", env!("CARGO_PKG_VERSION"));
    attributes.text("service.instance.id", &settings.instance);
    resource
}

/// Waits until `stop` is true. A dropped sender does not count as a stop.
async fn stopped(stop: &mut watch::Receiver<bool>) {
    if stop.wait_for(|stop| *stop).await.is_err() {
        std::future::pending::<()>().await;
    }
}

#[cfg(test)]
mod tests;
