//! The root file system of the image, with the static program of the archive.

use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt, chown};
use std::path::{Path, PathBuf};
use std::process::Command;

use pointsman_guests::version;
use pointsman_tests::{FakeModel, Gateway, Step, fresh_directory, installed};
use rustix::process::geteuid;

use super::read;
use crate::fleet::{ask, backend, chat, model};

/// User of the image.
const USER: u32 = 65532;
/// Enters a root as a container does: read-only but for the volumes, without libraries, as the user of the image. The
/// current directory is in the root as well, with the configuration.
const ENTER: &str = r#"#!/bin/sh
exec unshare --mount sh -ec '
  mkdir -p "$ROOT$PWD"
  mount --bind "$ROOT" "$ROOT"
  mount -t proc proc "$ROOT/proc"
  mount --bind "$ROOT/tmp" "$ROOT/tmp"
  mount --bind "$ROOT/var/lib/pointsman" "$ROOT/var/lib/pointsman"
  mount --bind "$PWD" "$ROOT$PWD"
  mount -o remount,ro,bind "$ROOT"
  exec chroot --userspec=65532:65532 "$ROOT" /usr/local/bin/pointsman "$@"' enter "$@"
"#;

/// Makes the files of the image, with the certificates of an authority. Returns the root.
fn image(archive: &Path, authorities: &str) -> PathBuf {
    let root = fresh_directory();
    for directory in ["etc/ssl/certs", "proc", "tmp", "usr/local/bin", "var/lib/pointsman"] {
        fs::create_dir_all(root.join(directory)).expect("a directory");
    }
    fs::write(root.join("etc/ssl/certs/ca-certificates.crt"), authorities).expect("a file");
    fs::set_permissions(root.join("tmp"), fs::Permissions::from_mode(0o1777)).expect("its own directory");
    chown(root.join("var/lib/pointsman"), Some(USER), Some(USER)).expect("root may");
    let mut unpack = Command::new("tar");
    unpack.arg("-xzf").arg(archive).arg("-C").arg(root.join("usr/local/bin"));
    let unpacked = unpack.args(["--strip-components=1", "--wildcards", "*/pointsman"]).status();
    assert!(unpacked.expect("tar can be run").success());
    root
}

#[expect(clippy::print_stdout, reason = "a skipped test says why")]
fn is_root() -> bool {
    let is_root = geteuid().is_root();
    if !is_root {
        println!("skipped: only root can enter the root of an image");
    }
    is_root
}

#[test]
fn the_dockerfile_makes_the_files_that_this_test_makes() {
    let dockerfile = read("Dockerfile");
    for expected in [
        "/files/etc/ssl/certs/ca-certificates.crt",
        "install -d -m 0700 -o 65532 -g 65532 /files/var/lib/pointsman",
        "install -d -m 1777 /files/tmp",
        "USER 65532:65532",
        "\nFROM scratch\n",
        "/usr/local/bin/pointsman\n",
    ] {
        assert!(dockerfile.contains(expected), "{expected}");
    }
}

#[tokio::test]
async fn the_static_program_serves_from_the_root_of_the_image() {
    let Some(packages) = installed("POINTSMAN_TEST_PACKAGES") else { return };
    if !is_root() {
        return;
    }
    let mut files =
        fs::read_dir(packages).expect("the packages").map(|entry| entry.expect("an entry").path());
    let archive = files.find(|path| path.to_string_lossy().ends_with(".tar.gz")).expect("an archive");
    let upstream = FakeModel::builder().tls().otherwise(|_| Step::answer("hello there")).start().await;
    let root = image(&archive, upstream.ca_pem().expect("it speaks TLS"));
    let enter = root.with_extension("sh");
    fs::write(&enter, ENTER.replace("$ROOT", &root.display().to_string())).expect("a file");
    fs::set_permissions(&enter, fs::Permissions::from_mode(0o755)).expect("its own file");

    // The policy is compiled by a process of the same program.
    fs::create_dir_all(root.join("etc/pointsman")).expect("a directory");
    fs::write(root.join("etc/pointsman/main.wasm"), version(1)).expect("the policy can be written");
    let policy = "[policies.main]\nlimits.deadline = \"60s\"\nsource = \"/etc/pointsman/main.wasm\"\n";
    let fleet = backend("fake", &upstream, "") + &model("fake/one", 1, "");
    let config = format!(
        "[state]\ndir = \"/var/lib/pointsman/state\"\n{policy}{fleet}[routes.main]\npolicy = \"main\"\n"
    );
    let gateway = Gateway::start_binary(&enter, &config).await;
    assert_eq!(ask(&gateway, &chat("main", "hi")).await.text(), "hello there");
    assert_eq!(gateway.stop().await.code(), Some(0));
    let compiled = root.join("var/lib/pointsman/state/compiled");
    assert_eq!(fs::metadata(&compiled).expect("it was made").uid(), USER);
    assert!(fs::read_dir(compiled).expect("it is a directory").count() > 0);
    fs::remove_dir_all(root).expect("it can be removed");
    fs::remove_file(enter).expect("it can be removed");
}
