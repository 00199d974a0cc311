//! Operations on the versions of a policy: rollback, pin, unpin, release and upload.
//!
//! An operation that loads a version takes the turn of a reload. A rollback to a version in memory
//! does not, so it never waits for a compiler.

use std::sync::Arc;

use pointsman_domain::ids::{Digest, PolicyName};
use pointsman_domain::rollout::Hold;
use pointsman_policy::{Code, Policy, PolicySlot, SlotRollback};

use super::policies::off_the_request_path;
use super::route_operations::{ChangeAttribution, OperationError, check_not_held, slot, with};
use super::{Reloader, Report};
use crate::clock::unix_seconds;
use crate::rollout::state::{OverrideKind, VersionOverride};
use crate::rollout::{Actor, AuditEntry, RolloutState};
use crate::snapshot::Snapshot;

/// Fewest hex digits of an abbreviated version.
const SHORTEST_PREFIX: usize = 6;

/// A version that is about to serve.
struct LoadedVersion {
    policy: Policy,
    /// Its code, if it was uploaded and must be stored.
    uploaded: Option<Code>,
}

/// A prepared rollback from a bad version to the previous one.
pub(super) struct VersionRollback {
    slot: Arc<PolicySlot>,
    back: SlotRollback,
    /// The rollout state after it.
    state: RolloutState,
    event: AuditEntry,
    /// True if the settings or limits of the previous version differ from the configuration.
    is_outdated: bool,
}

impl Reloader {
    /// Rolls a policy back to its previous version, and quarantines the active one.
    pub async fn roll_back(
        &self,
        policy: &PolicyName,
        attribution: ChangeAttribution,
    ) -> Result<SlotRollback, OperationError> {
        let rollback = {
            let _guard = self.lock_changes();
            let current = self.app.snapshot();
            let slot = slot(&current, policy)?;
            let bad = slot.active().digest();
            let state = self.rollouts.state();
            let before = state.policy(policy).and_then(|decided| decided.holds.get(&bad));
            let why = with("rolled back by hand".to_owned(), &attribution.why);
            let hold = Hold::quarantine(before, unix_seconds(), why);
            let rollback = self.prepare_rollback(slot, bad, hold, attribution.who).ok_or_else(|| {
                OperationError::Conflict(format!(
                    "there is no other version of the policy `{policy}` to go back to; \
                     settings are changed in the configuration"
                ))
            })?;
            let VersionRollback { slot, state, event, .. } = &rollback;
            self.commit(state.clone(), event.clone(), || _ = slot.roll_back(bad))?;
            rollback
        };
        self.respecify(rollback.is_outdated).await;
        Ok(rollback.back)
    }

    /// Returns the code of the version of a policy that serves, which is stored or read from its source.
    ///
    /// # Errors
    /// Fails if there is no such policy, or its source cannot be read or has another version by now.
    pub async fn active_code(&self, policy: &PolicyName) -> Result<Code, OperationError> {
        let current = self.app.snapshot();
        let active = slot(&current, policy)?.active().digest();
        if let Some(code) = self.rollouts.state_store.code(active) {
            return Ok(code);
        }
        let Some(configured) = current.config.policy(policy) else {
            return Err(OperationError::NotFound(format!("there is no policy `{policy}`")));
        };
        let state = self.rollouts.state();
        let code = self.loader(&state).read(&configured.source).await;
        let code = code.map_err(|error| {
            let reason = error.into_message();
            OperationError::Invalid(format!("the source of the policy `{policy}` cannot be read: {reason}"))
        })?;
        if code.digest() != active {
            return Err(OperationError::Conflict(format!(
                "the source of the policy `{policy}` has another version than the one that serves; reload first"
            )));
        }
        Ok(code)
    }

    /// Prepares the rollback of a bad version, if there is a previous one. Changes nothing yet.
    pub(super) fn prepare_rollback(
        &self,
        slot: &Arc<PolicySlot>,
        bad: Digest,
        hold: Hold,
        who: Actor,
    ) -> Option<VersionRollback> {
        let previous = slot.previous().filter(|previous| previous.digest() != bad)?;
        let back = SlotRollback { from: bad, to: previous.digest() };
        let event =
            AuditEntry::new(who, "rollback").policy(slot.name()).from(bad).to(back.to).why(hold.why.as_str());
        let mut state = self.rollouts.state();
        let decided = state.policy_mut(slot.name());
        decided.drop_chosen(bad);
        decided.holds.insert(bad, hold);
        (decided.active, decided.previous) = (Some(back.to), None);
        let current = self.app.snapshot();
        let configured = current.config.policy(slot.name());
        let is_outdated = configured.is_some_and(|policy| policy.spec != *previous.spec());
        Some(VersionRollback { slot: Arc::clone(slot), back, state, event, is_outdated })
    }

    /// Commits an automatic rollback. Returns whether the settings of the version that now serves
    /// differ from the configuration.
    pub(super) fn commit_rollback(&self, rollback: VersionRollback) -> bool {
        let VersionRollback { slot, back, state, event, is_outdated } = rollback;
        self.commit_at_once(state, event, || _ = slot.roll_back(back.from));
        is_outdated
    }

    /// Reloads after a rollback to a version with outdated settings, which applies the configured
    /// ones.
    pub(super) async fn respecify(&self, is_outdated: bool) {
        if is_outdated {
            self.reload("rollback").await;
        }
    }

    /// Pins a policy to a version, whatever its source has.
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
        let chosen =
            |_: Option<VersionOverride>| VersionOverride { digest, how: OverrideKind::Pinned, before: None };
        self.serve(slot, loaded, chosen, "pin", attribution)?;
        Ok(digest)
    }

    /// Removes the pin or upload, so that the policy's source determines the version again.
    pub async fn unpin(
        &self,
        policy: &PolicyName,
        attribution: ChangeAttribution,
    ) -> Result<Report, OperationError> {
        {
            let _guard = self.lock_changes();
            let current = self.app.snapshot();
            let slot = slot(&current, policy)?;
            let mut state = self.rollouts.state();
            if state.policy_mut(policy).chosen.take().is_none() {
                return Err(OperationError::Conflict(format!(
                    "no version of the policy `{policy}` is pinned or uploaded: its source says which one serves"
                )));
            }
            let event = AuditEntry::new(attribution.who, "unpin").policy(policy).from(slot.active().digest());
            // The reload below loads the version at the source.
            self.commit(state, event.why(attribution.why), || {})?;
        }
        Ok(self.reload("admin").await)
    }

    /// Lifts all holds on a version of a policy.
    pub async fn release(
        &self,
        policy: &PolicyName,
        version: &str,
        attribution: ChangeAttribution,
    ) -> Result<Report, OperationError> {
        {
            let _guard = self.lock_changes();
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
            let event = AuditEntry::new(attribution.who, "release").policy(policy).to(digest);
            self.commit(state, event.why(attribution.why), || {})?;
        }
        Ok(self.reload("admin").await)
    }

    /// Puts an uploaded version in force, after the same load gate as any other.
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
        let chosen = |before: Option<VersionOverride>| {
            let before = before.map(|chosen| chosen.digest);
            VersionOverride { digest, how: OverrideKind::Uploaded, before }
        };
        self.serve(slot, loaded, chosen, "upload", attribution)?;
        Ok(digest)
    }

    /// Puts a version in force, if the change can be stored.
    fn serve(
        &self,
        slot: &PolicySlot,
        loaded: Option<LoadedVersion>,
        chosen: impl FnOnce(Option<VersionOverride>) -> VersionOverride,
        action: &str,
        attribution: ChangeAttribution,
    ) -> Result<(), OperationError> {
        let _guard = self.lock_changes();
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
            self.rollouts.state_store.store_uploaded_code(code)?;
        }
        let event = AuditEntry::new(attribution.who, action).policy(slot.name()).from(from).to(chosen.digest);
        self.commit(state, event.why(attribution.why), || {
            if let Some(policy) = policy {
                slot.swap(policy);
            }
        })
    }

    /// Loads a version; `None` if it serves already.
    async fn load_version(
        &self,
        current: &Snapshot,
        slot: &Arc<PolicySlot>,
        version: Digest,
        uploaded: Option<Code>,
    ) -> Result<Option<LoadedVersion>, OperationError> {
        if slot.active().digest() == version {
            return Ok(None);
        }
        let Some(configured) = current.config.policy(slot.name()) else { return Ok(None) };
        let (spec, runtime) = (configured.spec.clone(), self.runtime.clone());
        let previous = slot.previous().filter(|previous| previous.digest() == version);
        let loaded = match (previous, uploaded) {
            (Some(previous), None) => {
                let load =
                    move || Ok(LoadedVersion { policy: runtime.respecify(&previous, spec)?, uploaded: None });
                off_the_request_path(load).await
            }
            (_, Some(code)) => {
                let load =
                    move || Ok(LoadedVersion { policy: runtime.load(spec, &code)?, uploaded: Some(code) });
                off_the_request_path(load).await
            }
            (None, None) => {
                let Some(code) = self.rollouts.state_store.code(version) else {
                    return Err(OperationError::NotFound(format!(
                        "the code of version {version} is not stored"
                    )));
                };
                let load = move || Ok(LoadedVersion { policy: runtime.load(spec, &code)?, uploaded: None });
                off_the_request_path(load).await
            }
        };
        loaded.map(Some).map_err(|error| OperationError::Invalid(error.into_message()))
    }

    /// Resolves a digest or its beginning to a known version.
    fn version(&self, slot: &PolicySlot, text: &str) -> Result<Digest, OperationError> {
        let mut known = self.rollouts.state_store.versions();
        known.push(slot.active().digest());
        known.extend(slot.previous().map(|previous| previous.digest()));
        one_of(&known, text, "stored version")
    }
}

/// Returns the only digest that starts with a text.
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
