use pointsman_sdk::testkit::{Gateway, candidate};

use super::*;

const EASY: Kind = Kind { task: Task::Code, hard: false };
const HARD: Kind = Kind { task: Task::Code, hard: true };

fn qualities(json: &str) -> Qualities {
    serde_json::from_str(json).unwrap()
}

#[test]
fn the_first_statement_counts() {
    let model = Candidate { quality: Some(0.1), ..candidate("openai/gpt-4o", 1.0, 1.0) };
    let of = |json: &str, kind| {
        Gateway::new()
            .task_quality(0, "code", 0.2)
            .run(|| qualities(json).of_all(std::slice::from_ref(&model), kind))[0]
    };
    assert_eq!(of(r#"{"gpt-4o":{"code/hard":0.5,"code":0.4}}"#, HARD), Some(0.5));
    assert_eq!(of(r#"{"gpt-4o":{"code":0.4}}"#, HARD), Some(0.4));
    assert_eq!(of(r#"{"gpt-4o":{"general":0.3}}"#, EASY), Some(0.2));
    assert_eq!(of("{}", EASY), Some(0.2));
    let other = Kind { task: Task::Chat, hard: false };
    assert_eq!(of(r#"{"gpt-4o":{"general":0.3}}"#, other), Some(0.3));
    assert_eq!(of("{}", other), Some(0.1));
}

#[test]
fn the_longest_pattern_counts() {
    let table = qualities(r#"{"*":{"code":0.1},"openai/gpt-4o*":{"code":0.3},"gpt-4*":{"code":0.2}}"#);
    let models = [candidate("openai/gpt-4o-mini", 1.0, 1.0), candidate("other/gpt-4", 1.0, 1.0)];
    assert_eq!(table.of_all(&models, EASY), [Some(0.3), Some(0.2)]);
}

#[test]
fn mistakes_are_reported_with_their_place_and_valid_values() {
    let error = |json| qualities(json).check().unwrap_err();
    let unknown = error(r#"{"gpt*":{"coding":0.5}}"#);
    assert!(
        unknown.starts_with("setting `quality.gpt*.coding`: there is no such task; there are code, maths"),
        "{unknown}"
    );
    assert_eq!(error(r#"{"gpt*":{"code":80}}"#), "setting `quality.gpt*.code`: 80 is not in 0..1");
    assert_eq!(qualities(r#"{"gpt*":{"code/hard":0.8,"general":1}}"#).check(), Ok(()));
}
