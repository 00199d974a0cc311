//! The packages for npm: `pointsman`, whose command starts the program, and one package per platform with
//! the program. npm installs the one whose `os` and `cpu` are those of the machine.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};
use serde_json::{Value, json};

use super::{Program, VERSION, copy, empty, run_tool};
use crate::cargo::root;

/// Scope of the packages with the program.
const SCOPE: &str = "@pointsman";
/// Platforms with a package, as `process.platform` and `process.arch` of Node.js name them.
const PLATFORMS: [(&str, &str, &str); 4] = [
    ("x86_64-unknown-linux-musl", "linux", "x64"),
    ("aarch64-unknown-linux-musl", "linux", "arm64"),
    ("x86_64-apple-darwin", "darwin", "x64"),
    ("aarch64-apple-darwin", "darwin", "arm64"),
];

/// Packs both packages. Returns their files.
pub fn pack(program: &Program, dist: &Path) -> Result<Vec<PathBuf>> {
    let Some((_, os, cpu)) = PLATFORMS.iter().find(|(target, ..)| *target == program.target) else {
        let known: Vec<&str> = PLATFORMS.iter().map(|(target, ..)| *target).collect();
        bail!("there is no package for npm for {}; there are for {}", program.target, known.join(", "));
    };
    let staging = dist.join("npm");
    empty(&staging)?;
    let files = vec![main_package(&staging, dist)?, platform_package(program, os, cpu, &staging, dist)?];
    std::fs::remove_dir_all(&staging)?;
    Ok(files)
}

/// Packs `pointsman`, which is the same for all platforms.
fn main_package(staging: &Path, dist: &Path) -> Result<PathBuf> {
    let source = root().join("packaging/npm");
    let folder = staging.join("pointsman");
    std::fs::create_dir_all(folder.join("bin"))?;
    let manifest = std::fs::read_to_string(source.join("package.json"))?;
    let mut manifest: Value = serde_json::from_str(&manifest).context("packaging/npm/package.json")?;
    manifest["version"] = json!(VERSION);
    let platforms = PLATFORMS.iter().map(|(_, os, cpu)| (format!("{SCOPE}/{os}-{cpu}"), json!(VERSION)));
    manifest["optionalDependencies"] = Value::Object(platforms.collect());
    write_manifest(&folder, &manifest)?;
    copy(&source.join("README.md"), &folder.join("README.md"))?;
    copy(&source.join("bin/pointsman.js"), &folder.join("bin/pointsman.js"))?;
    npm_pack(&folder, dist)
}

/// Packs the program for a platform.
fn platform_package(program: &Program, os: &str, cpu: &str, staging: &Path, dist: &Path) -> Result<PathBuf> {
    let folder = staging.join(format!("{os}-{cpu}"));
    std::fs::create_dir_all(folder.join("bin"))?;
    let manifest = json!({
        "name": format!("{SCOPE}/{os}-{cpu}"),
        "version": VERSION,
        "description": format!("The program of the package pointsman for {os} on {cpu}"),
        "license": "Apache-2.0",
        "os": [os],
        "cpu": [cpu],
        "files": ["bin/pointsman"],
        "preferUnplugged": true,
    });
    write_manifest(&folder, &manifest)?;
    copy(&program.path, &folder.join("bin/pointsman"))?;
    npm_pack(&folder, dist)
}

fn write_manifest(folder: &Path, manifest: &Value) -> Result<()> {
    std::fs::write(folder.join("package.json"), format!("{manifest:#}\n"))?;
    copy(&root().join("LICENSE"), &folder.join("LICENSE"))
}

fn npm_pack(folder: &Path, dist: &Path) -> Result<PathBuf> {
    let mut pack = Command::new("npm");
    pack.args(["pack", "--json", "--pack-destination"]).arg(dist).arg(folder);
    let output = run_tool(&mut pack)?;
    let packed: Value = serde_json::from_str(&output).context("npm printed no JSON")?;
    let packed = packed.get(0).or_else(|| packed.as_object().and_then(|packed| packed.values().next()));
    let name = packed.and_then(|packed| packed["filename"].as_str()).context("npm reported no file")?;
    // Some versions of npm report the name of the package instead of that of the file.
    Ok(dist.join(name.trim_start_matches('@').replace('/', "-")))
}
