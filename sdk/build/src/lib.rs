#![doc = include_str!("../README.md")]

mod artifacts;
mod environment;
mod error;
mod sources;

use std::ffi::OsString;
use std::path::{Path, PathBuf};

pub use error::Error;

/// The target that policies are built for.
pub const TARGET: &str = "wasm32-unknown-unknown";

/// The profile that policies are built with by default, and its settings: fast code in a
/// small file.
const PROFILE: &str = "policy";
const PROFILE_SETTINGS: [&str; 7] = [
    r#"inherits="release""#,
    "opt-level=3",
    r#"lto="fat""#,
    "codegen-units=1",
    "debug=false",
    r#"panic="abort""#,
    "strip=true",
];

/// A build of policy crates with one run of cargo.
///
/// Variables with which an outer cargo and its build scripts configure their own build, such
/// as `RUSTFLAGS` and `CARGO_TARGET_DIR`, are not passed on.
#[derive(Clone, Debug, Default)]
#[must_use]
pub struct Build {
    manifest: Option<PathBuf>,
    packages: Vec<String>,
    target_dir: Option<PathBuf>,
    profile: Option<String>,
    is_offline: bool,
}

/// A policy's core module. It carries the description of its component in a custom section.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Module {
    package: String,
    path: PathBuf,
}

impl Build {
    /// Builds the package of the current directory, unless set otherwise.
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets the manifest of the package or workspace to build.
    pub fn manifest(mut self, path: impl Into<PathBuf>) -> Self {
        self.manifest = Some(path.into());
        self
    }

    /// Adds packages of the workspace to build, by name. Without any, cargo's default
    /// packages of the manifest are built.
    pub fn packages<P: Into<String>>(mut self, names: impl IntoIterator<Item = P>) -> Self {
        self.packages.extend(names.into_iter().map(Into::into));
        self
    }

    /// Sets the target directory. A build script must set one of its own, below `OUT_DIR`:
    /// the cargo that runs it holds the lock of the usual one.
    pub fn target_dir(mut self, path: impl Into<PathBuf>) -> Self {
        self.target_dir = Some(path.into());
        self
    }

    /// Sets a profile of the manifest, in place of one that makes fast code in a small file.
    pub fn profile(mut self, name: impl Into<String>) -> Self {
        self.profile = Some(name.into());
        self
    }

    /// Builds without network access.
    pub fn offline(mut self) -> Self {
        self.is_offline = true;
        self
    }

    /// Builds, and returns the modules in the order of the packages.
    ///
    /// # Errors
    /// [`Error`] says what is missing and how to get it, or carries what cargo wrote.
    pub fn run(&self) -> Result<Vec<Module>, Error> {
        let mut command = environment::cargo();
        command.args(self.arguments());
        let output = command.output().map_err(Error::Start)?;
        if !output.status.success() {
            return Err(Error::from_stderr(self.subject(), &String::from_utf8_lossy(&output.stderr)));
        }
        let built = artifacts::modules(&String::from_utf8_lossy(&output.stdout));
        if self.packages.is_empty() {
            return if built.is_empty() {
                Err(Error::NoModule { package: self.subject() })
            } else {
                Ok(built)
            };
        }
        let find = |name: &String| {
            let module = built.iter().find(|module| module.package == *name).cloned();
            module.ok_or_else(|| Error::NoModule { package: name.clone() })
        };
        self.packages.iter().map(find).collect()
    }

    fn arguments(&self) -> Vec<OsString> {
        let mut arguments: Vec<OsString> = Vec::new();
        arguments.extend(["build", "--lib", "--target", TARGET].map(OsString::from));
        arguments.push("--message-format=json-render-diagnostics".into());
        arguments.extend(["--profile".into(), self.profile.as_deref().unwrap_or(PROFILE).into()]);
        if self.profile.is_none() {
            let setting = |setting: &str| ["--config".into(), format!("profile.{PROFILE}.{setting}").into()];
            arguments.extend(PROFILE_SETTINGS.into_iter().flat_map(setting));
        }
        if let Some(manifest) = &self.manifest {
            arguments.extend(["--manifest-path".into(), manifest.into()]);
        }
        if let Some(target_dir) = &self.target_dir {
            arguments.extend(["--target-dir".into(), target_dir.into()]);
        }
        if self.is_offline {
            arguments.push("--offline".into());
        }
        arguments.extend(self.packages.iter().flat_map(|package| ["--package".into(), package.into()]));
        arguments
    }

    /// Names the packages or the manifest, for messages.
    fn subject(&self) -> String {
        match (&self.packages[..], &self.manifest) {
            ([], Some(manifest)) => manifest.display().to_string(),
            ([], None) => "the package of the current directory".to_owned(),
            (packages, _) => packages.join(", "),
        }
    }
}

impl Module {
    /// The name of the package.
    pub fn package(&self) -> &str {
        &self.package
    }

    /// The path of the file.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Encodes the component.
    ///
    /// # Errors
    /// Fails if the file cannot be read, or describes no component.
    #[cfg(feature = "component")]
    pub fn component(&self) -> Result<Vec<u8>, Error> {
        let read_error = |source| Error::Read { path: self.path.clone(), source };
        let module = std::fs::read(&self.path).map_err(read_error)?;
        let encoder = wit_component::ComponentEncoder::default().validate(true).module(&module);
        encoder.and_then(|mut encoder| encoder.encode()).map_err(|error| Error::NoComponent {
            package: self.package.clone(),
            reason: format!("{error:#}"),
        })
    }
}

/// Makes cargo run the build script that calls this again when a source or manifest of
/// these modules has changed.
///
/// # Errors
/// Fails if the list of a module's sources cannot be read.
#[expect(clippy::print_stdout, reason = "build scripts configure cargo through their output")]
pub fn rerun_if_changed(modules: &[Module]) -> Result<(), Error> {
    for path in sources::of(modules)? {
        println!("cargo::rerun-if-changed={}", path.display());
    }
    Ok(())
}

#[cfg(test)]
mod tests;
