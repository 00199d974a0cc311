//! What is compiled already.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

use pointsman_domain::ids::Digest;
use wasmtime::component::Component;

/// Compiled components that a policy holds, by the digest of their source. A
/// change of the configuration that leaves the code alone compiles nothing, and
/// policies of the same code share it.
#[derive(Default)]
pub(crate) struct Compiled {
    components: Mutex<HashMap<Digest, Weak<Component>>>,
}

impl Compiled {
    pub(crate) fn get(&self, digest: &Digest) -> Option<Arc<Component>> {
        self.components().get(digest).and_then(Weak::upgrade)
    }

    /// Remembers a component for as long as it is held, and forgets others
    /// that are not.
    pub(crate) fn remember(&self, digest: Digest, component: &Arc<Component>) {
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
