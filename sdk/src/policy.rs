//! The traits of routing policies.

use serde::Deserialize;
use serde::de::DeserializeOwned;

use crate::{Candidate, Decision, Outcome, Rating, Refusal, Request};

/// A routing policy. [`export!`](crate::export!) makes it the component of its crate.
pub trait Policy: Sized {
    /// The policy's table in the configuration. With `#[serde(default, deny_unknown_fields)]`
    /// every setting is optional, and a misspelt one is an error. [`NoSettings`] for a policy
    /// without settings.
    type Settings: DeserializeOwned + Default;

    /// Checks the settings and creates the policy. Runs when the policy is loaded, where an
    /// error keeps the old version in service, and before the first decision of each instance.
    ///
    /// # Errors
    /// The message names the setting and its valid values.
    fn new(settings: Self::Settings) -> Result<Self, String>;

    /// Checks what [`new`](Self::new) leaves unchecked because it would make each fresh instance slow, such as
    /// large tables. Runs after it when the policy is loaded, and before no decision.
    ///
    /// # Errors
    /// The message names the setting and its valid values.
    fn validate(&self) -> Result<(), String> {
        Ok(())
    }

    /// Decides on a request. There is at least one candidate, and every candidate can serve the
    /// request.
    fn route(&mut self, request: &Request, candidates: &[Candidate]) -> Result<Decision, Refusal>;
}

/// A policy that receives the outcomes of its decisions. It remembers them in [`state`](crate::state),
/// or with `isolation = "warm"` in its own memory, which other instances do not see; a fresh instance
/// has none.
pub trait Observer: Policy {
    /// Receives the outcome of a request after its end, at most once per decision.
    fn observe(&mut self, outcome: &Outcome);
}

/// A policy that also receives ratings of its answers.
pub trait Learner: Observer {
    /// Receives a rating, at most once for each decision and name.
    fn rate(&mut self, rating: &Rating);
}

/// The settings of a policy without any: every key is an error.
#[derive(Clone, Copy, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NoSettings {}
