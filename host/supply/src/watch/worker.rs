//! The thread that gathers events and tells when they have calmed down.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender};
use std::time::Instant;

use notify::event::{AccessKind, AccessMode, ModifyKind};
use notify::{Event, EventKind, RecommendedWatcher, RecursiveMode, Watcher as _};
use tokio::sync::{mpsc as signal, watch};

use super::WatchConfig;
use super::files::{FileStamps, directories};

/// True if the system reports that a file that was written is closed.
const REPORTS_CLOSE: bool = cfg!(any(target_os = "linux", target_os = "android"));

/// What the worker is told.
pub(super) enum Message {
    /// Something happened in a watched directory.
    Event(Event),
    /// Events may have been lost.
    Lost,
    /// Watch these files instead.
    Paths(Vec<PathBuf>),
    /// The watcher is gone.
    Stop,
}

pub(super) struct Worker {
    config: WatchConfig,
    paths: Vec<PathBuf>,
    /// How the files were when they were last told of.
    told: FileStamps,
    /// How they were when they were last looked at.
    seen: FileStamps,
    /// Names and targets of the files, absolute.
    names: BTreeSet<PathBuf>,
    /// Watched files that were changed and are not closed yet, with the first change.
    open: BTreeMap<PathBuf, Instant>,
    /// One of these.
    writing: watch::Sender<Option<PathBuf>>,
    /// `None` where the operating system offers no events.
    events: Option<RecommendedWatcher>,
    watched: BTreeSet<PathBuf>,
    tell: signal::Sender<()>,
    next_poll: Instant,
    unrest: Option<Unrest>,
    has_run: bool,
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
        writing: watch::Sender<Option<PathBuf>>,
    ) -> Self {
        let events = if config.events { subscribe(events_to) } else { None };
        let mut worker = Self {
            config,
            paths: Vec::new(),
            told: stamps(&[]),
            seen: stamps(&[]),
            names: BTreeSet::new(),
            open: BTreeMap::new(),
            writing,
            events,
            watched: BTreeSet::new(),
            tell,
            next_poll: Instant::now() + config.poll,
            unrest: None,
            has_run: false,
        };
        worker.set_paths(paths);
        worker
    }

    /// Works until the watcher is gone. May be called again after a panic.
    pub(super) fn run(&mut self, messages: &Receiver<Message>) {
        if std::mem::replace(&mut self.has_run, true) {
            // Whatever happened since may have been missed.
            self.open.clear();
            self.note_event(Instant::now()).surely = true;
        }
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
                Ok(Message::Event(event)) => self.note_change(&event, Instant::now()),
                Ok(Message::Lost) => {
                    // The end of a write may be among them.
                    self.open.clear();
                    self.note_event(Instant::now());
                }
                Err(RecvTimeoutError::Timeout) => {}
            }
            let now = Instant::now();
            if now >= self.next_poll {
                self.poll(now);
            }
            self.publish_writers(now);
            let is_open = !self.open.is_empty();
            let is_calm = |unrest: &mut Unrest| !is_open && now >= calm_at(&self.config, unrest);
            if let Some(unrest) = self.unrest.take_if(is_calm) {
                self.look(unrest.surely);
            }
        }
    }

    /// Notes a change in a watched directory, and whether it begins or ends the writing
    /// of a watched file.
    fn note_change(&mut self, event: &Event, now: Instant) {
        match event.kind {
            EventKind::Modify(ModifyKind::Data(_)) if REPORTS_CLOSE => {
                for path in event.paths.iter().filter(|path| is_named(path, &self.names)) {
                    self.open.entry(path.clone()).or_insert(now);
                }
            }
            EventKind::Access(AccessKind::Close(AccessMode::Write))
            | EventKind::Modify(ModifyKind::Name(_))
            | EventKind::Remove(_) => self.open.retain(|path, _| !event.paths.contains(path)),
            _ => {}
        }
        self.note_event(now);
    }

    fn publish_writers(&mut self, now: Instant) {
        self.open.retain(|_, changed| now < *changed + self.config.write_time);
        let file = self.open.keys().next();
        self.writing.send_if_modified(|writing| {
            let is_other = writing.as_ref() != file;
            if is_other {
                *writing = file.cloned();
            }
            is_other
        });
    }

    /// Tells if the files are not what they were. Most events are of other files
    /// in the same directories: a log beside the configuration, say.
    fn look(&mut self, surely: bool) {
        // Before the files are looked at, so that nothing is missed.
        self.watch_directories();
        self.see(stamps(&self.paths));
        if surely || self.seen != self.told {
            self.told.clone_from(&self.seen);
            // A signal that nobody has taken yet covers this one as well.
            let _ = self.tell.try_send(());
        }
    }

    fn wakes_at(&self) -> Instant {
        let given_up = self.open.values().map(|changed| *changed + self.config.write_time).min();
        let due = given_up.or_else(|| Some(calm_at(&self.config, self.unrest.as_ref()?)));
        due.map_or(self.next_poll, |due| due.min(self.next_poll))
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
            self.see(stamps);
            self.note_event(now);
        }
    }

    fn see(&mut self, stamps: FileStamps) {
        let paths = self.paths.iter().filter_map(|path| std::path::absolute(path).ok());
        self.names = paths.chain(stamps.targets().map(Path::to_owned)).collect();
        self.seen = stamps;
    }

    fn set_paths(&mut self, paths: Vec<PathBuf>) {
        self.paths = paths;
        self.see(stamps(&self.paths));
        self.told.clone_from(&self.seen);
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

/// Returns whether a path of an event is that of a watched file, or of one in a watched directory.
fn is_named(path: &Path, names: &BTreeSet<PathBuf>) -> bool {
    let is_in = |path: &Path| names.contains(path) || path.parent().is_some_and(|it| names.contains(it));
    is_in(path) || path.canonicalize().is_ok_and(|path| is_in(&path))
}

fn stamps(paths: &[PathBuf]) -> FileStamps {
    FileStamps::read(paths.iter().map(PathBuf::as_path))
}

fn subscribe(events_to: Sender<Message>) -> Option<RecommendedWatcher> {
    let watcher = notify::recommended_watcher(move |event: notify::Result<Event>| {
        let message = match event {
            Ok(event) if event.need_rescan() => Message::Lost,
            Ok(event) if !is_change(&event.kind) => return,
            Ok(event) => Message::Event(event),
            // It may stand for lost events.
            Err(_) => Message::Lost,
        };
        let _ = events_to.send(message);
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
