//! State shared by the request handlers.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::SystemTime;

use arc_swap::ArcSwap;
use http::HeaderMap;
use pointsman_config::Key;
use pointsman_domain::ids::KeyName;
use pointsman_domain::rating::Rating;
use tokio::sync::Notify;

use crate::auth::{AuthError, StoredKeys};
use crate::clock::unix_seconds;
use crate::memory::HeldMemory;
use crate::policy_events::{PolicyEvent, PolicyEventQueue};
use crate::proxy::plan::assembly::Assembler;
use crate::ratings::{NewRating, UnratableDecision};
use crate::recorder::Recorder;
use crate::response_owners::ResponseOwners;
use crate::rollout::shadow::ShadowQueue;
use crate::snapshot::Snapshot;
use crate::traces::model_servers;
use crate::uploads::StoredUploads;

/// The running gateway. A request loads the snapshot once and uses it to its end, so a reload does not
/// affect requests in progress.
pub struct App {
    snapshot: ArcSwap<Snapshot>,
    /// Notification of the one task that waits for new snapshots.
    swapped: Notify,
    /// Recorder of requests that have ended.
    pub recorder: Arc<Recorder>,
    /// Time of the start.
    pub started: SystemTime,
    /// Queue of events for policies that learn.
    pub policy_events: PolicyEventQueue,
    /// Memory that requests and answers hold.
    pub memory: Arc<HeldMemory>,
    /// Files of uploads.
    pub uploads: Arc<StoredUploads>,
    /// Models that made the responses which their providers keep.
    pub responses: Arc<ResponseOwners>,
    /// Keys of clients that operators created.
    pub stored_keys: Arc<StoredKeys>,
    /// Queue of requests for policies in shadow.
    pub shadows: ShadowQueue,
    /// True once the process begins to stop.
    stopping: AtomicBool,
    /// Assembler of large inputs and answers of plans.
    pub assembler: Assembler,
}

impl App {
    /// The state of a gateway that starts with a snapshot.
    pub fn new(
        snapshot: Snapshot,
        recorder: Arc<Recorder>,
        policy_events: PolicyEventQueue,
        shadows: ShadowQueue,
        stored_keys: Arc<StoredKeys>,
    ) -> Self {
        configure(&recorder, &snapshot);
        let (snapshot, started) = (ArcSwap::from_pointee(snapshot), SystemTime::now());
        Self {
            snapshot,
            swapped: Notify::new(),
            recorder,
            started,
            policy_events,
            memory: Arc::default(),
            uploads: Arc::default(),
            responses: Arc::default(),
            stored_keys,
            shadows,
            stopping: AtomicBool::new(false),
            assembler: Assembler::default(),
        }
    }

    /// Returns the snapshot in force.
    pub fn snapshot(&self) -> Arc<Snapshot> {
        self.snapshot.load_full()
    }

    /// Returns the key of a request; `None` where none is required.
    ///
    /// # Errors
    /// Fails if a key is required, and the request has none that is accepted.
    pub fn authenticate(
        &self,
        snapshot: &Snapshot,
        headers: &HeaderMap,
    ) -> Result<Option<Arc<Key>>, AuthError> {
        snapshot.keys.authenticate(&self.stored_keys, headers, unix_seconds)
    }

    /// Returns whether requests need a key.
    pub fn requires_key(&self) -> bool {
        self.snapshot.load().keys.is_required(&self.stored_keys)
    }

    /// Makes the readiness check fail, so that balancers send no more requests.
    pub fn begin_stop(&self) {
        self.stopping.store(true, Ordering::Relaxed);
    }

    /// Returns whether the gateway is about to stop.
    pub fn is_stopping(&self) -> bool {
        self.stopping.load(Ordering::Relaxed)
    }

    /// Records a rating by the client with a key, and passes it to the policy that decided, in whichever
    /// version it is loaded.
    ///
    /// # Errors
    /// Fails if the decision is not known to the key, or is rated already.
    pub fn rate(
        &self,
        snapshot: &Snapshot,
        key: Option<&KeyName>,
        rating: NewRating,
    ) -> Result<(), UnratableDecision> {
        let NewRating { decision: id, score, name } = rating;
        let decision = self.recorder.ratable.rate(&id, key, name.as_deref(), unix_seconds())?;
        let access = decision.access();
        let slot = decision.policy.as_ref().and_then(|policy| snapshot.slots.get(policy));
        let rating =
            Rating { decision: id, label: (*decision.label).to_owned(), model: decision.model, score, name };
        let telemetry = &self.recorder.telemetry;
        telemetry.record_feedback(&rating, key, SystemTime::now());
        if let Some(policy) = slot.map(|slot| slot.active()).filter(|policy| policy.wants_ratings()) {
            self.policy_events.send(policy, access, PolicyEvent::Rating(rating), telemetry);
        }
        Ok(())
    }

    /// Puts another snapshot in force for new requests.
    pub fn swap(&self, snapshot: Snapshot) {
        configure(&self.recorder, &snapshot);
        self.snapshot.store(Arc::new(snapshot));
        self.swapped.notify_one();
    }

    /// Waits for a snapshot that was put in force since the last call. For one task only.
    pub(crate) async fn swapped(&self) {
        self.swapped.notified().await;
    }
}

/// Prepares the recorder for requests to what a snapshot serves.
fn configure(recorder: &Recorder, snapshot: &Snapshot) {
    let served = || snapshot.served.values().map(|route| (&route.name, route.models.as_slice()));
    recorder.configure(served, || model_servers(&snapshot.config));
}
