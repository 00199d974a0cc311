//! The cargo that builds policies, and its environment.

use std::env;
use std::ffi::OsString;
use std::process::Command;

/// Cargo without the variables that configure the outer cargo's build: flags meant for the
/// host would break or rebuild the policy.
pub(crate) fn cargo() -> Command {
    let mut command = Command::new(env::var_os("CARGO").unwrap_or_else(|| OsString::from("cargo")));
    for (name, _) in env::vars_os() {
        if name.to_str().is_some_and(is_for_the_outer_build) {
            command.env_remove(name);
        }
    }
    command
}

/// True for a variable that must not reach the inner cargo. Variables that locate tools and
/// registries pass, and so does `CARGO_MAKEFLAGS`: the inner cargo then shares the outer
/// one's job slots.
pub(crate) fn is_for_the_outer_build(name: &str) -> bool {
    const NAMES: [&str; 10] = [
        "CARGO_ENCODED_RUSTFLAGS",
        "CARGO_INCREMENTAL",
        "CLIPPY_ARGS",
        "DEBUG",
        "OPT_LEVEL",
        "OUT_DIR",
        "PROFILE",
        "RUSTC_WORKSPACE_WRAPPER",
        "RUSTDOCFLAGS",
        "RUSTFLAGS",
    ];
    const PREFIXES: [&str; 7] = [
        "CARGO_BUILD_",
        "CARGO_CFG_",
        "CARGO_FEATURE_",
        "CARGO_MANIFEST_",
        "CARGO_PKG_",
        "CARGO_PROFILE_",
        "CARGO_TARGET_",
    ];
    let is_for_policies = name.starts_with("CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_LINKER");
    !is_for_policies && (NAMES.contains(&name) || PREFIXES.iter().any(|prefix| name.starts_with(prefix)))
}
