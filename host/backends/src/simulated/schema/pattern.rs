//! Texts that match a simple regular expression: literals, classes, groups, alternatives and
//! repetitions. Of each repetition, as few as allowed are produced, but one where none is needed
//! and one is allowed.

use std::iter::Peekable;
use std::str::Chars;

use fastrand::Rng;

/// Most characters of a text.
const MAX_LENGTH: usize = 512;
/// Most groups within each other.
const MAX_DEPTH: usize = 16;

/// Returns a text that a pattern matches; `None` for a pattern with other constructs, such as
/// assertions.
pub(super) fn matching(pattern: &str, choices: &mut Rng) -> Option<String> {
    let mut parser = Parser { rest: pattern.chars().peekable(), choices };
    let text = parser.alternatives(0)?;
    (parser.rest.peek().is_none() && text.len() <= MAX_LENGTH).then_some(text)
}

struct Parser<'a> {
    rest: Peekable<Chars<'a>>,
    choices: &'a mut Rng,
}

impl Parser<'_> {
    fn alternatives(&mut self, depth: usize) -> Option<String> {
        if depth > MAX_DEPTH {
            return None;
        }
        let mut texts = vec![self.sequence(depth)?];
        while self.rest.next_if_eq(&'|').is_some() {
            texts.push(self.sequence(depth)?);
        }
        let chosen = self.choices.usize(..texts.len());
        Some(texts.swap_remove(chosen))
    }

    fn sequence(&mut self, depth: usize) -> Option<String> {
        let mut text = String::new();
        while let Some(&next) = self.rest.peek() {
            if matches!(next, '|' | ')') {
                break;
            }
            self.rest.next();
            let characters = match next {
                '^' | '$' => continue,
                '(' => {
                    let group = self.group(depth)?;
                    text.push_str(&group.repeat(self.repetitions()?));
                    continue;
                }
                '[' => self.class()?,
                '\\' => escaped(self.rest.next()?)?,
                '.' => ('a'..='z').collect(),
                '*' | '+' | '?' | '{' | '}' | ']' => return None,
                literal => vec![literal],
            };
            for _ in 0..self.repetitions()? {
                text.push(*self.choices.choice(&characters)?);
            }
            if text.len() > MAX_LENGTH {
                return None;
            }
        }
        Some(text)
    }

    fn group(&mut self, depth: usize) -> Option<String> {
        if self.rest.next_if_eq(&'?').is_some() {
            match self.rest.next()? {
                ':' => {}
                // A named group: `(?<name>` or `(?P<name>`.
                'P' | '<' => {
                    let name = self.until('>')?;
                    if name.starts_with(['=', '!', '<']) {
                        return None;
                    }
                }
                _ => return None,
            }
        }
        let text = self.alternatives(depth + 1)?;
        self.rest.next_if_eq(&')')?;
        Some(text)
    }

    /// Parses a class after its bracket. Returns characters that belong to it.
    fn class(&mut self) -> Option<Vec<char>> {
        let negated = self.rest.next_if_eq(&'^').is_some();
        let mut characters: Vec<char> = Vec::new();
        loop {
            let first = match self.rest.next()? {
                ']' if !characters.is_empty() => break,
                '\\' => {
                    let escaped = escaped(self.rest.next()?)?;
                    if let [only] = escaped[..] {
                        only
                    } else {
                        characters.extend(escaped);
                        continue;
                    }
                }
                other => other,
            };
            // A dash at the end of a class is a character.
            let mut ahead = self.rest.clone();
            let is_range = ahead.next() == Some('-') && ahead.next().is_some_and(|next| next != ']');
            if !is_range {
                characters.push(first);
                continue;
            }
            self.rest.next();
            let last = match self.rest.next()? {
                '\\' => self.rest.next()?,
                last => last,
            };
            characters.extend((first..=last).take(256));
        }
        if negated {
            characters = (' '..='~').filter(|character| !characters.contains(character)).collect();
        }
        Some(characters)
    }

    /// Returns the characters before a mark, and skips the mark.
    fn until(&mut self, mark: char) -> Option<String> {
        let mut text = String::new();
        loop {
            match self.rest.next()? {
                next if next == mark => return Some(text),
                next => text.push(next),
            }
        }
    }

    /// Parses what follows an element: how often it is repeated.
    fn repetitions(&mut self) -> Option<usize> {
        let count = match self.rest.peek() {
            Some('*' | '+' | '?') => {
                self.rest.next();
                1
            }
            Some('{') => {
                self.rest.next();
                let bounds = self.until('}')?;
                let (least, most) = bounds.split_once(',').unwrap_or((&bounds, &bounds));
                let least: usize = least.trim().parse().ok()?;
                let most: usize = most.trim().parse().unwrap_or(usize::MAX);
                least.max(1).min(most)
            }
            _ => return Some(1),
        };
        // Lazy and possessive repetitions match the same texts.
        self.rest.next_if(|next| matches!(next, '?' | '+'));
        (count <= MAX_LENGTH).then_some(count)
    }
}

/// Returns the characters that an escape stands for.
fn escaped(character: char) -> Option<Vec<char>> {
    Some(match character {
        'd' => ('0'..='9').collect(),
        'w' => ('a'..='z').collect(),
        's' => vec![' '],
        'D' | 'S' => ('a'..='z').collect(),
        'W' => vec!['-'],
        't' => vec!['\t'],
        'n' => vec!['\n'],
        'r' => vec!['\r'],
        other if other.is_alphanumeric() => return None,
        other => vec![other],
    })
}
