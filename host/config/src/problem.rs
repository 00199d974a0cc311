//! Problems of a configuration, and their display.

use std::path::PathBuf;
use std::{fmt, io};

use serde::Serialize;

use super::node::{Node, Span};
use crate::transient::is_transient;

/// Keys whose values are never shown. The configuration does not allow them, so they occur only
/// in lines that are reported.
const SECRET_KEYS: [&str; 6] = ["password", "api_key", "token", "authorization", "api-key", "x-api-key"];

/// All problems of a configuration. Displays as text for a terminal or a log, in the style of
/// rustc.
#[derive(Clone, Debug, Default, Serialize)]
pub struct InvalidConfig {
    /// Name of the file, as given by the caller.
    pub file: String,
    /// At least one, in the order of the text.
    pub problems: Vec<Problem>,
    /// Other files that were read, or could not be.
    #[serde(skip)]
    pub files: Vec<PathBuf>,
    /// True if the same text may be valid later: a file could not be read for a transient
    /// reason.
    #[serde(skip)]
    pub is_transient: bool,
}

/// One problem of a configuration.
#[derive(Clone, Debug, Serialize)]
pub struct Problem {
    /// Description of the problem.
    pub message: String,
    /// Position of the problem, if it has a single one.
    pub place: Option<TextPosition>,
    /// Advice on how to fix it.
    pub hint: Option<String>,
}

/// A position in the text of a configuration.
#[derive(Clone, Debug, Serialize)]
pub struct TextPosition {
    /// Counted from 1.
    pub line: usize,
    /// In characters, counted from 1.
    pub column: usize,
    /// Length in characters; at least 1.
    pub width: usize,
    /// Text of the line, without secrets.
    pub excerpt: String,
}

/// Collects problems while a configuration compiles.
pub(super) struct Problems<'t> {
    text: &'t str,
    found: Vec<FoundProblem>,
    is_transient: bool,
}

struct FoundProblem {
    place: Option<Span>,
    message: String,
    hint: Option<String>,
    /// True if the text at the span may be a secret and must not be shown.
    secret: bool,
    /// True if the entry was removed before compiling, because it does not fit the schema.
    misfit: bool,
}

/// Handle to a problem that was just added, to describe it further.
pub(super) struct AddedProblem<'p>(&'p mut FoundProblem);

impl<'t> Problems<'t> {
    pub(super) fn new(text: &'t str) -> Self {
        Self { text, found: Vec::new(), is_transient: false }
    }

    /// Records whether an I/O error is transient. The problem itself is added separately.
    pub(super) fn note_io_error(&mut self, error: &io::Error) {
        self.is_transient |= is_transient(error);
    }

    /// Adds a problem at a span.
    pub(super) fn add(
        &mut self,
        place: impl Into<Option<Span>>,
        message: impl Into<String>,
    ) -> AddedProblem<'_> {
        let found = FoundProblem {
            place: place.into(),
            message: message.into(),
            hint: None,
            secret: false,
            misfit: false,
        };
        AddedProblem(self.found.push_mut(found))
    }

    /// Adds a problem for an incomplete entry, unless a part of the entry was removed as a
    /// misfit: then that may be the missing part.
    pub(super) fn lacks(&mut self, entry: Node<'_>, message: impl Into<String>, hint: impl Into<String>) {
        let is_cut =
            |found: &FoundProblem| found.misfit && found.place.is_some_and(|place| entry.contains(place));
        if !self.found.iter().any(is_cut) {
            self.add(entry.place(), message).hint(hint);
        }
    }

    /// Adds serde's error for an entry that does not fit the schema.
    pub(super) fn misfit(&mut self, place: Option<Span>, message: &str) {
        let mut quoted = message.split('`').skip(1).step_by(2);
        let name = quoted.next().unwrap_or_default();
        let known: Vec<&str> = quoted.collect();
        let is_key = message.starts_with("unknown field");
        let is_word = message.starts_with("unknown variant");
        let message = match message {
            _ if is_key => format!("unknown key `{name}`"),
            _ if is_word => format!("unknown word `{name}`"),
            _ => in_words(message),
        };
        if message.starts_with("missing") && self.found.iter().any(|found| found.misfit && found.is_in(place))
        {
            return;
        }
        let added = self.add(place, message);
        added.0.misfit = true;
        match name {
            "api_key" | "token" | "password" if is_key => added.hint(format!(
                "secrets are not written in the configuration: name an environment variable with \
                 `{name}_env` or a file with `{name}_file`"
            )),
            _ if is_key || is_word => added.did_you_mean(name, &known, "expected one of"),
            _ => added,
        };
    }

    /// Returns all problems in the order of the text; `Ok` if there are none.
    pub(super) fn check(&mut self, file: &str) -> Result<(), InvalidConfig> {
        let mut found = std::mem::take(&mut self.found);
        if found.is_empty() {
            return Ok(());
        }
        found.sort_by_key(|found| found.place.map_or(usize::MAX, |place| place.start));
        // Other problems may show the same line.
        let secrets: Vec<usize> =
            found.iter().filter(|it| it.secret).filter_map(|it| Some(it.place?.start)).collect();
        let problems = found
            .into_iter()
            .map(|found| Problem {
                place: found.place.map(|span| TextPosition::of(span, self.text, &secrets)),
                message: found.message,
                hint: found.hint,
            })
            .collect();
        let is_transient = self.is_transient;
        Err(InvalidConfig { file: file.to_owned(), problems, files: Vec::new(), is_transient })
    }
}

impl FoundProblem {
    fn is_in(&self, place: Option<Span>) -> bool {
        let (Some(own), Some(place)) = (self.place, place) else { return false };
        place.start <= own.start && own.end <= place.end
    }
}

impl AddedProblem<'_> {
    /// Adds advice on how to fix the problem.
    pub(super) fn hint(self, hint: impl Into<String>) -> Self {
        self.0.hint = Some(hint.into());
        self
    }

    /// Suggests the name that was likely meant, or lists the known names if they are few.
    pub(super) fn did_you_mean(self, name: &str, known: &[&str], what: &str) -> Self {
        match nearest(name, known) {
            Some(near) => self.hint(format!("did you mean `{near}`?")),
            None if known.is_empty() => self,
            None if known.len() <= 20 => {
                let list: Vec<String> = known.iter().map(|name| format!("`{name}`")).collect();
                self.hint(format!("{what}: {}", list.join(", ")))
            }
            None => self,
        }
    }

    /// Hides the text at the span, which may be a secret.
    pub(super) fn secret(self) -> Self {
        self.0.secret = true;
        self
    }
}

/// Replaces Rust type names in serde's message with plain words.
fn in_words(message: &str) -> String {
    let mut message = message.replace("missing field", "missing key").replace("sequence", "list");
    for (kind, words) in
        [("u32", "a whole number"), ("u64", "a whole number"), ("f64", "a number"), ("a map", "a table")]
    {
        if let Some(start) = message.strip_suffix(kind) {
            message = format!("{start}{words}");
        }
    }
    message
}

/// Returns the known name with the smallest edit distance, if it is close enough to be a typing
/// error.
fn nearest<'k>(name: &str, known: &[&'k str]) -> Option<&'k str> {
    let tolerated = (name.chars().count() / 3).max(1);
    known
        .iter()
        .map(|candidate| (strsim::damerau_levenshtein(name, candidate), *candidate))
        .filter(|(distance, _)| *distance <= tolerated)
        .min()
        .map(|(_, candidate)| candidate)
}

impl TextPosition {
    /// Locates a span in the text. The excerpt ends before the first secret of the line.
    fn of(span: Span, text: &str, secrets: &[usize]) -> Self {
        let start = text.floor_char_boundary(span.start.min(text.len()));
        let line_start = text[..start].rfind('\n').map_or(0, |end| end + 1);
        let line_end = text[start..].find('\n').map_or(text.len(), |length| start + length);
        let line = &text[line_start..line_end];
        let end = text.floor_char_boundary(span.end.clamp(start, line_end));
        let in_line = secrets.iter().filter(|secret| (line_start..=line_end).contains(secret));
        let hidden_from = in_line.min().map_or(line_end, |&secret| text.floor_char_boundary(secret));
        let shown = shown_bytes(line).min(hidden_from - line_start);
        let mut excerpt = line[..shown].replace('\t', " ");
        if shown < line.len() {
            excerpt.push('…');
        }
        let excerpt = excerpt.trim_end().to_owned();
        let column = text[line_start..start].chars().count();
        let width = text[start..end].chars().count().min(excerpt.chars().count().saturating_sub(column));
        Self {
            line: text[..line_start].matches('\n').count() + 1,
            column: column + 1,
            width: width.max(1),
            excerpt,
        }
    }
}

/// Returns the number of leading bytes of a line that can be shown: those before the value of a
/// secret key.
fn shown_bytes(line: &str) -> usize {
    let lower = line.to_ascii_lowercase();
    let is_name = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-');
    let value_of = |key: &str| {
        lower.match_indices(key).find_map(|(start, _)| {
            let whole = start == 0 || !is_name(lower.as_bytes()[start - 1]);
            let after = lower[start + key.len()..].trim_start_matches(['"', '\'']).trim_start();
            let value = after.strip_prefix('=')?.trim_start();
            (whole && !value.is_empty()).then(|| line.len() - value.len())
        })
    };
    SECRET_KEYS.into_iter().filter_map(value_of).min().unwrap_or(line.len())
}

impl InvalidConfig {
    /// Joins the problems of one text, in its order. `None` if there are none.
    pub fn join(found: impl IntoIterator<Item = Self>) -> Option<Self> {
        let joined = found.into_iter().reduce(|mut joined, next| {
            joined.problems.extend(next.problems);
            joined.files.extend(next.files);
            joined.is_transient |= next.is_transient;
            joined
        });
        joined.map(|mut joined| {
            let position = |problem: &Problem| {
                problem.place.as_ref().map_or((usize::MAX, 0), |place| (place.line, place.column))
            };
            joined.problems.sort_by_key(position);
            joined
        })
    }
}

impl fmt::Display for InvalidConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (number, problem) in self.problems.iter().enumerate() {
            if number > 0 {
                writeln!(f)?;
            }
            problem.render(&self.file, f)?;
        }
        if self.problems.len() > 1 {
            writeln!(f, "\n{} errors in {}", self.problems.len(), self.file)?;
        }
        Ok(())
    }
}

impl std::error::Error for InvalidConfig {}

impl Problem {
    fn render(&self, file: &str, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "error: {}", self.message)?;
        let mut margin = 1;
        match &self.place {
            None => writeln!(f, " --> {file}")?,
            Some(place) => {
                margin = place.line.to_string().len();
                writeln!(f, "{:margin$}--> {file}:{}:{}", "", place.line, place.column)?;
                writeln!(f, "{:margin$} |", "")?;
                writeln!(f, "{} | {}", place.line, place.excerpt)?;
                writeln!(
                    f,
                    "{:margin$} | {:indent$}{}",
                    "",
                    "",
                    "^".repeat(place.width),
                    indent = place.column - 1
                )?;
            }
        }
        match &self.hint {
            Some(hint) => writeln!(f, "{:margin$} = hint: {hint}", ""),
            None => Ok(()),
        }
    }
}
