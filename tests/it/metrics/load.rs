//! Gateway under a load that moves nearly every metric.

use pointsman_guests::{HOSTILE, Misdeed, PLANNER, Planned, Shape, misbehaving, planned};
use pointsman_tests::client::{self, get};
use pointsman_tests::{FakeModel, Gate, Gateway, Step};
use serde_json::json;

use super::{Scrape, scrape_until};
use crate::fleet::{ask, ask_with, backend, built_in, chat, error, model, open, streamed};
use crate::orchestration::inline;
use crate::policy_file::PolicyFile;

/// Gateway with its backends and files.
pub struct Load {
    pub gateway: Gateway,
    /// Gate at which the abandoned stream waits.
    gate: Gate,
    model: FakeModel,
    _others: [FakeModel; 2],
    _policies: [PolicyFile; 2],
}

impl Load {
    /// Starts a gateway. `a/chat` always fails; `b/chat` answers all but its fourth request, a
    /// stream that waits; so does `c/chat`, which is more expensive.
    pub async fn start() -> Self {
        Self::start_with("", &[]).await
    }

    /// Starts such a gateway with further tables and environment variables.
    pub async fn start_with(more: &str, environment: &[(&str, &str)]) -> Self {
        let gate = Gate::new();
        let stream = Step::stream(&["begun ", "and given up"]).wait_after(1, &gate);
        let model = FakeModel::builder()
            .otherwise(move |request| match request.json()["messages"][0]["content"] == "wait" {
                true => stream.clone(),
                false => Step::says(request, "hello there"),
            })
            .start()
            .await;
        let others = [FakeModel::always(Step::status(500)).await, FakeModel::saying("all in all").await];
        let policies = [PolicyFile::new(PLANNER), PolicyFile::new(HOSTILE)];
        let plan = Planned { shape: Shape::FanOut, tasks: 2, ..Planned::default() };
        let file = |name: &str, policy: &PolicyFile, settings: &str, more: &str| {
            let (source, settings) = (policy.path().display(), inline(settings));
            format!("[policies.{name}]\nsource = \"{source}\"\nsettings = {settings}\n{more}\n")
        };
        let route = |name: &str, policy: &str, models: &str| {
            format!("[routes.{name}]\npolicy = \"{policy}\"\nmodels = {models}\nbackoff = \"1ms\"\n")
        };
        let config = [
            backend("a", &others[0], ""),
            backend("b", &model, ""),
            backend("c", &others[1], ""),
            self::model("a/chat", 1, ""),
            self::model("b/chat", 2, ""),
            self::model("c/chat", 3, ""),
            built_in("cost", "isolation = \"warm\"\n"),
            built_in("bandit", "grants = [\"state\"]\n"),
            file("planner", &policies[0], &planned(&plan), "grants = [\"outputs\"]"),
            file("bad", &policies[1], &misbehaving(Misdeed::Trap), ""),
            route("main", "cost", "[\"a/chat\", \"b/chat\", \"c/chat\"]"),
            route("planned", "planner", "[\"b/chat\", \"c/chat\"]"),
            route("broken", "bad", "[\"b/chat\"]"),
            route("dead", "cost", "[\"a/chat\"]"),
            more.to_owned(),
        ];
        let gateway = Gateway::start_with(&config.concat(), environment).await;
        Self { gateway, gate, model, _others: others, _policies: policies }
    }

    /// Runs the load, and scrapes once all of it is over.
    pub async fn run(&self) -> Scrape {
        self.run_once().await;
        let cancelled = r#"pointsman_requests_total{route="main",ending="cancelled"}"#;
        scrape_until(&self.gateway, cancelled, 1.0).await;
        let streamed = r#"pointsman_requests_total{route="main",ending="answered"}"#;
        scrape_until(&self.gateway, streamed, 3.0).await
    }

    /// Runs the load once.
    pub async fn run_once(&self) {
        let gateway = &self.gateway;
        for _ in 0..2 {
            assert_eq!(ask(gateway, &chat("main", "hi")).await.text(), "hello there");
        }
        assert_eq!(open(gateway, &streamed("main", "hi")).await.text().await, "hello there");
        assert_eq!(ask(gateway, &chat("b/chat", "hi")).await.status, 200);
        assert_eq!(ask(gateway, &chat("planned", "hi")).await.status, 200);
        assert_eq!(ask(gateway, &chat("broken", "hi")).await.status, 200);
        error(&ask(gateway, &chat("dead", "hi")).await, 502, "all_models_failed");

        let mut given_up = open(gateway, &streamed("main", "wait")).await;
        given_up.event().await.expect("it has begun");
        self.gate.reached().await;
        drop(given_up);
        self.model.hung_up(1).await;

        error(&ask(gateway, &chat("nobody", "hi")).await, 404, "model_not_found");
        error(
            &ask_with(gateway, &[("x-pointsman-prefer", "luck")], &chat("main", "hi")).await,
            400,
            "invalid_header",
        );
        error(&get(&gateway.url("/v2/chat")).await, 404, "unknown_url");
        error(&client::post(&gateway.url("/v1/models"), &json!({})).await, 405, "method_not_allowed");
    }
}
