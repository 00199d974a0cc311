use pointsman_domain::decision::{Decision, Refusal};
use pointsman_domain::history::{DecisionAnswer, DecisionEntry, PlanRun, TaskRun};
use pointsman_domain::model::Operation;
use pointsman_domain::outcome::RequestEnd;
use std::collections::BTreeMap;

use super::*;
use crate::content::Message;
use crate::sample::{history, model};

/// What the log writes is what a record is.
fn check(lines: &mut Lines, history: &History, content: Option<&Content>) -> String {
    let sampling = history.outcome.attempts.is_multiple_of(2).then_some(0.25);
    let line = lines.line(history, sampling, content).to_vec();
    let record = Record { sampling, content, ..Record::of(history) };
    let expected = serde_json::to_string(&record).expect("a record is JSON") + "\n";
    let line = String::from_utf8(line).expect("JSON is text");
    assert_eq!(line, expected);
    assert_eq!(line.matches('\n').count(), 1);
    line
}

/// Several candidates with facts that are as awkward as they can be.
fn among(count: usize) -> Vec<Candidate> {
    let sample = history(1, "llama-7b", RequestEnd::Answered);
    let candidate = |number: usize| {
        let mut candidate = sample.decisions[0].candidates[0].clone();
        let mut known =
            Arc::into_inner(model(&format!("m{number}"), number as f64)).expect("nobody else has it");
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
fn a_line_is_the_record_whatever_was_answered() {
    let mut lines = Lines::default();
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
        let mut told = history(1_000, "llama-7b", ending);
        let asked = told.decisions.pop().expect("somebody was asked");
        for (number, said) in answers.iter().enumerate() {
            told.decisions.push(DecisionEntry {
                answer: said.clone(),
                candidates: among(number * 3).into(),
                ..asked.clone()
            });
        }
        told.plan = Some(PlanRun {
            steps: 1,
            tasks: vec![TaskRun {
                name: "\"candidates\":[]".to_owned(),
                operation: Operation::Chat,
                step: 1,
                after: Vec::new(),
                begun: None,
                ended: None,
                model: None,
                error: reason(),
            }],
        });
        check(&mut lines, &told, None);
        told.plan = None;
        told.decisions.clear();
        check(&mut lines, &told, None);
    }
}

#[test]
fn fifty_candidates_and_facts_that_change_are_told_as_they_are() {
    let (mut lines, mut told) = (Lines::default(), history(1_000, "llama-7b", RequestEnd::Answered));
    told.outcome.attempts = 2;
    let mut candidates = among(50);
    for round in 0..5_u32 {
        for candidate in &mut candidates {
            candidate.live.in_flight = round;
            candidate.live.healthy = round % 3 == 0;
        }
        told.decisions[0].candidates = candidates.clone().into();
        let line = check(&mut lines, &told, None);
        assert!(line.contains("\"sampling\":0.25"), "{line}");
    }
}

#[test]
fn content_is_told_only_where_there_is_some() {
    let (mut lines, mut told) = (Lines::default(), history(1_000, "llama-7b", RequestEnd::Answered));
    told.decisions[0].candidates = among(3).into();
    let text = "\"decisions\":[{\"candidates\":[]}]\u{0}\u{1b}[31m \u{2028}\n".to_owned();
    let content = Content { messages: vec![Message { role: "user".to_owned(), text }], left_out_bytes: 3 };
    let line = check(&mut lines, &told, Some(&content));
    let value: serde_json::Value = serde_json::from_str(&line).expect("a line is JSON");
    assert_eq!(value["content"]["messages"][0]["text"], content.messages[0].text);
    assert!(!check(&mut lines, &told, None).contains("content"));
}

#[test]
fn models_that_come_and_go_are_not_kept_for_ever() {
    let (mut lines, mut told) = (Lines::default(), history(1_000, "llama-7b", RequestEnd::Answered));
    for number in 0..KEPT + 10 {
        let mut candidate = told.decisions[0].candidates[0].clone();
        candidate.model = model(&format!("m{number}"), 1.0);
        told.decisions[0].candidates = Arc::new([candidate]);
        let line = check(&mut lines, &told, None);
        assert!(line.contains(&format!("\"fleet/m{number}\"")), "{line}");
    }
    assert_eq!(lines.models.len(), 10);
}
