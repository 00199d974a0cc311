use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;

const TOTAL: Usage = Usage::counted(30, 12);

#[track_caller]
fn check(answer: &str, expected: &str) {
    let written = with_usage(Bytes::copy_from_slice(answer.as_bytes()), TOTAL);
    assert_eq!(String::from_utf8_lossy(&written), expected);
}

#[test]
fn counts_are_replaced_and_everything_else_stays() {
    check(
        r#"{ "usage": {"completion_tokens" : 2, "details":{"prompt_tokens":1}, "prompt_tokens":3,"total_tokens":5 }, "x":[1e5]}"#,
        r#"{ "usage": {"completion_tokens" : 12, "details":{"prompt_tokens":1}, "prompt_tokens":30,"total_tokens":42 }, "x":[1e5]}"#,
    );
}

#[test]
fn missing_counts_are_added() {
    check(
        r#"{"usage":{"prompt_tokens":3}}"#,
        r#"{"usage":{"completion_tokens":12,"total_tokens":42,"prompt_tokens":30}}"#,
    );
    let whole = r#"{"prompt_tokens":30,"completion_tokens":12,"total_tokens":42}"#;
    check(r#"{"usage":{}}"#, &format!(r#"{{"usage":{whole}}}"#));
    check(r#"{"usage":null,"a":1}"#, &format!(r#"{{"usage":{whole},"a":1}}"#));
    check(r#"{"a":{"usage":1}}"#, &format!(r#"{{"a":{{"usage":1}},"usage":{whole}}}"#));
    check("{ } ", &format!(r#"{{ "usage":{whole}}} "#));
}

#[test]
fn a_document_that_is_not_an_object_stays_unchanged() {
    for other in ["", "[]", "no json", r#"{"a":"#] {
        check(other, other);
    }
}

proptest! {
    #[test]
    fn a_reader_gets_the_total_and_all_other_members(
        before in ".{0,9}",
        counts in proptest::option::of((any::<Option<u64>>(), any::<Option<u64>>(), ".{0,5}")),
        pretty in any::<bool>(),
    ) {
        let mut answer = json!({ "choices": [{ "message": { "content": before } }] });
        if let Some((input, output, other)) = counts {
            answer["usage"] = json!({ "prompt_tokens": input, "completion_tokens": output, "other": other });
            if input.is_none() {
                answer["usage"].as_object_mut().unwrap().remove("prompt_tokens");
            }
        }
        let written = if pretty { format!("{answer:#}") } else { answer.to_string() };
        let read: Value = serde_json::from_slice(&with_usage(written.into(), TOTAL)).unwrap();
        answer["usage"]["prompt_tokens"] = 30.into();
        answer["usage"]["completion_tokens"] = 12.into();
        answer["usage"]["total_tokens"] = 42.into();
        prop_assert_eq!(read, answer);
    }
}
