//! Recent losses: dropped records, spans and log lines, and panics.
//!
//! Counters have no times. The watch reads them every second, and remembers the time at which each grew last.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::SystemTime;

use pointsman_record::unix_ms;
use pointsman_telemetry::metrics::QueueLabel;

use super::Admin;

/// Time for which a loss is recent, in milliseconds.
const RECENT_MS: u64 = 300_000;

/// Kind of a loss.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum LossKind {
    DecisionLog,
    Traces,
    Feedback,
    Log,
    Panic,
}

/// Counts of losses since the start.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct LossCounts {
    pub(super) decision_log: u64,
    pub(super) traces: u64,
    pub(super) feedback: u64,
    pub(super) log: u64,
    pub(super) panics: u64,
}

/// Loss of the last minutes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct RecentLoss {
    pub(super) kind: LossKind,
    /// Number since the start.
    pub(super) count: u64,
    /// Time of the reading at which the number had grown, in milliseconds since 1970.
    pub(super) last_ms: u64,
}

/// Times at which losses were observed last.
#[derive(Debug, Default)]
pub(crate) struct LossWatch(Mutex<Vec<RecentLoss>>);

impl LossKind {
    /// Returns the name of the queue as in the metrics.
    pub(super) const fn queue(self) -> Option<&'static str> {
        match self {
            Self::DecisionLog => Some("decision-log"),
            Self::Traces => Some("traces"),
            Self::Feedback => Some("feedback"),
            Self::Log => Some("log"),
            Self::Panic => None,
        }
    }

    /// Returns the noun for what is lost, in the plural.
    pub(super) const fn noun(self) -> &'static str {
        match self {
            Self::DecisionLog => "records of the decision log were",
            Self::Traces => "spans were",
            Self::Feedback => "outcomes for policies were",
            Self::Log => "lines of the log were",
            Self::Panic => "panics were",
        }
    }
}

impl LossCounts {
    /// Reads the counters.
    pub(super) fn of(admin: &Admin) -> Self {
        let recorder = &admin.app.recorder;
        Self {
            decision_log: recorder.telemetry.decision_log.as_ref().map_or(0, |log| log.counts().dropped()),
            traces: recorder.traces().map_or(0, |traces| traces.counts().dropped),
            feedback: recorder.telemetry.metrics.dropped_by(QueueLabel::Feedback),
            log: admin.logging.dropped(),
            panics: admin.logging.panics(),
        }
    }

    const fn by_kind(self) -> [(LossKind, u64); 5] {
        [
            (LossKind::DecisionLog, self.decision_log),
            (LossKind::Traces, self.traces),
            (LossKind::Feedback, self.feedback),
            (LossKind::Log, self.log),
            (LossKind::Panic, self.panics),
        ]
    }
}

impl LossWatch {
    /// Remembers which counts have grown since the last reading.
    pub(super) fn observe(&self, counts: &LossCounts, now_ms: u64) {
        let mut losses = self.losses();
        for (kind, count) in counts.by_kind() {
            match losses.iter_mut().find(|loss| loss.kind == kind) {
                Some(loss) if loss.count < count => (loss.count, loss.last_ms) = (count, now_ms),
                Some(_) => {}
                None if count > 0 => losses.push(RecentLoss { kind, count, last_ms: now_ms }),
                None => {}
            }
        }
    }

    /// Returns the losses of the last minutes.
    pub(super) fn recent(&self, now_ms: u64) -> Vec<RecentLoss> {
        self.losses().iter().filter(|loss| loss.last_ms + RECENT_MS > now_ms).copied().collect()
    }

    fn losses(&self) -> MutexGuard<'_, Vec<RecentLoss>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Reads the counters.
pub(super) fn read(admin: &Admin) {
    admin.loss_watch.observe(&LossCounts::of(admin), unix_ms(SystemTime::now()));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_loss_is_recent_for_five_minutes_after_its_count_grew() {
        let watch = LossWatch::default();
        let dropped = |traces| LossCounts { traces, ..LossCounts::default() };
        watch.observe(&LossCounts::default(), 1_000);
        assert_eq!(watch.recent(1_000), []);
        watch.observe(&dropped(3), 2_000);
        watch.observe(&dropped(3), 200_000);
        let loss = RecentLoss { kind: LossKind::Traces, count: 3, last_ms: 2_000 };
        assert_eq!(watch.recent(200_000), [loss]);
        assert_eq!(watch.recent(302_000), []);
        watch.observe(&dropped(4), 400_000);
        assert_eq!(watch.recent(400_000), [RecentLoss { count: 4, last_ms: 400_000, ..loss }]);
    }
}
