//! Builds of policies in their languages.
//!
//! A folder says its language in `policy.toml`, or shows it by its files: `Cargo.toml`, `package.json`,
//! `pyproject.toml` or `requirements.txt`. Each language has a module, which calls the tool and says how
//! to get it.

use std::path::{Path, PathBuf};

use pointsman_terminal::{CommandError, Progress};

use crate::description::AuthoredDescription;

mod c;
mod declarations;
mod javascript;
mod manifest;
mod python;
mod rust;
mod tool;
mod world;

pub use manifest::{Language, Manifest};
use world::World;

/// Folder for generated files and the built policy, in the policy's folder.
const BUILD: &str = "build";
/// File name of the built policy, unless the manifest names another.
const OUTPUT: &str = "policy.wasm";

/// A policy that was built.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BuiltPolicy {
    /// Its file.
    pub path: PathBuf,
    /// Language of its source.
    pub language: Language,
}

/// Inputs of every build.
struct BuildInput<'a> {
    folder: &'a Path,
    manifest: &'a Manifest,
}

impl BuildInput<'_> {
    /// Returns the folder for generated files, which is created.
    fn build_folder(&self) -> Result<PathBuf, CommandError> {
        let folder = self.folder.join(BUILD);
        std::fs::create_dir_all(&folder).map_err(|error| {
            CommandError::Run(format!("error: cannot create {}: {error}", folder.display()))
        })?;
        Ok(folder)
    }

    /// Returns the path of the built policy.
    fn output(&self) -> Result<PathBuf, CommandError> {
        match &self.manifest.output {
            Some(output) => Ok(self.folder.join(output)),
            None => Ok(self.build_folder()?.join(OUTPUT)),
        }
    }

    /// Returns the folder with the world in WIT.
    fn wit(&self) -> PathBuf {
        self.folder.join(self.manifest.wit.as_deref().unwrap_or(Path::new("wit")))
    }

    /// Reads the world.
    fn world(&self) -> Result<World, CommandError> {
        World::read(&self.wit(), self.manifest.world.as_deref())
    }

    /// Returns the source file, or the first of the usual ones that exists.
    fn entry(&self, usual: &[&str]) -> Result<PathBuf, CommandError> {
        let path = match &self.manifest.entry {
            Some(entry) => Some(PathBuf::from(entry)),
            None => usual.iter().map(PathBuf::from).find(|name| self.folder.join(name).is_file()),
        };
        match path {
            Some(path) if self.folder.join(&path).is_file() => Ok(path),
            Some(path) => Err(CommandError::Input(format!(
                "error: there is no file {}\n  = hint: name the source of the policy with `entry` in {}",
                self.folder.join(&path).display(),
                manifest::FILE
            ))),
            None => Err(CommandError::Input(format!(
                "error: {} has no {}\n  = hint: name the source of the policy with `entry` in {}",
                self.folder.display(),
                usual.join(" or "),
                manifest::FILE
            ))),
        }
    }
}

/// Writes what editors need of a policy's world, as far as it needs no tool: declarations for JavaScript and
/// TypeScript, the header for C. Builds do the same.
///
/// # Errors
/// Fails if the folder's language is unknown, its world is invalid, or a file cannot be written.
pub fn prepare(folder: &Path) -> Result<(), CommandError> {
    let manifest = Manifest::of(folder)?;
    let input = BuildInput { folder, manifest: &manifest };
    match manifest.language {
        Language::Rust => Ok(()),
        Language::Javascript | Language::Typescript => javascript::declare(&input, &input.world()?),
        Language::Python => input.world().map(drop),
        Language::C => c::generate(&mut input.world()?, &input.build_folder()?).map(drop),
    }
}

/// Builds the policy of a folder, in the language of its manifest or of its files, and attaches the
/// description of the folder.
///
/// # Errors
/// Fails with exit status 2 if something is missing or the description has faults, and says what to do;
/// with 1 if the language's tool rejects the source.
pub fn folder(folder: &Path) -> Result<BuiltPolicy, CommandError> {
    let manifest = Manifest::of(folder)?;
    let description = AuthoredDescription::of_folder(folder)?;
    let input = BuildInput { folder, manifest: &manifest };
    let _progress = Progress::step(&format!("building {} ({})", folder.display(), manifest.language.name()));
    let path = match manifest.language {
        Language::Rust => rust::build(&input)?,
        Language::Javascript | Language::Typescript => javascript::build(&input)?,
        Language::Python => python::build(&input)?,
        Language::C => c::build(&input)?,
    };
    if let Some(description) = description {
        description.attach_to(&path)?;
    }
    Ok(BuiltPolicy { path, language: manifest.language })
}
