//! Loads what changed among the policies, beside those that serve.

use std::sync::Arc;

use futures_util::future::join_all;
use pointsman_domain::ids::{Digest, PolicyName};
use pointsman_policy::{Code, LoadError, Policy, Runtime, Slot};

use crate::builtin;
use crate::config::{self, Config, PolicySource};
use crate::snapshot::Slots;

/// All policies of a configuration, loaded as far as they can be. Nothing serves
/// otherwise than before until [`Loading::commit`].
pub(super) struct Loading {
    loaded: Vec<Loaded>,
    /// Policies of which there is no version that fits the configuration.
    pub(super) unloadable: Vec<Unloadable>,
}

struct Loaded {
    slot: Arc<Slot>,
    step: Step,
}

enum Step {
    /// Serves already.
    Keep,
    /// The first version, in a slot of its own.
    First,
    /// Takes over.
    Swap(Box<Policy>),
    /// Is no good; the version before it goes on.
    Reject { digest: Option<Digest>, error: String },
}

/// A policy that does not load.
#[derive(Debug)]
pub(crate) struct Unloadable {
    name: PolicyName,
    source: PolicySource,
    error: String,
}

/// What was done about each policy.
pub(super) struct Committed(pub(super) Vec<Change>);

/// What was done about one policy.
pub(super) struct Change {
    pub(super) name: PolicyName,
    pub(super) what: What,
}

/// The ways a reload ends for a policy.
pub(super) enum What {
    Kept,
    Loaded { to: Digest },
    Swapped { from: Digest, to: Digest },
    Rejected { error: String },
}

impl Loading {
    /// Loads the policies of a configuration, all at once, off the request path.
    pub(super) async fn all(config: &Config, slots: &Slots, runtime: &Runtime) -> Self {
        let policies = config.policies.iter();
        let loads =
            join_all(policies.map(|policy| load(policy, slots.get(&policy.spec.name), runtime))).await;
        let mut loading = Self { loaded: Vec::new(), unloadable: Vec::new() };
        for load in loads {
            match load {
                Ok(loaded) => loading.loaded.push(loaded),
                Err(unloadable) => loading.unloadable.push(unloadable),
            }
        }
        loading
    }

    /// The slots, which from the commit on hold what was loaded.
    pub(super) fn slots(&self) -> Slots {
        self.loaded.iter().map(|loaded| (loaded.slot.name().clone(), Arc::clone(&loaded.slot))).collect()
    }

    /// Lets the new versions serve.
    pub(super) fn commit(self) -> Committed {
        Committed(self.loaded.into_iter().map(Loaded::commit).collect())
    }
}

impl Loaded {
    fn commit(self) -> Change {
        let from = self.slot.active().digest();
        let what = match self.step {
            Step::Keep => What::Kept,
            Step::First => What::Loaded { to: from },
            Step::Swap(policy) => {
                let to = policy.digest();
                self.slot.swap(*policy);
                What::Swapped { from, to }
            }
            Step::Reject { digest, error } => {
                self.slot.rejected(digest, error.clone());
                What::Rejected { error }
            }
        };
        Change { name: self.slot.name().clone(), what }
    }
}

async fn load(
    policy: &config::Policy,
    slot: Option<&Arc<Slot>>,
    runtime: &Runtime,
) -> Result<Loaded, Unloadable> {
    let code = match read(&policy.source).await {
        Ok(code) => code,
        Err(error) => return failed(policy, slot, None, error),
    };
    let digest = code.digest();
    if let Some(slot) = slot
        && slot.active().digest() == digest
        && *slot.active().spec() == policy.spec
    {
        return Ok(Loaded { slot: Arc::clone(slot), step: Step::Keep });
    }
    match compile(policy, code, runtime).await {
        Ok(loaded) => Ok(match slot {
            Some(slot) => Loaded { slot: Arc::clone(slot), step: Step::Swap(Box::new(loaded)) },
            None => Loaded { slot: Arc::new(Slot::new(loaded)), step: Step::First },
        }),
        Err(error) => failed(policy, slot, Some(digest), error),
    }
}

/// Where the configuration asks for nothing new of the policy, the version that
/// serves goes on; else there is none that fits it.
fn failed(
    policy: &config::Policy,
    slot: Option<&Arc<Slot>>,
    digest: Option<Digest>,
    error: String,
) -> Result<Loaded, Unloadable> {
    match slot {
        Some(slot) if *slot.active().spec() == policy.spec => {
            Ok(Loaded { slot: Arc::clone(slot), step: Step::Reject { digest, error } })
        }
        _ => Err(Unloadable { name: policy.spec.name.clone(), source: policy.source.clone(), error }),
    }
}

async fn read(source: &PolicySource) -> Result<Code<'static>, String> {
    match source {
        PolicySource::Builtin(name) => {
            builtin::bytes(name).map(Code::new).ok_or_else(|| format!("there is no built-in policy `{name}`"))
        }
        PolicySource::File(path) => {
            let path = path.clone();
            let read = tokio::task::spawn_blocking(move || std::fs::read(path).map(Code::new)).await;
            read.map_err(|error| error.to_string())?.map_err(|error| format!("cannot read the file: {error}"))
        }
    }
}

async fn compile(policy: &config::Policy, code: Code<'static>, runtime: &Runtime) -> Result<Policy, String> {
    let (spec, runtime) = (policy.spec.clone(), runtime.clone());
    let load = move || runtime.load(spec, &code).map_err(|error: LoadError| error.to_string());
    tokio::task::spawn_blocking(load).await.map_err(|error| format!("the load gate failed: {error}"))?
}

/// One line for each policy that does not load.
pub(super) fn list(unloadable: &[Unloadable]) -> String {
    let line = |policy: &Unloadable| {
        let source = match &policy.source {
            PolicySource::Builtin(name) => format!("builtin:{name}"),
            PolicySource::File(path) => path.display().to_string(),
        };
        format!("error: cannot load the policy `{}` from {source}: {}", policy.name, policy.error)
    };
    unloadable.iter().map(line).collect::<Vec<_>>().join("\n")
}
