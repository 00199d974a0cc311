use proptest::collection::vec;
use proptest::prelude::*;
use serde::de::IgnoredAny;
use serde_json::Value;

use super::escape::written_len;
use super::*;

/// Events of a visitor, as text.
#[derive(Debug, Default, PartialEq, Eq)]
struct VisitLog(Vec<String>);

impl Visitor for VisitLog {
    fn begin(&mut self, container: Container, at: usize) {
        self.0.push(format!("{at} begin {container:?}"));
    }

    fn key(&mut self, key: &JsonText<'_>) {
        self.0.push(format!("{:?} key {:?} of {}", key.span, key.short(), key.decoded_len));
    }

    fn scalar(&mut self, value: &Scalar<'_>, span: Span) {
        self.0.push(match value {
            Scalar::String(text) => {
                format!("{span:?} string {:?} {:?} of {}", text.span, text.short(), text.decoded_len)
            }
            Scalar::Number(raw) => format!("{span:?} number {}", String::from_utf8_lossy(raw)),
            Scalar::Bool(value) => format!("{span:?} {value}"),
            Scalar::Null => format!("{span:?} null"),
        });
    }

    fn end(&mut self, at: usize) {
        self.0.push(format!("{at} end"));
    }
}

fn visit<'a>(pieces: impl IntoIterator<Item = &'a [u8]>) -> (Result<(), JsonError>, VisitLog) {
    let (mut scanner, mut log) = (Scanner::default(), VisitLog::default());
    let mut scanned = Ok(());
    for piece in pieces {
        scanned = scanned.and_then(|()| scanner.push(piece, &mut log));
    }
    (scanned.and_then(|()| scanner.finish(&mut log)), log)
}

fn whole(document: &[u8]) -> (Result<(), JsonError>, VisitLog) {
    visit([document])
}

fn byte_by_byte(document: &[u8]) -> (Result<(), JsonError>, VisitLog) {
    visit(document.chunks(1))
}

#[track_caller]
fn check(document: &str, expected: &[&str]) {
    let (scanned, log) = whole(document.as_bytes());
    assert_eq!(scanned, Ok(()));
    assert_eq!(log.0, expected);
    assert_eq!(byte_by_byte(document.as_bytes()), (Ok(()), log));
}

#[track_caller]
fn check_error(document: impl AsRef<[u8]>, expected: &str) {
    let (scanned, _) = whole(document.as_ref());
    assert_eq!(scanned.map_err(|error| error.to_string()), Err(expected.to_owned()));
    assert_eq!(byte_by_byte(document.as_ref()).0, scanned);
}

#[test]
fn the_visitor_gets_the_position_of_every_value() {
    check(
        r#" {"a" : [1, "x"], "é": {}, "n":null} "#,
        &[
            "1 begin Object",
            "3..4 key Some(\"a\") of 1",
            "8 begin Array",
            "9..10 number 1",
            "12..15 string 13..14 Some(\"x\") of 1",
            "16 end",
            "19..21 key Some(\"é\") of 2",
            "24 begin Object",
            "26 end",
            "29..30 key Some(\"n\") of 1",
            "32..36 null",
            "37 end",
        ],
    );
}

#[test]
fn a_document_may_be_one_scalar() {
    check("-1.5e+3", &["0..7 number -1.5e+3"]);
    check("true\n", &["0..4 true"]);
    check("false", &["0..5 false"]);
}

#[test]
fn escapes_are_undone_in_short_texts_and_counted_in_all() {
    check(r#""mod\u0065l \ud83d\ude00\n\"""#, &[r#"0..29 string 1..28 Some("model 😀\n\"") of 12"#]);
    check(r#""\ud83d!""#, &[r#"0..9 string 1..8 Some("�!") of 3"#]);
}

#[test]
fn a_long_value_is_reported_without_its_content_however_it_is_cut() {
    for len in [MAX_SHORT, MAX_SHORT + 1] {
        let document = format!("[\"{0}\",{1}]", "x".repeat(len), "7".repeat(len));
        let (_, log) = whole(document.as_bytes());
        assert_eq!(log.0[1].contains("None"), len > MAX_SHORT);
        assert_eq!(log.0[2].ends_with("number "), len > MAX_SHORT);
        assert_eq!(byte_by_byte(document.as_bytes()).1, log);
    }
}

#[test]
fn errors_state_the_expected_token_and_the_offset() {
    check_error("", "unexpected end: the document is not complete at byte 0");
    check_error(r#"{"a":1"#, "unexpected end: the document is not complete at byte 6");
    check_error(r#"{"a" 1}"#, "expected ':' at byte 5");
    check_error(r#"{"a":1 "b":2}"#, "expected ',' or '}' at byte 7");
    check_error(r#"{"a":1,}"#, "expected a key at byte 7");
    check_error("{,}", "expected a key or '}' at byte 1");
    check_error("[1,]", "expected a value at byte 3");
    check_error("[}", "expected a value or ']' at byte 1");
    check_error("[1}", "expected ',' or ']' at byte 2");
    check_error("{} {}", "expected nothing after the document at byte 3");
    check_error("[nul]", "expected true, false or null at byte 4");
    check_error("[01]", "expected ',' or ']' at byte 2");
    check_error("[1.]", "invalid number at byte 3");
    check_error("-", "invalid number at byte 1");
    check_error("[\"a\nb\"]", "control character in a string: write it as an escape at byte 3");
    check_error(r#"["\x"]"#, "invalid escape in a string at byte 3");
    check_error(r#"["\u12G4"]"#, "invalid escape in a string at byte 6");
    check_error(b"[\"a\xe2\x28\xa1\"]", "invalid UTF-8 in a string at byte 3");
    check_error(b"[\"\xe2\x82\"]", "invalid UTF-8 in a string at byte 2");
    check_error(b"\xef\xbb\xbf{}", "expected a value at byte 0");
}

#[test]
fn nesting_has_a_limit() {
    let depth = MAX_DEPTH as usize;
    let nested = |depth: usize| "[".repeat(depth) + &"]".repeat(depth);
    assert_eq!(whole(nested(depth).as_bytes()).0, Ok(()));
    let too_deep = Err(JsonError { offset: depth, problem: JsonProblem::TooDeep });
    assert_eq!(whole(nested(depth + 1).as_bytes()).0, too_deep);
}

#[test]
fn nested_containers_are_distinguished() {
    check_error("[{\"a\":[1}]", "expected ',' or ']' at byte 8");
    assert_eq!(whole(b"[{\"a\":[{}]},[[]]]").0, Ok(()));
}

#[test]
fn a_text_ends_at_its_quote_and_not_before() {
    assert_eq!(text_at(br#"plain" and more"#), Some((5, 5)));
    assert_eq!(text_at("a\\né\"}".as_bytes()), Some((5, 4)));
    assert_eq!(text_at(br#"\"\ud83d\ude00", "#), Some((14, 5)));
    assert_eq!(text_at(br#"""#), Some((0, 0)));
    assert_eq!(text_at(b"no end"), None);
    assert_eq!(text_at(br#"a\""#), None);
    assert_eq!(text_at(b"a\n\""), None);
    assert_eq!(text_at(b"\xe2\x82\""), None);
    assert_eq!(text_at(b""), None);
}

/// Documents with all kinds of values, white space, escapes and characters.
fn document() -> impl Strategy<Value = String> {
    let space = "[ \n\r\t]{0,2}";
    let character = prop_oneof![
        6 => "[a-z ]{1,12}",
        1 => "[äß€😀\u{7f}\u{2028}]{1,20}",
        1 => r#"\\["\\/bfnrt]"#,
        1 => r"\\u[0-9a-fA-F]{4}",
        1 => r"\\ud[89ab][0-9a-f]{2}\\ud[c-f][0-9a-f]{2}",
    ];
    let string = vec(character, 0..6).prop_map(|characters| format!("\"{}\"", characters.concat()));
    let number = r"-?(0|[1-9][0-9]{0,20})(\.[0-9]{1,3})?([eE][+-]?[0-9]{1,2})?";
    let scalar =
        prop_oneof![4 => string.clone(), 1 => number, 1 => Just("true".to_owned()), 1 => "false|null"];
    let value = scalar.prop_recursive(5, 60, 6, move |inner| {
        let padded = (space, inner, space).prop_map(|(before, inner, after)| before + &inner + &after);
        let member = (space, string.clone(), padded.clone())
            .prop_map(|(space, key, value)| format!("{space}{key}:{value}"));
        prop_oneof![
            vec(padded, 0..6).prop_map(|items| format!("[{}]", items.join(","))),
            vec(member, 0..6).prop_map(|members| format!("{{{}}}", members.join(","))),
        ]
    });
    (space, value, space).prop_map(|(before, value, after)| before + &value + &after)
}

/// Documents that are nearly JSON.
fn nearly_json() -> impl Strategy<Value = Vec<u8>> {
    let interesting = prop_oneof![
        proptest::sample::select(
            &b"{}[],:\"\\0123456789-+.eEtrufalsn/b \n\r\t\0\x1f\x7f\x80\xc3\xe2\xf0\xff"[..]
        ),
        any::<u8>(),
    ];
    let change = (any::<proptest::sample::Index>(), interesting, 0..3_u8);
    let changed = (document(), vec(change, 1..4)).prop_map(|(document, changes)| {
        let mut bytes = document.into_bytes();
        for (at, byte, kind) in changes {
            let at = at.index(bytes.len() + 1);
            match kind {
                0 => bytes.insert(at, byte),
                1 if at < bytes.len() => bytes[at] = byte,
                _ if at < bytes.len() => drop(bytes.remove(at)),
                _ => {}
            }
        }
        bytes
    });
    const TOKENS: &[&str] = &[
        "{", "}", "[", "]", ",", ":", "\"a\"", "\"", "1", "-", "0", ".5", "e9", "true", "nul", "l", " ",
        "\\u00e9",
    ];
    let soup = vec(proptest::sample::select(TOKENS), 0..12).prop_map(|tokens| tokens.concat().into_bytes());
    prop_oneof![changed, soup]
}

/// The pieces of a document between these places.
fn cut<'a>(document: &'a [u8], places: &[proptest::sample::Index]) -> Vec<&'a [u8]> {
    let mut ends: Vec<usize> = places.iter().map(|place| place.index(document.len() + 1)).collect();
    ends.extend([0, document.len()]);
    ends.sort_unstable();
    ends.windows(2).map(|ends| &document[ends[0]..ends[1]]).collect()
}

/// Returns whether serde_json accepts a document without storing its texts. (When it stores them,
/// it rejects lone surrogates, and large numbers.)
fn is_json(document: &[u8]) -> bool {
    std::str::from_utf8(document).is_ok() && serde_json::from_slice::<IgnoredAny>(document).is_ok()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1000))]

    #[test]
    fn every_document_that_serde_json_accepts_is_accepted(document in document()) {
        prop_assert!(is_json(document.as_bytes()));
        prop_assert_eq!(whole(document.as_bytes()).0, Ok(()));
    }

    #[test]
    fn every_document_that_serde_json_rejects_is_rejected(document in nearly_json()) {
        prop_assert_eq!(whole(&document).0.is_ok(), is_json(&document));
    }

    #[test]
    fn the_result_does_not_depend_on_the_cuts(
        document in prop_oneof![document().prop_map(String::into_bytes), nearly_json()],
        places in vec(any::<proptest::sample::Index>(), 0..8),
    ) {
        let expected = whole(&document);
        prop_assert_eq!(&visit(cut(&document, &places)), &expected);
        prop_assert_eq!(byte_by_byte(&document), expected);
    }

    #[test]
    fn a_quoted_text_is_unescaped_to_itself(text in ".*") {
        let quoted = quote(&text);
        prop_assert_eq!(unescape(&quoted.as_bytes()[1..quoted.len() - 1]), text);
    }

    #[test]
    fn a_place_in_a_text_is_found_in_its_written_form(text in "[a\"\n\u{1}é🦀]{0,12}", escaped in any::<bool>()) {
        let quoted = if escaped { text.encode_utf16().map(|unit| format!("\\u{unit:04x}")).collect() } else { quote(&text) };
        let raw = if escaped { quoted.as_bytes() } else { &quoted.as_bytes()[1..quoted.len() - 1] };
        for place in 0..=text.len() + 1 {
            let before = text.get(..place);
            let written = written_len(raw, place);
            prop_assert_eq!(written.map(|len| unescape(&raw[..len])), before.map(str::to_owned), "{}", place);
        }
    }

    #[test]
    fn texts_are_read_as_serde_json_reads_them(document in document()) {
        let Ok(value) = serde_json::from_str::<Value>(&document) else { return Ok(()) };
        let mut texts = ContentIndex::default();
        scan(document.as_bytes(), &mut texts).unwrap();
        let mut expected = Vec::new();
        collect_texts(&value, &mut expected);
        expected.sort_unstable();
        texts.0.sort_unstable();
        // serde_json keeps one of several members of the same name.
        expected.iter().for_each(|text| prop_assert_contains(&texts.0, text));
    }
}

#[derive(Default)]
struct ContentIndex(Vec<String>);

impl Visitor for ContentIndex {
    fn begin(&mut self, _: Container, _: usize) {}

    fn key(&mut self, key: &JsonText<'_>) {
        self.0.extend(key.short().map(String::from));
    }

    fn scalar(&mut self, value: &Scalar<'_>, _: Span) {
        if let Scalar::String(text) = value {
            let decoded = text.short().unwrap().into_owned();
            assert_eq!(decoded.len(), text.decoded_len);
            self.0.push(decoded);
        }
    }

    fn end(&mut self, _: usize) {}
}

fn collect_texts(value: &Value, texts: &mut Vec<String>) {
    match value {
        Value::String(text) => texts.push(text.clone()),
        Value::Array(items) => items.iter().for_each(|item| collect_texts(item, texts)),
        Value::Object(members) => members.iter().for_each(|(key, value)| {
            texts.push(key.clone());
            collect_texts(value, texts);
        }),
        _ => {}
    }
}

fn prop_assert_contains(texts: &[String], text: &String) {
    assert!(texts.binary_search(text).is_ok(), "{text:?} was not reported");
}

#[test]
fn numbers_that_are_not_finite_are_read_in_answers_alone() {
    struct Ignored;
    impl Visitor for Ignored {
        fn begin(&mut self, _: Container, _: usize) {}
        fn key(&mut self, _: &JsonText<'_>) {}
        fn scalar(&mut self, value: &Scalar<'_>, _: Span) {
            assert!(matches!(value, Scalar::Number(b"" | b"1")), "{value:?}");
        }
        fn end(&mut self, _: usize) {}
    }
    let document = b"[NaN,-Infinity , Infinity,1]";
    assert_eq!(scan(document, &mut Ignored), Ok(()));
    assert!(Scanner::default().push(document, &mut Ignored).is_err());
    for wrong in ["[-NaN]", "[Nan]", "[Infinit]", "[--Infinity]", "[infinity]", "[N", "[-Infinity1]"] {
        assert!(scan(wrong.as_bytes(), &mut Ignored).is_err(), "{wrong}");
    }
}
