/// Splits a text into simulated tokens: words with the space before them.
pub(super) fn tokens(text: &str) -> impl Iterator<Item = &str> {
    let mut rest = text;
    std::iter::from_fn(move || {
        let word = rest.find(|c: char| !c.is_whitespace())?;
        let length = rest[word..].find(char::is_whitespace).map_or(rest.len(), |length| word + length);
        let (token, after) = rest.split_at(length);
        rest = after;
        Some(token)
    })
}

/// Most characters of a token of JSON.
const PIECE: usize = 8;

/// Splits JSON, which has few spaces, into simulated tokens of some characters each.
pub(super) fn pieces(json: &str) -> impl Iterator<Item = &str> {
    let mut rest = json;
    std::iter::from_fn(move || {
        let length = rest.char_indices().nth(PIECE).map_or(rest.len(), |(length, _)| length);
        let (piece, after) = rest.split_at(length);
        rest = after;
        (!piece.is_empty()).then_some(piece)
    })
}
