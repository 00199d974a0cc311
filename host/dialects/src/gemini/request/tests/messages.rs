use serde_json::{Value, json};

use super::*;

#[test]
fn results_of_parallel_calls_are_one_content() {
    let results = |id: &str, text: &str, is_error| {
        Message::new(MessageRole::User, vec![result(id, vec![Part::text(text)], is_error)])
    };
    let messages = vec![
        user("hi"),
        model(vec![call("1", r#"{"a": 1.0}"#, None), call("2", "", None), call("3", "oops", None)]),
        results("1", r#" {"temperature": 20} "#, false),
        results("2", "[1]", false),
        results("3", "no", true),
        user("go on"),
    ];
    let expected = json!({"contents": [
        {"role": "user", "parts": [{"text": "hi"}]},
        {"role": "model", "parts": [
            {"functionCall": {"id": "1", "name": "f", "args": {"a": 1.0}}},
            {"functionCall": {"id": "2", "name": "f", "args": {}}},
            {"functionCall": {"id": "3", "name": "f", "args": {"input": "oops"}}},
        ]},
        {"role": "user", "parts": [
            {"functionResponse": {"id": "1", "name": "f", "response": {"temperature": 20}}},
            {"functionResponse": {"id": "2", "name": "f", "response": {"result": "[1]"}}},
            {"functionResponse": {"id": "3", "name": "f", "response": {"error": "no"}}},
        ]},
        {"role": "user", "parts": [{"text": "go on"}]},
    ]});
    check(&request("gemini-2.5-pro", messages), expected, &[]);
}

#[test]
fn images_of_a_result_are_within_it_or_follow_it() {
    let content = vec![Part::text("see"), image(png()), Part::text("this")];
    let messages = vec![Message::new(MessageRole::User, vec![result("1", content, false)])];
    let media = json!({"inlineData": {"mimeType": "image/png", "data": "AA=="}});
    let response = json!({"result": "see\nthis"});
    let within = json!({"contents": [{"role": "user", "parts": [
        {"functionResponse": {"id": "1", "name": "f", "response": response, "parts": [media]}}]}]});
    check(&request("gemini-3-pro", messages.clone()), within, &[]);
    let beside = json!({"contents": [{"role": "user", "parts": [
        {"functionResponse": {"id": "1", "name": "f", "response": response}}, media]}]});
    check(&request("gemini-2.5-pro", messages), beside, &[]);
}

#[test]
fn a_result_that_is_an_image_alone_has_no_text() {
    let url = MediaSource::Url { url: "https://a.b/c.png".into(), media_type: None };
    let messages = vec![Message::new(MessageRole::User, vec![result("1", vec![image(url)], false)])];
    let expected = json!({"contents": [{"role": "user", "parts": [
        {"functionResponse": {"id": "1", "name": "f", "response": {}}},
        {"fileData": {"mimeType": "image/png", "fileUri": "https://a.b/c.png"}},
    ]}]});
    check(&request("gemini-3-pro", messages), expected, &[]);
}

#[test]
fn the_first_call_of_a_turn_has_a_signature_from_the_third_generation_on() {
    let calls = vec![call("1", "{}", None), call("2", "{}", None)];
    let rendered =
        |first: Value| turn(json!([first, {"functionCall": {"id": "2", "name": "f", "args": {}}}]));
    let plain = json!({"functionCall": {"id": "1", "name": "f", "args": {}}});
    check(&request("gemini-2.5-pro", vec![model(calls.clone())]), rendered(plain.clone()), &[]);
    let mut placeholder = plain.clone();
    placeholder["thoughtSignature"] = "skip_thought_signature_validator".into();
    check(&request("gemini-3-pro", vec![model(calls)]), rendered(placeholder.clone()), &[]);
    let mut own = plain;
    own["thoughtSignature"] = "sig".into();
    let calls = vec![call("1", "{}", signature(SignatureOrigin::Gemini)), call("2", "{}", None)];
    check(&request("gemini-3-pro", vec![model(calls)]), rendered(own), &[]);
    let calls = vec![call("1", "{}", signature(SignatureOrigin::Anthropic)), call("2", "{}", None)];
    let losses = ["messages[0].content[0].signature"];
    check(&request("gemini-3-pro", vec![model(calls)]), rendered(placeholder), &losses);
}

#[test]
fn a_signature_beside_a_call_goes_back_to_it() {
    let beside = || {
        let encrypted = signature(SignatureOrigin::Gemini);
        Part::new(PartContent::Reasoning(Reasoning { encrypted, ..Reasoning::default() }))
    };
    let signed = json!({"functionCall": {"id": "1", "name": "f", "args": {}}, "thoughtSignature": "sig"});
    for parts in [vec![beside(), call("1", "{}", None)], vec![call("1", "{}", None), beside()]] {
        check(&request("gemini-3-pro", vec![model(parts)]), turn(json!([signed])), &[]);
    }
    let text = json!([{"text": "a"}, {"text": "", "thoughtSignature": "sig"}]);
    check(&request("gemini-3-pro", vec![model(vec![Part::text("a"), beside()])]), turn(text), &[]);
}

#[test]
fn reasoning_goes_back_as_thought_without_foreign_signatures() {
    let thought = |signature, encrypted| {
        let reasoning = Reasoning { text: "hm".into(), is_summary: true, encrypted, id: None };
        Part { signature, ..Part::new(PartContent::Reasoning(reasoning)) }
    };
    let parts = vec![
        thought(signature(SignatureOrigin::Gemini), None),
        thought(signature(SignatureOrigin::Anthropic), None),
        thought(None, signature(SignatureOrigin::OpenAi)),
        Part::new(PartContent::Reasoning(Reasoning {
            encrypted: signature(SignatureOrigin::OpenAi),
            ..Reasoning::default()
        })),
        Part { signature: signature(SignatureOrigin::Gemini), ..Part::text("a") },
    ];
    let expected = turn(json!([
        {"text": "hm", "thought": true, "thoughtSignature": "sig"},
        {"text": "hm", "thought": true},
        {"text": "hm", "thought": true},
        {"text": "a", "thoughtSignature": "sig"},
    ]));
    let losses =
        ["messages[0].content[1].signature", "messages[0].content[2].signature", "messages[0].content[3]"];
    check(&request("gemini-3-pro", vec![model(parts)]), expected, &losses);
}

#[test]
fn media_and_documents_are_parts() {
    let document = |content| Document {
        content,
        title: Some("t".into()),
        context: Some("c".into()),
        with_citations: true,
        search_source: None,
    };
    let pdf = MediaSource::Base64 { media_type: "application/pdf".into(), data: "AA==".into() };
    let wav = MediaSource::Base64 { media_type: "audio/wav".into(), data: "AA==".into() };
    let foreign = MediaSource::File { id: "file-1".into(), media_type: None };
    let parts = vec![
        image(png()),
        Part::new(PartContent::Audio(wav)),
        Part::new(PartContent::Document(document(DocumentContent::Media(pdf)))),
        Part::new(PartContent::Document(document(DocumentContent::Parts(vec![Part::text("x")])))),
        image(foreign),
        Part { cache: Some(CacheHint::default()), ..Part::text("") },
    ];
    let expected = json!({"contents": [{"role": "user", "parts": [
        {"inlineData": {"mimeType": "image/png", "data": "AA=="}},
        {"inlineData": {"mimeType": "audio/wav", "data": "AA=="}},
        {"text": "c"},
        {"inlineData": {"mimeType": "application/pdf", "data": "AA=="}},
        {"text": "c"},
        {"text": "x"},
    ]}]});
    let losses = [
        "messages[0].content[2].title",
        "messages[0].content[2].citations",
        "messages[0].content[3].title",
        "messages[0].content[3].citations",
        "!messages[0].content[4]",
        "messages[0].content[5].cache_control",
    ];
    check(&request("gemini-2.5-pro", vec![Message::new(MessageRole::User, parts)]), expected, &losses);
}

#[test]
fn parts_of_the_family_are_as_written_and_others_are_losses() {
    let part = |origin| {
        let value = raw(r#"{"executableCode":{"language":"PYTHON","code":"1"}}"#);
        Part::new(PartContent::Provider(ProviderPart { origin, value, weight: LossWeight::Binding }))
    };
    let parts = vec![part(SignatureOrigin::Gemini), part(SignatureOrigin::OpenAi)];
    let expected = turn(json!([{"executableCode": {"language": "PYTHON", "code": "1"}}]));
    check(&request("gemini-3-pro", vec![model(parts)]), expected, &["!messages[0].content[1]"]);
}
