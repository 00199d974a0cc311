//! A light look at a program in an answer: whether it is there and looks whole.
//!
//! It knows no language. It sees that an answer broke off, that a fence was left
//! open, or that a bracket was forgotten; it does not see whether the program is
//! right. Where it errs, it errs towards asking a better model.

/// A fenced block.
struct Block<'a> {
    language: &'a str,
    body: &'a str,
}

/// True if all fences are closed, and brackets and quotes balance in the longest block, which
/// is assumed to be the program.
pub(crate) fn is_whole(answer: &str) -> bool {
    let blocks = blocks(answer).unwrap_or_default();
    let longest = blocks.into_iter().max_by_key(|block| block.body.len());
    longest.is_some_and(|block| !block.body.trim().is_empty() && is_balanced(&block))
}

/// The fenced blocks of a text; `None` when one is not closed.
fn blocks(text: &str) -> Option<Vec<Block<'_>>> {
    let mut blocks = Vec::new();
    let mut open: Option<(&str, usize)> = None;
    let mut at = 0;
    for line in text.split_inclusive('\n') {
        if let Some(after) = line.trim_start().strip_prefix("```") {
            let after = after.trim();
            open = match open {
                None => Some((after, at + line.len())),
                Some((language, start)) if after.is_empty() => {
                    blocks.push(Block { language, body: text.get(start..at)? });
                    None
                }
                inside => inside,
            };
        }
        at += line.len();
    }
    open.is_none().then_some(blocks)
}

/// True if every bracket outside strings has a partner, and every string ends.
fn is_balanced(block: &Block<'_>) -> bool {
    let mut open = Vec::new();
    let mut rest = block.body;
    let mut before = '\n';
    while let Some(character) = rest.chars().next() {
        let after = &rest[character.len_utf8()..];
        rest = match character {
            '(' | '[' | '{' => {
                open.push(character);
                after
            }
            ')' | ']' | '}' => {
                let partner = open.pop();
                if !matches!((partner, character), (Some('('), ')') | (Some('['), ']') | (Some('{'), '}')) {
                    return false;
                }
                after
            }
            '"' | '\'' | '`' => match after_string(character, before, rest, block.language) {
                Some(rest) => rest,
                None => return false,
            },
            _ => after,
        };
        before = character;
    }
    open.is_empty()
}

/// Returns the text after the string that begins here; `None` if it does not end. A single
/// quote that begins no string is an apostrophe, or a lifetime in Rust.
fn after_string<'a>(quote: char, before: char, text: &'a str, language: &str) -> Option<&'a str> {
    let triple = if quote == '"' { "\"\"\"" } else { "'''" };
    if let Some(within) = text.strip_prefix(triple) {
        return within.find(triple).map(|end| &within[end + triple.len()..]);
    }
    let within = &text[1..];
    let end = end_of_string(quote, within);
    if quote == '\'' {
        let is_character = |&end: &usize| within[..end].chars().count() <= 2 || within.starts_with('\\');
        let is_rust = matches!(language, "rust" | "rs");
        let end = end.filter(|_| !before.is_alphanumeric()).filter(|end| !is_rust || is_character(end));
        return Some(end.map_or(within, |end| &within[end + 1..]));
    }
    end.map(|end| &within[end + 1..])
}

/// Returns the end of a string: its closing quote on the same line, or on any line for
/// back-ticks. A backslash escapes the character after it.
fn end_of_string(quote: char, within: &str) -> Option<usize> {
    let mut guarded = false;
    for (at, character) in within.char_indices() {
        match character {
            _ if guarded => guarded = false,
            '\\' => guarded = true,
            '\n' if quote != '`' => return None,
            _ if character == quote => return Some(at),
            _ => {}
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fenced(language: &str, program: &str) -> String {
        format!("Here it is:\n\n```{language}\n{program}\n```\nDone.")
    }

    #[test]
    fn whole_programs_of_several_languages_are_accepted() {
        let samples = [
            ("python", "def f(x):\n    \"\"\"It's (not\n    closed\"\"\"\n    return {'a(': x[0]}  # don't"),
            ("rust", "fn f<'a>(x: &'a str) -> char { let q = '\"'; let e = '\\''; let b = '{'; b }"),
            ("js", "const s = `a\n(${1})`; const t = \"\\\"(\";"),
            ("", "SELECT COUNT(*) FROM t WHERE n = 'ä(';"),
        ];
        for (language, program) in samples {
            assert!(is_whole(&fenced(language, program)), "{program}");
        }
    }

    #[test]
    fn broken_programs_are_not() {
        let programs = ["f(", "f)", "f(]", "x = \"open", "`open", "\"\"\"open", "", "  \n "];
        for program in programs {
            assert!(!is_whole(&fenced("", program)), "{program}");
        }
    }

    #[test]
    fn without_a_closed_fence_there_is_no_program() {
        for answer in ["", "f(x)", "```\nf(x)", "```", "``` ```", "```\n```"] {
            assert!(!is_whole(answer), "{answer:?}");
        }
    }

    #[test]
    fn the_longest_block_is_the_program() {
        let answer =
            format!("```sh\necho ')'\n```\n{}", fenced("c", "int main(void) { return 0; } /* long */"));
        assert!(is_whole(&answer));
        assert!(!is_whole(&answer.replace("0; }", "0;")));
    }
}
