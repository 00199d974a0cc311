//! Secrets come from the environment or from files, never from the file itself.

use std::path::Path;

use pointsman_backends::Secret;

use super::document::Node;
use super::problem::Problems;

/// Where secrets are read.
#[derive(Clone, Copy)]
pub(super) struct Secrets<'a> {
    pub(super) base_dir: &'a Path,
    pub(super) env: &'a dyn Fn(&str) -> Option<String>,
}

/// The two ways to give one secret.
pub(super) struct Source<'a> {
    /// The keys that name them, `_env` and `_file`.
    pub(super) keys: [&'static str; 2],
    pub(super) env: Option<&'a str>,
    pub(super) file: Option<&'a str>,
}

impl Secrets<'_> {
    /// Reads a secret, if one is asked for.
    pub(super) fn read(
        &self,
        source: &Source<'_>,
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

    /// Reads a file that is no secret, for what else stands in files.
    pub(super) fn bytes(&self, path: &str, node: Node<'_>, problems: &mut Problems<'_>) -> Option<Vec<u8>> {
        let full = self.base_dir.join(path);
        std::fs::read(&full).map_err(|error| unreadable(&full, &error, node, problems)).ok()
    }

    fn variable(&self, name: &str, key: &str, node: Node<'_>, problems: &mut Problems<'_>) -> Option<Secret> {
        if !is_variable_name(name) {
            // It may be the secret itself.
            problems
                .add(node.place(), format!("`{key}` is not the name of an environment variable"))
                .secret()
                .hint("write the variable's name here, such as \"OPENAI_API_KEY\", and the secret into the variable");
            return None;
        }
        let Some(value) = (self.env)(name) else {
            problems
                .add(node.place(), format!("the environment variable `{name}` is not set"))
                .hint(format!("set it before Pointsman starts: export {name}=..."));
            return None;
        };
        checked(&value, &format!("the environment variable `{name}`"), node, problems)
    }

    fn file(&self, path: &str, node: Node<'_>, problems: &mut Problems<'_>) -> Option<Secret> {
        let full = self.base_dir.join(path);
        match std::fs::read_to_string(&full) {
            Ok(text) => checked(&text, &format!("the file {}", full.display()), node, problems),
            Err(error) => {
                unreadable(&full, &error, node, problems);
                None
            }
        }
    }
}

fn unreadable(path: &Path, error: &std::io::Error, node: Node<'_>, problems: &mut Problems<'_>) {
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

fn is_variable_name(name: &str) -> bool {
    name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
        && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
}
