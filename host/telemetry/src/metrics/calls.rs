//! The calls of one model, whichever route made them.

use std::sync::atomic::{AtomicU64, Ordering};

use pointsman_domain::failure::FailureKind;
use pointsman_domain::history::CallEnd;
use pointsman_domain::ids::BackendName;
use pointsman_domain::model::Model;

/// How calls end, in the order in which they are counted.
const RESULTS: [&str; 11] = [
    "answered",
    "cancelled",
    "connect",
    "timeout",
    "status-429",
    "status-4xx",
    "status-5xx",
    "status-other",
    "unusable",
    "broke-off",
    "no-memory",
];

/// What became of the calls of a model.
#[derive(Debug)]
pub(super) struct Calls {
    pub(super) backend: BackendName,
    ended: [AtomicU64; RESULTS.len()],
    pub(super) retried: AtomicU64,
}

impl Calls {
    pub(super) fn new(model: &Model) -> Self {
        Self { backend: model.backend.clone(), ended: Default::default(), retried: AtomicU64::new(0) }
    }

    pub(super) fn ended(&self, end: &CallEnd) {
        self.ended[place(end)].fetch_add(1, Ordering::Relaxed);
    }

    /// How many ended in which way.
    pub(super) fn by_result(&self) -> impl Iterator<Item = (&'static str, u64)> {
        RESULTS.into_iter().zip(self.ended.iter().map(|count| count.load(Ordering::Relaxed)))
    }
}

/// The place in [`RESULTS`].
const fn place(end: &CallEnd) -> usize {
    match end {
        CallEnd::Answered => 0,
        CallEnd::Open | CallEnd::Cancelled => 1,
        CallEnd::Failed(FailureKind::Connect(_)) => 2,
        CallEnd::Failed(FailureKind::Timeout { .. }) => 3,
        CallEnd::Failed(FailureKind::Status { status: 429, .. }) => 4,
        CallEnd::Failed(FailureKind::Status { status: 400..=499, .. }) => 5,
        CallEnd::Failed(FailureKind::Status { status: 500..=599, .. }) => 6,
        CallEnd::Failed(FailureKind::Status { .. }) => 7,
        CallEnd::Failed(FailureKind::Broken(_)) => 8,
        CallEnd::BrokeOff => 9,
        CallEnd::Failed(FailureKind::NoMemory) => 10,
    }
}
