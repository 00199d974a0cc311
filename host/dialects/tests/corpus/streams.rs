//! Streams of events that arrive in chunks.

use pointsman_dialects::form::{AnswerEvent, StreamReader};
use pointsman_wire::sse::{self, EventSplitter, SseFragment};

/// Returns the data of the events of a stream that arrives in chunks of a size.
pub fn data_of(stream: &str, size: usize) -> Vec<Vec<u8>> {
    let mut splitter = EventSplitter::new(64 << 20);
    let mut all = Vec::new();
    let mut add = |event: &[u8]| all.extend(sse::data(event).map(|data| data.bytes.into_owned()));
    for chunk in stream.as_bytes().chunks(size) {
        let mut at = 0;
        while let Some(fragment) = splitter.next(chunk, &mut at) {
            match fragment {
                SseFragment::Event(range) => add(&chunk[range]),
                SseFragment::Joined(event) => add(&event),
                other => panic!("{other:?}"),
            }
        }
    }
    if let Some(rest) = splitter.finish() {
        add(&rest);
    }
    all
}

/// Returns the events that a reader finds in a stream that arrives in chunks of a size.
pub fn read(reader: &mut dyn StreamReader, stream: &str, size: usize) -> Vec<AnswerEvent> {
    let mut events = Vec::new();
    data_of(stream, size).iter().for_each(|data| reader.read(data, &mut events));
    reader.finish(&mut events);
    events
}
