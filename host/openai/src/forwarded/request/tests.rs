use pointsman_domain::prompt::Prompt;
use pointsman_wire::BodyPiece;
use pointsman_wire::form::PartHead;

use super::*;

fn parse(api: ForwardedApi, json: &'static str) -> Result<ForwardedRequest, ServingError> {
    ForwardedRequest::parse_json(api, Bytes::from_static(json.as_bytes()))
}

fn part(name: &str, file_name: Option<&str>, content: impl Into<Bytes>) -> FormPart {
    let (name, file_name) = (name.to_owned(), file_name.map(str::to_owned));
    let content = vec![BodyPiece::Bytes(content.into())];
    FormPart { head: PartHead { name, file_name, headers: Bytes::new() }, content }
}

fn parse_form(api: ForwardedApi, parts: Vec<FormPart>) -> Result<ForwardedRequest, ServingError> {
    let mut form = UploadedForm::new("limit".to_owned()).unwrap();
    parts.into_iter().for_each(|part| form.push(part));
    ForwardedRequest::parse_form(api, form)
}

#[test]
fn only_the_models_name_changes_in_json() {
    let request = parse(
        ForwardedApi::Embeddings,
        r#"{ "input": ["one", "two"],"dimensions":8,"model" : "em\u0062ed","new":{"a":1.0} }"#,
    )
    .unwrap();
    assert_eq!((request.model.as_str(), request.input_tokens), ("embed", 2));
    assert_eq!(
        request.body_for("bge\"m3").to_bytes().unwrap(),
        r#"{ "input": ["one", "two"],"dimensions":8,"model" : "bge\"m3","new":{"a":1.0} }"#
    );
    assert_eq!(request.prompt().text(0), Some("one\ntwo"));
    assert_eq!(request.prompt().parts().len(), 1);
}

#[test]
fn a_stream_is_requested_by_the_member_of_each_api() {
    let streams = |api, json| parse(api, json).unwrap().streaming;
    assert!(streams(ForwardedApi::Speech, r#"{"model":"m","input":"i","voice":"v","stream_format":"sse"}"#));
    assert!(!streams(
        ForwardedApi::Speech,
        r#"{"model":"m","input":"i","voice":"v","stream_format":"audio"}"#
    ));
    assert!(streams(ForwardedApi::ImageGenerations, r#"{"model":"m","prompt":"p","stream":true}"#));
    let form = vec![part("file", Some("a.mp3"), "x"), part("model", None, "m"), part("stream", None, "true")];
    assert!(parse_form(ForwardedApi::Transcriptions, form).unwrap().streaming);
}

#[test]
fn content_that_models_have_to_accept_is_known() {
    let inputs = |api, json| parse(api, json).unwrap().inputs;
    assert_eq!(inputs(ForwardedApi::Moderations, r#"{"model":"m","input":"text"}"#), Modalities::TEXT);
    assert_eq!(
        inputs(
            ForwardedApi::Moderations,
            r#"{"model":"m","input":[{"type":"image_url","image_url":{"url":"data:"}}]}"#
        ),
        Modalities::TEXT | Modalities::IMAGE
    );
    let edit = parse(
        ForwardedApi::ImageEdits,
        r#"{"model":"m","prompt":"four","images":[{"image_url":"a"},{"image_url":"b"}]}"#,
    )
    .unwrap();
    assert_eq!(edit.inputs, Modalities::TEXT | Modalities::IMAGE);
    assert_eq!(u64::from(edit.input_tokens), 1 + 2 * tokens::IMAGE);
}

#[test]
fn a_recording_is_measured_by_its_format() {
    let tokens = |name, bytes: usize| {
        let parts = vec![part("model", None, "m"), part("file", Some(name), vec![0; bytes])];
        let request = parse_form(ForwardedApi::Transcriptions, parts).unwrap();
        assert_eq!(request.inputs, Modalities::AUDIO);
        request.input_tokens
    };
    assert_eq!((tokens("a.WAV", 64_000), tokens("a.mp3", 64_000)), (20, 40));
}

#[test]
fn a_request_without_model_or_content_is_rejected_with_the_member() {
    let member = |result: Result<ForwardedRequest, ServingError>| result.unwrap_err().parameter.unwrap();
    assert_eq!(member(parse(ForwardedApi::Embeddings, r#"{"input":"x"}"#)), "model");
    assert_eq!(member(parse(ForwardedApi::Speech, r#"{"model":null,"input":"x"}"#)), "model");
    assert_eq!(member(parse(ForwardedApi::Embeddings, r#"{"model":"m"}"#)), "input");
    assert_eq!(member(parse(ForwardedApi::Speech, r#"{"model":"m","input":["x"]}"#)), "input");
    assert_eq!(member(parse(ForwardedApi::ImageGenerations, r#"{"model":"m","prompt":null}"#)), "prompt");
    assert_eq!(
        member(parse(ForwardedApi::ImageGenerations, r#"{"model":"m","prompt":"p","stream":1}"#)),
        "stream"
    );
    let file = || part("file", Some("a.mp3"), "x");
    assert_eq!(member(parse_form(ForwardedApi::Transcriptions, vec![file()])), "model");
    assert_eq!(member(parse_form(ForwardedApi::Transcriptions, vec![part("model", None, "m")])), "file");
    let edit = vec![part("model", None, "m"), part("image[]", Some("a.png"), "x")];
    assert_eq!(member(parse_form(ForwardedApi::ImageEdits, edit)), "prompt");
    assert_eq!(parse(ForwardedApi::Speech, "[]").unwrap_err().kind, ErrorKind::InvalidType);
    assert_eq!(parse(ForwardedApi::Speech, "{").unwrap_err().kind, ErrorKind::InvalidJson);
}

#[test]
fn a_request_without_a_model_is_for_the_default_of_its_api() {
    for (json, sent) in [
        (r#" {"input":"x"}"#, r#" {"model":"m","input":"x"}"#),
        (r#"{"input":"x","model":null}"#, r#"{"input":"x","model":"m"}"#),
    ] {
        let request = parse(ForwardedApi::Moderations, json).unwrap();
        assert_eq!(request.model, "omni-moderation-latest");
        assert_eq!(request.body_for("m").to_bytes().unwrap(), sent);
    }
    let parts = || vec![part("image", Some("a.png"), "x"), part("prompt", None, "p")];
    let request = parse_form(ForwardedApi::ImageEdits, parts()).unwrap();
    assert_eq!(request.model, "gpt-image-1.5");
    let body = request.body_for("m").to_bytes().unwrap();
    assert!(String::from_utf8_lossy(&body).contains("name=\"model\"\r\n\r\nm\r\n"));
}

#[test]
fn a_form_shows_policies_its_prompt_and_its_files() {
    let parts = vec![
        part("image[]", Some("a.png"), vec![0; 7]),
        part("model", None, "m"),
        part("prompt", None, "add a hat"),
    ];
    let prompt = parse_form(ForwardedApi::ImageEdits, parts).unwrap().prompt();
    assert_eq!(prompt.part_text(0, 0), Some("add a hat"));
    let parts: Vec<_> = prompt.parts().iter().map(|part| (part.part, part.kind, part.bytes)).collect();
    assert_eq!(parts, [(0, Modalities::TEXT, 9), (1, Modalities::IMAGE, 7)]);
    assert_eq!((prompt.text(1), prompt.part_text(0, 1)), (None, None));
}

#[test]
fn the_error_for_another_media_type_says_what_the_api_takes() {
    let error = ForwardedRequest::wrong_media_type(ForwardedApi::Transcriptions, Some("application/json"));
    assert_eq!(
        error.message,
        "Unsupported content type: audio/transcriptions takes multipart/form-data with a boundary, the request \
         states application/json."
    );
}
