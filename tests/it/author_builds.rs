//! `pointsman policy build` on policies in each language.
//!
//! Languages other than Rust need the tools that `cargo xtask test` installs. Without them these tests are
//! skipped, except on CI.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use pointsman_tests::{command, fresh_directory, installed};
use serde_json::Value;

use crate::command_line::texts;

pub fn repository() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("the workspace's directory")
}

/// Runs `pointsman policy` in a folder. Cargo uses what is in its cache.
pub fn policy(folder: &Path, arguments: &[&str]) -> Output {
    let mut policy: Command = command();
    policy.current_dir(folder).env("CARGO_NET_OFFLINE", "true").arg("policy").args(arguments);
    policy.output().expect("the gateway's binary can be run")
}

pub fn run_ok(folder: &Path, arguments: &[&str]) -> String {
    let output = policy(folder, arguments);
    let (out, err) = texts(&output);
    assert_eq!(output.status.code(), Some(0), "{arguments:?}: {out}{err}");
    out
}

/// Runs a command that must fail, and returns its exit status and error.
pub fn run_err(folder: &Path, arguments: &[&str]) -> (Option<i32>, String) {
    let output = policy(folder, arguments);
    let (out, err) = texts(&output);
    assert_ne!(output.status.code(), Some(0), "{out}");
    (output.status.code(), err)
}

/// A crate outside the workspace. Its folder stays between runs, so that only the policy is compiled again.
fn rust_policy() -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("author-rust");
    fs::create_dir_all(folder.join("src")).expect("a folder for the policy");
    fs::create_dir_all(folder.join("cases")).expect("a folder for its cases");
    fs::copy(repository().join("Cargo.lock"), folder.join("Cargo.lock")).expect("the lock file");
    fs::write(
        folder.join("cases/first.toml"),
        "expect = { target = \"example/small\", label = \"first\" }\n",
    )
    .expect("a case");
    folder
}

fn manifest(crate_type: &str) -> String {
    format!(
        "[package]\nname = \"author-rust\"\nversion = \"1.0.0\"\nedition = \"2024\"\n[lib]\n{crate_type}\n\
         [dependencies]\npointsman-sdk = {{ path = {:?} }}\n[workspace]\n",
        repository().join("sdk")
    )
}

const SOURCE: &str = "\
use pointsman_sdk::prelude::*;

pub struct First;

impl Policy for First {
    type Settings = NoSettings;

    fn new(_: NoSettings) -> Result<Self, String> {
        Ok(Self)
    }

    fn route(&mut self, request: &Request, candidates: &[Candidate]) -> Result<Decision, Refusal> {
        assert_ne!(request.model, \"broken\", \"no such luck\");
        Ok(Decision::of(0..candidates.len(), \"first\"))
    }
}
";

#[test]
fn a_rust_policy_is_built_tested_and_its_mistakes_are_explained() {
    let folder = rust_policy();
    let write = |name: &str, text: &str| fs::write(folder.join(name), text).expect("a file of the policy");
    write("Cargo.toml", &manifest("crate-type = [\"cdylib\", \"rlib\"]"));
    write("src/lib.rs", &format!("{SOURCE}\npointsman_sdk::export!(First);\n"));
    let out = run_ok(&folder, &["build"]);
    assert!(out.contains("author_rust.wasm") && out.contains("language  rust\n"), "{out}");
    assert!(out.contains("grants    none needed"), "{out}");
    let report: Value = serde_json::from_str(&run_ok(&folder, &["build", "--json"])).expect("JSON");
    assert_eq!(report["language"], "rust");
    assert!(run_ok(&folder, &["test"]).starts_with("ok: 1 passed"));
    described(&folder);

    write("cases/broken.toml", "request.model = \"broken\"\nexpect.label = \"first\"\n");
    let output = policy(&folder, &["test"]);
    let (out, _) = texts(&output);
    fs::remove_file(folder.join("cases/broken.toml")).expect("the case is there");
    assert_eq!(output.status.code(), Some(1));
    assert!(
        out.contains("log  error: panicked at src/lib.rs:13:9: ") && out.contains("no such luck"),
        "{out}"
    );

    write("src/lib.rs", SOURCE);
    let (status, err) = run_err(&folder, &["build"]);
    assert_eq!(status, Some(3), "{err}");
    assert!(err.contains("pointsman_sdk::export!"), "{err}");
    write("src/lib.rs", "fn broken( {\n");
    let (status, err) = run_err(&folder, &["build"]);
    assert_eq!(status, Some(1), "{err}");
    assert!(err.contains("src/lib.rs:1"), "{err}");
    write("Cargo.toml", &manifest(""));
    write("src/lib.rs", &format!("{SOURCE}\npointsman_sdk::export!(First);\n"));
    let (status, err) = run_err(&folder, &["build"]);
    assert_eq!(status, Some(2), "{err}");
    assert!(err.contains("  = hint: set `crate-type = [\"cdylib\", \"rlib\"]`"), "{err}");
}

/// Describes a Rust policy in a file, and in its source.
fn described(folder: &Path) {
    let write = |name: &str, text: &str| fs::write(folder.join(name), text).expect("a file of the policy");
    let title = |arguments: &[&str]| -> Value {
        let report: Value = serde_json::from_str(&run_ok(folder, arguments)).expect("JSON");
        assert_eq!(report["unchecked_keywords"], serde_json::json!([]));
        report["title"].clone()
    };
    write(
        "description.toml",
        "title = \"By a file\"\nlabels = [{ name = \"first\", meaning = \"always\" }]\n",
    );
    assert_eq!(title(&["build", "--json"]), "By a file");
    let coverage = run_ok(folder, &["test", "--coverage"]);
    assert!(coverage.contains("all labels and refusals are those that are declared"), "{coverage}");

    write("description.toml", "title = \"By a file\"\nlabels = 7\n");
    let (status, err) = run_err(folder, &["build"]);
    assert_eq!(status, Some(2));
    assert!(err.contains("description.toml:2:10\n") && err.contains("`labels`: a list is expected"), "{err}");
    fs::remove_file(folder.join("description.toml")).expect("the file is there");

    let by_source = |json: &str| {
        format!("{SOURCE}\npointsman_sdk::describe!({json:?});\npointsman_sdk::export!(First);\n")
    };
    write("src/lib.rs", &by_source("{\"title\":\"By its source\"}"));
    assert_eq!(title(&["build", "--json"]), "By its source");
    write("src/lib.rs", &by_source("{\"name\":\"x\"}"));
    let (status, err) = run_err(folder, &["build"]);
    assert_eq!(status, Some(1));
    assert!(err.contains("its description has faults\n  it has no `title`"), "{err}");
    write("src/lib.rs", &format!("{SOURCE}\npointsman_sdk::export!(First);\n"));
}

#[test]
fn a_folder_that_cannot_be_built_says_what_is_missing() {
    let folder = fresh_directory();
    let (status, err) = run_err(&folder, &["build"]);
    assert_eq!(status, Some(2));
    assert!(err.contains("write policy.toml with `language"), "{err}");
    fs::write(folder.join("policy.toml"), "language = \"python\"\nentry = \"other.py\"\n")
        .expect("a manifest");
    let (status, err) = run_err(&folder, &["build"]);
    assert_eq!(status, Some(2));
    assert!(err.contains("there is no file ./other.py"), "{err}");
    fs::remove_dir_all(folder).expect("the folder is there");
}

/// A copy of an example policy, with its world and the tools of its language.
pub struct Example {
    folder: PathBuf,
}

impl Example {
    pub fn new(language: &str, source: &str) -> Self {
        let folder = fresh_directory();
        let example = repository().join("sdk/examples");
        fs::copy(example.join(language).join(source), folder.join(source)).expect("the example");
        fs::create_dir_all(folder.join("wit/deps/pointsman-policy")).expect("a folder for the world");
        fs::copy(example.join("wit/world.wit"), folder.join("wit/world.wit")).expect("the world");
        for file in ["policy.wit", "orchestration.wit"] {
            fs::copy(
                repository().join("wit").join(file),
                folder.join("wit/deps/pointsman-policy").join(file),
            )
            .expect("the contract");
        }
        let case =
            "settings.min_quality = 0.6\n[expect]\ntarget = \"example/medium\"\nlabel = \"cheapest\"\n";
        fs::create_dir_all(folder.join("cases")).expect("a folder for the cases");
        fs::write(folder.join("cases/good.toml"), case).expect("a case");
        fs::write(folder.join("policy.toml"), format!("language = \"{language}\"\n")).expect("a manifest");
        Self { folder }
    }

    /// Returns its folder, which is removed when the example is dropped.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    pub fn link(&self, tool: &Path, name: &str) {
        let target = fs::canonicalize(tool).expect("the tool is installed");
        symlink(target, self.folder.join(name)).expect("the tool can be linked");
    }

    /// Replaces a text of the source.
    pub fn edit(&self, source: &str, from: &str, to: &str) {
        let text = fs::read_to_string(self.folder.join(source)).expect("the source");
        assert!(text.contains(from));
        fs::write(self.folder.join(source), text.replacen(from, to, 1)).expect("the source can be written");
    }

    /// Builds and tests the policy. With an exception in its source, the exception is reported.
    fn works(&self) {
        let out = run_ok(&self.folder, &["build"]);
        assert!(out.contains("build/policy.wasm") && out.contains("none needed"), "{out}");
        assert!(run_ok(&self.folder, &["test"]).starts_with("ok: 1 passed"));
    }

    fn reports(&self, expected: &[&str]) {
        fs::write(
            self.folder.join("cases/boom.toml"),
            "request.tenant = \"boom\"\nexpect.label = \"cheapest\"\n",
        )
        .expect("a case");
        let output = policy(&self.folder, &["test", "--filter", "boom"]);
        let (out, err) = texts(&output);
        assert_eq!(output.status.code(), Some(1), "{out}{err}");
        for part in expected {
            assert!(out.contains(part), "{part} is not in:\n{out}");
        }
    }
}

impl Drop for Example {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.folder);
    }
}

#[test]
fn a_javascript_policy_is_built_and_its_exceptions_are_reported() {
    let Some(modules) = installed("POINTSMAN_TEST_NODE_MODULES") else { return };
    let example = Example::new("javascript", "policy.js");
    let (status, err) = run_err(&example.folder, &["build"]);
    assert_eq!(status, Some(2), "{err}");
    assert!(err.contains("npm install --save-dev componentize-qjs"), "{err}");
    example.link(Path::new(&modules), "node_modules");
    example.works();
    let boom = "settings ??= readSettings();\n    if (request.tenant === \"boom\") null.x;\n";
    example.edit("policy.js", "settings ??= readSettings();\n", boom);
    example.reports(&["  log  error: TypeError: cannot read property 'x' of null", "policy.js:"]);
}

#[test]
fn a_python_policy_is_built_and_its_exceptions_are_reported() {
    let Some(python) = installed("POINTSMAN_TEST_PYTHON") else { return };
    let example = Example::new("python", "policy.py");
    let environment = Path::new(&python).ancestors().nth(2).expect("the environment of Python");
    example.link(environment, ".venv");
    example.works();
    let route = "candidates: list[Candidate]) -> Decision:\n";
    example.edit(
        "policy.py",
        route,
        &format!("{route}        assert request.tenant != \"boom\", \"no luck\"\n"),
    );
    example.reports(&["  log  error: AssertionError: no luck", "policy.py:"]);
}

#[test]
fn a_c_policy_is_built_without_any_generator() {
    let Some(python) = installed("POINTSMAN_TEST_PYTHON") else { return };
    let example = Example::new("c", "policy.c");
    let environment = Path::new(&python).ancestors().nth(2).expect("the environment of Python");
    example.link(environment, ".venv");
    example.works();
}
