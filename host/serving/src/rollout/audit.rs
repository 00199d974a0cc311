//! Audit log of changes to policies, routes and keys.

use std::collections::VecDeque;
use std::fmt;
use std::fs::{File, OpenOptions};
use std::io::{self, BufRead, BufReader, Write};
use std::path::Path;
use std::sync::{Mutex, MutexGuard, PoisonError};

use pointsman_domain::ids::{Digest, KeyName, PolicyName, RouteName};
use pointsman_telemetry::metrics::RollbackCount;
use serde::{Deserialize, Serialize};

use super::state_store::StateStoreError;
use crate::clock::unix_seconds;

mod rollbacks;

use rollbacks::RollbackCounts;

/// Name of the file, which has one JSON object per line.
const FILE: &str = "audit.jsonl";
/// Number of the newest entries held in memory, which the admin API can return.
const NEWEST: usize = 1_000;

/// One change. Its serialised members are part of the admin API.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct AuditEntry {
    /// Time of the change, in seconds since 1970.
    pub at: u64,
    /// Originator of the change.
    pub who: Actor,
    /// Role by which a caller of the admin API acted. Entries of earlier versions have none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub role: Option<AdminRole>,
    /// Action, one of those listed in docs/rollouts.md.
    pub action: String,
    /// Policy concerned.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub policy: Option<PolicyName>,
    /// Route concerned.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub route: Option<RouteName>,
    /// Key concerned.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key: Option<KeyName>,
    /// Version after the change.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub digest: Option<Digest>,
    /// Version before the change.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<Digest>,
    /// Reason.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub why: Option<String>,
}

/// Originator of a change.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Actor {
    /// A change of the configuration or of a policy's source.
    Configuration,
    /// A caller of the admin API, with the name that it sent.
    Admin(String),
    /// The gateway itself.
    Gateway,
}

/// Role of callers of the admin API that may change something.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum AdminRole {
    /// May do everything.
    Operator,
}

impl Actor {
    /// Returns the role by which it acts: only operators change anything through the admin API.
    fn role(&self) -> Option<AdminRole> {
        match self {
            Self::Admin(_) => Some(AdminRole::Operator),
            Self::Configuration | Self::Gateway => None,
        }
    }
}

impl fmt::Display for AdminRole {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Operator => "operator",
        })
    }
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

impl AuditEntry {
    /// Creates an entry with the current time.
    pub fn new(who: Actor, action: &str) -> Self {
        let action = action.to_owned();
        Self {
            at: unix_seconds(),
            role: who.role(),
            who,
            action,
            policy: None,
            route: None,
            key: None,
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

    /// Sets the key.
    pub fn key(self, key: &KeyName) -> Self {
        Self { key: Some(key.clone()), ..self }
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

/// Log of changes: the newest entries in memory, and all of them in a file if a state directory is
/// configured.
#[derive(Debug, Default)]
pub struct AuditLog(Mutex<AuditLogState>);

/// Entries that were recorded after a cursor.
#[derive(Debug)]
pub struct AuditBatch {
    /// Entries, oldest first.
    pub events: Vec<AuditEntry>,
    /// Cursor for the next call of [`AuditLog::since`].
    pub count: u64,
}

#[derive(Debug, Default)]
struct AuditLogState {
    newest: VecDeque<AuditEntry>,
    /// Number of entries recorded since the start.
    count: u64,
    file: Option<File>,
    /// Lines still to be written. The first may be the rest of a line that was written in part.
    unwritten: VecDeque<Vec<u8>>,
    rollbacks: RollbackCounts,
}

impl AuditLog {
    /// Opens the file, reads its newest entries, and appends to it from now on.
    pub fn open(directory: Option<&Path>) -> Result<Self, StateStoreError> {
        let Some(directory) = directory else { return Ok(Self::default()) };
        let path = directory.join(FILE);
        let open = || -> io::Result<AuditLogState> {
            let mut file = OpenOptions::new().create(true).append(true).read(true).open(&path)?;
            let mut newest = VecDeque::new();
            let mut whole = true;
            for line in BufReader::new(&file).split(b'\n') {
                let event = serde_json::from_slice(&line?);
                whole = event.is_ok();
                // A line that was cut off by a crash is skipped: it must not keep the gateway from
                // starting.
                newest.extend(event.ok());
                if newest.len() > NEWEST {
                    newest.pop_front();
                }
            }
            if !whole {
                file.write_all(b"\n")?;
            }
            Ok(AuditLogState { newest, file: Some(file), ..AuditLogState::default() })
        };
        match open() {
            Ok(log) => Ok(Self(Mutex::new(log))),
            Err(source) => Err(StateStoreError::Io { what: "open", path, source }),
        }
    }

    /// Records a change, and logs it.
    pub fn record(&self, event: AuditEntry) {
        tracing::info!(
            who = %event.who,
            role = event.role.map(tracing::field::display),
            policy = event.policy.as_ref().map(PolicyName::as_str),
            route = event.route.as_ref().map(RouteName::as_str),
            key = event.key.as_ref().map(KeyName::as_str),
            digest = event.digest.map(tracing::field::display),
            from = event.from.map(tracing::field::display),
            why = event.why,
            "audit: {}",
            event.action
        );
        let mut log = self.log();
        log.rollbacks.count(&event);
        let line = serde_json::to_string(&event).map(|text| text + "\n").unwrap_or_default();
        log.write(line.into_bytes());
        if log.newest.len() == NEWEST {
            log.newest.pop_front();
        }
        log.newest.push_back(event);
        log.count += 1;
    }

    /// Returns the entries recorded since `count` entries had been, oldest first.
    pub fn since(&self, count: u64) -> AuditBatch {
        let log = self.log();
        let new = usize::try_from(log.count.saturating_sub(count)).unwrap_or(usize::MAX);
        let known = log.newest.len().saturating_sub(new);
        AuditBatch { events: log.newest.iter().skip(known).cloned().collect(), count: log.count }
    }

    /// Returns the newest entries, newest first.
    pub fn newest(&self, most: usize) -> Vec<AuditEntry> {
        self.log().newest.iter().rev().take(most).cloned().collect()
    }

    /// Returns whether entries are still to be written.
    pub(super) fn has_unwritten(&self) -> bool {
        !self.log().unwritten.is_empty()
    }

    /// Retries a failed write.
    pub(super) fn flush(&self) {
        let mut log = self.log();
        if !log.unwritten.is_empty() && log.write_all().is_ok() {
            tracing::info!("the audit log can be written again");
        }
    }

    /// Returns the rollbacks of a policy since the start.
    pub fn rollbacks(&self, policy: &PolicyName) -> Vec<RollbackCount> {
        self.log().rollbacks.of(policy)
    }

    fn log(&self) -> MutexGuard<'_, AuditLogState> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl AuditLogState {
    /// Writes a line after those that are still to be written.
    fn write(&mut self, line: Vec<u8>) {
        if self.file.is_none() {
            return;
        }
        let is_new = self.unwritten.is_empty();
        if self.unwritten.len() == NEWEST {
            // The first stays, since a part of it may be in the file.
            self.unwritten.remove(1);
        }
        self.unwritten.push_back(line);
        if let Err(error) = self.write_all()
            && is_new
        {
            tracing::error!(
                "cannot write the audit log, its entries are held in memory until that succeeds: {error}"
            );
        }
    }

    fn write_all(&mut self) -> io::Result<()> {
        let Some(file) = &mut self.file else { return Ok(()) };
        while let Some(line) = self.unwritten.front_mut() {
            match file.write(line) {
                Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
                // The next round writes the rest of the line.
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
