//! Makes spans from histories, and sends them in batches.

use std::sync::atomic::Ordering;
use std::sync::{Arc, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use tokio::sync::{mpsc, watch};
use tokio::time::{Instant, timeout};

use super::content::Content;
use super::protobuf::{Message, rejected_spans};
use super::span::Attributes;
use super::spans::{Servers, Spans, count};
use super::{Ended, Said, Settings, Shared};

/// A batch of this many bytes is sent at once.
const FULL: usize = 1 << 20;
/// Longest wait that a collector can ask for.
const LONGEST_WAIT: Duration = Duration::from_secs(30);
/// Most times that a batch is sent.
const TRIES: u32 = 5;
/// How fast it works.
const PACE: Pace = Pace {
    old: Duration::from_secs(1),
    look: Duration::from_millis(50),
    backoff: Duration::from_millis(500),
};

/// Where spans go.
pub trait Collector: Send + Sync {
    /// Sends an `ExportTraceServiceRequest`; gives the answer's body.
    fn send(&self, request: Bytes) -> impl Future<Output = Result<Bytes, Refused>> + Send;
}

/// Why a collector did not take spans.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{why}")]
pub struct Refused {
    /// In words for the log.
    pub why: String,
    /// Whether it may take them a little later.
    pub may_be_sent_again: bool,
    /// When it asks for them again.
    pub after: Option<Duration>,
}

/// How fast an exporter works.
#[derive(Clone, Copy, Debug)]
struct Pace {
    /// A batch is sent when it is as old as this.
    old: Duration,
    /// How often it is looked what else has ended. Whoever waits for a message has to
    /// be woken by whoever sends it, which would cost each request some microseconds.
    look: Duration,
    /// Wait before a batch is sent again; doubles each time.
    backoff: Duration,
}

/// The end that sends spans.
#[derive(Debug)]
pub struct Exporter {
    pace: Pace,
    queue: mpsc::Receiver<Ended>,
    shared: Arc<Shared>,
    /// What all batches begin with: who tells all this.
    resource: Vec<u8>,
    /// Whether the last batch was not taken.
    is_refused: bool,
    /// How many spans had found no room when that was last looked at.
    overflowed: u64,
    /// Whether some have lately.
    is_overflowing: bool,
}

/// Spans that are to be sent together.
#[derive(Debug, Default)]
struct Batch {
    /// As fields of `ScopeSpans`.
    spans: Vec<u8>,
    count: u64,
}

impl Exporter {
    pub(super) fn new(queue: mpsc::Receiver<Ended>, settings: &Settings, shared: Arc<Shared>) -> Self {
        let resource = resource(settings);
        Self { pace: PACE, queue, shared, resource, is_refused: false, overflowed: 0, is_overflowing: false }
    }

    /// Sends spans until it is told to stop, and then what is still there. Whoever
    /// tells it so sees to it that no more requests end.
    pub async fn run(mut self, collector: impl Collector, mut stop: watch::Receiver<bool>) {
        loop {
            let first = tokio::select! {
                first = self.queue.recv() => first,
                () = stopped(&mut stop) => None,
            };
            let Some(first) = first else { break };
            let mut batch = Batch::default();
            batch.add(&first, &self.servers());
            self.fill(&mut batch, &mut stop).await;
            self.deliver(batch, &collector, &mut stop).await;
        }
        loop {
            let mut batch = Batch::default();
            self.take_what_waits(&mut batch);
            if batch.count == 0 {
                return;
            }
            self.deliver(batch, &collector, &mut stop).await;
        }
    }

    #[cfg(test)]
    pub(super) fn is_idle(&self) -> bool {
        self.queue.is_empty()
    }

    /// Gathers what ends until the batch is full or old.
    async fn fill(&mut self, batch: &mut Batch, stop: &mut watch::Receiver<bool>) {
        let old = Instant::now() + self.pace.old;
        loop {
            self.take_what_waits(batch);
            if batch.spans.len() >= FULL
                || Instant::now() >= old
                || timeout(self.pace.look, stopped(stop)).await.is_ok()
            {
                return;
            }
        }
    }

    fn take_what_waits(&mut self, batch: &mut Batch) {
        let servers = self.servers();
        while batch.spans.len() < FULL
            && let Ok(ended) = self.queue.try_recv()
        {
            batch.add(&ended, &servers);
        }
    }

    /// Sends a batch, again if it has to be, and tells what became of it.
    async fn deliver(&mut self, batch: Batch, collector: &impl Collector, stop: &mut watch::Receiver<bool>) {
        let (count, request) = (batch.count, batch.finish(&self.resource));
        let mut backoff = self.pace.backoff;
        for tries_left in (0..TRIES).rev() {
            match collector.send(request.clone()).await {
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
                    if tries_left == 0 || !refused.may_be_sent_again || *stop.borrow() {
                        self.shared.refused.fetch_add(count, Ordering::Relaxed);
                        break;
                    }
                    let wait = refused.after.unwrap_or_default().max(backoff).min(LONGEST_WAIT);
                    let _ = timeout(wait, stopped(stop)).await;
                    backoff *= 2;
                }
            }
        }
        self.look_for_overflow();
    }

    /// Says so, if it is news.
    fn refused(&mut self, refused: &Refused) {
        if !std::mem::replace(&mut self.is_refused, true) {
            tracing::warn!("the collector of [traces] does not take spans: {refused}");
        }
    }

    fn taken(&mut self, rejected: u64) {
        if rejected > 0 {
            let why = format!("it took a batch without {rejected} of its spans");
            self.refused(&Refused { why, may_be_sent_again: false, after: None });
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

    fn servers(&self) -> Arc<Servers> {
        Arc::clone(&self.shared.servers.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Batch {
    fn add(&mut self, ended: &Ended, servers: &Servers) {
        let Some(trace) = ended.history.trace else { return };
        let content = match &ended.said {
            Said::Untold => None,
            Said::There { exchange, .. } => Some(Content::read(exchange.as_ref())),
            Said::NoRoom => Some(Content::TooMuch),
        };
        let spans = Spans { history: &ended.history, trace, servers, content: content.as_ref() };
        spans.write(&mut self.spans);
        self.count += count(&ended.history);
    }

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
