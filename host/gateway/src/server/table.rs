//! The connections of one listener: how many there may be, how many of one peer, and which
//! are closed to make room.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::{Notify, OwnedSemaphorePermit, Semaphore};
use tokio::time::Instant;

use super::activity::Activity;
use super::peer::Peer;

/// Connections that have been idle for less than this are not evicted: their request may be
/// under way.
const MIN_IDLE: Duration = Duration::from_secs(1);
/// Pause between two looks for connections to evict while all slots are taken.
const EVICTION_INTERVAL: Duration = Duration::from_millis(100);
/// Connections evicted at a time, as a divisor of all slots.
const EVICTION_SHARE: usize = 64;

/// Pause between two warnings of refused connections.
const WARNING_INTERVAL: Duration = Duration::from_secs(60);

/// Limits on the number of connections.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ConnectionLimits {
    /// Most connections at a time; more wait to be accepted.
    pub(crate) total: usize,
    /// Most connections of one peer.
    pub(crate) per_peer: usize,
    /// True if the limit for one peer holds for this machine, too.
    pub(crate) counts_loopback: bool,
}

#[derive(Debug)]
pub(super) struct ConnectionTable {
    limits: ConnectionLimits,
    slots: Arc<Semaphore>,
    entries: Mutex<Entries>,
    shares: Arc<PeerShares>,
    warned_at: Mutex<Option<Instant>>,
}

#[derive(Debug, Default)]
struct Entries {
    next_id: u64,
    by_id: HashMap<u64, Entry>,
}

#[derive(Debug)]
struct Entry {
    activity: Arc<Activity>,
    eviction: Arc<Notify>,
    peer: Option<Peer>,
    /// Given back at eviction, so that another connection of the peer can have it.
    share: Option<PeerShare>,
    is_evicted: bool,
}

/// Number of connections, or of requests from trusted proxies, by peer.
#[derive(Debug, Default)]
struct PeerShares(Mutex<HashMap<Peer, usize>>);

/// One place in the share of a peer, given back when dropped.
#[derive(Debug)]
pub(super) struct PeerShare {
    shares: Arc<PeerShares>,
    peer: Peer,
}

/// A connection in the table, removed when dropped.
#[derive(Debug)]
pub(super) struct Registration {
    table: Arc<ConnectionTable>,
    id: u64,
    eviction: Arc<Notify>,
}

/// A peer has all connections that it may have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct OverShare;

impl ConnectionTable {
    pub(super) fn new(limits: ConnectionLimits) -> Self {
        Self {
            limits,
            slots: Arc::new(Semaphore::new(limits.total)),
            entries: Mutex::default(),
            shares: Arc::default(),
            warned_at: Mutex::default(),
        }
    }

    /// Waits for a slot. While all are taken, the connections that have been idle longest
    /// are closed. `None` if there will never be one.
    pub(super) async fn slot(&self) -> Option<OwnedSemaphorePermit> {
        if let Ok(slot) = Arc::clone(&self.slots).try_acquire_owned() {
            return Some(slot);
        }
        loop {
            self.evict((self.limits.total / EVICTION_SHARE).max(1), Instant::now(), |_| true);
            let slot = Arc::clone(&self.slots).acquire_owned();
            if let Ok(slot) = tokio::time::timeout(EVICTION_INTERVAL, slot).await {
                return slot.ok();
            }
        }
    }

    /// Registers a connection. If its peer has all connections that it may have, the one
    /// that has been idle longest is closed for it.
    ///
    /// # Errors
    ///
    /// Fails if none of the peer's connections is idle.
    pub(super) fn register(
        self: &Arc<Self>,
        peer: Option<Peer>,
        activity: Arc<Activity>,
    ) -> Result<Registration, OverShare> {
        let share = match peer {
            Some(peer) => match self.share(peer) {
                Err(OverShare) if self.evict(1, Instant::now(), |entry| entry.peer == Some(peer)) > 0 => {
                    self.share(peer)?
                }
                share => share?,
            },
            None => None,
        };
        let eviction = Arc::new(Notify::new());
        let mut entries = self.entries();
        let id = entries.next_id;
        entries.next_id += 1;
        let entry = Entry { activity, eviction: Arc::clone(&eviction), peer, share, is_evicted: false };
        entries.by_id.insert(id, entry);
        Ok(Registration { table: Arc::clone(self), id, eviction })
    }

    /// Takes a place in the share of a peer; `None` if its connections are not limited.
    ///
    /// # Errors
    ///
    /// Fails if the peer has all that it may have.
    pub(super) fn share(&self, peer: Peer) -> Result<Option<PeerShare>, OverShare> {
        if peer.is_loopback() && !self.limits.counts_loopback {
            return Ok(None);
        }
        let mut counts = self.shares.counts();
        let count = counts.entry(peer).or_default();
        if *count >= self.limits.per_peer {
            return Err(OverShare);
        }
        *count += 1;
        Ok(Some(PeerShare { shares: Arc::clone(&self.shares), peer }))
    }

    /// Warns that a peer was over its share, once in a while.
    pub(super) fn warn_of_refusal(&self) {
        let (now, mut warned_at) =
            (Instant::now(), self.warned_at.lock().unwrap_or_else(PoisonError::into_inner));
        if warned_at.is_none_or(|at| now - at >= WARNING_INTERVAL) {
            *warned_at = Some(now);
            tracing::warn!(
                "refused a connection: its address has {} already; raise `server.max_connections_per_peer`, \
                 or name the proxy that many clients come through in `server.trusted_proxies`",
                self.limits.per_peer
            );
        }
    }

    /// Asks the connection that has been open longest without a request to close.
    pub(super) fn evict_unused(&self) {
        self.evict(1, Instant::now(), |entry| !entry.activity.was_used());
    }

    /// Asks the connections that have been idle longest to close; returns how many.
    fn evict(&self, most: usize, now: Instant, is_meant: impl Fn(&Entry) -> bool) -> usize {
        let mut entries = self.entries();
        let mut idle: Vec<(Instant, u64)> = entries
            .by_id
            .iter()
            .filter(|(_, entry)| !entry.is_evicted && is_meant(entry))
            .filter_map(|(&id, entry)| Some((entry.activity.idle_since()?, id)))
            .filter(|&(since, _)| now.saturating_duration_since(since) >= MIN_IDLE)
            .collect();
        idle.sort_unstable();
        idle.truncate(most);
        for (_, id) in &idle {
            if let Some(entry) = entries.by_id.get_mut(id) {
                entry.is_evicted = true;
                entry.share = None;
                entry.eviction.notify_one();
            }
        }
        idle.len()
    }

    fn entries(&self) -> MutexGuard<'_, Entries> {
        self.entries.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl PeerShares {
    fn counts(&self) -> MutexGuard<'_, HashMap<Peer, usize>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for PeerShare {
    fn drop(&mut self) {
        let mut counts = self.shares.counts();
        if let Some(count) = counts.get_mut(&self.peer) {
            *count -= 1;
            if *count == 0 {
                counts.remove(&self.peer);
            }
        }
    }
}

impl Registration {
    /// Waits until the connection is to close to make room.
    pub(super) async fn evicted(&self) {
        self.eviction.notified().await;
    }
}

impl Drop for Registration {
    fn drop(&mut self) {
        self.table.entries().by_id.remove(&self.id);
    }
}

#[cfg(test)]
mod tests;
