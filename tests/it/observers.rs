//! Policies that observe the outcomes of their decisions.

use pointsman_guests::RECORDER;
use pointsman_tests::{FakeModel, Gateway};

use crate::fleet::{ask, backend, chat, model};
use crate::policy_file::PolicyFile;

#[tokio::test]
async fn an_observing_policy_gets_the_outcomes_of_its_decisions() {
    /// Waits for an outcome. Outcomes are delivered beside the requests, so the next request may
    /// be faster.
    const PATIENCE: usize = 1_000;
    let (fake, policy) = (FakeModel::saying("hello there").await, PolicyFile::new(RECORDER));
    let config = backend("a", &fake, "")
        + &model("a/chat", 1, "")
        + &format!(
            "[policies.recorder]\nlimits.deadline = \"60s\"\nsource = \"{}\"\nisolation = \"warm\"\n\
             [routes.main]\npolicy = \"recorder\"\n",
            policy.path().display()
        );
    let gateway = Gateway::start(&config).await;
    let mut labels = Vec::new();
    for _ in 0..PATIENCE {
        let answer = ask(&gateway, &chat("main", "hi")).await;
        assert_eq!(answer.header("x-pointsman-policy-failure"), None);
        let label = answer.header("x-pointsman-route").expect("a decided request").to_owned();
        if !label.ends_with(":outcomes-0") {
            return;
        }
        labels.push(label);
    }
    panic!("no outcome arrived: {labels:#?}");
}
