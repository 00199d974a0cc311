//! Replacement of the token counts in an answer.

use bytes::Bytes;
use pointsman_domain::usage::Usage;

use crate::json::{Container, JsonText, Path, Scalar, Span, Visitor, keys, scan};

/// Returns a whole answer with these tokens in place of its own count, which covers the last call
/// alone. All other bytes stay. A document that is not a JSON object is returned unchanged.
pub fn with_usage(answer: Bytes, total: Usage) -> Bytes {
    match rewritten(&answer, total) {
        Some(rewritten) => rewritten.into(),
        None => answer,
    }
}

/// Returns an answer or an event with other token counts; `None` if it is not a JSON object.
pub(super) fn rewritten(json: &[u8], total: Usage) -> Option<Vec<u8>> {
    let mut counts = UsageEditor::new(total);
    scan(json, &mut counts).ok()?;
    let edits = counts.edits()?;
    let mut written = Vec::with_capacity(json.len() + 100);
    let mut from = 0;
    for (span, new) in edits {
        written.extend_from_slice(json.get(from..span.start)?);
        written.extend_from_slice(new.as_bytes());
        from = span.end;
    }
    written.extend_from_slice(json.get(from..)?);
    Some(written)
}

#[derive(Clone, Copy, Debug, Default)]
enum Place {
    #[default]
    Root,
    Usage,
}

keys! {
    Usage = "usage",
    PromptTokens = "prompt_tokens",
    CompletionTokens = "completion_tokens",
    TotalTokens = "total_tokens",
}

const COUNTS: [Key; 3] = [Key::PromptTokens, Key::CompletionTokens, Key::TotalTokens];

/// Visitor that finds the counts of an answer, and collects the edits that replace them.
struct UsageEditor {
    path: Path<Place, Key>,
    total: Usage,
    edits: Vec<(Span, String)>,
    is_object: bool,
    /// True if the object has a member `usage`.
    is_counted: bool,
    /// Counts that the current usage has, in the order of [`COUNTS`].
    seen: [bool; COUNTS.len()],
    /// True as long as the current object has no member.
    is_empty: bool,
    usage_start: usize,
}

impl UsageEditor {
    fn new(total: Usage) -> Self {
        Self {
            path: Path::default(),
            total,
            edits: Vec::new(),
            is_object: false,
            is_counted: false,
            seen: [false; COUNTS.len()],
            is_empty: true,
            usage_start: 0,
        }
    }

    /// Returns the edits in order; `None` if the document is not an object.
    fn edits(mut self) -> Option<Vec<(Span, String)>> {
        self.edits.sort_by_key(|(span, _)| span.start);
        self.is_object.then_some(self.edits)
    }

    fn count(&self, key: Key) -> Option<u64> {
        let Usage { input_tokens, output_tokens, .. } = self.total;
        match key {
            Key::PromptTokens => Some(input_tokens),
            Key::CompletionTokens => Some(output_tokens),
            Key::TotalTokens => Some(input_tokens.saturating_add(output_tokens)),
            Key::Usage | Key::Other => None,
        }
    }

    /// Returns members for the counts that the current usage does not have.
    fn missing_members(&self) -> String {
        let missing = COUNTS.into_iter().zip(self.seen).filter(|(_, seen)| !seen);
        let member = |(key, _): (Key, bool)| Some(format!("\"{}\":{}", key.name(), self.count(key)?));
        missing.filter_map(member).collect::<Vec<_>>().join(",")
    }

    fn end_usage(&mut self) {
        let missing = self.missing_members();
        if !missing.is_empty() {
            let comma = if self.is_empty { "" } else { "," };
            let members = self.usage_start + 1;
            self.edits.push((members..members, missing + comma));
        }
        self.is_empty = false;
    }

    fn end_root(&mut self, at: usize) {
        self.is_object = true;
        if !self.is_counted {
            let comma = if self.is_empty { "" } else { "," };
            let end = at - 1;
            self.edits.push((end..end, format!(r#"{comma}"usage":{{{}}}"#, self.missing_members())));
        }
    }
}

impl Visitor for UsageEditor {
    fn begin(&mut self, container: Container, at: usize) {
        let is_object = container == Container::Object;
        let place = match (self.path.place(), self.path.key()) {
            _ if self.path.is_skipping() => None,
            (None, _) if is_object => Some(Place::Root),
            (Some(Place::Root), Key::Usage) if is_object => {
                self.is_counted = true;
                self.seen = [false; COUNTS.len()];
                self.is_empty = true;
                self.usage_start = at;
                Some(Place::Usage)
            }
            _ => None,
        };
        self.path.enter(place);
    }

    fn key(&mut self, text: &JsonText<'_>) {
        if self.path.is_skipping() {
            return;
        }
        let key = Key::of(text);
        self.path.set_key(key, key as u32);
        self.is_empty = false;
    }

    fn scalar(&mut self, _: &Scalar<'_>, span: Span) {
        if self.path.is_skipping() {
            return;
        }
        let key = self.path.key();
        match self.path.place() {
            Some(Place::Root) if key == Key::Usage => {
                self.is_counted = true;
                self.seen = [false; COUNTS.len()];
                self.edits.push((span, format!("{{{}}}", self.missing_members())));
            }
            Some(Place::Usage) => {
                if let Some(count) = self.count(key) {
                    self.edits.push((span, count.to_string()));
                    COUNTS.iter().zip(&mut self.seen).for_each(|(known, seen)| *seen |= *known == key);
                }
            }
            _ => {}
        }
    }

    fn end(&mut self, at: usize) {
        match self.path.leave() {
            Some(Place::Usage) => self.end_usage(),
            Some(Place::Root) => self.end_root(at),
            None => {}
        }
    }
}

#[cfg(test)]
mod tests;
