//! Supervision of background work.
//!
//! Work that panics or ends unexpectedly is restarted. Each restart is logged, counted for the metrics,
//! and delayed by an exponential back-off. The state that the work owns survives a panic.

use std::collections::BTreeMap;
use std::io;
use std::ops::ControlFlow;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::Poll;
use std::thread;
use std::time::{Duration, Instant};

/// Wait before the first restart. It doubles with each one.
const MIN_BACKOFF: Duration = Duration::from_millis(100);
/// Longest wait before a restart.
const MAX_BACKOFF: Duration = Duration::from_secs(10);
/// Run time after which the wait starts over.
const BACKOFF_RESET: Duration = Duration::from_secs(60);

/// Work that an asynchronous runtime runs in the background.
pub trait BackgroundTask: Send {
    /// Name in logs and metrics.
    const NAME: &'static str;

    /// Runs the task. `Break` ends the task for good; after `Continue` or a panic it is restarted.
    fn run(&mut self) -> impl Future<Output = ControlFlow<()>> + Send;
}

/// Supervisor of background work. Clones share the counts of restarts.
#[derive(Clone, Debug, Default)]
pub struct Supervisor(Arc<Mutex<BTreeMap<&'static str, u64>>>);

impl Supervisor {
    /// Runs a task until it ends for good. Its restarts are reported from this call on, even before the
    /// future is polled.
    pub fn run<T: BackgroundTask>(&self, task: T) -> impl Future<Output = ()> + Send + use<T> {
        self.counts().entry(T::NAME).or_default();
        self.clone().keep_running(task)
    }

    async fn keep_running<T: BackgroundTask>(self, mut task: T) {
        let mut backoff = RestartBackoff::default();
        loop {
            let started = Instant::now();
            let ended = {
                let mut running = pin!(task.run());
                let poll_once =
                    |context: &mut std::task::Context<'_>| match catch_unwind(AssertUnwindSafe(|| {
                        running.as_mut().poll(context)
                    })) {
                        Ok(poll) => poll,
                        Err(_) => Poll::Ready(ControlFlow::Continue(())),
                    };
                std::future::poll_fn(poll_once).await
            };
            if ended.is_break() {
                return;
            }
            tokio::time::sleep(self.restart(T::NAME, &mut backoff, started.elapsed())).await;
        }
    }

    /// Starts a thread that runs `work` until it breaks.
    ///
    /// # Errors
    /// Fails when the system cannot start a thread.
    pub fn spawn_thread(
        &self,
        name: &'static str,
        mut work: impl FnMut() -> ControlFlow<()> + Send + 'static,
    ) -> io::Result<()> {
        self.counts().entry(name).or_default();
        let supervisor = self.clone();
        let keep_running = move || {
            let mut backoff = RestartBackoff::default();
            loop {
                let started = Instant::now();
                if catch_unwind(AssertUnwindSafe(&mut work)).is_ok_and(|ended| ended.is_break()) {
                    return;
                }
                wait(supervisor.restart(name, &mut backoff, started.elapsed()));
            }
        };
        thread::Builder::new().name(name.to_owned()).spawn(keep_running).map(drop)
    }

    /// Returns the restarts of all work by name, including work that was never restarted.
    pub fn restarts(&self) -> Vec<(&'static str, u64)> {
        self.counts().iter().map(|(name, count)| (*name, *count)).collect()
    }

    /// Counts a restart and returns the wait before it.
    fn restart(&self, name: &'static str, backoff: &mut RestartBackoff, ran: Duration) -> Duration {
        *self.counts().entry(name).or_default() += 1;
        let wait = backoff.next(ran);
        tracing::error!(
            task = name,
            "background work panicked or ended unexpectedly; restarting it in {wait:?}"
        );
        wait
    }

    fn counts(&self) -> MutexGuard<'_, BTreeMap<&'static str, u64>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Exponential back-off between restarts.
#[derive(Debug)]
struct RestartBackoff(Duration);

impl Default for RestartBackoff {
    fn default() -> Self {
        Self(MIN_BACKOFF)
    }
}

impl RestartBackoff {
    /// Returns the wait after work that ran for `ran`.
    fn next(&mut self, ran: Duration) -> Duration {
        let wait = if ran >= BACKOFF_RESET { MIN_BACKOFF } else { self.0 };
        self.0 = (2 * wait).min(MAX_BACKOFF);
        wait
    }
}

/// Parks the thread for a time. Earlier wake-ups are ignored.
fn wait(time: Duration) {
    let end = Instant::now() + time;
    loop {
        let left = end.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return;
        }
        thread::park_timeout(left);
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;

    use super::*;

    /// Task that ends differently each time.
    struct Unreliable {
        runs: Vec<u32>,
        done: mpsc::Sender<Vec<u32>>,
    }

    impl BackgroundTask for Unreliable {
        const NAME: &'static str = "unreliable";

        async fn run(&mut self) -> ControlFlow<()> {
            self.runs.push(self.runs.len() as u32);
            tokio::task::yield_now().await;
            match self.runs.len() {
                1 => panic!("on purpose"),
                2 => ControlFlow::Continue(()),
                _ => {
                    let _ = self.done.send(self.runs.clone());
                    ControlFlow::Break(())
                }
            }
        }
    }

    #[tokio::test]
    async fn a_restarted_task_keeps_its_state() {
        let supervisor = Supervisor::default();
        let (done, runs) = mpsc::channel();
        supervisor.run(Unreliable { runs: Vec::new(), done }).await;
        assert_eq!(runs.recv(), Ok(vec![0, 1, 2]));
        assert_eq!(supervisor.restarts(), [("unreliable", 2)]);
    }

    #[test]
    fn a_thread_that_panics_is_restarted_and_ends_when_it_breaks() {
        let supervisor = Supervisor::default();
        let (done, ended) = mpsc::channel();
        let mut runs = 0;
        let work = move || {
            runs += 1;
            assert!(runs > 1, "on purpose");
            done.send(runs).unwrap();
            ControlFlow::Break(())
        };
        supervisor.spawn_thread("thread", work).unwrap();
        assert_eq!(ended.recv(), Ok(2));
        assert!(ended.recv().is_err(), "its state is dropped");
        assert_eq!(supervisor.restarts(), [("thread", 1)]);
    }

    #[test]
    fn waits_double_up_to_a_bound_and_start_over_after_a_long_run() {
        let mut backoff = RestartBackoff::default();
        let waits: Vec<u128> = (0..9).map(|_| backoff.next(Duration::ZERO).as_millis()).collect();
        assert_eq!(waits, [100, 200, 400, 800, 1_600, 3_200, 6_400, 10_000, 10_000]);
        assert_eq!(backoff.next(BACKOFF_RESET), MIN_BACKOFF);
        assert_eq!(backoff.next(Duration::ZERO), 2 * MIN_BACKOFF);
    }
}
