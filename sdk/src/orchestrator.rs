//! What the author of an orchestrating policy implements.

use serde::de::DeserializeOwned;

use crate::{Candidate, Refusal, Request, Step, TaskResult};

/// A policy that may cut a request into tasks. Make it the component's with
/// `export!(MyPolicy, orchestrator);`.
///
/// The candidates are all models of the route that can serve the request or a
/// part of it. The first [`outline::whole`](crate::outline::whole) of them can
/// serve it by themselves, and only these may be the targets of a
/// [`Step::Route`].
pub trait Orchestrator: Sized {
    /// As [`Policy::Settings`](crate::Policy::Settings).
    type Settings: DeserializeOwned + Default;

    /// As [`Policy::new`](crate::Policy::new).
    fn new(settings: Self::Settings) -> Result<Self, String>;

    /// Says what to do with one request. There is at least one candidate.
    fn plan(&mut self, request: &Request, candidates: &[Candidate]) -> Result<Step, Refusal>;

    /// Goes on when the tasks of a plan have ended that said so. `state` is what
    /// the plan gave along ([`plan::state`](crate::plan::state) reads it), and
    /// `results` are those of all tasks so far, by number. What else the policy
    /// remembers is gone, unless its instances are kept.
    fn resume(
        &mut self,
        request: &Request,
        candidates: &[Candidate],
        state: &[u8],
        results: &[TaskResult],
    ) -> Result<Step, Refusal> {
        let _ = (request, candidates, state, results);
        Err(Refusal::Internal("the policy made no plan that is to be resumed".to_owned()))
    }
}
