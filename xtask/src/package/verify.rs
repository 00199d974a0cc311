//! Checks of packages that compile none of the gateway's dependencies.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail, ensure};

use super::remove;
use crate::cargo::{cargo, root};

/// Unpacks the packages and checks the gateway's: that it carries every built-in policy, and
/// that its build script embeds those.
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
    run_build_script(&directory, policies)?;
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

/// Runs the gateway's build script as cargo does, in a package that has nothing else of the
/// gateway, and compares what it leaves for the gateway to embed.
fn run_build_script(directory: &Path, policies: &[PathBuf]) -> Result<()> {
    let gateway = unpacked(directory, "pointsman-gateway");
    let probe = directory.join("probe");
    fs::create_dir_all(probe.join("src"))?;
    fs::copy(gateway.join("build.rs"), probe.join("build.rs"))?;
    fs::rename(gateway.join("builtin"), probe.join("builtin"))?;
    fs::write(probe.join("src/lib.rs"), "")?;
    fs::write(
        probe.join("Cargo.toml"),
        format!(
            "[workspace]\n[package]\nname = \"probe\"\nedition = \"2024\"\n[build-dependencies]\n\
             pointsman-build = {{ path = {:?} }}\n",
            unpacked(directory, "pointsman-build")
        ),
    )?;
    fs::copy(unpacked(directory, "pointsman-build").join("Cargo.lock"), probe.join("Cargo.lock"))?;
    let mut command = cargo();
    command.args(["check", "--offline", "--target-dir"]).arg(probe.join("target")).current_dir(&probe);
    let output = command.output().context("cannot run cargo")?;
    let stderr = String::from_utf8_lossy(&output.stderr);
    ensure!(output.status.success(), "the packaged gateway's build script fails:\n{stderr}");
    let embedded = outputs(&probe.join("target/debug/build"))?;
    for policy in policies {
        let name = policy.file_name().context("a policy has a file name")?;
        let found = embedded.iter().find(|path| path.file_name() == Some(name));
        let Some(found) = found else {
            bail!("the packaged build script leaves no {}", Path::new(name).display())
        };
        ensure!(same(policy, found)?, "the packaged build script changed {}", found.display());
    }
    Ok(())
}

/// The files that build scripts left, from cargo's directory of them.
fn outputs(build: &Path) -> Result<BTreeSet<PathBuf>> {
    let mut files = BTreeSet::new();
    for entry in fs::read_dir(build).with_context(|| format!("cannot read {}", build.display()))? {
        let out = entry?.path().join("out");
        if out.is_dir() {
            for file in fs::read_dir(out)? {
                files.insert(file?.path());
            }
        }
    }
    Ok(files)
}
