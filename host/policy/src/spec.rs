//! The specification of a policy, as configured.

use std::time::Duration;

use bitflags::bitflags;
use pointsman_domain::ids::PolicyName;

/// Everything about a configured policy but its code. Equal specifications and equal bytes make the
/// same policy, which a reload leaves alone.
#[derive(Clone, Debug, PartialEq)]
pub struct PolicySpec {
    /// Name in the configuration.
    pub name: PolicyName,
    /// The `settings` table as a JSON object; `{}` when there is none.
    pub settings: String,
    /// Imports beyond those that every policy may have.
    pub grants: Grants,
    /// Limits on its resources.
    pub limits: Limits,
    /// Sharing of instances between decisions.
    pub isolation: Isolation,
    /// Policy whose state it uses, if not its own.
    pub state_of: Option<PolicyName>,
}

impl PolicySpec {
    /// Creates a specification without settings and grants, with default limits and a fresh instance
    /// for each decision.
    pub fn new(name: PolicyName) -> Self {
        Self {
            name,
            settings: "{}".to_owned(),
            grants: Grants::empty(),
            limits: Limits::default(),
            isolation: Isolation::Fresh,
            state_of: None,
        }
    }

    /// Returns whether the policy can sleep, for which it needs a real clock.
    pub(crate) fn can_sleep(&self) -> bool {
        self.grants.contains(Grants::WASI | Grants::CLOCKS)
    }
}

bitflags! {
    /// Imports that the configuration has to grant.
    #[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
    pub struct Grants: u8 {
        /// Content of requests.
        const PROMPT = 1;
        /// WASI 0.2 with an empty world: no files, sockets, environment variables or arguments.
        /// Output goes to the policy's log; clocks and random numbers are stand-ins, the same for
        /// each instance. Runtimes of other languages import it.
        const WASI = 1 << 1;
        /// Output of the tasks of its plans.
        const OUTPUTS = 1 << 2;
        /// The real clocks of WASI.
        const CLOCKS = 1 << 3;
        /// The real random numbers of WASI.
        const RANDOM = 1 << 4;
        /// Values that are kept between requests.
        const STATE = 1 << 5;
    }
}

impl Grants {
    /// Returns the names in the configuration.
    pub fn names(self) -> Vec<String> {
        self.iter_names().map(|(name, _)| name.to_lowercase()).collect()
    }
}

/// Limits on the resources of one policy.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Longest time of one call on the wall clock, until its answer has been validated. Includes the
    /// time that the call waits for permits and for a processor.
    pub deadline: Duration,
    /// Linear memory of one instance, in bytes.
    pub memory_bytes: usize,
    /// Concurrent calls of this policy. Further ones wait, at most for `deadline`.
    pub concurrency: u32,
    /// Calls of imported functions during one call of the policy.
    pub host_calls: HostCalls,
    /// Lines per second that all versions of the policy together may write to the log.
    pub log_lines_per_second: u32,
    /// Bytes of content that one call may read. Later reads are truncated.
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
    /// [`BASE`](Self::BASE) calls, and [`PER_ITEM`](Self::PER_ITEM) more for each candidate and each
    /// part of the conversation: enough for any honest policy.
    #[default]
    Scaled,
    /// This many calls for any request.
    Exactly(u32),
}

impl HostCalls {
    /// Calls for any request.
    pub const BASE: u32 = 1_000;
    /// Additional calls for each candidate and each part.
    pub const PER_ITEM: u32 = 16;
}

/// Sharing of instances between the decisions of a policy.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Isolation {
    /// Each decision gets a new instance, so that no data of one request can reach another.
    #[default]
    Fresh,
    /// Instances are reused, for runtimes that are expensive to start and for policies that learn.
    /// Data that one decision leaves in memory is visible to the next.
    Warm {
        /// Calls after which an instance is replaced.
        recycle_after: u32,
        /// Most idle instances that are kept. More may run concurrently.
        instances: u32,
    },
}
