//! What is wrong with a configuration, and how it is shown.

use std::path::PathBuf;
use std::{fmt, io};

use serde::Serialize;

use super::node::{Node, Span};
use crate::transient::is_transient;

/// Keys whose values are never shown. They are not allowed in a configuration
/// either, but it is by an error that they are noticed.
const SECRET_KEYS: [&str; 6] = ["password", "api_key", "token", "authorization", "api-key", "x-api-key"];

/// Everything that is wrong with a configuration. Displays as text for a
/// terminal or a log, in the manner of a compiler.
#[derive(Clone, Debug, Serialize)]
pub struct InvalidConfig {
    /// The file, as it was named by whoever asked for it.
    pub file: String,
    /// At least one, in the order of the text.
    pub problems: Vec<Problem>,
    /// Other files that were read for it, or could not be.
    #[serde(skip)]
    pub files: Vec<PathBuf>,
    /// True if the same text may be valid a little later: a file could not be read for a
    /// passing reason.
    #[serde(skip)]
    pub is_transient: bool,
}

/// One thing that is wrong.
#[derive(Clone, Debug, Serialize)]
pub struct Problem {
    /// What is wrong.
    pub message: String,
    /// Where; absent when the fault is in no single place.
    pub place: Option<Place>,
    /// What to do about it.
    pub hint: Option<String>,
}

/// A place in the text.
#[derive(Clone, Debug, Serialize)]
pub struct Place {
    /// Counted from 1.
    pub line: usize,
    /// In characters, counted from 1.
    pub column: usize,
    /// How many characters of the line are meant; at least 1.
    pub width: usize,
    /// The line, secrets left out.
    pub excerpt: String,
}

/// Gathers problems while a configuration compiles.
pub(super) struct Problems<'t> {
    text: &'t str,
    found: Vec<Found>,
    is_transient: bool,
}

struct Found {
    place: Option<Span>,
    message: String,
    hint: Option<String>,
    /// Whether the place itself must not be shown, as it may be a secret.
    secret: bool,
    /// Whether the entry was left out of what is compiled.
    misfit: bool,
}

/// A problem that was just added, to be described further.
pub(super) struct Added<'p>(&'p mut Found);

impl<'t> Problems<'t> {
    pub(super) fn new(text: &'t str) -> Self {
        Self { text, found: Vec::new(), is_transient: false }
    }

    /// Notes why a file cannot be read, beside the problem that it is.
    pub(super) fn note_io_error(&mut self, error: &io::Error) {
        self.is_transient |= is_transient(error);
    }

    /// Adds a problem at a place.
    pub(super) fn add(&mut self, place: impl Into<Option<Span>>, message: impl Into<String>) -> Added<'_> {
        let found =
            Found { place: place.into(), message: message.into(), hint: None, secret: false, misfit: false };
        Added(self.found.push_mut(found))
    }

    /// Adds that an entry lacks something, unless a part of it was left out for
    /// not fitting: then that was the fault.
    pub(super) fn lacks(&mut self, entry: Node<'_>, message: impl Into<String>, hint: impl Into<String>) {
        let is_cut = |found: &Found| found.misfit && found.place.is_some_and(|place| entry.contains(place));
        if !self.found.iter().any(is_cut) {
            self.add(entry.place(), message).hint(hint);
        }
    }

    /// Adds what serde says of an entry that does not fit the file's shape.
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

    /// All that was added, in the order of the text; `Ok` if nothing was.
    pub(super) fn check(&mut self, file: &str) -> Result<(), InvalidConfig> {
        let mut found = std::mem::take(&mut self.found);
        if found.is_empty() {
            return Ok(());
        }
        found.sort_by_key(|found| found.place.map_or(usize::MAX, |place| place.start));
        // Others may be about the same line.
        let secrets: Vec<usize> =
            found.iter().filter(|it| it.secret).filter_map(|it| Some(it.place?.start)).collect();
        let problems = found
            .into_iter()
            .map(|found| Problem {
                place: found.place.map(|span| Place::of(span, self.text, &secrets)),
                message: found.message,
                hint: found.hint,
            })
            .collect();
        let is_transient = self.is_transient;
        Err(InvalidConfig { file: file.to_owned(), problems, files: Vec::new(), is_transient })
    }
}

impl Found {
    fn is_in(&self, place: Option<Span>) -> bool {
        let (Some(own), Some(place)) = (self.place, place) else { return false };
        place.start <= own.start && own.end <= place.end
    }
}

impl Added<'_> {
    /// Says what to do.
    pub(super) fn hint(self, hint: impl Into<String>) -> Self {
        self.0.hint = Some(hint.into());
        self
    }

    /// Hints at the name that was likely meant, or at all there are if they are few.
    pub(super) fn did_you_mean(self, name: &str, known: &[&str], what: &str) -> Self {
        match nearest(name, known) {
            Some(near) => self.hint(format!("did you mean `{near}`?")),
            None if known.is_empty() => self,
            None if known.len() <= 12 => {
                let list: Vec<String> = known.iter().map(|name| format!("`{name}`")).collect();
                self.hint(format!("{what}: {}", list.join(", ")))
            }
            None => self,
        }
    }

    /// Keeps what stands at the place from being shown.
    pub(super) fn secret(self) -> Self {
        self.0.secret = true;
        self
    }
}

/// What serde says, with the words of people for the types of Rust.
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

/// The known name that is a slip of the finger away, if one is.
fn nearest<'k>(name: &str, known: &[&'k str]) -> Option<&'k str> {
    let tolerated = (name.chars().count() / 3).max(1);
    known
        .iter()
        .map(|candidate| (strsim::damerau_levenshtein(name, candidate), *candidate))
        .filter(|(distance, _)| *distance <= tolerated)
        .min()
        .map(|(_, candidate)| candidate)
}

impl Place {
    /// What stands in the line after one of the secrets is not shown.
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

/// How much of a line can be shown: what follows a secret's key can not.
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
