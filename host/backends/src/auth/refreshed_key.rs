//! Keys that change while the gateway runs.

use std::sync::Arc;
use std::thread;
use std::time::Duration;

use pointsman_domain::failure::{CallFailure, FailureKind};
use pointsman_domain::secret::Secret;
use tokio::sync::{Notify, oneshot, watch};
use tokio::task::JoinHandle;

use super::ChangingSource;

/// Wait after the first failure; it doubles with each further one.
const FIRST_RETRY: Duration = Duration::from_secs(1);
/// Longest wait after a failure.
const LAST_RETRY: Duration = Duration::from_secs(60);
/// Least age of a key that is fetched again because the server rejected it.
const LEAST_AGE: Duration = Duration::from_secs(10);

/// Value that is made from a key, and made again when the key changes. A background task fetches the
/// key, so no request waits for it but those that arrive before the first attempt has ended.
pub(crate) struct RefreshedKey<T> {
    shared: Arc<Shared<T>>,
    task: JoinHandle<()>,
}

/// Makes a value from a key, or returns the reason why the key cannot be used.
type BuildValue<T> = dyn Fn(&Secret) -> Result<T, String> + Send + Sync;

struct Shared<T> {
    state: watch::Sender<KeyState<T>>,
    /// Builds the value.
    build: Box<BuildValue<T>>,
    /// Wakes the task because a server rejected the key.
    rejected: Notify,
}

enum KeyState<T> {
    /// The first attempt has not ended.
    Pending,
    /// No attempt has succeeded; the reason of the last one.
    Missing(Arc<str>),
    /// The last key, and its value.
    Ready { key: Secret, value: Arc<T> },
}

/// Background task that fetches the key until the value is dropped.
struct RefreshTask<T> {
    source: ChangingSource,
    /// Server that the key is for, in log lines.
    server: String,
    shared: Arc<Shared<T>>,
    /// Failures since the last success.
    failures: u32,
    /// Last failure that was logged.
    reported: Option<String>,
}

impl<T: Send + Sync + 'static> RefreshedKey<T> {
    /// Starts to fetch the key. Has to be called inside a Tokio runtime.
    pub(crate) fn start(
        source: ChangingSource,
        first: Option<(Secret, T)>,
        server: String,
        build: impl Fn(&Secret) -> Result<T, String> + Send + Sync + 'static,
    ) -> Self {
        let state = match first {
            Some((key, value)) => KeyState::Ready { key, value: Arc::new(value) },
            None => KeyState::Pending,
        };
        let state = watch::Sender::new(state);
        let shared = Arc::new(Shared { state, build: Box::new(build), rejected: Notify::new() });
        let task = RefreshTask { source, server, shared: Arc::clone(&shared), failures: 0, reported: None };
        #[expect(clippy::disallowed_methods, reason = "the value owns the task and ends it when dropped")]
        let task = tokio::spawn(task.run());
        Self { shared, task }
    }

    /// Returns the value. Waits only for the end of the first attempt to fetch the key.
    ///
    /// # Errors
    /// Fails if no attempt has succeeded yet.
    pub(crate) async fn current(&self) -> Result<Arc<T>, CallFailure> {
        let now = self.shared.state.borrow().result();
        match now {
            Some(result) => result,
            None => {
                let mut changes = self.shared.state.subscribe();
                let ended = changes.wait_for(|state| !matches!(state, KeyState::Pending)).await;
                let result = ended.ok().and_then(|state| state.result());
                result.unwrap_or_else(|| Err(no_key("it is not fetched any more".into())))
            }
        }
    }

    /// Replaces the key by one that was read elsewhere.
    pub(crate) fn replace(&self, key: &Secret) {
        // A key that cannot be used is reported by the background task, which reads it too.
        let _ = self.shared.replace(key);
    }

    /// Fetches the key again because the server rejected it, unless it is new.
    pub(crate) fn reject(&self) {
        self.shared.rejected.notify_one();
    }
}

impl<T> Drop for RefreshedKey<T> {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl<T> KeyState<T> {
    fn result(&self) -> Option<Result<Arc<T>, CallFailure>> {
        match self {
            Self::Pending => None,
            Self::Missing(reason) => Some(Err(no_key(Arc::clone(reason)))),
            Self::Ready { value, .. } => Some(Ok(Arc::clone(value))),
        }
    }
}

impl<T> Shared<T> {
    /// Returns whether the key is another one than before.
    fn replace(&self, key: &Secret) -> Result<bool, String> {
        if matches!(&*self.state.borrow(), KeyState::Ready { key: old, .. } if old == key) {
            return Ok(false);
        }
        let value = Arc::new((self.build)(key)?);
        self.state.send_replace(KeyState::Ready { key: key.clone(), value });
        Ok(true)
    }

    /// Records a failure. Returns whether there is a key nonetheless.
    fn record_failure(&self, reason: &str) -> bool {
        self.state.send_if_modified(|state| {
            let is_missing = !matches!(state, KeyState::Ready { .. });
            if is_missing {
                *state = KeyState::Missing(reason.into());
            }
            is_missing
        });
        matches!(&*self.state.borrow(), KeyState::Ready { .. })
    }
}

impl<T: Send + Sync + 'static> RefreshTask<T> {
    async fn run(mut self) {
        loop {
            let fetched = fetch(self.source.clone()).await;
            let wait = self.record(fetched);
            let least = wait.min(LEAST_AGE);
            tokio::time::sleep(least).await;
            tokio::select! {
                () = tokio::time::sleep(wait - least) => {}
                () = self.shared.rejected.notified() => {}
            }
        }
    }

    /// Records the result of an attempt, and returns the time to the next one.
    fn record(&mut self, fetched: Result<Secret, String>) -> Duration {
        let replaced = fetched.and_then(|key| self.shared.replace(&key));
        let (server, refresh_after) = (&self.server, self.source.refresh_after());
        match replaced {
            Ok(is_new) => {
                if is_new || self.reported.is_some() {
                    tracing::info!(server, "got the API key for a backend from {}", self.source);
                }
                (self.failures, self.reported) = (0, None);
                refresh_after
            }
            Err(reason) => {
                let reason = format!("{}: {reason}", self.source);
                let has_key = self.shared.record_failure(&reason);
                if self.reported.as_ref() != Some(&reason) {
                    report(server, &reason, has_key);
                }
                self.reported = Some(reason);
                let wait = FIRST_RETRY.saturating_mul(1 << self.failures.min(6)).min(LAST_RETRY);
                self.failures = self.failures.saturating_add(1);
                wait.min(refresh_after)
            }
        }
    }
}

fn report(server: &str, reason: &str, has_key: bool) {
    match has_key {
        true => tracing::warn!(
            server,
            reason,
            "cannot refresh the API key of a backend; the last key stays in use until an attempt succeeds"
        ),
        false => tracing::error!(
            server,
            reason,
            "there is no API key for a backend, so its calls fail until an attempt succeeds; hint: run its \
             `api_key_command` as the gateway's user"
        ),
    }
}

/// Fetches a key on a thread of its own: a command may take long, and a pool of threads would have
/// to wait for it when the process ends.
async fn fetch(source: ChangingSource) -> Result<Secret, String> {
    let (send, fetched) = oneshot::channel();
    let work = move || _ = send.send(source.fetch());
    let thread = thread::Builder::new().name("api-key".to_owned()).spawn(work);
    thread.map_err(|error| format!("no thread can be started for it: {error}"))?;
    fetched.await.unwrap_or_else(|_| Err("the attempt broke off".to_owned()))
}

fn no_key(reason: Arc<str>) -> CallFailure {
    FailureKind::NoKey(reason.to_string()).into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::auth::KeyCommand;

    fn command(script: String) -> ChangingSource {
        ChangingSource::Command(KeyCommand {
            program: "/bin/sh".into(),
            arguments: vec!["-c".to_owned(), script],
            refresh_after: Duration::from_millis(1),
            timeout: Duration::from_secs(60),
        })
    }

    fn start(source: ChangingSource) -> RefreshedKey<String> {
        RefreshedKey::start(source, None, "http://server".to_owned(), |key| match key.expose() {
            "unusable" => Err("it is unusable".to_owned()),
            key => Ok(format!("Bearer {key}")),
        })
    }

    fn directory(name: &str) -> std::path::PathBuf {
        let directory = std::env::temp_dir().join(format!("pointsman-{name}-{}", std::process::id()));
        std::fs::create_dir_all(&directory).unwrap();
        directory
    }

    #[tokio::test]
    async fn the_first_call_waits_for_the_first_key_and_a_key_outlives_failures() {
        let directory = directory("kept-key");
        let key = directory.join("key");
        std::fs::write(&key, "one").unwrap();
        let refreshed = start(command(format!("cat {}", key.display())));
        assert_eq!(*refreshed.current().await.unwrap(), "Bearer one");

        std::fs::remove_file(&key).unwrap();
        assert_eq!(*refreshed.current().await.unwrap(), "Bearer one");
        std::fs::write(directory.join("new"), "two").unwrap();
        std::fs::rename(directory.join("new"), &key).unwrap();
        let mut changes = refreshed.shared.state.subscribe();
        let is_two = |state: &KeyState<String>| matches!(state, KeyState::Ready { value, .. } if **value == "Bearer two");
        changes.wait_for(is_two).await.unwrap();
        std::fs::remove_dir_all(&directory).unwrap();
    }

    #[tokio::test]
    async fn a_call_without_any_key_fails_with_the_reason() {
        let refreshed = start(command("echo not logged in >&2; exit 1".to_owned()));
        let failure = refreshed.current().await.unwrap_err();
        let expected = "no API key: the command `/bin/sh`: it ended with exit status: 1: not logged in";
        assert_eq!(failure.to_string(), expected);
        assert_eq!(failure.kind.client_message(), "no API key");

        let unusable = start(command("echo unusable".to_owned()));
        let failure = unusable.current().await.unwrap_err().to_string();
        assert!(failure.ends_with("it is unusable"), "{failure}");
    }

    #[tokio::test]
    async fn a_key_from_elsewhere_replaces_the_last_one() {
        let file = ChangingSource::File("/nowhere/key".into());
        let first = Some((Secret::new("one"), "Bearer one".to_owned()));
        let build = |key: &Secret| Ok(format!("Bearer {}", key.expose()));
        let refreshed = RefreshedKey::start(file, first, "http://server".to_owned(), build);
        assert_eq!(*refreshed.current().await.unwrap(), "Bearer one");
        refreshed.replace(&Secret::new("two"));
        assert_eq!(*refreshed.current().await.unwrap(), "Bearer two");
    }
}
