//! Media types of answers. Clients see only types that this module lists, whatever a backend
//! states: a browser must not take an answer for a page.

use super::RelayFraming;
use crate::forwarded::ForwardedApi;
use crate::protocol::Protocol;

const JSON: &str = "application/json";
const TEXT: &str = "text/plain; charset=utf-8";
const EVENTS: &str = "text/event-stream";
const UNKNOWN_BYTES: &str = "application/octet-stream";

/// Types of transcripts besides JSON.
const TRANSCRIPTS: [(&str, &str); 3] = [
    ("text/plain", TEXT),
    ("text/vtt", "text/vtt; charset=utf-8"),
    ("application/x-subrip", "application/x-subrip"),
];
/// Types of sound.
const SOUND: [&str; 12] = [
    "audio/mpeg",
    "audio/opus",
    "audio/ogg",
    "audio/aac",
    "audio/flac",
    "audio/x-flac",
    "audio/wav",
    "audio/x-wav",
    "audio/wave",
    "audio/pcm",
    "audio/webm",
    "audio/mp4",
];

/// Delivery of an answer to the client.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Delivery {
    /// Whole, once all of it has arrived.
    Whole,
    /// Piece by piece, as it arrives.
    Stream(RelayFraming),
}

impl Protocol {
    /// Returns how an answer with a media type is delivered. Where a client requests a stream of
    /// another operation than a conversation, models that cannot stream answer whole.
    pub(super) fn delivery(self, media_type: Option<&str>, streaming: bool) -> Delivery {
        let Self::Forwarded(api) = self else {
            return if streaming { Delivery::Stream(RelayFraming::Events) } else { Delivery::Whole };
        };
        let is = |name: &str| media_type.is_some_and(|stated| stated.eq_ignore_ascii_case(name));
        match api {
            _ if streaming && is(EVENTS) => Delivery::Stream(RelayFraming::Events),
            ForwardedApi::Speech if !is(JSON) && !is(EVENTS) => Delivery::Stream(RelayFraming::Bytes),
            _ => Delivery::Whole,
        }
    }

    /// Returns the media type of a whole answer.
    pub fn whole_media_type(self, stated: Option<&str>, answer: &[u8]) -> &'static str {
        match self {
            Self::Forwarded(ForwardedApi::Transcriptions | ForwardedApi::Translations) => {
                let known = TRANSCRIPTS.iter().find(|(name, _)| Some(*name) == essence(stated).as_deref());
                match known {
                    _ if answer.trim_ascii_start().starts_with(b"{") => JSON,
                    Some((_, media_type)) => media_type,
                    None => TEXT,
                }
            }
            _ => JSON,
        }
    }
}

/// Returns the media type of an answer that arrives piece by piece.
pub fn stream_media_type(framing: RelayFraming, stated: Option<&str>) -> &'static str {
    match framing {
        RelayFraming::Events => EVENTS,
        RelayFraming::Bytes => {
            let stated = essence(stated);
            SOUND.into_iter().find(|name| Some(*name) == stated.as_deref()).unwrap_or(UNKNOWN_BYTES)
        }
    }
}

/// Returns a media type without its parameters, in lower case.
fn essence(stated: Option<&str>) -> Option<String> {
    Some(stated?.split(';').next()?.trim().to_ascii_lowercase())
}

#[cfg(test)]
mod tests {
    use super::*;

    const SPEECH: Protocol = Protocol::Forwarded(ForwardedApi::Speech);
    const TRANSCRIPTIONS: Protocol = Protocol::Forwarded(ForwardedApi::Transcriptions);

    #[test]
    fn an_answer_is_delivered_as_its_backend_sends_it() {
        let events = Delivery::Stream(RelayFraming::Events);
        assert_eq!(Protocol::Messages.delivery(None, true), events);
        assert_eq!(Protocol::Messages.delivery(Some(EVENTS), false), Delivery::Whole);
        assert_eq!(TRANSCRIPTIONS.delivery(Some("Text/Event-Stream"), true), events);
        assert_eq!(TRANSCRIPTIONS.delivery(Some(JSON), true), Delivery::Whole);
        assert_eq!(TRANSCRIPTIONS.delivery(Some(EVENTS), false), Delivery::Whole);
        assert_eq!(SPEECH.delivery(Some("audio/mpeg"), false), Delivery::Stream(RelayFraming::Bytes));
        assert_eq!(SPEECH.delivery(None, false), Delivery::Stream(RelayFraming::Bytes));
        assert_eq!(SPEECH.delivery(Some(JSON), false), Delivery::Whole);
        assert_eq!(SPEECH.delivery(Some(EVENTS), true), events);
    }

    #[test]
    fn only_listed_media_types_reach_a_client() {
        let whole = |stated| TRANSCRIPTIONS.whole_media_type(Some(stated), b"text");
        assert_eq!(whole("text/html"), TEXT);
        assert_eq!(whole("Text/VTT; charset=utf-8"), "text/vtt; charset=utf-8");
        assert_eq!(TRANSCRIPTIONS.whole_media_type(Some("text/html"), b" {}"), JSON);
        assert_eq!(Protocol::ChatCompletions.whole_media_type(Some("text/html"), b"x"), JSON);
        assert_eq!(stream_media_type(RelayFraming::Bytes, Some("audio/MPEG;rate=1")), "audio/mpeg");
        assert_eq!(stream_media_type(RelayFraming::Bytes, Some("text/html")), UNKNOWN_BYTES);
        assert_eq!(stream_media_type(RelayFraming::Events, Some("text/html")), EVENTS);
    }
}
