//! Telling from its words that a text asks for something.

/// Verbs at the start of requests that can be done part by part.
const VERBS: [&str; 36] = [
    "analyse",
    "analyze",
    "answer",
    "calculate",
    "classify",
    "compare",
    "compute",
    "convert",
    "correct",
    "count",
    "define",
    "describe",
    "evaluate",
    "explain",
    "extract",
    "find",
    "fix",
    "give",
    "identify",
    "improve",
    "list",
    "name",
    "paraphrase",
    "proofread",
    "rate",
    "recommend",
    "rewrite",
    "shorten",
    "solve",
    "suggest",
    "summarise",
    "summarize",
    "tell",
    "translate",
    "what",
    "write",
];

/// Words of instructions that apply to each of the following items.
const EACH: [&str; 6] = ["each", "every", "following", "these", "questions", "below"];

/// Words of items that depend on another item.
const LEANING: [&str; 14] = [
    "above",
    "afterwards",
    "earlier",
    "finally",
    "former",
    "latter",
    "previous",
    "result",
    "results",
    "same",
    "step",
    "steps",
    "then",
    "therefore",
];

/// Words of an instruction that are looked at: it begins with what it asks for.
const BEGINNING: usize = 8;

/// True if one of the first words is an imperative verb.
pub(super) fn asks(text: &str) -> bool {
    words(text).take(BEGINNING).any(|word| is_in(&VERBS, word))
}

/// True for an instruction that applies to each of the following items.
pub(super) fn is_for_each(text: &str) -> bool {
    asks(text) && words(text).any(|word| is_in(&EACH, word))
}

/// True for a question, or a text that begins like a task.
pub(super) fn is_task(text: &str) -> bool {
    ends_as_question(text) || words(text).next().is_some_and(|word| is_in(&VERBS, word))
}

/// True for an item that depends on others, so that it cannot be done separately.
pub(super) fn leans(text: &str) -> bool {
    words(text).any(|word| is_in(&LEANING, word))
}

/// True for a text that ends with a question mark.
pub(super) fn ends_as_question(text: &str) -> bool {
    let text = text.trim_end_matches(|c: char| {
        c.is_whitespace() || matches!(c, '"' | '\'' | ')' | '*' | '”' | '»' | '!')
    });
    text.ends_with(['?', '？', '؟'])
}

fn words(text: &str) -> impl Iterator<Item = &str> {
    text.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty())
}

fn is_in(list: &[&str], word: &str) -> bool {
    list.iter().any(|known| known.eq_ignore_ascii_case(word))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_instruction_begins_with_what_it_asks_for() {
        assert!(asks("Could you please SUMMARISE this report"));
        assert!(!asks("It was a dark and stormy night, hard to describe."));
        assert!(
            is_for_each("Translate each of these")
                && !is_for_each("Translate this")
                && !is_for_each("These are mine")
        );
    }

    #[test]
    fn an_item_that_depends_on_another_is_recognised() {
        assert!(leans("Then add the eggs") && leans("What is the sum of the previous two?"));
        assert!(!leans("Who wrote Faust?"));
        assert!(is_task("Name a river") && is_task("¿Por qué? »") && is_task("なぜ？") && !is_task("Eggs"));
    }
}
