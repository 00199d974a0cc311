use serde_json::{Value, json};

use super::*;

fn render(body: &Value, model: &str) -> Result<(Value, EmbeddingCall, Vec<String>), ServingError> {
    let mut losses = Losses::default();
    let call = render_request(body.to_string().as_bytes(), model, &mut losses)?;
    let losses = losses.iter().map(|loss| loss.member.clone()).collect();
    Ok((serde_json::from_slice(&call.body).expect("JSON"), call, losses))
}

fn parse(answer: &Value, texts: usize, format: VectorFormat) -> Result<Value, InvalidAnswer> {
    let call = EmbeddingCall { body: Bytes::new(), texts, format };
    let answer = parse_answer(answer.to_string().as_bytes(), &call, "m", 7)?;
    Ok(serde_json::from_slice(&answer.body).expect("JSON"))
}

#[test]
fn each_text_is_a_request_of_the_batch() {
    let request = json!({"model": "route", "input": ["a", "b"], "dimensions": 3, "user": "u", "x": 1});
    let (body, call, losses) = render(&request, "gemini-embedding-001").expect("a call");
    assert_eq!(
        body,
        json!({"requests": [
            {"model": "models/gemini-embedding-001", "content": {"parts": [{"text": "a"}]}, "outputDimensionality": 3},
            {"model": "models/gemini-embedding-001", "content": {"parts": [{"text": "b"}]}, "outputDimensionality": 3},
        ]})
    );
    assert_eq!((call.texts, call.format), (2, VectorFormat::Float));
    assert_eq!(losses, ["user", "x"]);
    assert_eq!(operation_path("gemini-embedding-001"), "models/gemini-embedding-001:batchEmbedContents");
}

#[test]
fn a_single_text_is_a_batch_of_one() {
    let request = json!({"model": "r", "input": "a \"b\"", "encoding_format": "base64"});
    let (body, call, losses) = render(&request, "models/e").expect("a call");
    assert_eq!(
        body,
        json!({"requests": [{"model": "models/e", "content": {"parts": [{"text": "a \"b\""}]}}]})
    );
    assert_eq!((call.texts, call.format, losses.len()), (1, VectorFormat::Base64, 0));
}

#[test]
fn what_is_not_text_is_an_error_that_names_the_member() {
    let cases = [
        (json!({"input": [1, 2]}), ErrorKind::UnsupportedRequest, "input"),
        (json!({"input": [[1], [2]]}), ErrorKind::UnsupportedRequest, "input"),
        (json!({"input": vec!["a"; 101]}), ErrorKind::UnsupportedRequest, "input"),
        (json!({"input": []}), ErrorKind::EmptyArray, "input"),
        (json!({"input": ["a", 1]}), ErrorKind::InvalidType, "input[1]"),
        (json!({"input": {}}), ErrorKind::InvalidType, "input"),
        (json!({}), ErrorKind::MissingParameter, "input"),
        (json!({"input": "a", "encoding_format": "hex"}), ErrorKind::InvalidValue, "encoding_format"),
        (json!({"input": "a", "dimensions": "3"}), ErrorKind::InvalidType, "dimensions"),
    ];
    for (request, kind, parameter) in cases {
        let error = render(&request, "m").expect_err("an error");
        assert_eq!((error.kind, error.parameter.as_deref()), (kind, Some(parameter)), "{request}");
    }
}

#[test]
fn vectors_are_in_the_format_that_the_client_requests() {
    let answer = json!({"embeddings": [{"values": [0.5, -1]}, {"values": [2e-3, 0]}], "usageMetadata": {"promptTokenCount": 4}});
    assert_eq!(
        parse(&answer, 2, VectorFormat::Float).expect("an answer"),
        json!({"object": "list", "model": "m", "usage": {"prompt_tokens": 4, "total_tokens": 4}, "data": [
            {"object": "embedding", "index": 0, "embedding": [0.5, -1]},
            {"object": "embedding", "index": 1, "embedding": [0.002, 0]},
        ]})
    );
    let encoded = parse(&answer, 2, VectorFormat::Base64).expect("an answer");
    assert_eq!(encoded["data"][0]["embedding"], "AAAAPwAAgL8=");
}

#[test]
fn digits_survive_and_white_space_does_not() {
    let answer = b"{\"embeddings\":[{\"values\":[\n  0.012345678901234567890,\n  1E-7 ]}]}";
    let call = EmbeddingCall { body: Bytes::new(), texts: 1, format: VectorFormat::Float };
    let answer = parse_answer(answer, &call, "m", 7).expect("an answer");
    let text = std::str::from_utf8(&answer.body).expect("text");
    assert!(text.contains("\"embedding\":[0.012345678901234567890,1E-7]"), "{text}");
    assert!(text.contains("\"prompt_tokens\":7"), "an estimate stands for the count: {text}");
    assert_eq!(answer.count, UsageCount::NONE);
}

#[test]
fn an_answer_without_the_vectors_is_invalid() {
    let vector = json!({"embedding": {"values": [1]}});
    assert!(parse(&vector, 1, VectorFormat::Float).is_ok());
    assert!(matches!(parse(&vector, 2, VectorFormat::Float), Err(InvalidAnswer::WrongShape(_))));
    let text = json!({"embedding": {"values": ["1"]}});
    assert!(matches!(parse(&text, 1, VectorFormat::Float), Err(InvalidAnswer::WrongShape(_))));
    let error = json!({"error": {"code": 429, "message": "slow", "status": "RESOURCE_EXHAUSTED"}});
    assert!(matches!(parse(&error, 1, VectorFormat::Float), Err(InvalidAnswer::Reported(_))));
}
