use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::{Index, select};
use serde_json::{Map, Value, json};

use crate::openai::client::{BadRequest, ChatRequest, RequestScan};
use crate::openai::pass_through::CallMembers;
use bytes::Bytes;

fn read(body: &str, cuts: &[Index]) -> Result<ChatRequest, BadRequest> {
    let mut ends: Vec<usize> = cuts.iter().map(|cut| cut.index(body.len() + 1)).collect();
    ends.extend([0, body.len()]);
    ends.sort_unstable();
    let mut scan = RequestScan::default();
    for piece in ends.windows(2) {
        scan.push(Bytes::copy_from_slice(&body.as_bytes()[piece[0]..piece[1]]))?;
    }
    scan.finish()
}

fn forwarded(body: &str, name: &str) -> String {
    let pieces = read(body, &[]).unwrap().body_for(&call(name));
    String::from_utf8(pieces.concat()).unwrap()
}

fn call(upstream_name: &str) -> CallMembers<'_> {
    CallMembers { upstream_name, max_output_tokens: None, stream_usage: true }
}

#[track_caller]
fn check(body: &str, expected: &str) {
    assert_eq!(forwarded(body, "up"), expected);
}

const MESSAGES: &str = r#""messages":[{"role":"user","content":"Hi"}]"#;

#[test]
fn only_the_model_name_changes() {
    check(
        &format!("{{ \"model\" : \"auto\",\n\t{MESSAGES},\"x\":[1e5 , 1.0]}}\n"),
        &format!("{{ \"model\" : \"up\",\n\t{MESSAGES},\"x\":[1e5 , 1.0]}}\n"),
    );
    check(
        &format!(r#"{{{MESSAGES},"model":"auto","stream":false}}"#),
        &format!(r#"{{{MESSAGES},"model":"up","stream":false}}"#),
    );
}

#[test]
fn a_name_is_escaped() {
    let body = forwarded(&format!(r#"{{"model":"auto",{MESSAGES}}}"#), "a\"b\\c\n");
    assert!(body.starts_with(r#"{"model":"a\"b\\c\n","#));
}

#[test]
fn a_stream_requests_usage() {
    let stream = |options: &str| format!(r#"{{"model":"auto",{MESSAGES},"stream":true{options}}}"#);
    let expected = |options: &str| format!(r#"{{"model":"up",{MESSAGES},"stream":true{options}}}"#);
    check(
        &stream(""),
        &format!(r#"{{"model":"up","stream_options":{{"include_usage":true}},{MESSAGES},"stream":true}}"#),
    );
    check(&stream(r#","stream_options":null"#), &expected(r#","stream_options":{"include_usage":true}"#));
    check(&stream(r#","stream_options":{}"#), &expected(r#","stream_options":{"include_usage":true}"#));
    check(
        &stream(r#","stream_options":{ "x":1}"#),
        &expected(r#","stream_options":{"include_usage":true, "x":1}"#),
    );
    check(
        &stream(r#","stream_options":{"include_usage":false}"#),
        &expected(r#","stream_options":{"include_usage":true}"#),
    );
    check(
        &stream(r#","stream_options":{"include_usage":null}"#),
        &expected(r#","stream_options":{"include_usage":true}"#),
    );
    check(
        &stream(r#","stream_options":{"include_usage":true}"#),
        &expected(r#","stream_options":{"include_usage":true}"#),
    );
}

#[test]
fn a_stream_stays_unchanged_for_a_backend_that_reports_no_usage() {
    for options in ["", r#","stream_options":null"#, r#","stream_options":{"include_usage":false}"#] {
        let body = |name: &str| format!(r#"{{"model":"{name}",{MESSAGES},"stream":true{options}}}"#);
        let request = read(&body("auto"), &[]).unwrap();
        assert!(request.adds_stream_usage());
        let sent = request.body_for(&CallMembers { stream_usage: false, ..call("up") });
        assert_eq!(String::from_utf8(sent.concat()).unwrap(), body("up"));
    }
}

#[test]
fn a_request_without_a_stream_does_not_request_usage() {
    let body =
        |name: &str| format!(r#"{{"stream_options":{{"include_usage":false}},"model":"{name}",{MESSAGES}}}"#);
    check(&body("auto"), &body("up"));
}

#[test]
fn a_large_body_is_not_copied() {
    let start = Bytes::from_static(br#"{"model":"auto","messages":[{"role":"user","content":""#);
    let text = Bytes::from(vec![b'x'; 100_000]);
    let end = Bytes::from_static(br#""}]}"#);
    let mut scan = RequestScan::default();
    for piece in [start, text.clone(), end] {
        scan.push(piece).unwrap();
    }
    let pieces = scan.finish().unwrap().body_for(&call("up"));
    assert!(pieces.iter().any(|piece| piece.as_ptr() == text.as_ptr() && piece.len() == text.len()));
}

fn any_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        ".{0,12}".prop_map(Value::from),
    ];
    leaf.prop_recursive(3, 20, 4, |inner| {
        prop_oneof![
            vec(inner.clone(), 0..4).prop_map(Value::from),
            vec((".{0,8}", inner), 0..4).prop_map(|members| Value::Object(members.into_iter().collect())),
        ]
    })
}

fn stream_options() -> impl Strategy<Value = Option<Value>> {
    prop_oneof![
        Just(None),
        Just(Some(Value::Null)),
        (any::<Option<Option<bool>>>(), any_json()).prop_map(|(include_usage, other)| {
            let mut options = Map::new();
            options.insert("a".to_owned(), other);
            options.extend(include_usage.map(|value| ("include_usage".to_owned(), json!(value))));
            Some(options.into())
        }),
        Just(Some(json!({}))),
    ]
}

prop_compose! {
    /// A valid request, its members in any order.
    fn request()(
        model in ".{1,20}",
        texts in vec(".{0,200}", 1..4),
        padding in select(&[0_usize, 20_000][..]),
        stream in any::<Option<bool>>(),
        stream_options in stream_options(),
        others in vec(("x[a-z]{0,6}", any_json()), 0..4),
    )(
        members in {
            let messages: Vec<Value> =
                texts.iter().map(|text| json!({ "role": "user", "content": text })).collect();
            let mut members = vec![
                ("model".to_owned(), json!(model)),
                ("messages".to_owned(), json!(messages)),
                ("padding".to_owned(), json!("p".repeat(padding))),
            ];
            members.extend(stream.map(|stream| ("stream".to_owned(), json!(stream))));
            members.extend(stream_options.clone().map(|options| ("stream_options".to_owned(), options)));
            members.extend(others.clone());
            Just(members).prop_shuffle()
        },
        pretty in any::<bool>(),
    ) -> String {
        let member = |(key, value): &(String, Value)| match pretty {
            true => format!("\n  {} : {value:#} ", json!(key)),
            false => format!("{}:{value}", json!(key)),
        };
        format!("{{{}}}", members.iter().map(member).collect::<Vec<_>>().join(","))
    }
}

proptest! {
    #[test]
    fn the_backend_gets_the_clients_request_except_for_model_and_usage(
        body in request(),
        cuts in vec(any::<Index>(), 0..6),
        name in ".{0,20}",
    ) {
        let mut expected: Value = serde_json::from_str(&body).unwrap();
        expected["model"] = json!(name);
        let request = read(&body, &cuts).unwrap();
        if expected["stream"] == json!(true) {
            if !expected["stream_options"].is_object() {
                expected["stream_options"] = json!({});
            }
            prop_assert_eq!(request.wants_usage, expected["stream_options"]["include_usage"] == json!(true));
            expected["stream_options"]["include_usage"] = json!(true);
        } else if expected["stream"].is_null() {
            // Looking for it has put it there.
            if !body.contains("\"stream\"") {
                expected.as_object_mut().unwrap().remove("stream");
            }
        }
        let forwarded: Value = serde_json::from_slice(&request.body_for(&call(&name)).concat()).unwrap();
        prop_assert_eq!(forwarded, expected);
    }
}
