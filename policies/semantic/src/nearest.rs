//! The kind of the nearest example.

use pointsman_sdk::embedding::Embedding;

/// The nearest example of a kind.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Nearest<'a> {
    /// Name of the kind.
    pub(crate) kind: &'a str,
    /// The example.
    pub(crate) example: &'a str,
    /// Similarity of the request to it, -1..1.
    pub(crate) similarity: f64,
}

/// Returns the nearest example, and the similarity of the nearest one of any other kind. `None` without an
/// example that can be compared.
pub(crate) fn nearest<'a>(
    request: &Embedding,
    examples: impl Iterator<Item = (&'a str, &'a str, &'a Embedding)>,
) -> Option<(Nearest<'a>, Option<f64>)> {
    let mut by_kind: Vec<Nearest<'a>> = Vec::new();
    for (kind, example, embedding) in examples {
        let Some(similarity) = request.similarity(embedding) else { continue };
        let found = Nearest { kind, example, similarity };
        match by_kind.iter_mut().find(|it| it.kind == kind) {
            Some(best) if best.similarity < similarity => *best = found,
            Some(_) => {}
            None => by_kind.push(found),
        }
    }
    by_kind.sort_by(|a, b| b.similarity.total_cmp(&a.similarity));
    let mut best = by_kind.into_iter();
    Some((best.next()?, best.next().map(|other| other.similarity)))
}
