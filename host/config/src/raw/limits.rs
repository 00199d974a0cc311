//! `[memory]` and `[retry_budget]`: limits over all requests.

use pointsman_domain::live::RetryBudget as Budget;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Size;

/// Limits on the memory that requests and answers hold, over all requests. A request that would
/// exceed one of them gets status 503, `overloaded`, with `retry-after`.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Memory {
    /// Most memory for request bodies and answers together.
    pub limit: Size,
    /// Most memory for request bodies. The first 64 KiB of each body count towards
    /// `limit` alone, so that large uploads cannot keep small requests out.
    pub max_request_bodies: Size,
    /// Most memory for answers that are buffered whole or not sent yet. The first 64 KiB of
    /// each count towards `limit` alone.
    pub max_answers: Size,
    /// Longest answer that is buffered whole. A longer one counts as a failure of the model.
    pub max_answer_bytes: Size,
    /// Most bytes of a stream that are buffered until its first content. Beyond that, the
    /// buffered bytes are forwarded, and no other model can take over. Comments are not
    /// buffered.
    pub max_before_content: Size,
}

/// Files that clients upload in forms: recordings to transcribe, images to edit. Up to 1 MiB of each
/// file is held in memory, the rest in a file without a name, which the system removes when the
/// request ends, or the process does.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Uploads {
    /// Directory of the files. Default: the system's for temporary files. A relative path starts at
    /// the configuration file.
    pub dir: Option<String>,
    /// Longest form of one request. `server.max_body_bytes` limits all other bodies.
    pub max_bytes: Size,
    /// Most bytes in files, over all requests. A request that would exceed it gets status 503,
    /// `overloaded`, with `retry-after`.
    pub limit: Size,
}

/// Limit on the retries of one model in flight, over all requests, so that retries do not
/// multiply the load on a backend that fails under load. A fallback to another model does not
/// count as a retry.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct RetryBudget {
    /// Most retries in flight, in percent of the model's calls in flight.
    pub percent: f64,
    /// Retries in flight that are always allowed, regardless of the number of calls in flight.
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

impl Default for Uploads {
    fn default() -> Self {
        Self { dir: None, max_bytes: Size::mebibytes(256), limit: Size::mebibytes(4 << 10) }
    }
}

impl Default for RetryBudget {
    fn default() -> Self {
        let Budget { share, minimum } = Budget::default();
        Self { percent: share * 100.0, min_concurrency: minimum }
    }
}
