//! The thread that gathers events and tells when they have calmed down.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender};
use std::time::Instant;

use notify::event::{AccessKind, AccessMode};
use notify::{Event, EventKind, RecommendedWatcher, RecursiveMode, Watcher as _};
use tokio::sync::mpsc as signal;

use super::WatchConfig;
use super::files::{Stamp, directories, stamp};

/// What the worker is told.
pub(super) enum Message {
    /// Something happened in a watched directory.
    Event,
    /// Watch these files instead.
    Paths(Vec<PathBuf>),
    /// The watcher is gone.
    Stop,
}

pub(super) struct Worker {
    config: WatchConfig,
    paths: Vec<PathBuf>,
    /// How the files were when they were last told of.
    told: Vec<Option<Stamp>>,
    /// How they were when they were last looked at.
    seen: Vec<Option<Stamp>>,
    /// `None` where the operating system offers no events.
    events: Option<RecommendedWatcher>,
    watched: BTreeSet<PathBuf>,
    tell: signal::Sender<()>,
    next_poll: Instant,
    unrest: Option<Unrest>,
}

/// Events that were not told of yet.
struct Unrest {
    first: Instant,
    last: Instant,
    /// Whether to tell even of files that look as they did.
    surely: bool,
}

impl Worker {
    pub(super) fn new(
        paths: Vec<PathBuf>,
        config: WatchConfig,
        events_to: Sender<Message>,
        tell: signal::Sender<()>,
    ) -> Self {
        let events = if config.events { subscribe(events_to) } else { None };
        let mut worker = Self {
            config,
            paths: Vec::new(),
            told: Vec::new(),
            seen: Vec::new(),
            events,
            watched: BTreeSet::new(),
            tell,
            next_poll: Instant::now() + config.poll,
            unrest: None,
        };
        worker.set_paths(paths);
        worker
    }

    pub(super) fn run(&mut self, messages: &Receiver<Message>) {
        loop {
            let wait = self.wakes_at().saturating_duration_since(Instant::now());
            match messages.recv_timeout(wait) {
                Ok(Message::Stop) | Err(RecvTimeoutError::Disconnected) => return,
                // Whoever is told may always say what to watch from now on.
                Ok(Message::Paths(paths)) if paths == self.paths => {}
                Ok(Message::Paths(paths)) => {
                    self.set_paths(paths);
                    // They may have changed before they were watched.
                    self.note_event(Instant::now()).surely = true;
                }
                Ok(Message::Event) => {
                    self.note_event(Instant::now());
                }
                Err(RecvTimeoutError::Timeout) => {}
            }
            let now = Instant::now();
            if now >= self.next_poll {
                self.poll(now);
            }
            if let Some(unrest) = self.unrest.take_if(|unrest| now >= calm_at(&self.config, unrest)) {
                self.look(unrest.surely);
            }
        }
    }

    /// Tells if the files are not what they were. Most events are of other files
    /// in the same directories: a log beside the configuration, say.
    fn look(&mut self, surely: bool) {
        // Before the files are looked at, so that nothing is missed.
        self.watch_directories();
        self.seen = stamps(&self.paths);
        if surely || self.seen != self.told {
            self.told.clone_from(&self.seen);
            // A signal that nobody has taken yet covers this one as well.
            let _ = self.tell.try_send(());
        }
    }

    fn wakes_at(&self) -> Instant {
        match &self.unrest {
            Some(unrest) => calm_at(&self.config, unrest).min(self.next_poll),
            None => self.next_poll,
        }
    }

    fn note_event(&mut self, now: Instant) -> &mut Unrest {
        let unrest = self.unrest.get_or_insert(Unrest { first: now, last: now, surely: false });
        unrest.last = now;
        unrest
    }

    fn poll(&mut self, now: Instant) {
        self.next_poll = now + self.config.poll;
        let stamps = stamps(&self.paths);
        if stamps != self.seen {
            self.seen = stamps;
            self.note_event(now);
        }
    }

    fn set_paths(&mut self, paths: Vec<PathBuf>) {
        self.seen = stamps(&paths);
        self.told.clone_from(&self.seen);
        self.paths = paths;
        self.watch_directories();
    }

    /// Watches the directories that matter now. All of them are watched anew,
    /// because a directory may have been replaced by another of the same name.
    fn watch_directories(&mut self) {
        let Some(events) = &mut self.events else { return };
        for directory in std::mem::take(&mut self.watched) {
            let _ = events.unwatch(&directory);
        }
        for directory in self.paths.iter().flat_map(|path| directories(path)) {
            if self.watched.contains(&directory) {
                continue;
            }
            match events.watch(&directory, RecursiveMode::NonRecursive) {
                Ok(()) => drop(self.watched.insert(directory)),
                Err(error) => {
                    tracing::warn!(directory = %directory.display(), "no events, only polling: {error}");
                }
            }
        }
    }
}

fn calm_at(config: &WatchConfig, unrest: &Unrest) -> Instant {
    (unrest.last + config.quiet).min(unrest.first + config.patience)
}

fn stamps(paths: &[PathBuf]) -> Vec<Option<Stamp>> {
    paths.iter().map(|path| stamp(path)).collect()
}

fn subscribe(events_to: Sender<Message>) -> Option<RecommendedWatcher> {
    let watcher = notify::recommended_watcher(move |event: notify::Result<Event>| {
        // An error may stand for lost events.
        if event.is_ok_and(|event| !is_change(&event.kind)) {
            return;
        }
        let _ = events_to.send(Message::Event);
    });
    match watcher {
        Ok(watcher) => Some(watcher),
        Err(error) => {
            tracing::warn!("no file events on this system, only polling: {error}");
            None
        }
    }
}

/// Reading is no change, and whoever is told reads.
pub(super) fn is_change(kind: &EventKind) -> bool {
    match kind {
        EventKind::Access(access) => matches!(access, AccessKind::Close(AccessMode::Write)),
        _ => true,
    }
}
