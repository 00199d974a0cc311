use super::*;

/// Counts in the order input, output, total, cached, cache write, reasoning.
fn count(members: [Option<u64>; 6]) -> UsageCount {
    let [input, output, total, cached, cache_write, reasoning] = members;
    UsageCount { input, output, total, cached, cache_write, reasoning, ..UsageCount::NONE }
}

#[test]
fn credible_counts_are_used_and_others_are_estimated() {
    const NONE: Option<u64> = None;
    let counted = Usage::counted;
    // Counts, bytes of text, and the usage with an input of about 70 tokens.
    let table = [
        (count([Some(7), Some(3), Some(10), NONE, NONE, NONE]), 12, counted(7, 3)),
        (count([NONE; 6]), 400, counted(70, 100).estimated()),
        // Zeros beside a text.
        (count([Some(0), Some(0), Some(0), NONE, NONE, NONE]), 400, counted(70, 100).estimated()),
        (count([Some(7), Some(0), Some(7), NONE, NONE, NONE]), 400, counted(7, 100).estimated()),
        (count([Some(0), Some(3), NONE, NONE, NONE, NONE]), 12, counted(70, 3).estimated()),
        // An answer without a text has no tokens.
        (count([Some(7), Some(0), NONE, NONE, NONE, NONE]), 0, counted(7, 0)),
        // Reasoning is missing from the completion.
        (count([Some(7), Some(3), Some(50), NONE, NONE, NONE]), 12, counted(7, 43)),
        (count([Some(7), NONE, Some(50), NONE, NONE, NONE]), 12, counted(7, 43)),
        // A total that is too small says nothing.
        (count([Some(7), Some(3), Some(2), NONE, NONE, NONE]), 12, counted(7, 3)),
    ];
    for (count, output_bytes, expected) in table {
        assert_eq!(count.usage(70, output_bytes), expected, "{count:?}");
    }
}

#[test]
fn cached_and_reasoning_tokens_are_part_of_the_others() {
    let usage = count([Some(1_000), Some(50), Some(1_050), Some(900), Some(40), Some(30)]).usage(0, 1);
    let expected = Usage {
        cached_input_tokens: 900,
        cache_write_tokens: 40,
        reasoning_tokens: 30,
        ..Usage::counted(1_000, 50)
    };
    assert_eq!(usage, expected);
    let beside = count([Some(60), Some(50), None, Some(900), Some(40), None]).usage(0, 1);
    assert_eq!(beside, Usage { reasoning_tokens: 0, ..expected });
    let more_than_all = count([Some(7), Some(1), Some(8), Some(161), None, None]).usage(0, 1);
    assert_eq!(more_than_all, Usage { cached_input_tokens: 7, ..Usage::counted(7, 1) });
    let too_many = count([Some(10), Some(5), None, None, None, Some(99)]).usage(0, 1);
    assert_eq!(too_many.reasoning_tokens, 5);
}

#[test]
fn counts_are_whole_numbers_in_any_notation() {
    let recorded = |raw: &str| {
        let mut count = UsageCount::default();
        count.record(UsageMember::Input, raw.as_bytes());
        count.input
    };
    assert_eq!(["7", "7.0", "7e1", "0"].map(recorded), [Some(7), Some(7), Some(70), Some(0)]);
    assert_eq!(["7.5", "-7", "100000001", "1e300", ""].map(recorded), [None; 5]);
}

#[test]
fn a_later_count_replaces_an_earlier_one_unless_it_is_a_placeholder() {
    let zeros = UsageCount::stated(0, 0);
    let (early, last) = (UsageCount::stated(390, 1), UsageCount::stated(390, 26));
    let after = |counts: &[UsageCount]| {
        let mut count = UsageCount::default();
        counts.iter().for_each(|later| count.update(*later));
        count
    };
    assert_eq!(after(&[zeros, early, last]), last);
    assert_eq!(after(&[early, last, zeros, UsageCount::default()]), last);
    assert_eq!(after(&[zeros]), zeros);
}

#[test]
fn audio_images_and_long_lived_cache_writes_are_part_of_the_others() {
    let mut count = UsageCount::stated(1_000, 50);
    for (member, tokens) in [
        (UsageMember::CacheWrite, "40"),
        (UsageMember::CacheWrite1h, "30"),
        (UsageMember::AudioInput, "200"),
        (UsageMember::ImageInput, "5000"),
        (UsageMember::AudioOutput, "20"),
        (UsageMember::ImageOutput, "51"),
    ] {
        count.record(member, tokens.as_bytes());
    }
    let expected = Usage {
        cache_write_tokens: 40,
        cache_write_1h_tokens: 30,
        audio_input_tokens: 200,
        image_input_tokens: 1_000,
        audio_output_tokens: 20,
        image_output_tokens: 50,
        ..Usage::counted(1_000, 50)
    };
    assert_eq!(count.usage(0, 1), expected);
    let mut before = UsageCount::NONE;
    before.update(count);
    assert_eq!(before, count);
}
