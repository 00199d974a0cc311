//! Checks that the gateway, xtask and the tests share one build of each dependency.
//!
//! Cargo selects the features of dependencies by the packages that it builds. A dependency whose features
//! differ between `cargo xtask demo` and `cargo xtask test` would be compiled twice, and so would everything
//! that depends on it.

use std::collections::BTreeSet;

use anyhow::{Context, Result, ensure};

use crate::cargo::cargo;

/// Packages that are built before the tests, each alone.
const EARLIER: [&str; 2] = ["xtask", "pointsman-gateway"];

/// Fails with every dependency that a build of one package selects with other features than the tests.
pub fn check() -> Result<()> {
    let tests = selected(&["--workspace", "--edges", "normal,build,dev"])?;
    for package in EARLIER {
        let alone = selected(&["--package", package, "--edges", "normal,build"])?;
        let twice: Vec<&str> = alone.difference(&tests).map(String::as_str).collect();
        ensure!(
            twice.is_empty(),
            "the tests would compile these dependencies of {package} again, with other features:\n  {}\n\
             hint: give them the features that `cargo tree --workspace --edges normal,build,dev` shows, in the \
             workspace's Cargo.toml",
            twice.join("\n  ")
        );
    }
    println!("{} and the tests share one build of each dependency", EARLIER.join(", "));
    Ok(())
}

/// Returns the dependencies from registries with the features that cargo selects for some packages.
fn selected(packages: &[&str]) -> Result<BTreeSet<String>> {
    let mut tree = cargo();
    tree.args(["tree", "--locked", "--prefix", "none", "--format", "{p} {f}"]).args(packages);
    let output = tree.output().context("cannot run cargo")?;
    let stderr = String::from_utf8_lossy(&output.stderr);
    ensure!(output.status.success(), "cargo tree failed:\n{stderr}");
    Ok(dependencies(&String::from_utf8_lossy(&output.stdout)))
}

/// Returns the lines of `cargo tree` without those of this workspace, whose names are followed by a path.
fn dependencies(tree: &str) -> BTreeSet<String> {
    let lines = tree.lines().map(|line| line.trim_end_matches(" (*)").trim_end());
    lines.filter(|line| !line.is_empty() && !line.contains(" (/")).map(str::to_owned).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dependencies_are_listed_once_with_their_features() {
        let tree = "xtask v0.1.0 (/src/xtask) \n\
                    clap v4.6.9 default,derive\n\
                    syn v3.0.10 (proc-macro) full\n\
                    \n\
                    clap v4.6.9 default,derive (*)\n\
                    clap v4.6.9 default";
        let listed: Vec<String> = dependencies(tree).into_iter().collect();
        assert_eq!(
            listed,
            ["clap v4.6.9 default", "clap v4.6.9 default,derive", "syn v3.0.10 (proc-macro) full"]
        );
    }
}
