//! A long text in chunks, with the instruction that goes with it.

use super::{Kind, Piece, Split, instruction};
use crate::Settings;
use crate::span::Span;

/// A longer paragraph is text, not an instruction.
const LONGEST_INSTRUCTION: usize = 800;

/// The borders at which a text may be cut, best first.
const BORDERS: [&str; 7] = ["\n\n", "\r\n\r\n", "\n", ". ", "? ", "。", " "];

/// Chunks of a text of `bytes` of which `seen` is the beginning. `None` when no
/// instruction is found, or when what was not seen is more than a last chunk can
/// hold: where characters begin there is not known.
pub(super) fn split(seen: &str, bytes: usize, settings: &Settings) -> Option<Split> {
    let is_cut = seen.len() < bytes;
    let before = first_paragraph(seen).or_else(|| before_colon(seen));
    // What ends a text that was not seen to its end is somewhere in the middle.
    let after = if is_cut { None } else { last_paragraph(seen) };
    if before.is_none() && after.is_none() {
        return None;
    }
    let from = before.map_or(0, |before| before.to);
    let end = after.map_or(bytes, |after| after.from);
    let wanted = end.checked_sub(from)?.div_ceil(settings.chunk_bytes).min(settings.max_parts);
    let size = (end - from).div_ceil(wanted.max(1));
    let mut spans = Vec::with_capacity(wanted);
    let mut at = from;
    while spans.len() + 1 < wanted && end - at > size + size / 4 {
        // A chunk that would have to be cut where nothing was seen is the last one.
        if at + size > seen.len() {
            break;
        }
        let next = border(seen, at, at + size);
        spans.extend(Span::of(seen, at, next));
        at = next;
    }
    let rest =
        if is_cut { (at < end).then_some(Span { from: at, to: end }) } else { Span::of(seen, at, end) };
    if rest.is_some_and(|rest| rest.to - rest.from > 2 * size) {
        return None;
    }
    spans.extend(rest);
    let piece = |(at, span)| Piece { span, first: at + 1, last: at + 1 };
    let parts: Vec<Piece> = spans.into_iter().enumerate().map(piece).collect();
    (parts.len() > 1).then_some(Split { kind: Kind::Document, before, after, parts })
}

/// The first paragraph, if it asks for something: with a colon, a question mark, or
/// explicitly.
fn first_paragraph(text: &str) -> Option<Span> {
    let start = text.len() - text.trim_start().len();
    let length = paragraph_end(text.get(start..)?)?;
    let span = Span::of(text, start, start + length)?;
    let words = span.text(text);
    let asks =
        words.ends_with([':', '：']) || instruction::ends_as_question(words) || instruction::asks(words);
    (words.len() <= LONGEST_INSTRUCTION && asks).then_some(span)
}

/// Returns the text before the first colon, if it is in the first line and is an instruction.
fn before_colon(text: &str) -> Option<Span> {
    let line = text.trim_start().lines().next()?;
    let start = text.len() - text.trim_start().len();
    let colon = line.find([':', '：']).filter(|&at| at <= LONGEST_INSTRUCTION)?;
    let mark = line.get(colon..)?.chars().next()?;
    let span = Span::of(text, start, start + colon + mark.len_utf8())?;
    instruction::asks(span.text(text)).then_some(span)
}

/// The last paragraph, if it asks for something.
fn last_paragraph(text: &str) -> Option<Span> {
    let text = text.trim_end();
    let start = text.rfind("\n\n").map(|at| at + 2).or_else(|| text.rfind("\r\n\r\n").map(|at| at + 4))?;
    let span = Span::of(text, start, text.len())?;
    let words = span.text(text);
    let asks = instruction::ends_as_question(words) || instruction::asks(words);
    (words.len() <= LONGEST_INSTRUCTION && asks).then_some(span)
}

fn paragraph_end(text: &str) -> Option<usize> {
    [text.find("\n\n"), text.find("\r\n\r\n")].into_iter().flatten().min()
}

/// Returns the end of a chunk of at most `limit` bytes: after the last border in its second
/// half, or between two characters if there is none.
fn border(text: &str, from: usize, limit: usize) -> usize {
    let limit = text.floor_char_boundary(limit);
    let half = text.floor_char_boundary(from + (limit - from) / 2);
    let within = text.get(half..limit).unwrap_or_default();
    let found = BORDERS.iter().find_map(|border| within.rfind(border).map(|at| half + at + border.len()));
    found.unwrap_or(limit)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settings(max_parts: usize) -> Settings {
        Settings { chunk_bytes: 1_000, max_parts, ..Settings::default() }
    }

    fn cut(text: &str) -> Option<Split> {
        split(text, text.len(), &settings(8))
    }

    /// Returns the text of all chunks without white space.
    fn joined(split: &Split, text: &str) -> String {
        split
            .parts
            .iter()
            .map(|piece| piece.span.text(text))
            .collect::<String>()
            .replace(char::is_whitespace, "")
    }

    fn story(paragraphs: usize) -> String {
        let paragraph = "The sea was calm that day. Nobody on board spoke a word. Größer war nur der Himmel.";
        vec![paragraph; paragraphs].join("\n\n")
    }

    #[test]
    fn a_text_is_cut_at_paragraphs_and_nothing_is_lost() {
        let text = format!("Summarise this:\n\n{}", story(40));
        let split = cut(&text).unwrap();
        assert_eq!((split.before.unwrap().text(&text), split.after), ("Summarise this:", None));
        assert_eq!(split.parts.len(), 4);
        for piece in &split.parts {
            let chunk = piece.span.text(&text);
            assert!(
                chunk.starts_with("The sea") && chunk.ends_with("Himmel.") && chunk.len() <= 1_250,
                "{chunk}"
            );
        }
        assert_eq!(joined(&split, &text), story(40).replace(char::is_whitespace, ""));
    }

    #[test]
    fn the_instruction_stands_in_front_behind_or_before_a_colon() {
        let behind = format!("{}\n\nWhat colour was the sea?\n", story(40));
        let split = cut(&behind).unwrap();
        assert_eq!((split.before, split.after.unwrap().text(&behind)), (None, "What colour was the sea?"));
        let colon = format!("Please translate this: {}", story(40).replace("\n\n", " "));
        let split = cut(&colon).unwrap();
        assert_eq!(split.before.unwrap().text(&colon), "Please translate this:");
        assert!(split.parts.iter().all(|piece| piece.span.text(&colon).ends_with('.')), "cut at sentences");
        let both =
            format!("Answer this:\r\n\r\n{}\r\n\r\nExplain in two lines.", story(40).replace('\n', "\r\n"));
        let split = cut(&both).unwrap();
        assert_eq!(split.before.unwrap().text(&both), "Answer this:");
        assert_eq!(split.after.unwrap().text(&both), "Explain in two lines.");
    }

    #[test]
    fn without_an_instruction_a_text_stays_whole() {
        assert_eq!(cut(&story(40)), None);
        assert_eq!(cut(&format!("News: {}", story(40))), None);
        assert_eq!(cut(&"x".repeat(5_000)), None);
        assert_eq!(cut(""), None);
    }

    #[test]
    fn more_chunks_than_allowed_are_made_larger() {
        let text = format!("Summarise this:\n\n{}", story(100));
        let split = split(&text, text.len(), &settings(3)).unwrap();
        assert_eq!(split.parts.len(), 3);
        assert_eq!(joined(&split, &text), story(100).replace(char::is_whitespace, ""));
    }

    #[test]
    fn a_text_without_any_border_is_cut_between_characters() {
        let text = format!("Summarise this:\n\n{}", "語😀".repeat(600));
        let split = cut(&text).unwrap();
        assert!(split.parts.len() > 3);
        assert_eq!(joined(&split, &text), "語😀".repeat(600));
    }

    #[test]
    fn the_end_of_a_text_that_was_not_seen_goes_to_the_last_chunk_or_nothing_is_cut() {
        let text = format!("Summarise this:\n\n{}", story(40));
        let seen = &text[..text.floor_char_boundary(3_000)];
        let cut = split(seen, text.len(), &settings(8)).unwrap();
        assert_eq!(cut.parts.last().unwrap().span.to, text.len());
        assert_eq!(joined(&cut, &text), story(40).replace(char::is_whitespace, ""));
        assert_eq!(split(seen, 1 << 20, &settings(32)), None);
        assert_eq!(split("", 1 << 20, &settings(32)), None, "nothing may be read");
    }
}
