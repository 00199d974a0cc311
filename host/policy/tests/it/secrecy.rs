//! The memory of a policy without the grant has no byte of a prompt, and that of a policy with the
//! grant has no more than its limit.

use std::sync::Arc;
use std::time::Duration;

use pointsman_domain::model::Modalities;
use pointsman_domain::prompt::{ContentPart, Prompt};
use pointsman_guests::{READER, SCANNER, reading, searching};
use pointsman_policy::{DecisionInput, Grants, Isolation, Limits, Policy, PolicySpec};

use crate::support::{input, label, load, reason, spec_with};

const SYSTEM: &str = "needle in the instructions";
const USER: &str = "needle in the question";
const TOOL: &str = "needle_in_a_tool";
const SECRETS: [&str; 3] = [SYSTEM, USER, TOOL];

/// A conversation of instructions and this newest message.
struct Talk {
    user: String,
    tools: Vec<String>,
}

impl Prompt for Talk {
    fn message_count(&self) -> usize {
        2
    }

    fn role(&self, message: usize) -> Option<&str> {
        ["system", "user"].get(message).copied()
    }

    fn text(&self, message: usize) -> Option<&str> {
        [SYSTEM, &self.user].get(message).copied()
    }

    fn tool_names(&self) -> &[String] {
        &self.tools
    }

    fn parts(&self) -> &[ContentPart] {
        &[ContentPart { message: 1, part: 0, kind: Modalities::TEXT, bytes: 22 }]
    }

    fn part_text(&self, _: usize, _: usize) -> Option<&str> {
        Some(&self.user)
    }
}

fn about(user: &str) -> DecisionInput {
    DecisionInput {
        prompt: Arc::new(Talk { user: user.to_owned(), tools: vec![TOOL.to_owned()] }),
        ..input(2)
    }
}

/// Enough time to search a whole memory on a slow machine.
fn patient(prompt_bytes: u32) -> Limits {
    Limits { deadline: Duration::from_secs(10), prompt_bytes, ..Limits::default() }
}

const WARM: Isolation = Isolation::Warm { recycle_after: 1_000, instances: 1 };

#[tokio::test]
async fn the_memory_of_a_policy_without_the_grant_has_nothing_of_a_prompt() {
    for isolation in [Isolation::Fresh, WARM] {
        let spec = PolicySpec { isolation, limits: patient(1_000), ..spec_with(&searching(&SECRETS)) };
        let policy = load(spec, SCANNER).unwrap();
        for _ in 0..3 {
            assert_eq!(label(policy.decide(about(USER)).await), "clean/outcomes-0");
        }
    }
}

/// Control: the same search finds data that the policy has received.
#[tokio::test]
async fn the_memory_of_a_policy_with_the_grant_has_what_it_read() {
    let given = searching(&[SYSTEM, "decision-1", "fleet/model-1"]);
    let policy = load(PolicySpec { limits: patient(1_000), ..spec_with(&given) }, SCANNER).unwrap();
    assert_eq!(label(policy.decide(about(USER)).await), "found:1:2/outcomes-0");

    for isolation in [Isolation::Fresh, WARM] {
        let spec = PolicySpec {
            isolation,
            limits: patient(1_000),
            grants: Grants::PROMPT,
            ..spec_with(&searching(&SECRETS))
        };
        let reader = load(spec, READER).unwrap();
        // The policy reads the newest message and the tools, but not the instructions.
        assert_eq!(label(reader.decide(about(USER)).await), "found:1:2");
    }
}

fn reader(prompt_bytes: u32, reads: &[usize]) -> Policy {
    let spec =
        PolicySpec { grants: Grants::PROMPT, limits: patient(prompt_bytes), ..spec_with(&reading(reads)) };
    load(spec, READER).unwrap()
}

/// Returns the bytes of each of these reads of this text.
async fn given(prompt_bytes: u32, text: &str, reads: &[usize]) -> String {
    reason(reader(prompt_bytes, reads).decide(about(text)).await)
}

#[tokio::test]
async fn a_read_returns_all_up_to_the_limit_and_not_a_byte_more() {
    assert_eq!(given(10, &"x".repeat(10), &[100, 100]).await, "10 0");
    assert_eq!(given(10, &"x".repeat(11), &[11, 1]).await, "10 0");
    assert_eq!(given(10, &"x".repeat(9), &[100, 100]).await, "9 1");
    assert_eq!(given(0, "x", &[1]).await, "0");
}

#[tokio::test]
async fn many_small_reads_return_no_more_than_a_large_one() {
    assert_eq!(given(10, &"x".repeat(50), &[3, 3, 3, 3, 3]).await, "3 3 3 1 0");
    let ones = given(100, &"x".repeat(50), &[1; 300]).await;
    assert_eq!(ones.split(' ').filter(|&bytes| bytes == "1").count(), 100);
}

#[tokio::test]
async fn multibyte_characters_are_returned_whole_or_not_at_all() {
    assert_eq!(given(5, "äää", &[100, 100]).await, "4 0");
    assert_eq!(given(100, "ä€😀", &[1, 2, 4, 5, 8, 9]).await, "0 2 2 5 5 9");
    assert_eq!(given(3, "😀", &[100]).await, "0");
}

#[tokio::test]
async fn each_decision_of_a_warm_instance_has_the_whole_limit() {
    let spec = PolicySpec {
        isolation: WARM,
        grants: Grants::PROMPT,
        limits: patient(10),
        ..spec_with(&reading(&[100]))
    };
    let policy = load(spec, READER).unwrap();
    for _ in 0..3 {
        assert_eq!(reason(policy.decide(about(&"x".repeat(50))).await), "10");
    }
}
