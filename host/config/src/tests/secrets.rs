//! Secrets in the wrong place, or not in the right one.

use insta::assert_snapshot;

use super::rejected;

#[test]
fn a_secret_is_not_written_in_the_configuration() {
    assert_snapshot!(rejected(
        r#"
[backends.openai]
base_url = "https://api.openai.com/v1"
api_key = "sk-secret""#,
    ), @r#"
    error: unknown key `api_key`
     --> pointsman.toml:4:1
      |
    4 | api_key = …
      | ^^^^^^^
      = hint: secrets are not written in the configuration: name an environment variable with `api_key_env` or a file with `api_key_file`
    "#);
}

#[test]
fn the_token_for_reading_is_not_that_of_operators() {
    let error = rejected("[admin]\ntoken_env = \"API_KEY\"\nread_token_env = \"API_KEY\"\n");
    assert!(
        error.starts_with(
            "error: the token for reading is also that of operators\n --> pointsman.toml:3:18\n"
        ),
        "{error}"
    );
    assert!(!error.contains("sk-secret"), "{error}");
}

#[test]
fn a_token_is_not_written_in_the_configuration() {
    assert_snapshot!(rejected(
        r#"
[admin]
token = "secret""#,
    ), @r#"
    error: unknown key `token`
     --> pointsman.toml:3:1
      |
    3 | token = …
      | ^^^^^
      = hint: secrets are not written in the configuration: name an environment variable with `token_env` or a file with `token_file`
    "#);
}

#[test]
fn a_header_with_a_key_is_refused_and_not_shown() {
    assert_snapshot!(rejected(
        r#"
[backends.openai]
base_url = "https://api.openai.com/v1"
headers = { Authorization = "Bearer sk-secret" }"#,
    ), @r#"
    error: the header `Authorization` carries a key
     --> pointsman.toml:4:13
      |
    4 | headers = { Authorization = …
      |             ^^^^^^^^^^^^^
      = hint: secrets are not written in the configuration: use `api_key_env` or `api_key_file`
    "#);
}

#[test]
fn a_base_url_with_a_password_is_refused_and_not_shown() {
    assert_snapshot!(rejected(
        r#"
[backends.openai]
base_url = "https://me:secret@api.openai.com/v1""#,
    ), @r#"
    error: `base_url` holds a user name or a password
     --> pointsman.toml:3:12
      |
    3 | base_url = …
      |            ^
      = hint: secrets are not written in the configuration: use `api_key_env` or `api_key_file`
    "#);
}

#[test]
fn a_secret_in_place_of_a_variables_name_is_not_shown() {
    assert_snapshot!(rejected(
        r#"
[backends.openai]
base_url = "https://api.openai.com/v1"
api_key_env = "sk-secret""#,
    ), @r#"
    error: `api_key_env` is not the name of an environment variable
     --> pointsman.toml:4:15
      |
    4 | api_key_env = …
      |               ^
      = hint: write the variable's name here, such as "OPENAI_API_KEY", and the secret into the variable
    "#);
}

#[test]
fn a_missing_variable_is_named() {
    assert_snapshot!(rejected(
        r#"
[backends.openai]
base_url = "https://api.openai.com/v1"
api_key_env = "OPENAI_API_KEY""#,
    ), @r#"
    error: the environment variable `OPENAI_API_KEY` is not set
     --> pointsman.toml:4:15
      |
    4 | api_key_env = "OPENAI_API_KEY"
      |               ^^^^^^^^^^^^^^^^
      = hint: set it before Pointsman starts: export OPENAI_API_KEY=...
    "#);
}

#[test]
fn an_empty_variable_is_refused() {
    assert_snapshot!(rejected(
        r#"
[admin]
token_env = "EMPTY""#,
    ), @r#"
    error: the environment variable `EMPTY` is empty
     --> pointsman.toml:3:13
      |
    3 | token_env = "EMPTY"
      |             ^^^^^^^
    "#);
}

#[test]
fn a_missing_file_is_named() {
    assert_snapshot!(rejected(
        r#"
[backends.openai]
base_url = "https://api.openai.com/v1"
api_key_file = "openai.key"
ca_file = "ca.pem""#,
    ), @r#"
    error: cannot read /nowhere/openai.key: No such file or directory (os error 2)
     --> pointsman.toml:4:16
      |
    4 | api_key_file = "openai.key"
      |                ^^^^^^^^^^^^
      = hint: paths are relative to the configuration file

    error: cannot read /nowhere/ca.pem: No such file or directory (os error 2)
     --> pointsman.toml:5:11
      |
    5 | ca_file = "ca.pem"
      |           ^^^^^^^^
      = hint: paths are relative to the configuration file

    2 errors in pointsman.toml
    "#);
}

#[test]
fn a_secret_has_one_origin() {
    assert_snapshot!(rejected(
        r#"
[admin]
token_env = "API_KEY"
token_file = "token""#,
    ), @r#"
    error: both `token_env` and `token_file` are given
     --> pointsman.toml:4:1
      |
    4 | token_file = "token"
      | ^^^^^^^^^^
      = hint: keep one of them
    "#);
}

#[test]
fn a_key_in_place_of_its_hash_is_not_shown() {
    assert_snapshot!(rejected(
        r#"
[keys.team]
hash = "pm-secret""#,
    ), @r#"
    error: this is not the hash of a key
     --> pointsman.toml:3:8
      |
    3 | hash = …
      |        ^
      = hint: it is `sha256:` and 64 hex digits; `pointsman key` makes a key and its hash
    "#);
}

#[test]
fn a_line_with_a_secret_and_a_syntax_error_is_not_shown() {
    assert_snapshot!(rejected(
        r#"
[backends.openai]
api_key = sk-secret"#,
    ), @r#"
    error: string values must be quoted, expected literal string
     --> pointsman.toml:3:11
      |
    3 | api_key = …
      |           ^
    "#);
}

#[test]
fn a_secret_beside_another_fault_is_not_shown() {
    assert_snapshot!(rejected(
        r#"
[backends]
openai = { base_url = 3, api_key = "sk-secret" }"#,
    ), @r#"
    error: invalid type: integer `3`, expected a string
     --> pointsman.toml:3:23
      |
    3 | openai = { base_url = 3, api_key = …
      |                       ^

    error: unknown key `api_key`
     --> pointsman.toml:3:26
      |
    3 | openai = { base_url = 3, api_key = …
      |                          ^^^^^^^
      = hint: secrets are not written in the configuration: name an environment variable with `api_key_env` or a file with `api_key_file`

    2 errors in pointsman.toml
    "#);
}
