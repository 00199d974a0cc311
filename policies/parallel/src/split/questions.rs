//! Questions in running text.

use super::instruction::ends_as_question;
use crate::span::Span;

/// The questions of a text; `None` unless they are at least half of it, since in a
/// story or a letter they are not what is asked.
pub(super) fn find(text: &str) -> Option<Vec<Span>> {
    let questions: Vec<Span> =
        sentences(text).into_iter().filter(|sentence| ends_as_question(sentence.text(text))).collect();
    let bytes: usize = questions.iter().map(|question| question.to - question.from).sum();
    (bytes > 0 && 2 * bytes >= text.trim().len()).then_some(questions)
}

/// The sentences of a text: each ends with its mark and what closes quotations,
/// before a blank, or with its line. Marks of full width need no blank.
fn sentences(text: &str) -> Vec<Span> {
    let mut found = Vec::new();
    let mut start = 0;
    let mut rest = text.char_indices().peekable();
    while let Some((at, character)) = rest.next() {
        let mut end = at + character.len_utf8();
        let is_end = match character {
            '\n' | '。' | '？' | '！' => true,
            '.' | '!' | '?' | '؟' => {
                while let Some((_, more)) = rest
                    .next_if(|(_, next)| matches!(next, '.' | '!' | '?' | '"' | '\'' | ')' | '”' | '»' | '*'))
                {
                    end += more.len_utf8();
                }
                rest.peek().is_none_or(|(_, next)| next.is_whitespace())
            }
            _ => false,
        };
        if is_end {
            found.extend(Span::of(text, start, end));
            start = end;
        }
    }
    found.extend(Span::of(text, start, text.len()));
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(text: &str) -> Option<Vec<&str>> {
        find(text).map(|found| found.iter().map(|span| span.text(text)).collect())
    }

    #[test]
    fn questions_end_with_their_mark() {
        let text =
            "I have a dog. May it eat grapes? What about \"onions?\" And what does 1.5 kg\nof food cost?!";
        let expected = ["May it eat grapes?", "What about \"onions?\"", "of food cost?!"];
        assert_eq!(shown(text).unwrap(), expected);
        assert_eq!(shown("首都はどこ？人口は？なぜ？").unwrap(), ["首都はどこ？", "人口は？", "なぜ？"]);
        assert_eq!(shown("ما هذا؟ لماذا؟").unwrap().len(), 2);
        assert_eq!(shown("See a.b?c=d for this? Why").unwrap(), ["See a.b?c=d for this?"]);
    }

    #[test]
    fn questions_that_are_the_lesser_part_are_not_what_is_asked() {
        let story = "She came in from the rain and sat down. \"Why?\" he said. Nobody answered him for a long time. \"Who?\"";
        assert_eq!(shown(story), None);
        for text in ["", "   ", "\n\n", "No question.", "😀"] {
            assert_eq!(shown(text), None, "{text:?}");
        }
        assert_eq!(shown("?").unwrap(), ["?"]);
    }
}
