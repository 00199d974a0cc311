//! What the configuration says about a policy.

use std::time::Duration;

use bitflags::bitflags;
use pointsman_domain::ids::PolicyName;

/// A policy as configured: everything but its code. Two equal specs and equal
/// bytes make the same policy, so a reload can leave it alone.
#[derive(Clone, Debug, PartialEq)]
pub struct PolicySpec {
    /// Its name in the configuration.
    pub name: PolicyName,
    /// Its `settings` table as a JSON object; `{}` when there is none.
    pub settings: String,
    /// What it may reach beyond its settings and the facts it decides on.
    pub grants: Grants,
    /// What it may use up.
    pub limits: Limits,
    /// Whether decisions share instances.
    pub isolation: Isolation,
}

impl PolicySpec {
    /// A policy without settings and grants, with the default limits, that
    /// decides each request in an instance of its own.
    pub fn new(name: PolicyName) -> Self {
        Self {
            name,
            settings: "{}".to_owned(),
            grants: Grants::empty(),
            limits: Limits::default(),
            isolation: Isolation::Fresh,
        }
    }

    /// Returns whether it has a clock that it can sleep by.
    pub(crate) fn can_sleep(&self) -> bool {
        self.grants.contains(Grants::WASI | Grants::CLOCKS)
    }
}

bitflags! {
    /// Imports that a policy has only if its configuration grants them.
    #[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
    pub struct Grants: u8 {
        /// The content of requests.
        const PROMPT = 1;
        /// WASI 0.2 without anything in it: no files, sockets, environment or
        /// arguments. What is printed goes to the policy's log; clocks and random
        /// numbers are stand-ins, the same for each instance. Runtimes of other
        /// languages ask for it.
        const WASI = 1 << 1;
        /// What the tasks of its plans gave.
        const OUTPUTS = 1 << 2;
        /// The time of day, and time that passes, by way of WASI.
        const CLOCKS = 1 << 3;
        /// Real randomness, by way of WASI.
        const RANDOM = 1 << 4;
    }
}

/// What one policy may use up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Time of one call on the wall clock, until its answer has been checked. Time that
    /// the call waits is in it: for a place, for its turn, while others run.
    pub deadline: Duration,
    /// Linear memory of one instance, in bytes.
    pub memory_bytes: usize,
    /// Calls of this policy under way at once. More wait for their turn, at most
    /// for as long as `deadline`.
    pub concurrency: u32,
    /// Calls of imported functions during one call of the policy.
    pub host_calls: HostCalls,
    /// Lines per second that all versions of the policy together may write to the log.
    pub log_lines_per_second: u32,
    /// Bytes of the request's content that one call may read; reads past it
    /// are cut short.
    pub prompt_bytes: u32,
    /// Size of the policy's file, in bytes.
    pub max_component_bytes: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            deadline: Duration::from_millis(20),
            memory_bytes: 16 << 20,
            concurrency: 32,
            host_calls: HostCalls::Scaled,
            log_lines_per_second: 100,
            prompt_bytes: 64 << 10,
            max_component_bytes: 32 << 20,
        }
    }
}

/// Limit on the calls of imported functions during one call of a policy.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum HostCalls {
    /// As often as an honest policy has a reason to: [`BASE`](Self::BASE) times, and
    /// [`PER_ITEM`](Self::PER_ITEM) times for each candidate and each part of the
    /// conversation that it can ask about.
    #[default]
    Scaled,
    /// This often, whatever the request.
    Exactly(u32),
}

impl HostCalls {
    /// Calls for any request.
    pub const BASE: u32 = 1_000;
    /// Further calls for each candidate and each part.
    pub const PER_ITEM: u32 = 16;
}

/// Whether decisions share instances of a policy.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Isolation {
    /// Each decision gets an instance of its own, so that nothing of one
    /// request can reach another.
    #[default]
    Fresh,
    /// Instances are used again. For runtimes that are costly to start and for
    /// policies that learn; what one decision leaves in memory, the next sees.
    Warm {
        /// Calls after which an instance is replaced.
        recycle_after: u32,
        /// Most instances kept while idle. More run at once when there is more
        /// to decide, but those are not kept.
        instances: u32,
    },
}
