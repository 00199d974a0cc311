//! Automatic rollback of versions, canaries and promotions.

use pointsman_config::{self as config, Mode};
use pointsman_domain::ids::{Digest, PolicyName};
use pointsman_domain::rollout::{Breach, Hold};
use pointsman_policy::PolicyStats;

use super::Reloader;
use super::route_operations::{ChangeAttribution, demoted};
use crate::clock::unix_seconds;
use crate::rollout::state::OverrideKind;
use crate::rollout::{Actor, AuditEntry};
use crate::snapshot::Snapshot;

impl Reloader {
    /// Rolls back versions, canaries and promotions that are worse than their predecessor.
    pub async fn roll_back_worse(&self) {
        let is_outdated = self.roll_back_versions();
        self.respecify(is_outdated).await;
    }

    /// Returns whether the settings of a version that serves again differ from the configuration.
    fn roll_back_versions(&self) -> bool {
        let _guard = self.lock_changes();
        let current = self.app.snapshot();
        let rollback = current.config.rollback;
        if !rollback.enabled {
            return false;
        }
        let now = unix_seconds();
        let is_watched = |since: u64| now < since.saturating_add(rollback.watch.as_secs());
        let mut is_outdated = false;
        for slot in current.slots.values() {
            let Some(took_over) = slot.takeover().filter(|it| is_watched(it.at)) else { continue };
            let state = self.rollouts.state();
            let decided = state.policy(slot.name());
            let chosen = decided.and_then(|decided| decided.chosen);
            if chosen.is_some_and(|chosen| chosen.how == OverrideKind::Pinned) {
                continue;
            }
            let (new, old) = (took_over.new.stats().tally(), took_over.old.stats().tally());
            if let Some(breach) = rollback.thresholds.judge(&new, &old) {
                let bad = took_over.new.digest();
                let before = decided.and_then(|decided| decided.holds.get(&bad));
                let hold = rollback.backoff.hold(before, now, breach.to_string());
                log_rollback(slot.name(), bad, &breach, &hold);
                if let Some(rollback) = self.prepare_rollback(slot, bad, hold, Actor::Gateway) {
                    is_outdated |= self.commit_rollback(rollback);
                }
            }
        }
        for route in &current.config.routes {
            self.check_route(&current, route, now, &is_watched);
        }
        is_outdated
    }

    fn check_route(
        &self,
        current: &Snapshot,
        configured: &config::Route,
        now: u64,
        is_watched: &dyn Fn(u64) -> bool,
    ) {
        let rollback = current.config.rollback;
        let Some(served) = current.served.get(configured.name.as_str()) else { return };
        let mut state = self.rollouts.state();
        let canary = served.trial.as_ref().filter(|trial| trial.mode != Mode::Shadow);
        let breach =
            |new: &PolicyStats, old: &PolicyStats| rollback.thresholds.judge(&new.tally(), &old.tally());
        if let Some(trial) = canary {
            let stats = trial.stats();
            if let Some(breach) = breach(&stats.trial, &stats.active) {
                let bad = trial.slot.active().digest();
                let holds = &mut state.route_mut(&configured.name).holds;
                let hold = rollback.backoff.hold(holds.get(&bad), now, breach.to_string());
                log_rollback(trial.slot.name(), bad, &breach, &hold);
                let event = AuditEntry::new(Actor::Gateway, "suspend-canary").route(&configured.name);
                let event = event.policy(trial.slot.name()).to(bad).why(hold.why.as_str());
                holds.insert(bad, hold);
                trial.overlay.clear();
                self.decide_at_once(current, state, event);
                return;
            }
        }
        let promotion = served.promotion.as_ref().filter(|promotion| is_watched(promotion.at));
        if let (Some(promotion), Some(promoted)) =
            (promotion, state.promoted(configured, &current.config).cloned())
            && let Some(breach) = breach(&promotion.new, &promotion.old)
        {
            let attribution = ChangeAttribution { who: Actor::Gateway, why: breach.to_string() };
            let (mut state, event) = demoted(current, state, &configured.name, &promoted, attribution);
            if let Some(bad) = event.digest {
                let holds = &mut state.route_mut(&configured.name).holds;
                let hold = rollback.backoff.hold(holds.get(&bad), now, breach.to_string());
                log_rollback(&promoted.policy, bad, &breach, &hold);
                holds.insert(bad, hold);
            }
            self.decide_at_once(current, state, event);
        }
    }
}

fn log_rollback(policy: &PolicyName, version: Digest, breach: &Breach, hold: &Hold) {
    let again = match hold.until {
        Some(until) => format!("it is tried again in {} s at the earliest", until.saturating_sub(hold.since)),
        None => "it is in quarantine until an operator releases it".to_owned(),
    };
    tracing::error!(%policy, %version, strikes = hold.strikes, "a version was rolled back: {breach}; {again}");
}
