//! What the request handlers share.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use arc_swap::ArcSwap;

use crate::feedback::FeedbackQueue;
use crate::ledger::Ledger;
use crate::snapshot::Snapshot;

/// The running gateway. A request takes the snapshot once and keeps it to its
/// end, so a reload never changes the rules under it.
pub(crate) struct App {
    snapshot: ArcSwap<Snapshot>,
    /// What was used.
    pub(crate) ledger: Arc<Ledger>,
    /// Where outcomes go.
    pub(crate) feedback: FeedbackQueue,
    draining: AtomicBool,
}

impl App {
    pub(crate) fn new(snapshot: Snapshot, feedback: FeedbackQueue) -> Self {
        Self {
            snapshot: ArcSwap::from_pointee(snapshot),
            ledger: Arc::default(),
            feedback,
            draining: AtomicBool::new(false),
        }
    }

    /// Everything that the configuration says, as of now.
    pub(crate) fn snapshot(&self) -> Arc<Snapshot> {
        self.snapshot.load_full()
    }

    /// Lets new requests see another snapshot.
    pub(crate) fn swap(&self, snapshot: Snapshot) {
        self.snapshot.store(Arc::new(snapshot));
    }

    /// Tells load balancers to send requests elsewhere.
    pub(crate) fn drain(&self) {
        self.draining.store(true, Ordering::Relaxed);
    }

    /// Whether the gateway is about to stop.
    pub(crate) fn is_draining(&self) -> bool {
        self.draining.load(Ordering::Relaxed)
    }
}
