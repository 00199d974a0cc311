//! Streams of events that have names.

use bytes::Bytes;
use serde_json::Value;

use super::body::ChunkSource;

/// Events of a stream, one for each token. The last follows the one before at once.
#[derive(Debug)]
pub(super) struct EventList {
    events: Vec<Value>,
    next: usize,
}

impl EventList {
    pub(super) fn new(events: Vec<Value>) -> Self {
        Self { events, next: 0 }
    }
}

impl ChunkSource for EventList {
    fn next_token(&self) -> Option<usize> {
        let last = self.events.len().checked_sub(1)?;
        (self.next <= last).then(|| if self.next == last { last.saturating_sub(1) } else { self.next })
    }

    fn next_chunk(&mut self, _due: usize) -> Bytes {
        let event = self.events.get(self.next);
        self.next += 1;
        event.map(render).unwrap_or_default()
    }
}

/// Renders an event, whose name is its type.
pub(super) fn render(event: &Value) -> Bytes {
    let name = event.get("type").and_then(Value::as_str).unwrap_or("message");
    format!("event: {name}\ndata: {event}\n\n").into()
}
