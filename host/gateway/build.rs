//! Leaves the built-in policies in `OUT_DIR`, for the gateway to embed.
//!
//! In the workspace they are built from source. The published package has no sources of
//! policies, so it carries them as WebAssembly, in a directory that `cargo xtask package` adds. For a release,
//! `cargo xtask release` runs the finished program once to compile them, and builds it again with the directory
//! of the results.

use std::path::{Path, PathBuf};
use std::{env, fs};

use anyhow::{Context, Result};
use pointsman_build::Build;

/// The list of the built-in policies: names in JSON. The package of each is named after it.
const NAMES: &str = "../config/src/builtin-policies.json";
/// The variable with the directory of the policies and their native code.
const COMPILED: &str = "POINTSMAN_COMPILED_POLICIES";
/// The directory of the package that has them as WebAssembly.
const CARRIED: &str = "builtin";
/// The folder with the sources of the policies.
const SOURCES: &str = "../../policies";
/// The file with the list for `src/builtin.rs`.
const LIST: &str = "policies.rs";

fn main() -> Result<()> {
    let out_dir = PathBuf::from(env::var_os("OUT_DIR").context("cargo sets OUT_DIR")?);
    println!("cargo::rerun-if-env-changed={COMPILED}");
    let compiled = env::var_os(COMPILED).map(PathBuf::from);
    let carried = Path::new(CARRIED);
    let names = match &compiled {
        Some(compiled) => copy_carried(compiled, &out_dir)?,
        None if carried.is_dir() => copy_carried(carried, &out_dir)?,
        None => build_from_source(&out_dir)?,
    };
    let entry = |name: &String| {
        let lines = policy_lines(name, &mut Vec::new());
        let include = |suffix| {
            let file = format!("/{name}.{suffix}");
            format!("include_bytes!(concat!(env!(\"OUT_DIR\"), {file:?}))")
        };
        let native = compiled.as_ref().map_or("None".to_owned(), |_| format!("Some({})", include("cwasm")));
        let bytes = include("wasm");
        format!("    BuiltinPolicy {{ name: {name:?}, bytes: {bytes}, native: {native}, lines: {lines} }},\n")
    };
    let entries: String = names.iter().map(entry).collect();
    fs::write(out_dir.join(LIST), format!("&[\n{entries}]\n"))?;
    Ok(())
}

/// Copies policies that are there as WebAssembly, and their native code. Returns their names.
fn copy_carried(directory: &Path, out_dir: &Path) -> Result<Vec<String>> {
    println!("cargo::rerun-if-changed={}", directory.display());
    let mut names = Vec::new();
    for entry in fs::read_dir(directory)? {
        let file = PathBuf::from(entry?.file_name());
        let is_wasm = file.extension().is_some_and(|extension| extension == "wasm");
        if is_wasm || file.extension().is_some_and(|extension| extension == "cwasm") {
            fs::copy(directory.join(&file), out_dir.join(&file))
                .with_context(|| format!("cannot copy the built-in policy {}", file.display()))?;
        }
        if is_wasm {
            names.push(file.with_extension("").to_string_lossy().into_owned());
        }
    }
    names.sort();
    Ok(names)
}

/// Builds the policies of the list. Returns their names.
fn build_from_source(out_dir: &Path) -> Result<Vec<String>> {
    println!("cargo::rerun-if-changed={NAMES}");
    let list = fs::read_to_string(NAMES).with_context(|| format!("cannot read {NAMES}"))?;
    // Names need no escapes, so every second piece between quotes is one.
    let names: Vec<String> = list.split('"').skip(1).step_by(2).map(str::to_owned).collect();
    // Not the usual target directory: the outer cargo holds its lock.
    let target_dir = out_dir.join("policies");
    let packages = names.iter().map(|name| format!("pointsman-policy-{name}"));
    let modules = Build::new().packages(packages).target_dir(target_dir).run()?;
    for (name, module) in names.iter().zip(&modules) {
        fs::copy(module.path(), out_dir.join(name).with_extension("wasm"))?;
    }
    pointsman_build::rerun_if_changed(&modules)?;
    Ok(names)
}

/// Returns the lines of a policy's sources and of those of the libraries in its folder that it uses.
fn policy_lines(name: &str, counted: &mut Vec<String>) -> u64 {
    if counted.iter().any(|other| other == name) {
        return 0;
    }
    counted.push(name.to_owned());
    let folder = Path::new(SOURCES).join(name);
    let manifest = fs::read_to_string(folder.join("Cargo.toml")).unwrap_or_default();
    let libraries = manifest.lines().filter_map(|line| line.strip_prefix("pointsman-"));
    let libraries = libraries.filter_map(|line| line.split(['.', ' ', '=']).next());
    let libraries = libraries.filter(|library| Path::new(SOURCES).join(library).is_dir());
    code_lines(&folder.join("src")) + libraries.map(|library| policy_lines(library, counted)).sum::<u64>()
}

/// Returns the lines of the Rust sources in a folder that are neither empty nor comments, those of tests
/// left out; 0 if there is no such folder.
fn code_lines(folder: &Path) -> u64 {
    let Ok(entries) = fs::read_dir(folder) else { return 0 };
    let lines = |path: &Path| match path.extension() {
        Some(extension) if extension == "rs" => fs::read_to_string(path).map_or(0, |text| {
            let code = text.split("#[cfg(test)]").next().unwrap_or_default();
            let is_code = |line: &&str| !line.trim().is_empty() && !line.trim_start().starts_with("//");
            code.lines().filter(is_code).count() as u64
        }),
        _ => 0,
    };
    let is_test = |path: &Path| path.file_stem().is_some_and(|stem| stem == "tests");
    let paths = entries.filter_map(|entry| Some(entry.ok()?.path())).filter(|path| !is_test(path));
    paths.map(|path| if path.is_dir() { code_lines(&path) } else { lines(&path) }).sum()
}
