//! The packages of the workspace, as `cargo metadata` lists them.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};
use serde_json::Value;

use crate::cargo;
use crate::source::{self, Source};

/// A package of the workspace.
pub struct Package {
    pub name: String,
    /// The directory of its manifest.
    pub directory: PathBuf,
    /// Its libraries and binaries.
    pub targets: Vec<Target>,
}

/// A library or binary.
pub struct Target {
    pub name: String,
    /// The file of the crate's root.
    pub root: PathBuf,
}

pub use crate::cargo::root;

/// `cargo metadata` of the workspace alone.
pub fn metadata() -> Result<Value> {
    let output = cargo::cargo().args(["metadata", "--format-version=1", "--no-deps"]).output()?;
    ensure!(output.status.success(), "cargo metadata failed:\n{}", String::from_utf8_lossy(&output.stderr));
    Ok(serde_json::from_slice(&output.stdout)?)
}

/// The packages in a workspace's metadata.
pub fn packages(metadata: &Value) -> Result<Vec<Package>> {
    let packages = metadata["packages"].as_array().context("cargo metadata lists no packages")?;
    packages.iter().map(package).collect()
}

fn package(package: &Value) -> Result<Package> {
    let text = |value: &Value| value.as_str().map(str::to_owned).context("cargo metadata lacks a member");
    let manifest = PathBuf::from(text(&package["manifest_path"])?);
    let mut targets = Vec::new();
    for target in package["targets"].as_array().into_iter().flatten() {
        let kinds = target["kind"].as_array().into_iter().flatten().filter_map(Value::as_str);
        if kinds.into_iter().any(|kind| matches!(kind, "bin" | "cdylib" | "lib" | "proc-macro" | "rlib")) {
            targets.push(Target { name: text(&target["name"])?, root: text(&target["src_path"])?.into() });
        }
    }
    let directory = manifest.parent().unwrap_or(Path::new("")).to_owned();
    Ok(Package { name: text(&package["name"])?, directory, targets })
}

impl Package {
    /// True for code that ships: the crates of the host, and the SDK without its examples.
    pub fn is_production(&self) -> bool {
        let relative = self.directory.strip_prefix(root()).unwrap_or(&self.directory);
        relative.starts_with("host") || (relative.starts_with("sdk") && !relative.starts_with("sdk/examples"))
    }

    /// Reads the code of one of its targets.
    pub fn scan(&self, target: &Target) -> Result<Source> {
        let generated = [self.directory.join("src/bindings")];
        source::scan(&target.root, &target.name.replace('-', "_"), &generated, &|path| {
            fs::read_to_string(path).ok()
        })
    }
}
