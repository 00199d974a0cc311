//! Bounds on memory and on retries, over all requests.

use pointsman_domain::live::RetryBudget as Budget;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Size;

/// Bounds on the memory that requests and answers hold, over all requests. A request
/// that would exceed one of them gets status 503, `overloaded`, with `retry-after`.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Memory {
    /// Most memory for request bodies and answers together.
    pub limit: Size,
    /// Most memory for request bodies. The first 64 KiB of each body count towards
    /// `limit` alone, so that large uploads cannot keep small requests out.
    pub max_request_bodies: Size,
    /// Most memory for answers that are read whole or not sent yet. The first 64 KiB
    /// of each count towards `limit` alone.
    pub max_answers: Size,
    /// Longest answer that is read whole. A longer one is a failure of the model.
    pub max_answer_bytes: Size,
    /// Most of a stream that is held until its first content. A longer beginning is
    /// passed on, after which no other model can take over. Comments are not held.
    pub max_before_content: Size,
}

/// Limit on the retries of one model in flight, over all requests, so that retries
/// do not multiply the load on a backend that fails under load. A fallback to another
/// model is no retry.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct RetryBudget {
    /// Retries in flight, in percent of the model's calls in flight.
    pub percent: f64,
    /// Retries that are allowed however few calls are in flight.
    pub min_concurrency: u32,
}

impl Default for Memory {
    fn default() -> Self {
        Self {
            limit: Size::mebibytes(1 << 10),
            max_request_bodies: Size::mebibytes(384),
            max_answers: Size::mebibytes(384),
            max_answer_bytes: Size::mebibytes(64),
            max_before_content: Size::kibibytes(256),
        }
    }
}

impl Default for RetryBudget {
    fn default() -> Self {
        let Budget { share, minimum } = Budget::default();
        Self { percent: share * 100.0, min_concurrency: minimum }
    }
}
