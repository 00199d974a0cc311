//! The archive: the program, its licence, and the unit for systemd.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result};

use super::{Program, VERSION, copy, empty, run_tool};
use crate::cargo::root;

/// Other files of the archive.
const FILES: [&str; 4] = ["CHANGELOG.md", "LICENSE", "README.md", "packaging/systemd/pointsman.service"];

/// Writes `pointsman-VERSION-TARGET.tar.gz` and its SHA-256 beside it.
pub fn write(program: &Program, dist: &Path) -> Result<Vec<PathBuf>> {
    let name = format!("pointsman-{VERSION}-{}", program.target);
    let folder = dist.join(&name);
    empty(&folder)?;
    copy(&program.path, &folder.join("pointsman"))?;
    for file in FILES {
        let source = root().join(file);
        copy(&source, &folder.join(source.file_name().context("the file has a name")?))?;
    }
    let archive = dist.join(format!("{name}.tar.gz"));
    let mut tar = Command::new("tar");
    if cfg!(target_os = "linux") {
        // GNU tar makes the same archive of the same files.
        tar.args(["--sort=name", "--owner=0", "--group=0", "--numeric-owner"]);
        tar.arg(format!("--mtime=@{}", commit_time()));
    }
    run_tool(tar.arg("-czf").arg(&archive).arg("-C").arg(dist).arg(&name))?;
    std::fs::remove_dir_all(&folder)?;
    let checksum = dist.join(format!("{name}.tar.gz.sha256"));
    std::fs::write(&checksum, sha256(&archive)?)?;
    Ok(vec![archive, checksum])
}

/// Returns the line of `sha256sum` for a file, with its name alone.
fn sha256(file: &Path) -> Result<String> {
    let (program, args): (_, &[&str]) =
        if cfg!(target_os = "macos") { ("shasum", &["-a", "256"]) } else { ("sha256sum", &[]) };
    let name = file.file_name().context("the file has a name")?;
    let directory = file.parent().context("the file has a directory")?;
    run_tool(Command::new(program).args(args).arg(name).current_dir(directory))
}

/// Returns the time of the last commit in seconds since 1970, or 0 outside a repository.
fn commit_time() -> u64 {
    let output = Command::new("git").args(["log", "-1", "--format=%ct"]).current_dir(root()).output();
    let seconds = output.ok().and_then(|output| String::from_utf8_lossy(&output.stdout).trim().parse().ok());
    seconds.unwrap_or(0)
}
