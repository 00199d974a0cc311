//! Audio in formats that need no encoder: samples, WAV, and silent frames of MP3.

use std::f64::consts::TAU;
use std::hash::{DefaultHasher, Hash, Hasher};

/// Samples per second, 16 bits each, one channel: that of OpenAI's `pcm`.
const SAMPLE_RATE: u32 = 24_000;
const BYTES_PER_SAMPLE: u32 = 2;
/// Amplitude of tones, about a tenth of the largest.
const AMPLITUDE: f64 = 3_000.0;
/// Header of an MP3 frame: MPEG 1, layer III, 32 kbit/s, 44,100 Hz, one channel.
const MP3_HEADER: [u8; 4] = [0xff, 0xfb, 0x10, 0xc0];
/// Bytes of such a frame. One whose other bytes are zero is silent.
const MP3_FRAME: usize = 104;
/// Samples of such a frame, and their rate.
const MP3_SAMPLES: u64 = 1_152;
const MP3_RATE: u64 = 44_100;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum AudioFormat {
    Mp3,
    Wav,
    Pcm,
}

impl AudioFormat {
    pub(super) const fn media_type(self) -> &'static str {
        match self {
            Self::Mp3 => "audio/mpeg",
            Self::Wav => "audio/wav",
            Self::Pcm => "audio/pcm",
        }
    }
}

/// Appends what comes before the audio: for WAV, a header that states its length.
pub(super) fn begin(format: AudioFormat, millis: u32, out: &mut Vec<u8>) {
    if format != AudioFormat::Wav {
        return;
    }
    let data = samples(millis) * BYTES_PER_SAMPLE;
    out.extend_from_slice(b"RIFF");
    out.extend_from_slice(&(36 + data).to_le_bytes());
    out.extend_from_slice(b"WAVEfmt ");
    out.extend_from_slice(&16_u32.to_le_bytes());
    // Uncompressed samples, one channel.
    out.extend_from_slice(&[1, 0, 1, 0]);
    out.extend_from_slice(&SAMPLE_RATE.to_le_bytes());
    out.extend_from_slice(&(SAMPLE_RATE * BYTES_PER_SAMPLE).to_le_bytes());
    out.extend_from_slice(&[BYTES_PER_SAMPLE as u8, 0, 16, 0]);
    out.extend_from_slice(b"data");
    out.extend_from_slice(&data.to_le_bytes());
}

/// Appends a tone, whose pitch depends on the word. In MP3 it is silence of that length.
pub(super) fn tone(format: AudioFormat, word: &str, millis: u32, out: &mut Vec<u8>) {
    if format == AudioFormat::Mp3 {
        let frames = (u64::from(millis) * MP3_RATE).div_ceil(1_000 * MP3_SAMPLES);
        for _ in 0..frames {
            out.extend_from_slice(&MP3_HEADER);
            out.resize(out.len() + MP3_FRAME - MP3_HEADER.len(), 0);
        }
        return;
    }
    let mut hasher = DefaultHasher::new();
    word.hash(&mut hasher);
    // Between 220 and 440 Hz.
    let pitch = 220.0 + (hasher.finish() % 220) as f64;
    let count = samples(millis);
    for number in 0..count {
        // Fades in and out, so that words do not begin with a click.
        let fade = f64::from(number.min(count - number)) / f64::from(SAMPLE_RATE) * 100.0;
        let wave = (TAU * pitch * f64::from(number) / f64::from(SAMPLE_RATE)).sin();
        let sample = (AMPLITUDE * fade.min(1.0) * wave) as i16;
        out.extend_from_slice(&sample.to_le_bytes());
    }
}

const fn samples(millis: u32) -> u32 {
    millis * (SAMPLE_RATE / 1_000)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wav_header_states_the_bytes_that_follow() {
        let mut wav = Vec::new();
        begin(AudioFormat::Wav, 500, &mut wav);
        assert_eq!(wav.len(), 44);
        tone(AudioFormat::Wav, "one", 250, &mut wav);
        tone(AudioFormat::Wav, "two", 250, &mut wav);
        let number = |at: usize| u32::from_le_bytes(wav[at..at + 4].try_into().unwrap()) as usize;
        assert_eq!((number(4), number(40)), (wav.len() - 8, wav.len() - 44));
        assert_eq!((number(24), number(28)), (24_000, 48_000));
        assert!(wav[44..].iter().any(|byte| *byte != 0), "it is not silent");
    }

    #[test]
    fn mp3_is_whole_frames_of_the_right_length() {
        let mut mp3 = Vec::new();
        begin(AudioFormat::Mp3, 1_000, &mut mp3);
        tone(AudioFormat::Mp3, "one", 1_000, &mut mp3);
        assert_eq!(mp3.len(), 39 * MP3_FRAME, "38.3 frames are a second");
        assert!(mp3.chunks(MP3_FRAME).all(|frame| frame.starts_with(&MP3_HEADER)));
    }
}
