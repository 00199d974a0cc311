//! Parsing of case files, with errors that show the place.

use std::fmt;
use std::path::Path;

use pointsman_domain::names::nearest_name;
use serde::Deserialize;

use super::format::{Case, CaseFile};

/// Member by which a file with several cases is recognised.
const CASES: &str = "cases";

/// A case file that cannot be read as one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InvalidFile {
    /// Description of the problem.
    pub message: String,
    /// Place of the problem, if it has a single one.
    pub place: Option<Place>,
    /// Advice.
    pub hint: Option<String>,
}

/// A place in a text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// Counted from 1.
    pub line: usize,
    /// In characters, counted from 1.
    pub column: usize,
    /// Characters that are marked, at least 1.
    pub width: usize,
    /// Text of the line.
    pub excerpt: String,
}

/// Syntax of a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Syntax {
    /// TOML.
    Toml,
    /// JSON.
    Json,
}

impl Syntax {
    /// Returns the syntax of a file with this name, if it can be a case file.
    pub fn of(path: &Path) -> Option<Self> {
        match path.extension()?.to_str()? {
            "toml" => Some(Self::Toml),
            "json" => Some(Self::Json),
            _ => None,
        }
    }
}

/// Parses a file with one case, or with `cases` and the members that they share. A file with one case
/// becomes a list of one.
///
/// # Errors
/// Fails if the text is not in the syntax, or has members that the format does not have.
pub fn parse(text: &str, syntax: Syntax) -> Result<CaseFile, InvalidFile> {
    match syntax {
        Syntax::Toml => parse_toml(text),
        Syntax::Json => parse_json(text),
    }
}

/// Parses a file with the members that cases share, and no cases.
///
/// # Errors
/// Fails as [`parse`] does, and if there are cases.
pub fn parse_shared(text: &str, syntax: Syntax) -> Result<CaseFile, InvalidFile> {
    let file: CaseFile = match syntax {
        Syntax::Toml => from_toml(text)?,
        Syntax::Json => from_json(text)?,
    };
    if file.cases.is_empty() {
        return Ok(file);
    }
    Err(InvalidFile::new("`cases` do not belong in the defaults of a folder")
        .hint("put them in a file of their own"))
}

fn parse_toml(text: &str) -> Result<CaseFile, InvalidFile> {
    let table: toml::Table = text.parse().map_err(|error| InvalidFile::of_toml(&error, text))?;
    if table.contains_key(CASES) { from_toml(text) } else { Ok(alone(from_toml(text)?)) }
}

fn parse_json(text: &str) -> Result<CaseFile, InvalidFile> {
    let value: serde_json::Value =
        serde_json::from_str(text).map_err(|error| InvalidFile::of_json(&error, text))?;
    if value.get(CASES).is_some() { from_json(text) } else { Ok(alone(from_json(text)?)) }
}

fn alone(case: Case) -> CaseFile {
    CaseFile { cases: vec![case], ..CaseFile::default() }
}

/// Deserialises a file in TOML.
///
/// # Errors
/// Fails as [`parse`] does.
pub(crate) fn from_toml<T: for<'de> Deserialize<'de>>(text: &str) -> Result<T, InvalidFile> {
    toml::from_str(text).map_err(|error| InvalidFile::of_toml(&error, text))
}

fn from_json<T: for<'de> Deserialize<'de>>(text: &str) -> Result<T, InvalidFile> {
    serde_json::from_str(text).map_err(|error| InvalidFile::of_json(&error, text))
}

impl InvalidFile {
    /// Creates a problem without a place.
    pub fn new(message: impl Into<String>) -> Self {
        Self { message: message.into(), place: None, hint: None }
    }

    /// Adds advice.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    pub(crate) fn of_toml(error: &toml::de::Error, text: &str) -> Self {
        let place = error.span().map(|span| Place::of_span(text, span.start, span.end));
        Self::explain(error.message(), place)
    }

    pub(crate) fn of_json(error: &serde_json::Error, text: &str) -> Self {
        let message = error.to_string();
        // The library adds the place, which is shown with the line.
        let message = message.rsplit_once(" at line ").map_or(message.as_str(), |(message, _)| message);
        Self::explain(message, Some(Place::of_json(text, error.line(), error.column())))
    }

    /// Puts serde's message in words of the format.
    fn explain(message: &str, place: Option<Place>) -> Self {
        let mut quoted = message.split('`').skip(1).step_by(2);
        let name = quoted.next().unwrap_or_default();
        let known: Vec<&str> = quoted.collect();
        let (what, other) = if message.starts_with("unknown field") {
            ("unknown member", "the members here")
        } else if message.starts_with("unknown variant") {
            ("unknown word", "the words here")
        } else {
            let message = message.trim_end().replace('\n', ", ").replace("missing field", "missing member");
            return Self { message, place, hint: None };
        };
        let hint = match nearest_name(name, known.iter().copied()) {
            Some(near) => format!("did you mean `{near}`?"),
            None => format!("{other}: {}", known.join(", ")),
        };
        Self { message: format!("{what} `{name}`"), place, hint: Some(hint) }
    }

    /// Displays the problem with the line of the file, in the style of a compiler.
    pub fn display<'a>(&'a self, file: &'a Path) -> impl fmt::Display + 'a {
        DisplayIn { problem: self, file }
    }
}

impl Place {
    /// Returns the place of bytes of a text.
    pub(crate) fn of_span(text: &str, start: usize, end: usize) -> Self {
        let start = text.floor_char_boundary(start.min(text.len()));
        let line_start = text[..start].rfind('\n').map_or(0, |end| end + 1);
        let excerpt = text[line_start..].lines().next().unwrap_or_default();
        let end =
            text.floor_char_boundary(end.clamp(start, line_start + excerpt.len().max(start - line_start)));
        Self {
            line: text[..line_start].matches('\n').count() + 1,
            column: text[line_start..start].chars().count() + 1,
            width: text[start..end].chars().count().max(1),
            excerpt: excerpt.to_owned(),
        }
    }

    /// JSON errors have the place behind what is wrong, and columns in bytes.
    fn of_json(text: &str, line: usize, column: usize) -> Self {
        let excerpt = text.lines().nth(line.saturating_sub(1)).unwrap_or_default();
        let end = excerpt.floor_char_boundary(column.min(excerpt.len()));
        let before = &excerpt[..end];
        let word = before.trim_end_matches(['"', ':', ' ', ',']);
        let start =
            word.rfind(|it: char| !it.is_alphanumeric() && it != '_' && it != '-').map_or(0, |at| at + 1);
        let (start, width) = match word.get(start..) {
            Some(last) if !last.is_empty() => (start, last.chars().count()),
            _ => (end.saturating_sub(1), 1),
        };
        let start = excerpt.floor_char_boundary(start);
        Self { line, column: excerpt[..start].chars().count() + 1, width, excerpt: excerpt.to_owned() }
    }
}

struct DisplayIn<'a> {
    problem: &'a InvalidFile,
    file: &'a Path,
}

impl fmt::Display for DisplayIn<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let InvalidFile { message, place, hint } = self.problem;
        write!(f, "error: {message}")?;
        let mut margin = 1;
        match place {
            None => write!(f, "\n --> {}", self.file.display())?,
            Some(Place { line, column, width, excerpt }) => {
                margin = line.to_string().len();
                write!(f, "\n{:margin$}--> {}:{line}:{column}", "", self.file.display())?;
                let shown = excerpt.replace('\t', " ");
                let indent = column - 1;
                write!(f, "\n{:margin$} |\n{line} | {shown}", "")?;
                write!(f, "\n{:margin$} | {:indent$}{}", "", "", "^".repeat(*width))?;
            }
        }
        match hint {
            Some(hint) => write!(f, "\n{:margin$} = hint: {hint}", ""),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests;
