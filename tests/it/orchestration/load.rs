//! Many concurrent orchestrated requests.

use std::sync::Arc;

use pointsman_guests::PLANNER;
use pointsman_tests::{FakeModel, Gate, Gateway, Step};
use serde_json::Value;
use tokio::task::JoinSet;

use crate::fleet::{ask, backend, chat, model};
use crate::policy_file::PolicyFile;

/// Number of requests: more than twice the gateway's slots for concurrent decisions.
const REQUESTS: usize = 300;
const TASKS: usize = 2;

/// Returns whether a request is that of a task: the planner ends those with `part 0`, `part 1` …
fn is_task(body: &Value) -> bool {
    let last = body["messages"].as_array().and_then(|messages| messages.last());
    last.and_then(|message| message["content"].as_str()).is_some_and(|text| text.starts_with("part "))
}

#[tokio::test(flavor = "multi_thread")]
async fn no_policy_instance_is_held_during_model_calls() {
    let gate = Gate::new();
    let fake = FakeModel::builder().otherwise({
        let gate = gate.clone();
        move |request| match is_task(&request.json()) {
            true => Step::answer("heard").after(&gate),
            false => Step::answer("all in all"),
        }
    });
    let (fake, policy) = (fake.start().await, PolicyFile::new(PLANNER));
    let config = backend("a", &fake, "")
        + &model("a/chat", 1, "")
        + &format!(
            "[policies.planner]\nsource = \"{}\"\ngrants = [\"outputs\"]\nlimits = {{ deadline = \"60s\" }}\n\
             settings = {{ shape = \"fan-out\", tasks = {TASKS} }}\n[routes.main]\npolicy = \"planner\"\n",
            policy.path().display()
        );
    let gateway = Arc::new(Gateway::start(&config).await);
    let mut clients = JoinSet::new();
    for number in 0..REQUESTS {
        let gateway = Arc::clone(&gateway);
        clients.spawn(async move { ask(&gateway, &chat("main", &format!("request {number}"))).await });
    }
    // All of them are in the middle of their plan: with an instance for each
    // there would be no place to plan the last ones in.
    gate.reached_by(REQUESTS * TASKS).await;
    gate.open();
    while let Some(answer) = clients.join_next().await {
        let answer = answer.expect("a client does not panic");
        assert_eq!(answer.text(), "all in all");
        assert_eq!(answer.header("x-pointsman-route"), Some("fan-out"));
        assert_eq!(answer.header("x-pointsman-attempts"), Some("3"));
    }
    assert_eq!(fake.requests().len(), REQUESTS * (TASKS + 1));
}
