//! The command `pointsman policy inspect`.

use pointsman_guests::{unknown_import, wrong_world};
use serde_json::{Value, json};

use crate::command_line::{run, texts};
use crate::policy_file::PolicyFile;

const READER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/fixtures/guests/0.1.0/reader.wasm");

/// Inspects a valid policy, and returns the output.
fn inspect(arguments: &[&str]) -> String {
    let output = run(&[&["policy", "inspect"], arguments].concat());
    let (stdout, errors) = texts(&output);
    assert_eq!((output.status.code(), errors.as_str()), (Some(0), ""));
    stdout
}

/// Inspects a file that is not a policy, and returns the error.
fn inspect_error(source: &str) -> String {
    let output = run(&["policy", "inspect", source]);
    let (stdout, errors) = texts(&output);
    assert_eq!((output.status.code(), stdout.as_str()), (Some(2), ""), "{errors}");
    assert!(errors.starts_with("error: "), "{errors}");
    errors
}

#[test]
fn inspect_prints_the_contract_and_the_grants_of_a_policy() {
    let expected = "
  does       chooses the model for a request
  contract   pointsman:policy@0.1.0
  file       core module with an embedded component type, 107500 bytes
  sha-256    3cc763a3f9acdc1f3d03d046328b8221cf0b669574b98d5c51a781543d26b2ce
  sdk        not recorded
  languages  not recorded
  made with  wit-component 0.258.3, wit-bindgen-rust 0.61.1

  imports   grant   lets it                                                 by
  settings  -       read its own settings                                   json
  prompt    prompt  read what the request says, and the names of its tools  message-count, role, last-user-text, tool-names
  types     -       name types of requests, models and decisions

  exports        which                                 by
  router         chooses the model for a request       route
  configuration  judges its settings before it serves  validate

  counts                         has      at most
  modules                        1        200
  core instances                 0        500
  functions                      370      40000
  bytes of the largest function  6071     524288
  locals of a function           38       10000
  bytes of memory at first       1114112  16777216

  load gate  lets it in with grants = [\"prompt\"]
  `pointsman check` tests compilation, settings and a probe decision
";
    assert_eq!(inspect(&[READER]), format!("{READER}{expected}"));
}

#[test]
fn inspect_prints_json_on_request() {
    let output: Value = serde_json::from_str(&inspect(&["--json", READER])).expect("it is JSON");
    assert_eq!(output["format"], "core-module");
    assert_eq!(output["imports"][1]["name"], "pointsman:policy/prompt@0.1.0");
    assert_eq!(output["gate"], json!({ "without_grants": false, "grants": ["prompt"], "refusals": [] }));
}

#[test]
fn built_in_policies_can_be_inspected_by_name() {
    let cost = inspect(&["builtin:cost"]);
    assert!(cost.starts_with("builtin:cost\n"), "{cost}");
    assert!(cost.contains("\n  load gate  lets it in without any grant\n"), "{cost}");
    assert!(cost.contains(concat!("\n  sdk        rust ", env!("CARGO_PKG_VERSION"), "\n")), "{cost}");
    let parallel = inspect(&["builtin:parallel"]);
    assert!(parallel.contains(r#"lets it in with grants = ["prompt", "outputs"]"#), "{parallel}");
    let unknown = inspect_error("builtin:cheapest");
    assert!(unknown.contains("there is no built-in policy `cheapest`"), "{unknown}");
    assert!(unknown.contains("built-in policies: cost, performance, "), "{unknown}");
}

#[test]
fn a_file_that_is_no_policy_ends_with_status_2() {
    let cases: [(&[u8], &str); 4] = [
        (b"not even WebAssembly", "not a WebAssembly component: it does not begin with"),
        (b"", "the file is empty"),
        (&wrong_world(), "so it is no policy (it exports: acme:tools/command@1.0.0)"),
        (&unknown_import(), "so it is no policy (it exports: nothing)"),
    ];
    for (bytes, expected) in cases {
        let file = PolicyFile::new(bytes);
        let source = file.path().display().to_string();
        let error = inspect_error(&source);
        assert!(error.contains(&source) && error.contains(expected), "{error}");
    }
    assert!(inspect_error("no-such-file.wasm").contains("cannot read no-such-file.wasm: "));
}
