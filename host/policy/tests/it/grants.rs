//! Interfaces that need a grant.

use std::sync::Arc;

use pointsman_domain::prompt::{ContentPart, Prompt};
use pointsman_guests::READER;
use pointsman_policy::{DecisionInput, Grants, Limits, PolicySpec};

use crate::support::{decide, input, load, load_error, reason, spec};

struct Conversation {
    tools: Vec<String>,
}

impl Prompt for Conversation {
    fn message_count(&self) -> usize {
        3
    }

    fn role(&self, message: usize) -> Option<&str> {
        ["system", "user", "assistant"].get(message).copied()
    }

    fn text(&self, message: usize) -> Option<&str> {
        ["Be brief.", "Wie spät ist es?", "Noon."].get(message).copied()
    }

    fn tool_names(&self) -> &[String] {
        &self.tools
    }

    fn parts(&self) -> &[ContentPart] {
        &[]
    }

    fn part_text(&self, _: usize, _: usize) -> Option<&str> {
        None
    }
}

pub fn conversation() -> Arc<dyn Prompt> {
    Arc::new(Conversation { tools: vec!["clock".to_owned(), "calendar".to_owned()] })
}

pub fn about(prompt: Arc<dyn Prompt>) -> DecisionInput {
    DecisionInput { prompt, ..input(2) }
}

fn granted(prompt_bytes: u32) -> PolicySpec {
    let limits = Limits { prompt_bytes, ..Limits::default() };
    PolicySpec { grants: Grants::PROMPT, limits, ..spec() }
}

#[test]
fn an_ungranted_import_is_named_with_its_grant() {
    assert_eq!(
        load_error(spec(), READER),
        "the policy imports `pointsman:policy/prompt@0.1.0`, which it is not granted; \
         to grant it: grants = [\"prompt\"]"
    );
    let other = PolicySpec { grants: Grants::WASI, ..spec() };
    assert!(load_error(other, READER).contains("grants = [\"prompt\"]"));
}

#[test]
fn wasi_is_a_grant_too() {
    let clock = wat::parse_str(
        r#"(component (import "wasi:clocks/wall-clock@0.2.0" (instance (export "resolution" (func)))))"#,
    )
    .unwrap();
    assert!(load_error(spec(), &clock).ends_with("to grant it: grants = [\"wasi\"]"));
}

#[tokio::test]
async fn a_granted_prompt_can_be_read() {
    let policy = load(granted(1_000), READER).unwrap();
    let answer = policy.decide(about(conversation())).await;
    assert_eq!(reason(answer), r#"3 system 17 "Wie spät ist es?" [clock,calendar]"#);
}

#[tokio::test]
async fn reads_past_the_prompt_limit_are_cut_at_a_character() {
    // `system` takes 6 of the 13 bytes; the ä in the seventh byte left would be cut in half.
    let policy = load(granted(13), READER).unwrap();
    let answer = policy.decide(about(conversation())).await;
    assert_eq!(reason(answer), r#"3 system 6 "Wie sp" []"#);
}

#[tokio::test]
async fn without_a_prompt_there_is_nothing_to_read() {
    let policy = load(granted(1_000), READER).unwrap();
    assert_eq!(reason(decide(&policy).await), r#"0  0 "" []"#);
}
