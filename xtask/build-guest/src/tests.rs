use super::*;

#[test]
fn flags_of_the_outer_build_do_not_reach_the_guest() {
    for name in ["RUSTFLAGS", "CARGO_TARGET_DIR", "CARGO_FEATURE_X", "OUT_DIR", "RUSTC_WORKSPACE_WRAPPER"] {
        assert!(leaks(name), "{name}");
    }
    for name in ["PATH", "CARGO_HOME", "CARGO_MAKEFLAGS", "CARGO_NET_OFFLINE", "RUSTUP_TOOLCHAIN"] {
        assert!(!leaks(name), "{name}");
    }
    assert!(!leaks("CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_LINKER"));
}

#[test]
fn sources_are_read_from_dep_info() {
    let text = "/out/a.wasm: /src/lib.rs /with\\ space/b.rs\n\n/src/lib.rs:\n";
    assert_eq!(listed(text), [PathBuf::from("/src/lib.rs"), PathBuf::from("/with space/b.rs")]);
    assert!(listed("").is_empty());
}

#[test]
fn a_missing_target_is_told_in_one_line_with_a_hint() {
    let stderr = "error[E0463]: can't find crate for `core`\n  = note: the `wasm32-unknown-unknown` target may not be installed\n";
    let message = Error::from_stderr(&["x"], stderr).to_string();
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
