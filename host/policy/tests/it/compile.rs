//! Compilation in a child process.

use std::time::Duration;

use pointsman_guests::{FIRST, HOSTILE, version, version_label};
use pointsman_policy::{ChildCompiler, Code, Compiler, FuelCounting, Runtime, RuntimeConfig, precompile};

use crate::support::{decide, label, load_error, spec};

fn child() -> ChildCompiler {
    ChildCompiler {
        program: env!("CARGO_BIN_EXE_pointsman-compile").into(),
        arguments: Vec::new(),
        timeout: Duration::from_secs(60),
        memory_bytes: 1 << 30,
        processes: 2,
    }
}

/// A shell script in place of the compiler.
fn shell(script: &str) -> ChildCompiler {
    ChildCompiler { program: "/bin/sh".into(), arguments: vec!["-c".into(), script.into()], ..child() }
}

fn runtime(child: ChildCompiler) -> Runtime {
    let config = RuntimeConfig { concurrent_decisions: 2, idle_instances: 1, ..RuntimeConfig::default() };
    Runtime::new(RuntimeConfig { compiler: Compiler::Child(child), ..config }).unwrap()
}

fn error(child: ChildCompiler, bytes: &[u8]) -> String {
    runtime(child).load(spec(), &Code::new(bytes.to_vec())).unwrap_err().to_string()
}

#[tokio::test]
async fn a_policy_compiled_by_a_child_decides() {
    let runtime = runtime(child());
    let policy = runtime.load(spec(), &Code::new(version(1))).unwrap();
    assert_eq!(label(decide(&policy).await), version_label(1));
    assert_eq!(runtime.compilations(), 1);
}

#[test]
fn a_child_reports_the_same_error_for_a_bad_policy() {
    let runtime = runtime(child());
    let engine = wasmtime::Engine::default();
    let precompiled = engine.precompile_component(&wat::parse_str("(component)").unwrap()).unwrap();
    let wasi = wat::parse_str(r#"(module (import "wasi_snapshot_preview1" "fd_write" (func)))"#).unwrap();
    let bomb = format!("(module (func {}))", "i32.const 1 drop ".repeat(200_000));
    let bomb = wat::parse_str(bomb).unwrap();
    let invalid = wat::parse_str("(component (core module (func (result i32))))").unwrap();
    for bytes in [b"garbage", &FIRST[..FIRST.len() / 2], &precompiled, &wasi, &bomb, &invalid] {
        let error = runtime.load(spec(), &Code::new(bytes.to_vec())).unwrap_err().to_string();
        assert_eq!(error, load_error(spec(), bytes));
    }
    assert_eq!(runtime.compilations(), 0);
}

#[test]
fn the_error_of_a_child_without_memory_names_the_limit_to_raise() {
    for mebibytes in [1, 2, 4] {
        assert_eq!(
            error(ChildCompiler { memory_bytes: mebibytes << 20, ..child() }, HOSTILE),
            format!(
                "compiling the policy takes more memory than {mebibytes} MiB; \
                 if it is meant to be so large, raise `compile.memory`"
            )
        );
    }
}

#[test]
fn a_child_that_takes_too_long_is_killed_and_the_error_names_the_limit() {
    assert_eq!(
        error(ChildCompiler { timeout: Duration::from_millis(20), ..shell("while :; do :; done") }, FIRST),
        "compiling the policy takes longer than 0.02 s; if it is meant to be so large, raise `compile.timeout`"
    );
}

#[test]
fn a_child_that_uses_up_its_processor_time_is_reported_likewise() {
    assert!(error(shell("kill -XCPU $$"), FIRST).contains("raise `compile.timeout`"));
}

#[test]
fn a_policy_that_crashes_the_child_is_refused() {
    assert_eq!(
        error(shell("echo 'it broke' >&2; echo 'note: see more' >&2; kill -SEGV $$"), FIRST),
        "the compiler crashed on the policy (signal: 11 (SIGSEGV): it broke); \
         build it with another version of its tools"
    );
    assert!(error(shell("exit 3"), FIRST).contains("(exit status: 3: )"));
    assert!(error(shell("echo nonsense"), FIRST).contains("(it returned no result)"));
}

#[test]
fn a_child_whose_output_is_not_native_code_is_harmless() {
    let error = error(shell("cat > /dev/null; printf Cnonsense"), FIRST);
    assert!(error.starts_with("the policy does not compile: "), "{error}");
}

#[test]
fn a_child_with_too_much_output_is_stopped() {
    let child = ChildCompiler {
        memory_bytes: 1 << 20,
        ..shell("cat > /dev/null; while :; do echo more and more; done")
    };
    assert!(error(child, FIRST).starts_with("the compiler crashed on the policy (signal: 13 (SIGPIPE)"));
}

#[test]
fn a_missing_compiler_is_reported() {
    let child = ChildCompiler { program: "/nowhere/compiler".into(), ..child() };
    assert!(error(child, FIRST).starts_with("cannot run the compiler: "));
}

#[test]
fn a_childs_environment_is_empty() {
    let message = error(shell("env >&2; exit 1"), FIRST);
    for secret in ["PATH=/", "HOME", "CARGO"] {
        assert!(!message.contains(secret), "{message}");
    }
}

/// Returns the target of this program.
fn this_target() -> String {
    let system = if cfg!(target_os = "macos") {
        "apple-darwin"
    } else if cfg!(target_env = "musl") {
        "unknown-linux-musl"
    } else {
        "unknown-linux-gnu"
    };
    format!("{}-{system}", std::env::consts::ARCH)
}

#[tokio::test]
async fn code_that_was_compiled_with_the_program_is_not_compiled_again() {
    let native: &'static [u8] = precompile(FIRST, &this_target()).unwrap().leak();
    let code = Code::embedded(FIRST).with_native(native);
    let plain = runtime(child()).load(spec(), &Code::new(FIRST)).unwrap();
    let expected = label(decide(&plain).await);
    // The second engine counts instructions, which the native code does not.
    for (fuel, compilations) in [(FuelCounting::Off, 0), (FuelCounting::On, 1)] {
        let runtime = Runtime::new(RuntimeConfig { fuel, ..RuntimeConfig::default() }).unwrap();
        let policy = runtime.load(spec(), &code).unwrap();
        assert_eq!(label(decide(&policy).await), expected);
        assert_eq!(runtime.compilations(), compilations);
    }
    // Only code of this program may bring native code.
    let runtime = runtime(child());
    runtime.load(spec(), &Code::new(FIRST).with_native(native)).unwrap();
    assert_eq!(runtime.compilations(), 1);
    let unknown = precompile(FIRST, "no-such-target").unwrap_err().to_string();
    assert!(unknown.contains("Unrecognized architecture: no"), "{unknown}");
}

#[test]
fn embedded_code_needs_no_child() {
    let runtime = runtime(ChildCompiler { program: "/nowhere/compiler".into(), ..child() });
    runtime.load(spec(), &Code::embedded(FIRST)).unwrap();
    assert_eq!(runtime.compilations(), 1);
}

#[test]
fn policies_of_the_same_code_are_compiled_once() {
    let runtime = runtime(ChildCompiler { processes: 1, ..child() });
    let policies: Vec<_> = std::thread::scope(|scope| {
        let load = || runtime.load(spec(), &Code::new(FIRST)).unwrap();
        let loads: Vec<_> = (0..4).map(|_| scope.spawn(load)).collect();
        loads.into_iter().map(|load| load.join().unwrap()).collect()
    });
    assert_eq!((policies.len(), runtime.compilations()), (4, 1));
}
