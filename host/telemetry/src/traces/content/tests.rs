use pointsman_domain::prompt::Prompt;

use super::*;
use crate::sample::SampleConversation;

#[derive(Debug)]
struct FixtureContent<'a> {
    conversation: SampleConversation<'a>,
    answer: Option<&'a str>,
}

impl ContentSource for FixtureContent<'_> {
    fn bytes(&self) -> usize {
        0
    }

    fn prompt(&self) -> &dyn Prompt {
        &self.conversation
    }

    fn answer(&self, _: usize) -> Option<AnswerText> {
        let finish_reason = Some("stop".to_owned());
        Some(AnswerText { text: self.answer?.to_owned(), is_cut: false, finish_reason })
    }
}

fn read(messages: &[(&str, &str)], answer: Option<&str>) -> (String, Option<String>, bool) {
    let SpanContent { input, output, is_cut } =
        SpanContent::read(&FixtureContent { conversation: SampleConversation(messages), answer });
    (input, output, is_cut)
}

#[test]
fn messages_are_written_in_order_in_the_form_of_the_conventions() {
    let messages = [("system", "be \"brief\""), ("assistant", ""), ("user", "hi")];
    let (input, output, is_cut) = read(&messages, Some("hello"));
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
fn the_end_of_a_long_conversation_is_written() {
    let long = "x".repeat(MAX_BYTES - 10);
    let short = "é".repeat(20);
    let messages = [("system", "lost"), ("user", &short), ("user", &long)];
    let (input, output, is_cut) = read(&messages, None);
    assert!(is_cut);
    assert_eq!(output, None);
    let written: serde_json::Value = serde_json::from_str(&input).expect("JSON");
    let texts: Vec<&str> = written
        .as_array()
        .expect("messages")
        .iter()
        .filter_map(|it| it["parts"][0]["content"].as_str())
        .collect();
    assert_eq!(texts, [&"é".repeat(5), &long]);
}
