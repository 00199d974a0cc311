use bytes::Bytes;
use pointsman_domain::model::Modalities;
use pointsman_domain::prompt::{ContentPart, Prompt};

use crate::openai::client::{ChatPrompt, RequestScan};

fn prompt(body: &str, chunk: usize) -> ChatPrompt {
    let mut scan = RequestScan::default();
    for piece in body.as_bytes().chunks(chunk) {
        scan.push(Bytes::copy_from_slice(piece)).unwrap();
    }
    scan.finish().unwrap().prompt()
}

const CONVERSATION: &str = r#"{
    "messages": [
        {"role": "system", "content": "Be brief."},
        {"content": [
            {"type": "text", "text": "What is \"this\"?"},
            {"type": "image_url", "image_url": {"url": "data:image/png;base64,AAAA"}},
            {"text": "A caf\u00e9?\n", "type": "text"}
        ], "role": "user"},
        {"role": "assistant", "content": null, "tool_calls": [
            {"id": "1", "type": "function", "function": {"name": "look", "arguments": "{\"text\":\"no\"}"}}
        ]},
        {"role": "tool", "tool_call_id": "1", "content": "a platform"}
    ],
    "tools": [
        {"type": "function", "function": {"name": "look", "description": "Looks", "parameters": {"name": "no"}}},
        {"type": "custom", "custom": {"name": "find"}}
    ],
    "functions": [{"name": "old"}],
    "model": "auto"
}"#;

#[test]
fn texts_are_decoded_and_media_left_out() {
    for chunk in [1, 7, 10_000] {
        let prompt = prompt(CONVERSATION, chunk);
        assert_eq!(prompt.message_count(), 4);
        let roles: Vec<_> = (0..5).map(|message| prompt.role(message)).collect();
        assert_eq!(roles, [Some("system"), Some("user"), Some("assistant"), Some("tool"), None]);
        assert_eq!(prompt.text(0), Some("Be brief."));
        assert_eq!(prompt.text(1), Some("What is \"this\"?\nA café?\n"));
        assert_eq!(prompt.text(2), Some(""));
        assert_eq!(prompt.text(3), Some("a platform"));
        assert_eq!(prompt.text(4), None);
    }
}

#[test]
fn tools_are_listed_by_name() {
    assert_eq!(prompt(CONVERSATION, 50).tool_names(), ["look", "find", "old"]);
    let none = prompt(r#"{"model":"m","messages":[{"role":"user","content":"Hi"}]}"#, 9);
    assert_eq!(none.tool_names(), [""; 0]);
}

#[test]
fn a_prompt_outlives_its_request() {
    let prompt = prompt(CONVERSATION, 64);
    let copy = prompt.clone();
    drop(prompt);
    assert_eq!(copy.text(0), Some("Be brief."));
}

#[test]
fn parts_have_a_position_a_kind_and_a_size() {
    let parts = |body: &str| -> Vec<(usize, usize, Modalities, usize)> {
        let prompt = prompt(body, 7);
        let of = |part: &ContentPart| (part.message, part.part, part.kind, part.bytes);
        prompt.parts().iter().map(of).collect()
    };
    let (text, image) = (Modalities::TEXT, Modalities::IMAGE);
    assert_eq!(
        parts(CONVERSATION),
        [(0, 0, text, 9), (1, 0, text, 15), (1, 1, image, 26), (1, 2, text, 9), (3, 0, text, 10)]
    );
    let odd = r#"{"model":"m","messages":[{"role":"user","content":["a", {"type":"refusal","refusal":"no"}, 1, [], null,
        {"type":"audio_url","audio_url":"https://h/a"}, {"type":"file","file":{"file_id":"1"}},
        {"type":"input_audio","input_audio":{"data":"AAAA","format":"wav"}}, {"type":"hologram"},
        {"type":"text","text":"a","image_url":"b"}, {"text":"a","refusal":"b"}]}]}"#;
    let unknown = Modalities::empty();
    let expected = [
        (text, 1),
        (text, 2),
        (unknown, 1),
        (unknown, 2),
        (unknown, 4),
        (Modalities::AUDIO, 11),
        (Modalities::DOCUMENT, 0),
        (Modalities::AUDIO, 4),
        (unknown, 19),
        (unknown, 42),
        (unknown, 26),
    ];
    let parts: Vec<_> = parts(odd).into_iter().map(|(_, _, kind, bytes)| (kind, bytes)).collect();
    assert_eq!(parts, expected);
}

#[test]
fn a_part_is_read_by_its_position() {
    for chunk in [1, 7, 10_000] {
        let prompt = prompt(CONVERSATION, chunk);
        assert_eq!(prompt.part_text(0, 0), Some("Be brief."));
        assert_eq!(prompt.part_text(1, 0), Some("What is \"this\"?"));
        assert_eq!(prompt.part_text(1, 1), None);
        assert_eq!(prompt.part_text(1, 2), Some("A café?\n"));
        assert_eq!(prompt.part_text(3, 0), Some("a platform"));
        for (message, part) in [(0, 1), (1, 3), (2, 0), (4, 0), (usize::MAX, usize::MAX)] {
            assert_eq!(prompt.part_text(message, part), None);
        }
    }
}
