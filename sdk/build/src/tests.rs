use super::*;
use crate::environment::is_for_the_outer_build;
use crate::sources::{listed, manifests_above};

#[test]
fn flags_of_the_outer_build_do_not_reach_the_policy() {
    for name in ["RUSTFLAGS", "CARGO_TARGET_DIR", "CARGO_FEATURE_X", "OUT_DIR", "RUSTC_WORKSPACE_WRAPPER"] {
        assert!(is_for_the_outer_build(name), "{name}");
    }
    for name in ["PATH", "CARGO_HOME", "CARGO_MAKEFLAGS", "CARGO_NET_OFFLINE", "RUSTUP_TOOLCHAIN"] {
        assert!(!is_for_the_outer_build(name), "{name}");
    }
    assert!(!is_for_the_outer_build("CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_LINKER"));
}

#[test]
fn sources_are_read_from_dep_info() {
    let text = "/out/a.wasm: /src/lib.rs /with\\ space/b.rs\n\n/src/lib.rs:\n";
    assert_eq!(listed(text), [PathBuf::from("/src/lib.rs"), PathBuf::from("/with space/b.rs")]);
    assert!(listed("").is_empty());
}

#[test]
fn a_missing_target_is_reported_in_one_line_with_a_hint() {
    let stderr = "error[E0463]: can't find crate for `core`\n  = note: the `wasm32-unknown-unknown` target may not be installed\n";
    let message = Error::from_stderr("x".to_owned(), stderr).to_string();
    assert_eq!(message.lines().count(), 1);
    assert!(message.ends_with("`rustup target add wasm32-unknown-unknown`"), "{message}");
}

#[test]
fn manifests_of_package_and_workspace_count_as_sources() {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/lib.rs");
    let found = manifests_above(&source);
    assert!(found.contains(&Path::new(env!("CARGO_MANIFEST_DIR")).join("Cargo.toml")));
    assert!(found.last().is_some_and(|path| path.ends_with("Cargo.lock")));
}

#[test]
fn modules_are_found_in_cargos_messages() {
    let artifact = |id: &str, files: &str| {
        format!(r#"{{"reason":"compiler-artifact","package_id":"{id}","filenames":[{files}],"fresh":true}}"#)
    };
    let messages = [
        artifact("registry+https://example.org/index#serde@1.0.0", r#""/t/deps/libserde.rlib""#),
        artifact(
            "path+file:///p/cost#my-cost@0.1.0",
            r#""/t/libmy_cost.rlib","/t/a \"b\"\\\u00e4/my_cost.wasm""#,
        ),
        artifact("path+file:///p/plain#0.1.0", r#""/t/plain.wasm""#),
        artifact("path+file:///p/dependency#0.1.0", r#""/t/deps/dependency.wasm""#),
        r#"{"reason":"build-finished","success":true}"#.to_owned(),
    ];
    let module = |package: &str, path: &str| Module { package: package.to_owned(), path: path.into() };
    let expected = [module("my-cost", "/t/a \"b\"\\ä/my_cost.wasm"), module("plain", "/t/plain.wasm")];
    assert_eq!(artifacts::modules(&messages.join("\n")), expected);
}

#[test]
fn a_package_without_a_module_is_reported_with_a_hint() {
    let message = Error::NoModule { package: "my-policy".to_owned() }.to_string();
    assert!(message.contains("my-policy") && message.contains(r#"["cdylib", "rlib"]"#), "{message}");
}
