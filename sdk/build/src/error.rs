//! Errors of a build.

use std::path::PathBuf;
use std::{fmt, io};

use crate::TARGET;

/// The reason why a policy was not built. `Debug` prints the same text as `Display`, because
/// cargo shows the `Debug` text of an error that a build script's `main` returns.
#[non_exhaustive]
pub enum Error {
    /// Cargo could not be started.
    Start(io::Error),
    /// The toolchain has no standard library for [`TARGET`].
    NoTarget,
    /// Cargo failed.
    Cargo {
        /// The packages, or the manifest.
        subject: String,
        /// Cargo's output.
        stderr: String,
    },
    /// A package is no `cdylib`.
    NoModule {
        /// The name of the package.
        package: String,
    },
    /// A file of the build could not be read.
    Read {
        /// The file.
        path: PathBuf,
        /// The reason.
        source: io::Error,
    },
    /// A module describes no component.
    #[cfg(feature = "component")]
    NoComponent {
        /// The name of the package.
        package: String,
        /// The encoder's message.
        reason: String,
    },
}

impl Error {
    pub(crate) fn from_stderr(subject: String, stderr: &str) -> Self {
        if stderr.contains("target may not be installed") {
            return Self::NoTarget;
        }
        Self::Cargo { subject, stderr: stderr.trim_end().to_owned() }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Start(error) => {
                write!(f, "cannot start cargo: {error}; hint: install Rust as https://rustup.rs describes")
            }
            Self::NoTarget => write!(
                f,
                "this toolchain lacks the target {TARGET} that policies are built for; hint: run `rustup \
                 target add {TARGET}`"
            ),
            Self::Cargo { subject, stderr } => write!(f, "cargo cannot build {subject}:\n{stderr}"),
            Self::NoModule { package } => write!(
                f,
                "building {package} made no WebAssembly module; hint: set `crate-type = [\"cdylib\", \"rlib\"]` \
                 under `[lib]` in its manifest"
            ),
            Self::Read { path, source } => write!(f, "cannot read {}: {source}", path.display()),
            #[cfg(feature = "component")]
            Self::NoComponent { package, reason } => write!(
                f,
                "the module of {package} is no component: {reason}; hint: export the policy with \
                 `pointsman_sdk::export!`"
            ),
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
            _ => None,
        }
    }
}
