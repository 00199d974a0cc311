use pointsman_domain::prompt::{ContentPart, Prompt};

use super::*;

#[derive(Debug)]
struct Said {
    messages: Vec<(&'static str, String)>,
    answer: Option<&'static str>,
}

impl Prompt for Said {
    fn message_count(&self) -> usize {
        self.messages.len()
    }

    fn role(&self, message: usize) -> Option<&str> {
        self.messages.get(message).map(|(role, _)| *role)
    }

    fn text(&self, message: usize) -> Option<&str> {
        self.messages.get(message).map(|(_, text)| text.as_str())
    }

    fn tool_names(&self) -> &[String] {
        &[]
    }

    fn parts(&self) -> &[ContentPart] {
        &[]
    }

    fn part_text(&self, _: usize, _: usize) -> Option<&str> {
        None
    }
}

impl Exchange for Said {
    fn bytes(&self) -> usize {
        0
    }

    fn prompt(&self) -> &dyn Prompt {
        self
    }

    fn answer(&self, _: usize) -> Option<Answer> {
        let finish_reason = Some("stop".to_owned());
        Some(Answer { text: self.answer?.to_owned(), is_cut: false, finish_reason })
    }
}

fn read(
    messages: Vec<(&'static str, String)>,
    answer: Option<&'static str>,
) -> (String, Option<String>, bool) {
    let Content { input, output, is_cut } = Content::read(&Said { messages, answer });
    (input, output, is_cut)
}

#[test]
fn messages_are_told_in_order_and_in_the_form_of_the_conventions() {
    let messages =
        vec![("system", "be \"brief\"".to_owned()), ("assistant", String::new()), ("user", "hi".to_owned())];
    let (input, output, is_cut) = read(messages, Some("hello"));
    assert_eq!(
        input,
        r#"[{"role":"system","parts":[{"type":"text","content":"be \"brief\""}]},{"role":"assistant","parts":[]},{"role":"user","parts":[{"type":"text","content":"hi"}]}]"#
    );
    let answer =
        r#"[{"role":"assistant","parts":[{"type":"text","content":"hello"}],"finish_reason":"stop"}]"#;
    assert_eq!(output.as_deref(), Some(answer));
    assert!(!is_cut);
}

#[test]
fn of_a_long_conversation_the_end_is_told() {
    let long = "x".repeat(MOST - 10);
    let messages = vec![("system", "lost".to_owned()), ("user", "é".repeat(20)), ("user", long.clone())];
    let (input, output, is_cut) = read(messages, None);
    assert!(is_cut);
    assert_eq!(output, None);
    let told: serde_json::Value = serde_json::from_str(&input).expect("JSON");
    let texts: Vec<&str> = told
        .as_array()
        .expect("messages")
        .iter()
        .filter_map(|it| it["parts"][0]["content"].as_str())
        .collect();
    assert_eq!(texts, [&"é".repeat(5), &long]);
}
