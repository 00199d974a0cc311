use pointsman_domain::outcome::RequestEnd;
use pointsman_domain::prompt::{NoPrompt, Prompt};
use pointsman_domain::trace::TraceContext;

use super::batches::{Batch, FULL_BYTES, MAX_BYTES};
use super::*;
use crate::content::AnswerText;
use crate::sample;

pub(super) fn settings() -> TraceSettings {
    TraceSettings {
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
struct HelloContent;

impl ContentSource for HelloContent {
    fn bytes(&self) -> usize {
        0
    }

    fn prompt(&self) -> &dyn Prompt {
        &NoPrompt
    }

    fn answer(&self, _: usize) -> Option<AnswerText> {
        Some(AnswerText { text: "hello".to_owned(), ..AnswerText::default() })
    }
}

/// Takes all batches.
fn batches(traces: &Traces) -> Vec<Batch> {
    std::iter::from_fn(|| traces.queue.batches.take_any()).collect()
}

#[test]
fn requests_outside_the_sample_are_not_recorded() {
    let (traces, _exporter) = traces(settings());
    traces.record(&history(false), None);
    traces.record(&History { trace: None, ..history(true) }, None);
    assert!(batches(&traces).is_empty());
    assert_eq!(traces.counts(), ExportCounts::default());
}

#[test]
fn spans_are_dropped_and_counted_when_the_queue_is_full() {
    let (traces, _exporter) = traces(settings());
    let history = history(true);
    let mut ended = 0;
    while traces.counts().dropped == 0 {
        traces.record(&history, None);
        ended += 1;
    }
    // A request, a decision and a call each.
    assert_eq!(traces.counts(), ExportCounts { exported: 0, dropped: 3 });
    let batches = batches(&traces);
    assert_eq!(batches.iter().map(|batch| batch.count).sum::<u64>(), 3 * (ended - 1));
    let bytes: usize = batches.iter().map(|batch| batch.spans.len()).sum();
    assert!((MAX_BYTES..MAX_BYTES + FULL_BYTES / 8).contains(&bytes), "{bytes}");
    assert!(batches.iter().all(|batch| batch.spans.len() < FULL_BYTES + FULL_BYTES / 8));
    traces.record(&history, None);
    assert_eq!(traces.counts().dropped, 3, "there is room again");
}

#[test]
fn content_is_recorded_only_if_it_is_enabled() {
    let has_content = |content: bool| {
        let (traces, _exporter) = traces(TraceSettings { content, ..settings() });
        traces.record(&history(true), Some(&HelloContent));
        assert_eq!(traces.wants_content(history(true).trace), content);
        let batch = batches(&traces).remove(0);
        memchr::memmem::find(&batch.spans, b"hello").is_some()
    };
    assert!(has_content(true) && !has_content(false));
    let (traces, _exporter) = traces(settings());
    assert!(!traces.wants_content(history(false).trace) && !traces.wants_content(None));
}
