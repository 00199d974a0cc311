//! Capability: what the tasks of a plan gave. Calling this makes the component
//! import `outputs`, which the configuration then has to grant. What is read
//! counts to the same limit as the prompt.

#[cfg(target_family = "wasm")]
use crate::bindings::orchestrating::pointsman::policy::outputs as gateway;
#[cfg(not(target_family = "wasm"))]
use crate::testkit::outputs as gateway;

/// The output of a task by its number, cut to `max_bytes` at a character; `None`
/// when there is none.
pub fn text(task: u32, max_bytes: usize) -> Option<String> {
    gateway::text(task, u32::try_from(max_bytes).unwrap_or(u32::MAX))
}
