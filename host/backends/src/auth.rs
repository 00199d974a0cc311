//! Credentials of backends: where the key comes from, and how a call carries it.

use std::fmt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use ::http::HeaderName;
use ::http::header::AUTHORIZATION;
use pointsman_domain::secret::Secret;

mod command;
mod key_text;
mod refreshed_key;

pub(crate) use refreshed_key::RefreshedKey;

/// Longest time between two reads of a key file, in case its change was not noticed otherwise.
const FILE_INTERVAL: Duration = Duration::from_secs(5);

/// Credentials of a backend.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProviderAuth {
    /// Part of a call that carries the key.
    pub placement: KeyPlacement,
    /// Source of the key.
    pub source: KeySource,
}

/// Part of a call that carries the key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum KeyPlacement {
    /// A header.
    Header {
        /// Name of the header.
        name: HeaderName,
        /// Text before the key, with the space after it.
        prefix: String,
    },
    /// A parameter of the query.
    Query {
        /// Name of the parameter.
        parameter: String,
    },
}

/// Source of a key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum KeySource {
    /// The key itself, which does not change.
    Fixed(Secret),
    /// A file, which is read again when it changes.
    File(KeyFile),
    /// A command that prints the key.
    Command(KeyCommand),
}

/// File with a key, and the key as the configuration read it.
#[derive(Clone)]
pub struct KeyFile {
    path: PathBuf,
    key: Secret,
}

/// Command that prints a key on standard output. It runs without a shell.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyCommand {
    /// The program: a path, or a name that is searched in `PATH`.
    pub program: PathBuf,
    /// Its arguments.
    pub arguments: Vec<String>,
    /// Age of a key at which the command runs again.
    pub refresh_after: Duration,
    /// Longest time for one run.
    pub timeout: Duration,
}

impl ProviderAuth {
    /// Returns the credentials for a key that does not change, in `authorization: Bearer KEY`.
    pub fn bearer(key: Secret) -> Self {
        Self::in_header(AUTHORIZATION, key)
    }

    /// Returns the credentials for a key that does not change, in a header with its default prefix.
    pub fn in_header(name: HeaderName, key: Secret) -> Self {
        Self { placement: KeyPlacement::header(name, None), source: KeySource::Fixed(key) }
    }
}

impl KeyPlacement {
    /// Returns the placement in a header. The default prefix is `Bearer ` in `authorization`, and
    /// none in any other header.
    pub fn header(name: HeaderName, prefix: Option<String>) -> Self {
        let default = if name == AUTHORIZATION { "Bearer " } else { "" };
        Self::Header { name, prefix: prefix.unwrap_or_else(|| default.to_owned()) }
    }
}

impl KeySource {
    /// Returns the key, unless a command has to print it first.
    pub(crate) fn first_key(&self) -> Option<&Secret> {
        match self {
            Self::Fixed(key) | Self::File(KeyFile { key, .. }) => Some(key),
            Self::Command(_) => None,
        }
    }

    /// Returns the source of further keys, if the key can change.
    pub(crate) fn changing(&self) -> Option<ChangingSource> {
        match self {
            Self::Fixed(_) => None,
            Self::File(file) => Some(ChangingSource::File(file.path.clone())),
            Self::Command(command) => Some(ChangingSource::Command(command.clone())),
        }
    }
}

impl KeyFile {
    /// Returns the file at a path, with the key that was read from it.
    pub fn new(path: PathBuf, key: Secret) -> Self {
        Self { path, key }
    }

    /// Returns the path of the file.
    pub fn path(&self) -> &Path {
        &self.path
    }
}

/// Two are equal if they are the same file: another key in it does not make another backend, which
/// would lose its connections and statistics.
impl PartialEq for KeyFile {
    fn eq(&self, other: &Self) -> bool {
        self.path == other.path
    }
}

impl Eq for KeyFile {}

impl fmt::Debug for KeyFile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("KeyFile").field(&self.path).finish()
    }
}

/// Source of a key that can change.
#[derive(Clone, Debug)]
pub(crate) enum ChangingSource {
    File(PathBuf),
    Command(KeyCommand),
}

impl ChangingSource {
    /// Reads the key. Blocks; for a command, at most for its timeout.
    fn fetch(&self) -> Result<Secret, String> {
        match self {
            Self::File(path) => key_text::read(path),
            Self::Command(command) => command::run(command),
        }
    }

    /// Returns the time after which a key is fetched again.
    fn refresh_after(&self) -> Duration {
        match self {
            Self::File(_) => FILE_INTERVAL,
            Self::Command(command) => command.refresh_after,
        }
    }
}

impl fmt::Display for ChangingSource {
    /// Writes the file or the program, without arguments.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File(path) => write!(f, "the file {}", path.display()),
            Self::Command(command) => write!(f, "the command `{}`", command.program.display()),
        }
    }
}
