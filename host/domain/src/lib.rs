//! Pure decisions and facts: what is routed, among what, and what came of it.
//!
//! Nothing here opens a socket, reads a file, looks at a clock or knows
//! WebAssembly or a provider's JSON. Time and randomness are arguments, so
//! every rule can be tested by calling it.

pub mod attempts;
pub mod candidate;
pub mod decision;
pub mod failure;
pub mod history;
pub mod ids;
pub mod live;
pub mod model;
pub mod money;
pub mod outcome;
pub mod plan;
pub mod prompt;
pub mod request;
pub mod rollout;
pub mod secret;
pub mod serving_error;
pub mod text;
pub mod trace;
pub mod usage;
