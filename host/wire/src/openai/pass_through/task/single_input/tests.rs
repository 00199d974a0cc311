use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use pointsman_domain::plan::TaskProposal;
use proptest::prelude::*;
use serde_json::{Value, json};

use crate::openai::client::InvalidRecording;
use crate::openai::provider::{MultipartForm, TranscriptionBody};
use crate::openai::sample_task::{chat, checked, original, output, request, text, user};
use crate::task_outputs::TaskOutputs;

#[test]
fn an_embedding_gets_all_the_text_of_a_message() {
    let request = request(r#"{"model":"m","messages":[{"role":"user","content":"Caf\u00e9 \"9\""}]}"#);
    let input = vec![user(vec![text("find: "), original(0, 0), output(1, Some("?"))])];
    let proposal = TaskProposal { operation: "embedding".to_owned(), ..chat(input) };
    let body = request.render_text_task(&checked(&request, proposal), &TaskOutputs::default());
    let sent: Value = serde_json::from_slice(&body.body_for("a\"b").concat()).unwrap();
    let expected = json!({ "model": "a\"b", "input": "find: Café \"9\"?", "encoding_format": "float" });
    assert_eq!(sent, expected);
    assert_eq!(body.input_tokens, 4);
}

fn text_call(operation: &str, options: &[(&str, &str)]) -> Value {
    let request = request(r#"{"model":"m","messages":[{"role":"user","content":"a cat"}]}"#);
    let options = options.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    let input = vec![user(vec![text("of "), original(0, 0)])];
    let proposal = TaskProposal { operation: operation.to_owned(), options, ..chat(input) };
    let body = request.render_text_task(&checked(&request, proposal), &TaskOutputs::default());
    serde_json::from_slice(&body.body_for("m").concat()).unwrap()
}

#[test]
fn a_text_is_sent_in_the_member_of_its_operation_with_options_and_defaults() {
    assert_eq!(
        text_call("speech", &[]),
        json!({ "model": "m", "input": "of a cat", "voice": "alloy", "response_format": "mp3" })
    );
    assert_eq!(
        text_call("speech", &[("voice", "\"nova\""), ("response_format", "\"wav\""), ("speed", "1.5")]),
        json!({ "model": "m", "input": "of a cat", "voice": "nova", "response_format": "wav", "speed": 1.5 })
    );
    assert_eq!(
        text_call("image", &[("size", "\"1024x1536\"")]),
        json!({ "model": "m", "prompt": "of a cat", "size": "1024x1536" })
    );
    assert_eq!(text_call("moderation", &[]), json!({ "model": "m", "input": "of a cat" }));
}

fn transcription(part: &str, options: &[(&str, &str)]) -> Result<TranscriptionBody, InvalidRecording> {
    let request = request(&format!(r#"{{"model":"m","messages":[{{"role":"user","content":[{part}]}}]}}"#));
    let options = options.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    let input = vec![user(vec![original(0, 0)])];
    let proposal = TaskProposal { operation: "transcription".to_owned(), options, ..chat(input) };
    request.render_transcription_task(&checked(&request, proposal))
}

fn input_audio(data: &str, format: &str) -> String {
    format!(r#"{{"type":"input_audio","input_audio":{{"data":"{data}","format":"{format}"}}}}"#)
}

#[test]
fn a_recording_is_sent_as_a_file_in_a_form() {
    let body = transcription(&input_audio("UklGRg==", "wav"), &[("language", "\"de\"")]).unwrap();
    let boundary = body.content_type.strip_prefix("multipart/form-data; boundary=").unwrap();
    let expected = "--B\r\nContent-Disposition: form-data; name=\"model\"\r\n\r\nwhisper-1\r\n\
         --B\r\nContent-Disposition: form-data; name=\"response_format\"\r\n\r\njson\r\n\
         --B\r\nContent-Disposition: form-data; name=\"language\"\r\n\r\nde\r\n\
         --B\r\nContent-Disposition: form-data; name=\"file\"; filename=\"audio.wav\"\r\nContent-Type: audio/wav\r\n\r\n\
         RIFF\r\n--B--\r\n";
    let sent = String::from_utf8(body.body_for("whisper-1").concat()).unwrap();
    assert_eq!(sent.replace(boundary, "B"), expected);
}

#[test]
fn attempts_share_the_recording() {
    let body = transcription(&input_audio(&"AAAA".repeat(1000), "mp3"), &[]).unwrap();
    let place = |name: &str| body.body_for(name).iter().max_by_key(|piece| piece.len()).unwrap().as_ptr();
    assert_eq!(place("a"), place("b"));
    assert_eq!(body.input_tokens, 2);
}

#[test]
fn recordings_are_decoded_from_every_notation() {
    let file = |part: &str| {
        let body = transcription(part, &[]).unwrap();
        let sent = body.body_for("m").concat();
        let form = MultipartForm::read(&body.content_type, &sent).unwrap();
        let (name, content) = form.file("file").unwrap();
        (name.to_owned(), content.to_owned())
    };
    let mp3 = ("audio.mp3".to_owned(), b"\xff\xfb".to_vec());
    for part in [
        &input_audio("//s=", "mp3"),
        &input_audio("//s", "MP3"),
        &input_audio(r"\/\/s=", "mp3"),
        &input_audio("data:audio/mpeg;base64,//s=", "mp3"),
        r#"{"type":"input_audio","input_audio":{"data":"data:audio/mpeg;base64,//s="}}"#,
        r#"{"audio_url":{"url":"data:audio/mpeg;codecs=mp3;base64,//s="},"type":"audio_url"}"#,
        r#"{"type":"audio_url","audio_url":"data:audio\/mpeg;base64,//s="}"#,
    ] {
        assert_eq!(file(part), mp3, "{part}");
    }
    assert_eq!(file(&input_audio("AA==", "audio/x-wav")).0, "audio.wav");
    assert_eq!(
        file(r#"{"type":"audio_url","audio_url":{"url":"data:audio/x-wav;base64,AA"}}"#).0,
        "audio.wav"
    );
}

#[test]
fn a_part_without_a_recording_is_rejected_with_its_position() {
    let why = |part: &str| transcription(part, &[]).unwrap_err().to_string();
    let elsewhere = "messages[0].content[0] only points to a recording: send it as input_audio with its data";
    assert_eq!(why(r#"{"type":"audio_url","audio_url":{"url":"https://h/a.mp3"}}"#), elsewhere);
    assert_eq!(why(r#"{"type":"input_audio","input_audio":{"format":"wav"}}"#), elsewhere);
    assert!(
        why(&input_audio("A!", "wav")).starts_with("the recording in messages[0].content[0] is not base64: ")
    );
    let no_format = "the recording in messages[0].content[0] has no format such as \"wav\" or \"mp3\"";
    assert_eq!(why(r#"{"type":"input_audio","input_audio":{"data":"AAAA"}}"#), no_format);
    assert_eq!(why(&input_audio("AAAA", r#"a\"; b"#)), no_format);
    assert_eq!(why(&input_audio("AAAA", "")), no_format);
}

#[test]
fn an_example_is_transcribed_byte_for_byte() {
    let example = include_str!("../../../../../tests/fixtures/recording.request.json");
    let request = request(example);
    let proposal =
        TaskProposal { operation: "transcription".to_owned(), ..chat(vec![user(vec![original(0, 1)])]) };
    let body = request.render_transcription_task(&checked(&request, proposal)).unwrap();
    let sent = body.body_for("m").concat();
    let file = MultipartForm::read(&body.content_type, &sent).unwrap().file("file").unwrap();
    let original: serde_json::Value = serde_json::from_str(example).unwrap();
    let data = original["messages"][0]["content"][1]["input_audio"]["data"].as_str().unwrap();
    assert_eq!(file, ("audio.wav", BASE64_STANDARD.decode(data).unwrap().as_slice()));
}

proptest! {
    #[test]
    fn a_form_survives_a_round_trip(
        content in prop_oneof![
            proptest::collection::vec(any::<u8>(), 1..200),
            "[-\r\npointsma0-9a-f]{1,60}".prop_map(String::into_bytes),
        ],
        model in "\\PC{1,20}",
    ) {
        let body = transcription(&input_audio(&BASE64_STANDARD.encode(&content), "wav"), &[]).unwrap();
        let sent = body.body_for(&model).concat();
        let form = MultipartForm::read(&body.content_type, &sent).unwrap();
        prop_assert_eq!(form.text("model"), Some(model.as_str()));
        prop_assert_eq!(form.text("response_format"), Some("json"));
        prop_assert_eq!(form.file("file"), Some(("audio.wav", content.as_slice())));
    }
}
