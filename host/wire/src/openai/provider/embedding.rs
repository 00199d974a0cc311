//! Embeddings: text in, a vector out.

use crate::answer::InvalidAnswer;
use crate::json::{Container, JsonText, Path, Scalar, Span, Visitor, keys, scan, whole_number};
use crate::usage_count::UsageCount;

/// Parses the first vector of an answer, as it is written there but without white space, and the
/// backend's count of tokens.
pub(super) fn parse_embedding(answer: &[u8]) -> Result<(String, UsageCount), InvalidAnswer> {
    let mut visited = EmbeddingVisitor::default();
    scan(answer, &mut visited).map_err(|error| InvalidAnswer::NotJson(error.to_string()))?;
    let written = visited.vector.filter(|_| visited.is_numbers).and_then(|span| answer.get(span));
    let written = written.ok_or(InvalidAnswer::NoVector)?;
    let compact = written.iter().filter(|byte| !byte.is_ascii_whitespace()).map(|byte| char::from(*byte));
    let count = visited.input_tokens.map(|input_tokens| UsageCount::stated(input_tokens, 0));
    Ok((compact.collect(), count.unwrap_or_default()))
}

#[derive(Clone, Copy, Debug, Default)]
enum Place {
    #[default]
    Root,
    Data,
    Item,
    Vector,
    Usage,
}

keys! {
    Data = "data",
    Embedding = "embedding",
    Usage = "usage",
    PromptTokens = "prompt_tokens",
}

#[derive(Debug, Default)]
struct EmbeddingVisitor {
    path: Path<Place, Key>,
    /// Span of the first vector.
    vector: Option<Span>,
    /// True if the first vector contains a number.
    is_numbers: bool,
    vectors: usize,
    vector_start: usize,
    has_other_values: bool,
    input_tokens: Option<u64>,
}

impl Visitor for EmbeddingVisitor {
    fn begin(&mut self, container: Container, at: usize) {
        let is_object = container == Container::Object;
        let place = match (self.path.place(), self.path.key(), is_object) {
            _ if self.path.is_skipping() => None,
            (None, _, true) => Some(Place::Root),
            (Some(Place::Root), Key::Data, false) => Some(Place::Data),
            (Some(Place::Root), Key::Usage, true) => Some(Place::Usage),
            (Some(Place::Data), _, true) => Some(Place::Item),
            (Some(Place::Item), Key::Embedding, false) => {
                self.vectors += 1;
                self.vector_start = at;
                Some(Place::Vector)
            }
            (Some(Place::Vector), ..) => {
                self.has_other_values |= self.vectors == 1;
                None
            }
            _ => None,
        };
        self.path.enter(place);
    }

    fn key(&mut self, text: &JsonText<'_>) {
        if !self.path.is_skipping() {
            let key = Key::of(text);
            self.path.set_key(key, key as u32);
        }
    }

    fn scalar(&mut self, value: &Scalar<'_>, _: Span) {
        if self.path.is_skipping() {
            return;
        }
        match (self.path.place(), self.path.key(), value) {
            (Some(Place::Vector), _, Scalar::Number(_)) => self.is_numbers |= self.vectors == 1,
            (Some(Place::Vector), ..) => self.has_other_values |= self.vectors == 1,
            (Some(Place::Usage), Key::PromptTokens, Scalar::Number(raw)) => {
                self.input_tokens = whole_number(raw);
            }
            _ => {}
        }
    }

    fn end(&mut self, at: usize) {
        if let Some(Place::Vector) = self.path.leave()
            && self.vectors == 1
        {
            self.vector = Some(self.vector_start..at).filter(|_| !self.has_other_values);
        }
    }
}
