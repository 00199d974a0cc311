//! The cache of compiled code.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use pointsman_guests::{FIRST, version, version_label};
use pointsman_policy::{CacheConfig, ChildCompiler, Code, Compiler, Runtime, RuntimeConfig};
use tempfile::TempDir;

use crate::support::{decide, label, spec};

fn config(cache: CacheConfig) -> RuntimeConfig {
    RuntimeConfig {
        concurrent_decisions: 1,
        idle_instances: 1,
        cache: Some(cache),
        ..RuntimeConfig::default()
    }
}

/// A new start of a gateway with its cache in this directory.
fn start(directory: &Path) -> Runtime {
    Runtime::new(config(CacheConfig::new(directory))).unwrap()
}

fn files(directory: &Path) -> Vec<PathBuf> {
    fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().path()).collect()
}

/// A directory with the code of one policy, and the path of its file.
fn compiled() -> (TempDir, PathBuf) {
    let directory = tempfile::tempdir().unwrap();
    let first = start(directory.path());
    first.load(spec(), &Code::new(FIRST)).unwrap();
    assert_eq!(first.compilations(), 1);
    let [file] = <[PathBuf; 1]>::try_from(files(directory.path())).unwrap();
    (directory, file)
}

#[tokio::test]
async fn a_second_start_compiles_nothing() {
    let (directory, _) = compiled();
    let no_compiler = ChildCompiler {
        program: "/nowhere/compiler".into(),
        arguments: Vec::new(),
        timeout: std::time::Duration::from_secs(1),
        memory_bytes: 1 << 30,
        processes: 1,
    };
    let config = RuntimeConfig {
        compiler: Compiler::Child(no_compiler),
        ..config(CacheConfig::new(directory.path()))
    };
    let second = Runtime::new(config).unwrap();
    let policy = second.load(spec(), &Code::new(FIRST)).unwrap();
    assert_eq!(second.compilations(), 0);
    assert_eq!(label(decide(&policy).await), version_label(0));
}

#[tokio::test]
async fn a_damaged_file_is_compiled_again() {
    let (directory, file) = compiled();
    let whole = fs::read(&file).unwrap();
    let mut flipped = whole.clone();
    flipped[whole.len() / 2] ^= 1;
    for damaged in [&flipped, &whole[..whole.len() - 1], &whole[..10], &b""[..]] {
        fs::write(&file, damaged).unwrap();
        let runtime = start(directory.path());
        let policy = runtime.load(spec(), &Code::new(FIRST)).unwrap();
        assert_eq!(runtime.compilations(), 1);
        assert_eq!(label(decide(&policy).await), version_label(0));
        assert_eq!(fs::read(&file).unwrap().len(), whole.len(), "it is whole again");
    }
}

#[tokio::test]
async fn a_file_under_the_name_of_another_policy_is_not_used() {
    let (directory, file) = compiled();
    let name = file.file_name().unwrap().to_str().unwrap();
    let (zero, one) = (Code::new(FIRST).digest().to_string(), Code::new(version(1)).digest().to_string());
    fs::copy(&file, directory.path().join(name.replace(&zero, &one))).unwrap();
    let policy = start(directory.path()).load(spec(), &Code::new(version(1))).unwrap();
    assert_eq!(label(decide(&policy).await), version_label(1));
}

#[test]
fn the_file_of_another_engine_is_ignored() {
    let (directory, file) = compiled();
    let name = file.file_name().unwrap().to_str().unwrap();
    let (digest, engine) = name.strip_suffix(".cwasm").unwrap().rsplit_once('-').unwrap();
    assert_eq!((digest.len(), engine.len()), (64, 16));
    let other = directory.path().join(format!("{digest}-{}.cwasm", "0".repeat(16)));
    fs::rename(&file, &other).unwrap();
    let runtime = start(directory.path());
    runtime.load(spec(), &Code::new(FIRST)).unwrap();
    assert_eq!(runtime.compilations(), 1);
    assert!(file.exists() && other.exists());
}

#[test]
fn the_least_recently_used_files_make_room() {
    let (directory, first) = compiled();
    let one = fs::metadata(&first).unwrap().len();
    let room_for_two = CacheConfig { max_bytes: one * 5 / 2, ..CacheConfig::new(directory.path()) };
    let load = |number| {
        let runtime = Runtime::new(config(room_for_two.clone())).unwrap();
        runtime.load(spec(), &Code::new(version(number))).unwrap();
        runtime.compilations()
    };
    assert_eq!(load(1), 1);
    assert_eq!(load(0), 0, "used now, so the other is the older one");
    assert_eq!(load(2), 1);
    assert_eq!(files(directory.path()).len(), 2);
    assert_eq!(load(0), 0);
    assert_eq!(load(1), 1, "it had to go");
}

#[test]
fn the_directory_is_created_for_this_user_alone() {
    let directory = tempfile::tempdir().unwrap();
    let compiled = directory.path().join("state").join("compiled");
    start(&compiled);
    assert_eq!(fs::metadata(&compiled).unwrap().permissions().mode() & 0o777, 0o700);
    assert_eq!(files(&compiled), [] as [PathBuf; 0]);
}

#[test]
fn a_directory_that_others_can_write_to_is_refused() {
    let directory = tempfile::tempdir().unwrap();
    fs::set_permissions(directory.path(), fs::Permissions::from_mode(0o777)).unwrap();
    let Err(error) = Runtime::new(config(CacheConfig::new(directory.path()))) else {
        panic!("others could have code run");
    };
    let message = error.to_string();
    assert!(message.contains("its mode is 777") && message.contains("chmod 700"), "{message}");
}

#[test]
fn a_directory_that_cannot_be_created_is_an_error() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("file");
    fs::write(&file, "").unwrap();
    let Err(error) = Runtime::new(config(CacheConfig::new(file.join("compiled")))) else {
        panic!("there is no such directory");
    };
    assert!(error.to_string().starts_with("cannot keep compiled code in "), "{error}");
}
