use std::sync::Arc;

use pointsman_author::comparison::decisions::Change;
use proptest::prelude::*;
use serde_json::Value;

use super::outcome::RecordedOutcomes;
use super::pipeline::ChunkResult;
use super::request::{Action, Client, Estimable, LineResult, Replayed};
use super::size::SizeClass;
use super::*;

/// Numbers of which a line is made.
type Seed = (u8, u8, u8, u8, u32);

fn action(number: u8) -> Action {
    let number = number % 3;
    Action { name: Arc::from(format!("m/{number}")), cost: (1e-4 * f64::from(number + 1), 1e-6) }
}

/// Makes the result of a line.
fn line((kind, a, b, client, size): Seed) -> LineResult {
    let weight = f64::from(1 + kind % 2);
    match kind {
        0 => LineResult::Error("not a record".to_owned()),
        1 => LineResult::Filtered,
        2 => LineResult::NotReplayable { reason: Arc::from(format!("reason {}", a % 2)), weight },
        3..8 => LineResult::Rating { decision: u64::from(size % 64), score: f64::from(a) / 255.0 },
        _ => {
            let size_class = SizeClass::of(size);
            let (logged, target) = (action(a), action(b));
            let names = (Arc::clone(&logged.name), Arc::clone(&target.name));
            let record = serde_json::json!({
                "schema": 1, "id": "i", "at_ms": 1, "route": "r", "decisions": [], "attempts": [],
                "request": { "operation": "chat", "model": "r", "input_tokens": 1, "inputs": [], "needs": [],
                    "turns": 1, "streaming": false, "attributes": {} },
                "outcome": { "ending": "answered", "label": "l", "latency_ms": f64::from(size % 1_000), "input_tokens": 1,
                    "output_tokens": 1, "estimated": false, "cost_usd": f64::from(a) * 1e-5 }
            });
            let record = serde_json::from_value(record).unwrap();
            let estimable = Estimable {
                cluster: size.into(),
                redrawn: target.clone(),
                logged,
                target,
                propensity: (kind % 4 > 0).then(|| f64::from(1 + kind % 4) / 4.0),
                candidates: (0..3).map(|number| action(number).name).collect(),
                outcomes: RecordedOutcomes::of(&record).unwrap(),
                cost_shift: Some(f64::from(b) * 1e-6),
            };
            LineResult::Replayed(Box::new(Replayed {
                id: u64::from(size % 64),
                at_ms: size.into(),
                weight,
                client: Client {
                    route: Arc::from(format!("route {}", client % 3)),
                    key: Arc::from(format!("key {client}")),
                    operation: Arc::from("chat"),
                    size: size_class,
                    size_name: Arc::from(size_class.name()),
                },
                change: (names.0 != names.1).then_some(Change::Target),
                names,
                failure: (kind == 9).then(|| Arc::from("trap")),
                refusal: None,
                draws: kind == 10,
                hides_draws: false,
                estimable: if kind == 9 { Err("the policy fails") } else { Ok(estimable) },
            }))
        }
    }
}

/// Returns the report of lines in chunks of these sizes, the last of which is repeated.
fn report(seeds: &[Seed], chunks: &[usize], limit: u64) -> Value {
    let mut tally = Tally::new(limit);
    let files = [PathBuf::from("decisions-1.jsonl")];
    let (mut rest, mut first) = (seeds, 1);
    let mut sizes = chunks.iter().copied().chain(std::iter::repeat(*chunks.last().unwrap()));
    while !rest.is_empty() {
        let (chunk, more) = rest.split_at(sizes.next().unwrap().min(rest.len()));
        let lines = (first..).zip(chunk.iter().map(|seed| line(*seed))).collect();
        first += chunk.len() as u64;
        rest = more;
        if !tally.add(&files, ChunkResult { file: 0, lines, bytes: 0 }) {
            break;
        }
    }
    tally.finish();
    let policy = PolicyReport { source: String::new(), digest: String::new(), settings: String::new() };
    serde_json::to_value(Report::new(policy, &files, false, tally)).unwrap()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn a_report_does_not_depend_on_the_chunks_of_a_log(
        seeds in prop::collection::vec((0..16_u8, any::<u8>(), any::<u8>(), 0..40_u8, 0..100_000_u32), 1..300),
        chunks in prop::collection::vec(1..50_usize, 1..10),
        limit in prop_oneof![Just(u64::MAX), 1..100_u64],
    ) {
        let whole = report(&seeds, &[seeds.len()], limit);
        prop_assert_eq!(&report(&seeds, &chunks, limit), &whole);
        let replayed = whole["log"]["replayed"]["records"].as_u64().unwrap();
        prop_assert!(replayed <= limit);
    }

    #[test]
    fn lines_do_not_depend_on_the_files_of_a_log(
        lines in prop::collection::vec("[a-z]{1,40}", 1..200),
        cuts in prop::collection::vec(0..200_usize, 0..5),
    ) {
        let folder = tempfile::TempDir::new().unwrap();
        let mut cuts: Vec<usize> = cuts.into_iter().filter(|cut| *cut < lines.len()).collect();
        cuts.extend([0, lines.len()]);
        cuts.sort_unstable();
        for (number, range) in cuts.windows(2).enumerate() {
            let text: String = lines[range[0]..range[1]].iter().map(|line| format!("{line}\n")).collect();
            std::fs::write(folder.path().join(format!("decisions-{number}.jsonl")), text).unwrap();
        }
        let files = log::files(&[folder.path().to_owned()]).unwrap();
        let mut read = Vec::new();
        log::read(&files, |chunk| {
            read.extend(chunk.lines().map(|(_, line)| String::from_utf8_lossy(line.trim_ascii()).into_owned()));
            true
        });
        prop_assert_eq!(read, lines);
    }
}

#[test]
fn progress_is_a_bar() {
    assert!(bar(0.0, 0).starts_with("replaying ░"));
    let half = bar(0.5, 7);
    assert_eq!((half.matches('█').count(), half.ends_with("50 % 7 records")), (15, true), "{half}");
    assert!(bar(1.5, 9).contains("100 % 9 records"));
}
