//! Listeners and keys that cannot be, and a configuration with a bit of everything.

use insta::assert_snapshot;

use super::{accepted, compile, rejected};

#[test]
fn an_empty_configuration_says_what_to_add() {
    assert_snapshot!(compile("").unwrap_err().to_string(), @r#"
    error: there is no model
     --> pointsman.toml
      = hint: add [backends.NAME] and [models."NAME/MODEL"]
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
      = hint: make a key with `pointsman key` and put its hash under [keys.NAME], or set `server.require_key = true` and create keys with `pointsman key create`, or set `server.allow_anonymous = true` or start with `--allow-anonymous` to serve all clients without one
    "#);
}

#[test]
fn a_required_key_can_exist_and_is_not_waived() {
    assert_snapshot!(rejected(
        r#"
[server]
require_key = true"#,
    ), @r#"
    error: `require_key` is true, but there can be no key
     --> pointsman.toml:3:15
      |
    3 | require_key = true
      |               ^^^^
      = hint: set `dir` below [state], where keys of `pointsman key create` are stored, or make a key with `pointsman key` and put its hash under [keys.NAME]
    "#);
    assert_snapshot!(rejected(
        r#"
[server]
require_key = true
allow_anonymous = true
[state]
dir = "state""#,
    ), @r#"
    error: `require_key` refuses the clients without a key that `allow_anonymous` serves
     --> pointsman.toml:3:15
      |
    3 | require_key = true
      |               ^^^^
      = hint: leave out one of the two; `--allow-anonymous` counts as `allow_anonymous`
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
fn the_write_timeout_is_the_idle_timeout_unless_it_is_set() {
    let timeouts = |text: &str| {
        let server = accepted(&format!("[server]\n{text}")).server;
        (server.idle_timeout.as_secs(), server.write_timeout.as_secs(), server.shutdown_delay.as_secs())
    };
    assert_eq!(timeouts(""), (75, 75, 0));
    assert_eq!(timeouts("idle_timeout = \"9s\""), (9, 9, 0));
    assert_eq!(timeouts("write_timeout = \"9s\"\nshutdown_delay = \"5s\""), (75, 9, 5));
    let errors = rejected("[server]\nwrite_timeout = \"0s\"");
    assert!(errors.contains("`write_timeout` is zero, so no request could be served"), "{errors}");
    assert_eq!(rejected("[server]\nidle_timeout = \"0s\"").matches("error: ").count(), 1);
}

#[test]
fn proxies_hosts_and_origins_have_to_be_such() {
    let errors = rejected(
        r#"
[server]
max_connections_per_peer = 0
trusted_proxies = ["10.0.0.0/8", "10.0.0.0/33", "balancer"]
allowed_origins = ["https://app.example.com", "app.example.com", "https://app.example.com/path"]
allowed_hosts = ["llm.example.com", "llm.example.com:8080", "127.0.0.1"]"#,
    );
    for expected in [
        "`max_connections_per_peer` is zero",
        "\"10.0.0.0/33\" is neither an IP address nor a network",
        "\"balancer\" is neither an IP address nor a network",
        "\"app.example.com\" is not the origin of a web page",
        "\"https://app.example.com/path\" is not the origin of a web page",
        "\"llm.example.com:8080\" is not the name of a host",
        "\"127.0.0.1\" is not the name of a host",
    ] {
        assert!(errors.contains(expected), "{expected}\n{errors}");
    }
    assert_eq!(errors.matches("error: ").count(), 7, "{errors}");
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
fn a_state_directory_without_name_and_a_compiler_that_may_not_work_are_refused() {
    assert_snapshot!(rejected(
        r#"
[state]
dir = ""

[compile]
timeout = "0s"
processes = 0

[policies.mine]
source = "builtin:cost"
limits = { concurrency = 0 }"#,
    ), @r#"
    error: `dir` is empty
     --> pointsman.toml:3:7
      |
    3 | dir = ""
      |       ^^
      = hint: name a directory, or leave [state] out to keep nothing

    error: `timeout` is zero, so no policy could be compiled
     --> pointsman.toml:6:11
      |
    6 | timeout = "0s"
      |           ^^^^

    error: `processes` is zero, so no policy could be compiled
     --> pointsman.toml:7:13
      |
    7 | processes = 0
      |             ^

    error: `concurrency` is zero, so the policy could never decide
      --> pointsman.toml:11:26
       |
    11 | limits = { concurrency = 0 }
       |                          ^

    4 errors in pointsman.toml
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
fn all_problems_are_reported_at_once() {
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
      = hint: make a key with `pointsman key` and put its hash under [keys.NAME], or set `server.require_key = true` and create keys with `pointsman key create`, or set `server.allow_anonymous = true` or start with `--allow-anonymous` to serve all clients without one

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
       = hint: there are: `openai/gpt-4o`, `opnai/gpt-4o-mini`, `sim/small`

    9 errors in pointsman.toml
    "#);
}

#[test]
fn a_decision_log_that_cannot_be_kept_is_refused() {
    let problems = rejected(
        r#"
[decision_log]
dir = "decisions"
rotate_size = "1 MiB"
rotate_after = "0s"
max_size = "2 MiB"
sample = 0
content = true
content_size = 0"#,
    );
    for problem in [
        "`max_size` is less than four times `rotate_size`",
        "`rotate_after` is zero",
        "`sample` is not a number above 0 and up to 1",
        "`content_size` is zero",
    ] {
        assert!(problems.contains(problem), "{problem}\n{problems}");
    }
}

#[test]
fn a_decision_log_without_a_directory_is_a_mistake() {
    let outputs = rejected("[decision_log]\ndir = \"decisions\"\noutputs = true");
    assert!(outputs.contains("`outputs` is on, but `content` is off"), "{outputs}");
    let problems = rejected("[decision_log]\ncontent = true");
    assert!(problems.contains("[decision_log] has no `dir`"), "{problems}");
    assert!(rejected("[decision_log]\ndir = \"\"").contains("`dir` is empty"));
}
