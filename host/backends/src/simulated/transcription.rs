//! Simulated transcriptions and translations of recordings.

use fastrand::Rng;
use pointsman_wire::openai::provider::MultipartForm;
use pointsman_wire::sse;
use serde_json::{Value, json};

use super::body::SimulatedBody;
use super::chat::{AUDIO_BYTES_PER_TOKEN, heard};
use super::events::EventList;
use super::invalid_request::InvalidRequest;
use super::reply::{JSON, SimulatedResponse};
use super::tokens::tokens;

/// Bytes of a recording for each second: MP3 at 128 kbit/s.
const BYTES_PER_SECOND: usize = 16_000;

#[derive(Debug)]
pub(super) struct TranscriptionRequest<'a> {
    pub(super) model: &'a str,
    pub(super) file: &'a [u8],
    format: TextFormat,
    language: Option<&'a str>,
    /// True if the time of each word is requested.
    words: bool,
    /// True for a translation into English.
    translates: bool,
    pub(super) stream: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum TextFormat {
    Json,
    VerboseJson,
    Text,
    Srt,
    Vtt,
}

/// Text of a recording.
#[derive(Debug)]
pub(super) struct Transcript<'a> {
    request: &'a TranscriptionRequest<'a>,
    text: String,
}

impl<'a> TranscriptionRequest<'a> {
    /// Parses a form.
    ///
    /// # Errors
    /// Returns the reason why a server would reject it.
    pub(super) fn read(content_type: &str, body: &'a [u8], translates: bool) -> Result<Self, InvalidRequest> {
        let form = MultipartForm::read(content_type, body).map_err(|error| error.to_string())?;
        let model = form.text("model").ok_or_else(|| InvalidRequest::missing("model"))?;
        let (name, file) = form.file("file").ok_or_else(|| InvalidRequest::missing("file"))?;
        if !name.contains('.') || file.is_empty() {
            return Err(InvalidRequest::value("file", format!("{name:?} is not a recording")));
        }
        let format = match form.text("response_format") {
            None | Some("json") => TextFormat::Json,
            Some("verbose_json") => TextFormat::VerboseJson,
            Some("text") => TextFormat::Text,
            Some("srt") => TextFormat::Srt,
            Some("vtt") => TextFormat::Vtt,
            Some(other) => {
                let message = format!(
                    "response_format {other:?} is none that this fleet knows; use json, verbose_json, text, srt or vtt"
                );
                return Err(InvalidRequest::value("response_format", message));
            }
        };
        let stream = !translates && form.text("stream").is_some_and(|value| value == "true");
        let granularities = ["timestamp_granularities[]", "timestamp_granularities"];
        let words =
            granularities.iter().any(|name| form.texts(name).any(|granularity| granularity == "word"));
        Ok(Self { model, file, format, language: form.text("language"), words, translates, stream })
    }

    pub(super) fn transcript(&self, choices: &mut Rng) -> Transcript<'_> {
        Transcript { request: self, text: heard(self.encoded_bytes(), choices) }
    }

    fn encoded_bytes(&self) -> usize {
        self.file.len().div_ceil(3) * 4
    }

    fn seconds(&self) -> f64 {
        // Rounded to hundredths, and never zero.
        (self.file.len() * 100).div_ceil(BYTES_PER_SECOND) as f64 / 100.0
    }
}

impl Transcript<'_> {
    /// Returns the number of tokens.
    pub(super) fn tokens(&self) -> u32 {
        tokens(&self.text).count() as u32
    }

    pub(super) fn whole(&self) -> SimulatedResponse {
        let whole = |content_type, text: String| {
            SimulatedResponse::ok(content_type, SimulatedBody::whole(text.into()))
        };
        let end = self.request.seconds();
        match self.request.format {
            TextFormat::Json => whole(JSON, json!({ "text": self.text, "usage": self.usage() }).to_string()),
            TextFormat::VerboseJson => whole(JSON, self.verbose().to_string()),
            TextFormat::Text => whole("text/plain; charset=utf-8", format!("{}\n", self.text)),
            TextFormat::Srt => {
                let (start, end) = (timestamp(0.0, ','), timestamp(end, ','));
                whole("text/plain; charset=utf-8", format!("1\n{start} --> {end}\n{}\n\n", self.text))
            }
            TextFormat::Vtt => {
                let (start, end) = (timestamp(0.0, '.'), timestamp(end, '.'));
                whole("text/vtt; charset=utf-8", format!("WEBVTT\n\n{start} --> {end}\n{}\n\n", self.text))
            }
        }
    }

    pub(super) fn stream(self, per_token: std::time::Duration) -> SimulatedResponse {
        let done = json!({ "type": "transcript.text.done", "text": self.text, "usage": self.usage() });
        let delta = |token: &str| json!({ "type": "transcript.text.delta", "delta": token });
        let mut events: Vec<Value> = tokens(&self.text).map(delta).collect();
        events.push(done);
        SimulatedResponse::ok(sse::MEDIA_TYPE, SimulatedBody::stream(EventList::new(events), per_token))
    }

    fn usage(&self) -> Value {
        let input_tokens = self.request.encoded_bytes().div_ceil(AUDIO_BYTES_PER_TOKEN);
        let output_tokens = self.tokens();
        json!({
            "type": "tokens",
            "input_tokens": input_tokens,
            "output_tokens": output_tokens,
            "total_tokens": input_tokens + output_tokens as usize,
        })
    }

    fn verbose(&self) -> Value {
        let (task, language) = match self.request.translates {
            true => ("translate", "english"),
            false => ("transcribe", self.request.language.unwrap_or("english")),
        };
        let seconds = self.request.seconds();
        let segment = json!({
            "id": 0, "seek": 0, "start": 0.0, "end": seconds, "text": self.text, "tokens": [],
            "temperature": 0.0, "avg_logprob": -0.25, "compression_ratio": 1.2, "no_speech_prob": 0.01,
        });
        let mut verbose = json!({
            "task": task, "language": language, "duration": seconds, "text": self.text, "segments": [segment],
            "usage": { "type": "duration", "seconds": seconds.ceil() },
        });
        if self.request.words {
            verbose["words"] = self.words().into();
        }
        verbose
    }

    /// Returns the words, each with the same share of the time.
    fn words(&self) -> Vec<Value> {
        let each = self.request.seconds() / f64::from(self.tokens().max(1));
        let time = |number: usize| (number as f64 * each * 100.0).round() / 100.0;
        let word = |(number, token): (usize, &str)| json!({ "word": token.trim(), "start": time(number), "end": time(number + 1) });
        tokens(&self.text).enumerate().map(word).collect()
    }
}

/// Returns a time as subtitles state it: `00:01:02,500`.
fn timestamp(seconds: f64, separator: char) -> String {
    let millis = (seconds * 1000.0).round() as u64;
    let (hours, minutes, rest) = (millis / 3_600_000, millis / 60_000 % 60, millis % 60_000);
    format!("{hours:02}:{minutes:02}:{:02}{separator}{:03}", rest / 1000, rest % 1000)
}
