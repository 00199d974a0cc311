//! What the request handlers share.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::SystemTime;

use arc_swap::ArcSwap;

use crate::feedback::FeedbackQueue;
use crate::memory::HeldMemory;
use crate::proxy::plan::assembly::Assembler;
use crate::recorder::Recorder;
use crate::rollout::shadow::ShadowQueue;
use crate::snapshot::Snapshot;

/// The running gateway. A request takes the snapshot once and keeps it to its
/// end, so a reload never changes the rules under it.
pub(crate) struct App {
    snapshot: ArcSwap<Snapshot>,
    /// Who is told of requests that have ended.
    pub(crate) recorder: Arc<Recorder>,
    /// When the gateway started.
    pub(crate) started: SystemTime,
    /// Where outcomes go.
    pub(crate) feedback: FeedbackQueue,
    /// Memory that requests and answers hold.
    pub(crate) memory: Arc<HeldMemory>,
    /// Where requests go that a policy in shadow is to be asked about.
    pub(crate) shadows: ShadowQueue,
    /// True once the process was asked to stop.
    stopping: AtomicBool,
    /// Assembler of large inputs and answers of plans.
    pub(crate) assembler: Assembler,
}

impl App {
    pub(crate) fn new(
        snapshot: Snapshot,
        recorder: Arc<Recorder>,
        feedback: FeedbackQueue,
        shadows: ShadowQueue,
    ) -> Self {
        recorder.serves(&snapshot);
        let (snapshot, started) = (ArcSwap::from_pointee(snapshot), SystemTime::now());
        Self {
            snapshot,
            recorder,
            started,
            feedback,
            memory: Arc::default(),
            shadows,
            stopping: AtomicBool::new(false),
            assembler: Assembler::default(),
        }
    }

    /// Everything that the configuration says, as of now.
    pub(crate) fn snapshot(&self) -> Arc<Snapshot> {
        self.snapshot.load_full()
    }

    /// Lets balancers know that the gateway is about to stop.
    pub(crate) fn begin_stop(&self) {
        self.stopping.store(true, Ordering::Relaxed);
    }

    /// Returns whether the gateway is about to stop.
    pub(crate) fn is_stopping(&self) -> bool {
        self.stopping.load(Ordering::Relaxed)
    }

    /// Lets new requests see another snapshot.
    pub(crate) fn swap(&self, snapshot: Snapshot) {
        self.recorder.serves(&snapshot);
        self.snapshot.store(Arc::new(snapshot));
    }
}
