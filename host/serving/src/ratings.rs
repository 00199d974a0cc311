//! Ratings of answers by applications, and the decisions that can be rated.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;

use pointsman_domain::ids::{KeyName, ModelId, PolicyName};
use pointsman_state::{Overlay, StateAccess};
use uuid::Uuid;

/// Most decisions that can be rated: some 200 bytes each.
const MAX_DECISIONS: usize = 1_000_000;
/// Time for which a decision can be rated.
const MAX_AGE: Duration = Duration::from_secs(24 * 60 * 60);
/// Most ratings of one decision, each with a name of its own.
const MAX_RATINGS: usize = 16;

/// Decisions that can be rated, by their ids.
#[derive(Debug, Default)]
pub struct RatableDecisions(Mutex<BTreeMap<u128, RatableDecision>>);

/// A decision whose request a model answered.
#[derive(Clone, Debug)]
pub struct RatableDecision {
    /// Key of the client; `None` where no keys are configured.
    pub key: Option<KeyName>,
    /// Policy that decided; `None` for the gateway's own order.
    pub policy: Option<PolicyName>,
    /// State that the policy kept apart, if it was a canary.
    overlay: Option<Weak<Overlay>>,
    /// Label of the decision.
    pub label: Arc<str>,
    /// Model that answered.
    pub model: ModelId,
    /// Time of the decision, in seconds since 1970.
    at: u64,
    rated: Vec<Box<str>>,
}

/// A rating as an application sends it.
#[derive(Clone, Debug, PartialEq)]
pub struct NewRating {
    /// Id of the decision.
    pub decision: String,
    /// Score from 0 to 1.
    pub score: f64,
    /// Subject of the score.
    pub name: Option<String>,
}

/// Reason why a decision cannot be rated.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum UnratableDecision {
    /// It is not known, or belongs to another key.
    Unknown,
    /// It has a rating of this name.
    Rated,
    /// It has as many ratings as it may have.
    RatedTooOften,
}

impl RatableDecision {
    /// Creates the entry of a decision that was made at a time in seconds since 1970.
    pub fn new(
        key: Option<KeyName>,
        policy: Option<PolicyName>,
        access: &StateAccess,
        label: &str,
        model: ModelId,
        at: u64,
    ) -> Self {
        let overlay = match access {
            StateAccess::Overlaid(overlay) => Some(Arc::downgrade(overlay)),
            StateAccess::Direct | StateAccess::Discarded => None,
        };
        Self { key, policy, overlay, label: label.into(), model, at, rated: Vec::new() }
    }

    /// Returns the access of the decision to the policy's state. That of a canary whose trial has ended
    /// is to nothing.
    pub fn access(&self) -> StateAccess {
        match &self.overlay {
            None => StateAccess::Direct,
            Some(overlay) => overlay.upgrade().map_or(StateAccess::Discarded, StateAccess::Overlaid),
        }
    }
}

impl RatableDecisions {
    /// Remembers a decision, and forgets the oldest ones.
    pub fn record(&self, id: &str, decision: RatableDecision) {
        let Ok(id) = Uuid::try_parse(id) else { return };
        let (mut decisions, now) = (self.lock(), decision.at);
        decisions.insert(id.as_u128(), decision);
        // Ids sort by time.
        while decisions.len() > MAX_DECISIONS
            || decisions.first_key_value().is_some_and(|(_, oldest)| is_old(oldest, now))
        {
            decisions.pop_first();
        }
    }

    /// Records a rating of a decision by the client with a key, and returns the decision.
    ///
    /// # Errors
    /// Fails if the decision is not known to the key, or has such a rating.
    pub fn rate(
        &self,
        id: &str,
        key: Option<&KeyName>,
        name: Option<&str>,
        now: u64,
    ) -> Result<RatableDecision, UnratableDecision> {
        let id = Uuid::try_parse(id).map_err(|_| UnratableDecision::Unknown)?;
        let mut decisions = self.lock();
        let decision = decisions
            .get_mut(&id.as_u128())
            .filter(|decision| decision.key.as_ref() == key && !is_old(decision, now))
            .ok_or(UnratableDecision::Unknown)?;
        let name = name.unwrap_or_default();
        if decision.rated.iter().any(|rated| **rated == *name) {
            return Err(UnratableDecision::Rated);
        }
        if decision.rated.len() == MAX_RATINGS {
            return Err(UnratableDecision::RatedTooOften);
        }
        decision.rated.push(name.into());
        Ok(decision.clone())
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<u128, RatableDecision>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn is_old(decision: &RatableDecision, now: u64) -> bool {
    now.saturating_sub(decision.at) > MAX_AGE.as_secs()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(number: u128) -> String {
        Uuid::from_u128(number).to_string()
    }

    fn decision(key: Option<&str>, at: u64) -> RatableDecision {
        let access = StateAccess::Direct;
        RatableDecision::new(key.map(KeyName::new), None, &access, "cheapest", ModelId::new("a/m"), at)
    }

    #[test]
    fn a_decision_is_rated_once_for_each_name_by_its_own_key() {
        let decisions = RatableDecisions::default();
        decisions.record(&id(1), decision(Some("app"), 0));
        let (app, other) = (KeyName::new("app"), KeyName::new("other"));
        let rate =
            |id: &str, key: &KeyName, name: Option<&str>| decisions.rate(id, Some(key), name, 0).map(|_| ());
        assert_eq!(rate(&id(1), &other, None), Err(UnratableDecision::Unknown));
        assert_eq!(rate(&id(2), &app, None), Err(UnratableDecision::Unknown));
        assert_eq!(rate("no id", &app, None), Err(UnratableDecision::Unknown));
        assert_eq!(rate(&id(1), &app, None), Ok(()));
        assert_eq!(rate(&id(1), &app, None), Err(UnratableDecision::Rated));
        for number in 1..MAX_RATINGS {
            assert_eq!(rate(&id(1), &app, Some(&number.to_string())), Ok(()));
        }
        assert_eq!(rate(&id(1), &app, Some("1")), Err(UnratableDecision::Rated));
        assert_eq!(rate(&id(1), &app, Some("more")), Err(UnratableDecision::RatedTooOften));
        assert!(decisions.rate(&id(1), None, Some("x"), 0).is_err());
    }

    #[test]
    fn old_decisions_are_forgotten() {
        let decisions = RatableDecisions::default();
        let day = MAX_AGE.as_secs();
        decisions.record(&id(1), decision(None, 0));
        assert!(decisions.rate(&id(1), None, Some("a"), day).is_ok());
        assert!(decisions.rate(&id(1), None, Some("b"), day + 1).is_err());
        decisions.record(&id(2), decision(None, day + 1));
        assert_eq!(decisions.lock().len(), 1);
    }

    #[test]
    fn a_rating_of_a_canary_changes_what_it_keeps_apart() {
        let overlay = Arc::new(Overlay::default());
        let access = StateAccess::Overlaid(Arc::clone(&overlay));
        let decision = RatableDecision::new(None, None, &access, "a", ModelId::new("a/m"), 0);
        assert!(matches!(decision.access(), StateAccess::Overlaid(_)));
        drop((access, overlay));
        assert!(matches!(decision.access(), StateAccess::Discarded));
    }
}
