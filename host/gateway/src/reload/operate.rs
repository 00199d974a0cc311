//! What persons and the guard do about policies while the gateway runs.
//!
//! Each is one change of the state and a snapshot built from it; only one is made
//! at a time. Those that load a version take the turn of a reload too, and the
//! others wait for no compiler. What cannot be done changes nothing.

use std::sync::Arc;

use pointsman_domain::ids::{Digest, PolicyName, RouteName};
use pointsman_domain::rollout::{Breach, Hold};
use pointsman_policy::{Code, Policy, Record, RolledBack, Slot};

use super::policies::off_the_request_path;
use super::{Reloader, Report, remember};
use crate::clock::unix_seconds;
use crate::config::{self, Trial};
use crate::rollout::state::{Chosen, How, OtherTrial, Promoted};
use crate::rollout::{Event, KeepError, State, Who};
use crate::snapshot::{Snapshot, connect};

/// Fewest hex digits that a version may be called by.
const SHORTEST_PREFIX: usize = 6;

/// Whose word it is, and why.
#[derive(Clone, Debug)]
pub(crate) struct Word {
    /// Who says so.
    pub(crate) who: Who,
    /// The reason given, or nothing.
    pub(crate) why: String,
}

/// Why something cannot be done. Nothing has changed then.
#[derive(Debug, thiserror::Error)]
pub(crate) enum CannotDo {
    /// There is nothing of this name.
    #[error("{0}")]
    NotFound(String),
    /// It makes no sense as things stand.
    #[error("{0}")]
    Conflict(String),
    /// What was given is no good.
    #[error("{0}")]
    Invalid(String),
    /// It could not be remembered.
    #[error(transparent)]
    Kept(#[from] KeepError),
}

/// A version that was undone.
struct Undone {
    back: RolledBack,
    /// Whether the version that serves instead has other settings or limits than
    /// are configured now.
    outdated: bool,
}

impl Reloader {
    /// Puts a policy on trial at a route, changes the trial that there is, or ends it.
    pub(crate) fn set_trial(
        &self,
        route: &RouteName,
        trial: Option<Trial>,
        word: Word,
    ) -> Result<(), CannotDo> {
        let _changing = self.changing();
        let current = self.app.snapshot();
        let mut state = self.rollouts.state();
        let configured = self::route(&current, route)?;
        let event = match &trial {
            Some(trial) => {
                let digest = self.check_trial(&current, &state, configured, trial)?;
                let action = match trial.mode {
                    config::Mode::Shadow => "shadow",
                    config::Mode::Canary { .. } => "canary",
                };
                let event = Event::new(word.who, action).policy(&trial.policy).to(digest);
                match trial.mode {
                    config::Mode::Shadow => event.why(word.why),
                    config::Mode::Canary { percent } => event.why(with(format!("{percent} %"), &word.why)),
                }
            }
            None => {
                let Some(trial) = state.trial_of(configured, &current.config) else {
                    return Err(CannotDo::Conflict(format!("no policy is on trial at the route `{route}`")));
                };
                Event::new(word.who, "end-trial").policy(&trial.policy).why(word.why)
            }
        };
        let other = OtherTrial { trial, instead_of: configured.trial.clone() };
        state.route_mut(route).trial = Some(other);
        self.decide(&current, state, event.route(route))
    }

    fn check_trial(
        &self,
        current: &Snapshot,
        state: &State,
        route: &config::Route,
        trial: &Trial,
    ) -> Result<Digest, CannotDo> {
        let slot = slot(current, &trial.policy)?;
        if !trial.mode.is_possible() {
            return Err(CannotDo::Invalid("`percent` has to be a number above 0 and up to 100".to_owned()));
        }
        if trial.policy == *state.policy_of(route, &current.config) {
            return Err(CannotDo::Conflict(format!(
                "the policy `{}` decides at the route `{}` already",
                trial.policy, route.name
            )));
        }
        let digest = slot.active().digest();
        match trial.mode {
            config::Mode::Shadow => {}
            config::Mode::Canary { .. } => check_not_held_at(state, &route.name, &trial.policy, digest)?,
        }
        Ok(digest)
    }

    /// Lets the policy on trial at a route decide there.
    pub(crate) fn promote(&self, route: &RouteName, word: Word) -> Result<(), CannotDo> {
        let _changing = self.changing();
        let current = self.app.snapshot();
        let mut state = self.rollouts.state();
        let configured = self::route(&current, route)?;
        let Some(trial) = state.trial_of(configured, &current.config).cloned() else {
            return Err(CannotDo::Conflict(format!(
                "no policy is on trial at the route `{route}`: put one on trial first, and look how it does"
            )));
        };
        let digest = slot(&current, &trial.policy)?.active().digest();
        check_not_held_at(&state, route, &trial.policy, digest)?;
        let now = unix_seconds();
        let decided = state.route_mut(route);
        decided.promoted = (trial.policy != configured.policy).then(|| Promoted {
            policy: trial.policy.clone(),
            instead_of: configured.policy.clone(),
            at: now,
        });
        decided.trial = Some(OtherTrial { trial: None, instead_of: configured.trial.clone() });
        let event = Event::new(word.who, "promote").route(route).policy(&trial.policy).to(digest);
        self.decide(&current, state, event.why(word.why))
    }

    /// Lets the policy that the configuration names decide at a route again.
    pub(crate) fn demote(&self, route: &RouteName, word: Word) -> Result<(), CannotDo> {
        let _changing = self.changing();
        let current = self.app.snapshot();
        let state = self.rollouts.state();
        let configured = self::route(&current, route)?;
        let Some(promoted) = state.promoted(configured, &current.config).cloned() else {
            return Err(CannotDo::Conflict(format!(
                "no policy was promoted at the route `{route}`: `{}` decides there as configured",
                configured.policy
            )));
        };
        let (state, event) = demoted(&current, state, route, &promoted, word);
        self.decide(&current, state, event)
    }

    /// Lets the version of a policy that served before serve again, and puts the
    /// one that serves in quarantine.
    pub(crate) async fn roll_back(&self, policy: &PolicyName, word: Word) -> Result<RolledBack, CannotDo> {
        let undone = {
            let _changing = self.changing();
            let current = self.app.snapshot();
            let slot = slot(&current, policy)?;
            let bad = slot.active().digest();
            let state = self.rollouts.state();
            let before = state.policy(policy).and_then(|decided| decided.holds.get(&bad));
            let why = with("rolled back by hand".to_owned(), &word.why);
            let hold = Hold::quarantine(before, unix_seconds(), why);
            self.undo(slot, bad, hold, word.who)
        };
        let undone = undone.ok_or_else(|| {
            CannotDo::Conflict(format!(
                "there is no other version of the policy `{policy}` to go back to; \
                 settings are changed in the configuration"
            ))
        })?;
        self.respecify(&undone).await;
        Ok(undone.back)
    }

    /// Puts the version before in the place of a bad one, if there is one.
    fn undo(&self, slot: &Arc<Slot>, bad: Digest, hold: Hold, who: Who) -> Option<Undone> {
        let previous = slot.previous().filter(|previous| previous.digest() != bad)?;
        let back = slot.roll_back(bad)?;
        let mut state = self.rollouts.state();
        let event =
            Event::new(who, "rollback").policy(slot.name()).from(bad).to(back.to).why(hold.why.as_str());
        let decided = state.policy_mut(slot.name());
        decided.drop_chosen(bad);
        decided.holds.insert(bad, hold);
        let current = self.app.snapshot();
        remember(&self.rollouts, state, &current.slots, vec![event]);
        let configured = current.config.policy(slot.name());
        Some(Undone { back, outdated: configured.is_some_and(|policy| policy.spec != *previous.spec()) })
    }

    /// Brings a version that served before under the configuration as it is now:
    /// it may have had other settings or limits.
    async fn respecify(&self, undone: &Undone) {
        if undone.outdated {
            self.reload("rollback").await;
        }
    }

    /// Lets one version of a policy serve, whatever its source says.
    pub(crate) async fn pin(
        &self,
        policy: &PolicyName,
        version: &str,
        word: Word,
    ) -> Result<Digest, CannotDo> {
        let _turn = self.turn.lock().await;
        let current = self.app.snapshot();
        let slot = slot(&current, policy)?;
        let digest = self.version(slot, version)?;
        check_not_held(&self.rollouts.state(), policy, digest)?;
        let loaded = self.load_version(&current, slot, digest, None).await?;
        let chosen = |_: Option<Chosen>| Chosen { digest, how: How::Pinned, before: None };
        self.serve(slot, loaded, chosen, "pin", word)?;
        Ok(digest)
    }

    /// Lets the policy's source say again which version serves.
    pub(crate) async fn unpin(&self, policy: &PolicyName, word: Word) -> Result<Report, CannotDo> {
        {
            let _changing = self.changing();
            let current = self.app.snapshot();
            let slot = slot(&current, policy)?;
            let mut state = self.rollouts.state();
            if state.policy_mut(policy).chosen.take().is_none() {
                return Err(CannotDo::Conflict(format!(
                    "no version of the policy `{policy}` is pinned or uploaded: its source says which one serves"
                )));
            }
            self.rollouts.decide(state)?;
            let event = Event::new(word.who, "unpin").policy(policy).from(slot.active().digest());
            self.rollouts.audit.note(event.why(word.why));
        }
        Ok(self.reload("admin").await)
    }

    /// Lifts every hold on a version of a policy.
    pub(crate) async fn release(
        &self,
        policy: &PolicyName,
        version: &str,
        word: Word,
    ) -> Result<Report, CannotDo> {
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
            self.rollouts.decide(state)?;
            let event = Event::new(word.who, "release").policy(policy).to(digest);
            self.rollouts.audit.note(event.why(word.why));
        }
        Ok(self.reload("admin").await)
    }

    /// Lets a version serve that was sent here. It passes the same gate as any other.
    pub(crate) async fn upload(
        &self,
        policy: &PolicyName,
        code: Code<'static>,
        word: Word,
    ) -> Result<Digest, CannotDo> {
        let _turn = self.turn.lock().await;
        let current = self.app.snapshot();
        let slot = slot(&current, policy)?;
        let digest = code.digest();
        check_not_held(&self.rollouts.state(), policy, digest)?;
        if slot.active().digest() == digest {
            return Err(CannotDo::Conflict(format!("version {} serves already", digest.short())));
        }
        let loaded = self.load_version(&current, slot, digest, Some(code)).await?;
        let chosen = |before: Option<Chosen>| {
            let before = before.map(|chosen| chosen.digest);
            Chosen { digest, how: How::Uploaded, before }
        };
        self.serve(slot, loaded, chosen, "upload", word)?;
        Ok(digest)
    }

    /// Lets a version serve, if that can be remembered.
    fn serve(
        &self,
        slot: &Slot,
        loaded: Option<Policy>,
        chosen: impl FnOnce(Option<Chosen>) -> Chosen,
        action: &str,
        word: Word,
    ) -> Result<(), CannotDo> {
        let _changing = self.changing();
        let mut state = self.rollouts.state();
        let decided = state.policy_mut(slot.name());
        let chosen = chosen(decided.chosen);
        decided.chosen = Some(chosen);
        check_not_held(&state, slot.name(), chosen.digest)?;
        self.rollouts.decide(state.clone())?;
        let from = slot.active().digest();
        if let Some(loaded) = loaded {
            slot.swap(loaded);
        }
        let event = Event::new(word.who, action).policy(slot.name()).from(from).to(chosen.digest);
        remember(&self.rollouts, state, &self.app.snapshot().slots, vec![event.why(word.why)]);
        Ok(())
    }

    /// Loads a version; `None` if it serves already.
    async fn load_version(
        &self,
        current: &Snapshot,
        slot: &Arc<Slot>,
        version: Digest,
        uploaded: Option<Code<'static>>,
    ) -> Result<Option<Policy>, CannotDo> {
        if slot.active().digest() == version {
            return Ok(None);
        }
        let Some(configured) = current.config.policy(slot.name()) else { return Ok(None) };
        let (spec, runtime) = (configured.spec.clone(), self.runtime.clone());
        let previous = slot.previous().filter(|previous| previous.digest() == version);
        let load = match (previous, uploaded) {
            (Some(previous), None) => off_the_request_path(move || runtime.respecify(&previous, spec)).await,
            (_, uploaded) => {
                let is_new = uploaded.is_some();
                let Some(code) = uploaded.or_else(|| self.rollouts.kept.code(version)) else {
                    return Err(CannotDo::NotFound(format!("the code of version {version} is not kept")));
                };
                let load = move || Ok((runtime.load(spec, &code)?, code));
                match off_the_request_path(load).await {
                    Ok((loaded, code)) if is_new => {
                        self.rollouts.kept.keep_uploaded(code)?;
                        Ok(loaded)
                    }
                    Ok((loaded, _)) => Ok(loaded),
                    Err(error) => Err(error),
                }
            }
        };
        load.map(Some).map_err(CannotDo::Invalid)
    }

    /// The version that a text means: all of its digest, or the start of it.
    fn version(&self, slot: &Slot, text: &str) -> Result<Digest, CannotDo> {
        let mut known = self.rollouts.kept.versions();
        known.push(slot.active().digest());
        known.extend(slot.previous().map(|previous| previous.digest()));
        one_of(&known, text, "version that is kept")
    }

    /// Undoes what is worse than what was there before it.
    pub(crate) async fn guard(&self) {
        for undone in self.undo_what_is_worse() {
            self.respecify(&undone).await;
        }
    }

    fn undo_what_is_worse(&self) -> Vec<Undone> {
        let _changing = self.changing();
        let current = self.app.snapshot();
        let rollback = current.config.rollback;
        if !rollback.enabled {
            return Vec::new();
        }
        let now = unix_seconds();
        let is_watched = |since: u64| now < since.saturating_add(rollback.watch.as_secs());
        let mut all_undone = Vec::new();
        for slot in current.slots.values() {
            let Some(took_over) = slot.took_over().filter(|it| is_watched(it.at)) else { continue };
            let state = self.rollouts.state();
            let decided = state.policy(slot.name());
            let chosen = decided.and_then(|decided| decided.chosen);
            if chosen.is_some_and(|chosen| chosen.how == How::Pinned) {
                continue;
            }
            let (new, old) = (took_over.new.record().tally(), took_over.old.record().tally());
            if let Some(breach) = rollback.thresholds.judge(&new, &old) {
                let bad = took_over.new.digest();
                let before = decided.and_then(|decided| decided.holds.get(&bad));
                let hold = rollback.backoff.hold(before, now, breach.to_string());
                tell_undone(slot.name(), bad, &breach, &hold);
                all_undone.extend(self.undo(slot, bad, hold, Who::Gateway));
            }
        }
        for route in &current.config.routes {
            self.guard_route(&current, route, now, &is_watched);
        }
        all_undone
    }

    fn guard_route(
        &self,
        current: &Snapshot,
        configured: &config::Route,
        now: u64,
        is_watched: &dyn Fn(u64) -> bool,
    ) {
        let rollback = current.config.rollback;
        let Some(served) = current.served.get(configured.name.as_str()) else { return };
        let mut state = self.rollouts.state();
        let canary = served.trial.as_ref().filter(|trial| trial.mode != config::Mode::Shadow);
        let breach = |new: &Record, old: &Record| rollback.thresholds.judge(&new.tally(), &old.tally());
        if let Some(trial) = canary {
            let score = trial.score();
            if let Some(breach) = breach(&score.trial, &score.active) {
                let bad = trial.slot.active().digest();
                let holds = &mut state.route_mut(&configured.name).holds;
                let hold = rollback.backoff.hold(holds.get(&bad), now, breach.to_string());
                tell_undone(trial.slot.name(), bad, &breach, &hold);
                let event = Event::new(Who::Gateway, "suspend-canary").route(&configured.name);
                let event = event.policy(trial.slot.name()).to(bad).why(hold.why.as_str());
                holds.insert(bad, hold);
                self.decide_at_once(current, state, event);
                return;
            }
        }
        let promotion = served.promotion.as_ref().filter(|promotion| is_watched(promotion.at));
        if let (Some(promotion), Some(promoted)) =
            (promotion, state.promoted(configured, &current.config).cloned())
            && let Some(breach) = breach(&promotion.new, &promotion.old)
        {
            let word = Word { who: Who::Gateway, why: breach.to_string() };
            let (mut state, event) = demoted(current, state, &configured.name, &promoted, word);
            if let Some(bad) = event.digest {
                let holds = &mut state.route_mut(&configured.name).holds;
                let hold = rollback.backoff.hold(holds.get(&bad), now, breach.to_string());
                tell_undone(&promoted.policy, bad, &breach, &hold);
                holds.insert(bad, hold);
            }
            self.decide_at_once(current, state, event);
        }
    }

    /// A person's decision: it stands only if it is remembered.
    fn decide(&self, current: &Snapshot, state: State, event: Event) -> Result<(), CannotDo> {
        let snapshot = rebuilt(current, &state)?;
        self.rollouts.decide(state)?;
        self.app.swap(snapshot);
        self.rollouts.audit.note(event);
        Ok(())
    }

    /// The guard's decision, which cannot wait for a disk.
    fn decide_at_once(&self, current: &Snapshot, state: State, event: Event) {
        match rebuilt(current, &state) {
            Ok(snapshot) => self.app.swap(snapshot),
            Err(error) => tracing::error!("cannot undo what the guard found: {error}"),
        }
        self.rollouts.decide_at_once(state);
        self.rollouts.audit.note(event);
    }
}

/// A snapshot of the same configuration, after another decision.
fn rebuilt(current: &Snapshot, state: &State) -> Result<Snapshot, CannotDo> {
    let config = current.config.clone();
    // None is new, so none can fail.
    let backends = connect(&config, Some(current)).map_err(|error| CannotDo::Conflict(error.to_string()))?;
    Ok(Snapshot::build(config, backends, current.slots.clone(), state, Some(current)))
}

/// The state in which a promoted policy is not any more, and what happened.
fn demoted(
    current: &Snapshot,
    mut state: State,
    route: &RouteName,
    promoted: &Promoted,
    word: Word,
) -> (State, Event) {
    state.route_mut(route).promoted = None;
    let event = Event::new(word.who, "demote").route(route).policy(&promoted.policy).why(word.why);
    let slot = current.slots.get(&promoted.policy);
    let event = match slot {
        Some(slot) => event.to(slot.active().digest()),
        None => event,
    };
    (state, event)
}

fn tell_undone(policy: &PolicyName, version: Digest, breach: &Breach, hold: &Hold) {
    let again = match hold.until {
        Some(until) => format!("it may be tried again in {} s", until.saturating_sub(hold.since)),
        None => "it is in quarantine until a person releases it".to_owned(),
    };
    tracing::error!(%policy, %version, strikes = hold.strikes, "a version was undone: {breach}; {again}");
}

fn route<'s>(current: &'s Snapshot, name: &RouteName) -> Result<&'s config::Route, CannotDo> {
    current.config.route(name).ok_or_else(|| {
        let names: Vec<&str> = current.config.routes.iter().map(|route| route.name.as_str()).collect();
        CannotDo::NotFound(format!("there is no route `{name}`; there are: {}", names.join(", ")))
    })
}

fn slot<'s>(current: &'s Snapshot, name: &PolicyName) -> Result<&'s Arc<Slot>, CannotDo> {
    current.slots.get(name).ok_or_else(|| {
        let names: Vec<&str> = current.slots.keys().map(PolicyName::as_str).collect();
        CannotDo::NotFound(format!("there is no policy `{name}`; there are: {}", names.join(", ")))
    })
}

fn check_not_held(state: &State, policy: &PolicyName, version: Digest) -> Result<(), CannotDo> {
    let held = state.held(policy, version, unix_seconds());
    held.map_or(Ok(()), |hold| Err(on_hold(policy, version, hold)))
}

fn check_not_held_at(
    state: &State,
    route: &RouteName,
    policy: &PolicyName,
    version: Digest,
) -> Result<(), CannotDo> {
    let held = state.held_at(route, version, unix_seconds());
    held.map_or(Ok(()), |hold| Err(on_hold(policy, version, hold)))
}

fn on_hold(policy: &PolicyName, version: Digest, hold: &Hold) -> CannotDo {
    let short = version.short();
    CannotDo::Conflict(format!(
        "version {short} of the policy `{policy}` is on hold ({}); \
         `pointsman policy release {policy} {short}` lifts that",
        hold.why
    ))
}

/// The one digest that starts with a text.
fn one_of(known: &[Digest], text: &str, what: &str) -> Result<Digest, CannotDo> {
    let start = text.strip_prefix("sha256:").unwrap_or(text).to_ascii_lowercase();
    if start.len() < SHORTEST_PREFIX || !start.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return Err(CannotDo::Invalid(format!(
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
            Err(CannotDo::NotFound(format!("there is no {what} `{text}`; there are: {}", known.join(", "))))
        }
        _ => Err(CannotDo::Invalid(format!("more than one {what} starts with `{text}`"))),
    }
}

/// A reason of ours, and the one that was given.
fn with(reason: String, given: &str) -> String {
    if given.is_empty() { reason } else { format!("{reason}: {given}") }
}
