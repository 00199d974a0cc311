//! Sources of policies, and keys that exclude each other.

use std::fs;
use std::path::Path;
use std::time::Duration;

use insta::assert_snapshot;
use pointsman_domain::ids::PolicyName;
use pointsman_supply::Credentials;

use super::super::{Config, ConfigSource, InvalidConfig, Overrides, Policy, PolicySource};
use super::{REST, accepted, rejected};

const HEX: &str = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";

fn policy<'c>(config: &'c Config, name: &str) -> &'c Policy {
    config.policy(&PolicyName::new(name)).unwrap()
}

#[test]
fn a_policy_in_a_registry_has_all_that_it_is_asked_with() {
    let config = accepted(
        r#"
[policies.mine]
source = "oci://ghcr.io/acme/router:stable"
public_key = "RWTPB4lzeaywJoUV2O+86FQY6PVFm0nZJJwJ1IQdgCDrTK3N43CFMFUB"
poll = "1m"
username = "reader"
password_env = "API_KEY"
limits = { component = "1 MiB" }"#,
    );
    let mine = policy(&config, "mine");
    let spec = mine.source.fetch_spec().unwrap();
    assert_eq!(mine.source.to_string(), "oci://ghcr.io/acme/router:stable");
    assert_eq!(mine.poll, Some(Duration::from_secs(60)));
    assert!(spec.public_key.is_some() && mine.source.file().is_none());
    assert_eq!(spec.max_bytes, 1 << 20);
    let (username, password) = ("reader".to_owned(), "sk-secret".to_owned());
    assert_eq!(spec.access.credentials, Some(Credentials { username, password }));
    assert!(!format!("{config:?}").contains("sk-secret"));
}

#[test]
fn a_policy_on_a_web_server_has_its_digest() {
    let config = accepted(&format!(
        "[policies.mine]\nsource = \"https://example.com/router.wasm\"\nsha256 = \"{HEX}\"\n"
    ));
    let spec = policy(&config, "mine").source.fetch_spec().unwrap();
    assert_eq!(spec.source.sha256().unwrap().to_string(), HEX);
}

#[test]
fn without_its_digest_a_policy_on_a_web_server_is_refused() {
    assert_snapshot!(rejected(
        r#"
[policies.mine]
source = "https://example.com/router.wasm"

[policies.other]
source = "https://example.com/router.wasm"
sha256 = "abc""#,
    ), @r#"
    error: a policy from a web server needs its `sha256`
     --> pointsman.toml:2:11
      |
    2 | [policies.mine]
      |           ^^^^
      = hint: `sha256sum FILE` prints it

    error: this is not a SHA-256
     --> pointsman.toml:7:10
      |
    7 | sha256 = "abc"
      |          ^^^^^
      = hint: it is 64 hex digits; `sha256sum FILE` prints it

    2 errors in pointsman.toml
    "#);
}

#[test]
fn a_source_that_nothing_comes_from_is_refused() {
    assert_snapshot!(rejected(
        r#"
[policies.one]
source = "oci://ghcr.io/router"

[policies.two]
source = "http://example.com/router.wasm"
public_key = "RW"

[policies.three]
source = "https://me:let-me-in@example.com/router.wasm""#,
    ), @r#"
    error: there is neither a tag nor a digest; a reference is oci://REGISTRY/REPOSITORY:TAG or oci://REGISTRY/REPOSITORY@sha256:HEX
     --> pointsman.toml:3:10
      |
    3 | source = "oci://ghcr.io/router"
      |          ^^^^^^^^^^^^^^^^^^^^^^

    error: example.com is another machine, which needs https:// instead of http://
     --> pointsman.toml:6:10
      |
    6 | source = "http://example.com/router.wasm"
      |          ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^

    error: the address contains a user name, a password or a query; credentials have settings of their own
      --> pointsman.toml:10:10
       |
    10 | source = …
       |          ^
       = hint: use `username` with `password_env` or `password_file`

    3 errors in pointsman.toml
    "#);
}

#[test]
fn a_key_that_means_nothing_to_a_source_is_refused() {
    assert_snapshot!(rejected(&format!(
        r#"
[policies.built]
source = "builtin:cost"
public_key = "RW"

[policies.fixed]
source = "oci://ghcr.io/acme/router@sha256:{HEX}"
poll = "1m""#,
    )), @r#"
    error: `public_key` does not apply to a built-in policy
     --> pointsman.toml:4:1
      |
    4 | public_key = "RW"
      | ^^^^^^^^^^
      = hint: remove it

    error: `poll` does not apply to a policy that is fixed by a digest
     --> pointsman.toml:8:1
      |
    8 | poll = "1m"
      | ^^^^
      = hint: remove it

    2 errors in pointsman.toml
    "#);
}

#[test]
fn half_of_the_credentials_are_refused() {
    assert_snapshot!(rejected(
        r#"
[policies.one]
source = "oci://ghcr.io/acme/router:v1"
username = "reader"
poll = "0s"
public_key = "RW"

[policies.two]
source = "oci://ghcr.io/acme/router:v1"
password_env = "API_KEY"
password = "let-me-in""#,
    ), @r#"
    error: there is a `username` without a password
     --> pointsman.toml:4:1
      |
    4 | username = "reader"
      | ^^^^^^^^
      = hint: add `password_env` or `password_file`

    error: `poll` is zero
     --> pointsman.toml:5:8
      |
    5 | poll = "0s"
      |        ^^^^
      = hint: leave it out to resolve the tag only on a reload for another reason

    error: this is not a public key of minisign: it is the line that begins with RW in the .pub file that `minisign -G` writes
     --> pointsman.toml:6:14
      |
    6 | public_key = "RW"
      |              ^^^^

    error: there is a password without a `username`
      --> pointsman.toml:10:1
       |
    10 | password_env = "API_KEY"
       | ^^^^^^^^^^^^
       = hint: add `username`

    error: unknown key `password`
      --> pointsman.toml:11:1
       |
    11 | password = …
       | ^^^^^^^^
       = hint: secrets are not written in the configuration: name an environment variable with `password_env` or a file with `password_file`

    5 errors in pointsman.toml
    "#);
}

/// Compiles a text beside a directory `policies.d` with some files in it.
fn beside(files: &[&str], text: &str) -> Result<Config, InvalidConfig> {
    let base = tempfile::tempdir().unwrap();
    let directory = base.path().join("policies.d");
    fs::create_dir(&directory).unwrap();
    for file in files {
        fs::write(directory.join(file), "").unwrap();
    }
    let text = format!("policy_dir = \"policies.d\"\n{text}{REST}");
    let (env, overrides, base_dir) = (&|_: &str| None, Overrides::default(), base.path());
    Config::parse(ConfigSource { file: "pointsman.toml", text: &text, base_dir, env, overrides, now: 0 })
}

#[test]
fn every_file_in_the_policy_directory_is_a_policy() {
    let files = ["one.wasm", "two.wasm", "notes.txt", "one.wasm.minisig", "not plain.wasm", ".wasm"];
    let text = "[policies.two]\ngrants = [\"prompt\"]\n[policies.elsewhere]\nsource = \"builtin:cost\"\n";
    let config = beside(&files, text).unwrap();
    let names: Vec<_> = config.policies.iter().map(|policy| policy.spec.name.as_str()).collect();
    assert_eq!(names, ["two", "elsewhere", "plain", "one"]);
    let ends_with = |name: &str, end: &str| policy(&config, name).source.file().unwrap().ends_with(end);
    assert!(ends_with("one", "policies.d/one.wasm") && ends_with("two", "policies.d/two.wasm"));
    assert!(policy(&config, "one").spec.grants.is_empty() && !policy(&config, "two").spec.grants.is_empty());
    assert!(config.policy_dir.is_some_and(|directory| directory.ends_with("policies.d")));
    assert_eq!(config.warnings.len(), 2, "{:?}", config.warnings);
    let rule = "not plain.wasm is not loaded because of its name: names are 1 to 64 characters";
    assert!(config.warnings.iter().any(|warning| warning.contains(rule)), "{:?}", config.warnings);
}

#[test]
fn a_source_counts_over_the_file_of_the_same_name() {
    let config = beside(&["one.wasm"], "[policies.one]\nsource = \"builtin:cost\"\n").unwrap();
    assert_eq!(policy(&config, "one").source, PolicySource::Builtin("cost"));
}

#[test]
fn a_policy_directory_has_to_be_there() {
    assert_snapshot!(rejected("policy_dir = \"policies.d\""), @r#"
    error: cannot read the directory /nowhere/policies.d: No such file or directory (os error 2)
     --> pointsman.toml:1:14
      |
    1 | policy_dir = "policies.d"
      |              ^^^^^^^^^^^^
      = hint: paths are relative to the configuration file
    "#);
    assert!(!Path::new("/nowhere").exists());
}
