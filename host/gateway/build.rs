//! Builds the reference policies from source, to be embedded in the binary.

use std::path::PathBuf;
use std::{env, error, fs};

/// What each is embedded as, and its package.
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

fn main() -> Result<(), Box<dyn error::Error>> {
    let out_dir = PathBuf::from(env::var_os("OUT_DIR").ok_or("cargo sets OUT_DIR")?);
    let modules = build_guest::build_all(&POLICIES.map(|(_, package)| package), &out_dir)?;
    for ((name, _), module) in POLICIES.iter().zip(&modules) {
        fs::copy(module, out_dir.join(name).with_extension("wasm"))?;
    }
    build_guest::rerun_if_changed(&modules)?;
    Ok(())
}
