//! Operations on the API keys of clients.
//!
//! An operation is stored, then put in force, then written to the audit log, so that an operation that cannot be
//! stored does not happen. Operations and reloads take turns: a name is in the configuration or stored, not both.

use pointsman_config::keys;
use pointsman_domain::date::rfc3339;
use pointsman_domain::ids::KeyName;
use pointsman_domain::names::nearest_name;
use pointsman_domain::secret::Secret;
use pointsman_state::{ClientKeyError, PreviousKey, StoredKey};

use super::Reloader;
use super::route_operations::{ChangeAttribution, with};
use crate::auth::MAX_STORED_KEYS;
use crate::clock::unix_seconds;
use crate::rollout::AuditEntry;

/// Most names and patterns of one key.
const MAX_ROUTES: usize = 100;

/// A key to be created.
#[derive(Clone, Debug)]
pub struct NewKey {
    /// Its name.
    pub name: String,
    /// Names and patterns that it may request; `None` for all.
    pub routes: Option<Vec<String>>,
    /// Time from which it is not accepted, in seconds since 1970.
    pub expires: Option<u64>,
}

/// A change of a key. Members that are `None` stay as they are.
#[derive(Clone, Debug, Default)]
pub struct KeyChange {
    /// True if it is disabled.
    pub disabled: Option<bool>,
    /// Time from which it is not accepted, in seconds since 1970, if there is one.
    pub expires: Option<Option<u64>>,
    /// Names and patterns that it may request; none for all.
    pub routes: Option<Option<Vec<String>>>,
}

/// A key with its secret, which is not stored.
#[derive(Debug)]
pub struct IssuedKey {
    /// The key that the client sends.
    pub secret: Secret,
    /// The key as it is stored.
    pub stored: StoredKey,
}

/// Failure of an operation, which has changed nothing.
#[derive(Debug, thiserror::Error)]
pub enum KeyOperationError {
    /// There is no key of this name.
    #[error("{0}")]
    NotFound(String),
    /// The operation contradicts the current state.
    #[error("{message}")]
    Conflict {
        /// Kind of the contradiction, for programs.
        code: &'static str,
        /// Description, with the next step.
        message: String,
    },
    /// A member of the request was rejected.
    #[error("{message}")]
    Invalid {
        /// The member.
        member: String,
        /// Description, with what is allowed.
        message: String,
    },
    /// The key could not be stored.
    #[error("the key could not be stored, and nothing was changed: {0}")]
    Storage(#[from] ClientKeyError),
    /// The system has no random numbers.
    #[error("cannot make a key: {0}")]
    RandomNumbers(String),
}

impl Reloader {
    /// Creates a key. May block.
    pub fn create_key(
        &self,
        new: NewKey,
        attribution: ChangeAttribution,
    ) -> Result<IssuedKey, KeyOperationError> {
        let _guard = self.lock_changes();
        let now = unix_seconds();
        self.check_new(&new, now)?;
        let (secret, sha256) = generate()?;
        let NewKey { name, routes, expires } = new;
        let stored = StoredKey {
            name,
            sha256,
            previous: None,
            routes,
            created: now,
            rotated: None,
            expires,
            disabled: false,
        };
        let facts = [expires.map(expiry), stored.routes.as_deref().map(may_request)];
        self.commit_key(stored.clone(), [("key-create", joined(facts))], attribution)?;
        Ok(IssuedKey { secret, stored })
    }

    /// Replaces a key by a new one. The old one is accepted for `grace` more seconds; one that an earlier rotation
    /// replaced is not accepted any more. May block.
    pub fn rotate_key(
        &self,
        name: &str,
        grace: u64,
        attribution: ChangeAttribution,
    ) -> Result<IssuedKey, KeyOperationError> {
        let _guard = self.lock_changes();
        let old = self.stored_key(name)?;
        let (secret, sha256) = generate()?;
        let now = unix_seconds();
        let until = now.saturating_add(grace);
        let previous = Some(PreviousKey { sha256: old.sha256, until });
        let stored = StoredKey { sha256, previous, rotated: Some(now), ..old };
        let why = match grace {
            0 => "the old key is not accepted any more".to_owned(),
            _ => format!("the old key is accepted until {}", rfc3339(until)),
        };
        self.commit_key(stored.clone(), [("key-rotate", why)], attribution)?;
        Ok(IssuedKey { secret, stored })
    }

    /// Changes a key. May block.
    pub fn change_key(
        &self,
        name: &str,
        change: KeyChange,
        attribution: ChangeAttribution,
    ) -> Result<StoredKey, KeyOperationError> {
        let _guard = self.lock_changes();
        let mut stored = self.stored_key(name)?;
        let mut entries = Vec::new();
        if let Some(disabled) = change.disabled {
            entries.push((if disabled { "key-disable" } else { "key-enable" }, String::new()));
            stored.disabled = disabled;
        }
        if let Some(expires) = change.expires {
            entries.push(("key-expire", expires.map_or("never expires".to_owned(), expiry)));
            stored.expires = expires;
        }
        if let Some(routes) = change.routes {
            self.check_routes(routes.as_deref())?;
            entries.push(("key-routes", routes.as_deref().map_or("may request all".to_owned(), may_request)));
            stored.routes = routes;
        }
        self.commit_key(stored.clone(), entries, attribution)?;
        Ok(stored)
    }

    /// Deletes a key. Afterwards its name may be used again. May block.
    pub fn delete_key(&self, name: &str, attribution: ChangeAttribution) -> Result<(), KeyOperationError> {
        let _guard = self.lock_changes();
        let stored = self.stored_key(name)?;
        self.app.stored_keys.remove(&stored.name)?;
        let ChangeAttribution { who, why } = attribution;
        self.rollouts
            .audit
            .record(AuditEntry::new(who, "key-delete").key(&KeyName::new(stored.name)).why(why));
        Ok(())
    }

    /// Stores a key, puts it in force, and records its changes: actions, with the facts about each.
    fn commit_key(
        &self,
        stored: StoredKey,
        changes: impl IntoIterator<Item = (&'static str, String)>,
        attribution: ChangeAttribution,
    ) -> Result<(), KeyOperationError> {
        let name = KeyName::new(stored.name.as_str());
        self.app.stored_keys.put(stored)?;
        for (action, facts) in changes {
            let why = if facts.is_empty() { attribution.why.clone() } else { with(facts, &attribution.why) };
            self.rollouts.audit.record(AuditEntry::new(attribution.who.clone(), action).key(&name).why(why));
        }
        Ok(())
    }

    fn check_new(&self, new: &NewKey, now: u64) -> Result<(), KeyOperationError> {
        let keys = &self.app.stored_keys;
        self.check_can_store()?;
        if !keys::is_valid_name(&new.name) {
            let message = format!("`name` is {:?}: {}", new.name, keys::NAME_RULE);
            return Err(KeyOperationError::Invalid { member: "name".to_owned(), message });
        }
        self.check_routes(new.routes.as_deref())?;
        if let Some(at) = new.expires.filter(|at| *at <= now) {
            let message = format!("the key would have expired at {}: choose a time to come", rfc3339(at));
            return Err(KeyOperationError::Invalid { member: "expires_at".to_owned(), message });
        }
        let conflict = |code, message| Err(KeyOperationError::Conflict { code, message });
        if let Some(message) = self.of_file(&new.name) {
            return conflict("key_of_file", message);
        }
        if keys.get(&new.name).is_some() {
            let message = format!(
                "there is a key `{0}` already: choose another name, or replace its value with `pointsman key rotate {0}`",
                new.name
            );
            return conflict("key_exists", message);
        }
        if keys.count() >= MAX_STORED_KEYS {
            let message = format!(
                "{MAX_STORED_KEYS} keys are stored, which is the most: delete some with `pointsman key delete`"
            );
            return conflict("too_many_keys", message);
        }
        Ok(())
    }

    fn check_routes(&self, routes: Option<&[String]>) -> Result<(), KeyOperationError> {
        let Some(routes) = routes else { return Ok(()) };
        if routes.len() > MAX_ROUTES {
            let message =
                format!("`routes` has {} entries: at most {MAX_ROUTES}, use patterns", routes.len());
            return Err(KeyOperationError::Invalid { member: "routes".to_owned(), message });
        }
        match self.app.snapshot().config.unknown_name(routes) {
            Some(unknown) => Err(KeyOperationError::Invalid {
                member: format!("routes[{}]", unknown.index),
                message: unknown.message,
            }),
            None => Ok(()),
        }
    }

    fn check_can_store(&self) -> Result<(), KeyOperationError> {
        if self.app.stored_keys.can_store() {
            return Ok(());
        }
        let message = "keys cannot be stored: set `dir` below [state] and restart, or make a key for the \
                       configuration with `pointsman key NAME`";
        Err(KeyOperationError::Conflict { code: "no_state_directory", message: message.to_owned() })
    }

    /// Returns a stored key, or the reason why there is none of this name.
    fn stored_key(&self, name: &str) -> Result<StoredKey, KeyOperationError> {
        if let Some(stored) = self.app.stored_keys.get(name) {
            return Ok(stored);
        }
        if let Some(message) = self.of_file(name) {
            return Err(KeyOperationError::Conflict { code: "key_of_file", message });
        }
        self.check_can_store()?;
        let stored = self.app.stored_keys.all();
        let message = match nearest_name(name, stored.iter().map(|key| key.name.as_str())) {
            Some(near) => format!("there is no key `{name}`: did you mean `{near}`?"),
            None => format!("there is no key `{name}`: `pointsman key list` shows all"),
        };
        Err(KeyOperationError::NotFound(message))
    }

    /// Returns the reason why a key of the configuration cannot be changed; `None` if there is none of this name.
    fn of_file(&self, name: &str) -> Option<String> {
        let snapshot = self.app.snapshot();
        snapshot.config.keys.iter().find(|key| key.name.as_str() == name)?;
        let file = snapshot.config.text.file();
        Some(format!("the key `{name}` is in {file}: change [keys.{name}] there, or choose another name"))
    }
}

fn generate() -> Result<(Secret, [u8; 32]), KeyOperationError> {
    let new = keys::generate().map_err(|error| KeyOperationError::RandomNumbers(error.to_string()))?;
    let sha256 = keys::hash(&new.key);
    Ok((Secret::new(new.key), sha256))
}

fn expiry(at: u64) -> String {
    format!("expires at {}", rfc3339(at))
}

fn may_request(routes: &[String]) -> String {
    match routes {
        [] => "may request nothing".to_owned(),
        _ => format!("may request {}", routes.join(", ")),
    }
}

fn joined(facts: [Option<String>; 2]) -> String {
    facts.into_iter().flatten().collect::<Vec<_>>().join("; ")
}
