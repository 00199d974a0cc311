//! Simulated speech: a tone for each word.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use pointsman_wire::sse;
use serde::Deserialize;
use serde_json::json;

use super::audio::{self, AudioFormat};
use super::body::{ChunkSource, SimulatedBody};
use super::events;
use super::invalid_request::{InvalidRequest, parse};
use super::reply::SimulatedResponse;
use super::tokens::tokens;

/// Most characters of a text.
const MAX_INPUT: usize = 4_096;
/// Most words that are spoken, so that the audio has a bounded length.
const MAX_WORDS: usize = 200;
/// Milliseconds of a word at normal speed.
const WORD_MS: f64 = 250.0;

#[derive(Debug)]
pub(super) struct SpeechRequest {
    pub(super) model: String,
    pub(super) input: String,
    format: AudioFormat,
    speed: f64,
    /// True if the audio is sent as events.
    events: bool,
}

#[derive(Deserialize)]
#[serde(expecting = "an object")]
struct Body {
    model: String,
    input: String,
    response_format: Option<String>,
    stream_format: Option<String>,
    speed: Option<f64>,
}

impl SpeechRequest {
    /// Parses a body.
    ///
    /// # Errors
    /// Returns the reason why a server would reject it.
    pub(super) fn read(pieces: &[Bytes]) -> Result<Self, InvalidRequest> {
        let body: Body = parse(pieces)?;
        let characters = body.input.chars().count();
        if characters == 0 || characters > MAX_INPUT {
            let message = format!("input has {characters} characters; 1 to {MAX_INPUT} are expected");
            return Err(InvalidRequest::value("input", message));
        }
        let speed = body.speed.unwrap_or(1.0);
        if !(0.25..=4.0).contains(&speed) {
            let message = format!("speed is {speed}; a number from 0.25 to 4 is expected");
            return Err(InvalidRequest::value("speed", message));
        }
        let format = match body.response_format.as_deref() {
            None | Some("mp3") => AudioFormat::Mp3,
            Some("wav") => AudioFormat::Wav,
            Some("pcm") => AudioFormat::Pcm,
            Some(other) => {
                let message =
                    format!("response_format {other:?} is none that this fleet knows; use mp3, wav or pcm");
                return Err(InvalidRequest::value("response_format", message));
            }
        };
        let events = match body.stream_format.as_deref() {
            None | Some("audio") => false,
            Some("sse") => true,
            Some(other) => {
                let message = format!("stream_format is {other:?}; use audio or sse");
                return Err(InvalidRequest::value("stream_format", message));
            }
        };
        Ok(Self { model: body.model, input: body.input, format, speed, events })
    }

    /// Returns the audio, which is made and sent word by word.
    pub(super) fn answer(&self, per_token: std::time::Duration) -> SimulatedResponse {
        let words: Vec<String> = tokens(&self.input).take(MAX_WORDS).map(str::to_owned).collect();
        let content_type = if self.events { sse::MEDIA_TYPE } else { self.format.media_type() };
        let millis = (WORD_MS / self.speed) as u32;
        let input_tokens = tokens(&self.input).count();
        let stream =
            SpeechStream { words, millis, format: self.format, events: self.events, input_tokens, next: 0 };
        SimulatedResponse::ok(content_type, SimulatedBody::stream(stream, per_token))
    }
}

#[derive(Debug)]
struct SpeechStream {
    words: Vec<String>,
    /// Length of each word.
    millis: u32,
    format: AudioFormat,
    events: bool,
    input_tokens: usize,
    /// Number of the next word. The number after the last is that of the end.
    next: usize,
}

impl ChunkSource for SpeechStream {
    fn next_token(&self) -> Option<usize> {
        let chunks = self.words.len() + usize::from(self.events);
        (self.next < chunks).then(|| self.next.min(self.words.len().saturating_sub(1)))
    }

    fn next_chunk(&mut self, _due: usize) -> Bytes {
        let number = self.next;
        self.next += 1;
        let Some(word) = self.words.get(number) else {
            let output_tokens = self.words.len();
            let total_tokens = self.input_tokens + output_tokens;
            return events::render(&json!({
                "type": "speech.audio.done",
                "usage": {
                    "input_tokens": self.input_tokens, "output_tokens": output_tokens, "total_tokens": total_tokens,
                },
            }));
        };
        let mut audio = Vec::new();
        if number == 0 {
            audio::begin(self.format, self.millis * self.words.len() as u32, &mut audio);
        }
        audio::tone(self.format, word, self.millis, &mut audio);
        if self.events {
            return events::render(
                &json!({ "type": "speech.audio.delta", "audio": STANDARD.encode(&audio) }),
            );
        }
        audio.into()
    }
}
