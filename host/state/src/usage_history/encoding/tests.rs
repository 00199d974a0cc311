use pointsman_domain::money::Picodollars;
use proptest::prelude::*;

use super::super::sample::{Noise, answered, subject};
use super::*;

fn sum(step: &UsageStep) -> UsageTotals {
    let mut sum = step.folded;
    step.lines.values().for_each(|totals| sum += *totals);
    sum
}

#[test]
fn a_step_is_decoded_as_it_was() {
    let mut noise = Noise(7);
    let lines = [
        (subject("auto", "a/chat", "alice"), noise.totals()),
        (subject("auto", "b/chat", "alice"), answered(3)),
        (subject("auto", "", ""), UsageTotals { failed: 1, ..UsageTotals::default() }),
        (subject("fast", "a/chat", "bob"), UsageTotals::from_values([u64::MAX; UsageTotals::VALUES])),
    ];
    let step = UsageStep { lines: lines.into_iter().collect(), folded: answered(9) };
    assert_eq!(decode(&encode(&step).unwrap()), Ok(step));
    let empty = UsageStep::default();
    assert_eq!(decode(&encode(&empty).unwrap()), Ok(empty));
}

#[test]
fn the_largest_lines_are_kept_and_the_sums_of_the_others_are_not_lost() {
    let mut noise = Noise(1);
    let names: Vec<String> = (0..4_000).map(|_| noise.name()).collect();
    let line = |(at, name): (usize, &String)| (subject(name, name, name), answered(at as u64 + 1));
    let step = UsageStep { lines: names.iter().enumerate().map(line).collect(), ..UsageStep::default() };
    let bytes = encode(&step).unwrap();
    assert!(bytes.len() <= MAX_STEP_BYTES, "{}", bytes.len());
    // Names without a pattern are the worst case. Nearly all of the room is used.
    assert!(bytes.len() > MAX_STEP_BYTES * 9 / 10, "{}", bytes.len());
    let decoded = decode(&bytes).unwrap();
    assert_eq!(sum(&decoded), sum(&step));
    assert!(!decoded.folded.is_empty());
    let kept = decoded.lines.len();
    assert!(kept > 100, "{kept}");
    for (subject, totals) in &decoded.lines {
        assert_eq!(step.lines.get(subject), Some(totals));
        assert!(totals.answered > 4_000 - kept as u64);
    }
}

#[test]
fn names_that_are_alike_leave_room_for_a_thousand_lines() {
    let mut noise = Noise(3);
    let mut step = UsageStep::default();
    for team in 0..250 {
        for model in ["openai/gpt-4o-mini", "local/qwen3-8b", "anthropic/claude-haiku", "local/llama-70b"] {
            let mut below = |most: u64| noise.next() % most;
            let totals = UsageTotals {
                answered: below(50),
                failed: below(3),
                input_tokens: below(40_000),
                output_tokens: below(10_000),
                cost: Picodollars::new(below(1 << 32)),
                compared_cost: Picodollars::new(below(1 << 32)),
                baseline_cost: Picodollars::new(below(1 << 34)),
                latency_us: below(100_000_000),
                ..UsageTotals::default()
            };
            step.lines.insert(subject("auto", model, &format!("team-{team:03}")), totals);
        }
    }
    let decoded = decode(&encode(&step).unwrap()).unwrap();
    assert_eq!((decoded.lines.len(), decoded.folded.is_empty()), (1_000, true));
}

#[test]
fn a_longer_list_of_sums_and_a_content_that_is_too_long_are_rejected() {
    for content in [&[16_u8, 0, 0, 0, 0][..], &[15, 1, 1, 1, b'a', 2], &[15, 1, 1, 1, 0xff, 1]] {
        let mut bytes = Vec::new();
        put(&mut bytes, content.len() as u64);
        bytes.extend(zstd::bulk::compress(content, LEVEL).unwrap());
        assert_eq!(decode(&bytes), Err(UnreadableStep));
    }
    let mut bytes = Vec::new();
    put(&mut bytes, 1 << 40);
    bytes.extend(zstd::bulk::compress(&[0; 100], LEVEL).unwrap());
    assert_eq!(decode(&bytes), Err(UnreadableStep));
}

#[test]
fn a_step_of_a_version_with_fewer_sums_has_zero_for_the_others() {
    // One line, of route `a` without model and key: answered 5, failed 2; nothing folded.
    let content = [2_u8, 1, 1, 1, b'a', 1, 0, 0, 0, 0, 5, 2, 0, 0];
    let mut bytes = Vec::new();
    put(&mut bytes, content.len() as u64);
    bytes.extend(zstd::bulk::compress(&content, LEVEL).unwrap());
    let totals = UsageTotals { answered: 5, failed: 2, ..UsageTotals::default() };
    assert_eq!(decode(&bytes).unwrap().lines, HashMap::from([(subject("a", "", ""), totals)]));
}

proptest! {
    #[test]
    fn damaged_bytes_are_an_error_or_another_step(at in 0_usize..200, bit in 0_u8..8) {
        let lines = [(subject("auto", "a/chat", "alice"), answered(3)), (subject("b", "", ""), answered(1))];
        let mut bytes = encode(&UsageStep { lines: lines.into_iter().collect(), ..UsageStep::default() }).unwrap();
        let at = at % bytes.len();
        bytes[at] ^= 1 << bit;
        let _ = decode(&bytes);
        prop_assert!(decode(&bytes[..at]).is_err());
    }
}
