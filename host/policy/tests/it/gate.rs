//! Policies that the load gate accepts, and its errors for others.

use pointsman_guests::{FIRST, HOSTILE, unknown_import, wrong_world};
use pointsman_policy::{Limits, PolicySpec};
use wit_component::ComponentEncoder;

use crate::support::{decide, label, load, load_error, spec, spec_with};

fn component() -> Vec<u8> {
    ComponentEncoder::default().module(FIRST).unwrap().encode().unwrap()
}

#[tokio::test]
async fn the_core_module_that_cargo_builds_is_loaded() {
    let policy = load(spec(), FIRST).unwrap();
    assert_eq!(label(decide(&policy).await), pointsman_guests::version_label(0));
}

#[tokio::test]
async fn a_component_is_loaded() {
    let policy = load(spec(), &component()).unwrap();
    assert_eq!(label(decide(&policy).await), pointsman_guests::version_label(0));
}

#[tokio::test]
async fn settings_reach_the_policy() {
    let policy = load(spec_with(r#"{"label": "mine"}"#), FIRST).unwrap();
    assert_eq!(label(decide(&policy).await), "mine");
}

#[test]
fn the_digest_is_that_of_the_given_bytes() {
    let module = load(spec(), FIRST).unwrap();
    assert_eq!(module.digest(), load(spec(), FIRST).unwrap().digest());
    assert_ne!(module.digest(), load(spec(), &component()).unwrap().digest());
    assert_ne!(module.digest(), load(spec(), &pointsman_guests::version(1)).unwrap().digest());
    assert_eq!(module.version(), format!("under-test@{}", module.digest().short()));
}

#[test]
fn garbage_is_refused() {
    let refused = "the policy is not a WebAssembly component: ";
    for bytes in [&b""[..], b"garbage", b"\0asm", &[0; 100]] {
        let error = load_error(spec(), bytes);
        assert!(error.starts_with(refused), "{error}");
    }
}

#[test]
fn a_truncated_policy_is_refused_wherever_it_ends() {
    for whole in [FIRST, &component()] {
        for end in (0..whole.len()).step_by(whole.len() / 20) {
            let error = load_error(spec(), &whole[..end]);
            assert!(
                error.starts_with("the policy is not a WebAssembly component: "),
                "cut at {end}: {error}"
            );
        }
    }
}

#[test]
fn a_corrupt_component_type_does_not_panic() {
    let at = FIRST.windows(14).position(|window| window == b"component-type").unwrap();
    for offset in (20..2_000).step_by(97) {
        let mut bytes = FIRST.to_vec();
        bytes[at + offset] ^= 0xff;
        // Some bytes do not matter, so the result may be either. It must not panic.
        let _ = load(spec(), &bytes);
    }
}

#[test]
fn a_policy_larger_than_its_limit_is_refused() {
    let limits = Limits { max_component_bytes: 1_000, ..Limits::default() };
    let error = load_error(PolicySpec { limits, ..spec() }, FIRST);
    assert!(error.ends_with("more than its limit of 1000 (`max_component_bytes`)"), "{error}");
}

#[test]
fn a_memory_limit_above_the_reserved_space_is_refused() {
    let limits = Limits { memory_bytes: 1 << 30, ..Limits::default() };
    let error = load_error(PolicySpec { limits, ..spec() }, FIRST);
    assert_eq!(
        error,
        "the memory limit of 1073741824 bytes is more than the 67108864 that one policy can be given"
    );
}

#[test]
fn native_code_is_refused() {
    let engine = wasmtime::Engine::default();
    let precompiled = engine.precompile_component(&component()).unwrap();
    assert!(load_error(spec(), &precompiled).starts_with("the policy is precompiled by wasmtime"));
}

#[test]
fn an_unknown_import_is_named() {
    assert_eq!(
        load_error(spec(), &unknown_import()),
        "the policy imports `acme:bank/teller@1.0.0`, which Pointsman does not offer"
    );
}

#[test]
fn the_error_for_another_world_names_the_missing_export() {
    assert_eq!(
        load_error(spec(), &wrong_world()),
        "the policy exports neither pointsman:policy/orchestrator@0.1.0 nor pointsman:policy/router@0.1.0 \
         with function route, so it is no policy (it exports: acme:tools/command@1.0.0)"
    );
}

#[test]
fn an_empty_core_module_is_refused() {
    let empty = wat::parse_str("(module)").unwrap();
    let error = load_error(spec(), &empty);
    assert!(error.contains("nor pointsman:policy/router@0.1.0"), "{error}");
}

#[test]
fn the_error_for_other_imports_of_a_core_module_explains_how_to_build() {
    let wasi = wat::parse_str(r#"(module (import "wasi_snapshot_preview1" "fd_write" (func)))"#).unwrap();
    let error = load_error(spec(), &wasi);
    assert!(error.contains("cannot be made into a component"), "{error}");
    assert!(error.contains("wasm32-unknown-unknown"), "{error}");
}

#[test]
fn an_export_of_another_type_is_refused() {
    let router = wat::parse_str(
        r#"(component
            (core module $m (func (export "f")))
            (core instance $i (instantiate $m))
            (func $f (canon lift (core func $i "f")))
            (instance $router (export "route" (func $f)))
            (instance $configuration (export "validate" (func $f)))
            (export "pointsman:policy/router@0.1.0" (instance $router))
            (export "pointsman:policy/configuration@0.1.0" (instance $configuration)))"#,
    )
    .unwrap();
    let error = load_error(spec(), &router);
    assert!(error.contains("an export differs from pointsman:policy@0.1.0"), "{error}");
}

#[test]
fn an_import_of_another_type_is_refused() {
    let module = wat::parse_str(
        r#"(component
            (import "pointsman:policy/settings@0.1.0" (instance (export "yaml" (func (result string)))))
            (core module $m (func (export "f")))
            (core instance $i (instantiate $m))
            (func $f (canon lift (core func $i "f")))
            (instance $router (export "route" (func $f)))
            (instance $configuration (export "validate" (func $f)))
            (export "pointsman:policy/router@0.1.0" (instance $router))
            (export "pointsman:policy/configuration@0.1.0" (instance $configuration)))"#,
    )
    .unwrap();
    let error = load_error(spec(), &module);
    assert!(error.starts_with("the policy does not fit the contract: "), "{error}");
    assert!(error.contains("settings") && error.contains("yaml"), "{error}");
}

#[test]
fn a_function_that_would_take_long_to_compile_is_refused() {
    let body = "i32.const 1 drop ".repeat(200_000);
    let bomb = wat::parse_str(format!("(module (func {body}))")).unwrap();
    assert_eq!(
        load_error(spec(), &bomb),
        "the policy is too complex to compile: 600002 bytes of code in one function, at most 524288"
    );
    let locals = wat::parse_str(format!("(module (func (local {})))", "i32 ".repeat(20_000))).unwrap();
    assert_eq!(
        load_error(spec(), &locals),
        "the policy is too complex to compile: 20000 locals in one function, at most 10000"
    );
}

#[test]
fn a_policy_that_needs_more_memory_than_its_limit_to_start_is_refused() {
    let limits = Limits { memory_bytes: 64 << 10, ..Limits::default() };
    let error = load_error(PolicySpec { limits, ..spec() }, HOSTILE);
    assert_eq!(error, "the policy failed while it was started: the policy needs more memory than its limit");
}

/// Covers sockets, files, environment, clocks, randomness, and the interfaces that these use.
#[test]
fn an_import_of_wasi_is_named_with_its_grant() {
    for interface in [
        "wasi:sockets/tcp@0.2.0",
        "wasi:sockets/udp@0.2.0",
        "wasi:sockets/ip-name-lookup@0.2.0",
        "wasi:filesystem/types@0.2.0",
        "wasi:filesystem/preopens@0.2.0",
        "wasi:cli/environment@0.2.0",
        "wasi:cli/stdout@0.2.0",
        "wasi:clocks/monotonic-clock@0.2.0",
        "wasi:clocks/wall-clock@0.2.0",
        "wasi:random/random@0.2.0",
        "wasi:io/poll@0.2.0",
    ] {
        let text = format!(r#"(component (import "{interface}" (instance (export "f" (func)))))"#);
        let error = load_error(spec(), &wat::parse_str(text).unwrap());
        let expected =
            format!("the policy imports `{interface}`, which it is not granted; to grant it: grants = [");
        assert!(error.starts_with(&expected), "{error}");
    }
}
