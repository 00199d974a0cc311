//! Pure rules and data of routing: models, candidates, decisions, plans, attempts, money, and the
//! history of a request.
//!
//! Nothing here opens a socket, reads a file, reads a clock, or knows WebAssembly or a provider's
//! JSON. Time and randomness are arguments, so every rule can be tested by calling it.

pub mod attempts;
pub mod candidate;
pub mod date;
pub mod decision;
pub mod failure;
pub mod history;
pub mod ids;
pub mod live;
pub mod model;
pub mod model_behaviour;
pub mod money;
pub mod names;
pub mod outcome;
pub mod plan;
pub mod prompt;
pub mod rating;
pub mod request;
pub mod rollout;
pub mod secret;
pub mod serving_error;
pub mod text;
pub mod trace;
pub mod usage;
pub mod usage_totals;
