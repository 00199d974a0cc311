//! Who changed what about policies, when and why.

use std::collections::VecDeque;
use std::fmt;
use std::fs::{File, OpenOptions};
use std::io::{self, BufRead, BufReader, Write};
use std::path::Path;
use std::sync::{Mutex, MutexGuard, PoisonError};

use pointsman_domain::ids::{Digest, PolicyName, RouteName};
use pointsman_telemetry::metrics::Undone;
use serde::{Deserialize, Serialize};

use super::kept::KeepError;
use crate::clock::unix_seconds;

mod undone;

use undone::UndoneCounts;

/// The file, with a JSON object a line.
const FILE: &str = "audit.jsonl";
/// Events that are kept in memory, and so can be asked for.
const NEWEST: usize = 1_000;

/// One change.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Event {
    /// When, in seconds since 1970.
    pub at: u64,
    /// Who.
    pub who: Actor,
    /// What was done, in one of the words that docs/rollouts.md lists.
    pub action: String,
    /// To which policy.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub policy: Option<PolicyName>,
    /// At which route.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub route: Option<RouteName>,
    /// To which version.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub digest: Option<Digest>,
    /// From which version.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<Digest>,
    /// Why.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub why: Option<String>,
}

/// Who changed something.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Actor {
    /// Whoever changed the configuration or a policy's source.
    Configuration,
    /// Whoever called the admin API, by the name that they gave.
    Admin(String),
    /// The gateway itself.
    Gateway,
}

impl fmt::Display for Actor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Configuration => f.write_str("configuration"),
            Self::Gateway => f.write_str("gateway"),
            Self::Admin(name) if name.is_empty() => f.write_str("admin"),
            Self::Admin(name) => write!(f, "{name} (admin)"),
        }
    }
}

impl Event {
    /// Something happens now.
    pub fn new(who: Actor, action: &str) -> Self {
        let action = action.to_owned();
        Self {
            at: unix_seconds(),
            who,
            action,
            policy: None,
            route: None,
            digest: None,
            from: None,
            why: None,
        }
    }

    /// Sets the policy.
    pub fn policy(self, policy: &PolicyName) -> Self {
        Self { policy: Some(policy.clone()), ..self }
    }

    /// Sets the route.
    pub fn route(self, route: &RouteName) -> Self {
        Self { route: Some(route.clone()), ..self }
    }

    /// Sets the version after the change.
    pub fn to(self, digest: Digest) -> Self {
        Self { digest: Some(digest), ..self }
    }

    /// Sets the version before the change.
    pub fn from(self, digest: Digest) -> Self {
        Self { from: Some(digest), ..self }
    }

    /// Sets the reason.
    pub fn why(self, why: impl Into<String>) -> Self {
        Self { why: Some(why.into()).filter(|why| !why.is_empty()), ..self }
    }
}

/// The log of changes: the newest in memory, all of them in a file if there is one.
#[derive(Debug, Default)]
pub struct Audit(Mutex<Log>);

/// What was noted after a moment.
#[derive(Debug)]
pub struct Since {
    pub events: Vec<Event>,
    /// The moment to ask from the next time.
    pub count: u64,
}

#[derive(Debug, Default)]
struct Log {
    newest: VecDeque<Event>,
    /// Events that were noted since the start.
    count: u64,
    file: Option<File>,
    /// Lines that could not be written yet, and the rest of one that was cut off.
    unwritten: VecDeque<Vec<u8>>,
    /// Since the start.
    undone: UndoneCounts,
}

impl Audit {
    /// Opens the file, to go on with it.
    pub fn open(directory: Option<&Path>) -> Result<Self, KeepError> {
        let Some(directory) = directory else { return Ok(Self::default()) };
        let path = directory.join(FILE);
        let open = || -> io::Result<Log> {
            let mut file = OpenOptions::new().create(true).append(true).read(true).open(&path)?;
            let mut newest = VecDeque::new();
            let mut whole = true;
            for line in BufReader::new(&file).split(b'\n') {
                let event = serde_json::from_slice(&line?);
                whole = event.is_ok();
                // A line that was cut off by a crash is not worth a gateway that does not start.
                newest.extend(event.ok());
                if newest.len() > NEWEST {
                    newest.pop_front();
                }
            }
            if !whole {
                file.write_all(b"\n")?;
            }
            Ok(Log { newest, file: Some(file), ..Log::default() })
        };
        match open() {
            Ok(log) => Ok(Self(Mutex::new(log))),
            Err(source) => Err(KeepError::Io { what: "open", path, source }),
        }
    }

    /// Notes a change.
    pub fn note(&self, event: Event) {
        tracing::info!(
            who = %event.who,
            policy = event.policy.as_ref().map(PolicyName::as_str),
            route = event.route.as_ref().map(RouteName::as_str),
            digest = event.digest.map(tracing::field::display),
            from = event.from.map(tracing::field::display),
            why = event.why,
            "audit: {}",
            event.action
        );
        let mut log = self.log();
        log.undone.count(&event);
        let line = serde_json::to_string(&event).map(|text| text + "\n").unwrap_or_default();
        log.write(line.into_bytes());
        if log.newest.len() == NEWEST {
            log.newest.pop_front();
        }
        log.newest.push_back(event);
        log.count += 1;
    }

    /// The events that were noted since this many had been, oldest first.
    pub fn since(&self, count: u64) -> Since {
        let log = self.log();
        let new = usize::try_from(log.count.saturating_sub(count)).unwrap_or(usize::MAX);
        let known = log.newest.len().saturating_sub(new);
        Since { events: log.newest.iter().skip(known).cloned().collect(), count: log.count }
    }

    /// The newest events, newest first.
    pub fn newest(&self, most: usize) -> Vec<Event> {
        self.log().newest.iter().rev().take(most).cloned().collect()
    }

    /// Returns whether events wait for room in the file.
    pub(super) fn is_unwritten(&self) -> bool {
        !self.log().unwritten.is_empty()
    }

    /// Writes the events that could not be written before, if there are any.
    pub(super) fn write_unwritten(&self) {
        let mut log = self.log();
        if !log.unwritten.is_empty() && log.write_all().is_ok() {
            tracing::info!("the audit log is written again");
        }
    }

    /// What was undone about a policy since the start.
    pub fn undone(&self, policy: &PolicyName) -> Vec<Undone> {
        self.log().undone.of(policy)
    }

    fn log(&self) -> MutexGuard<'_, Log> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Log {
    /// Writes a line, after those that could not be written before.
    fn write(&mut self, line: Vec<u8>) {
        if self.file.is_none() {
            return;
        }
        let is_new = self.unwritten.is_empty();
        if self.unwritten.len() == NEWEST {
            // Not the first, a part of which may be in the file.
            self.unwritten.remove(1);
        }
        self.unwritten.push_back(line);
        if let Err(error) = self.write_all()
            && is_new
        {
            tracing::error!(
                "cannot write to the audit log, its events are in memory until that works: {error}"
            );
        }
    }

    fn write_all(&mut self) -> io::Result<()> {
        let Some(file) = &mut self.file else { return Ok(()) };
        while let Some(line) = self.unwritten.front_mut() {
            match file.write(line) {
                Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
                // What is left of the line follows.
                Ok(written) if written < line.len() => drop(line.drain(..written)),
                Ok(_) => drop(self.unwritten.pop_front()),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        file.sync_data()
    }
}

#[cfg(test)]
mod tests;
