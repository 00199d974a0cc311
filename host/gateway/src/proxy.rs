//! The path of a request from its decision to its response.

pub(crate) mod answer;
mod attempt;
pub(crate) mod call;
mod decision_entry;
mod error_mapping;
pub(crate) mod facts;
pub(crate) mod forwarded_headers;
pub(crate) mod plan;
pub(crate) mod race;
pub(crate) mod request;
pub(crate) mod routing;

pub(crate) use attempt::ErrorAnswer;
