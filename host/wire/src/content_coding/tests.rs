use std::io::Write;

use flate2::Compression;
use flate2::write::{DeflateEncoder, GzEncoder, ZlibEncoder};
use proptest::prelude::*;

use super::*;

/// `hello` and 4 MiB of zeros by another encoder.
const BROTLI_HELLO: &[u8] = b"\x0b\x02\x80hello\x03";
const BROTLI_ZEROS: &[u8] = b"\x9b\xff\xff\x3f\xf8\x27\x00\xe2\xb1\x40\x20\xf7\xfe\x07";
/// Two events, each flushed, and the end.
const BROTLI_EVENTS: [&[u8]; 3] =
    [b"\x0b\x05\x80data: one\n\n", b"\x50\x00\x80\x5f\x5a\xe1\x8d\xee\x4e\x11\xa2\x4a\x04\x60\x0b", b"\x03"];
const EVENTS: [&[u8]; 2] = [b"data: one\n\n", b"data: two\n\n"];

fn gzip(data: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(data).unwrap();
    encoder.finish().unwrap()
}

fn zlib(data: &[u8]) -> Vec<u8> {
    let mut encoder = ZlibEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(data).unwrap();
    encoder.finish().unwrap()
}

fn deflate(data: &[u8]) -> Vec<u8> {
    let mut encoder = DeflateEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(data).unwrap();
    encoder.finish().unwrap()
}

fn zstd(data: &[u8]) -> Vec<u8> {
    zstd::bulk::compress(data, 1).unwrap()
}

/// Brotli that compresses nothing: blocks of up to 64 KiB as they are.
fn brotli(data: &[u8]) -> Vec<u8> {
    // A window of 64 KiB is the single bit 0, so everything is shifted by one.
    let mut bits: u32 = 0;
    let mut shift = 1;
    let mut out = Vec::new();
    for block in data.chunks(1 << 16) {
        let length = (block.len() - 1) as u32;
        // Not the last; four digits of length; the length less one; not compressed.
        bits |= (length << 3 | 1 << 19) << shift;
        out.extend_from_slice(&bits.to_le_bytes()[..3]);
        // 20 bits and the shift take no more than 3 bytes.
        out.extend_from_slice(block);
        (bits, shift) = (0, 0);
    }
    // The last block, and empty.
    out.push(((bits | 0b11 << shift) & 0xff) as u8);
    out
}

fn decoder(value: &str) -> Decoder {
    Decoder::for_values([value.as_bytes()]).unwrap().unwrap()
}

/// Decodes a body that comes in chunks of this size.
fn decoded(coding: &str, body: &[u8], cut: usize) -> Result<Vec<u8>, DecodeError> {
    let mut decoder = decoder(coding);
    let mut all = Vec::new();
    for chunk in body.chunks(cut) {
        let mut chunk = Bytes::copy_from_slice(chunk);
        while let Some(piece) = decoder.decode(&mut chunk)? {
            assert!((1..=MAX_CHUNK).contains(&piece.len()));
            all.extend_from_slice(&piece);
        }
        assert!(chunk.is_empty());
    }
    decoder.finish().map(|()| all)
}

type Encoder = fn(&[u8]) -> Vec<u8>;
const ENCODERS: [(&str, Encoder); 5] =
    [("gzip", gzip), ("deflate", zlib), ("deflate", deflate), ("zstd", zstd), ("br", brotli)];

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn a_body_survives_encoding_and_decoding(
        data in prop::collection::vec(any::<u8>(), 0..3_000),
        repeated in 1_usize..30,
        cut in 1_usize..5_000,
    ) {
        let data = data.repeat(repeated);
        for (coding, encode) in ENCODERS {
            prop_assert_eq!(decoded(coding, &encode(&data), cut).unwrap(), data.clone(), "{}", coding);
        }
    }

    #[test]
    fn codings_are_decoded_in_reverse_order(
        data in prop::collection::vec(any::<u8>(), 0..40_000),
        stack in prop::collection::vec(0..ENCODERS.len(), 2..4),
        cut in 1_usize..5_000,
    ) {
        let body = stack.iter().fold(data.clone(), |body, &encoder| ENCODERS[encoder].1(&body));
        let names: Vec<&str> = stack.iter().map(|&encoder| ENCODERS[encoder].0).collect();
        prop_assert_eq!(decoded(&names.join(", "), &body, cut).unwrap(), data);
    }

    #[test]
    fn a_body_that_was_cut_off_is_an_error(
        data in prop::collection::vec(any::<u8>(), 1..3_000),
        kept in 0.0..1.0_f64,
    ) {
        for (coding, encode) in ENCODERS {
            let body = encode(&data);
            let kept = (body.len() as f64 * kept) as usize;
            let result = decoded(coding, &body[..kept], 1_000);
            prop_assert_eq!(result.is_err(), kept > 0, "{} {}", coding, kept);
        }
    }

    #[test]
    fn random_bytes_end_with_an_error_or_without_one(noise in prop::collection::vec(any::<u8>(), 0..2_000)) {
        for (coding, encode) in ENCODERS {
            let _ = decoded(coding, &noise, 100);
            let mut damaged = encode(&noise);
            if let Some(byte) = noise.first() {
                let at = noise.len() % damaged.len();
                damaged[at] ^= byte;
            }
            let _ = decoded(coding, &damaged, 100);
        }
    }
}

#[test]
fn brotli_of_another_encoder_is_decoded() {
    assert_eq!(decoded("br", BROTLI_HELLO, 1).unwrap(), b"hello");
    assert_eq!(decoded("br", &BROTLI_EVENTS.concat(), 1).unwrap(), EVENTS.concat());
}

#[test]
fn names_are_case_insensitive_lists() {
    let codings = |values: &[&str]| {
        let decoder = Decoder::for_values(values.iter().map(|value| value.as_bytes())).unwrap();
        decoder.map_or_else(Vec::new, |decoder| {
            decoder.stages.iter().map(|stage| stage.coding.as_str()).collect()
        })
    };
    for none in [&[][..], &[""], &["identity"], &["Identity, "]] {
        assert_eq!(codings(none), [""; 0], "{none:?}");
    }
    assert_eq!(codings(&["X-GZip"]), ["gzip"]);
    assert_eq!(codings(&["deflate ,identity,BR"]), ["br", "deflate"]);
    assert_eq!(codings(&["gzip", "zstd"]), ["zstd", "gzip"]);

    let refusal = |value: &str| Decoder::for_values([value.as_bytes()]).unwrap_err().to_string();
    assert_eq!(refusal("compress"), "the content coding \"compress\" is not supported");
    assert_eq!(refusal("gzip, gzip; q=1"), "the content coding \"gzip; q=1\" is not supported");
    assert!(refusal(&"x".repeat(1_000)).len() < 100);
    assert!(refusal("gzip,gzip,gzip,gzip,gzip").contains("more than 4"));
}

#[test]
fn flushed_data_are_returned_at_once() {
    let mut flushes: Vec<(&str, Vec<Vec<u8>>)> = Vec::new();
    let mut gzip = GzEncoder::new(Vec::new(), Compression::default());
    let mut deflate = ZlibEncoder::new(Vec::new(), Compression::default());
    let mut zstd = zstd::stream::write::Encoder::new(Vec::new(), 1).unwrap();
    let (mut of_gzip, mut of_deflate, mut of_zstd) = (Vec::new(), Vec::new(), Vec::new());
    for event in EVENTS {
        gzip.write_all(event).and_then(|()| gzip.flush()).unwrap();
        of_gzip.push(std::mem::take(gzip.get_mut()));
        deflate.write_all(event).and_then(|()| deflate.flush()).unwrap();
        of_deflate.push(std::mem::take(deflate.get_mut()));
        zstd.write_all(event).and_then(|()| zstd.flush()).unwrap();
        of_zstd.push(std::mem::take(zstd.get_mut()));
    }
    flushes.extend([("gzip", of_gzip), ("deflate", of_deflate), ("zstd", of_zstd)]);
    flushes.push(("br", BROTLI_EVENTS[..2].iter().map(|chunk| chunk.to_vec()).collect()));
    for (coding, chunks) in flushes {
        let mut decoder = decoder(coding);
        for (chunk, event) in chunks.into_iter().zip(EVENTS) {
            let mut chunk = Bytes::from(chunk);
            let mut came = Vec::new();
            while let Some(piece) = decoder.decode(&mut chunk).unwrap() {
                came.extend_from_slice(&piece);
            }
            assert_eq!(came, event, "{coding}");
        }
    }
}

#[test]
fn a_small_chunk_that_expands_is_returned_in_bounded_chunks() {
    let zeros = vec![0; 4 << 20];
    for (coding, body) in [
        ("gzip", gzip(&zeros)),
        ("deflate", zlib(&zeros)),
        ("zstd", zstd(&zeros)),
        ("br", BROTLI_ZEROS.to_vec()),
    ] {
        assert_eq!(decoded(coding, &body, usize::MAX).unwrap(), zeros, "{coding}");
    }
    let twice = gzip(&gzip(&zeros));
    assert!(twice.len() < 1_000, "{}", twice.len());
    assert_eq!(decoded("gzip, gzip", &twice, usize::MAX).unwrap(), zeros);
}

#[test]
fn a_window_above_the_limit_is_rejected() {
    let mut encoder = zstd::stream::write::Encoder::new(Vec::new(), 1).unwrap();
    encoder.window_log(27).unwrap();
    encoder.write_all(b"hello").unwrap();
    encoder.flush().unwrap();
    let error = decoded("zstd", &encoder.finish().unwrap(), 100).unwrap_err();
    assert_eq!(error.coding, ContentCoding::Zstd);
    assert!(error.to_string().contains("zstd"), "{error}");
}

#[test]
fn members_and_frames_in_a_row_are_one_body() {
    assert_eq!(decoded("gzip", &[gzip(b"a"), gzip(b""), gzip(b"b")].concat(), 1).unwrap(), b"ab");
    assert_eq!(decoded("zstd", &[zstd(b"a"), zstd(b""), zstd(b"b")].concat(), 1).unwrap(), b"ab");
    let cut = [gzip(b"a"), gzip(b"b")[..5].to_vec()].concat();
    assert!(decoded("gzip", &cut, 100).is_err());
}

#[test]
fn bytes_after_the_data_are_ignored() {
    for (coding, encode) in ENCODERS {
        if coding != "zstd" {
            assert_eq!(decoded(coding, &[encode(b"a"), vec![0; 9]].concat(), 1).unwrap(), b"a", "{coding}");
        }
    }
}

#[test]
fn an_error_names_the_coding() {
    for coding in ["gzip", "deflate", "br", "zstd"] {
        let error = decoded(coding, b"{\"model\":\"auto\"}", 100).unwrap_err().to_string();
        assert!(error.starts_with(&format!("its {coding} data cannot be decoded: ")), "{error}");
    }
}
