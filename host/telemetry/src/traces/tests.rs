use pointsman_domain::outcome::Ending;
use pointsman_domain::trace::TraceContext;

use super::*;
use crate::sample;

pub(super) fn settings() -> Settings {
    Settings {
        service: "pointsman".to_owned(),
        instance: "one".to_owned(),
        sample: SampleRatio::ALL,
        content: true,
    }
}

pub(super) fn history(sampled: bool) -> Arc<History> {
    let mut history = sample::history(100_000, "llama-7b", Ending::Answered);
    history.trace = Some(TraceContext { trace: 1, parent: None, span: 2, sampled });
    Arc::new(history)
}

/// Content of a size, which tells when it is no longer kept.
#[derive(Debug)]
struct Kept(usize, #[expect(dead_code, reason = "it is counted")] Arc<()>);

impl Exchange for Kept {
    fn bytes(&self) -> usize {
        self.0
    }

    fn messages(&self) -> usize {
        0
    }

    fn message(&self, _: usize, _: usize) -> Option<Words> {
        None
    }

    fn answer(&self, _: usize) -> Option<Words> {
        None
    }
}

#[test]
fn what_is_not_sampled_is_not_handed_over() {
    let (traces, exporter) = traces(settings());
    traces.ended(&history(false), None);
    let mut untraced = sample::history(1, "llama-7b", Ending::Answered);
    untraced.trace = None;
    traces.ended(&Arc::new(untraced), None);
    assert!(exporter.is_idle());
    assert_eq!(traces.counts(), Counts::default());
}

#[test]
fn what_finds_no_room_is_dropped_and_counted_and_nobody_waits() {
    let (traces, _exporter) = traces(settings());
    for _ in 0..QUEUE + 5 {
        traces.ended(&history(true), None);
    }
    // A request, a decision and a call each.
    assert_eq!(traces.counts(), Counts { exported: 0, dropped: 15 });
}

#[test]
fn content_waits_only_as_long_as_there_is_room_for_it_and_is_not_in_the_history() {
    let (traces, exporter) = traces(settings());
    let kept = Arc::new(());
    let history = history(true);
    for _ in 0..4 {
        traces.ended(&history, Some(Box::new(Kept((CONTENT_KIB << 10) / 3, Arc::clone(&kept)))));
    }
    assert_eq!(Arc::strong_count(&kept) - 1, 2, "two fit with a third of the room each, and a little more");
    drop(exporter);
    assert_eq!(Arc::strong_count(&kept) - 1, 0);
    assert_eq!(Arc::strong_count(&history), 1);
    assert_eq!(traces.counts().dropped, 0, "the spans were taken, without the content");
}

#[test]
fn content_that_nobody_asked_for_is_not_kept() {
    let (traces, _exporter) = traces(Settings { content: false, ..settings() });
    let kept = Arc::new(());
    traces.ended(&history(true), Some(Box::new(Kept(1, Arc::clone(&kept)))));
    assert_eq!(Arc::strong_count(&kept), 1);
}
