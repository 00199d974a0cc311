//! Loads what changed among the policies, beside those that serve.

mod not_loaded;

use std::sync::Arc;
use std::time::Duration;

use futures_util::future::join_all;
use pointsman_domain::ids::{Digest, PolicyName};
use pointsman_domain::rollout::Hold;
use pointsman_policy::{Code, LoadError, Policy, PolicySlot, Runtime};
use pointsman_supply::{Fetcher, Location, SupplyError};
use tokio::time::timeout;

use crate::clock::unix_seconds;
use crate::rollout::state::PolicyState;
use crate::rollout::{Kept, State};
use crate::snapshot::{LoadedPolicies, Slots, UnavailablePolicy};
pub use not_loaded::Unloadable;
pub(super) use not_loaded::{NotLoaded, list};
use pointsman_config::{self as config, Config, PolicySource};

/// Sources of the bytes of policies.
#[derive(Debug)]
pub struct PolicySources {
    /// Fetches policies of files, web servers and registries.
    pub fetcher: Fetcher,
    /// Returns the bytes of a policy that is embedded in the binary, by its name.
    pub builtin: fn(&str) -> Option<&'static [u8]>,
}

/// Loads policies of a configuration.
#[derive(Clone, Copy)]
pub(super) struct Loader<'a> {
    pub(super) runtime: &'a Runtime,
    pub(super) sources: &'a PolicySources,
    /// What was decided about versions.
    pub(super) state: &'a State,
    /// Where the code of versions is, besides their source.
    pub(super) kept: &'a Kept,
    /// Longest wait for a source on the network; without it, that of the order.
    pub(super) patience: Option<Duration>,
}

/// Policies that are loaded at the same time: enough for any machine, and each takes
/// a thread.
const AT_A_TIME: usize = 16;

/// All policies of a configuration, loaded as far as they can be. Nothing serves
/// otherwise than before until [`Loading::commit`].
pub(super) struct Loading {
    loaded: Vec<Loaded>,
    /// Policies of which there is no version that fits the configuration.
    pub(super) unloadable: Vec<Unloadable>,
    /// Policies that may be missing for now: their routes follow `on_failure`.
    unavailable: Vec<Unloadable>,
}

struct Loaded {
    slot: Arc<PolicySlot>,
    step: Step,
    /// A version that was not let in.
    rejected: Option<NotLetIn>,
}

enum Step {
    /// Serves already.
    Keep,
    /// Serves already, but its code is not kept.
    Store { code: Code },
    /// The first version, in a slot of its own.
    First { code: Code },
    /// Takes over.
    Swap { policy: Box<Policy>, code: Option<Code> },
}

/// A version that was not let in, and why.
struct NotLetIn {
    digest: Option<Digest>,
    error: NotLoaded,
}

/// What was done about each policy.
pub(super) struct Committed(pub(super) Vec<Change>);

/// What was done about one policy.
pub(super) struct Change {
    pub(super) name: PolicyName,
    pub(super) what: What,
    /// Why another version was not let in, if one was not.
    pub(super) rejected: Option<String>,
    /// True if another attempt may do what this one did not.
    pub(super) is_incomplete: bool,
}

/// What serves for a policy after a reload.
#[derive(Clone, Copy)]
pub(super) enum What {
    Kept,
    /// Nothing, since no version could be loaded yet.
    Nothing,
    Loaded {
        to: Digest,
    },
    Swapped {
        from: Digest,
        to: Digest,
    },
}

impl Committed {
    /// Returns whether another attempt may do what this one did not.
    pub(super) fn is_incomplete(&self) -> bool {
        self.0.iter().any(|change| change.is_incomplete)
    }
}

impl Loading {
    /// Loads the policies of a configuration, some at a time, off the request path.
    pub(super) async fn all(config: &Config, slots: &Slots, loader: Loader<'_>) -> Self {
        let mut loading = Self { loaded: Vec::new(), unloadable: Vec::new(), unavailable: Vec::new() };
        for policies in config.policies.chunks(AT_A_TIME) {
            let loads = policies.iter().map(async |policy| match slots.get(&policy.spec.name) {
                Some(slot) => loader.renew(policy, slot).await,
                None => loader.begin(policy).await,
            });
            for load in join_all(loads).await {
                match load {
                    Ok(loaded) => loading.loaded.push(loaded),
                    Err(unloadable) => loading.unloadable.push(unloadable),
                }
            }
        }
        loading
    }

    /// Goes on without the unloadable policies that may be missing for now.
    pub(super) fn tolerate(&mut self, may_be_missing: impl Fn(&Unloadable) -> bool) {
        self.unavailable.extend(self.unloadable.extract_if(.., |policy| may_be_missing(policy)));
    }

    /// The policies. From the commit on, their slots hold what was loaded.
    pub(super) fn policies(&self) -> LoadedPolicies {
        let slots = self.loaded.iter().map(|loaded| (loaded.slot.name().clone(), Arc::clone(&loaded.slot)));
        let unavailable = self.unavailable.iter().map(|Unloadable { name, error, .. }| {
            (name.clone(), UnavailablePolicy { error: error.message.clone(), at: unix_seconds() })
        });
        LoadedPolicies { slots: slots.collect(), unavailable: unavailable.collect() }
    }

    /// Lets the new versions serve, and keeps their code. What was put on hold
    /// while it was loaded stays out.
    pub(super) fn commit(self, state: &State, kept: &Kept) -> Committed {
        let loaded = self.loaded.into_iter().map(|loaded| loaded.unless_held(state).commit(kept));
        let unavailable = self.unavailable.into_iter().map(|Unloadable { name, error, .. }| Change {
            name,
            what: What::Nothing,
            rejected: Some(error.message),
            is_incomplete: true,
        });
        Committed(loaded.chain(unavailable).collect())
    }
}

impl Loaded {
    fn new(slot: &Arc<PolicySlot>, step: Step) -> Self {
        Self { slot: Arc::clone(slot), step, rejected: None }
    }

    /// Keeps the code of the version that serves, if that failed before.
    fn keeping(self, code: Code, kept: &Kept) -> Self {
        match self.step {
            Step::Keep if !kept.has(code.digest()) => Self { step: Step::Store { code }, ..self },
            _ => self,
        }
    }

    fn unless_held(self, state: &State) -> Self {
        let Step::Swap { policy, .. } = &self.step else { return self };
        let (name, digest) = (self.slot.name(), policy.digest());
        match state.held(name, digest, unix_seconds()) {
            Some(hold) if self.slot.active().digest() != digest => {
                let rejected = NotLetIn { digest: Some(digest), error: told(hold, name, digest).into() };
                Self { step: Step::Keep, rejected: Some(rejected), slot: self.slot }
            }
            _ => self,
        }
    }

    fn commit(self, kept: &Kept) -> Change {
        let from = self.slot.active().digest();
        let (what, code) = match self.step {
            Step::Keep => (What::Kept, None),
            Step::Store { code } => (What::Kept, Some(code)),
            Step::First { code } => (What::Loaded { to: from }, Some(code)),
            Step::Swap { policy, code } => {
                let to = policy.digest();
                self.slot.swap(*policy);
                (What::Swapped { from, to }, code)
            }
        };
        let name = self.slot.name().clone();
        let mut is_incomplete = self.rejected.as_ref().is_some_and(|rejected| rejected.error.is_transient);
        if let Some(Err(error)) = code.map(|code| kept.keep(&code)) {
            tracing::error!(policy = %name, "this version will not be there to go back to after a restart: {error}");
            is_incomplete = true;
        }
        let rejected = self.rejected.map(|NotLetIn { digest, error }| {
            self.slot.record_rejection(digest, error.message.clone());
            error.message
        });
        Change { name, what, rejected, is_incomplete }
    }
}

impl Loader<'_> {
    /// A policy that serves already.
    async fn renew(&self, policy: &config::Policy, slot: &Arc<PolicySlot>) -> Result<Loaded, Unloadable> {
        let active = slot.active();
        let chosen = self.decided(policy).and_then(|decided| decided.chosen).map(|chosen| chosen.digest);
        if chosen.is_some_and(|chosen| chosen == active.digest()) {
            return self.stay(policy, slot, None).await;
        }
        let read = match chosen {
            Some(version) => self.kept_code(version),
            None => self.read(&policy.source).await,
        };
        let code = match read {
            Ok(code) => code,
            Err(error) if chosen.is_none() && self.is_of_source(policy, active.digest()) => {
                return self.stay(policy, slot, Some(NotLetIn { digest: None, error })).await;
            }
            Err(error) => return failed(policy, slot, None, error),
        };
        let digest = code.digest();
        if digest == active.digest() {
            return Ok(self.stay(policy, slot, None).await?.keeping(code, self.kept));
        }
        if let Some(hold) = self.held(policy, digest) {
            let error = told(hold, &policy.spec.name, digest).into();
            let rejected = NotLetIn { digest: Some(digest), error };
            return self.stay(policy, slot, Some(rejected)).await;
        }
        match self.compile(policy, code).await {
            Ok((loaded, code)) => {
                Ok(Loaded::new(slot, Step::Swap { policy: Box::new(loaded), code: Some(code) }))
            }
            Err(error) => failed(policy, slot, Some(digest), error),
        }
    }

    /// The version that serves goes on, under the configuration as it is now.
    async fn stay(
        &self,
        policy: &config::Policy,
        slot: &Arc<PolicySlot>,
        rejected: Option<NotLetIn>,
    ) -> Result<Loaded, Unloadable> {
        let active = slot.active();
        if *active.spec() == policy.spec {
            return Ok(Loaded { rejected, ..Loaded::new(slot, Step::Keep) });
        }
        let (runtime, spec) = (self.runtime.clone(), policy.spec.clone());
        match off_the_request_path(move || runtime.respecify(&active, spec)).await {
            Ok(loaded) => {
                let step = Step::Swap { policy: Box::new(loaded), code: None };
                Ok(Loaded { rejected, ..Loaded::new(slot, step) })
            }
            Err(error) => Err(Unloadable::new(policy, error)),
        }
    }

    /// A policy that does not serve yet: what was chosen, else what its source
    /// says, else what served last.
    async fn begin(&self, policy: &config::Policy) -> Result<Loaded, Unloadable> {
        let decided = self.decided(policy);
        if let Some(chosen) = decided.and_then(|decided| decided.chosen) {
            match self.load_kept(policy, chosen.digest).await {
                Ok(first) => return Ok(self.first(policy, first, None).await),
                Err(error) => tracing::error!(
                    policy = %policy.spec.name,
                    version = %chosen.digest,
                    "the version that was chosen is not there, the policy's source is taken: {}",
                    error.message
                ),
            }
        }
        let last = decided.and_then(|decided| decided.active);
        let (digest, error) = match self.read(&policy.source).await {
            Ok(code) => {
                let digest = code.digest();
                let hold = self.held(policy, digest);
                if hold.is_none() || !last.is_some_and(|last| self.kept.has(last)) {
                    match self.compile(policy, code).await {
                        Ok(first) => return Ok(self.first(policy, first, None).await),
                        Err(error) => (Some(digest), error),
                    }
                } else {
                    let held = hold.map(|hold| told(hold, &policy.spec.name, digest));
                    (Some(digest), held.unwrap_or_default().into())
                }
            }
            Err(error) => (None, error),
        };
        let Some(last) = last else { return Err(Unloadable::new(policy, error)) };
        match self.load_kept(policy, last).await {
            Ok(first) => Ok(self.first(policy, first, Some(NotLetIn { digest, error })).await),
            Err(_) => Err(Unloadable::new(policy, error)),
        }
    }

    /// The first version of this process, and beside it the one that served before.
    async fn first(
        &self,
        policy: &config::Policy,
        (loaded, code): (Policy, Code),
        rejected: Option<NotLetIn>,
    ) -> Loaded {
        let digest = loaded.digest();
        let served = self.decided(policy).and_then(|decided| decided.active);
        let before = match served {
            Some(served) if served != digest => Some(served),
            _ => self.decided(policy).and_then(|decided| decided.previous).filter(|it| *it != digest),
        };
        let previous = match before {
            Some(version) => self.load_kept(policy, version).await.ok().map(|(previous, _)| previous),
            None => None,
        };
        let took_over = served.is_some_and(|served| served != digest);
        let slot = Arc::new(PolicySlot::new(loaded).with_previous(previous, took_over));
        Loaded { slot, step: Step::First { code }, rejected }
    }

    async fn read(&self, source: &PolicySource) -> Result<Code, NotLoaded> {
        match source {
            PolicySource::Builtin(name) => (self.sources.builtin)(name)
                .map(Code::embedded)
                .ok_or_else(|| format!("there is no built-in policy `{name}`").into()),
            PolicySource::Fetched(spec) => {
                let is_remote = !matches!(spec.source.location(), Location::File(_));
                let fetching = self.sources.fetcher.fetch(spec);
                let fetched = match self.patience.filter(|_| is_remote) {
                    Some(limit) => timeout(limit, fetching).await.unwrap_or_else(|_| {
                        Err(SupplyError::TimedOut { at: spec.source.to_string(), limit })
                    }),
                    None => fetching.await,
                };
                let fetched = fetched.map_err(|error| NotLoaded {
                    is_unreachable: is_remote && error.is_unreachable(),
                    ..NotLoaded::from(error)
                })?;
                Ok(Code::with_digest(fetched.bytes, fetched.digest))
            }
        }
    }

    async fn load_kept(&self, policy: &config::Policy, version: Digest) -> Result<(Policy, Code), NotLoaded> {
        self.compile(policy, self.kept_code(version)?).await
    }

    fn kept_code(&self, version: Digest) -> Result<Code, NotLoaded> {
        self.kept.code(version).ok_or_else(|| format!("the code of version {version} is not kept").into())
    }

    /// Whether a version is the last that came from a policy's source over the
    /// network. New settings for it need not wait until the source is back.
    fn is_of_source(&self, policy: &config::Policy, version: Digest) -> bool {
        let fetched = policy.source.fetch_spec().and_then(|spec| self.sources.fetcher.cached(spec));
        fetched.is_some_and(|fetched| fetched.digest == version)
    }

    fn decided(&self, policy: &config::Policy) -> Option<&PolicyState> {
        self.state.policy(&policy.spec.name)
    }

    fn held(&self, policy: &config::Policy, version: Digest) -> Option<&Hold> {
        self.state.held(&policy.spec.name, version, unix_seconds())
    }

    /// Gives the code back, which is large, with what became of it.
    async fn compile(&self, policy: &config::Policy, code: Code) -> Result<(Policy, Code), NotLoaded> {
        let (spec, runtime) = (policy.spec.clone(), self.runtime.clone());
        off_the_request_path(move || Ok((runtime.load(spec, &code)?, code))).await
    }
}

/// Where the configuration asks for nothing new of the policy, the version that
/// serves goes on; else there is none that fits it.
fn failed(
    policy: &config::Policy,
    slot: &Arc<PolicySlot>,
    digest: Option<Digest>,
    error: NotLoaded,
) -> Result<Loaded, Unloadable> {
    if *slot.active().spec() == policy.spec {
        let rejected = Some(NotLetIn { digest, error });
        return Ok(Loaded { rejected, ..Loaded::new(slot, Step::Keep) });
    }
    Err(Unloadable::new(policy, error))
}

/// Why a version that is on hold is not let in.
fn told(hold: &Hold, name: &PolicyName, version: Digest) -> String {
    let short = version.short();
    match hold.until {
        Some(until) => format!(
            "version {short} was rolled back ({}); it is tried again in {} s",
            hold.why,
            until.saturating_sub(unix_seconds())
        ),
        None => format!(
            "version {short} is in quarantine ({}); `pointsman policy release {name} {short}` lets it back in",
            hold.why
        ),
    }
}

/// Runs the load gate where it may block.
pub(super) async fn off_the_request_path<T: Send + 'static>(
    load: impl FnOnce() -> Result<T, LoadError> + Send + 'static,
) -> Result<T, NotLoaded> {
    let load = move || load().map_err(NotLoaded::from);
    let panicked = |error| NotLoaded::from(format!("the load gate failed: {error}"));
    tokio::task::spawn_blocking(load).await.map_err(panicked)?
}
