//! Point at which something under test waits until the test lets it continue.

use std::sync::Arc;

use tokio::sync::watch;

/// Gate, which is closed at first. Clones are the same gate.
#[derive(Clone, Debug)]
pub struct Gate(Arc<State>);

#[derive(Debug)]
struct State {
    open: watch::Sender<bool>,
    arrivals: watch::Sender<usize>,
}

impl Gate {
    /// Returns a closed gate.
    pub fn new() -> Self {
        Self(Arc::new(State { open: watch::Sender::new(false), arrivals: watch::Sender::new(0) }))
    }

    /// Opens the gate for good.
    pub fn open(&self) {
        self.0.open.send_replace(true);
    }

    /// Waits until something has reached the gate.
    pub async fn reached(&self) {
        self.reached_by(1).await;
    }

    /// Waits until `count` have reached the gate in total.
    pub async fn reached_by(&self, count: usize) {
        let mut arrivals = self.0.arrivals.subscribe();
        arrivals.wait_for(|arrived| *arrived >= count).await.expect("the gate outlives its watchers");
    }

    pub(crate) async fn pass(&self) {
        self.0.arrivals.send_modify(|arrived| *arrived += 1);
        self.0.open.subscribe().wait_for(|open| *open).await.expect("the gate outlives its watchers");
    }
}

impl Default for Gate {
    fn default() -> Self {
        Self::new()
    }
}
