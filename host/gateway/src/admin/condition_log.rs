//! Changes of conditions: models that go down or come back, and configurations that are applied or rejected.
//!
//! They stand beside the changes of the audit log, which is for actions of operators and rollbacks.

use std::collections::{BTreeSet, VecDeque};
use std::sync::{Mutex, MutexGuard, PoisonError};

use pointsman_admin_api::{Actor, AuditEvent};
use pointsman_serving::reload::{Report, Verdict};

use super::Admin;

/// Most changes that are kept.
const MAX_EVENTS: usize = 256;
/// Longest reason, in bytes.
const MAX_REASON: usize = 1_024;
/// Triggers of a reload by a person, which are reported also if nothing was wrong before.
const TRIGGERS: [&str; 3] = ["file", "signal", "admin"];

/// Recent changes of conditions.
#[derive(Debug, Default)]
pub(crate) struct ConditionLog(Mutex<Observed>);

#[derive(Debug, Default)]
struct Observed {
    /// Models that are down.
    down: BTreeSet<String>,
    /// Time and rejection of the last reload.
    reload: Option<(u64, Option<String>)>,
    /// The oldest first.
    events: VecDeque<AuditEvent>,
    /// Events since the start.
    count: u64,
}

impl ConditionLog {
    /// Records what has changed since the last call.
    pub(super) fn observe(
        &self,
        now: u64,
        models: impl IntoIterator<Item = (String, bool)>,
        reload: Option<&Report>,
    ) {
        let mut observed = self.observed();
        let mut down = BTreeSet::new();
        for (model, is_down) in models {
            let was_down = observed.down.contains(&model);
            if is_down != was_down {
                let action = if is_down { "model-down" } else { "model-up" };
                let event = AuditEvent { model: Some(model.clone()), ..event(now, Actor::Gateway, action) };
                observed.add(event);
            }
            if is_down {
                down.insert(model);
            }
        }
        observed.down = down;
        if let Some(report) = reload {
            observed.reloaded(report);
        }
    }

    /// Returns the newest changes, the newest first.
    pub(super) fn newest(&self, limit: usize) -> Vec<AuditEvent> {
        self.observed().events.iter().rev().take(limit).cloned().collect()
    }

    /// Returns the changes after the first `count`, the oldest first, and the number of all so far.
    pub(super) fn since(&self, count: u64) -> (Vec<AuditEvent>, u64) {
        let observed = self.observed();
        let new = usize::try_from(observed.count.saturating_sub(count)).unwrap_or(usize::MAX);
        let skipped = observed.events.len().saturating_sub(new);
        (observed.events.iter().skip(skipped).cloned().collect(), observed.count)
    }

    fn observed(&self) -> MutexGuard<'_, Observed> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Observed {
    fn reloaded(&mut self, report: &Report) {
        let rejection = match &report.config {
            Verdict::Applied => None,
            Verdict::Rejected(error) => Some(error.clone()),
        };
        let before = self.reload.replace((report.at, rejection.clone()));
        let (at, was_rejected) = before.map_or((None, None), |(at, rejection)| (Some(at), rejection));
        if at == Some(report.at) {
            return;
        }
        match rejection {
            Some(error) if was_rejected.as_ref() != Some(&error) => {
                let end = error.floor_char_boundary(MAX_REASON);
                let why = Some(error.get(..end).unwrap_or_default().to_owned());
                let event = event(report.at, Actor::Configuration, "configuration-rejected");
                self.add(AuditEvent { why, ..event });
            }
            None if was_rejected.is_some() || TRIGGERS.contains(&report.cause) => {
                self.add(event(report.at, Actor::Configuration, "configuration-applied"));
            }
            Some(_) | None => {}
        }
    }

    fn add(&mut self, event: AuditEvent) {
        if self.events.len() == MAX_EVENTS {
            self.events.pop_front();
        }
        self.events.push_back(event);
        self.count += 1;
    }
}

/// Reads the conditions.
pub(super) fn read(admin: &Admin, now: u64) {
    let snapshot = admin.app.snapshot();
    let models = snapshot.config.models.iter();
    let models = models.map(|model| (model.id.to_string(), model.live.down_since().is_some()));
    admin.condition_log.observe(now, models, admin.reloader.last().as_ref());
}

fn event(at: u64, who: Actor, action: &str) -> AuditEvent {
    AuditEvent {
        at,
        who,
        role: None,
        action: action.to_owned(),
        policy: None,
        route: None,
        model: None,
        key: None,
        digest: None,
        from: None,
        why: None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn models(down: &[&str]) -> Vec<(String, bool)> {
        ["a", "b"].iter().map(|id| ((*id).to_owned(), down.contains(id))).collect()
    }

    fn report(cause: &'static str, at: u64, error: Option<&str>) -> Report {
        let config = error.map_or(Verdict::Applied, |error| Verdict::Rejected(error.to_owned()));
        Report { cause, at, config, policies: Vec::new() }
    }

    fn actions(log: &ConditionLog) -> Vec<String> {
        log.newest(10).iter().map(|event| event.action.clone()).collect()
    }

    #[test]
    fn a_model_that_goes_down_and_comes_back_is_two_events() {
        let log = ConditionLog::default();
        log.observe(1, models(&[]), None);
        log.observe(2, models(&["b"]), None);
        log.observe(3, models(&["b"]), None);
        let (events, count) = log.since(0);
        assert_eq!((events[0].model.as_deref(), events[0].at, count), (Some("b"), 2, 1));
        log.observe(4, models(&[]), None);
        assert_eq!(actions(&log), ["model-up", "model-down"]);
        let (events, count) = log.since(count);
        assert_eq!((events.len(), events[0].action.as_str(), count), (1, "model-up", 2));
        // A model that is no longer configured is forgotten.
        log.observe(5, models(&["a"]), None);
        log.observe(6, Vec::new(), None);
        log.observe(7, models(&[]), None);
        assert_eq!(log.newest(10).len(), 3);
    }

    #[test]
    fn a_rejection_is_reported_once_and_so_is_its_end() {
        let log = ConditionLog::default();
        log.observe(1, Vec::new(), Some(&report("poll", 1, None)));
        assert_eq!(actions(&log), Vec::<String>::new());
        log.observe(2, Vec::new(), Some(&report("file", 2, Some("error: line 3"))));
        log.observe(3, Vec::new(), Some(&report("file", 2, Some("error: line 3"))));
        log.observe(4, Vec::new(), Some(&report("poll", 4, Some("error: line 3"))));
        assert_eq!(actions(&log), ["configuration-rejected"]);
        assert_eq!(log.newest(1)[0].why.as_deref(), Some("error: line 3"));
        log.observe(5, Vec::new(), Some(&report("poll", 5, None)));
        log.observe(6, Vec::new(), Some(&report("file", 6, None)));
        log.observe(7, Vec::new(), Some(&report("rollback", 7, None)));
        assert_eq!(
            actions(&log),
            ["configuration-applied", "configuration-applied", "configuration-rejected"]
        );
    }

    #[test]
    fn the_oldest_events_are_dropped() {
        let log = ConditionLog::default();
        for at in 0..400 {
            log.observe(at, models(if at % 2 == 0 { &["a"] } else { &[] }), None);
        }
        assert_eq!(
            (log.newest(1_000).len(), log.since(0).0.len(), log.since(399).0.len()),
            (MAX_EVENTS, MAX_EVENTS, 1)
        );
    }
}
