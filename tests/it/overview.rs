//! The overview, and the stream of events.

use pointsman_guests::version;
use pointsman_tests::client::{self, Stream};
use pointsman_tests::{FakeModel, Gateway, Step};
use serde_json::{Value, json};

use crate::fleet::{ask, ask_with, backend, chat, error, in_order, model, reload};
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

/// Requests that fail, more than the fewest of which a share is judged.
const FAILING: usize = 24;

#[tokio::test]
async fn failures_are_counted_by_cause_and_those_of_clients_need_no_operator() {
    let broken = FakeModel::always(Step::status(500)).await;
    let refusing = FakeModel::always(Step::status(400)).await;
    let hanging = FakeModel::always(Step::hang()).await;
    let more = "models = [\"a/chat\"]\nmax_attempts = 1\n\
                [routes.refused]\npolicy = \"cost\"\nmodels = [\"b/chat\"]\n\
                [routes.brief]\npolicy = \"cost\"\nmodels = [\"c/chat\"]\ntimeout = \"50ms\"\n\
                [routes.slow]\npolicy = \"cost\"\nmodels = [\"c/chat\"]\n";
    let gateway = Gateway::start(&in_order(&[&broken, &refusing, &hanging], more)).await;
    for _ in 0..FAILING {
        ask(&gateway, &chat("refused", "hi")).await;
    }
    assert_eq!(ask(&gateway, &chat("nobody", "hi")).await.status, 404);
    assert_eq!(
        ask_with(&gateway, &[("x-pointsman-deadline-ms", "50")], &chat("slow", "hi")).await.status,
        504
    );
    let before = overview(&gateway, "").await;
    assert_eq!(before.get("attention"), None, "{before:#}");
    assert_eq!(before["totals"]["failed_by"]["client"], FAILING + 1);
    let points = before["timeline"]["points"].as_array().expect("points");
    let rejected: u64 = points.iter().filter_map(|point| point["rejected_by"]["client"].as_u64()).sum();
    assert_eq!(rejected, 1);

    assert_eq!(ask(&gateway, &chat("brief", "hi")).await.status, 504);
    for _ in 0..3 {
        ask(&gateway, &chat("main", "hi")).await;
    }
    let after = overview(&gateway, "").await;
    let by = &after["totals"]["failed_by"];
    assert_eq!((&by["client"], &by["limit"], &by["model"]), (&json!(FAILING + 1), &json!(1), &json!(3)));
    let routes = after["routes"].as_array().expect("routes");
    let brief = routes.iter().find(|route| route["name"] == "brief").expect("the route");
    assert_eq!(brief["failed_by"]["limit"], 1);
    let attention = after["attention"].as_array().expect("conditions");
    let kinds: Vec<_> = attention.iter().map(|it| (it["kind"].as_str(), it["level"].as_str())).collect();
    assert_eq!(kinds, [(Some("failures"), Some("red")), (Some("model-down"), Some("red"))]);
    assert_eq!(attention[1]["subject"], json!({ "model": "a/chat" }));
    assert!(attention[1]["since_ms"].as_u64() <= after["now_ms"].as_u64());
    let text = attention[0]["message"].as_str().expect("a message");
    assert!(
        text.starts_with("13 % of 30 requests failed in the last minute: models 10 %, limits 3.3 %"),
        "{text}"
    );

    let list = client::get(&gateway.admin("/admin/decisions?cause=model&limit=5")).await.json();
    let [first, _, _] = list.as_array().map(Vec::as_slice).expect("a list") else { panic!("{list:#}") };
    assert_eq!(first["failed_calls"], json!([{ "model": "a/chat", "error": "status 500" }]));
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
