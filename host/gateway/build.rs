//! Leaves the built-in policies in `OUT_DIR`, for the gateway to embed.
//!
//! In the workspace they are built from source. The published package has no sources of
//! policies, so it carries them as WebAssembly, in a directory that `cargo xtask package` adds.

use std::path::{Path, PathBuf};
use std::{env, error, fs};

use pointsman_build::Build;

/// The built-in policies: the name of each, and its package.
const POLICIES: [(&str, &str); 10] = [
    ("cost", "pointsman-policy-cost"),
    ("performance", "pointsman-policy-performance"),
    ("task-type", "pointsman-policy-task-type"),
    ("dynamic", "pointsman-policy-dynamic"),
    ("auto", "pointsman-policy-auto"),
    ("multimodal", "pointsman-policy-multimodal"),
    ("sequential", "pointsman-policy-sequential"),
    ("parallel", "pointsman-policy-parallel"),
    ("collaborate", "pointsman-policy-collaborate"),
    ("cascade", "pointsman-policy-cascade"),
];
/// The directory of the package that has them as WebAssembly.
const CARRIED: &str = "builtin";

fn main() -> Result<(), Box<dyn error::Error>> {
    let out_dir = PathBuf::from(env::var_os("OUT_DIR").ok_or("cargo sets OUT_DIR")?);
    let carried = Path::new(CARRIED);
    if carried.is_dir() { copy_carried(carried, &out_dir) } else { build_from_source(&out_dir) }
}

fn copy_carried(directory: &Path, out_dir: &Path) -> Result<(), Box<dyn error::Error>> {
    println!("cargo::rerun-if-changed={}", directory.display());
    for (name, _) in POLICIES {
        let file = Path::new(name).with_extension("wasm");
        fs::copy(directory.join(&file), out_dir.join(&file))
            .map_err(|error| format!("cannot copy the built-in policy {}: {error}", file.display()))?;
    }
    Ok(())
}

fn build_from_source(out_dir: &Path) -> Result<(), Box<dyn error::Error>> {
    // Not the usual target directory: the outer cargo holds its lock.
    let target_dir = out_dir.join("policies");
    let build = Build::new().packages(POLICIES.map(|(_, package)| package)).target_dir(target_dir);
    let modules = build.run()?;
    for ((name, _), module) in POLICIES.iter().zip(&modules) {
        fs::copy(module.path(), out_dir.join(name).with_extension("wasm"))?;
    }
    pointsman_build::rerun_if_changed(&modules)?;
    Ok(())
}
