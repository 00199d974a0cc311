//! Finding independent parts of a text by rule.
//!
//! The rules are light and English where they look at words. They rather leave a
//! text whole than tear apart what belongs together; what they miss is left to
//! the planner.

use serde::{Deserialize, Serialize};

use crate::Settings;
use crate::span::Span;

mod document;
mod instruction;
mod list;
mod questions;

/// The rule that found the parts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Kind {
    /// Items of a list.
    List,
    /// Questions in running text.
    Questions,
    /// Chunks of a long text.
    Document,
    /// A planning model proposed them.
    Planned,
}

impl Kind {
    pub(crate) fn label(self) -> &'static str {
        match self {
            Self::List => "parallel:list",
            Self::Questions => "parallel:questions",
            Self::Document => "parallel:document",
            Self::Planned => "parallel:planned",
        }
    }
}

/// A text in parts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Split {
    pub(crate) kind: Kind,
    /// An instruction for all parts that stands before them.
    pub(crate) before: Option<Span>,
    /// An instruction for all parts that stands behind them.
    pub(crate) after: Option<Span>,
    pub(crate) parts: Vec<Piece>,
}

/// A part: one item, or several that follow one another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Piece {
    pub(crate) span: Span,
    /// The first of its items, counted from 1.
    pub(crate) first: usize,
    /// The last of them.
    pub(crate) last: usize,
}

/// The parts of a text; `None` where no rule finds any. `bytes` is how long the
/// text is of which `seen` is the beginning.
pub(crate) fn by_rule(seen: &str, bytes: usize, settings: &Settings) -> Option<Split> {
    if bytes > settings.chunk_bytes {
        return document::split(seen, bytes, settings);
    }
    // Lines of a program are no items, and text that was not seen may be anything.
    if bytes > seen.len() || seen.contains("```") {
        return None;
    }
    let worth = |items: usize| items >= settings.min_parts;
    let list = list::split(seen).filter(|list| worth(list.items.len()));
    if let Some(list) = list {
        let parts = grouped(&list.items, settings.max_parts);
        return Some(Split { kind: Kind::List, before: list.before, after: list.after, parts });
    }
    let questions = questions::find(seen).filter(|questions| worth(questions.len()))?;
    let parts = grouped(&questions, settings.max_parts);
    Some(Split { kind: Kind::Questions, before: None, after: None, parts })
}

/// Merges items into at most this many pieces of similar size.
fn grouped(items: &[Span], most: usize) -> Vec<Piece> {
    let pieces = items.len().min(most).max(1);
    let piece = |at: usize| {
        let (first, next) = (at * items.len() / pieces, (at + 1) * items.len() / pieces);
        let span = items.get(first)?.through(*items.get(next.checked_sub(1)?)?);
        Some(Piece { span, first: first + 1, last: next })
    };
    (0..pieces).filter_map(piece).collect()
}

#[cfg(test)]
mod tests;
