use proptest::collection::vec;
use proptest::prelude::*;

use super::*;

/// The events of a stream that comes in these pieces, and what is left at its end.
fn split<'a>(pieces: impl IntoIterator<Item = &'a [u8]>, max_event: usize) -> (Vec<String>, String) {
    let mut splitter = EventSplitter::new(max_event);
    let mut events = Vec::new();
    for piece in pieces {
        let mut at = 0;
        while let Some(found) = splitter.next(piece, &mut at) {
            events.push(match found {
                SseFragment::Event(here) => text(&piece[here]),
                SseFragment::Joined(event) => text(&event),
                SseFragment::Part(here) => format!("part: {}", text(&piece[here])),
                SseFragment::JoinedPart(part) => format!("part: {}", text(&part)),
            });
        }
    }
    (events, splitter.finish().map_or_else(String::new, |rest| text(&rest)))
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

#[track_caller]
fn check(stream: &str, expected: &[&str], rest: &str) {
    let (events, left) = split([stream.as_bytes()], 1024);
    assert_eq!(events, expected);
    assert_eq!(left, rest);
}

#[track_caller]
fn check_data(event: &str, expected: Option<&str>) {
    let found = data(event.as_bytes());
    assert_eq!(found.as_ref().map(|data| text(&data.bytes)).as_deref(), expected);
    if let Some(EventData { bytes, at: Some(at) }) = found {
        assert_eq!(event.as_bytes()[at..at + bytes.len()], *bytes);
    }
}

#[test]
fn events_end_with_an_empty_line_of_any_kind() {
    check("data: 1\n\ndata: 2\n\n", &["data: 1\n\n", "data: 2\n\n"], "");
    check("data: 1\r\n\r\ndata: 2\r\n\r\n", &["data: 1\r\n\r\n", "data: 2\r\n\r\n"], "");
    check("data: 1\r\rdata: 2\r\r", &["data: 1\r\r", "data: 2\r\r"], "");
    check("data: 1\n\r\ndata: 2\r\n\n", &["data: 1\n\r\n", "data: 2\r\n\n"], "");
}

#[test]
fn an_incomplete_event_is_held_back() {
    check("data: 1\n\ndata: 2\n", &["data: 1\n\n"], "data: 2\n");
    check("", &[], "");
}

#[test]
fn comments_and_empty_lines_are_events_without_data() {
    check(": ping\n\n\ndata: 1\n\n", &[": ping\n\n", "\n", "data: 1\n\n"], "");
    check_data(": ping\n\n", None);
    check_data("\n", None);
    check_data("event: ping\nid: 7\n\n", None);
}

#[test]
fn data_begins_after_the_colon_and_one_space() {
    check_data("data: {}\n\n", Some("{}"));
    check_data("data:{}\r\n\r\n", Some("{}"));
    check_data("data:  x\n\n", Some(" x"));
    check_data("data:\n\n", Some(""));
    check_data("event: error\ndata: 1\nid: 2\n\n", Some("1"));
}

#[test]
fn data_in_several_lines_is_joined() {
    check_data("data: {\ndata: }\n\n", Some("{\n}"));
    check_data("data: a\r\n: comment\r\ndata: b\r\n\r\n", Some("a\nb"));
}

#[test]
fn an_event_ends_with_its_last_cr_though_lf_may_follow() {
    let (events, _) = split([&b"data: 1\r\n\r"[..], b"\ndata: 2\r\n\r\n"], 1024);
    assert_eq!(events, ["data: 1\r\n\r", "\ndata: 2\r\n\r\n"]);
    check_data("\ndata: 2\r\n\r\n", Some("2"));
}

#[test]
fn an_event_above_the_limit_is_returned_in_parts() {
    let stream = b"data: 1\n\ndata: 123456789012345\n\ndata: 2\n\n";
    let (events, rest) = split(stream.chunks(10), 16);
    let expected = ["data: 1\n\n", "part: data: 123456789012", "part: 345\n\n", "data: 2\n\n"];
    assert_eq!(events[..1], expected[..1]);
    assert_eq!(events.concat().replace("part: ", ""), text(stream));
    assert!(events[1..].iter().any(|event| event.starts_with("part: ")));
    assert_eq!(events.last().map(String::as_str), Some("data: 2\n\n"));
    assert_eq!(rest, "");
}

/// Returns the data of the events of a stream, as a reader sees them.
fn read(events: &[String]) -> Vec<String> {
    events.iter().filter_map(|event| data(event.as_bytes()).map(|data| text(&data.bytes))).collect()
}

proptest! {
    #[test]
    fn the_events_do_not_depend_on_the_cuts(
        lines in vec(prop_oneof!["data: [a-zé{}]{0,9}", ": c", "event: e", Just(String::new())], 0..20),
        end in proptest::sample::select(&["\n", "\r\n", "\r"][..]),
        size in 1..30_usize,
    ) {
        let stream: String = lines.iter().map(|line| line.clone() + end).collect();
        let (whole, _) = split([stream.as_bytes()], 1024);
        let (pieces, rest) = split(stream.as_bytes().chunks(size), 1024);
        prop_assert_eq!(read(&pieces), read(&whole));
        prop_assert_eq!((pieces.concat() + &rest).len(), stream.len());
    }
}
