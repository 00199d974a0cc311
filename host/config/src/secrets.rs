//! Secrets, which are read from the environment or from separate files, never from the
//! configuration itself.

use std::cell::RefCell;
use std::path::{Path, PathBuf};

use http::HeaderValue;
use pointsman_domain::secret::Secret;

use super::document::Node;
use super::problem::Problems;

/// Reader of secrets and other files that the configuration names.
#[derive(Clone, Copy)]
pub(super) struct Secrets<'a> {
    pub(super) base_dir: &'a Path,
    /// The files that were read, or could not be.
    pub(super) files: &'a RefCell<Vec<PathBuf>>,
    pub(super) env: &'a dyn Fn(&str) -> Option<String>,
}

/// The two ways to give one secret.
pub(super) struct SecretSource<'a> {
    /// The keys that name them, `_env` and `_file`.
    pub(super) keys: [&'static str; 2],
    pub(super) env: Option<&'a str>,
    pub(super) file: Option<&'a str>,
}

impl Secrets<'_> {
    /// Reads a secret, if the configuration names one.
    pub(super) fn read(
        &self,
        source: &SecretSource<'_>,
        node: Node<'_>,
        problems: &mut Problems<'_>,
    ) -> Option<Secret> {
        let [env_key, file_key] = source.keys;
        match (source.env, source.file) {
            (None, None) => None,
            (Some(_), Some(_)) => {
                let message = format!("both `{env_key}` and `{file_key}` are given");
                problems.add(node.get(file_key).key(), message).hint("keep one of them");
                None
            }
            (Some(name), None) => self.variable(name, env_key, node.get(env_key), problems),
            (None, Some(path)) => self.file(path, node.get(file_key), problems),
        }
    }

    /// Reads a file that is not secret, such as a certificate.
    pub(super) fn bytes(&self, path: &str, node: Node<'_>, problems: &mut Problems<'_>) -> Option<Vec<u8>> {
        let full = self.file_at(path);
        std::fs::read(&full).map_err(|error| unreadable(&full, &error, node, problems)).ok()
    }

    /// Reads a file whose whole text is a secret.
    pub(super) fn text(&self, path: &str, node: Node<'_>, problems: &mut Problems<'_>) -> Option<Secret> {
        self.text_of(path, node, problems).map(Secret::new)
    }

    fn variable(&self, name: &str, key: &str, node: Node<'_>, problems: &mut Problems<'_>) -> Option<Secret> {
        let value = self.value_of(name, key, node, problems)?;
        checked(&value, &format!("the environment variable `{name}`"), node, problems)
    }

    /// Reads the value of a header from an environment variable. It may contain spaces, as in
    /// `Basic …`.
    pub(super) fn header_variable(
        &self,
        variable: &str,
        header: &str,
        node: Node<'_>,
        problems: &mut Problems<'_>,
    ) -> Option<HeaderValue> {
        let value = self.value_of(variable, header, node, problems)?;
        header_value(&value, &format!("the environment variable `{variable}`"), node, problems)
    }

    /// Reads the value of a header from a file.
    pub(super) fn header_file(
        &self,
        path: &str,
        node: Node<'_>,
        problems: &mut Problems<'_>,
    ) -> Option<HeaderValue> {
        let text = self.text_of(path, node, problems)?;
        header_value(&text, &format!("the file {}", self.base_dir.join(path).display()), node, problems)
    }

    fn value_of(&self, name: &str, key: &str, node: Node<'_>, problems: &mut Problems<'_>) -> Option<String> {
        if !is_variable_name(name) {
            // The value may be the secret itself.
            problems
                .add(node.place(), format!("`{key}` is not the name of an environment variable"))
                .secret()
                .hint("write the variable's name here, such as \"OPENAI_API_KEY\", and the secret into the variable");
            return None;
        }
        let value = (self.env)(name);
        if value.is_none() {
            problems
                .add(node.place(), format!("the environment variable `{name}` is not set"))
                .hint(format!("set it before Pointsman starts: export {name}=..."));
        }
        value
    }

    fn text_of(&self, path: &str, node: Node<'_>, problems: &mut Problems<'_>) -> Option<String> {
        let full = self.file_at(path);
        std::fs::read_to_string(&full).map_err(|error| unreadable(&full, &error, node, problems)).ok()
    }

    fn file_at(&self, path: &str) -> PathBuf {
        let full = self.base_dir.join(path);
        self.files.borrow_mut().push(full.clone());
        full
    }

    fn file(&self, path: &str, node: Node<'_>, problems: &mut Problems<'_>) -> Option<Secret> {
        let text = self.text_of(path, node, problems)?;
        checked(&text, &format!("the file {}", self.base_dir.join(path).display()), node, problems)
    }
}

fn unreadable(path: &Path, error: &std::io::Error, node: Node<'_>, problems: &mut Problems<'_>) {
    problems.note_io_error(error);
    problems
        .add(node.place(), format!("cannot read {}: {error}", path.display()))
        .hint("paths are relative to the configuration file");
}

fn checked(value: &str, origin: &str, node: Node<'_>, problems: &mut Problems<'_>) -> Option<Secret> {
    let value = value.trim();
    if value.is_empty() {
        problems.add(node.place(), format!("{origin} is empty"));
        return None;
    }
    if !value.bytes().all(|byte| byte.is_ascii_graphic()) {
        problems
            .add(node.place(), format!("{origin} holds characters that a header cannot carry"))
            .hint("a key is one line without spaces");
        return None;
    }
    Some(Secret::new(value))
}

/// Parses a header value and marks it as sensitive, so that its `Debug` output is redacted.
fn header_value(
    text: &str,
    origin: &str,
    node: Node<'_>,
    problems: &mut Problems<'_>,
) -> Option<HeaderValue> {
    let text = text.trim();
    let Some(mut value) = HeaderValue::from_str(text).ok().filter(|_| text.is_ascii()) else {
        problems.add(node.place(), format!("{origin} holds characters that a header cannot carry"));
        return None;
    };
    if text.is_empty() {
        problems.add(node.place(), format!("{origin} is empty"));
        return None;
    }
    value.set_sensitive(true);
    Some(value)
}

fn is_variable_name(name: &str) -> bool {
    name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
        && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
}
