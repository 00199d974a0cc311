//! Places of values in the text of a description.

use pointsman_policy::description::{PathStep, ValuePath};
use toml::de::{DeTable, DeValue};

use crate::case::document::{Place, Syntax};

/// Returns the place of a value, or of the innermost one around it that is in the text. `None` for the
/// whole document.
pub(super) fn place(text: &str, syntax: Syntax, path: &ValuePath) -> Option<Place> {
    let (start, end) = match syntax {
        Syntax::Toml => in_toml(text, path.steps()),
        Syntax::Json => in_json(text, path.steps()),
    }?;
    Some(Place::of_span(text, start, end))
}

/// Tables have the place of their key.
fn in_toml(text: &str, steps: &[PathStep]) -> Option<(usize, usize)> {
    let root = DeTable::parse(text).ok()?;
    let mut value: Option<&DeValue<'_>> = None;
    let mut found = None;
    for step in steps {
        let next = match (step, value) {
            (PathStep::Key(key), None) => root.get_ref().iter().find(|(name, _)| name.get_ref() == key),
            (PathStep::Key(key), Some(DeValue::Table(table))) => {
                table.iter().find(|(name, _)| name.get_ref() == key)
            }
            (PathStep::Index(index), Some(DeValue::Array(elements))) => {
                let Some(element) = elements.get(*index) else { break };
                found = Some((element.span().start, element.span().end));
                value = Some(element.get_ref());
                continue;
            }
            _ => None,
        };
        let Some((key, next)) = next else { break };
        let span = if matches!(next.get_ref(), DeValue::Table(_)) { key.span() } else { next.span() };
        found = Some((span.start, span.end));
        value = Some(next.get_ref());
    }
    found
}

fn in_json(text: &str, steps: &[PathStep]) -> Option<(usize, usize)> {
    let mut cursor = Cursor { text, at: 0 };
    let mut found = None;
    for step in steps {
        let key = match step {
            PathStep::Key(key) => cursor.member(key),
            PathStep::Index(index) => cursor.element(*index).map(|()| None),
        };
        let Some(key) = key else { break };
        let value = (cursor.at, cursor.end());
        // A long value is shown by its key.
        found = Some(if text.get(value.0..value.1).is_some_and(|it| it.starts_with(['{', '['])) {
            key.unwrap_or((value.0, value.0 + 1))
        } else {
            value
        });
    }
    found
}

/// Position in a valid JSON text.
struct Cursor<'t> {
    text: &'t str,
    at: usize,
}

impl Cursor<'_> {
    /// Moves from an object to the value of a member. Returns the place of the key.
    fn member(&mut self, key: &str) -> Option<Option<(usize, usize)>> {
        self.enter(b'{')?;
        loop {
            self.skip_space();
            let (start, end) = (self.at, self.end());
            let name: String = serde_json::from_str(self.text.get(start..end)?).ok()?;
            self.at = end;
            self.enter(b':')?;
            self.skip_space();
            if name == key {
                return Some(Some((start, end)));
            }
            self.at = self.end();
            self.enter(b',')?;
        }
    }

    /// Moves from an array to an element.
    fn element(&mut self, index: usize) -> Option<()> {
        self.enter(b'[')?;
        self.skip_space();
        for _ in 0..index {
            self.at = self.end();
            self.enter(b',')?;
            self.skip_space();
        }
        (self.byte()? != b']').then_some(())
    }

    fn enter(&mut self, expected: u8) -> Option<()> {
        self.skip_space();
        (self.byte()? == expected).then(|| self.at += 1)
    }

    fn skip_space(&mut self) {
        while self.byte().is_some_and(|byte| byte.is_ascii_whitespace()) {
            self.at += 1;
        }
    }

    fn byte(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    /// Returns the end of the value that begins here.
    fn end(&self) -> usize {
        let (mut depth, mut is_text, mut is_escaped) = (0_usize, false, false);
        for (offset, byte) in self.text.bytes().enumerate().skip(self.at) {
            match byte {
                _ if is_escaped => is_escaped = false,
                b'\\' if is_text => is_escaped = true,
                b'"' => {
                    is_text = !is_text;
                    if !is_text && depth == 0 {
                        return offset + 1;
                    }
                }
                _ if is_text => {}
                b'{' | b'[' => depth += 1,
                b'}' | b']' if depth == 1 => return offset + 1,
                b'}' | b']' if depth > 1 => depth -= 1,
                b'}' | b']' | b',' | b':' | b' ' | b'\n' | b'\r' | b'\t' if depth == 0 => return offset,
                _ => {}
            }
        }
        self.text.len()
    }
}
