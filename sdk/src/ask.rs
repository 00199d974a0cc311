//! Asking a model first, and routing by its answer.
//!
//! An orchestrating policy may run a small task before it routes a request. The task refers to the
//! newest user message, so the policy needs no grant for the prompt, only `outputs` for the answer.
//!
//! ```
//! # use pointsman_sdk::prelude::*;
//! # use pointsman_sdk::plan::{Plan, Step, Task};
//! # use pointsman_sdk::{Orchestrator, TaskResult, ask, outline};
//! # struct Ask;
//! impl Orchestrator for Ask {
//! #   type Settings = NoSettings;
//! #   fn new(_: NoSettings) -> Result<Self, String> { Ok(Self) }
//!     fn plan(&mut self, request: &Request, candidates: &[Candidate]) -> Result<Step, Refusal> {
//!         let Some(message) = ask::newest_user_message(8192) else {
//!             return Ok(Step::Route(Decision::of(0..outline::whole(), "not-asked")));
//!         };
//!         let helpers = order::ascending(candidates, |_, model| model.input_price);
//!         let mut plan = Plan::new();
//!         let instruction = "Is this `easy` or `hard`? Reply with one word.";
//!         plan.add(ask::about("ask", helpers, instruction, message).in_time(ask::time(request, 500)));
//!         Ok(plan.resume(&(), "asking"))
//!     }
//!
//!     fn resume(
//!         &mut self,
//!         _: &Request,
//!         _: &[Candidate],
//!         _: &[u8],
//!         results: &[TaskResult],
//!     ) -> Result<Step, Refusal> {
//!         let reply = ask::reply(results, "ask", 64).unwrap_or_default();
//!         let label = ask::choice(&reply, ["easy", "hard"]).unwrap_or("unclear");
//!         Ok(Step::Route(Decision::of(0..outline::whole(), label)))
//!     }
//! }
//! ```

use crate::plan::{Part, Task};
use crate::{Modalities, Request, TaskResult, TaskStatus, outline, outputs};

/// Tokens of a reply: a few words, with room for a model that adds some.
const REPLY_TOKENS: u32 = 16;
/// Share of the time left to a request that a question may take.
const SHARE_OF_TIME: u32 = 4;

/// Returns the text parts of the newest user message as references. `None` if it has no text, or more
/// than `max_bytes` of it: the policy cannot cut what it does not see.
pub fn newest_user_message(max_bytes: u32) -> Option<Vec<Part>> {
    let parts = outline::parts();
    let newest = parts.iter().rev().find(|part| part.role == "user")?.message;
    let is_text = |part: &&outline::ContentPart| {
        part.message == newest && part.kind == Modalities::TEXT && part.bytes > 0
    };
    let text: Vec<&outline::ContentPart> = parts.iter().filter(is_text).collect();
    let bytes: u64 = text.iter().map(|part| u64::from(part.bytes)).sum();
    let is_usable = !text.is_empty() && bytes <= u64::from(max_bytes);
    is_usable.then(|| text.into_iter().map(Part::from).collect())
}

/// Creates a chat task that asks about a text and expects a reply of few words. It is optional, and the
/// targets are tried in order.
pub fn about(
    name: impl Into<String>,
    targets: impl IntoIterator<Item = usize>,
    instruction: impl Into<String>,
    text: impl IntoIterator<Item = Part>,
) -> Task {
    let instruction = Part::Text(instruction.into());
    let task = Task::chat(name, targets).system([instruction]).user(text);
    task.option("temperature", 0).at_most(REPLY_TOKENS).optional()
}

/// Returns the time for a question in milliseconds: `most_ms`, but no more than a quarter of what is left to
/// the request.
pub fn time(request: &Request, most_ms: u32) -> u32 {
    request.deadline_ms.map_or(most_ms, |left| most_ms.min(left / SHARE_OF_TIME)).max(1)
}

/// Returns the newest result of the task with a name, if it has an output.
pub fn result<'a>(results: &'a [TaskResult], name: &str) -> Option<&'a TaskResult> {
    let newest = results.iter().rev().find(|result| result.name == name)?;
    (newest.status == TaskStatus::Done && newest.output_bytes > 0).then_some(newest)
}

/// Reads the output of the newest task with a name, cut to `max_bytes`. `None` if it failed or is empty.
pub fn reply(results: &[TaskResult], name: &str, max_bytes: usize) -> Option<String> {
    outputs::text(result(results, name)?.task, max_bytes)
}

/// Returns the name in a reply, if it contains exactly one of them as a word, in any case.
pub fn choice<'n>(reply: &str, names: impl IntoIterator<Item = &'n str>) -> Option<&'n str> {
    let words: Vec<&str> = reply
        .split(|c: char| !c.is_alphanumeric() && c != '-' && c != '_')
        .filter(|it| !it.is_empty())
        .collect();
    let is_said = |name: &&str| words.iter().any(|word| word.eq_ignore_ascii_case(name));
    let mut said = names.into_iter().filter(is_said);
    let first = said.next()?;
    said.next().is_none().then_some(first)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testkit::{Gateway, request};

    #[test]
    fn a_choice_is_one_name_and_no_other() {
        let choice = |reply: &str| choice(reply, ["easy", "hard", "very-hard"]);
        for reply in ["easy", " Easy.\n", "**EASY**", "`easy`", "It is easy", "{\"kind\": \"easy\"}"] {
            assert_eq!(choice(reply), Some("easy"), "{reply}");
        }
        assert_eq!(choice("very-hard"), Some("very-hard"));
        for reply in ["", "uneasy", "easy or hard", "difficult", "very hard easy"] {
            assert_eq!(choice(reply), None, "{reply}");
        }
    }

    #[test]
    fn the_newest_user_message_is_referred_to() {
        let gateway = Gateway::new().user("older").message("assistant", "yes").user("newest").picture();
        let message = |bytes| gateway.run(|| newest_user_message(bytes));
        assert_eq!(message(6), Some(vec![Part::original(2, 0)]));
        assert_eq!(message(5), None, "it is longer");
        assert!(!gateway.prompt_was_read());
        let picture_only = Gateway::new().picture();
        assert_eq!(picture_only.run(|| newest_user_message(100)), None);
        let of_the_system = Gateway::new().message("system", "Be brief.");
        assert_eq!(of_the_system.run(|| newest_user_message(100)), None);
    }

    #[test]
    fn a_question_takes_a_quarter_of_the_time_at_most() {
        let time = |deadline_ms| time(&Request { deadline_ms, ..request() }, 500);
        assert_eq!((time(None), time(Some(10_000)), time(Some(400)), time(Some(0))), (500, 500, 100, 1));
    }
}
