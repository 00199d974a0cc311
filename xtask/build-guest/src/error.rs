//! What can go wrong while a guest is built.

use std::path::PathBuf;
use std::{fmt, io};

/// Why a guest was not built. `Debug` reads like `Display`, because that is what
/// a build script whose `main` returns an error prints.
pub enum Error {
    /// Cargo could not be started.
    Start(io::Error),
    /// The toolchain has no standard library for the guests' target.
    NoTarget,
    /// Cargo failed.
    Cargo {
        /// What was to be built.
        packages: String,
        /// What cargo wrote.
        stderr: String,
    },
    /// A package is no `cdylib`.
    NoModule {
        /// The package.
        package: String,
    },
    /// The list of a module's sources could not be read.
    Read {
        /// The list.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
}

impl Error {
    pub(crate) fn from_stderr(packages: &[&str], stderr: &str) -> Self {
        if stderr.contains("target may not be installed") {
            return Self::NoTarget;
        }
        Self::Cargo { packages: packages.join(", "), stderr: stderr.trim_end().to_owned() }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Start(error) => write!(f, "cargo could not be started: {error}"),
            Self::NoTarget => f.write_str(
                "policies are built for wasm32-unknown-unknown, which this toolchain lacks; \
                 hint: run `rustup target add wasm32-unknown-unknown`",
            ),
            Self::Cargo { packages, stderr } => write!(f, "cargo could not build {packages}:\n{stderr}"),
            Self::NoModule { package } => {
                write!(f, "{package} left no module; hint: give it `crate-type = [\"cdylib\", \"rlib\"]`")
            }
            Self::Read { path, source } => write!(f, "{} could not be read: {source}", path.display()),
        }
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Start(error) | Self::Read { source: error, .. } => Some(error),
            Self::NoTarget | Self::Cargo { .. } | Self::NoModule { .. } => None,
        }
    }
}
