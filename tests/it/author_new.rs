//! `pointsman policy new`: each template is created, built, tested and measured as its author would do it.
//!
//! Languages other than Rust need the tools that `cargo xtask test` installs. Without them these tests are
//! skipped, except on CI.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::Command;

use pointsman_tests::{fresh_directory, installed};
use serde_json::Value;

use crate::author_builds::{policy, repository, run_err, run_ok};
use crate::command_line::texts;

/// Name of the policies here. Others in Rust share the target directory.
const NAME: &str = "new-policy";

/// A new policy. Its folder is removed when dropped.
pub struct NewPolicy {
    parent: PathBuf,
    pub folder: PathBuf,
}

impl NewPolicy {
    /// Runs `pointsman policy new` with these arguments.
    pub fn create(arguments: &[&str]) -> Self {
        let parent = fresh_directory();
        let out = run_ok(&parent, &[&["new", NAME], arguments].concat());
        assert!(out.starts_with(&format!("created {NAME}: the policy `{NAME}` in ")), "{out}");
        Self { folder: parent.join(NAME), parent }
    }

    /// Creates a policy in Rust with the SDK of this repository.
    pub fn rust() -> Self {
        let repository = repository().display().to_string();
        let policy = Self::create(&["--lang", "rust", "--sdk", &repository]);
        keep_builds(&policy.folder);
        policy
    }

    /// Creates a policy in JavaScript (`js`) or TypeScript (`ts`) with the installed packages, if they are.
    pub fn node(language: &str) -> Option<Self> {
        let modules = installed("POINTSMAN_TEST_NODE_MODULES")?;
        let policy = Self::create(&["--lang", language]);
        link_packages(&modules, &policy.folder);
        Some(policy)
    }

    /// Creates a policy whose compiler is a Python package, if it is installed.
    pub fn python(language: &str) -> Option<Self> {
        let python = installed("POINTSMAN_TEST_PYTHON")?;
        let policy = Self::create(&["--lang", language]);
        let environment = Path::new(&python).ancestors().nth(2).expect("the environment of Python");
        let environment = fs::canonicalize(environment).expect("the environment is there");
        symlink(environment, policy.folder.join(".venv")).expect("a link");
        Some(policy)
    }

    pub fn read(&self, name: &str) -> String {
        fs::read_to_string(self.folder.join(name)).unwrap_or_else(|error| panic!("{name}: {error}"))
    }

    pub fn write(&self, name: &str, text: &str) {
        fs::write(self.folder.join(name), text).expect("the file can be written");
    }

    pub fn replace(&self, name: &str, from: &str, to: &str) {
        let text = self.read(name);
        assert!(text.contains(from), "{from} is not in {name}");
        self.write(name, &text.replacen(from, to, 1));
    }

    /// Builds and tests the policy, with a case more that fails.
    fn works(&self) {
        self.write("cases/wrong.toml", "request.messages = \"hi\"\nexpect.label = \"worst\"\n");
        let output = policy(&self.folder, &["test", "--json"]);
        let (out, err) = texts(&output);
        assert_eq!(output.status.code(), Some(1), "{out}{err}");
        let report: Value = serde_json::from_str(&out).expect("JSON");
        let cases = report["cases"].as_array().expect("a list of cases");
        let passed = |case: &&Value| case["passed"] == true;
        let names: Vec<_> = cases.iter().filter(passed).map(|case| &case["name"]).collect();
        assert_eq!(names, ["long", "short", "wrong-setting"], "{out}");
        assert_eq!(cases.len(), 4);
        // Without an exact bound, a slower compiler would fail the workflow of every policy.
        let fuel = cases.iter().filter_map(|case| case["fuel"].as_u64()).max().expect("cases have fuel");
        assert!(2 * fuel < self.fuel_bound(), "{fuel}");

        let settings = self.read("pointsman.toml");
        let (_, rest) = settings.split_once("source = \"").expect("a source");
        let (built, _) = rest.split_once('"').expect("an end");
        let inspected = run_ok(&self.folder, &["inspect", "--json", built]);
        let inspected: Value = serde_json::from_str(&inspected).expect("JSON");
        assert_eq!(inspected["gate"]["without_grants"], true);
    }

    /// Measures the policy as its workflow does.
    fn is_measured(&self) {
        let bound = self.fuel_bound().to_string();
        run_ok(&self.folder, &["bench", "--rounds", "10", "--warm-up", "1", "--max-fuel", &bound]);
    }

    fn fuel_bound(&self) -> u64 {
        let workflow = self.read(".github/workflows/policy.yml");
        let (_, rest) = workflow.split_once("--max-fuel ").expect("the workflow measures");
        rest.lines().next().expect("a bound").parse().expect("a number")
    }

    /// Runs the compiler of TypeScript in the folder. Returns its output, which is empty without errors.
    fn type_check(&self, project: &str) -> String {
        let mut tsc = Command::new(self.folder.join("node_modules/.bin/tsc"));
        let output = tsc.current_dir(&self.folder).args(["--noEmit", "--project", project]).output();
        texts(&output.expect("tsc can be run")).0
    }
}

/// Makes cargo work offline in the folder of a policy, with the target directory of all policies here, which
/// stays between runs.
pub fn keep_builds(folder: &Path) {
    let target = Path::new(env!("CARGO_TARGET_TMPDIR")).join("author-rust/target");
    fs::create_dir_all(&target).expect("a target directory");
    symlink(target, folder.join("target")).expect("a link");
    // The versions of this repository are in cargo's cache.
    fs::copy(repository().join("Cargo.lock"), folder.join("Cargo.lock")).expect("the lock file");
}

/// Gives a policy the installed packages of Node.
pub fn link_packages(modules: &str, folder: &Path) {
    let modules = fs::canonicalize(modules).expect("the packages are installed");
    symlink(modules, folder.join("node_modules")).expect("a link");
}

impl Drop for NewPolicy {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.parent);
    }
}

#[test]
fn a_new_policy_in_rust_works_and_so_do_its_unit_tests() {
    let policy = NewPolicy::rust();
    policy.works();
    policy.is_measured();
    let mut tests = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    tests.current_dir(&policy.folder).args(["test", "--offline", "--quiet"]);
    let output = tests.output().expect("cargo can be run");
    let (out, err) = texts(&output);
    assert!(output.status.success() && out.contains("1 passed"), "{out}{err}");
}

#[test]
fn a_new_policy_in_javascript_works_and_its_types_are_those_of_the_contract() {
    let Some(policy) = NewPolicy::node("js") else { return };
    assert_eq!(policy.type_check("jsconfig.json"), "");
    policy.works();
    policy.replace("policy.js", "request.inputTokens >=", "request.inputToken >=");
    let out = policy.type_check("jsconfig.json");
    assert!(out.contains("policy.js") && out.contains("'inputToken'"), "{out}");
}

#[test]
fn a_new_policy_in_typescript_works_and_a_wrong_type_fails_its_build() {
    let Some(policy) = NewPolicy::node("ts") else { return };
    policy.works();
    policy.replace("policy.ts", "label: isLong", "labels: isLong");
    let (status, err) = run_err(&policy.folder, &["build"]);
    assert_eq!(status, Some(1), "{err}");
    assert!(err.contains("policy.ts") && err.contains("Property 'label' is missing"), "{err}");
}

/// Uses every kind of type in the contract.
const EVERY_TYPE: &str = r#"
import { write, type Level } from "pointsman:policy/log@0.1.0";
import type { Orchestrator } from "pointsman:policy/orchestrator@0.1.0";
import type { Configuration } from "pointsman:policy/configuration@0.1.0";
import type { Feedback } from "pointsman:policy/feedback@0.1.0";
import type { Observer } from "pointsman:policy/observer@0.1.0";
import { parts, whole } from "pointsman:policy/outline@0.1.0";
import { text } from "pointsman:policy/outputs@0.1.0";
import type { Part, Step, Task } from "pointsman:policy/plans@0.1.0";
import { requestAttribute } from "pointsman:policy/details@0.1.0";
import { lastUserText, toolNames } from "pointsman:policy/prompt@0.1.0";
import { add, delete as remove, get, list, set, type WriteError } from "pointsman:policy/state@0.1.0";

const say = (text: unknown, level: Level = "info") => write(level, JSON.stringify(text));

export const orchestrator: Orchestrator = {
  plan(request, candidates) {
    set("a/1", new Uint8Array([49]), null);
    set("a/2", new Uint8Array([50]), 60_000);
    remove("a/1");
    const sum: number = add("a/2", 40, null);
    const bytes: Uint8Array | null = get("a/2");
    const keys: string[] = list("a/", null, 10).map(({ key }) => key);
    const absent: string | null = requestAttribute("none");
    say([request.inputs.text, request.inputs.image, sum, bytes?.length, keys, absent, whole(), parts().length]);
    try {
      add("", 1, null);
    } catch (error) {
      say((error as Error & { payload: WriteError }).payload, "warn");
    }
    const task: Task = {
      name: "draft",
      operation: "chat",
      targets: candidates.map((_, candidate) => ({ candidate })),
      input: [
        { tag: "conversation", val: { ...request.inputs, image: false } },
        {
          tag: "message",
          val: {
            role: "user",
            content: [
              { tag: "text", val: lastUserText(100) },
              ...parts()
                .slice(0, 1)
                .map(({ message, part }): Part => ({
                  tag: "original",
                  val: { message, part, excerpt: [0, 2] },
                })),
            ],
          },
        },
      ],
      after: [],
      optional: false,
      maxOutputTokens: 100,
      options: [["temperature", toolNames().length === 0 ? "0" : "1"]],
    };
    const plan: Step = {
      tag: "run",
      val: { tasks: [task], next: { tag: "resume", val: new Uint8Array([1, 2]) }, label: "two-steps" },
    };
    return plan;
  },
  resume(_request, _candidates, state, results) {
    say([state.length, results.map(({ status }) => status), text(0, 100)]);
    return {
      tag: "finish",
      val: { content: [{ tag: "output", val: { task: 0 } }], label: "done" },
    };
  },
};

export const configuration: Configuration = { validate() {} };
export const observer: Observer = { observe: ({ cost, status }) => say([cost, status === "answered"]) };
export const feedback: Feedback = { rate: ({ score }) => say(score) };
"#;

#[test]
fn the_types_of_a_world_hold_for_every_type_of_the_contract() {
    let Some(policy) = NewPolicy::node("ts") else { return };
    policy.write(
        "wit/world.wit",
        "package local:policy;\nworld policy {\n    import pointsman:policy/settings@0.1.0;\n    \
         import pointsman:policy/log@0.1.0;\n    import pointsman:policy/details@0.1.0;\n    \
         import pointsman:policy/prompt@0.1.0;\n    import pointsman:policy/outputs@0.1.0;\n    import pointsman:policy/outline@0.1.0;\n    \
         import pointsman:policy/state@0.1.0;\n    export pointsman:policy/orchestrator@0.1.0;\n    \
         export pointsman:policy/configuration@0.1.0;\n    export pointsman:policy/observer@0.1.0;\n    \
         export pointsman:policy/feedback@0.1.0;\n}\n",
    );
    policy.write("policy.ts", EVERY_TYPE);
    fs::remove_dir_all(policy.folder.join("cases")).expect("the cases are there");
    fs::create_dir(policy.folder.join("cases")).expect("a folder for the case");
    policy.write(
        "cases/types.toml",
        "request.messages = \"What is this?\"\n[[tasks]]\nname = \"draft\"\noutput = \"a draft\"\n[expect]\n\
         label = \"done\"\nanswer = \"a draft\"\nstate = { \"a/1\" = \"\", \"a/2\" = \"42\" }\n\
         log = ['[true,false,42,2,[\"a/2\"],null,3,1]', '\"invalid-key\"', '[2,[\"done\"],\"a draft\"]']\n",
    );
    let out = run_ok(&policy.folder, &["test"]);
    assert!(out.starts_with("ok: 1 passed"), "{out}");
}

#[test]
fn a_new_policy_in_python_works_and_editors_get_its_types() {
    let Some(policy) = NewPolicy::python("python") else { return };
    policy.works();
    let types = policy.read("build/bindings/wit_world/imports/types.py");
    assert!(types.contains("class Candidate"), "{types}");
}

#[test]
fn a_new_policy_in_c_works_with_every_warning_an_error() {
    let Some(policy) = NewPolicy::python("c") else { return };
    let mut check = Command::new(policy.folder.join(".venv/bin/python"));
    check.args(["-m", "ziglang", "cc", "-c", "-o", "build/checked.o", "-Werror", "policy.c"]);
    let flags = policy.read("compile_flags.txt");
    let output = check.args(flags.lines()).current_dir(&policy.folder).output().expect("zig can be run");
    assert!(output.status.success(), "{}", texts(&output).1);
    policy.works();
    policy.is_measured();
}

#[test]
fn a_new_policy_is_reported_as_json_and_never_overwrites_files() {
    let parent = fresh_directory();
    let arguments = ["new", "by-length", "--lang", "javascript", "--path", "ours", "--json"];
    let report: Value = serde_json::from_str(&run_ok(&parent, &arguments)).expect("JSON");
    assert_eq!((&report["language"], &report["path"]), (&"javascript".into(), &"ours".into()));
    assert_eq!(report["next"][0], "cd ours");
    let files = report["files"].as_array().expect("a list");
    assert!(files.iter().all(|name| parent.join("ours").join(name.as_str().expect("a name")).is_file()));

    fs::write(parent.join("ours/policy.js"), "mine").expect("a change");
    let (status, err) = run_err(&parent, &arguments);
    assert_eq!(status, Some(2));
    assert!(err.contains("ours exists and has files\n  = hint: "), "{err}");
    assert_eq!(fs::read_to_string(parent.join("ours/policy.js")).expect("the file"), "mine");
    for (wrong, expected) in [
        (&["new", "By Length", "--lang", "c"][..], "hint: try `by-length`"),
        (&["new", "match", "--lang", "rust"], "cannot be the name of a crate"),
        (&["new", "mine", "--lang", "c", "--sdk", "0.1"], "--sdk is for policies in Rust"),
        (&["new", "mine", "--lang", "rust", "--sdk", "latest"], "is no version, folder or URL"),
        (&["new", "mine", "--lang", "c", "--path", "no/where"], "there is no folder"),
    ] {
        let (status, err) = run_err(&parent, wrong);
        assert_eq!(status, Some(2), "{wrong:?}");
        assert!(err.contains(expected), "{err}");
    }
    let names: Vec<_> = fs::read_dir(&parent).expect("a folder").flatten().collect();
    assert_eq!(names.len(), 1, "{names:?}");
    fs::remove_dir_all(parent).expect("the folder is there");
}
