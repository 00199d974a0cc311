//! The key of a backend: its source, and the part of a call that carries it.

use std::path::PathBuf;
use std::time::Duration;

use http::HeaderName;
use http::header::AUTHORIZATION;
use pointsman_backends::{KeyCommand, KeyFile, KeyPlacement, KeySource, ProviderAuth};

use super::super::document::Node;
use super::super::problem::Problems;
use super::super::raw;
use super::super::secrets::{SecretSource, Secrets};
use super::{FIXED_HEADERS, default_key_header};

/// Age at which a key of a command is refreshed. The commands of cloud providers print cached tokens,
/// some of which are valid for a few more minutes only.
const REFRESH_AFTER: Duration = Duration::from_secs(5 * 60);
/// Longest time for one run of a command.
const COMMAND_TIMEOUT: Duration = Duration::from_secs(30);

/// Keys of a backend that give the source of its key; at most one of them.
const SOURCES: [&str; 3] = ["api_key_env", "api_key_file", "api_key_command"];
const SOURCE_HINT: &str = "name an environment variable with `api_key_env`, a file with `api_key_file`, or a command with \
     `api_key_command`";

/// Reads the credentials of a backend.
pub(super) fn compile(
    raw: &raw::Backend,
    node: Node<'_>,
    secrets: Secrets<'_>,
    problems: &mut Problems<'_>,
) -> Option<ProviderAuth> {
    let source = source(raw, node, secrets, problems);
    let placement = placement(raw, node, problems);
    if SOURCES.iter().all(|key| !node.get(key).is_there()) {
        for key in ["api_key_header", "api_key_prefix", "api_key_query"] {
            if node.get(key).is_there() {
                problems
                    .add(node.get(key).key(), format!("the backend has no API key for `{key}`"))
                    .hint(SOURCE_HINT);
            }
        }
    }
    Some(ProviderAuth { placement: placement?, source: source? })
}

fn source(
    raw: &raw::Backend,
    node: Node<'_>,
    secrets: Secrets<'_>,
    problems: &mut Problems<'_>,
) -> Option<KeySource> {
    let (env, file) = (raw.api_key_env.as_deref(), raw.api_key_file.as_deref());
    let command = command(raw, node, secrets, problems);
    if raw.api_key_command.is_some()
        && let Some(other) = SOURCES[..2].iter().find(|key| node.get(key).is_there())
    {
        problems
            .add(node.get("api_key_command").key(), format!("both `{other}` and `api_key_command` are given"))
            .hint("keep one of them");
        return None;
    }
    if let Some(command) = command {
        return Some(KeySource::Command(command));
    }
    let key = secrets.read(&SecretSource { keys: [SOURCES[0], SOURCES[1]], env, file }, node, problems)?;
    Some(match file {
        Some(path) => KeySource::File(KeyFile::new(secrets.base_dir.join(path), key)),
        None => KeySource::Fixed(key),
    })
}

fn command(
    raw: &raw::Backend,
    node: Node<'_>,
    secrets: Secrets<'_>,
    problems: &mut Problems<'_>,
) -> Option<KeyCommand> {
    let times = [
        ("api_key_refresh_after", raw.api_key_refresh_after, REFRESH_AFTER),
        ("api_key_timeout", raw.api_key_timeout, COMMAND_TIMEOUT),
    ];
    for (key, stated, _) in times {
        if stated.is_some() && raw.api_key_command.is_none() {
            problems
                .add(node.get(key).key(), format!("`{key}` is given without `api_key_command`"))
                .hint("a key in a file is read again when the file changes");
        }
        if stated.is_some_and(|time| time.get().is_zero()) {
            problems
                .add(node.get(key).place(), format!("`{key}` is zero"))
                .hint("it is a time such as \"5m\"");
        }
    }
    let [refresh_after, timeout] =
        times.map(|(_, stated, default)| stated.map_or(default, raw::Duration::get));
    let (program, arguments) = match raw.api_key_command.as_deref()? {
        [program, arguments @ ..] if !program.is_empty() => (program, arguments),
        _ => {
            problems
                .add(node.get("api_key_command").place(), "`api_key_command` names no program")
                .hint("it is a program and its arguments: [\"gcloud\", \"auth\", \"print-access-token\"]");
            return None;
        }
    };
    // A name without a slash is searched in `PATH`.
    let program = match program.contains('/') {
        true => secrets.base_dir.join(program),
        false => PathBuf::from(program),
    };
    Some(KeyCommand { program, arguments: arguments.to_vec(), refresh_after, timeout })
}

fn placement(raw: &raw::Backend, node: Node<'_>, problems: &mut Problems<'_>) -> Option<KeyPlacement> {
    let Some(parameter) = &raw.api_key_query else { return header(raw, node, problems) };
    let place = node.get("api_key_query");
    for key in ["api_key_header", "api_key_prefix"] {
        if node.get(key).is_there() {
            problems
                .add(node.get(key).key(), format!("both `api_key_query` and `{key}` are given"))
                .hint("the key is sent in the query or in a header: keep one of them");
            return None;
        }
    }
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.');
    if parameter.is_empty() || !parameter.bytes().all(is_plain) {
        problems
            .add(place.place(), format!("{parameter:?} is not the name of a query parameter"))
            .hint("it is a name such as \"key\"");
        return None;
    }
    Some(KeyPlacement::Query { parameter: parameter.clone() })
}

/// Reads the header that carries the key.
fn header(raw: &raw::Backend, node: Node<'_>, problems: &mut Problems<'_>) -> Option<KeyPlacement> {
    let prefix = raw.api_key_prefix.clone();
    let is_text = |byte: u8| byte == b' ' || byte.is_ascii_graphic();
    if prefix.as_ref().is_some_and(|prefix| !prefix.bytes().all(is_text)) {
        let place = node.get("api_key_prefix").place();
        problems.add(place, "`api_key_prefix` has characters that a header cannot carry");
        return None;
    }
    let Some(name) = &raw.api_key_header else {
        return Some(KeyPlacement::header(default_key_header(raw), prefix));
    };
    let node = node.get("api_key_header");
    let Ok(header) = name.parse::<HeaderName>() else {
        problems.add(node.place(), format!("{name:?} is not the name of a header"));
        return None;
    };
    if header != AUTHORIZATION && FIXED_HEADERS.contains(&header) {
        problems.add(node.place(), format!("the header `{name}` is set by Pointsman"));
        return None;
    }
    if raw.headers.keys().any(|other| other.eq_ignore_ascii_case(name)) {
        problems.add(node.place(), format!("the header `{name}` is given twice")).hint("keep one of them");
        return None;
    }
    Some(KeyPlacement::header(header, prefix))
}
