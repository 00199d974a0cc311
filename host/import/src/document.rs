//! Text of a configuration in TOML.

use std::fmt::Write;

/// Lines of a configuration.
#[derive(Debug, Default)]
pub(crate) struct TomlDocument(String);

impl TomlDocument {
    /// Starts a table. Parts of its name are quoted where that is necessary.
    pub(crate) fn table(&mut self, path: &[&str], comment: &str) {
        let path: Vec<String> = path.iter().map(|part| key(part)).collect();
        self.0.push('\n');
        if !comment.is_empty() {
            self.comment(comment);
        }
        self.line(&format!("[{}]", path.join(".")));
    }

    /// Adds comments.
    pub(crate) fn comment(&mut self, text: &str) {
        for line in text.lines() {
            self.line(format!("# {}", printable(line)).trim_end());
        }
    }

    pub(crate) fn text(&mut self, name: &str, value: &str) {
        self.line(&format!("{} = {}", key(name), quoted(value)));
    }

    pub(crate) fn texts<'t>(&mut self, name: &str, values: impl IntoIterator<Item = &'t str>) {
        let values: Vec<String> = values.into_iter().map(quoted).collect();
        self.line(&format!("{} = [{}]", key(name), values.join(", ")));
    }

    /// Adds a number, a truth value, or another value that is valid as it is.
    pub(crate) fn plain(&mut self, name: &str, value: impl std::fmt::Display) {
        self.line(&format!("{} = {value}", key(name)));
    }

    /// Adds a table of texts in one line.
    pub(crate) fn inline<'t>(&mut self, name: &str, entries: impl IntoIterator<Item = (&'t str, String)>) {
        let entries: Vec<String> =
            entries.into_iter().map(|(name, value)| format!("{} = {value}", key(name))).collect();
        self.line(&format!("{} = {{ {} }}", key(name), entries.join(", ")));
    }

    pub(crate) fn into_text(self) -> String {
        self.0
    }

    fn line(&mut self, text: &str) {
        self.0.push_str(text);
        self.0.push('\n');
    }
}

/// Returns a key, quoted where that is necessary.
fn key(name: &str) -> String {
    let is_bare = |character: char| character.is_ascii_alphanumeric() || matches!(character, '-' | '_');
    if !name.is_empty() && name.chars().all(is_bare) { name.to_owned() } else { quoted(name) }
}

/// Returns a string of TOML.
pub(crate) fn quoted(text: &str) -> String {
    let mut quoted = String::with_capacity(text.len() + 2);
    quoted.push('"');
    for character in text.chars() {
        match character {
            '"' | '\\' => quoted.extend(['\\', character]),
            character if character.is_control() => {
                // Writing to a string does not fail.
                let _ = write!(quoted, "\\u{:04X}", u32::from(character));
            }
            character => quoted.push(character),
        }
    }
    quoted.push('"');
    quoted
}

/// Replaces characters that comments cannot have.
fn printable(text: &str) -> String {
    text.chars().map(|character| if character.is_control() { ' ' } else { character }).collect()
}
