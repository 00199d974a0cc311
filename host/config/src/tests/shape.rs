//! Texts that are not TOML, or not of the shape of a configuration.

use insta::assert_snapshot;

use super::rejected;

#[test]
fn a_syntax_error_is_reported_with_the_message_of_the_parser() {
    assert_snapshot!(rejected(
        r#"
[server]
listen = "127.0.0.1:8080"#,
    ), @r#"
    error: invalid basic string, expected `"`
     --> pointsman.toml:3:25
      |
    3 | listen = "127.0.0.1:8080
      |                         ^
    "#);
}

#[test]
fn a_text_in_yaml_is_recognised() {
    assert_snapshot!(rejected("# the fleet\nmodel_list:\n  - model_name: gpt\n"), @r#"
    error: this is YAML, and a configuration is TOML
     --> pointsman.toml:2:1
      |
    2 | model_list:
      | ^^^^^^^^^^^
      = hint: `pointsman import litellm FILE` converts a configuration of LiteLLM; docs/configuration.md has the keys
    "#);
    for text in ["---\na: 1\n", "- a\n", "a: 1"] {
        assert!(rejected(text).contains("this is YAML"), "{text}");
    }
    assert!(!rejected("a:b\n").contains("YAML"));
}

#[test]
fn every_syntax_error_is_reported() {
    assert_snapshot!(rejected(
        r#"
[server]
listen = 127.0.0.1
drain_timeout = = "1s""#,
    ), @r#"
    error: invalid float, expected nothing
     --> pointsman.toml:3:15
      |
    3 | listen = 127.0.0.1
      |               ^^^^

    error: extra `=`, expected nothing
     --> pointsman.toml:4:17
      |
    4 | drain_timeout = = "1s"
      |                 ^

    error: unexpected key or value, expected newline, `#`
     --> pointsman.toml:4:19
      |
    4 | drain_timeout = = "1s"
      |                   ^

    3 errors in pointsman.toml
    "#);
}

#[test]
fn a_key_given_twice_is_refused() {
    assert_snapshot!(rejected(
        r#"
[server]
drain_timeout = "1s"
drain_timeout = "2s""#,
    ), @r#"
    error: duplicate key
     --> pointsman.toml:4:1
      |
    4 | drain_timeout = "2s"
      | ^^^^^^^^^^^^^
    "#);
}

#[test]
fn an_unknown_section_is_refused() {
    assert_snapshot!(rejected(
        r#"
[backend.openai]
base_url = "https://api.openai.com/v1""#,
    ), @r#"
    error: unknown key `backend`
     --> pointsman.toml:2:2
      |
    2 | [backend.openai]
      |  ^^^^^^^
      = hint: did you mean `backends`?
    "#);
}

#[test]
fn an_unknown_key_hints_at_the_one_that_was_meant() {
    assert_snapshot!(rejected(
        r#"
[server]
max_body_byte = 10"#,
    ), @r#"
    error: unknown key `max_body_byte`
     --> pointsman.toml:3:1
      |
    3 | max_body_byte = 10
      | ^^^^^^^^^^^^^
      = hint: did you mean `max_body_bytes`?
    "#);
}

#[test]
fn an_unknown_key_that_is_like_no_other_lists_those_that_exist() {
    assert_snapshot!(rejected(
        r#"
[log]
colour = true"#,
    ), @r#"
    error: unknown key `colour`
     --> pointsman.toml:3:1
      |
    3 | colour = true
      | ^^^^^^
      = hint: expected one of: `format`, `level`
    "#);
}

#[test]
fn an_unknown_word_hints_at_the_one_that_was_meant() {
    assert_snapshot!(rejected(
        r#"
[log]
level = "inof""#,
    ), @r#"
    error: unknown word `inof`
     --> pointsman.toml:3:9
      |
    3 | level = "inof"
      |         ^^^^^^
      = hint: did you mean `info`?
    "#);
}

#[test]
fn a_value_of_the_wrong_type_says_what_was_expected() {
    assert_snapshot!(rejected(
        r#"
[server]
max_connections = "many""#,
    ), @r#"
    error: invalid type: string "many", expected a whole number
     --> pointsman.toml:3:19
      |
    3 | max_connections = "many"
      |                   ^^^^^^
    "#);
}

#[test]
fn a_duration_without_a_unit_is_refused() {
    assert_snapshot!(rejected(
        r#"
[server]
drain_timeout = 30"#,
    ), @r#"
    error: invalid type: integer `30`, expected a duration such as "20ms", "2s" or "5m"
     --> pointsman.toml:3:17
      |
    3 | drain_timeout = 30
      |                 ^^
    "#);
}

#[test]
fn a_duration_in_an_unknown_unit_is_refused() {
    assert_snapshot!(rejected(
        r#"
[server]
drain_timeout = "2 fortnights""#,
    ), @r#"
    error: invalid value: string "2 fortnights", expected a duration such as "20ms", "2s" or "5m"
     --> pointsman.toml:3:17
      |
    3 | drain_timeout = "2 fortnights"
      |                 ^^^^^^^^^^^^^^
    "#);
}

#[test]
fn a_size_that_is_none_is_refused() {
    assert_snapshot!(rejected(
        r#"
[server]
max_body_bytes = "32 megs""#,
    ), @r#"
    error: invalid value: string "32 megs", expected a size such as 4096, "64 KiB" or "16 MiB"
     --> pointsman.toml:3:18
      |
    3 | max_body_bytes = "32 megs"
      |                  ^^^^^^^^^
    "#);
}

#[test]
fn a_listener_needs_an_address_and_a_port() {
    assert_snapshot!(rejected(
        r#"
[server]
listen = "localhost:8080""#,
    ), @r#"
    error: invalid value: string "localhost:8080", expected an IP address and a port such as "127.0.0.1:8080" or "[::]:8080"
     --> pointsman.toml:3:10
      |
    3 | listen = "localhost:8080"
      |          ^^^^^^^^^^^^^^^^
    "#);
}

#[test]
fn a_word_in_a_list_is_checked() {
    assert_snapshot!(rejected(
        r#"
[models."sim/large"]
inputs = ["text", "pictures"]"#,
    ), @r#"
    error: unknown word `pictures`
     --> pointsman.toml:3:19
      |
    3 | inputs = ["text", "pictures"]
      |                   ^^^^^^^^^^
      = hint: expected one of: `text`, `image`, `audio`, `video`, `document`
    "#);
}

#[test]
fn a_word_that_could_be_a_table_is_checked() {
    assert_snapshot!(rejected(
        r#"
[policies.careful]
source = "builtin:cost"
isolation = "hot"
on_failure = { fallbak = "plain" }"#,
    ), @r#"
    error: unknown word `hot`
     --> pointsman.toml:4:13
      |
    4 | isolation = "hot"
      |             ^^^^^
      = hint: expected one of: `fresh`, `warm`

    error: unknown key `fallbak`
     --> pointsman.toml:5:16
      |
    5 | on_failure = { fallbak = "plain" }
      |                ^^^^^^^
      = hint: did you mean `fallback`?

    2 errors in pointsman.toml
    "#);
}

#[test]
fn a_key_left_out_for_not_fitting_is_not_missed_too() {
    assert_snapshot!(rejected(
        r#"
[backends.openai]
bas_url = "https://api.openai.com/v1"

[models."openai/gpt-4o"]"#,
    ), @r#"
    error: unknown key `bas_url`
     --> pointsman.toml:3:1
      |
    3 | bas_url = "https://api.openai.com/v1"
      | ^^^^^^^
      = hint: did you mean `base_url`?
    "#);
}

#[test]
fn an_attribute_is_a_single_value() {
    assert_snapshot!(rejected(
        r#"
[models."sim/large"]
attributes = { tags = ["new", "big"] }"#,
    ), @r#"
    error: invalid type: list, expected text, a number, true or false
     --> pointsman.toml:3:23
      |
    3 | attributes = { tags = ["new", "big"] }
      |                       ^^^^^^^^^^^^^^
    "#);
}
