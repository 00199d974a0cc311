//! The overview, and the stream of events.

use pointsman_guests::version;
use pointsman_tests::client::{self, Stream};
use pointsman_tests::{FakeModel, Gateway, Step};
use serde_json::{Value, json};

use crate::fleet::{ask, backend, chat, error, in_order, model, reload};
use crate::policy_file::PolicyFile;

async fn overview(gateway: &Gateway, query: &str) -> Value {
    let overview = client::get(&gateway.admin(&format!("/admin/overview{query}"))).await;
    assert_eq!(overview.status, 200, "{}", String::from_utf8_lossy(&overview.body));
    overview.json()
}

fn sum(points: &Value, of: &str) -> f64 {
    points.as_array().expect("a list of points").iter().filter_map(|point| point[of].as_f64()).sum()
}

/// Events from `GET /admin/events`, each with its type.
struct Events(Stream);

impl Events {
    async fn subscribe(gateway: &Gateway) -> Self {
        let stream = client::send(client::request(
            http::Method::GET,
            &gateway.admin("/admin/events"),
            &[],
            bytes::Bytes::new(),
        ));
        let stream = stream.await;
        assert_eq!(stream.status, 200);
        assert_eq!(stream.headers["content-type"], "text/event-stream");
        Self(stream)
    }

    /// Waits for an event whose data meets a condition.
    async fn wait_for(&mut self, wanted: impl Fn(&Value) -> bool) -> Value {
        loop {
            let data = self.0.event().await.expect("the stream goes on");
            match serde_json::from_str(&data) {
                Ok(event) if wanted(&event) => return event,
                _ => {}
            }
        }
    }
}

#[tokio::test]
async fn an_overview_sums_requests_by_route_model_and_time() {
    let (good, failing) =
        (FakeModel::saying("one two three").await, FakeModel::always(Step::status(500)).await);
    let more = "models = [\"a/chat\"]\ndescription = \"what is cheap\"\nbaseline = \"b/chat\"\n\
                [routes.other]\npolicy = \"cost\"\nmodels = [\"b/chat\"]\n";
    let gateway = Gateway::start(&in_order(&[&good, &failing], more)).await;
    ask(&gateway, &chat("main", "count")).await;
    ask(&gateway, &chat("main", "count")).await;
    ask(&gateway, &chat("other", "count")).await;
    for (query, step_ms) in [("", 1_000), ("?window=3600", 10_000), ("?window=86400", 300_000)] {
        let overview = overview(&gateway, query).await;
        let timeline = &overview["timeline"];
        assert_eq!(timeline["step_ms"], step_ms);
        assert_eq!((sum(&timeline["points"], "answered"), sum(&timeline["points"], "failed")), (2.0, 1.0));
        assert_eq!(sum(&timeline["points"], "output_tokens"), 6.0);
    }
    let overview = overview(&gateway, "").await;
    let totals = &overview["totals"];
    assert_eq!(
        (&totals["requests"], &totals["answered"], &totals["failed"]),
        (&json!(3), &json!(2), &json!(1))
    );
    assert_eq!(
        (&totals["compared_cost_usd"], &totals["baseline_cost_usd"]),
        (&json!(0.000_026), &json!(0.000_052))
    );
    let route = &overview["routes"][0];
    assert_eq!(
        (&route["name"], &route["requests"], &route["baseline"]),
        (&json!("main"), &json!(2), &json!("b/chat"))
    );
    assert_eq!((&route["description"], &route["models"]), (&json!("what is cheap"), &json!(["a/chat"])));
    let models = overview["models"].as_array().expect("a list of models");
    let reported: Vec<_> = models.iter().map(|it| (it["id"].as_str(), it["requests"].as_u64())).collect();
    assert_eq!(reported, [(Some("a/chat"), Some(2)), (Some("b/chat"), Some(0))]);
    assert_eq!(overview["policies"][0]["name"], "cost");
    assert!(overview["started_ms"].as_u64() <= overview["now_ms"].as_u64());
}

#[tokio::test]
async fn only_recorded_windows_can_be_queried() {
    let gateway = Gateway::start(&in_order(&[&FakeModel::saying("").await], "")).await;
    for query in ["?window=60", "?window=soon"] {
        let refused = client::get(&gateway.admin(&format!("/admin/overview{query}"))).await;
        error(&refused, 400, "invalid_query");
    }
}

#[tokio::test]
async fn a_subscriber_gets_events_of_requests_and_swaps() {
    let (fake, policy) = (FakeModel::saying("hello").await, PolicyFile::new(&version(1)));
    let config = backend("a", &fake, "")
        + &model("a/chat", 1, "")
        + &format!(
            "[policies.changing]\nlimits.deadline = \"60s\"\nsource = \"{}\"\n[routes.main]\npolicy = \"changing\"\n",
            policy.path().display()
        );
    let gateway = Gateway::start(&config).await;
    let mut events = Events::subscribe(&gateway).await;
    let first = events.wait_for(|event| event.get("totals").is_some()).await;
    assert_eq!(first["totals"]["requests"], 0);
    ask(&gateway, &chat("main", "hi")).await;
    let requests = events.wait_for(Value::is_array).await;
    assert_eq!((&requests[0]["route"], &requests[0]["ending"]), (&json!("main"), &json!("answered")));
    let tick = events.wait_for(|event| event["totals"]["requests"] == 1).await;
    assert_eq!(sum(&tick["points"], "answered"), 1.0);

    policy.rename_over(&version(2));
    reload(&gateway).await;
    let change = events.wait_for(|event| event.get("action").is_some()).await;
    assert_eq!(change["policy"], "changing");
    let active = change["digest"].clone();
    events.wait_for(|event| event["policies"][0]["active"] == active).await;
}

#[tokio::test]
async fn a_subscriber_does_not_delay_a_shutdown() {
    let gateway = Gateway::start(&in_order(&[&FakeModel::saying("").await], "")).await;
    let mut events = Events::subscribe(&gateway).await;
    events.wait_for(|event| event.get("totals").is_some()).await;
    gateway.signal("TERM");
    let ended = tokio::spawn(gateway.ended());
    // The stream ends in order, and with it the gateway, long before its drain time.
    while events.0.event().await.is_some() {}
    assert!(ended.await.expect("waiting does not panic").success());
}
