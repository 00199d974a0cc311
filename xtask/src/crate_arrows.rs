//! Checks the dependencies between crates against the `wrappers` in deny.toml.
//!
//! `cargo deny` checks the same file. This check needs no further tool, so it runs
//! wherever the project builds.

use std::collections::BTreeMap;
use std::fs;

use anyhow::{Context, Result, ensure};
use serde_json::Value;

use crate::cargo;

/// The library that policies are written with. No crate of the host may depend on it.
const SDK: &str = "pointsman-sdk";

/// Fails with every dependency that deny.toml does not allow. Development
/// dependencies are not checked: tests may use any crate.
pub fn check(metadata: &Value) -> Result<()> {
    let rules =
        rules(&fs::read_to_string(cargo::root().join("deny.toml")).context("cannot read deny.toml")?)?;
    let wrong = violations(metadata, &rules);
    ensure!(wrong.is_empty(), "dependencies against deny.toml:\n  {}", wrong.join("\n  "));
    println!("crates depend on each other as deny.toml allows");
    Ok(())
}

/// Returns the crates that may depend on each crate.
fn rules(text: &str) -> Result<BTreeMap<String, Vec<String>>> {
    let file: toml::Table = text.parse().context("deny.toml is not TOML")?;
    let denied = file.get("bans").and_then(|bans| bans.get("deny")).and_then(toml::Value::as_array);
    let rule = |rule: &toml::Value| {
        let wrappers =
            rule.get("wrappers")?.as_array()?.iter().filter_map(|name| Some(name.as_str()?.to_owned()));
        Some((rule.get("crate")?.as_str()?.to_owned(), wrappers.collect()))
    };
    Ok(denied.context("deny.toml has no bans.deny")?.iter().filter_map(rule).collect())
}

fn violations(metadata: &Value, rules: &BTreeMap<String, Vec<String>>) -> Vec<String> {
    let mut wrong = Vec::new();
    for package in metadata["packages"].as_array().into_iter().flatten() {
        let name = package["name"].as_str().unwrap_or_default();
        for dependency in package["dependencies"].as_array().into_iter().flatten() {
            let on = dependency["name"].as_str().unwrap_or_default();
            let is_for_tests = dependency["kind"] == "dev";
            let is_allowed = match rules.get(on) {
                Some(allowed) => allowed.iter().any(|dependent| dependent == name),
                None => !(on == SDK && is_of_host(package)),
            };
            if !is_for_tests && !is_allowed {
                wrong.push(format!("{name} -> {on}"));
            }
        }
    }
    wrong
}

fn is_of_host(package: &Value) -> bool {
    package["manifest_path"]
        .as_str()
        .is_some_and(|path| path.starts_with(&*cargo::root().join("host").to_string_lossy()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_dependency_that_no_rule_allows_is_named() {
        let rules =
            rules(r#"bans.deny = [{ crate = "wasmtime", wrappers = ["policy"] }]"#).expect("good rules");
        let metadata = serde_json::json!({ "packages": [
            { "name": "policy", "dependencies": [{ "name": "wasmtime", "kind": null }] },
            { "name": "wire", "dependencies": [{ "name": "wasmtime", "kind": null }, { "name": "bytes", "kind": null }] },
            { "name": "domain", "dependencies": [{ "name": "wasmtime", "kind": "dev" }] },
        ] });
        assert_eq!(violations(&metadata, &rules), ["wire -> wasmtime"]);
    }

    #[test]
    fn the_host_does_not_know_the_sdk() {
        let package = |directory: &str| {
            let manifest = cargo::root().join(directory).join("Cargo.toml");
            let dependencies = serde_json::json!([{ "name": "pointsman-sdk", "kind": null }]);
            serde_json::json!({ "name": directory, "manifest_path": manifest, "dependencies": dependencies })
        };
        let metadata = serde_json::json!({ "packages": [package("host/policy"), package("policies/cost")] });
        assert_eq!(violations(&metadata, &BTreeMap::new()), ["host/policy -> pointsman-sdk"]);
    }
}
