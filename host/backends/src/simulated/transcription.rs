//! Simulated transcriptions of recordings.

use bytes::Bytes;
use fastrand::Rng;
use pointsman_wire::openai::provider::MultipartForm;
use serde_json::json;

use super::answer::heard;
use super::request::AUDIO_BYTES_PER_TOKEN;
use super::tokens::tokens;

#[derive(Debug)]
pub(super) struct TranscriptionRequest<'a> {
    pub(super) model: &'a str,
    pub(super) file: &'a [u8],
}

impl<'a> TranscriptionRequest<'a> {
    /// Parses a form.
    ///
    /// # Errors
    /// Returns the reason why a server would reject it.
    pub(super) fn read(content_type: &str, body: &'a [u8]) -> Result<Self, String> {
        let form = MultipartForm::read(content_type, body).map_err(|error| error.to_string())?;
        let model = form.text("model").ok_or("it has no model")?;
        let (name, file) = form.file("file").ok_or("it has no file")?;
        if !name.contains('.') || file.is_empty() {
            return Err(format!("{name:?} is not a recording"));
        }
        match form.text("response_format") {
            None | Some("json") => Ok(Self { model, file }),
            Some(other) => Err(format!("response_format {other:?} is none that this fleet knows; use json")),
        }
    }

    /// Returns the answer and the number of its tokens.
    pub(super) fn answer(&self, choices: &mut Rng) -> (Bytes, u32) {
        let encoded = self.file.len().div_ceil(3) * 4;
        let text = heard(encoded, choices);
        let input_tokens = encoded.div_ceil(AUDIO_BYTES_PER_TOKEN);
        let output_tokens = tokens(&text).count();
        let usage = json!({
            "type": "tokens",
            "input_tokens": input_tokens,
            "output_tokens": output_tokens,
            "total_tokens": input_tokens + output_tokens,
        });
        (json!({ "text": text, "usage": usage }).to_string().into(), output_tokens as u32)
    }
}
