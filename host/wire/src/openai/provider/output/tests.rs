use pointsman_domain::usage::Usage;

use super::*;
use crate::usage_count::UsageCount;

#[test]
fn a_transcription_has_a_text_and_tokens() {
    let read = |answer: &str| read_transcription_output(answer.as_bytes());
    let output =
        read(r#"{"text":"caf\u00e9","usage":{"type":"tokens","input_tokens":14,"output_tokens":2}}"#)
            .unwrap();
    let usage = Usage::counted(14, 2);
    assert_eq!(
        (output.text.as_str(), output.finish_reason.as_deref(), output.count.usage_or_estimate(0)),
        ("café", None, usage)
    );

    let timed = read(r#"{"usage":{"type":"duration","seconds":9},"text":"four"}"#).unwrap();
    assert_eq!(timed.count.count, UsageCount::NONE);
    let estimate = Usage::counted(7, 1).estimated();
    assert_eq!(timed.count.usage_or_estimate(7), estimate);

    assert_eq!(read(r#"{"error":"no"}"#), Err(InvalidAnswer::NoText));
    assert!(matches!(read("The next train"), Err(InvalidAnswer::NotJson(_))));
}

#[test]
fn an_embedding_is_its_first_vector_as_it_is_written() {
    let read = |answer: &str| read_embedding_output(answer.as_bytes());
    let output = read(
        r#"{"object":"list","data":[{"embedding":[ 0.10, -1e-3,
            2 ],"index":0},{"embedding":["x"]}],"usage":{"prompt_tokens":5,"total_tokens":5}}"#,
    )
    .unwrap();
    assert_eq!(output.text, "[0.10,-1e-3,2]");
    let usage = Usage::counted(5, 0);
    assert_eq!(output.count.usage_or_estimate(0), usage);
    assert_eq!(read(r#"{"data":[{"embedding":[1]}]}"#).unwrap().count.count, UsageCount::NONE);
    for other in [
        r#"{"data":[]}"#,
        r#"{"data":[{"embedding":[]}]}"#,
        r#"{"data":[{"embedding":"AAAA"}]}"#,
        r#"{"data":[{"embedding":[1,"2"]}]}"#,
        r#"{"data":[{"embedding":[1,[2]]}]}"#,
        r#"[]"#,
    ] {
        assert_eq!(read(other), Err(InvalidAnswer::NoVector), "{other}");
    }
}
