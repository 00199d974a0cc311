use super::*;

fn found(text: &str, settings: &Settings) -> Option<(Kind, usize)> {
    by_rule(text, text.len(), settings).map(|split| (split.kind, split.parts.len()))
}

#[test]
fn a_rule_needs_enough_parts() {
    let two = "- Who wrote Faust?\n- Where is Lima?";
    assert_eq!(found(two, &Settings::default()), None);
    assert_eq!(found(two, &Settings { min_parts: 2, ..Settings::default() }), Some((Kind::List, 2)));
    assert_eq!(found("Who? When? Why?", &Settings::default()), Some((Kind::Questions, 3)));
    assert_eq!(found("Who? When?", &Settings::default()), None);
}

#[test]
fn too_many_items_are_put_together_in_order() {
    let text: String = (1..=7).map(|at| format!("{at}. What is {at}?\n")).collect();
    let split = by_rule(&text, text.len(), &Settings { max_parts: 3, ..Settings::default() }).unwrap();
    let shown: Vec<_> = split.parts.iter().map(|piece| (piece.first, piece.last)).collect();
    assert_eq!(shown, [(1, 2), (3, 4), (5, 7)]);
    assert_eq!(split.parts[0].span.text(&text), "What is 1?\n2. What is 2?");
}

#[test]
fn programs_and_text_that_was_not_seen_stay_whole() {
    let list = "- Why?\n- Where?\n- When?";
    assert_eq!(found(&format!("{list}\n\n```\nx\n```"), &Settings::default()), None);
    assert_eq!(by_rule(list, list.len() + 100, &Settings::default()), None);
}

#[test]
fn any_text_is_split_or_left_whole_with_offsets_between_characters() {
    let pieces = [
        "- ", "1. ", "2) ", "?", "\n", "\n\n", "ä", "😀", " ", "Explain:", "each ", ". ", "\r\n", "？",
        "\u{300}", "```",
    ];
    let mut seed = 1_u32;
    for round in 0..3_000 {
        let mut text = String::new();
        for _ in 0..round % 400 {
            seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            text.push_str(pieces[(seed >> 24) as usize % pieces.len()]);
        }
        let settings = Settings { chunk_bytes: 500, min_parts: 2, ..Settings::default() };
        let seen = &text[..text.floor_char_boundary(text.len() - text.len() / 3 * (round % 2))];
        let Some(split) = by_rule(seen, text.len(), &settings) else { continue };
        let instructions = split.before.into_iter().chain(split.after);
        for span in split.parts.iter().map(|piece| piece.span).chain(instructions) {
            assert!(text.get(span.from..span.to).is_some_and(|text| !text.is_empty()), "{text:?} {span:?}");
        }
        assert!((2..=settings.max_parts).contains(&split.parts.len()), "{text:?}");
    }
}
