//! `policy.toml`: how a folder's policy is built.

use std::fs;
use std::path::{Path, PathBuf};

use clap::ValueEnum;
use pointsman_terminal::CommandError;
use serde::Deserialize;

use crate::case::document;

/// Name of the file.
pub(super) const FILE: &str = "policy.toml";

/// Language of a policy.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, ValueEnum)]
#[serde(rename_all = "lowercase")]
pub enum Language {
    /// Rust, with the SDK.
    Rust,
    /// JavaScript, on QuickJS.
    #[value(name = "js", alias = "javascript")]
    Javascript,
    /// TypeScript, which is compiled to JavaScript first.
    #[value(name = "ts", alias = "typescript")]
    Typescript,
    /// Python.
    Python,
    /// C.
    C,
}

impl Language {
    /// Returns the name in manifests.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Rust => "rust",
            Self::Javascript => "javascript",
            Self::Typescript => "typescript",
            Self::Python => "python",
            Self::C => "c",
        }
    }
}

/// The manifest.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Manifest {
    /// Language.
    pub language: Language,
    /// Source of the policy, in its folder. For TypeScript the JavaScript file that `tsc` writes.
    #[serde(default)]
    pub entry: Option<String>,
    /// World in WIT that the policy implements; the only one of the folder if not stated.
    #[serde(default)]
    pub world: Option<String>,
    /// Folder of the world; by default `wit`.
    #[serde(default)]
    pub wit: Option<PathBuf>,
    /// Path of the built policy; by default `build/policy.wasm`, and for Rust where cargo writes it.
    #[serde(default)]
    pub output: Option<PathBuf>,
    /// True to keep the imports of WASI that the language's runtime has; the policy needs the grant
    /// `wasi` then.
    #[serde(default)]
    pub wasi: bool,
    /// Name of the cargo package, where the folder's manifest has several.
    #[serde(default)]
    pub package: Option<String>,
}

impl Language {
    /// Returns the name in texts.
    pub const fn title(self) -> &'static str {
        match self {
            Self::Rust => "Rust",
            Self::Javascript => "JavaScript",
            Self::Typescript => "TypeScript",
            Self::Python => "Python",
            Self::C => "C",
        }
    }
}

impl Manifest {
    /// Reads the manifest of a folder, or derives it from the folder's files.
    ///
    /// # Errors
    /// Fails if the manifest is invalid, or there is none and no file shows the language.
    pub fn of(folder: &Path) -> Result<Self, CommandError> {
        let path = folder.join(FILE);
        if path.is_file() {
            let text = fs::read_to_string(&path).map_err(|error| {
                CommandError::Input(format!("error: cannot read {}: {error}", path.display()))
            })?;
            return document::from_toml(&text)
                .map_err(|problem| CommandError::Input(problem.display(&path).to_string()));
        }
        let has = |name: &&str| folder.join(name).is_file();
        let of_files = [
            (Language::Rust, &["Cargo.toml"][..]),
            (Language::Typescript, &["tsconfig.json"]),
            (Language::Javascript, &["package.json"]),
            (Language::Python, &["pyproject.toml", "requirements.txt"]),
            (Language::C, &["policy.c"]),
        ];
        let found = of_files.into_iter().find(|(_, names)| names.iter().any(has));
        match found {
            Some((language, _)) => Ok(Self::new(language)),
            None => Err(CommandError::Input(format!(
                "error: {} has neither {FILE} nor a file that shows the language of a policy\n  = hint: name a \
                 WebAssembly file, or write {FILE} with `language = \"rust\"`, \"javascript\", \"typescript\", \
                 \"python\" or \"c\"",
                folder.display()
            ))),
        }
    }

    /// Returns the manifest of a folder that has none.
    fn new(language: Language) -> Self {
        Self { language, entry: None, world: None, wit: None, output: None, wasi: false, package: None }
    }
}

#[cfg(test)]
mod tests {
    use tempfile::TempDir;

    use super::*;

    #[test]
    fn files_show_the_language_unless_a_manifest_states_it() {
        let folder = TempDir::new().unwrap();
        let write = |name: &str, text: &str| fs::write(folder.path().join(name), text).unwrap();
        assert!(Manifest::of(folder.path()).unwrap_err().to_string().contains("write policy.toml"));
        for (name, language) in [
            ("policy.c", Language::C),
            ("requirements.txt", Language::Python),
            ("package.json", Language::Javascript),
            ("tsconfig.json", Language::Typescript),
            ("Cargo.toml", Language::Rust),
        ] {
            write(name, "");
            assert_eq!(Manifest::of(folder.path()).unwrap(), Manifest::new(language), "{name}");
        }
        write("policy.toml", "language = \"python\"\nentry = \"app.py\"\nworld = \"w\"\n");
        let manifest = Manifest::of(folder.path()).unwrap();
        assert_eq!((manifest.language, manifest.entry.as_deref()), (Language::Python, Some("app.py")));
        write("policy.toml", "langauge = \"python\"\n");
        let error = Manifest::of(folder.path()).unwrap_err().to_string();
        assert!(error.contains("did you mean `language`?") && error.contains("policy.toml:1:1"), "{error}");
    }
}
