//! Estimates of tokens for content that no backend has counted.
//!
//! Every model counts differently, so these are rules of thumb that need no tokenizer: good
//! enough to rank models by context window and to compare prices. For recorded requests of OpenAI
//! they are within about a third of its own count; only a picture was 2.9 times more expensive,
//! with a model that is known for it (GPT-5 nano).

// Those of text and messages are the domain's, which limits what plans use up.
pub use pointsman_domain::prompt::tokens_of_text as of_text;

/// Bytes of the longest token of common tokenizers: a run of 128 blanks in OpenAI's `cl100k_base`
/// and `o200k_base`, and in Llama 3's, which is derived from the former. A text has at least as
/// many tokens as its bytes divided by this.
pub const LONGEST_TOKEN_BYTES: usize = 128;

/// Tokens of a picture of 1024 x 1024 in full detail: 85 and 170 for each of four tiles (OpenAI,
/// "Images and vision", GPT-4o).
pub const IMAGE: u64 = 765;
/// Tokens of a picture with `"detail": "low"` (same source).
pub(crate) const IMAGE_LOW_DETAIL: u64 = 85;

/// Tokens of a second of sound (OpenAI, "Managing costs", audio in user messages).
const AUDIO_TOKENS_PER_SECOND: u64 = 10;
/// Bytes of a second of WAV as speech is recorded: 16 kHz, 16 bits, one channel.
const WAV_BYTES_PER_SECOND: u64 = 32_000;
/// Bytes of a second of MP3 and similar formats at 128 kbit/s.
const AUDIO_BYTES_PER_SECOND: u64 = 16_000;
/// Assumed length of sound that is not in the request.
const AUDIO_SECONDS: u64 = 30;

/// Tokens of a second of video: 263, and 32 for its sound (Google, "Understand and count tokens",
/// Gemini).
const VIDEO_TOKENS_PER_SECOND: u64 = 295;
/// Bytes of a second of video at 1 Mbit/s.
const VIDEO_BYTES_PER_SECOND: u64 = 125_000;
/// Assumed length of video that is not in the request.
const VIDEO_SECONDS: u64 = 30;

/// Tokens of a page of a document: its picture, and some 500 words of text.
const PAGE: u64 = IMAGE + 650;
/// Bytes of a page of a PDF with some pictures.
const BYTES_PER_PAGE: u64 = 50_000;

/// Returns the tokens of a recording of that many bytes.
pub const fn of_recording(bytes: u64, is_wav: bool) -> u64 {
    let bytes_per_second = if is_wav { WAV_BYTES_PER_SECOND } else { AUDIO_BYTES_PER_SECOND };
    bytes.saturating_mul(AUDIO_TOKENS_PER_SECOND).div_ceil(bytes_per_second)
}

/// Returns the tokens of sound by the length of its base64 form; of an assumed length if the
/// request only refers to it.
pub(crate) fn of_audio(base64_len: Option<u64>, is_wav: bool) -> u64 {
    let bytes_per_second = if is_wav { WAV_BYTES_PER_SECOND } else { AUDIO_BYTES_PER_SECOND };
    timed(base64_len, AUDIO_TOKENS_PER_SECOND, bytes_per_second, AUDIO_SECONDS)
}

/// Returns the tokens of a video, as for sound.
pub(crate) fn of_video(base64_len: Option<u64>) -> u64 {
    timed(base64_len, VIDEO_TOKENS_PER_SECOND, VIDEO_BYTES_PER_SECOND, VIDEO_SECONDS)
}

/// Returns the tokens of a document by the length of its base64 form; of one page if the request
/// only refers to it.
pub(crate) fn of_document(base64_len: Option<u64>) -> u64 {
    base64_len.map_or(1, |len| decoded(len).div_ceil(BYTES_PER_PAGE)).max(1) * PAGE
}

fn timed(base64_len: Option<u64>, tokens_per_second: u64, bytes_per_second: u64, seconds: u64) -> u64 {
    match base64_len {
        Some(len) => (decoded(len) * tokens_per_second).div_ceil(bytes_per_second),
        None => seconds * tokens_per_second,
    }
}

fn decoded(base64_len: u64) -> u64 {
    base64_len / 4 * 3
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_a_quarter_of_its_bytes_rounded_up() {
        assert_eq!([0, 1, 4, 5].map(of_text), [0, 1, 1, 2]);
    }

    #[test]
    fn a_second_of_mp3_is_ten_tokens() {
        assert_eq!(of_audio(Some(16_000 / 3 * 4), false), 10);
    }

    #[test]
    fn a_document_has_at_least_one_page() {
        assert_eq!(of_document(Some(100)), PAGE);
        assert_eq!(of_document(None), PAGE);
        assert_eq!(of_document(Some(200_000)), 3 * PAGE);
    }
}
