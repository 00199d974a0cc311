//! Reasoning before an answer.

use super::super::tokens::tokens;
use super::prose::subject;
use super::request::{ChatRequest, Effort};

const STEPS: [&str; 4] = [
    "First I look at what is given.",
    "Then I try the simplest way.",
    "I compare it with another one.",
    "Finally I check the result once more.",
];

/// Returns the tokens of the reasoning, which is longer the more effort is requested.
pub(super) fn thoughts(request: &ChatRequest) -> impl Iterator<Item = String> {
    let steps = match request.effort {
        Effort::None => 0,
        Effort::Low => 1,
        Effort::Medium => 2,
        Effort::High => STEPS.len(),
    };
    let mut text = String::new();
    if steps > 0 {
        text = format!("The question is about {}. ", subject(&request.text));
        text += &STEPS.get(..steps).unwrap_or(&STEPS).join(" ");
    }
    tokens(&text).map(str::to_owned).collect::<Vec<_>>().into_iter()
}
