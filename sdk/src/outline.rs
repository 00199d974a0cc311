//! The structure of the request's content: the kind and size of each part, without its text.
//! Only for orchestrating policies; needs no grant.

use crate::imports::outline as gateway;

pub use crate::bindings::orchestrating::pointsman::policy::outline::ContentPart;

/// Returns the parts of all messages in order; of a longer conversation, the newest 1,024.
pub fn parts() -> Vec<ContentPart> {
    gateway::parts()
}

/// Returns the number of candidates, counted from the first, that can serve the whole request.
pub fn whole() -> usize {
    gateway::whole() as usize
}
