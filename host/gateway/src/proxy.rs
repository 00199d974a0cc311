//! The path of a request: decide, call, relay, account.

pub(crate) mod answer;
mod asked;
mod attempt;
pub(crate) mod choose;
pub(crate) mod outgoing;
pub(crate) mod plan;
pub(crate) mod race;
