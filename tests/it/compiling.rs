//! Compilation of policies, which is done once.

use std::path::Path;

use pointsman_guests::FIRST;
use pointsman_tests::{FakeModel, Gateway};

use crate::command_line::{check, texts};
use crate::fleet::{ask, chat, in_order};
use crate::policy_file::PolicyFile;

/// Returns a configuration that logs compilations, with a route `second` whose policy is in a
/// file.
fn config(model: &FakeModel, policy: &PolicyFile, more: &str) -> String {
    let stranger = format!(
        "[policies.stranger]\nlimits.deadline = \"60s\"\nsource = \"{}\"\n[routes.second]\npolicy = \"stranger\"\n",
        policy.path().display()
    );
    in_order(&[model], &format!("{stranger}[log]\nlevel = \"debug\"\n{more}"))
}

fn in_state(directory: &Path) -> String {
    format!("[state]\ndir = \"{}\"\n", directory.display())
}

#[tokio::test]
async fn a_policy_that_was_compiled_at_the_first_start_is_not_compiled_at_the_second() {
    let (model, policy) = (FakeModel::saying("hello there").await, PolicyFile::new(FIRST));
    let state = policy.path().with_file_name("state");
    let config = config(&model, &policy, &in_state(&state));

    let first = Gateway::start(&config).await;
    first.logged_times("compiled a policy", 2).await;
    assert!(first.stop().await.success());

    let second = Gateway::start(&config).await;
    second.logged_times("compiled at an earlier start", 2).await;
    assert_eq!(second.log().matches("compiled a policy").count(), 0);
    assert_eq!(ask(&second, &chat("second", "hi")).await.text(), "hello there");
}

#[tokio::test]
async fn without_a_state_directory_no_compiled_code_is_stored() {
    let (model, policy) = (FakeModel::saying("").await, PolicyFile::new(FIRST));
    for _ in 0..2 {
        let gateway = Gateway::start(&config(&model, &policy, "")).await;
        gateway.logged_times("compiled a policy", 2).await;
        let left = std::fs::read_dir(gateway.directory()).expect("the directory can be read").count();
        assert_eq!(left, 1, "the configuration and nothing else");
    }
}

#[tokio::test]
async fn an_unusable_state_directory_is_reported_before_anything_serves() {
    let (model, policy) = (FakeModel::saying("").await, PolicyFile::new(FIRST));
    let checked = check(&config(&model, &policy, &in_state(&policy.path().join("state"))));
    let (_, errors) = texts(&checked);
    assert_eq!(checked.status.code(), Some(2));
    let place = format!("cannot keep compiled code in {}/state/compiled: ", policy.path().display());
    assert!(errors.contains(&place) && errors.contains("change `state.dir`"), "{errors}");
}

#[tokio::test]
async fn a_policy_that_exceeds_the_compile_limits_is_rejected() {
    let (model, policy) = (FakeModel::saying("").await, PolicyFile::new(FIRST));
    for (limit, expected) in [
        (
            "memory = \"2 MiB\"",
            "takes more memory than 2 MiB; if it is meant to be so large, raise `compile.memory`",
        ),
        (
            "timeout = \"1ms\"",
            "takes longer than 0.001 s; if it is meant to be so large, raise `compile.timeout`",
        ),
    ] {
        let checked = check(&config(&model, &policy, &format!("[compile]\n{limit}\n")));
        let (_, errors) = texts(&checked);
        assert_eq!(checked.status.code(), Some(2), "{errors}");
        assert!(
            errors.contains("cannot load the policy `stranger` from ") && errors.contains(expected),
            "{errors}"
        );
    }
}

#[tokio::test]
async fn a_change_of_the_compiler_takes_effect_at_the_next_start() {
    let (model, policy) = (FakeModel::saying("").await, PolicyFile::new(FIRST));
    let gateway = Gateway::start(&config(&model, &policy, "")).await;
    let changed = format!("[compile]\nprocesses = 1\n{}", in_state(&gateway.directory().join("state")));
    std::fs::write(gateway.config(), config(&model, &policy, &changed)).expect("the config can be written");
    gateway.signal("HUP");
    gateway.logged("[state] changed in the configuration").await;
    gateway.logged("[compile] changed in the configuration").await;
}
