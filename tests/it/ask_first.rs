//! The policies that ask a model before they route: `judge` and `semantic`.

use pointsman_tests::client;
use pointsman_tests::{FakeModel, Gateway, Request, Step};
use serde_json::Value;

use crate::fleet::{ask, backend, built_in, chat, model, open, streamed};

/// A judge and two models to choose between: `a/judge` costs the least.
struct Models {
    judge: FakeModel,
    cheap: FakeModel,
    good: FakeModel,
}

impl Models {
    async fn with_judge(judge: FakeModel) -> Self {
        Self { judge, cheap: FakeModel::saying("Lima").await, good: FakeModel::saying("Lima, Peru").await }
    }

    async fn gateway(&self, settings: &str) -> Gateway {
        let models = [("a", &self.judge, "judge"), ("b", &self.cheap, "cheap"), ("c", &self.good, "good")];
        let mut config = String::new();
        for ((name, fake, id), price) in models.into_iter().zip([1, 2, 10]) {
            config += &backend(name, fake, "");
            config += &model(&format!("{name}/{id}"), price, &format!("quality = 0.{}\n", 5 + price % 7));
        }
        let policy = built_in("judge", &format!("grants = [\"outputs\"]\n{settings}"));
        Gateway::start(&(config + &policy + "[routes.main]\npolicy = \"judge\"\nbackoff = \"1ms\"\n")).await
    }
}

const KINDS: &str = r#"
[policies.judge.settings]
timeout_ms = 60_000
[policies.judge.settings.kinds.fact]
meaning = "a question about a fact"
models = ["cheap"]
[policies.judge.settings.kinds.proof]
meaning = "a proof"
models = ["good"]
"#;

#[tokio::test]
async fn the_reply_of_a_judge_selects_the_model_and_the_answer_streams() {
    let judge = |request: &Request| {
        let text = request.json()["messages"].to_string();
        Step::says(request, if text.contains("Prove") { "proof" } else { "Fact." })
    };
    let models = Models::with_judge(FakeModel::builder().otherwise(judge).start().await).await;
    let gateway = models.gateway(KINDS).await;

    let answer = ask(&gateway, &chat("main", "What is the capital of Peru?")).await;
    assert_eq!(answer.text(), "Lima");
    assert_eq!(answer.header("x-pointsman-route"), Some("judge:fact"));
    assert_eq!(answer.header("x-pointsman-model"), Some("b/cheap"));
    let asked = models.judge.request(1).await.json();
    assert_eq!(asked["temperature"], 0);
    let messages = asked["messages"].as_array().expect("messages");
    assert_eq!(messages.len(), 2, "an instruction and the newest message: {asked}");
    assert!(messages[0]["content"].to_string().contains("- fact: a question about a fact"), "{asked}");

    let stream = open(&gateway, &streamed("main", "Prove that Lima is the capital.")).await;
    assert_eq!(stream.headers["x-pointsman-route"], "judge:proof");
    assert_eq!(stream.text().await, "Lima, Peru");

    let id = answer.header("x-pointsman-decision-id").expect("an id").to_owned();
    let record = client::get(&gateway.admin(&format!("/admin/decisions/{id}"))).await.json();
    let cost = record["cost_usd"].as_f64().or(record["outcome"]["cost_usd"].as_f64());
    assert!(cost.is_some_and(|cost| cost > 0.0), "{record}");
}

#[tokio::test]
async fn a_judge_that_hangs_or_fails_or_talks_leaves_the_request_to_the_best_model() {
    for (step, label) in [
        (Step::hang(), "judge:unanswered"),
        (Step::status(500), "judge:unanswered"),
        (Step::answer("Lima is the capital of Peru."), "judge:unclear"),
        (Step::answer("It is a fact, not a proof."), "judge:unclear"),
    ] {
        let models = Models::with_judge(FakeModel::always(step).await).await;
        let settings = KINDS.replace("timeout_ms = 60_000", "model = \"judge\"\ntimeout_ms = 100");
        let gateway = models.gateway(&settings).await;
        let answer = ask(&gateway, &chat("main", "hi")).await;
        assert_eq!(answer.text(), "Lima, Peru");
        assert_eq!(answer.header("x-pointsman-route"), Some(label));
    }
}

#[tokio::test]
async fn semantic_routes_by_the_nearest_example_and_embeds_each_example_once() {
    let config = include_str!("../../examples/policies/semantic.toml")
        .replace("source = \"builtin", "limits.deadline = \"60s\"\nsource = \"builtin")
        .replace(
            "\n[policies.semantic.settings.kinds.easy]",
            "\n[policies.semantic.settings]\ntimeout_ms = 60_000\n$0",
        )
        .replace("$0", "[policies.semantic.settings.kinds.easy]");
    let gateway = Gateway::start(&config).await;
    for (text, label, chosen) in [
        ("What is the capital of Chile?", "semantic:easy", "fleet/small"),
        ("Why does this function hang?", "semantic:hard", "fleet/large"),
        ("What is the capital of France?", "semantic:easy", "fleet/small"),
    ] {
        let answer = ask(&gateway, &chat("assistant", text)).await;
        assert_eq!(answer.header("x-pointsman-route"), Some(label), "{text}");
        assert_eq!(answer.header("x-pointsman-model"), Some(chosen), "{text}");
    }
    let plans = client::get(&gateway.admin("/admin/plans")).await.json();
    let tasks: Vec<usize> = plans.as_array().expect("plans").iter().map(count_of_tasks).collect();
    assert_eq!(tasks.iter().sum::<usize>(), 3 + 5, "three requests and five examples: {plans}");
    let state = client::get(&gateway.admin("/admin/policies/semantic/state")).await.json();
    assert_eq!(state["keys"].as_array().or(state["entries"].as_array()).map(Vec::len), Some(5), "{state}");
}

fn count_of_tasks(plan: &Value) -> usize {
    plan["tasks"].as_array().map_or_else(|| plan["tasks"].as_u64().map_or(0, |it| it as usize), Vec::len)
}
