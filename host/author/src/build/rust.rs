//! Policies in Rust, built by cargo.

use std::fs;
use std::path::PathBuf;

use pointsman_build::{Build, Error};
use pointsman_terminal::CommandError;

use super::BuildInput;

pub(super) fn build(input: &BuildInput<'_>) -> Result<PathBuf, CommandError> {
    let manifest = input.folder.join("Cargo.toml");
    let mut build = Build::new().manifest(&manifest);
    if let Some(package) = &input.manifest.package {
        build = build.packages([package]);
    }
    let modules = build.run().map_err(build_error)?;
    let [module] = modules.as_slice() else {
        let names: Vec<&str> = modules.iter().map(pointsman_build::Module::package).collect();
        return Err(CommandError::Input(format!(
            "error: {} has several policies: {}\n  = hint: name the folder of one, or `package` in policy.toml",
            manifest.display(),
            names.join(", ")
        )));
    };
    let Some(output) = &input.manifest.output else { return Ok(module.path().to_owned()) };
    let output = input.folder.join(output);
    let component = module.component().map_err(build_error)?;
    fs::write(&output, component)
        .map_err(|error| CommandError::Run(format!("error: cannot write {}: {error}", output.display())))?;
    Ok(output)
}

/// Cargo rejects sources; everything else is missing, and the message says how to get it.
fn build_error(error: Error) -> CommandError {
    let text = format!("error: {error}").replace("; hint: ", "\n  = hint: ");
    match error {
        Error::Cargo { .. } => CommandError::Run(text),
        _ => CommandError::Input(text),
    }
}
