//! Backends and models that cannot be.

use insta::assert_snapshot;

use super::rejected;

#[test]
fn a_model_on_an_unknown_backend_hints_at_the_one_that_was_meant() {
    assert_snapshot!(rejected(
        r#"
[backends.openai]
base_url = "https://api.openai.com/v1"

[models."opena/gpt-4o"]"#,
    ), @r#"
    error: unknown backend `opena`
     --> pointsman.toml:5:9
      |
    5 | [models."opena/gpt-4o"]
      |         ^^^^^^^^^^^^^^
      = hint: did you mean `openai`?
    "#);
}

#[test]
fn a_model_id_names_its_backend() {
    assert_snapshot!(rejected(
        r#"
[models.gpt-4o]"#,
    ), @r#"
    error: "gpt-4o" is not the id of a model
     --> pointsman.toml:2:9
      |
    2 | [models.gpt-4o]
      |         ^^^^^^
      = hint: the id is the backend's name and the model's: [models."backend/model"]
    "#);
}

#[test]
fn a_real_backend_has_a_base_url() {
    assert_snapshot!(rejected(
        r#"
[backends.local]"#,
    ), @r#"
    error: the backend has no `base_url`
     --> pointsman.toml:2:11
      |
    2 | [backends.local]
      |           ^^^^^
      = hint: it is the base URL of an API, such as "https://api.openai.com/v1" or "http://127.0.0.1:8000/v1"
    "#);
}

#[test]
fn a_base_url_is_a_web_address() {
    assert_snapshot!(rejected(
        r#"
[backends.local]
base_url = "127.0.0.1:8000/v1""#,
    ), @r#"
    error: "127.0.0.1:8000/v1" is not the address of an API
     --> pointsman.toml:3:12
      |
    3 | base_url = "127.0.0.1:8000/v1"
      |            ^^^^^^^^^^^^^^^^^^^
      = hint: it is the base URL of an API, such as "https://api.openai.com/v1" or "http://127.0.0.1:8000/v1"
    "#);
}

#[test]
fn a_header_that_pointsman_sets_is_refused() {
    assert_snapshot!(rejected(
        r#"
[backends.local]
base_url = "http://127.0.0.1:8000/v1"
headers = { Host = "example.org", "x y" = "1" }"#,
    ), @r#"
    error: the header `Host` is set by Pointsman
     --> pointsman.toml:4:13
      |
    4 | headers = { Host = "example.org", "x y" = "1" }
      |             ^^^^

    error: "x y" is not the name of a header
     --> pointsman.toml:4:35
      |
    4 | headers = { Host = "example.org", "x y" = "1" }
      |                                   ^^^^^

    2 errors in pointsman.toml
    "#);
}

#[test]
fn a_simulated_backend_has_no_address() {
    assert_snapshot!(rejected(
        r#"
[backends.fleet]
kind = "simulated"
base_url = "http://127.0.0.1:8000/v1""#,
    ), @r#"
    error: `base_url` does not apply to a simulated backend
     --> pointsman.toml:4:1
      |
    4 | base_url = "http://127.0.0.1:8000/v1"
      | ^^^^^^^^
      = hint: remove it, or set `kind = "openai"`
    "#);
}

#[test]
fn a_model_that_no_catalogue_knows_needs_a_price() {
    assert_snapshot!(rejected(
        r#"
[backends.local]
base_url = "http://127.0.0.1:8000/v1"

[models."local/gemma"]
input_price = 0"#,
    ), @r#"
    error: the price of `local/gemma` is not known
     --> pointsman.toml:5:9
      |
    5 | [models."local/gemma"]
      |         ^^^^^^^^^^^^^
      = hint: set `input_price` and `output_price` in US dollars per million tokens, 0 for a server of your own, or name an entry of the catalogue: catalogue = "openai/gpt-4o"
    "#);
}

#[test]
fn a_price_is_not_negative() {
    assert_snapshot!(rejected(
        r#"
[models."sim/large"]
input_price = -1
output_price = inf"#,
    ), @r#"
    error: -1 is not a price
     --> pointsman.toml:3:15
      |
    3 | input_price = -1
      |               ^^
      = hint: prices are US dollars per million tokens

    error: inf is not a price
     --> pointsman.toml:4:16
      |
    4 | output_price = inf
      |                ^^^
      = hint: prices are US dollars per million tokens

    2 errors in pointsman.toml
    "#);
}

#[test]
fn a_quality_is_between_nothing_and_one() {
    assert_snapshot!(rejected(
        r#"
[models."sim/large"]
quality = 70

[models."sim/larger"]
quality = { general = 0.5, code = 1.5 }"#,
    ), @r#"
    error: 70 is not a quality
     --> pointsman.toml:3:11
      |
    3 | quality = 70
      |           ^^
      = hint: a quality is 0 to 1

    error: 1.5 is not a quality
     --> pointsman.toml:6:35
      |
    6 | quality = { general = 0.5, code = 1.5 }
      |                                   ^^^
      = hint: a quality is 0 to 1

    2 errors in pointsman.toml
    "#);
}

#[test]
fn a_model_has_only_operations_that_its_providers_api_has() {
    assert_snapshot!(rejected(
        r#"
[backends.anthropic]
kind = "anthropic"

[models."anthropic/claude"]
input_price = 1
output_price = 1
operations = ["chat", "speech"]"#,
    ), @r#"
    error: a backend of kind "anthropic" has no speech calls
     --> pointsman.toml:8:14
      |
    8 | operations = ["chat", "speech"]
      |              ^^^^^^^^^^^^^^^^^^
      = hint: use a backend of kind "openai" if the provider offers an API like OpenAI's
    "#);
}

#[test]
fn uploads_have_a_directory_and_limits_that_agree() {
    assert_snapshot!(rejected(
        r#"
[uploads]
dir = "not/there"
max_bytes = "10 MiB"
limit = "1 MiB""#,
    ), @r#"
    error: /nowhere/not/there is not a directory
     --> pointsman.toml:3:7
      |
    3 | dir = "not/there"
      |       ^^^^^^^^^^^
      = hint: make the directory, or leave `dir` out to use the system's for temporary files

    error: `limit` is less than one upload may be
     --> pointsman.toml:5:9
      |
    5 | limit = "1 MiB"
      |         ^^^^^^^
      = hint: make it at least 10485760 bytes, or lower `max_bytes`

    2 errors in pointsman.toml
    "#);
}

#[test]
fn an_unknown_entry_of_the_catalogue_hints_at_a_near_one() {
    assert_snapshot!(rejected(
        r#"
[models."sim/large"]
catalogue = "openai/gpt4o""#,
    ), @r#"
    error: the catalogue has no `openai/gpt4o`
     --> pointsman.toml:3:13
      |
    3 | catalogue = "openai/gpt4o"
      |             ^^^^^^^^^^^^^^
      = hint: did you mean `openai/gpt-4o`?
    "#);
}

#[test]
fn a_real_model_is_not_simulated() {
    assert_snapshot!(rejected(
        r#"
[backends.openai]
base_url = "https://api.openai.com/v1"

[models."openai/gpt-4o"]
simulate = { first_token_ms = 5 }"#,
    ), @r#"
    error: backend `openai` is a real server, so nothing is simulated
     --> pointsman.toml:6:1
      |
    6 | simulate = { first_token_ms = 5 }
      | ^^^^^^^^
      = hint: remove `simulate`, or set `kind = "simulated"` on the backend
    "#);
}

#[test]
fn a_simulated_model_behaves_within_reason() {
    assert_snapshot!(rejected(
        r#"
[models."sim/large"]
simulate = { first_token_ms = -5, tokens_per_second = 0, failure_rate = 2 }"#,
    ), @r#"
    error: -5 is not a time to the first token
     --> pointsman.toml:3:31
      |
    3 | simulate = { first_token_ms = -5, tokens_per_second = 0, failure_rate = 2 }
      |                               ^^
      = hint: it is milliseconds, 0 to an hour

    error: 0 is not a speed
     --> pointsman.toml:3:55
      |
    3 | simulate = { first_token_ms = -5, tokens_per_second = 0, failure_rate = 2 }
      |                                                       ^
      = hint: it is tokens per second, above 0

    error: 2 is not a share
     --> pointsman.toml:3:73
      |
    3 | simulate = { first_token_ms = -5, tokens_per_second = 0, failure_rate = 2 }
      |                                                                         ^
      = hint: a share is 0 to 1

    3 errors in pointsman.toml
    "#);
}

#[test]
fn the_places_of_a_simulated_model_are_checked() {
    assert_snapshot!(rejected(
        r#"
[models."sim/large"]
simulate = { capacity = 0, input_tokens_per_second = -1 }
[models."sim/huge"]
simulate = { queue = 5 }"#,
    ), @r#"
    error: `capacity` is zero, so the model could not answer
     --> pointsman.toml:3:25
      |
    3 | simulate = { capacity = 0, input_tokens_per_second = -1 }
      |                         ^
      = hint: leave it out for any number of calls at once

    error: -1 is not a speed
     --> pointsman.toml:3:54
      |
    3 | simulate = { capacity = 0, input_tokens_per_second = -1 }
      |                                                      ^^
      = hint: it is tokens per second, above 0

    error: `queue` has no effect without `capacity`
     --> pointsman.toml:5:22
      |
    5 | simulate = { queue = 5 }
      |                      ^
      = hint: set the number of calls that the model works on at once

    3 errors in pointsman.toml
    "#);
}
