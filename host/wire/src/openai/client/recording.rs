//! Recordings in the parts of a request.

use base64::Engine;
use base64::alphabet::STANDARD;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use bytes::Bytes;

use crate::json::{Container, JsonText, Path, Scalar, Span, Visitor, keys, scan, unescape};

/// Base64 with or without padding, as clients differ.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);
/// Length of the longest name of a format.
const LONGEST_FORMAT: usize = 8;

/// Recording as a file.
#[derive(Debug, PartialEq, Eq)]
pub(in crate::openai) struct Recording {
    pub content: Bytes,
    /// Format such as `wav` or `mp3`, in lower-case letters and digits.
    pub format: String,
}

/// Reason why a part of a request cannot be sent as a file.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidRecording {
    /// The task has no recording.
    #[error("the task's input has no recording")]
    Missing,
    /// The client only refers to a recording, which the gateway does not fetch.
    #[error(
        "messages[{message}].content[{part}] only points to a recording: send it as input_audio with its data"
    )]
    Elsewhere {
        /// Index of the message.
        message: usize,
        /// Index of the part in the message.
        part: usize,
    },
    /// The recording is not valid base64.
    #[error("the recording in messages[{message}].content[{part}] is not base64: {reason}")]
    NotBase64 {
        /// Index of the message.
        message: usize,
        /// Index of the part in the message.
        part: usize,
        /// Reason why it cannot be decoded.
        reason: String,
    },
    /// The recording has no format, by which servers recognize a file.
    #[error("the recording in messages[{message}].content[{part}] has no format such as \"wav\" or \"mp3\"")]
    Format {
        /// Index of the message.
        message: usize,
        /// Index of the part in the message.
        part: usize,
    },
}

impl Recording {
    /// Decodes the recording in a part, which is at this place in the request: its message, and
    /// its index there.
    pub fn read(part: &[u8], (message, number): (usize, usize)) -> Result<Self, InvalidRecording> {
        let elsewhere = InvalidRecording::Elsewhere { message, part: number };
        let mut media = RecordingVisitor::default();
        scan(part, &mut media).map_err(|_| InvalidRecording::Missing)?;
        let written = media.data.and_then(|span| part.get(span)).ok_or_else(|| elsewhere.clone())?;
        let (mime, base64) = match data_url(written) {
            Some((mime, base64)) => (Some(mime), base64),
            None if media.is_url => return Err(elsewhere),
            None => (None, written),
        };
        let format = media.format.or_else(|| Some(unescape(mime?))).and_then(|format| file_format(&format));
        let format = format.ok_or(InvalidRecording::Format { message, part: number })?;
        let decoded =
            if base64.contains(&b'\\') { BASE64.decode(unescape(base64)) } else { BASE64.decode(base64) };
        let content = decoded.map_err(|error| InvalidRecording::NotBase64 {
            message,
            part: number,
            reason: error.to_string(),
        })?;
        Ok(Self { content: content.into(), format })
    }
}

/// Splits a `data:` URL, as it is written in JSON, into its media type and its content.
fn data_url(written: &[u8]) -> Option<(&[u8], &[u8])> {
    const MARK: &[u8] = b"base64,";
    let rest = written.strip_prefix(b"data:")?;
    let mark = memchr::memmem::find(rest, MARK)?;
    let (about, base64) = (rest.get(..mark)?, rest.get(mark + MARK.len()..)?);
    Some((about.split(|byte| *byte == b';').next()?, base64))
}

/// Returns the file extension for a format or a media type.
fn file_format(format: &str) -> Option<String> {
    let format = format.trim().to_ascii_lowercase();
    let name = format.rsplit('/').next()?;
    let name = match name.strip_prefix("x-").unwrap_or(name) {
        "mpeg" | "mp3" => "mp3",
        "wave" | "vnd.wave" => "wav",
        name => name,
    };
    let is_plain =
        (1..=LONGEST_FORMAT).contains(&name.len()) && name.bytes().all(|b| b.is_ascii_alphanumeric());
    is_plain.then(|| name.to_owned())
}

#[derive(Clone, Copy, Debug, Default)]
enum Place {
    #[default]
    Root,
    InputAudio,
    AudioUrl,
}

keys! {
    InputAudio = "input_audio",
    AudioUrl = "audio_url",
    Data = "data",
    Url = "url",
    Format = "format",
}

/// Visitor that finds the recording in a part.
#[derive(Debug, Default)]
struct RecordingVisitor {
    path: Path<Place, Key>,
    data: Option<Span>,
    /// True if `data` is an address, possibly a `data:` URL.
    is_url: bool,
    format: Option<String>,
}

impl Visitor for RecordingVisitor {
    fn begin(&mut self, container: Container, _: usize) {
        let is_object = container == Container::Object;
        let place = match (self.path.place(), self.path.key()) {
            _ if self.path.is_skipping() || !is_object => None,
            (None, _) => Some(Place::Root),
            (Some(Place::Root), Key::InputAudio) => Some(Place::InputAudio),
            (Some(Place::Root), Key::AudioUrl) => Some(Place::AudioUrl),
            _ => None,
        };
        self.path.enter(place);
    }

    fn key(&mut self, text: &JsonText<'_>) {
        if !self.path.is_skipping() {
            let key = Key::of(text);
            self.path.set_key(key, key as u32);
        }
    }

    fn scalar(&mut self, value: &Scalar<'_>, _: Span) {
        let Scalar::String(text) = value else { return };
        if self.path.is_skipping() {
            return;
        }
        match (self.path.place(), self.path.key()) {
            (Some(Place::InputAudio), Key::Data) => self.data = Some(text.span.clone()),
            (Some(Place::InputAudio), Key::Format) => self.format = text.short().map(String::from),
            (Some(Place::AudioUrl), Key::Url) | (Some(Place::Root), Key::AudioUrl) => {
                self.data = Some(text.span.clone());
                self.is_url = true;
            }
            _ => {}
        }
    }

    fn end(&mut self, _: usize) {
        self.path.leave();
    }
}
