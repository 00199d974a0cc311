//! Items of a numbered or bulleted list, with what stands before and behind it.

use super::instruction;
use crate::span::Span;

/// A list in a text.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct List {
    pub(super) before: Option<Span>,
    pub(super) items: Vec<Span>,
    pub(super) after: Option<Span>,
}

/// The marker of a list item.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Marker {
    /// `-`, `*` or `•`.
    Bullet(char),
    /// A number and what stands behind it: `1.` or `1)`.
    Number(u32, char),
}

/// The list of a text, if there is one whose items can be treated by themselves:
/// all are tasks, or the instruction is for each; and none leans on another.
pub(super) fn split(text: &str) -> Option<List> {
    let list = found(text)?;
    let is_for_each = |span: Option<Span>| span.is_some_and(|span| instruction::is_for_each(span.text(text)));
    let are_tasks = list.items.iter().all(|item| instruction::is_task(item.text(text)));
    let lean = list.items.iter().any(|item| instruction::leans(item.text(text)));
    let fits = !lean && (are_tasks || is_for_each(list.before) || is_for_each(list.after));
    fits.then_some(list)
}

/// The one list of a text, whatever it says; `None` when there are several, or an
/// item is empty.
fn found(text: &str) -> Option<List> {
    // Where the words of each item begin, and where its line does.
    let mut begins: Vec<(usize, usize)> = Vec::new();
    let mut newest: Option<Marker> = None;
    let mut end = None;
    let (mut at, mut blank) = (0, false);
    for line in text.split_inclusive('\n') {
        let start = at;
        at += line.len();
        if line.trim().is_empty() {
            blank = true;
            continue;
        }
        if let Some((marker, words)) = marker(line) {
            if end.is_some() || newest.is_some_and(|newest| !follows(newest, marker)) {
                return None;
            }
            newest = Some(marker);
            begins.push((start, start + words));
        } else if blank && newest.is_some() && end.is_none() && !line.starts_with([' ', '\t']) {
            end = Some(start);
        }
        blank = false;
    }
    let end = end.unwrap_or(text.len());
    let ends = begins.iter().skip(1).map(|(line, _)| *line).chain([end]);
    let items = begins
        .iter()
        .zip(ends)
        .map(|((_, from), to)| Span::of(text, *from, to))
        .collect::<Option<Vec<_>>>()?;
    let (first, _) = begins.first()?;
    Some(List { before: Span::of(text, 0, *first), items, after: Span::of(text, end, text.len()) })
}

/// True if an item with marker `next` can follow one with `newest`.
fn follows(newest: Marker, next: Marker) -> bool {
    match (newest, next) {
        (Marker::Number(one, behind), Marker::Number(other, behind_other)) => {
            behind == behind_other && other == one + 1
        }
        (newest, next) => newest == next,
    }
}

/// The marker that a line begins with, and where its words begin. What is indented
/// by more than three blanks belongs to the item before.
fn marker(line: &str) -> Option<(Marker, usize)> {
    let rest = line.trim_start_matches(' ');
    let indent = line.len() - rest.len();
    if indent > 3 {
        return None;
    }
    let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
    let mut behind = rest.get(digits..)?.chars();
    let character = behind.next()?;
    if !behind.next()?.is_whitespace() {
        return None;
    }
    let words = indent + digits + character.len_utf8();
    match (digits, character) {
        (0, '-' | '*' | '•') => Some((Marker::Bullet(character), words)),
        (1..=3, '.' | ')') => Some((Marker::Number(rest.get(..digits)?.parse().ok()?, character), words)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Before, items, after.
    fn shown(text: &str) -> Option<(&str, Vec<&str>, &str)> {
        let show = |span: Option<Span>| span.map_or("", |span| span.text(text));
        let list = split(text)?;
        Some((show(list.before), list.items.iter().map(|item| item.text(text)).collect(), show(list.after)))
    }

    #[test]
    fn numbered_and_bulleted_items_are_found_with_what_stands_around_them() {
        let text =
            "Answer these, please:\n\n1. Who wrote Faust?\n2. Where is Lima?\n\n3. Why?\n\nBe brief.\n";
        let items = vec!["Who wrote Faust?", "Where is Lima?", "Why?"];
        assert_eq!(shown(text), Some(("Answer these, please:", items.clone(), "Be brief.")));
        for marks in
            [["1)", "2)", "3)"], ["7.", "8.", "9."], ["-", "-", "-"], ["*", "*", "*"], ["•", "•", "•"]]
        {
            let text: String =
                marks.iter().zip(&items).map(|(mark, item)| format!("{mark} {item}\n")).collect();
            assert_eq!(shown(&text), Some(("", items.clone(), "")), "{text}");
        }
    }

    #[test]
    fn an_instruction_for_each_makes_items_of_any_words() {
        let text = "Translate each word into French:\r\n- Äpfel\r\n- Größe 😀\r\n- fish";
        assert_eq!(
            shown(text),
            Some(("Translate each word into French:", vec!["Äpfel", "Größe 😀", "fish"], ""))
        );
        let behind = "- fish\n- bird\n\nTranslate each word into French.";
        assert_eq!(shown(behind).map(|shown| shown.2), Some("Translate each word into French."));
    }

    #[test]
    fn what_is_indented_or_follows_directly_belongs_to_the_item() {
        let text = "1. Explain this:\n     - a\n     - b\nquickly\n2. Explain that.\n\n   With examples.";
        let (_, items, after) = shown(text).unwrap();
        assert_eq!(
            items,
            ["Explain this:\n     - a\n     - b\nquickly", "Explain that.\n\n   With examples."]
        );
        assert_eq!(after, "");
    }

    #[test]
    fn items_that_are_no_tasks_or_lean_on_each_other_are_left_together() {
        assert_eq!(shown("Why does my cake fail?\n1. Eggs\n2. Flour"), None);
        assert_eq!(shown("1. Solve x+1=2.\n2. Explain the previous answer."), None);
        assert_eq!(shown("Explain these steps:\n- Break the eggs\n- Then add flour"), None);
    }

    #[test]
    fn odd_lists_are_none() {
        for text in [
            "",
            "\n",
            "1.",
            "- ",
            "-\n-\n",
            "1. Why?\n3. Where?",
            "1. Why?\n- Where?",
            "1. Why?\n2) Where?",
            "- Why?\n- \n- Where?",
            "1.5 is what?\n2.5 is what?",
            "- Why?\n\nand\n\n- Where?",
            "2024. What?",
            "no list at all?",
            "\u{feff}😀",
            "999999999999999999999. What?",
        ] {
            assert_eq!(shown(text), None, "{text:?}");
        }
    }
}
