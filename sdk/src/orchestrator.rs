//! The trait of orchestrating policies.

use serde::de::DeserializeOwned;

use crate::{Candidate, Refusal, Request, Step, TaskResult};

/// A policy that can split a request into tasks. `export!(MyPolicy, orchestrator);` makes it
/// the component of its crate.
///
/// The candidates are all models of the route that can serve the request or a part of it. The
/// first [`outline::whole`](crate::outline::whole) of them can serve the whole request, and
/// only these may be targets of a [`Step::Route`].
pub trait Orchestrator: Sized {
    /// The settings, as [`Policy::Settings`](crate::Policy::Settings).
    type Settings: DeserializeOwned + Default;

    /// Creates the policy, as [`Policy::new`](crate::Policy::new).
    fn new(settings: Self::Settings) -> Result<Self, String>;

    /// Decides on the first step for a request. There is at least one candidate.
    fn plan(&mut self, request: &Request, candidates: &[Candidate]) -> Result<Step, Refusal>;

    /// Decides on the next step after the tasks of a plan that ends with
    /// [`Plan::resume`](crate::plan::Plan::resume). `state` is the state of that plan
    /// ([`plan::state`](crate::plan::state) reads it), and `results` has all tasks so far, by
    /// number. A fresh instance has no other memory of the request.
    fn resume(
        &mut self,
        request: &Request,
        candidates: &[Candidate],
        state: &[u8],
        results: &[TaskResult],
    ) -> Result<Step, Refusal> {
        let _ = (request, candidates, state, results);
        Err(Refusal::Internal("the policy resumes no plans".to_owned()))
    }
}
