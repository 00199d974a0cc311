//! `GET /admin/events`: what happens, as server-sent events.
//!
//! Each event is made once, whoever listens, and only while somebody does. A
//! listener that reads too slowly misses events and holds nobody up.

use std::convert::Infallible;
use std::fmt::Write;
use std::ops::ControlFlow;
use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use futures_util::{StreamExt, stream};
use http::{HeaderName, header};
use pointsman_telemetry::metrics::Queue;
use pointsman_telemetry::{BackgroundTask, Metrics};
use serde::Serialize;
use tokio::sync::broadcast::error::RecvError;
use tokio::sync::{broadcast, watch};
use tokio::time::MissedTickBehavior;

use super::Admin;
use super::decisions::Summary;
use super::overview::Tick;

/// Time between two ticks.
const INTERVAL: Duration = Duration::from_secs(1);
/// Ticks that a listener may be behind.
const BEHIND: usize = 4;
/// Most decisions that are told with a tick, the newest.
const DECISIONS: usize = 50;

/// Where events come from.
#[derive(Debug)]
pub(crate) struct Events(broadcast::Sender<Bytes>);

impl Default for Events {
    fn default() -> Self {
        Self(broadcast::Sender::new(BEHIND))
    }
}

/// What has been told already.
#[derive(Debug, Default)]
struct Told {
    decisions: u64,
    changes: u64,
}

/// Makes events until the gateway ends.
pub(crate) struct EventSource(pub(crate) Arc<Admin>);

impl BackgroundTask for EventSource {
    const NAME: &'static str = "events";

    async fn run(&mut self) -> ControlFlow<()> {
        let Self(admin) = self;
        let mut interval = tokio::time::interval(INTERVAL);
        interval.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut told = Told::all(admin);
        loop {
            interval.tick().await;
            if admin.events.0.receiver_count() == 0 {
                // Whoever comes before the next tick is told what happens from here on.
                told = Told::all(admin);
                continue;
            }
            let text = news(admin, &mut told);
            // Nobody is left to be told if this fails.
            let _ = admin.events.0.send(text.into());
        }
    }
}

/// Events as they happen.
pub(super) async fn events(State(admin): State<Arc<Admin>>) -> Response {
    let listening = admin.events.0.subscribe();
    let mut opening = String::from(": ok\n\n");
    write(&mut opening, "tick", &Tick::of(&admin));
    let opening = stream::iter([Ok::<_, Infallible>(Bytes::from(opening))]);
    let listener = (listening, admin.stop.clone(), Arc::clone(&admin.app));
    let following = stream::unfold(listener, |(mut listening, mut stop, app)| async move {
        let news = next(&mut listening, &mut stop, &app.recorder.telemetry.metrics).await?;
        Some((Ok(news), (listening, stop, app)))
    });
    let headers = [
        (header::CONTENT_TYPE, pointsman_wire::sse::MEDIA_TYPE),
        (header::CACHE_CONTROL, "no-cache, no-store"),
        // nginx and proxies like it hold events back otherwise.
        (HeaderName::from_static("x-accel-buffering"), "no"),
    ];
    (headers, Body::from_stream(opening.chain(following))).into_response()
}

/// What comes next; `None` when the gateway is to stop.
async fn next(
    listening: &mut broadcast::Receiver<Bytes>,
    stop: &mut watch::Receiver<bool>,
    metrics: &Metrics,
) -> Option<Bytes> {
    loop {
        let news = tokio::select! {
            news = listening.recv() => news,
            _ = stop.wait_for(|stop| *stop) => return None,
        };
        match news {
            Ok(news) => return Some(news),
            Err(RecvError::Lagged(missed)) => metrics.dropped(Queue::Events, missed),
            Err(RecvError::Closed) => return None,
        }
    }
}

fn news(admin: &Admin, told: &mut Told) -> String {
    let mut text = String::new();
    let changes = admin.reloader.rollouts.audit.since(told.changes);
    changes.events.iter().for_each(|change| write(&mut text, "change", change));
    let new = admin.app.recorder.telemetry.recent.since(told.decisions, DECISIONS);
    if !new.histories.is_empty() {
        let summaries: Vec<Summary> = new.histories.iter().map(|history| Summary::of(history)).collect();
        write(&mut text, "decisions", &summaries);
    }
    write(&mut text, "tick", &Tick::of(admin));
    *told = Told { decisions: new.count, changes: changes.count };
    text
}

fn write(text: &mut String, event: &str, data: &impl Serialize) {
    // JSON has no line ends outside of strings, and escapes them there.
    let data = serde_json::to_string(data).unwrap_or_default();
    let _ = write!(text, "event: {event}\ndata: {data}\n\n");
}

impl Told {
    /// Everything that there is.
    fn all(admin: &Admin) -> Self {
        Self {
            decisions: admin.app.recorder.telemetry.recent.since(u64::MAX, 0).count,
            changes: admin.reloader.rollouts.audit.since(u64::MAX).count,
        }
    }
}
