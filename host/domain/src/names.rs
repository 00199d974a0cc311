//! Names that clients request: patterns over them, the most specific pattern for a name, and the
//! name that a misspelt one most likely stands for.

mod pattern;
mod pattern_index;
mod suggestion;

pub use pattern::NamePattern;
pub use pattern_index::PatternIndex;
pub use suggestion::nearest_name;
