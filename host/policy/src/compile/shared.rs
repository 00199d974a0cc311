//! Components shared by policies of the same code.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

use pointsman_domain::ids::Digest;
use wasmtime::component::Component;

/// Components that a policy holds, by the digest of their source. Policies of the same code share
/// one, and a configuration change that leaves the code alone compiles nothing.
#[derive(Default)]
pub(super) struct SharedComponents {
    components: Mutex<HashMap<Digest, Weak<Component>>>,
}

impl SharedComponents {
    pub(super) fn get(&self, digest: &Digest) -> Option<Arc<Component>> {
        self.components().get(digest).and_then(Weak::upgrade)
    }

    /// Adds a component for as long as some policy holds it, and removes those that are no longer
    /// held.
    pub(super) fn insert(&self, digest: Digest, component: &Arc<Component>) {
        let mut components = self.components();
        components.retain(|_, component| component.strong_count() > 0);
        components.insert(digest, Arc::downgrade(component));
    }

    fn components(&self) -> MutexGuard<'_, HashMap<Digest, Weak<Component>>> {
        self.components.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests;
