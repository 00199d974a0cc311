use std::collections::BTreeMap;

use pointsman_domain::decision::{Decision, Refusal};
use pointsman_domain::history::{DecisionAnswer, DecisionEntry, PlanRun, StateCounts, TaskRun};
use pointsman_domain::ids::{Digest, PolicyName};
use pointsman_domain::model::Operation;
use pointsman_domain::outcome::RequestEnd;
use pointsman_domain::plan::PlanLimits;

use super::*;
use crate::content::MessageRecord;
use crate::sample::{self, model};

/// Encodes a history and compares the line with the serialised record.
fn check(encoder: &mut LineEncoder, history: &History, content: Option<&ContentRecord>) -> String {
    let sampling = history.outcome.attempts.is_multiple_of(2).then_some(0.25);
    let line = encoder.encode(history, sampling, content).to_vec();
    let content = content.map(Cow::Borrowed);
    let record = DecisionRecord { sampling, content, ..DecisionRecord::from_history(history) };
    let expected = serde_json::to_string(&record).expect("a record is JSON") + "\n";
    let line = String::from_utf8(line).expect("JSON is text");
    assert_eq!(line, expected);
    assert_eq!(line.matches('\n').count(), 1);
    let read: DecisionRecord<'static> = serde_json::from_str(&line).expect("a line is a record");
    assert_eq!((read.decisions.len(), read.content), (history.decisions.len(), record.content));
    line
}

/// Candidates whose facts resemble the texts that the encoder searches for.
fn awkward_candidates(count: usize) -> Vec<Candidate> {
    let sample = sample::history(1, "llama-7b", RequestEnd::Answered);
    let candidate = |number: usize| {
        let mut candidate = sample.decisions[0].candidates[0].clone();
        let mut known =
            Arc::into_inner(model(&format!("m{number}"), number as f64)).expect("the only reference");
        if number % 2 == 1 {
            known.attributes = BTreeMap::from([
                ("healthy".to_owned(), "\"candidates\":[],\"healthy\":false".to_owned()),
                ("candidates".to_owned(), "[]".to_owned()),
            ]);
            (known.context_window, known.max_output_tokens) = (None, None);
            known.quality = Default::default();
        }
        if number % 3 == 1 {
            known.attributes.clear();
            candidate.live.first_token_ms = None;
        }
        if number % 3 == 2 {
            candidate.live.tokens_per_second = None;
            candidate.live.first_token_ms = Some(f64::NAN);
        }
        candidate.live.error_rate = number as f64 / 7.0;
        candidate.model = Arc::new(known);
        candidate
    };
    (0..count).map(candidate).collect()
}

#[test]
fn a_line_equals_the_record_for_every_answer() {
    let mut encoder = LineEncoder::default();
    let text = "a reason with \"candidates\":[] and \"healthy\": in it\n".repeat(9);
    let reason = || Some(text.clone());
    let answers = [
        DecisionAnswer::Route(Decision::in_order(3, "cheap")),
        DecisionAnswer::Plan { label: "split".to_owned(), reason: reason(), tasks: 3 },
        DecisionAnswer::Finish { label: "merge".to_owned(), reason: reason() },
        DecisionAnswer::Refusal(Refusal::Denied(text.clone())),
        DecisionAnswer::Refusal(Refusal::NoCandidate(text.clone())),
        DecisionAnswer::Failure { reason: "trap", message: text.clone() },
    ];
    for ending in [RequestEnd::Answered, RequestEnd::Failed, RequestEnd::Cancelled] {
        let mut history = sample::history(1_000, "llama-7b", ending);
        let entry = history.decisions.pop().expect("one entry");
        for (number, said) in answers.iter().enumerate() {
            history.decisions.push(DecisionEntry {
                answer: said.clone(),
                candidates: awkward_candidates(number * 3).into(),
                state: (number % 2 == 0).then_some(StateCounts { reads: 3, writes: 2, rejected: 1 }),
                ..entry.clone()
            });
        }
        history.plan = Some(PlanRun {
            steps: 1,
            limits: PlanLimits::default(),
            tasks: vec![TaskRun {
                name: "\"candidates\":[]".to_owned(),
                operation: Operation::Chat,
                step: 1,
                after: Vec::new(),
                begun: None,
                ended: None,
                model: None,
                output_bytes: None,
                error: reason(),
            }],
        });
        check(&mut encoder, &history, None);
        history.plan = None;
        history.decisions.clear();
        check(&mut encoder, &history, None);
    }
}

#[test]
fn changed_facts_of_fifty_candidates_are_encoded() {
    let (mut encoder, mut history) =
        (LineEncoder::default(), sample::history(1_000, "llama-7b", RequestEnd::Answered));
    history.outcome.attempts = 2;
    let mut candidates = awkward_candidates(50);
    for round in 0..5_u32 {
        for candidate in &mut candidates {
            candidate.live.in_flight = round;
            candidate.live.healthy = round % 3 == 0;
        }
        history.decisions[0].candidates = candidates.clone().into();
        let line = check(&mut encoder, &history, None);
        assert!(line.contains("\"sampling\":0.25"), "{line}");
    }
}

#[test]
fn content_is_encoded_only_if_there_is_some() {
    let (mut encoder, mut history) =
        (LineEncoder::default(), sample::history(1_000, "llama-7b", RequestEnd::Answered));
    history.decisions[0].candidates = awkward_candidates(3).into();
    let text = "\"decisions\":[{\"candidates\":[]}]\u{0}\u{1b}[31m \u{2028}\n".to_owned();
    let content = ContentRecord {
        messages: vec![MessageRecord { role: "user".to_owned(), text }],
        left_out_bytes: 3,
        ..ContentRecord::default()
    };
    let line = check(&mut encoder, &history, Some(&content));
    let value: serde_json::Value = serde_json::from_str(&line).expect("a line is JSON");
    assert_eq!(value["content"]["messages"][0]["text"], content.messages[0].text);
    assert!(!check(&mut encoder, &history, None).contains("content"));
}

#[test]
fn the_cache_of_models_is_bounded() {
    let (mut encoder, mut history) =
        (LineEncoder::default(), sample::history(1_000, "llama-7b", RequestEnd::Answered));
    for number in 0..MAX_CACHED_MODELS + 10 {
        let mut candidate = history.decisions[0].candidates[0].clone();
        candidate.model = model(&format!("m{number}"), 1.0);
        history.decisions[0].candidates = Arc::new([candidate]);
        let line = check(&mut encoder, &history, None);
        assert!(line.contains(&format!("\"fleet/m{number}\"")), "{line}");
    }
    assert_eq!(encoder.models.len(), 10);
}

#[test]
fn each_version_of_a_policy_is_encoded_and_their_cache_is_bounded() {
    let (mut encoder, mut history) =
        (LineEncoder::default(), sample::history(1_000, "llama-7b", RequestEnd::Answered));
    let mut own_order = history.decisions[0].clone();
    own_order.policy = None;
    history.decisions.push(own_order);
    for number in 0..MAX_CACHED_VERSIONS as u8 + 3 {
        for settings in [1, 2] {
            let version = PolicyVersion {
                policy: PolicyName::new(format!("\"policy {{{number}")),
                digest: Digest::new([number; 32]),
                settings: Digest::new([settings; 32]),
            };
            history.decisions[0].policy = Some(version);
            check(&mut encoder, &history, None);
        }
    }
    assert!(encoder.versions.len() <= MAX_CACHED_VERSIONS);
}
