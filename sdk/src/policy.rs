//! What a policy author implements.

use serde::Deserialize;
use serde::de::DeserializeOwned;

use crate::{Candidate, Decision, Outcome, Refusal, Request};

/// A routing policy. Make it the component's with [`export!`](crate::export!).
pub trait Policy: Sized {
    /// The policy's table in the configuration. Give it `#[serde(default,
    /// deny_unknown_fields)]`: then every setting is optional, and a misspelt
    /// one is told instead of ignored. [`NoSettings`] if there is nothing to set.
    type Settings: DeserializeOwned + Default;

    /// Checks settings and makes the policy. Runs when a policy is loaded, where
    /// an error keeps the old version serving, and before the first decision of
    /// each instance. The error names the setting and what would be right.
    fn new(settings: Self::Settings) -> Result<Self, String>;

    /// Decides one request. There is at least one candidate; all of them can
    /// serve the request.
    fn route(&mut self, request: &Request, candidates: &[Candidate]) -> Result<Decision, Refusal>;
}

/// A policy that is told what became of its decisions. Useful with `isolation =
/// "warm"` only: a fresh instance remembers nothing.
pub trait Observer: Policy {
    /// Called after a request ended, at most once per decision.
    fn observe(&mut self, outcome: &Outcome);
}

/// The settings of a policy that has none: any key is an error.
#[derive(Clone, Copy, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NoSettings {}
