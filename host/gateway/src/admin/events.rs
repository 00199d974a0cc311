//! `GET /admin/events`: server-sent events
//!
//! Each event is rendered once for all subscribers, and only while there are any. A subscriber
//! that reads too slowly misses events and does not delay the others.

use std::convert::Infallible;
use std::fmt::Write;
use std::ops::ControlFlow;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use axum::body::Body;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use futures_util::{StreamExt, stream};
use http::{HeaderName, header};
use pointsman_admin_api::{DecisionSummary, EventKind};
use pointsman_record::unix_ms;
use pointsman_telemetry::metrics::QueueLabel;
use pointsman_telemetry::{BackgroundTask, Metrics};
use serde::Serialize;
use tokio::sync::broadcast::error::RecvError;
use tokio::sync::{broadcast, watch};
use tokio::time::MissedTickBehavior;

use super::{Admin, audit, condition_log, decisions, loss_watch, overview};

/// Time between two ticks.
const INTERVAL: Duration = Duration::from_secs(1);
/// Ticks that a subscriber may lag behind.
const MAX_LAG: usize = 4;
/// Limit on the decisions between two ticks; the newest are sent.
const MAX_DECISIONS: usize = 50;

/// The channel of rendered events.
#[derive(Debug)]
pub(crate) struct Events(broadcast::Sender<Bytes>);

impl Default for Events {
    fn default() -> Self {
        Self(broadcast::Sender::new(MAX_LAG))
    }
}

/// Position in the sequences of decisions and changes up to which events were sent.
#[derive(Debug, Default)]
struct EventCursor {
    decisions: u64,
    changes: u64,
    conditions: u64,
}

/// Publishes events until the gateway stops.
pub(crate) struct EventSource(pub(crate) Arc<Admin>);

impl BackgroundTask for EventSource {
    const NAME: &'static str = "events";

    async fn run(&mut self) -> ControlFlow<()> {
        let Self(admin) = self;
        let mut interval = tokio::time::interval(INTERVAL);
        interval.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut cursor = EventCursor::latest(admin);
        loop {
            interval.tick().await;
            loss_watch::read(admin);
            condition_log::read(admin, unix_ms(SystemTime::now()) / 1_000);
            if admin.events.0.receiver_count() == 0 {
                // A subscriber that connects before the next tick gets events from here on.
                cursor = EventCursor::latest(admin);
                continue;
            }
            let text = render_new(admin, &mut cursor);
            // It fails if the last subscriber has just left.
            let _ = admin.events.0.send(text.into());
        }
    }
}

/// Streams events, beginning with a tick.
pub(super) async fn events(State(admin): State<Arc<Admin>>) -> Response {
    let subscription = admin.events.0.subscribe();
    let mut first = String::from(": ok\n\n");
    write_event(&mut first, EventKind::Tick, &overview::tick(&admin));
    let first = stream::iter([Ok::<_, Infallible>(Bytes::from(first))]);
    let subscriber = (subscription, admin.stop.clone(), Arc::clone(&admin.app));
    let following = stream::unfold(subscriber, |(mut subscription, mut stop, app)| async move {
        let events = next(&mut subscription, &mut stop, &app.recorder.telemetry.metrics).await?;
        Some((Ok(events), (subscription, stop, app)))
    });
    let headers = [
        (header::CONTENT_TYPE, pointsman_wire::sse::MEDIA_TYPE),
        (header::CACHE_CONTROL, "no-cache, no-store"),
        // Without it, nginx and similar proxies buffer the events.
        (HeaderName::from_static("x-accel-buffering"), "no"),
    ];
    (headers, Body::from_stream(first.chain(following))).into_response()
}

/// Waits for the next events; `None` when the gateway stops.
async fn next(
    subscription: &mut broadcast::Receiver<Bytes>,
    stop: &mut watch::Receiver<bool>,
    metrics: &Metrics,
) -> Option<Bytes> {
    loop {
        let received = tokio::select! {
            received = subscription.recv() => received,
            _ = stop.wait_for(|stop| *stop) => return None,
        };
        match received {
            Ok(events) => return Some(events),
            Err(RecvError::Lagged(missed)) => metrics.record_dropped(QueueLabel::Events, missed),
            Err(RecvError::Closed) => return None,
        }
    }
}

/// Renders the events since the cursor, and advances it.
fn render_new(admin: &Admin, cursor: &mut EventCursor) -> String {
    let mut text = String::new();
    let changes = admin.reloader.rollouts.audit.since(cursor.changes);
    for change in &changes.events {
        write_event(&mut text, EventKind::Change, &audit::event(change));
    }
    let (conditions, condition_count) = admin.condition_log.since(cursor.conditions);
    for change in &conditions {
        write_event(&mut text, EventKind::Change, change);
    }
    let new = admin.app.recorder.telemetry.recent.since(cursor.decisions, MAX_DECISIONS);
    if !new.histories.is_empty() {
        let summaries: Vec<DecisionSummary> =
            new.histories.iter().map(|history| decisions::summary(history)).collect();
        write_event(&mut text, EventKind::Decisions, &summaries);
    }
    write_event(&mut text, EventKind::Tick, &overview::tick(admin));
    *cursor = EventCursor { decisions: new.count, changes: changes.count, conditions: condition_count };
    text
}

fn write_event(text: &mut String, kind: EventKind, data: &impl Serialize) {
    // Compact JSON has no line breaks: those in strings are escaped.
    let data = serde_json::to_string(data).unwrap_or_default();
    let _ = write!(text, "event: {}\ndata: {data}\n\n", kind.as_str());
}

impl EventCursor {
    /// Returns the position after everything that has happened.
    fn latest(admin: &Admin) -> Self {
        Self {
            decisions: admin.app.recorder.telemetry.recent.since(u64::MAX, 0).count,
            changes: admin.reloader.rollouts.audit.since(u64::MAX).count,
            conditions: admin.condition_log.since(u64::MAX).1,
        }
    }
}
