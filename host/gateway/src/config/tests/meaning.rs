//! Configurations of the right shape that do not fit together.

use insta::assert_snapshot;

use super::{compile, rejected};

#[test]
fn an_empty_configuration_says_what_to_add() {
    assert_snapshot!(compile("").unwrap_err().to_string(), @r#"
    error: there is no model
     --> pointsman.toml
      = hint: add [backends.NAME] and [models."NAME/MODEL"]
    "#);
}

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
      = hint: it is where the API begins, such as "https://api.openai.com/v1" or "http://127.0.0.1:8000/v1"
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
      = hint: it is where the API begins, such as "https://api.openai.com/v1" or "http://127.0.0.1:8000/v1"
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
fn a_simulated_backend_has_no_address() {
    assert_snapshot!(rejected(
        r#"
[backends.fleet]
kind = "simulated"
base_url = "http://127.0.0.1:8000/v1""#,
    ), @r#"
    error: `base_url` means nothing to a simulated backend
     --> pointsman.toml:4:1
      |
    4 | base_url = "http://127.0.0.1:8000/v1"
      | ^^^^^^^^
      = hint: remove it, or set `kind = "openai"`
    "#);
}

#[test]
fn an_unknown_policy_of_a_route_hints_at_the_one_that_was_meant() {
    assert_snapshot!(rejected(
        r#"
[routes.auto]
policy = "plian""#,
    ), @r#"
    error: unknown policy `plian`
     --> pointsman.toml:3:10
      |
    3 | policy = "plian"
      |          ^^^^^^^
      = hint: did you mean `plain`?
    "#);
}

#[test]
fn a_route_has_a_policy() {
    assert_snapshot!(rejected(
        r#"
[routes.auto]
models = ["sim/*"]"#,
    ), @r#"
    error: the route has no `policy`
     --> pointsman.toml:2:9
      |
    2 | [routes.auto]
      |         ^^^^
      = hint: name one of [policies.NAME]
    "#);
}

#[test]
fn an_unknown_model_of_a_route_hints_at_the_one_that_was_meant() {
    assert_snapshot!(rejected(
        r#"
[routes.auto]
policy = "plain"
models = ["sim/smal", "other/*"]"#,
    ), @r#"
    error: unknown model `sim/smal`
     --> pointsman.toml:4:11
      |
    4 | models = ["sim/smal", "other/*"]
      |           ^^^^^^^^^^
      = hint: did you mean `sim/small`?

    error: no model matches `other/*`
     --> pointsman.toml:4:23
      |
    4 | models = ["sim/smal", "other/*"]
      |                       ^^^^^^^^^
      = hint: models: `sim/small`

    2 errors in pointsman.toml
    "#);
}

#[test]
fn a_route_has_a_plain_name() {
    assert_snapshot!(rejected(
        r#"
[routes."sim/small"]
policy = "plain""#,
    ), @r#"
    error: route "sim/small" has a name that cannot be used
     --> pointsman.toml:2:9
      |
    2 | [routes."sim/small"]
      |         ^^^^^^^^^^^
      = hint: names are 1 to 64 characters of a-z A-Z 0-9 _ . -
    "#);
}

#[test]
fn a_route_calls_at_least_one_model() {
    assert_snapshot!(rejected(
        r#"
[routes.auto]
policy = "plain"
models = []
max_attempts = 0
timeout = "0s""#,
    ), @r#"
    error: the route has no models
     --> pointsman.toml:4:10
      |
    4 | models = []
      |          ^^
      = hint: leave `models` out to have all

    error: `max_attempts` is zero, so no model would be called
     --> pointsman.toml:5:16
      |
    5 | max_attempts = 0
      |                ^

    error: `timeout` is zero, so no model would be called
     --> pointsman.toml:6:11
      |
    6 | timeout = "0s"
      |           ^^^^

    3 errors in pointsman.toml
    "#);
}

#[test]
fn a_policy_has_a_source() {
    assert_snapshot!(rejected(
        r#"
[policies.mine]
grants = ["prompt"]"#,
    ), @r#"
    error: the policy has no `source`
     --> pointsman.toml:2:11
      |
    2 | [policies.mine]
      |           ^^^^
      = hint: it is "builtin:cost", or the path of a WebAssembly file
    "#);
}

#[test]
fn an_unknown_built_in_policy_lists_those_that_exist() {
    assert_snapshot!(rejected(
        r#"
[policies.mine]
source = "builtin:cheapest""#,
    ), @r#"
    error: there is no built-in policy `cheapest`
     --> pointsman.toml:3:10
      |
    3 | source = "builtin:cheapest"
      |          ^^^^^^^^^^^^^^^^^^
      = hint: built-in policies: `cost`, `performance`, `task-type`, `dynamic`
    "#);
}

#[test]
fn a_policy_file_has_to_be_there() {
    assert_snapshot!(rejected(
        r#"
[policies.mine]
source = "policies/mine.wasm"

[policies.cost]
source = "cost""#,
    ), @r#"
    error: there is no file /nowhere/policies/mine.wasm
     --> pointsman.toml:3:10
      |
    3 | source = "policies/mine.wasm"
      |          ^^^^^^^^^^^^^^^^^^^^
      = hint: paths are relative to the configuration file; built-in policies begin with "builtin:"

    error: there is no file /nowhere/cost
     --> pointsman.toml:6:10
      |
    6 | source = "cost"
      |          ^^^^^^
      = hint: the built-in policy is "builtin:cost"

    2 errors in pointsman.toml
    "#);
}

#[test]
fn settings_are_what_json_can_hold() {
    assert_snapshot!(rejected(
        r#"
[policies.mine]
source = "builtin:cost"
settings = { floor = nan }"#,
    ), @r#"
    error: the settings hold a number that JSON does not have
     --> pointsman.toml:4:1
      |
    4 | settings = { floor = nan }
      | ^^^^^^^^
      = hint: policies get their settings as JSON, which has neither nan nor inf
    "#);
}

#[test]
fn an_unknown_fallback_policy_hints_at_the_one_that_was_meant() {
    assert_snapshot!(rejected(
        r#"
[policies.mine]
source = "builtin:cost"
on_failure = { fallback = "plian" }"#,
    ), @r#"
    error: unknown policy `plian`
     --> pointsman.toml:4:27
      |
    4 | on_failure = { fallback = "plian" }
      |                           ^^^^^^^
      = hint: did you mean `plain`?
    "#);
}

#[test]
fn fallback_policies_do_not_lead_round_in_a_circle() {
    assert_snapshot!(rejected(
        r#"
[policies.a]
source = "builtin:cost"
on_failure = { fallback = "b" }

[policies.b]
source = "builtin:cost"
on_failure = { fallback = "c" }

[policies.c]
source = "builtin:cost"
on_failure = { fallback = "a" }"#,
    ), @r#"
    error: fallback policies lead round in a circle: a -> b -> c -> a
     --> pointsman.toml:4:27
      |
    4 | on_failure = { fallback = "b" }
      |                           ^^^
      = hint: let the last one fall back to the order of the models: on_failure = "fallback"
    "#);
}

#[test]
fn a_route_does_not_fall_back_to_a_policy_that_leads_to_its_own() {
    assert_snapshot!(rejected(
        r#"
[policies.a]
source = "builtin:cost"

[policies.b]
source = "builtin:cost"
on_failure = { fallback = "a" }

[routes.auto]
policy = "a"
on_failure = { fallback = "b" }"#,
    ), @r#"
    error: fallback policies lead round in a circle: a -> b -> a
      --> pointsman.toml:11:27
       |
    11 | on_failure = { fallback = "b" }
       |                           ^^^
       = hint: let the last one fall back to the order of the models: on_failure = "fallback"
    "#);
}

#[test]
fn a_listener_for_everybody_needs_keys() {
    assert_snapshot!(rejected(
        r#"
[server]
listen = "0.0.0.0:8080""#,
    ), @r#"
    error: other machines can reach 0.0.0.0:8080, but there are no API keys
     --> pointsman.toml:3:10
      |
    3 | listen = "0.0.0.0:8080"
      |          ^^^^^^^^^^^^^^
      = hint: make a key with `pointsman key` and put its hash under [keys.NAME], or set `server.allow_anonymous = true`
    "#);
}

#[test]
fn an_admin_listener_for_everybody_needs_a_token() {
    assert_snapshot!(rejected(
        r#"
[admin]
listen = "0.0.0.0:8081""#,
    ), @r#"
    error: other machines can reach the admin API at 0.0.0.0:8081, but it has no token
     --> pointsman.toml:3:10
      |
    3 | listen = "0.0.0.0:8081"
      |          ^^^^^^^^^^^^^^
      = hint: name an environment variable with `token_env` or a file with `token_file` under [admin]
    "#);
}

#[test]
fn limits_of_zero_are_refused() {
    assert_snapshot!(rejected(
        r#"
[server]
max_body_bytes = 0
max_header_bytes = "1 KiB"

[policies.mine]
source = "builtin:cost"
limits = { deadline = "0ms", memory = 0 }
isolation = { warm = { instances = 0 } }"#,
    ), @r#"
    error: `max_body_bytes` is zero, so no request could be served
     --> pointsman.toml:3:18
      |
    3 | max_body_bytes = 0
      |                  ^

    error: `max_header_bytes` is below 8 KiB
     --> pointsman.toml:4:20
      |
    4 | max_header_bytes = "1 KiB"
      |                    ^^^^^^^
      = hint: ordinary clients send heads of some kilobytes

    error: `deadline` is zero, so the policy could never decide
     --> pointsman.toml:8:23
      |
    8 | limits = { deadline = "0ms", memory = 0 }
      |                       ^^^^^

    error: `memory` is zero, so the policy could never decide
     --> pointsman.toml:8:39
      |
    8 | limits = { deadline = "0ms", memory = 0 }
      |                                       ^

    error: `instances` is zero
     --> pointsman.toml:9:36
      |
    9 | isolation = { warm = { instances = 0 } }
      |                                    ^
      = hint: use isolation = "fresh"

    5 errors in pointsman.toml
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
fn a_key_for_an_unknown_route_hints_at_the_one_that_was_meant() {
    assert_snapshot!(rejected(
        r#"
[keys.team]
hash = "sha256:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
routes = ["usual", "usal"]"#,
    ), @r#"
    error: unknown route `usal`
     --> pointsman.toml:4:20
      |
    4 | routes = ["usual", "usal"]
      |                    ^^^^^^
      = hint: did you mean `usual`?
    "#);
}

#[test]
fn two_clients_do_not_share_a_key() {
    assert_snapshot!(rejected(
        r#"
[keys.one]
hash = "sha256:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
[keys.two]
hash = "sha256:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa""#,
    ), @r#"
    error: key `two` is the same as key `one`
     --> pointsman.toml:5:8
      |
    5 | hash = "sha256:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
      |        ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
    "#);
}

#[test]
fn everything_that_is_wrong_is_told_at_once() {
    assert_snapshot!(rejected(
        r#"
[server]
listen = "0.0.0.0:8080"
max_body_byte = "1 MiB"
drain_timeout = "soon"

[backends.openai]
base_url = "https://api.openai.com/v1"
api_key_env = "OPENAI_API_KEY"

[models."openai/gpt-4o"]
quality = 2
[models."opnai/gpt-4o-mini"]

[policies.best]
source = "builtin:perfomance"

[routes.auto]
policy = "bset"
models = ["openai/*", "anthropic/*"]"#,
    ), @r#"
    error: other machines can reach 0.0.0.0:8080, but there are no API keys
     --> pointsman.toml:3:10
      |
    3 | listen = "0.0.0.0:8080"
      |          ^^^^^^^^^^^^^^
      = hint: make a key with `pointsman key` and put its hash under [keys.NAME], or set `server.allow_anonymous = true`

    error: unknown key `max_body_byte`
     --> pointsman.toml:4:1
      |
    4 | max_body_byte = "1 MiB"
      | ^^^^^^^^^^^^^
      = hint: did you mean `max_body_bytes`?

    error: invalid value: string "soon", expected a duration such as "20ms", "2s" or "5m"
     --> pointsman.toml:5:17
      |
    5 | drain_timeout = "soon"
      |                 ^^^^^^

    error: the environment variable `OPENAI_API_KEY` is not set
     --> pointsman.toml:9:15
      |
    9 | api_key_env = "OPENAI_API_KEY"
      |               ^^^^^^^^^^^^^^^^
      = hint: set it before Pointsman starts: export OPENAI_API_KEY=...

    error: 2 is not a quality
      --> pointsman.toml:12:11
       |
    12 | quality = 2
       |           ^
       = hint: a quality is 0 to 1

    error: unknown backend `opnai`
      --> pointsman.toml:13:9
       |
    13 | [models."opnai/gpt-4o-mini"]
       |         ^^^^^^^^^^^^^^^^^^^
       = hint: did you mean `openai`?

    error: there is no built-in policy `perfomance`
      --> pointsman.toml:16:10
       |
    16 | source = "builtin:perfomance"
       |          ^^^^^^^^^^^^^^^^^^^^
       = hint: did you mean `performance`?

    error: unknown policy `bset`
      --> pointsman.toml:19:10
       |
    19 | policy = "bset"
       |          ^^^^^^
       = hint: did you mean `best`?

    error: no model matches `anthropic/*`
      --> pointsman.toml:20:23
       |
    20 | models = ["openai/*", "anthropic/*"]
       |                       ^^^^^^^^^^^^^
       = hint: models: `openai/gpt-4o`, `opnai/gpt-4o-mini`, `sim/small`

    9 errors in pointsman.toml
    "#);
}
