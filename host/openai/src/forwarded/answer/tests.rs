use pointsman_domain::failure::ErrorCause;

use super::*;

#[test]
fn counts_of_each_api_are_read() {
    let usage = |api, answer: &str| read_answer(api, answer.as_bytes()).unwrap().usage_or_estimate(100);
    let embedding = usage(
        ForwardedApi::Embeddings,
        r#"{"object":"list","data":[{"embedding":"AAAA"}],"usage":{"prompt_tokens":8,"total_tokens":8}}"#,
    );
    assert_eq!((embedding.input_tokens, embedding.output_tokens, embedding.estimated), (8, 0, false));
    let image = usage(
        ForwardedApi::ImageGenerations,
        r#"{"created":1,"data":[{"b64_json":"AA"}],"usage":{"total_tokens":100,"input_tokens":50,"output_tokens":50,
        "input_tokens_details":{"text_tokens":10,"image_tokens":40},"output_tokens_details":{"image_tokens":50}}}"#,
    );
    assert_eq!((image.input_tokens, image.image_input_tokens, image.image_output_tokens), (50, 40, 50));
    let transcription = usage(
        ForwardedApi::Transcriptions,
        r#"{"text":"Hello","usage":{"type":"tokens","input_tokens":14,"input_token_details":{"text_tokens":0,
        "audio_tokens":14},"output_tokens":45,"total_tokens":59}}"#,
    );
    assert_eq!((transcription.audio_input_tokens, transcription.output_tokens), (14, 45));
    let seconds =
        usage(ForwardedApi::Transcriptions, r#"{"text":"four","usage":{"type":"duration","seconds":9}}"#);
    assert_eq!((seconds.input_tokens, seconds.output_tokens, seconds.estimated), (100, 1, true));
    let free = usage(ForwardedApi::Moderations, r#"{"id":"m","results":[{"flagged":false}]}"#);
    assert_eq!(free.output_tokens, 0);
}

#[test]
fn a_transcript_may_be_plain_text() {
    let text = "1\n00:00:00,000 --> 00:00:01,000\nHi\n";
    let output = read_answer_text(ForwardedApi::Transcriptions, text.as_bytes()).unwrap();
    assert_eq!((output.text.as_str(), output.count.output_bytes), (text, text.len() as u64));
    assert_eq!(read_answer(ForwardedApi::Translations, text.as_bytes()).unwrap(), output.count);
    let json = read_answer_text(ForwardedApi::Translations, br#"{"text":"Hi"}"#).unwrap();
    assert_eq!(json.text, "Hi");
    assert_eq!(read_answer_text(ForwardedApi::Embeddings, br#"{"data":[]}"#), None);
}

#[test]
fn what_is_no_answer_of_the_api_is_an_error() {
    let error = |api, answer: &str| read_answer(api, answer.as_bytes()).unwrap_err();
    assert_eq!(
        error(ForwardedApi::Embeddings, r#"{"results":[]}"#),
        InvalidAnswer::WrongShape("it has no `data`".to_owned())
    );
    assert!(matches!(error(ForwardedApi::Moderations, "<html>"), InvalidAnswer::NotJson(_)));
    assert!(matches!(error(ForwardedApi::ImageEdits, r#"{"data":"#), InvalidAnswer::NotJson(_)));
    let overloaded = error(
        ForwardedApi::Transcriptions,
        r#"{"error":{"message":"Rate limit reached for requests","type":"requests","code":"rate_limit_exceeded"}}"#,
    );
    assert_eq!(overloaded, InvalidAnswer::Reported(ReportedError { status: None, cause: ErrorCause::Load }));
}

#[test]
fn the_output_of_an_image_is_a_url() {
    let output = |answer: &str| read_image_output(answer.as_bytes()).map(|output| output.text);
    assert_eq!(output(r#"{"data":[{"b64_json":"AA"}]}"#).unwrap(), "data:image/png;base64,AA");
    assert_eq!(
        output(r#"{"output_format":"webp","data":[{"b64_json":"AA"},{"b64_json":"BB"}]}"#).unwrap(),
        "data:image/webp;base64,AA"
    );
    assert_eq!(output(r#"{"data":[{"url":"https:\/\/a/b"}]}"#).unwrap(), "https://a/b");
    assert!(output(r#"{"data":[]}"#).is_err());
}

#[test]
fn the_output_of_a_moderation_is_its_first_judgement() {
    let output = read_moderation_output(br#"{"results":[{"flagged": true},{"flagged":false}]}"#).unwrap();
    assert_eq!(output.text, r#"{"flagged": true}"#);
    assert!(read_moderation_output(br#"{"results":[]}"#).is_err());
}
