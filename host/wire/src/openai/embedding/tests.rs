use serde_json::{Value, json};

use crate::openai::chat::Outputs;
use crate::openai::one_task::{chat, checked, original, output, request, text, user};
use pointsman_domain::plan::TaskProposal;

#[test]
fn an_embedding_is_asked_for_with_all_the_text_of_a_message() {
    let request = request(r#"{"model":"m","messages":[{"role":"user","content":"Caf\u00e9 \"9\""}]}"#);
    let input = vec![user(vec![text("find: "), original(0, 0), output(1, Some("?"))])];
    let proposal = TaskProposal { operation: "embedding".to_owned(), ..chat(input) };
    let body = request.embedding_task(&checked(&request, proposal), &Outputs::default());
    let sent: Value = serde_json::from_slice(&body.body_for("a\"b").concat()).unwrap();
    let expected = json!({ "model": "a\"b", "input": "find: Café \"9\"?", "encoding_format": "float" });
    assert_eq!(sent, expected);
    assert_eq!(body.input_tokens, 4);
}
