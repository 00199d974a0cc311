use proptest::prelude::*;

use super::*;
use crate::json::{quote, unescape};

/// A text as clients write it: with short escapes, with all characters beyond ASCII
/// escaped (surrogate pairs), or some of each, and with lone surrogates.
fn raw() -> impl Strategy<Value = Vec<u8>> {
    let quoted = "[ab\"\\\\\n\u{1}\u{e9}\u{20ac}\u{1f980}]{0,30}".prop_map(|text| {
        let quoted = quote(&text);
        quoted[1..quoted.len() - 1].to_owned()
    });
    let units = "[ab\u{e9}\u{20ac}\u{1f980}]{0,30}"
        .prop_map(|text| text.encode_utf16().map(|unit| format!("\\u{unit:04X}")).collect::<String>());
    let lone = prop_oneof![Just(r"\ud83d"), Just(r"\ude00"), Just(r"\ud83dx"), Just(r"\ud83d\ud83d\ude00")];
    let plain = (0..600_usize, "[a\u{e9}\u{1f980}]").prop_map(|(times, text)| text.repeat(times));
    let part = prop_oneof![quoted, units, lone.prop_map(str::to_owned), plain];
    proptest::collection::vec(part, 0..12).prop_map(|parts| parts.concat().into_bytes())
}

proptest! {
    #[test]
    fn every_place_is_where_a_scan_from_the_start_finds_it(raw in raw()) {
        let index = EscapeIndex::of(&raw);
        let length = unescape(&raw).len();
        for decoded in 0..length + 3 {
            let found = index.written(decoded, |range| raw[range].to_vec());
            prop_assert_eq!(found, written_len(&raw, decoded), "offset {}", decoded);
        }
    }

    #[test]
    fn a_place_is_found_by_reading_little(raw in raw(), at in any::<proptest::sample::Index>()) {
        let index = EscapeIndex::of(&raw);
        let mut read = 0;
        let decoded = at.index(unescape(&raw).len() + 1);
        index.written(decoded, |range| {
            read = range.len();
            raw[range].to_vec()
        });
        prop_assert!(read <= 2 * SPACING + 16, "{} bytes", read);
    }
}
