//! The description of a policy, in a file beside its source.
//!
//! `description.toml` and `description.json` have the same members. Both are read as JSON, checked as the
//! gateway does, and faults are shown where they are written.

use std::fs;
use std::path::{Path, PathBuf};

use pointsman_policy::description::{DescriptionProblem, MAX_BYTES, SelfDescription, attach};
use pointsman_terminal::CommandError;
use serde_json::Value;

use crate::case::document::{InvalidFile, Syntax};

mod locate;

/// Names of the file.
const FILES: [&str; 2] = ["description.toml", "description.json"];
/// Longest file that is read, in bytes. TOML may be longer than the JSON that it becomes.
const MAX_FILE_BYTES: u64 = 4 * MAX_BYTES as u64;

/// A description that has no faults.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AuthoredDescription {
    /// Its file.
    pub path: PathBuf,
    json: String,
}

impl AuthoredDescription {
    /// Reads the description in the folder of a policy, if there is one.
    ///
    /// # Errors
    /// Fails with exit status 2 if there are two, or the file cannot be read or has faults, which are shown
    /// with their lines.
    pub fn of_folder(folder: &Path) -> Result<Option<Self>, CommandError> {
        let paths: Vec<PathBuf> =
            FILES.iter().map(|name| folder.join(name)).filter(|path| path.is_file()).collect();
        match paths.as_slice() {
            [] => Ok(None),
            [path] => Self::read(path).map(Some),
            _ => Err(CommandError::Input(format!(
                "error: {} has two descriptions\n  = hint: keep {} or {}",
                folder.display(),
                FILES[0],
                FILES[1]
            ))),
        }
    }

    fn read(path: &Path) -> Result<Self, CommandError> {
        let unreadable =
            |reason: String| CommandError::Input(format!("error: cannot read {}: {reason}", path.display()));
        let length = fs::metadata(path).map_err(|error| unreadable(error.to_string()))?.len();
        if length > MAX_FILE_BYTES {
            return Err(unreadable(format!("it is {length} bytes long, more than {MAX_FILE_BYTES}")));
        }
        let text = fs::read_to_string(path).map_err(|error| unreadable(error.to_string()))?;
        let syntax = Syntax::of(path).unwrap_or(Syntax::Toml);
        let json = checked(&text, syntax).map_err(|faults| {
            let shown: Vec<String> = faults.iter().map(|fault| fault.display(path).to_string()).collect();
            CommandError::Input(shown.join("\n\n"))
        })?;
        Ok(Self { path: path.to_owned(), json })
    }

    /// Attaches the description to a built policy, in place of any that it has. Bytes that are not
    /// WebAssembly are left as they are, for the load gate to report.
    ///
    /// # Errors
    /// Fails with exit status 1 if the file cannot be read or replaced.
    pub fn attach_to(&self, policy: &Path) -> Result<(), CommandError> {
        let failed = |error: std::io::Error| {
            CommandError::Run(format!(
                "error: cannot attach {} to {}: {error}",
                self.path.display(),
                policy.display()
            ))
        };
        let bytes = fs::read(policy).map_err(failed)?;
        let has_the_same = SelfDescription::read(&bytes) == SelfDescription::of_json(self.json.as_bytes());
        let Ok(described) = attach(&bytes, &self.json) else { return Ok(()) };
        if has_the_same {
            return Ok(());
        }
        // The file may be a hard link to one that its tool keeps, which must stay as it is.
        let new = policy.with_extension("wasm.new");
        fs::write(&new, described).and_then(|()| fs::rename(&new, policy)).map_err(failed)
    }
}

/// Reads a description and returns it as JSON.
fn checked(text: &str, syntax: Syntax) -> Result<String, Vec<InvalidFile>> {
    let value = value(text, syntax).map_err(|fault| vec![fault])?;
    let json = value.to_string();
    let read = match json.len() > MAX_BYTES {
        true => SelfDescription::of_json(json.as_bytes()),
        false => SelfDescription::of_value(&value).with_unknown_members(&value),
    };
    if read.problems.is_empty() {
        return Ok(json);
    }
    let fault = |problem: &DescriptionProblem| InvalidFile {
        place: locate::place(text, syntax, &problem.path),
        ..InvalidFile::new(problem.to_string())
    };
    Err(read.problems.iter().map(fault).collect())
}

fn value(text: &str, syntax: Syntax) -> Result<Value, InvalidFile> {
    match syntax {
        Syntax::Toml => {
            let table: toml::Table = text.parse().map_err(|error| InvalidFile::of_toml(&error, text))?;
            serde_json::to_value(table).map_err(|error| InvalidFile::new(error.to_string()))
        }
        Syntax::Json => serde_json::from_str(text).map_err(|error| InvalidFile::of_json(&error, text)),
    }
}

#[cfg(test)]
mod tests;
