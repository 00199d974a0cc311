//! Transcriptions: a recording in, text out. The recording is sent as a file in a form, the one
//! call of this protocol that is not JSON.

mod form;

use bytes::Bytes;
use serde::Deserialize;
use serde_json::Value;

use self::form::{Boundary, FieldHead};
use crate::answer::InvalidAnswer;
use crate::form::one_line;
use crate::usage_count::{UsageCount, UsageMember};

pub use self::form::{InvalidForm, MultipartForm};

/// Body of a transcription call without the name of the model. The recording is decoded once, and
/// shared by all attempts.
#[derive(Clone, Debug)]
pub struct TranscriptionBody {
    /// Content type: `multipart/form-data` with the boundary.
    pub content_type: String,
    /// Estimated tokens of the recording; the module `tokens` has the rules.
    pub input_tokens: u32,
    boundary: Boundary,
    /// Bytes from the end of the model's name to the start of the file's content.
    before_file: Bytes,
    file: Bytes,
    after_file: Bytes,
}

impl TranscriptionBody {
    /// Returns the body for a recording in a format such as `wav` or `mp3`, with further fields.
    pub(in crate::openai) fn new(
        content: Bytes,
        format: &str,
        input_tokens: u32,
        options: &[(String, String)],
    ) -> Self {
        let boundary = Boundary::not_in(&content);
        let mut before_file = "\r\n".to_owned();
        boundary.field("response_format", "json", &mut before_file);
        for (name, value) in options {
            let value = serde_json::from_str(value).unwrap_or_else(|_| value.clone());
            boundary.field(name, &value, &mut before_file);
        }
        let file_name = format!("audio.{format}");
        let head = FieldHead { name: "file", file: Some((&file_name, media_type(format))) };
        boundary.begin(head, &mut before_file);
        Self {
            content_type: boundary.content_type(),
            input_tokens,
            before_file: before_file.into(),
            file: content,
            after_file: boundary.end().into(),
            boundary,
        }
    }

    /// Returns the body for a backend that knows the model by this name.
    pub fn body_for(&self, upstream_name: &str) -> Vec<Bytes> {
        let mut model = String::new();
        self.boundary.begin(FieldHead { name: "model", file: None }, &mut model);
        model.push_str(&one_line(upstream_name));
        vec![model.into(), self.before_file.clone(), self.file.clone(), self.after_file.clone()]
    }
}

/// Returns the media type of a recording in a format.
fn media_type(format: &str) -> &'static str {
    match format {
        "wav" => "audio/wav",
        "mp3" | "mpga" | "mpeg" => "audio/mpeg",
        "m4a" | "mp4" => "audio/mp4",
        "ogg" | "oga" | "opus" => "audio/ogg",
        "flac" => "audio/flac",
        "webm" => "audio/webm",
        "aac" => "audio/aac",
        _ => "application/octet-stream",
    }
}

#[derive(Deserialize)]
struct TranscriptionAnswer {
    text: String,
    usage: Option<Value>,
}

/// Parses the text of a transcription, and the backend's count of tokens. Some backends count
/// seconds, which are not tokens.
pub(super) fn parse_transcription(answer: &[u8]) -> Result<(String, UsageCount), InvalidAnswer> {
    let TranscriptionAnswer { text, usage } =
        serde_json::from_slice(answer).map_err(|error| match error.classify() {
            serde_json::error::Category::Data => InvalidAnswer::NoText,
            _ => InvalidAnswer::NotJson(error.to_string()),
        })?;
    let mut count = UsageCount::default();
    for (name, counted) in [
        ("input_tokens", UsageMember::Input),
        ("output_tokens", UsageMember::Output),
        ("total_tokens", UsageMember::Total),
    ] {
        if let Some(Value::Number(number)) = usage.as_ref().and_then(|usage| usage.get(name)) {
            count.record(counted, number.to_string().as_bytes());
        }
    }
    Ok((text, count))
}

#[cfg(test)]
mod tests;
