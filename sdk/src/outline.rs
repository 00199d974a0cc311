//! The shape of the request's content: where there is what, but not what it
//! says. For orchestrating policies; needs no grant.

use crate::imports::outline as gateway;

pub use crate::bindings::orchestrating::pointsman::policy::outline::ContentPart;

/// The parts of all messages in order; of a longer conversation, the newest 1,024.
pub fn parts() -> Vec<ContentPart> {
    gateway::parts()
}

/// How many candidates, counted from the first, can serve the request by themselves.
pub fn whole() -> usize {
    gateway::whole() as usize
}
