//! What is done about a policy's versions while the gateway runs.
//!
//! What loads a version takes the turn of a reload; going back to one that is
//! there waits for nobody.

use std::sync::Arc;

use pointsman_domain::ids::{Digest, PolicyName};
use pointsman_domain::rollout::Hold;
use pointsman_policy::{Code, Policy, PolicySlot, SlotRollback};

use super::policies::off_the_request_path;
use super::route_operations::{ChangeAttribution, OperationError, check_not_held, slot, with};
use super::{Reloader, Report};
use crate::clock::unix_seconds;
use crate::rollout::state::{Chosen, OverrideKind};
use crate::rollout::{Actor, Event, State};
use crate::snapshot::Snapshot;

/// Fewest hex digits that a version may be called by.
const SHORTEST_PREFIX: usize = 6;

/// A version that is about to serve.
struct Loaded {
    policy: Policy,
    /// Its code, if there is none of it anywhere else.
    uploaded: Option<Code>,
}

/// The return from a bad version to the one before it.
pub(super) struct Undo {
    slot: Arc<PolicySlot>,
    back: SlotRollback,
    /// The state after it.
    state: State,
    event: Event,
    /// Whether the version that serves instead has other settings or limits than
    /// are configured now.
    outdated: bool,
}

impl Reloader {
    /// Lets the version of a policy that served before serve again, and puts the
    /// one that serves in quarantine.
    pub async fn roll_back(
        &self,
        policy: &PolicyName,
        attribution: ChangeAttribution,
    ) -> Result<SlotRollback, OperationError> {
        let undo = {
            let _changing = self.changing();
            let current = self.app.snapshot();
            let slot = slot(&current, policy)?;
            let bad = slot.active().digest();
            let state = self.rollouts.state();
            let before = state.policy(policy).and_then(|decided| decided.holds.get(&bad));
            let why = with("rolled back by hand".to_owned(), &attribution.why);
            let hold = Hold::quarantine(before, unix_seconds(), why);
            let undo = self.undo(slot, bad, hold, attribution.who).ok_or_else(|| {
                OperationError::Conflict(format!(
                    "there is no other version of the policy `{policy}` to go back to; \
                     settings are changed in the configuration"
                ))
            })?;
            let Undo { slot, state, event, .. } = &undo;
            self.commit(state.clone(), event.clone(), || _ = slot.roll_back(bad))?;
            undo
        };
        self.respecify(undo.outdated).await;
        Ok(undo.back)
    }

    /// Change that puts the version before in the place of a bad one, if there is one. Nothing
    /// has changed yet.
    pub(super) fn undo(&self, slot: &Arc<PolicySlot>, bad: Digest, hold: Hold, who: Actor) -> Option<Undo> {
        let previous = slot.previous().filter(|previous| previous.digest() != bad)?;
        let back = SlotRollback { from: bad, to: previous.digest() };
        let event =
            Event::new(who, "rollback").policy(slot.name()).from(bad).to(back.to).why(hold.why.as_str());
        let mut state = self.rollouts.state();
        let decided = state.policy_mut(slot.name());
        decided.drop_chosen(bad);
        decided.holds.insert(bad, hold);
        (decided.active, decided.previous) = (Some(back.to), None);
        let current = self.app.snapshot();
        let configured = current.config.policy(slot.name());
        let outdated = configured.is_some_and(|policy| policy.spec != *previous.spec());
        Some(Undo { slot: Arc::clone(slot), back, state, event, outdated })
    }

    /// The guard's return from a bad version. Whether the version that serves now is to
    /// be brought under the configuration.
    pub(super) fn undo_at_once(&self, undo: Undo) -> bool {
        let Undo { slot, back, state, event, outdated } = undo;
        self.commit_at_once(state, event, || _ = slot.roll_back(back.from));
        outdated
    }

    /// Brings a version that served before under the configuration as it is now, if it
    /// had other settings or limits.
    pub(super) async fn respecify(&self, is_outdated: bool) {
        if is_outdated {
            self.reload("rollback").await;
        }
    }

    /// Lets one version of a policy serve, whatever its source says.
    pub async fn pin(
        &self,
        policy: &PolicyName,
        version: &str,
        attribution: ChangeAttribution,
    ) -> Result<Digest, OperationError> {
        let _turn = self.turn.lock().await;
        let current = self.app.snapshot();
        let slot = slot(&current, policy)?;
        let digest = self.version(slot, version)?;
        let state = self.rollouts.state();
        check_not_held(state.held(policy, digest, unix_seconds()), policy, digest)?;
        let loaded = self.load_version(&current, slot, digest, None).await?;
        let chosen = |_: Option<Chosen>| Chosen { digest, how: OverrideKind::Pinned, before: None };
        self.serve(slot, loaded, chosen, "pin", attribution)?;
        Ok(digest)
    }

    /// Lets the policy's source say again which version serves.
    pub async fn unpin(
        &self,
        policy: &PolicyName,
        attribution: ChangeAttribution,
    ) -> Result<Report, OperationError> {
        {
            let _changing = self.changing();
            let current = self.app.snapshot();
            let slot = slot(&current, policy)?;
            let mut state = self.rollouts.state();
            if state.policy_mut(policy).chosen.take().is_none() {
                return Err(OperationError::Conflict(format!(
                    "no version of the policy `{policy}` is pinned or uploaded: its source says which one serves"
                )));
            }
            let event = Event::new(attribution.who, "unpin").policy(policy).from(slot.active().digest());
            // The reload below brings in what the source says.
            self.commit(state, event.why(attribution.why), || {})?;
        }
        Ok(self.reload("admin").await)
    }

    /// Lifts every hold on a version of a policy.
    pub async fn release(
        &self,
        policy: &PolicyName,
        version: &str,
        attribution: ChangeAttribution,
    ) -> Result<Report, OperationError> {
        {
            let _changing = self.changing();
            slot(&self.app.snapshot(), policy)?;
            let mut state = self.rollouts.state();
            let of_policy = state.policies.get(policy).into_iter().flat_map(|decided| decided.holds.keys());
            let at_routes = state.routes.values().flat_map(|decided| decided.holds.keys());
            let held: Vec<Digest> = of_policy.chain(at_routes).copied().collect();
            let digest = one_of(&held, version, "version on hold")?;
            state.policy_mut(policy).holds.remove(&digest);
            for route in state.routes.values_mut() {
                route.holds.remove(&digest);
            }
            let event = Event::new(attribution.who, "release").policy(policy).to(digest);
            self.commit(state, event.why(attribution.why), || {})?;
        }
        Ok(self.reload("admin").await)
    }

    /// Lets a version serve that was sent here. It passes the same gate as any other.
    pub async fn upload(
        &self,
        policy: &PolicyName,
        code: Code,
        attribution: ChangeAttribution,
    ) -> Result<Digest, OperationError> {
        let _turn = self.turn.lock().await;
        let current = self.app.snapshot();
        let slot = slot(&current, policy)?;
        let digest = code.digest();
        let state = self.rollouts.state();
        check_not_held(state.held(policy, digest, unix_seconds()), policy, digest)?;
        if slot.active().digest() == digest {
            return Err(OperationError::Conflict(format!("version {} serves already", digest.short())));
        }
        let loaded = self.load_version(&current, slot, digest, Some(code)).await?;
        let chosen = |before: Option<Chosen>| {
            let before = before.map(|chosen| chosen.digest);
            Chosen { digest, how: OverrideKind::Uploaded, before }
        };
        self.serve(slot, loaded, chosen, "upload", attribution)?;
        Ok(digest)
    }

    /// Lets a version serve, if that can be remembered.
    fn serve(
        &self,
        slot: &PolicySlot,
        loaded: Option<Loaded>,
        chosen: impl FnOnce(Option<Chosen>) -> Chosen,
        action: &str,
        attribution: ChangeAttribution,
    ) -> Result<(), OperationError> {
        let _changing = self.changing();
        let mut state = self.rollouts.state();
        let decided = state.policy_mut(slot.name());
        let chosen = chosen(decided.chosen);
        decided.chosen = Some(chosen);
        let from = slot.active().digest();
        if from != chosen.digest {
            (decided.active, decided.previous) = (Some(chosen.digest), Some(from));
        }
        let hold = state.held(slot.name(), chosen.digest, unix_seconds());
        check_not_held(hold, slot.name(), chosen.digest)?;
        let (policy, uploaded) = loaded.map(|loaded| (loaded.policy, loaded.uploaded)).unzip();
        if let Some(code) = uploaded.flatten() {
            self.rollouts.kept.keep_uploaded(code)?;
        }
        let event = Event::new(attribution.who, action).policy(slot.name()).from(from).to(chosen.digest);
        self.commit(state, event.why(attribution.why), || {
            if let Some(policy) = policy {
                slot.swap(policy);
            }
        })
    }

    /// Loads a version, and gives the code back that is to be kept; `None` if it
    /// serves already.
    async fn load_version(
        &self,
        current: &Snapshot,
        slot: &Arc<PolicySlot>,
        version: Digest,
        uploaded: Option<Code>,
    ) -> Result<Option<Loaded>, OperationError> {
        if slot.active().digest() == version {
            return Ok(None);
        }
        let Some(configured) = current.config.policy(slot.name()) else { return Ok(None) };
        let (spec, runtime) = (configured.spec.clone(), self.runtime.clone());
        let previous = slot.previous().filter(|previous| previous.digest() == version);
        let loaded = match (previous, uploaded) {
            (Some(previous), None) => {
                let load = move || Ok(Loaded { policy: runtime.respecify(&previous, spec)?, uploaded: None });
                off_the_request_path(load).await
            }
            (_, Some(code)) => {
                let load = move || Ok(Loaded { policy: runtime.load(spec, &code)?, uploaded: Some(code) });
                off_the_request_path(load).await
            }
            (None, None) => {
                let Some(code) = self.rollouts.kept.code(version) else {
                    return Err(OperationError::NotFound(format!(
                        "the code of version {version} is not kept"
                    )));
                };
                let load = move || Ok(Loaded { policy: runtime.load(spec, &code)?, uploaded: None });
                off_the_request_path(load).await
            }
        };
        loaded.map(Some).map_err(|error| OperationError::Invalid(error.into_message()))
    }

    /// The version that a text means: all of its digest, or the start of it.
    fn version(&self, slot: &PolicySlot, text: &str) -> Result<Digest, OperationError> {
        let mut known = self.rollouts.kept.versions();
        known.push(slot.active().digest());
        known.extend(slot.previous().map(|previous| previous.digest()));
        one_of(&known, text, "version that is kept")
    }
}

/// The one digest that starts with a text.
fn one_of(known: &[Digest], text: &str, what: &str) -> Result<Digest, OperationError> {
    let start = text.strip_prefix("sha256:").unwrap_or(text).to_ascii_lowercase();
    if start.len() < SHORTEST_PREFIX || !start.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return Err(OperationError::Invalid(format!(
            "`{text}` is no version: give at least {SHORTEST_PREFIX} hex digits of its SHA-256"
        )));
    }
    let mut matching: Vec<Digest> =
        known.iter().copied().filter(|digest| digest.to_string().starts_with(&start)).collect();
    matching.sort();
    matching.dedup();
    match matching.as_slice() {
        [digest] => Ok(*digest),
        [] => {
            let known: Vec<String> = known.iter().map(Digest::short).collect();
            Err(OperationError::NotFound(format!(
                "there is no {what} `{text}`; there are: {}",
                known.join(", ")
            )))
        }
        _ => Err(OperationError::Invalid(format!("more than one {what} starts with `{text}`"))),
    }
}
