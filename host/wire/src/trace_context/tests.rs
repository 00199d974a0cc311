use proptest::prelude::*;

use super::*;

const GOOD: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
const SPAN: RemoteSpan = RemoteSpan {
    trace: 0x4bf9_2f35_77b3_4da6_a3ce_929d_0e0e_4736,
    span: 0x00f0_67aa_0ba9_02b7,
    sampled: true,
};

#[test]
fn a_traceparent_survives_a_round_trip() {
    assert_eq!(parse_traceparent(GOOD.as_bytes()), Some(SPAN));
    assert_eq!(traceparent(SPAN), GOOD.as_bytes());
    assert_eq!(&traceparent(RemoteSpan { sampled: false, ..SPAN }), GOOD.replace("-01", "-00").as_bytes());
}

#[test]
fn unknown_flags_are_ignored() {
    for (flags, sampled) in [("00", false), ("01", true), ("02", false), ("03", true), ("ff", true)] {
        let header = format!("{}{flags}", &GOOD[..53]);
        assert_eq!(parse_traceparent(header.as_bytes()), Some(RemoteSpan { sampled, ..SPAN }), "{header}");
    }
}

#[test]
fn the_known_part_of_a_later_version_is_parsed() {
    let later = GOOD.replacen("00", "cc", 1);
    for header in [later.clone(), format!("{later}-what-the-future-will-be-like")] {
        assert_eq!(parse_traceparent(header.as_bytes()), Some(SPAN), "{header}");
    }
    assert_eq!(parse_traceparent(format!("{later}.what").as_bytes()), None);
}

#[test]
fn an_invalid_traceparent_is_ignored() {
    let upper = GOOD.to_uppercase();
    let bad = [
        "",
        "00",
        &GOOD[..54],
        &format!("{GOOD}-"),
        &format!("{GOOD} "),
        &format!(" {GOOD}"),
        &upper,
        &GOOD.replacen("00", "ff", 1),
        &GOOD.replacen("00", "0g", 1),
        &GOOD.replace('-', "_"),
        &GOOD.replace("4bf9", "4bg9"),
        &GOOD.replace("00f067", "+0f067"),
        "00-00000000000000000000000000000000-00f067aa0ba902b7-01",
        "00-4bf92f3577b34da6a3ce929d0e0e4736-0000000000000000-01",
        "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-0x",
    ];
    for header in bad {
        assert_eq!(parse_traceparent(header.as_bytes()), None, "{header:?}");
    }
}

#[test]
fn a_valid_tracestate_may_be_forwarded() {
    let many = |count: usize| (0..count).map(|n| format!("k{n}=v")).collect::<Vec<_>>().join(",");
    for good in ["rojo=00f067aa0ba902b7,congo=t61rcWkgMzE", "a=1 , b=x y", "1t@v=1", ",a=1,,b=2,", &many(32)]
    {
        assert!(is_tracestate(good.as_bytes()), "{good}");
    }
    let long = format!("a={}", "v".repeat(257));
    let bad =
        ["", " , ", "a", "a=", "=1", "A=1", "a=1,a=2", "a=b=c", "1a=1", "a@=1", "@a=1", "a=\u{e9}", "a b=1"];
    for bad in bad.iter().copied().chain([long.as_str(), &many(33)]) {
        assert!(!is_tracestate(bad.as_bytes()), "{bad}");
    }
}

proptest! {
    #[test]
    fn a_rendered_traceparent_is_parsed_again(trace in 1..=u128::MAX, span in 1..=u64::MAX, sampled: bool) {
        let remote = RemoteSpan { trace, span, sampled };
        prop_assert_eq!(parse_traceparent(&traceparent(remote)), Some(remote));
    }

    #[test]
    fn random_bytes_never_panic(
        header in prop_oneof![
            proptest::collection::vec(any::<u8>(), 0..80),
            "[0-9a-g]{2}-[0-9a-g]{32}-[0-9a-g]{16}-[0-9a-g]{2}(-.{0,9})?".prop_map(String::into_bytes),
        ],
    ) {
        let _ = is_tracestate(&header);
        if let Some(read) = parse_traceparent(&header) {
            prop_assert!(read.trace != 0 && read.span != 0);
            prop_assert_eq!(&header[3..52], &traceparent(read)[3..52]);
        }
    }

    #[test]
    fn one_changed_byte_never_yields_the_same_context(at in 0..55_usize, to: u8) {
        let mut header = GOOD.as_bytes().to_vec();
        header[at] = to;
        let is_hex = matches!(to, b'0'..=b'9' | b'a'..=b'f');
        let is_hyphen = [2, 35, 52].contains(&at);
        let read = parse_traceparent(&header);
        if is_hyphen {
            prop_assert_eq!(read.is_some(), to == b'-');
        } else if !is_hex {
            prop_assert_eq!(read, None);
        }
    }
}
