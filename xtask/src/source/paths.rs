//! Paths and `use` trees in tokens.

use proc_macro2::{Delimiter, TokenTree};

/// One path, without groups.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UsePath {
    /// The segments; `*` for a glob.
    pub segments: Vec<String>,
    /// The name after `as`.
    pub alias: Option<String>,
    /// The line of the last segment.
    pub line: usize,
}

/// Parses the paths that the tokens begin with: one, or several where groups branch.
/// Returns them with the number of tokens that they take.
pub fn parse_path(tokens: &[TokenTree], prefix: &[String]) -> (Vec<UsePath>, usize) {
    let mut segments = prefix.to_vec();
    let mut at = 0;
    let mut line = 0;
    loop {
        match tokens.get(at) {
            Some(TokenTree::Group(group)) if group.delimiter() == Delimiter::Brace => {
                let inner: Vec<TokenTree> = group.stream().into_iter().collect();
                let branches = inner.split(|token| is_punct(token, ','));
                let paths = branches.flat_map(|branch| parse_path(branch, &segments).0).collect();
                return (paths, at + 1);
            }
            Some(TokenTree::Ident(word)) => {
                segments.push(word.to_string());
                line = word.span().start().line;
            }
            Some(token) if is_punct(token, '*') => {
                segments.push("*".to_owned());
                line = token.span().start().line;
            }
            // The `::` of a turbofish, or nothing at all.
            _ => break,
        }
        at += 1;
        let goes_on =
            tokens.get(at..at + 2).is_some_and(|next| next.iter().all(|token| is_punct(token, ':')));
        if !goes_on {
            break;
        }
        at += 2;
    }
    if segments.len() == prefix.len() {
        return (Vec::new(), at);
    }
    let alias = match tokens.get(at..at + 2) {
        Some([TokenTree::Ident(word), TokenTree::Ident(alias)]) if word == "as" => Some(alias.to_string()),
        _ => None,
    };
    (vec![UsePath { segments, alias, line }], at)
}

pub fn is_punct(token: &TokenTree, character: char) -> bool {
    matches!(token, TokenTree::Punct(mark) if mark.as_char() == character)
}
