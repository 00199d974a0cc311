use pointsman_domain::prompt::Prompt;

use super::*;
use crate::sample::Talk;

#[derive(Debug)]
struct Said<'a> {
    talk: Talk<'a>,
    answer: Option<&'a str>,
}

impl Exchange for Said<'_> {
    fn bytes(&self) -> usize {
        0
    }

    fn prompt(&self) -> &dyn Prompt {
        &self.talk
    }

    fn answer(&self, _: usize) -> Option<Answer> {
        let finish_reason = Some("stop".to_owned());
        Some(Answer { text: self.answer?.to_owned(), is_cut: false, finish_reason })
    }
}

fn read(messages: &[(&str, &str)], answer: Option<&str>) -> (String, Option<String>, bool) {
    let Content { input, output, is_cut } = Content::read(&Said { talk: Talk(messages), answer });
    (input, output, is_cut)
}

#[test]
fn messages_are_told_in_order_and_in_the_form_of_the_conventions() {
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
fn of_a_long_conversation_the_end_is_told() {
    let long = "x".repeat(MOST - 10);
    let short = "é".repeat(20);
    let messages = [("system", "lost"), ("user", &short), ("user", &long)];
    let (input, output, is_cut) = read(&messages, None);
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
