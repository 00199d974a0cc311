use pointsman_domain::outcome::RequestEnd;
use pointsman_domain::prompt::{NoPrompt, Prompt};
use pointsman_domain::trace::TraceContext;

use super::batches::{Batch, FULL, MOST};
use super::*;
use crate::content::Answer;
use crate::sample;

pub(super) fn settings() -> Settings {
    Settings {
        service: "pointsman".to_owned(),
        instance: "one".to_owned(),
        sample: SampleRatio::ALL,
        content: true,
    }
}

pub(super) fn history(sampled: bool) -> History {
    let mut history = sample::history(100_000, "llama-7b", RequestEnd::Answered);
    history.trace = Some(TraceContext { trace: 1, parent: None, span: 2, sampled });
    history
}

#[derive(Debug)]
struct Hello;

impl Exchange for Hello {
    fn bytes(&self) -> usize {
        0
    }

    fn prompt(&self) -> &dyn Prompt {
        &NoPrompt
    }

    fn answer(&self, _: usize) -> Option<Answer> {
        Some(Answer { text: "hello".to_owned(), ..Answer::default() })
    }
}

/// What waits to be sent.
fn waiting(traces: &Traces) -> Vec<Batch> {
    std::iter::from_fn(|| traces.shared.batches.rest()).collect()
}

#[test]
fn what_is_not_sampled_is_not_told() {
    let (traces, _exporter) = traces(settings());
    traces.ended(&history(false), None);
    traces.ended(&History { trace: None, ..history(true) }, None);
    assert!(waiting(&traces).is_empty());
    assert_eq!(traces.counts(), Counts::default());
}

#[test]
fn what_finds_no_room_is_dropped_and_counted_and_nobody_waits() {
    let (traces, _exporter) = traces(settings());
    let history = history(true);
    let mut ended = 0;
    while traces.counts().dropped == 0 {
        traces.ended(&history, None);
        ended += 1;
    }
    // A request, a decision and a call each.
    assert_eq!(traces.counts(), Counts { exported: 0, dropped: 3 });
    let waiting = waiting(&traces);
    assert_eq!(waiting.iter().map(|batch| batch.count).sum::<u64>(), 3 * (ended - 1));
    let bytes: usize = waiting.iter().map(|batch| batch.spans.len()).sum();
    assert!((MOST..MOST + FULL / 8).contains(&bytes), "{bytes}");
    assert!(waiting.iter().all(|batch| batch.spans.len() < FULL + FULL / 8));
    traces.ended(&history, None);
    assert_eq!(traces.counts().dropped, 3, "there is room again");
}

#[test]
fn content_is_told_where_it_is_asked_for_and_nowhere_else() {
    let said = |content: bool| {
        let (traces, _exporter) = traces(Settings { content, ..settings() });
        traces.ended(&history(true), Some(&Hello));
        assert_eq!(traces.wants_content(history(true).trace), content);
        let batch = waiting(&traces).remove(0);
        memchr::memmem::find(&batch.spans, b"hello").is_some()
    };
    assert!(said(true) && !said(false));
    let (traces, _exporter) = traces(settings());
    assert!(!traces.wants_content(history(false).trace) && !traces.wants_content(None));
}
