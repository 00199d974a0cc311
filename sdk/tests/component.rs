//! Imports, exports and custom sections of built policies.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::path::Path;

use pointsman_build::{Build, Module};
use wasmparser::{Parser, Payload};

/// Builds a policy of the workspace.
fn module(package: &str) -> Module {
    let target_dir = Path::new(env!("CARGO_TARGET_TMPDIR")).join("policies");
    Build::new().packages([package]).target_dir(target_dir).run().unwrap().swap_remove(0)
}

/// Returns the names of the interfaces that a policy's component imports and exports, without
/// package and version.
fn interfaces(package: &str) -> (Vec<String>, Vec<String>) {
    let component = module(package).component().unwrap();
    let (mut imports, mut exports) = (Vec::new(), Vec::new());
    // Nested components are adapters; the sections of the outer one are at depth 0.
    let mut depth = 0;
    for payload in Parser::new(0).parse_all(&component) {
        match payload.unwrap() {
            Payload::ModuleSection { .. } | Payload::ComponentSection { .. } => depth += 1,
            Payload::End(_) => depth -= 1,
            Payload::ComponentImportSection(section) if depth == 0 => {
                imports.extend(section.into_iter().map(|import| short(import.unwrap().name.name)));
            }
            Payload::ComponentExportSection(section) if depth == 0 => {
                exports.extend(section.into_iter().map(|export| short(export.unwrap().name.name)));
            }
            _ => {}
        }
    }
    exports.sort();
    (imports, exports)
}

fn short(name: &str) -> String {
    let name = name.strip_prefix("pointsman:policy/").unwrap_or(name);
    name.split('@').next().unwrap_or(name).to_owned()
}

#[test]
fn a_policy_imports_only_what_it_calls_and_exports_no_observer() {
    let (imports, exports) = interfaces("pointsman-example-in-time");
    // Its settings are read to be checked, panics are logged; `types` has no functions.
    assert_eq!(imports, ["settings", "log", "types"].map(str::to_owned));
    assert_eq!(exports, ["configuration", "router"].map(str::to_owned));
}

/// Returns the SDK records in a module or component, including nested ones.
fn records(wasm: &[u8]) -> Vec<String> {
    let sections = Parser::new(0).parse_all(wasm).filter_map(|payload| match payload.unwrap() {
        Payload::CustomSection(section) if section.name() == "pointsman:sdk" => Some(section.data().to_vec()),
        _ => None,
    });
    sections.map(|record| String::from_utf8(record).unwrap()).collect()
}

#[test]
fn the_sdk_is_recorded_in_the_stripped_module_and_in_the_component() {
    let expected = [concat!("rust ", env!("CARGO_PKG_VERSION"))];
    for package in
        ["pointsman-example-in-time", "pointsman-example-fewest-failures", "pointsman-policy-sequential"]
    {
        let module = module(package);
        assert_eq!(records(&std::fs::read(module.path()).unwrap()), expected, "{package}");
        assert_eq!(records(&module.component().unwrap()), expected, "{package}");
    }
}

#[test]
fn an_observing_policy_exports_its_observer() {
    let (_, exports) = interfaces("pointsman-example-fewest-failures");
    assert_eq!(exports, ["configuration", "observer", "router"].map(str::to_owned));
}

#[test]
fn a_policy_that_coordinates_media_and_a_chain_see_neither_prompt_nor_outputs() {
    for policy in ["multimodal", "sequential"] {
        let (mut imports, exports) = interfaces(&format!("pointsman-policy-{policy}"));
        imports.sort();
        assert_eq!(
            imports,
            ["details", "log", "outline", "plans", "settings", "types"].map(str::to_owned),
            "{policy}"
        );
        assert_eq!(exports, ["configuration", "orchestrator"].map(str::to_owned), "{policy}");
    }
}

#[test]
fn other_orchestrating_policies_import_the_content_that_they_read() {
    let asks = |policy: &str| {
        let (imports, _) = interfaces(&format!("pointsman-policy-{policy}"));
        ["prompt", "outputs"].map(|grant| imports.iter().any(|import| import == grant))
    };
    for (policy, expected) in [
        ("auto", [true, false]),
        ("parallel", [true, true]),
        ("collaborate", [false, true]),
        ("cascade", [true, true]),
    ] {
        assert_eq!(asks(policy), expected, "{policy}");
    }
}

#[test]
fn reference_policies_import_the_prompt_only_to_classify_tasks() {
    let asks = |policy: &str| interfaces(&format!("pointsman-policy-{policy}")).0;
    assert_eq!(asks("cost"), ["settings", "log", "details", "types"].map(str::to_owned));
    assert_eq!(asks("performance"), ["settings", "log", "types"].map(str::to_owned));
    for policy in ["task-type", "dynamic"] {
        assert_eq!(
            asks(policy),
            ["settings", "log", "details", "prompt", "types"].map(str::to_owned),
            "{policy}"
        );
    }
}

#[test]
fn the_readme_shows_the_example() {
    let readme = include_str!("../README.md");
    let (_, rest) = readme.split_once("```rust\n").unwrap();
    let (shown, _) = rest.split_once("```").unwrap();
    let example = include_str!("../examples/in-time/src/lib.rs");
    let (example, _) = example.split_once("\n#[cfg(test)]").unwrap();
    assert_eq!(example.split_once("\n\n").unwrap().1, shown);
}
