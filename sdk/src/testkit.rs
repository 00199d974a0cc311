//! A stand-in for the gateway, so that `cargo test` runs a policy natively.
//!
//! ```
//! use pointsman_sdk::testkit::{Gateway, candidate, request};
//! # use pointsman_sdk::prelude::*;
//! # struct MyPolicy;
//! # impl Policy for MyPolicy {
//! #     type Settings = NoSettings;
//! #     fn new(_: NoSettings) -> Result<Self, String> { Ok(Self) }
//! #     fn route(&mut self, _: &Request, _: &[Candidate]) -> Result<Decision, Refusal> {
//! #         Ok(Decision::of([0, 1], "x"))
//! #     }
//! # }
//! let candidates = [candidate("a/small", 0.1, 0.4), candidate("b/large", 2.0, 8.0)];
//! let gateway = Gateway::new().user("What is the capital of Peru?").prefer("cost");
//! let decision = gateway.route::<MyPolicy>(&request(), &candidates).unwrap();
//! assert_eq!(decision.targets[0].candidate, 0);
//! assert!(!gateway.prompt_was_read());
//! ```

use std::cell::RefCell;

mod content;
mod orchestration;
mod rules;

use crate::imports::stand_in::StandIn;
use crate::log::Level;
pub use orchestration::{Call, Ending, Orchestrated};
use rules::broken_rule;

use crate::{
    Abilities, Candidate, Decision, Learner, Modalities, Observer, Outcome, Policy, Rating, Refusal, Request,
    component,
};

/// Returns a short text request without special needs. Change members with
/// `Request { turns: 3, ..request() }`.
pub fn request() -> Request {
    Request {
        id: "test".to_owned(),
        operation: "chat".to_owned(),
        model: "auto".to_owned(),
        tenant: None,
        session: None,
        input_tokens: 100,
        max_output_tokens: None,
        inputs: Modalities::TEXT,
        needs: Abilities::empty(),
        turns: 1,
        streaming: false,
        deadline_ms: None,
        budget_left: None,
    }
}

/// Returns a healthy, idle model of unknown quality and speed, with prices in US dollars per
/// million tokens.
pub fn candidate(id: &str, input_price: f64, output_price: f64) -> Candidate {
    Candidate {
        id: id.to_owned(),
        context_window: None,
        max_output_tokens: None,
        inputs: Modalities::TEXT,
        abilities: Abilities::empty(),
        input_price,
        output_price,
        quality: None,
        healthy: true,
        in_flight: 0,
        first_token_ms: None,
        tokens_per_second: None,
        error_rate: 0.0,
    }
}

/// The gateway that a policy under test calls: the data that it returns, and a record of
/// the policy's calls.
#[derive(Clone, Debug, Default)]
pub struct Gateway {
    stand_in: StandIn,
}

impl Gateway {
    /// Creates a gateway without settings, content and details.
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets the policy's settings as JSON.
    pub fn settings(mut self, json: impl Into<String>) -> Self {
        self.stand_in.settings = Some(json.into());
        self
    }

    /// Adds a tool.
    pub fn tool(mut self, name: &str) -> Self {
        self.stand_in.tools.push(name.to_owned());
        self
    }

    /// Sets an attribute of the request.
    pub fn request_attribute(mut self, key: &str, value: &str) -> Self {
        self.stand_in.request_attributes.insert(key.to_owned(), value.to_owned());
        self
    }

    /// Sets the client's preference: `cost`, `speed` or `quality`.
    pub fn prefer(self, what: &str) -> Self {
        self.request_attribute("prefer", what)
    }

    /// Sets an attribute of a candidate.
    pub fn attribute(mut self, candidate: u32, key: &str, value: &str) -> Self {
        self.stand_in.candidate_attributes.insert((candidate, key.to_owned()), value.to_owned());
        self
    }

    /// Sets a candidate's quality at a kind of task.
    pub fn task_quality(mut self, candidate: u32, task: &str, quality: f64) -> Self {
        self.stand_in.task_qualities.insert((candidate, task.to_owned()), quality);
        self
    }

    /// Sets the operations that a candidate supports; `chat` alone if never set.
    pub fn operations(mut self, candidate: u32, operations: &[&str]) -> Self {
        self.stand_in.operations.insert(candidate, operations.iter().map(|&name| name.to_owned()).collect());
        self
    }

    /// Sets the number of candidates, counted from the first, that can serve the whole request.
    /// If never set, it is derived from their content kinds, abilities and operations.
    pub fn whole(mut self, candidates: usize) -> Self {
        self.stand_in.whole = Some(candidates);
        self
    }

    /// Sets a value that the policy has kept. A policy under test finds what it kept in earlier calls of
    /// the same gateway.
    ///
    /// # Panics
    /// If the gateway would reject it.
    pub fn kept(self, key: &str, value: impl AsRef<[u8]>) -> Self {
        let kept = self.stand_in.calls.keep(key, value.as_ref().to_vec(), None);
        assert_eq!(kept, Ok(()), "the gateway would not keep {key:?}");
        self
    }

    /// Returns a value that the policy keeps, as text.
    pub fn kept_text(&self, key: &str) -> Option<String> {
        self.stand_in.calls.kept(key).map(|value| String::from_utf8_lossy(&value).into_owned())
    }

    /// Lets time pass, after which values may have expired.
    pub fn advance(&self, time: std::time::Duration) {
        let now_ms = &self.stand_in.calls.now_ms;
        now_ms.set(now_ms.get().saturating_add(u64::try_from(time.as_millis()).unwrap_or(u64::MAX)));
    }

    /// Passes an outcome to a fresh instance of a policy.
    pub fn observe<P: Observer>(&self, outcome: &Outcome) {
        self.run(|| component::observe::<P>(&RefCell::new(None), outcome));
    }

    /// Passes a rating to a fresh instance of a policy.
    pub fn rate<P: Learner>(&self, rating: &Rating) {
        self.run(|| component::rate::<P>(&RefCell::new(None), rating));
    }

    /// Routes a request with a fresh instance of a policy, and validates the decision as the
    /// gateway does.
    ///
    /// # Panics
    /// If the decision breaks a rule of the contract.
    pub fn route<P: Policy>(&self, request: &Request, candidates: &[Candidate]) -> Result<Decision, Refusal> {
        let answer = self.run(|| component::route::<P>(&RefCell::new(None), request, candidates));
        if let Ok(decision) = &answer {
            assert_eq!(
                broken_rule(decision, candidates.len()),
                None,
                "the gateway would not accept {decision:?}"
            );
        }
        answer
    }

    /// Checks the settings, as when the policy is loaded.
    pub fn validate<P: Policy>(&self) -> Result<(), String> {
        self.run(component::validate::<P>)
    }

    /// Runs code whose calls of imports this gateway answers.
    pub fn run<T>(&self, code: impl FnOnce() -> T) -> T {
        self.stand_in.run(code)
    }

    /// Returns true if the policy read content of the request.
    pub fn prompt_was_read(&self) -> bool {
        self.stand_in.calls.prompt_read.get()
    }

    /// Returns true if the policy read the output of a task.
    pub fn outputs_were_read(&self) -> bool {
        self.stand_in.calls.outputs_read.get()
    }

    /// Returns the lines that the policy logged.
    pub fn log_lines(&self) -> Vec<(Level, String)> {
        self.stand_in.calls.log.borrow().clone()
    }
}

#[cfg(test)]
mod tests;
