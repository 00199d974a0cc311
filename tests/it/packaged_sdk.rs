//! Policies outside this workspace, which get the SDK as a package.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use pointsman_build::Build;

use crate::command_line::{check, run, texts};

const VERSION: &str = env!("CARGO_PKG_VERSION");

/// A directory for packages, policies and what they are built to. It stays between runs, so
/// that only the SDK and the policies are compiled again.
fn directory() -> PathBuf {
    let directory = Path::new(env!("CARGO_TARGET_TMPDIR")).join("packaged-sdk");
    fs::create_dir_all(&directory).expect("a directory for the packages");
    directory
}

/// Packages the SDK as for the registry, and unpacks it.
fn packaged_sdk(directory: &Path) -> PathBuf {
    let workspace = Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("the workspace's directory");
    let mut package = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    package.current_dir(workspace);
    package.args(["package", "--package", "pointsman-sdk", "--no-verify", "--allow-dirty", "--offline"]);
    package.arg("--target-dir").arg(directory);
    let output = package.output().expect("cargo can be run");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let unpacked = directory.join(format!("pointsman-sdk-{VERSION}"));
    let _ = fs::remove_dir_all(&unpacked);
    let file = directory.join(format!("package/pointsman-sdk-{VERSION}.crate"));
    let status = Command::new("tar").arg("-xzf").arg(file).arg("-C").arg(directory).status();
    assert!(status.expect("tar can be run").success());
    unpacked
}

/// Writes a crate with the policy that the SDK's README shows. Returns its manifest.
fn outside_policy(directory: &Path, sdk: &Path) -> PathBuf {
    let readme = fs::read_to_string(sdk.join("README.md")).expect("the package has a README");
    let code = readme.split_once("```rust\n").and_then(|(_, rest)| rest.split_once("```"));
    let (code, _) = code.expect("the README shows a policy");
    let manifest = format!(
        "[package]\nname = \"outside-policy\"\nversion = \"1.0.0\"\nedition = \"2024\"\n\n\
         [lib]\ncrate-type = [\"cdylib\", \"rlib\"]\n\n\
         [dependencies]\npointsman-sdk = {VERSION:?}\n\n\
         [patch.crates-io]\npointsman-sdk = {{ path = {sdk:?} }}\n\n\
         # The test's directory is below another workspace.\n[workspace]\n"
    );
    let policy = directory.join("outside-policy");
    fs::create_dir_all(policy.join("src")).expect("a directory for the policy");
    fs::write(policy.join("src/lib.rs"), code).expect("the policy can be written");
    fs::write(policy.join("Cargo.toml"), manifest).expect("the manifest can be written");
    // The versions that the SDK was packaged with. They are in cargo's cache already.
    fs::copy(sdk.join("Cargo.lock"), policy.join("Cargo.lock")).expect("the package has a lock file");
    policy.join("Cargo.toml")
}

#[test]
fn a_policy_outside_the_workspace_builds_against_the_packaged_sdk_and_loads() {
    let directory = directory();
    let sdk = packaged_sdk(&directory);
    assert!(sdk.join("wit/policy.wit").is_file(), "the package carries the contract");
    let manifest = outside_policy(&directory, &sdk);
    let built = Build::new().manifest(manifest).target_dir(directory.join("target")).offline().run();
    let built = built.expect("the policy builds");
    let policy = built[0].path().display().to_string();

    let (report, errors) = texts(&run(&["policy", "inspect", &policy]));
    assert_eq!(errors, "");
    assert!(report.contains(&format!("  sdk        rust {VERSION}\n")), "{report}");

    let config = format!(
        "[backends.fleet]\nkind = \"simulated\"\n\n[models.\"fleet/one\"]\n\n\
         [policies.outside]\nsource = {policy:?}\n\n[routes.auto]\npolicy = \"outside\"\n"
    );
    let checked = check(&config);
    assert_eq!(checked.status.code(), Some(0), "{}", texts(&checked).1);
}
