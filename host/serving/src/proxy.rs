//! The path of a request from its decision to its response.

pub mod answer;
mod attempt;
pub mod call;
mod decision_entry;
mod error_mapping;
pub mod facts;
pub mod forwarded_headers;
pub mod plan;
mod provider_state;
pub mod race;
pub mod request;
pub mod routing;
pub mod stored_response;

pub use attempt::{ErrorAnswer, FailedAttempt, count_tokens};
