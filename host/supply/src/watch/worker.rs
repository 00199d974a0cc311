//! The thread that collects events, and signals a change when they have settled.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender};
use std::time::Instant;

use notify::event::{AccessKind, AccessMode, ModifyKind};
use notify::{Event, EventKind, RecommendedWatcher, RecursiveMode, Watcher as _};
use tokio::sync::{mpsc as signal, watch};

use super::WatchConfig;
use super::files::{FileStamps, directories};

/// True if the system reports the closing of written files.
const REPORTS_CLOSE: bool = cfg!(any(target_os = "linux", target_os = "android"));

/// Input of the worker.
pub(super) enum WatchCommand {
    /// An event in a watched directory.
    Event(Event),
    /// Events may have been lost.
    EventsLost,
    /// Watch these files from now on.
    SetPaths(Vec<PathBuf>),
    /// The watcher was dropped.
    Stop,
}

pub(super) struct WatchWorker {
    config: WatchConfig,
    paths: Vec<PathBuf>,
    /// State of the files at the last signal.
    signalled: FileStamps,
    /// State of the files at the last comparison.
    seen: FileStamps,
    /// Absolute paths of the files and of their targets.
    names: BTreeSet<PathBuf>,
    /// Watched files that were changed in place and are still open, with the time of the first change.
    open: BTreeMap<PathBuf, Instant>,
    /// Publishes one of the open files.
    writing: watch::Sender<Option<PathBuf>>,
    /// `None` if the operating system provides no events.
    events: Option<RecommendedWatcher>,
    watched: BTreeSet<PathBuf>,
    changed: signal::Sender<()>,
    next_poll: Instant,
    pending: Option<PendingEvents>,
    has_run: bool,
}

/// Events that have not been signalled.
struct PendingEvents {
    first: Instant,
    last: Instant,
    /// True to signal a change even if no file looks different.
    unconditional: bool,
}

impl WatchWorker {
    pub(super) fn new(
        paths: Vec<PathBuf>,
        config: WatchConfig,
        commands: Sender<WatchCommand>,
        changed: signal::Sender<()>,
        writing: watch::Sender<Option<PathBuf>>,
    ) -> Self {
        let events = if config.events { subscribe(commands) } else { None };
        let mut worker = Self {
            config,
            paths: Vec::new(),
            signalled: stamps(&[]),
            seen: stamps(&[]),
            names: BTreeSet::new(),
            open: BTreeMap::new(),
            writing,
            events,
            watched: BTreeSet::new(),
            changed,
            next_poll: Instant::now() + config.poll,
            pending: None,
            has_run: false,
        };
        worker.set_paths(paths);
        worker
    }

    /// Runs until the watcher is dropped. May be called again after a panic.
    pub(super) fn run(&mut self, commands: &Receiver<WatchCommand>) {
        if std::mem::replace(&mut self.has_run, true) {
            // Events may have been missed since the panic.
            self.open.clear();
            self.note_event(Instant::now()).unconditional = true;
        }
        loop {
            let wait = self.wakes_at().saturating_duration_since(Instant::now());
            match commands.recv_timeout(wait) {
                Ok(WatchCommand::Stop) | Err(RecvTimeoutError::Disconnected) => return,
                // The receiver of a signal sets the paths again, usually to the same ones.
                Ok(WatchCommand::SetPaths(paths)) if paths == self.paths => {}
                Ok(WatchCommand::SetPaths(paths)) => {
                    self.set_paths(paths);
                    // The files may have changed before they were watched.
                    self.note_event(Instant::now()).unconditional = true;
                }
                Ok(WatchCommand::Event(event)) => self.note_change(&event, Instant::now()),
                Ok(WatchCommand::EventsLost) => {
                    // The closing of a file may be among them.
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
            let is_settled =
                |pending: &mut PendingEvents| !is_open && now >= settled_at(&self.config, pending);
            if let Some(pending) = self.pending.take_if(is_settled) {
                self.signal_changes(pending.unconditional);
            }
        }
    }

    /// Notes an event in a watched directory, and keeps track of the watched files that are open.
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

    /// Signals a change if the files look different. Most events are about other files in the same
    /// directories, such as a log beside the configuration.
    fn signal_changes(&mut self, unconditional: bool) {
        // Before the files are read, so that no change is missed in between.
        self.watch_directories();
        self.see(stamps(&self.paths));
        if unconditional || self.seen != self.signalled {
            self.signalled.clone_from(&self.seen);
            // If the channel is full, the signal in it covers this change as well.
            let _ = self.changed.try_send(());
        }
    }

    fn wakes_at(&self) -> Instant {
        let write_timeout = self.open.values().map(|changed| *changed + self.config.write_time).min();
        let due = write_timeout.or_else(|| Some(settled_at(&self.config, self.pending.as_ref()?)));
        due.map_or(self.next_poll, |due| due.min(self.next_poll))
    }

    fn note_event(&mut self, now: Instant) -> &mut PendingEvents {
        let events = PendingEvents { first: now, last: now, unconditional: false };
        let pending = self.pending.get_or_insert(events);
        pending.last = now;
        pending
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
        self.signalled.clone_from(&self.seen);
        self.watch_directories();
    }

    /// Watches the directories on the way to the files. Sets up every watch again, because a directory
    /// may have been replaced by another of the same name.
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
                    tracing::warn!(directory = %directory.display(), "cannot watch this directory, polling only: {error}");
                }
            }
        }
    }
}

fn settled_at(config: &WatchConfig, pending: &PendingEvents) -> Instant {
    (pending.last + config.quiet).min(pending.first + config.patience)
}

/// Returns whether the path of an event is a watched file, or a file in a watched directory.
fn is_named(path: &Path, names: &BTreeSet<PathBuf>) -> bool {
    let is_in = |path: &Path| names.contains(path) || path.parent().is_some_and(|it| names.contains(it));
    is_in(path) || path.canonicalize().is_ok_and(|path| is_in(&path))
}

fn stamps(paths: &[PathBuf]) -> FileStamps {
    FileStamps::read(paths.iter().map(PathBuf::as_path))
}

fn subscribe(commands: Sender<WatchCommand>) -> Option<RecommendedWatcher> {
    let watcher = notify::recommended_watcher(move |event: notify::Result<Event>| {
        let command = match event {
            Ok(event) if event.need_rescan() => WatchCommand::EventsLost,
            Ok(event) if !is_change(&event.kind) => return,
            Ok(event) => WatchCommand::Event(event),
            // Events may have been lost with the error.
            Err(_) => WatchCommand::EventsLost,
        };
        let _ = commands.send(command);
    });
    match watcher {
        Ok(watcher) => Some(watcher),
        Err(error) => {
            tracing::warn!("this system provides no file events, polling only: {error}");
            None
        }
    }
}

/// Returns whether an event can mean a change. Reading is none: the receiver of a signal reads the
/// files.
pub(super) fn is_change(kind: &EventKind) -> bool {
    match kind {
        EventKind::Access(access) => matches!(access, AccessKind::Close(AccessMode::Write)),
        _ => true,
    }
}
