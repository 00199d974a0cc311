use bytes::Bytes;
use pointsman_domain::prompt::Prompt;

use crate::openai::chat::{ChatPrompt, RequestScan};

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
