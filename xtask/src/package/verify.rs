//! Checks of packages: what they carry, and that the gateway installs from them.

use std::fmt::Write;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, ensure};

use super::remove;
use crate::cargo::{cargo, root};

/// Unpacks the packages and checks the gateway's: that it carries every built-in policy, and that `cargo
/// install` builds a program from it that runs the demonstration.
pub fn check(crates: &[PathBuf], policies: &[PathBuf]) -> Result<()> {
    let directory = root().join("target/package-check");
    remove(&directory)?;
    fs::create_dir_all(&directory)?;
    for file in crates {
        unpack(file, &directory)?;
    }
    let gateway = unpacked(&directory, "pointsman-gateway");
    for policy in policies {
        let name = policy.file_name().context("a policy has a file name")?;
        let carried = gateway.join("builtin").join(name);
        ensure!(same(policy, &carried)?, "the gateway's package does not carry {}", carried.display());
    }
    let program = install(&directory, crates)?;
    run_demo(&program)?;
    remove(&directory)
}

fn unpacked(directory: &Path, name: &str) -> PathBuf {
    directory.join(format!("{name}-{}", env!("CARGO_PKG_VERSION")))
}

fn unpack(file: &Path, directory: &Path) -> Result<()> {
    let status = Command::new("tar").arg("-xzf").arg(file).arg("-C").arg(directory).status();
    ensure!(status.context("cannot run tar")?.success(), "cannot unpack {}", file.display());
    Ok(())
}

fn same(one: &Path, other: &Path) -> Result<bool> {
    let bytes = fs::read(one).with_context(|| format!("cannot read {}", one.display()))?;
    Ok(fs::read(other).is_ok_and(|others| others == bytes))
}

/// Installs the gateway as a user does, but with the other packages from the directory instead of the
/// registry, and without optimisation. Dependencies that the workspace has compiled are not compiled again.
/// Returns the program.
fn install(directory: &Path, crates: &[PathBuf]) -> Result<PathBuf> {
    fs::write(directory.join("Cargo.toml"), workspace_manifest(crates)?)?;
    fs::copy(root().join("Cargo.lock"), directory.join("Cargo.lock"))?;
    let mut command = cargo();
    command.args(["install", "--offline", "--profile", "dev", "--no-track", "--path"]);
    command.arg(unpacked(directory, "pointsman-gateway"));
    command.arg("--root").arg(directory.join("installed")).arg("--target-dir").arg(root().join("target"));
    command.current_dir(directory);
    println!("$ cargo install, of the packaged gateway");
    ensure!(command.status().context("cannot run cargo")?.success(), "the packaged gateway does not install");
    Ok(directory.join("installed/bin/pointsman"))
}

/// Returns the manifest of a workspace of the unpacked packages, with the profiles of this one.
fn workspace_manifest(crates: &[PathBuf]) -> Result<String> {
    let own: toml::Table = fs::read_to_string(root().join("Cargo.toml"))?.parse()?;
    let profiles = own.get("profile").context("the workspace has profiles")?;
    let profiles = toml::Table::from_iter([("profile".to_owned(), profiles.clone())]);
    let version = concat!("-", env!("CARGO_PKG_VERSION"));
    let mut members = String::new();
    let mut patches = String::new();
    for file in crates {
        let folder = file.file_stem().context("a package has a file name")?.to_string_lossy();
        let name = folder.strip_suffix(version).context("a package is of this version")?;
        write!(members, "{folder:?}, ")?;
        writeln!(patches, "{name} = {{ path = {folder:?} }}")?;
    }
    Ok(format!(
        "[workspace]\nresolver = \"3\"\nmembers = [{members}]\n\n[patch.crates-io]\n{patches}\n{profiles}"
    ))
}

/// Runs the installed demonstration, which uses all built-in policies.
fn run_demo(program: &Path) -> Result<()> {
    let output = Command::new(program).args(["demo", "--once"]).output();
    let output = output.with_context(|| format!("cannot run {}", program.display()))?;
    let stderr = String::from_utf8_lossy(&output.stderr);
    ensure!(output.status.success(), "the installed gateway does not run its demonstration:\n{stderr}");
    Ok(())
}
