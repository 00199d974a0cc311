//! The SDK as a dependency of a policy in Rust.

use std::fs;
use std::path::{Path, PathBuf};

use pointsman_terminal::CommandError;
use toml::Value;

/// Name of the SDK's package.
const PACKAGE: &str = "pointsman-sdk";

/// Returns the dependency as a value in `Cargo.toml`: a version, the folder of a checkout or of the SDK in
/// it, or a Git repository. Without a source it is this program's version.
///
/// # Errors
/// Fails if the source is none of them.
pub(super) fn dependency(source: Option<&str>) -> Result<String, CommandError> {
    let Some(source) = source else { return Ok(text(env!("CARGO_PKG_VERSION"))) };
    if Path::new(source).is_dir() {
        let path = sdk_in(Path::new(source))?;
        return Ok(format!("{{ path = {} }}", text(&path.display().to_string())));
    }
    if is_git(source) {
        return Ok(format!("{{ git = {} }}", text(source)));
    }
    if is_version(source) {
        return Ok(text(source));
    }
    Err(CommandError::Input(format!(
        "error: --sdk: `{}` is no version, folder or URL of a Git repository\n  = hint: give a version such as {}, \
         or the folder of a checkout",
        source.escape_debug(),
        env!("CARGO_PKG_VERSION")
    )))
}

/// Returns the folder of the SDK's package: the given one, or `sdk` in it.
fn sdk_in(folder: &Path) -> Result<PathBuf, CommandError> {
    let is_sdk = |folder: &PathBuf| {
        let manifest = fs::read_to_string(folder.join("Cargo.toml")).unwrap_or_default();
        let manifest: toml::Table = manifest.parse().unwrap_or_default();
        let name = manifest.get("package").and_then(|package| package.get("name"));
        name.and_then(Value::as_str) == Some(PACKAGE)
    };
    let found = [folder.to_owned(), folder.join("sdk")].into_iter().find(is_sdk);
    let found = found.ok_or_else(|| {
        CommandError::Input(format!(
            "error: --sdk: neither {} nor its folder `sdk` has the package {PACKAGE}\n  = hint: name the folder of a \
             checkout of Pointsman",
            folder.display()
        ))
    })?;
    // Cargo reads paths relative to the policy, which may be moved.
    fs::canonicalize(&found)
        .map_err(|error| CommandError::Run(format!("error: cannot read {}: {error}", found.display())))
}

fn is_git(source: &str) -> bool {
    ["https://", "http://", "ssh://", "git://", "file://"].iter().any(|scheme| source.starts_with(scheme))
}

fn is_version(source: &str) -> bool {
    let mut numbers = source.split(['-', '+']).next().unwrap_or_default().split('.');
    let is_number = |number: &str| !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit());
    numbers.clone().count() <= 3
        && numbers.all(is_number)
        && source.bytes().all(|byte| byte.is_ascii_alphanumeric() || b".-+".contains(&byte))
}

/// Returns a text as TOML has it.
fn text(text: &str) -> String {
    Value::String(text.to_owned()).to_string()
}

#[cfg(test)]
mod tests {
    use tempfile::TempDir;

    use super::*;

    #[test]
    fn a_version_and_a_repository_are_written_as_cargo_reads_them() {
        let of = |source| dependency(Some(source)).unwrap();
        assert_eq!(dependency(None).unwrap(), format!("{:?}", env!("CARGO_PKG_VERSION")));
        assert_eq!(of("0.1"), "\"0.1\"");
        assert_eq!(of("1.2.3-rc.1"), "\"1.2.3-rc.1\"");
        assert_eq!(of("https://example.com/p.git"), "{ git = \"https://example.com/p.git\" }");
        for wrong in ["", "latest", "1.2.3.4", "v1", "./nowhere", "1\" }"] {
            let error = dependency(Some(wrong)).unwrap_err();
            assert_eq!(error.exit_status(), 2);
            assert!(error.to_string().contains("is no version, folder or URL"), "{wrong}");
        }
    }

    #[test]
    fn a_checkout_is_found_by_its_folder_or_by_that_of_the_sdk() {
        let checkout = TempDir::new().unwrap();
        let folder = checkout.path().join("sdk");
        fs::create_dir(&folder).unwrap();
        let of = |path: &Path| dependency(path.to_str());
        assert!(of(checkout.path()).unwrap_err().to_string().contains("has the package pointsman-sdk"));
        fs::write(folder.join("Cargo.toml"), "[package]\nname = \"pointsman-sdk\"\n").unwrap();
        let written = of(checkout.path()).unwrap();
        assert_eq!(written, of(&folder).unwrap());
        let path = fs::canonicalize(&folder).unwrap();
        assert_eq!(written, format!("{{ path = {:?} }}", path.to_str().unwrap()));
    }
}
