//! Speech, pictures, translations and moderations. Each is called at its own path, so these tests
//! do not depend on the operations of the gateway.

use super::*;
use crate::simulated::reply::SimulatedResponse;

fn speech(members: Value) -> Result<SpeechRequest, InvalidRequest> {
    let mut body = json!({ "model": "whisper", "input": "one two three" });
    body.as_object_mut().unwrap().extend(members.as_object().unwrap().clone());
    SpeechRequest::read(&[body.to_string().into()])
}

/// Returns the chunks of a reply and its content type.
async fn chunks(mut reply: SimulatedResponse) -> (String, Vec<Bytes>) {
    let content_type = reply.headers["content-type"].to_str().unwrap().to_owned();
    let mut chunks = Vec::new();
    while let Some(chunk) = std::future::poll_fn(|cx| reply.body.poll_chunk(cx)).await {
        chunks.push(chunk);
    }
    (content_type, chunks)
}

/// Returns the data of named events.
fn named_events(chunks: &[Bytes]) -> Vec<Value> {
    let text = String::from_utf8(chunks.concat()).unwrap();
    let event = |event: &str| {
        let (name, data) = event.split_once("\ndata: ").unwrap();
        let data: Value = serde_json::from_str(data).unwrap();
        assert_eq!(name.strip_prefix("event: ").unwrap(), data["type"]);
        data
    };
    text.split_terminator("\n\n").map(event).collect()
}

#[tokio::test]
async fn speech_is_streamed_word_by_word_in_the_requested_format() {
    for (format, media_type, begin) in [
        (json!({}), "audio/mpeg", &b"\xff\xfb"[..]),
        (json!({ "response_format": "wav" }), "audio/wav", b"RIFF"),
        (json!({ "response_format": "pcm" }), "audio/pcm", b""),
    ] {
        let (content_type, chunks) = chunks(speech(format).unwrap().answer(Duration::ZERO)).await;
        assert_eq!((content_type.as_str(), chunks.len()), (media_type, 3));
        assert!(chunks[0].starts_with(begin));
    }
    let length =
        async |members| chunks(speech(members).unwrap().answer(Duration::ZERO)).await.1.concat().len();
    let pcm = length(json!({ "response_format": "pcm" })).await;
    assert_eq!(pcm, 3 * 24_000 * 2 / 4, "a quarter of a second for each word");
    assert_eq!(length(json!({ "response_format": "pcm", "speed": 2 })).await, pcm / 2);
    assert_eq!(length(json!({ "response_format": "wav" })).await, pcm + 44);
    let long = json!({ "response_format": "pcm", "input": "a ".repeat(2_000) });
    assert_eq!(length(long).await, 200 * pcm / 3, "a long text is cut");
}

#[tokio::test]
async fn speech_as_events_ends_with_the_usage() {
    let (content_type, chunks) = chunks(
        speech(json!({ "stream_format": "sse", "response_format": "pcm" })).unwrap().answer(Duration::ZERO),
    )
    .await;
    let events = named_events(&chunks);
    assert_eq!((content_type.as_str(), events.len()), (pointsman_wire::sse::MEDIA_TYPE, 4));
    assert_eq!(STANDARD.decode(events[0]["audio"].as_str().unwrap()).unwrap().len(), 12_000);
    assert_eq!(events[3]["usage"], json!({ "input_tokens": 3, "output_tokens": 3, "total_tokens": 6 }));
}

#[test]
fn speech_out_of_range_is_rejected() {
    let reason = |members| speech(members).unwrap_err().message;
    assert!(reason(json!({ "input": "" })).contains("input has 0 characters"));
    assert!(reason(json!({ "input": "a".repeat(4_097) })).contains("1 to 4096 are expected"));
    assert!(reason(json!({ "speed": 9 })).contains("speed is 9"));
    assert!(reason(json!({ "response_format": "flac" })).contains("use mp3, wav or pcm"));
    assert!(reason(json!({ "stream_format": "x" })).contains("use audio or sse"));
}

fn image(members: Value) -> Result<ImageRequest, InvalidRequest> {
    let mut body = json!({ "model": "clip", "prompt": "a red bicycle" });
    body.as_object_mut().unwrap().extend(members.as_object().unwrap().clone());
    ImageRequest::read(&[body.to_string().into()], 7)
}

/// Returns the width and the height of a picture in base64.
fn size(base64: &Value) -> (u32, u32) {
    let png = STANDARD.decode(base64.as_str().unwrap()).unwrap();
    assert!(png.starts_with(b"\x89PNG\r\n\x1a\n"));
    let side = |at: usize| u32::from_be_bytes(png[at..at + 4].try_into().unwrap());
    (side(16), side(20))
}

async fn pictures(request: ImageRequest) -> Value {
    serde_json::from_slice(&chunks(request.answer(3, Duration::ZERO)).await.1.concat()).unwrap()
}

#[tokio::test]
async fn pictures_have_the_requested_number_proportions_and_form() {
    let answer = pictures(image(json!({ "n": 2, "size": "1536x1024" })).unwrap()).await;
    let data = answer["data"].as_array().unwrap();
    assert_eq!((data.len(), size(&data[0]["b64_json"]), &answer["created"]), (2, (32, 22), &json!(7)));
    assert_ne!(data[0], data[1]);
    assert_eq!(answer["usage"]["total_tokens"], 3 + 2 * 272);
    assert_eq!(answer, pictures(image(json!({ "n": 2, "size": "1536x1024" })).unwrap()).await);
    let linked = pictures(image(json!({ "response_format": "url" })).unwrap()).await;
    assert!(linked["data"][0]["url"].as_str().unwrap().starts_with("data:image/png;base64,iVBOR"));
    let thin = pictures(image(json!({ "size": "1x16384" })).unwrap()).await;
    assert_eq!(size(&thin["data"][0]["b64_json"]), (1, 32));
}

#[tokio::test]
async fn a_stream_of_pictures_shows_parts_first() {
    let request = image(json!({ "stream": true, "partial_images": 2 })).unwrap();
    let events = named_events(&chunks(request.answer(3, Duration::ZERO)).await.1);
    let types: Vec<&str> = events.iter().map(|event| event["type"].as_str().unwrap()).collect();
    let partial = "image_generation.partial_image";
    assert_eq!(types, [partial, partial, "image_generation.completed"]);
    assert_eq!((size(&events[2]["b64_json"]), &events[1]["partial_image_index"]), ((32, 32), &json!(1)));
    assert_eq!(events[2]["usage"]["output_tokens"], 272);
}

#[test]
fn pictures_out_of_range_are_rejected() {
    let reason = |members| image(members).unwrap_err().message;
    assert!(reason(json!({ "n": 11 })).contains("n is 11; a number from 1 to 10 is expected"));
    for size in ["big", "0x10", "10x", "99999x1"] {
        assert!(reason(json!({ "size": size })).contains("auto or WIDTHxHEIGHT is expected"), "{size}");
    }
    assert!(reason(json!({ "response_format": "x" })).contains("use b64_json or url"));
    assert!(reason(json!({ "output_format": "webp" })).contains("use png"));
    assert!(reason(json!({ "partial_images": 4 })).contains("partial_images is 4"));
    assert_eq!(reason(json!({ "prompt": null })), "Missing required parameter: 'prompt'.");
}

/// Returns a form with fields, of which those with a file name are files.
fn form(fields: &[(&str, Option<&str>, &str)]) -> Vec<u8> {
    let mut form = String::new();
    for (name, file, content) in fields {
        let file = file.map(|file| format!("; filename=\"{file}\"")).unwrap_or_default();
        form += &format!("--B\r\nContent-Disposition: form-data; name=\"{name}\"{file}\r\n\r\n{content}\r\n");
    }
    (form + "--B--\r\n").into()
}

const FORM: &str = "multipart/form-data; boundary=B";

#[tokio::test]
async fn pictures_are_edited_by_form() {
    let fields = [
        ("model", None, "clip"),
        ("prompt", None, "blue"),
        ("n", None, "1"),
        ("image[]", Some("a.png"), "x"),
        ("image[]", Some("b.png"), "y"),
    ];
    let edited = pictures(ImageRequest::read_edit(FORM, &form(&fields), 7).unwrap()).await;
    assert_eq!(edited["usage"]["input_tokens_details"], json!({ "text_tokens": 1, "image_tokens": 544 }));
    let missing = ImageRequest::read_edit(FORM, &form(&fields[..2]), 7).unwrap_err();
    assert_eq!(missing, InvalidRequest::missing("image"));
    let invalid = [("n", None, "two"), ("image", Some("a.png"), "x")];
    let invalid = ImageRequest::read_edit(FORM, &form(&invalid), 7).unwrap_err();
    assert_eq!(invalid, InvalidRequest::value("n", "n is \"two\", not a whole number"));
}

async fn transcript(fields: &[(&str, Option<&str>, &str)], translates: bool) -> (String, Vec<Bytes>) {
    let all = [&[("model", None, "whisper"), ("file", Some("a.wav"), "RIFF")][..], fields].concat();
    let form = form(&all);
    let request = TranscriptionRequest::read(FORM, &form, translates).unwrap();
    let transcript = request.transcript(&mut Rng::with_seed(1));
    chunks(if request.stream { transcript.stream(Duration::ZERO) } else { transcript.whole() }).await
}

#[tokio::test]
async fn recordings_are_written_down_in_the_requested_format() {
    let format = |format| [("response_format", None, format)];
    let (_, chunks) = transcript(&[], false).await;
    let plain: Value = serde_json::from_slice(&chunks.concat()).unwrap();
    let text = plain["text"].as_str().unwrap();
    for (name, media_type, content) in [
        ("text", "text/plain; charset=utf-8", format!("{text}\n")),
        ("srt", "text/plain; charset=utf-8", format!("1\n00:00:00,000 --> 00:00:00,010\n{text}\n\n")),
        ("vtt", "text/vtt; charset=utf-8", format!("WEBVTT\n\n00:00:00.000 --> 00:00:00.010\n{text}\n\n")),
    ] {
        let (content_type, chunks) = transcript(&format(name), false).await;
        assert_eq!(
            (content_type.as_str(), String::from_utf8(chunks.concat()).unwrap()),
            (media_type, content)
        );
    }
    let granularities = [
        ("response_format", None, "verbose_json"),
        ("timestamp_granularities[]", None, "segment"),
        ("timestamp_granularities[]", None, "word"),
        ("language", None, "de"),
    ];
    let verbose: Value = serde_json::from_slice(&transcript(&granularities, false).await.1.concat()).unwrap();
    assert_eq!(
        (&verbose["task"], &verbose["language"], &verbose["text"]),
        (&json!("transcribe"), &json!("de"), &plain["text"])
    );
    assert_eq!(verbose["words"].as_array().unwrap().len(), text.split_whitespace().count());
    assert_eq!(verbose["segments"][0]["end"], verbose["duration"]);
    let translated: Value =
        serde_json::from_slice(&transcript(&format("verbose_json"), true).await.1.concat()).unwrap();
    assert_eq!((&translated["task"], &translated["words"]), (&json!("translate"), &Value::Null));
    let unknown =
        form(&[("model", None, "whisper"), ("file", Some("a.wav"), "x"), ("response_format", None, "xml")]);
    let reason = TranscriptionRequest::read(FORM, &unknown, false);
    assert!(reason.unwrap_err().message.contains("use json, verbose_json, text, srt or vtt"));
}

#[tokio::test]
async fn a_recording_is_written_down_while_it_is_heard() {
    let (content_type, chunks) = transcript(&[("stream", None, "true")], false).await;
    let events = named_events(&chunks);
    let (last, deltas) = events.split_last().unwrap();
    let text: String = deltas.iter().map(|event| event["delta"].as_str().unwrap()).collect();
    assert_eq!((content_type.as_str(), &last["text"]), (pointsman_wire::sse::MEDIA_TYPE, &json!(text)));
    assert_eq!(last["usage"]["output_tokens"], deltas.len());
}

#[test]
fn content_is_flagged_by_its_words() {
    let results = |input: Value| {
        let body = json!({ "model": "guard", "input": input }).to_string();
        let answer: Value =
            serde_json::from_slice(&ModerationRequest::read(&[body.into()]).unwrap().answer(1)).unwrap();
        answer["results"].as_array().unwrap().clone()
    };
    let several = results(json!(["Good morning", "I will kill you"]));
    assert_eq!(
        (several.len(), &several[0]["flagged"], &several[1]["flagged"]),
        (2, &json!(false), &json!(true))
    );
    assert_eq!(
        (&several[1]["categories"]["violence"], &several[1]["categories"]["hate"]),
        (&json!(true), &json!(false))
    );
    assert!(several[1]["category_scores"]["violence"].as_f64() > Some(0.5));
    assert_eq!(several[0]["categories"].as_object().unwrap().len(), 13);
    let parts = results(json!([
        { "type": "text", "text": "a bomb" }, { "type": "image_url", "image_url": { "url": "https://example.org/a.png" } },
    ]));
    let applied = &parts[0]["category_applied_input_types"];
    assert_eq!(
        (parts.len(), &applied["violence"], &applied["hate"]),
        (1, &json!(["text", "image"]), &json!(["text"]))
    );
    let invalid = ModerationRequest::read(&[Bytes::from_static(br#"{"model":"a","input":7}"#)]).unwrap_err();
    let message = "Invalid type for 'input': expected a text, a list of texts, or a list of parts.";
    assert_eq!((invalid.message.as_str(), invalid.parameter.as_deref()), (message, Some("input")));
}
