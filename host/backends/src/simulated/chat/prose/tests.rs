use super::*;

fn answer(prompt: &str) -> String {
    let messages = serde_json::json!([{ "role": "user", "content": prompt }]);
    let body = serde_json::json!({ "model": "m", "messages": messages }).to_string();
    text(&ChatRequest::read(&[body.into()]).unwrap(), &mut Rng::with_seed(1))
}

#[test]
fn sums_are_right() {
    assert_eq!(answer("What is 12 * 7?"), "m: 12 * 7 = 84");
    assert_eq!(answer("10 / 4"), "m: 10 / 4 = 2.5");
    assert!(answer("10 / 0").starts_with("m: about"));
}

#[test]
fn a_summary_has_the_first_and_the_last_sentence() {
    let summary = answer("Summarise: Trains are long. They have wheels. They run on rails.");
    assert_eq!(summary, "m: in short, Trains are long. In the end, They run on rails. (10 words)");
}

#[test]
fn names_and_numbers_are_extracted() {
    assert_eq!(
        answer("Extract the names: call Ada, or bob@x.org, at 9."),
        "m: I found\n- Ada\n- bob@x.org\n- 9"
    );
}

#[test]
fn code_is_in_the_requested_language() {
    assert!(answer("Write a Rust function that reverses a string").contains("```rust"));
    assert!(answer("Write a function that reverses a string").contains("```python"));
}

#[test]
fn quoted_words_are_taken_up() {
    assert_eq!(answer("Translate \"good night\" to French"), "m: “good night”, as a simulated translation.");
}

#[test]
fn any_prompt_gets_an_answer() {
    for prompt in ["", " ", "\"\"", "?", "summarise", "extract", "code", "ünïcödé 🦀"] {
        assert!(answer(prompt).len() > 5, "{prompt:?}");
    }
}

#[test]
fn tokens_are_words_and_nothing_is_lost() {
    let text = " a  bc\n\nd";
    assert_eq!(tokens(text).collect::<Vec<_>>(), [" a", "  bc", "\n\nd"]);
}
