//! Models that made the responses which their providers keep.

use std::collections::{HashMap, VecDeque};
use std::sync::{Mutex, MutexGuard, PoisonError};

use pointsman_domain::ids::{KeyName, ModelId};

/// Most responses that are remembered, and most items: some 200 bytes each.
const MAX_REMEMBERED: usize = 100_000;
/// Longest id that is remembered, in bytes.
const MAX_ID: usize = 256;

/// Owners of responses and of their items, by the ids that clients know. The oldest is forgotten for a new
/// one.
#[derive(Debug, Default)]
pub struct ResponseOwners {
    responses: Mutex<OwnersById>,
    items: Mutex<OwnersById>,
}

#[derive(Debug, Default)]
struct OwnersById {
    owners: HashMap<Box<str>, ResponseOwner>,
    oldest_first: VecDeque<Box<str>>,
}

/// Owner of a response.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ResponseOwner {
    /// Model that made it, at whose provider it is kept.
    pub model: ModelId,
    /// Key of the client that requested it; `None` where no keys are configured.
    pub key: Option<KeyName>,
}

impl ResponseOwners {
    /// Remembers the owner of a response.
    pub fn record(&self, id: &str, owner: ResponseOwner) {
        lock(&self.responses).record(id, owner);
    }

    /// Remembers the owner of items of a response.
    pub fn record_items(&self, ids: &[String], owner: &ResponseOwner) {
        if ids.is_empty() {
            return;
        }
        let mut items = lock(&self.items);
        ids.iter().for_each(|id| items.record(id, owner.clone()));
    }

    /// Returns the owner of a response. For another key there is none.
    pub fn get(&self, id: &str, key: Option<&KeyName>) -> Option<ResponseOwner> {
        lock(&self.responses).owners.get(id).filter(|owner| owner.key.as_ref() == key).cloned()
    }

    /// Returns whether a response belongs to another key.
    pub fn is_of_another(&self, id: &str, key: Option<&KeyName>) -> bool {
        lock(&self.responses).owners.get(id).is_some_and(|owner| owner.key.as_ref() != key)
    }

    /// Returns the owner of an item, whichever key requested its response.
    pub fn of_item(&self, id: &str) -> Option<ResponseOwner> {
        lock(&self.items).owners.get(id).cloned()
    }
}

impl OwnersById {
    fn record(&mut self, id: &str, owner: ResponseOwner) {
        if id.is_empty() || id.len() > MAX_ID {
            return;
        }
        if self.owners.insert(id.into(), owner).is_none() {
            self.oldest_first.push_back(id.into());
        }
        if self.oldest_first.len() > MAX_REMEMBERED
            && let Some(oldest) = self.oldest_first.pop_front()
        {
            self.owners.remove(&oldest);
        }
    }
}

fn lock(owners: &Mutex<OwnersById>) -> MutexGuard<'_, OwnersById> {
    owners.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn owner(model: &str, key: Option<&str>) -> ResponseOwner {
        ResponseOwner { model: ModelId::new(model), key: key.map(KeyName::new) }
    }

    #[test]
    fn a_response_is_known_to_its_own_key_alone() {
        let owners = ResponseOwners::default();
        owners.record("resp_1", owner("a/m", Some("app")));
        let (app, other) = (KeyName::new("app"), KeyName::new("other"));
        assert_eq!(owners.get("resp_1", Some(&app)), Some(owner("a/m", Some("app"))));
        assert_eq!(owners.get("resp_1", Some(&other)), None);
        assert_eq!(owners.get("resp_1", None), None);
        assert!(owners.is_of_another("resp_1", Some(&other)) && !owners.is_of_another("resp_2", None));
    }

    #[test]
    fn an_item_has_the_owner_of_its_response() {
        let owners = ResponseOwners::default();
        owners.record_items(&["msg_1".to_owned(), String::new()], &owner("a/m", Some("app")));
        assert_eq!(owners.of_item("msg_1"), Some(owner("a/m", Some("app"))));
        assert_eq!(owners.of_item(""), None);
        assert_eq!(owners.get("msg_1", Some(&KeyName::new("app"))), None, "it is no response");
    }

    #[test]
    fn the_oldest_response_is_forgotten_first() {
        let owners = ResponseOwners::default();
        for number in 0..=MAX_REMEMBERED {
            owners.record(&number.to_string(), owner("a/m", None));
            owners.record(&number.to_string(), owner("b/m", None));
        }
        assert_eq!(owners.get("0", None), None);
        assert_eq!(owners.get("1", None), Some(owner("b/m", None)));
        owners.record(&"x".repeat(MAX_ID + 1), owner("a/m", None));
        assert_eq!(lock(&owners.responses).owners.len(), MAX_REMEMBERED);
    }
}
