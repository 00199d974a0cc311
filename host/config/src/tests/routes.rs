//! Policies and routes that cannot be.

use insta::assert_snapshot;

use super::{accepted, rejected};

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
      = hint: name one of [policies.NAME], or a built-in one such as "builtin:cost"
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
      = hint: there are: `sim/small`

    2 errors in pointsman.toml
    "#);
}

#[test]
fn a_route_may_have_any_name_that_a_client_asks_for() {
    for name in [
        "gpt-4.1",
        "anthropic/claude-sonnet-4",
        "meta-llama/Llama-3.3-70B-Instruct:free",
        "claude-3-7-sonnet@20250219",
        "MoM[1m]",
        "accounts/x#y",
        "a+b=c%20d?e&f",
        "sim/other",
        "meta-llama/Llama-3.1-8B-Instruct",
        "qwen3:8b",
        "claude-opus-4-8[1m]",
        "x".repeat(256).as_str(),
    ] {
        let config = accepted(&format!("[routes.\"{name}\"]\npolicy = \"plain\"\n"));
        assert!(config.routes.iter().any(|route| route.name.as_str() == name), "{name}");
    }
}

#[test]
fn a_route_has_neither_the_name_of_a_model_nor_a_pattern_for_one() {
    let long = "x".repeat(257);
    for name in ["*", "gpt-*", "", "two words", "gr\u{fc}n", "a`b", long.as_str()] {
        let refused = rejected(&format!("[routes.\"{name}\"]\npolicy = \"plain\"\n"));
        assert!(refused.contains("has a name that cannot be used"), "{name}: {refused}");
    }
    assert_snapshot!(rejected(
        r#"
[routes."sim/small"]
policy = "plain""#,
    ), @r#"
    error: route `sim/small` has the name of a model
     --> pointsman.toml:2:9
      |
    2 | [routes."sim/small"]
      |         ^^^^^^^^^^^
      = hint: clients request both by name: rename the route
    "#);
}

#[test]
fn aliases_are_names_and_patterns_in_the_order_of_the_list() {
    let config = accepted(
        r#"
[routes.auto]
policy = "plain"
aliases = ["gpt-4o", "openai/gpt-**", "claude-opus-4-8[1m]", "*"]"#,
    );
    let route = config.routes.iter().find(|route| route.name.as_str() == "auto").unwrap();
    let aliases: Vec<&str> = route.aliases.iter().map(|alias| alias.as_str()).collect();
    assert_eq!(aliases, ["gpt-4o", "openai/gpt-*", "claude-opus-4-8[1m]", "*"]);
}

#[test]
fn a_name_belongs_to_one_route() {
    assert_snapshot!(rejected(
        r#"
[routes.auto]
policy = "plain"
aliases = ["usual", "sim/small", "gpt-4o", "gpt-*"]
[routes.other]
policy = "plain"
aliases = ["gpt-**", "gpt-4o", "o3", "o3", "two words", ""]"#,
    ), @r#"
    error: alias `usual` is the name of a route
     --> pointsman.toml:4:12
      |
    4 | aliases = ["usual", "sim/small", "gpt-4o", "gpt-*"]
      |            ^^^^^^^
      = hint: requests of that name go to that route: remove the alias

    error: alias `sim/small` is the name of a model
     --> pointsman.toml:4:21
      |
    4 | aliases = ["usual", "sim/small", "gpt-4o", "gpt-*"]
      |                     ^^^^^^^^^^^
      = hint: clients request both by name: remove the alias

    error: alias `gpt-**` is that of route `auto` too
     --> pointsman.toml:7:12
      |
    7 | aliases = ["gpt-**", "gpt-4o", "o3", "o3", "two words", ""]
      |            ^^^^^^^^
      = hint: a name belongs to one route: keep one of them

    error: alias `gpt-4o` is that of route `auto` too
     --> pointsman.toml:7:22
      |
    7 | aliases = ["gpt-**", "gpt-4o", "o3", "o3", "two words", ""]
      |                      ^^^^^^^^
      = hint: a name belongs to one route: keep one of them

    error: alias `o3` is given twice
     --> pointsman.toml:7:38
      |
    7 | aliases = ["gpt-**", "gpt-4o", "o3", "o3", "two words", ""]
      |                                      ^^^^
      = hint: a name belongs to one route: keep one of them

    error: "two words" cannot be an alias
     --> pointsman.toml:7:44
      |
    7 | aliases = ["gpt-**", "gpt-4o", "o3", "o3", "two words", ""]
      |                                            ^^^^^^^^^^^
      = hint: aliases are 1 to 256 printable characters of ASCII without space, quotes and \

    error: "" cannot be an alias
     --> pointsman.toml:7:57
      |
    7 | aliases = ["gpt-**", "gpt-4o", "o3", "o3", "two words", ""]
      |                                                         ^^
      = hint: aliases are 1 to 256 printable characters of ASCII without space, quotes and \

    7 errors in pointsman.toml
    "#);
}

#[test]
fn a_route_with_a_pattern_as_its_name_hints_at_aliases() {
    let refused = rejected("[routes.\"gpt-*\"]\npolicy = \"plain\"\n");
    assert!(refused.contains("a pattern is an alias of a route: aliases = [\"gpt-*\"]"), "{refused}");
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
      = hint: leave out `models` to allow all

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
fn a_baseline_is_a_model_that_there_is() {
    assert_snapshot!(rejected(
        r#"
[routes.auto]
policy = "plain"
baseline = "sim/smal""#,
    ), @r#"
    error: unknown model `sim/smal`
     --> pointsman.toml:4:12
      |
    4 | baseline = "sim/smal"
      |            ^^^^^^^^^^
      = hint: did you mean `sim/small`?
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
      = hint: it is "builtin:cost", the path of a WebAssembly file, or an https:// or oci:// address; a policy in `policy_dir` needs none
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
      = hint: built-in policies: `cost`, `performance`, `task-type`, `dynamic`, `priority`, `weighted`, `round-robin`, `bandit`, `learned`, `auto`, `multimodal`, `sequential`, `parallel`, `collaborate`, `cascade`, `judge`, `semantic`
    "#);
}

#[test]
fn a_route_names_a_built_in_policy_by_its_source() {
    assert_snapshot!(rejected(
        r#"
[routes.one]
policy = "builtin:chepaest"
[routes.two]
policy = "builtin:cots"
[routes.three]
policy = "builtin:cost"
shadow = "dynamic""#,
    ), @r#"
    error: unknown policy `builtin:chepaest`
     --> pointsman.toml:3:10
      |
    3 | policy = "builtin:chepaest"
      |          ^^^^^^^^^^^^^^^^^^
      = hint: built-in policies: `cost`, `performance`, `task-type`, `dynamic`, `priority`, `weighted`, `round-robin`, `bandit`, `learned`, `auto`, `multimodal`, `sequential`, `parallel`, `collaborate`, `cascade`, `judge`, `semantic`

    error: unknown policy `builtin:cots`
     --> pointsman.toml:5:10
      |
    5 | policy = "builtin:cots"
      |          ^^^^^^^^^^^^^^
      = hint: did you mean `cost`?

    error: unknown policy `dynamic`
     --> pointsman.toml:8:10
      |
    8 | shadow = "dynamic"
      |          ^^^^^^^^^
      = hint: the built-in policy is "builtin:dynamic"

    3 errors in pointsman.toml
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
    error: fallback policies form a cycle: a -> b -> c -> a
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
    error: fallback policies form a cycle: a -> b -> a
      --> pointsman.toml:11:27
       |
    11 | on_failure = { fallback = "b" }
       |                           ^^^
       = hint: let the last one fall back to the order of the models: on_failure = "fallback"
    "#);
}

#[test]
fn a_trial_is_of_one_other_policy_that_there_is() {
    assert_snapshot!(rejected(
        r#"
[routes.one]
policy = "plain"
shadow = "plian"
[routes.two]
policy = "plain"
shadow = "plain"
[routes.three]
policy = "plain"
shadow = "plain"
canary = { policy = "plian", percent = 0 }"#,
    ), @r#"
    error: unknown policy `plian`
     --> pointsman.toml:4:10
      |
    4 | shadow = "plian"
      |          ^^^^^^^
      = hint: did you mean `plain`?

    error: the route's own policy `plain` is on trial
     --> pointsman.toml:7:10
      |
    7 | shadow = "plain"
      |          ^^^^^^^
      = hint: a new version of a policy is watched without a trial; to try it beside the old one, give it a name of its own

    error: the route has a `shadow` and a `canary`
      --> pointsman.toml:11:1
       |
    11 | canary = { policy = "plian", percent = 0 }
       | ^^^^^^
       = hint: one policy is on trial at a time

    error: unknown policy `plian`
      --> pointsman.toml:11:21
       |
    11 | canary = { policy = "plian", percent = 0 }
       |                     ^^^^^^^
       = hint: did you mean `plain`?

    error: `percent` is not a number above 0 and up to 100
      --> pointsman.toml:11:40
       |
    11 | canary = { policy = "plian", percent = 0 }
       |                                        ^

    5 errors in pointsman.toml
    "#);
}

#[test]
fn thresholds_of_a_rollback_are_numbers_that_can_be() {
    assert_snapshot!(rejected(
        r#"
[rollback]
failure_rate = -0.1
error_rate = nan
decision_time = 0.5
backoff = "10ms""#,
    ), @r#"
    error: `failure_rate` is not a share of at least 0
     --> pointsman.toml:3:16
      |
    3 | failure_rate = -0.1
      |                ^^^^

    error: `error_rate` is not a share of at least 0
     --> pointsman.toml:4:14
      |
    4 | error_rate = nan
      |              ^^^

    error: `decision_time` is not a factor of at least 1
     --> pointsman.toml:5:17
      |
    5 | decision_time = 0.5
      |                 ^^^

    error: `backoff` is shorter than a second
     --> pointsman.toml:6:11
      |
    6 | backoff = "10ms"
      |           ^^^^^^
      = hint: a version that was rolled back would be tried again at once

    4 errors in pointsman.toml
    "#);
}
