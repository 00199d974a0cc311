//! Embeddings.

use bytes::Bytes;
use pointsman_dialects::form::Losses;
use pointsman_dialects::gemini::embedding::{EmbeddingCall, VectorFormat, parse_answer, render_request};
use serde_json::{Value, json};

use crate::recorded;

#[test]
fn every_request_of_texts_is_rendered_as_recorded() {
    let mut seen = 0;
    for call in recorded::calls("gemini.embed").into_iter().flatten() {
        let Some(requests) = call.request_body().and_then(|body| body["requests"].as_array()) else {
            continue;
        };
        let texts: Option<Vec<&str>> =
            requests.iter().map(|request| request["content"]["parts"][0]["text"].as_str()).collect();
        let has_media = requests
            .iter()
            .any(|request| request["content"]["parts"].as_array().is_some_and(|parts| parts.len() > 1));
        let (Some(texts), false) = (texts, has_media) else { continue };
        let mut request = json!({"model": "route", "input": texts});
        if let Some(dimensions) = requests[0].get("outputDimensionality") {
            request["dimensions"] = dimensions.clone();
        }
        let model = requests[0]["model"].as_str().expect("a model");
        let rendered =
            render_request(request.to_string().as_bytes(), model, &mut Losses::default()).expect("a call");
        let mut expected = json!({"requests": requests});
        for request in expected["requests"].as_array_mut().expect("requests") {
            let request = request.as_object_mut().expect("a request");
            // OpenAI's API has no member for it.
            request.remove("taskType");
            request["content"].as_object_mut().expect("a content").remove("role");
        }
        assert_eq!(serde_json::from_slice::<Value>(&rendered.body).expect("JSON"), expected, "{}", call.id);
        seen += 1;
    }
    eprintln!("{seen} requests");
}

#[test]
fn every_answer_has_its_vectors() {
    let mut seen = 0;
    for call in recorded::calls("gemini.embed").into_iter().flatten().filter(|call| call.status < 300) {
        let body = call.response_body().expect("a body");
        let one = [body["embedding"].clone()];
        let vectors = body["embeddings"].as_array().map_or(&one[..], |all| all);
        let request = EmbeddingCall { body: Bytes::new(), texts: vectors.len(), format: VectorFormat::Float };
        let answer = parse_answer(&serde_json::to_vec(body).expect("JSON"), &request, "m", 1)
            .unwrap_or_else(|error| panic!("{}: {error}", call.id));
        let answer: Value = serde_json::from_slice(&answer.body).expect("JSON");
        for (index, vector) in vectors.iter().enumerate() {
            assert_eq!(answer["data"][index]["embedding"], vector["values"], "{}", call.id);
        }
        let tokens = body["usageMetadata"]["promptTokenCount"].as_u64().unwrap_or(1);
        assert_eq!(answer["usage"], json!({"prompt_tokens": tokens, "total_tokens": tokens}));
        seen += 1;
    }
    assert!(seen == 0 || seen >= 5, "{seen} answers");
}
