//! Outputs of tasks that are no conversations.

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use pointsman_wire::openai::provider::{read_embedding_output, read_transcription_output};

use super::{AnswerCount, InvalidAnswer, TaskOutput};
use crate::forwarded::{ForwardedApi, read_answer, read_image_output, read_moderation_output};

/// Parses a whole answer as the output of a task: the text of a recording, a vector, the URL of an image or of
/// a recording, a judgement in JSON.
pub(super) fn read(api: ForwardedApi, answer: &[u8]) -> Result<TaskOutput, InvalidAnswer> {
    match api {
        ForwardedApi::Transcriptions | ForwardedApi::Translations => read_transcription_output(answer),
        ForwardedApi::ImageGenerations | ForwardedApi::ImageEdits => read_image_output(answer),
        ForwardedApi::Moderations => read_moderation_output(answer),
        ForwardedApi::Speech => read_speech(answer),
        ForwardedApi::Embeddings => read_embedding_output(answer),
    }
}

/// Returns a recording as a data URL.
fn read_speech(answer: &[u8]) -> Result<TaskOutput, InvalidAnswer> {
    if answer.is_empty() {
        return Err(InvalidAnswer::Empty);
    }
    if answer.starts_with(b"{") {
        // An error, since sound is no JSON.
        read_answer(ForwardedApi::Speech, answer)?;
    }
    let media_type = sound_type(answer);
    let text = format!("data:{media_type};base64,{}", BASE64_STANDARD.encode(answer));
    Ok(TaskOutput { text, finish_reason: None, count: AnswerCount::default() })
}

/// Returns the media type of sound by its first bytes. Samples without a head are the only format
/// that has none.
fn sound_type(sound: &[u8]) -> &'static str {
    match sound {
        [b'I', b'D', b'3', ..] | [0xFF, 0xFA | 0xFB | 0xF2 | 0xF3, ..] => "audio/mpeg",
        [b'R', b'I', b'F', b'F', ..] => "audio/wav",
        [b'O', b'g', b'g', b'S', ..] => "audio/ogg",
        [b'f', b'L', b'a', b'C', ..] => "audio/flac",
        [0xFF, 0xF0 | 0xF1 | 0xF8 | 0xF9, ..] => "audio/aac",
        _ => "audio/pcm",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_recording_becomes_a_data_url_of_its_format() {
        let output = |sound: &[u8]| read(ForwardedApi::Speech, sound).map(|output| output.text);
        assert_eq!(output(b"ID3").unwrap(), "data:audio/mpeg;base64,SUQz");
        assert_eq!(output(b"RIFF").unwrap(), "data:audio/wav;base64,UklGRg==");
        assert_eq!(output(b"\x00\x01").unwrap(), "data:audio/pcm;base64,AAE=");
        assert_eq!(output(b""), Err(InvalidAnswer::Empty));
        assert!(matches!(output(br#"{"error":{"message":"no voice"}}"#), Err(InvalidAnswer::Reported(_))));
    }
}
