//! Explanations of decisions after a request, and dry runs instead of one.

use pointsman_guests::{HOSTILE, Misdeed, misbehaving};
use pointsman_tests::client::{self, Answer};
use pointsman_tests::{FakeModel, Gateway, Step};
use serde_json::{Value, json};

use crate::fleet::{ask, backend, chat, error, in_order, model, open, streamed, usage};
use crate::policy_failures::inline;
use crate::policy_file::PolicyFile;

/// Returns the decision record of an answer.
async fn explained(gateway: &Gateway, answer: &Answer) -> Value {
    let id = answer.header("x-pointsman-decision-id").expect("a decision");
    let explained = client::get(&gateway.admin(&format!("/admin/decisions/{id}"))).await;
    assert_eq!(explained.status, 200, "{}", String::from_utf8_lossy(&explained.body));
    explained.json()
}

async fn dry_run(gateway: &Gateway, body: &Value) -> Answer {
    client::post(&gateway.url("/v1/decisions"), body).await
}

fn models(record: &Value) -> Vec<&str> {
    let candidates = record["decisions"][0]["candidates"].as_array().expect("a list of candidates");
    candidates.iter().map(|candidate| candidate["model"].as_str().expect("an id")).collect()
}

#[tokio::test]
async fn a_decision_is_explained_with_candidates_attempts_and_cost() {
    let (failing, good) =
        (FakeModel::always(Step::status(500)).await, FakeModel::saying("one two three").await);
    let gateway = Gateway::start(&in_order(&[&failing, &good], "")).await;
    let answer = ask(&gateway, &chat("main", "count")).await;
    let record = explained(&gateway, &answer).await;
    assert_eq!((&record["schema"], &record["route"]), (&json!(1), &json!("main")));
    assert_eq!(record["request"]["input_tokens"].as_u64().map(|tokens| tokens > 0), Some(true));

    let decision = &record["decisions"][0];
    let version = format!("cost@{}", &decision["digest"].as_str().expect("a digest")[..12]);
    assert_eq!(answer.header("x-pointsman-policy"), Some(&*version));
    assert_eq!(models(&record), ["a/chat", "b/chat"]);
    assert_eq!(decision["candidates"][1]["input_usd_per_million"], 2.0);
    assert_eq!(decision["answer"]["targets"], json!([{ "candidate": 0 }, { "candidate": 1 }]));
    assert!(decision["took_us"].as_f64() > Some(0.0));

    let attempts = record["attempts"].as_array().expect("a list of attempts");
    let results: Vec<_> = attempts.iter().map(|it| (it["model"].as_str(), it["result"].as_str())).collect();
    assert_eq!(results, [(Some("a/chat"), Some("failed")), (Some("b/chat"), Some("answered"))]);
    assert_eq!(attempts[0]["error"], "status 500");
    assert_eq!(attempts[0]["cost_usd"], 0.0, "it was turned away");
    let time = |at: usize, name: &str| attempts[at][name].as_f64().expect("a time");
    assert!(time(0, "begun_ms") <= time(0, "ended_ms") && time(0, "ended_ms") <= time(1, "begun_ms"));

    let outcome = &record["outcome"];
    assert_eq!((&outcome["ending"], &outcome["model"]), (&json!("answered"), &json!("b/chat")));
    assert_eq!(
        outcome["cost_usd"].as_f64(),
        answer.header("x-pointsman-cost-usd").and_then(|it| it.parse().ok())
    );
    // Nothing is said of quality, so the dearer model is what it is compared with.
    assert_eq!(
        (&outcome["baseline_model"], &outcome["baseline_cost_usd"]),
        (&json!("b/chat"), &outcome["cost_usd"])
    );
}

#[tokio::test]
async fn costs_are_compared_with_the_configured_baseline() {
    let cheap = FakeModel::saying("one two three").await;
    let config =
        in_order(&[&cheap], "baseline = \"a/best\"\nmodels = [\"a/chat\"]\n") + &model("a/best", 10, "");
    let gateway = Gateway::start(&config).await;
    let record = explained(&gateway, &ask(&gateway, &chat("main", "count")).await).await;
    assert_eq!(models(&record), ["a/chat"], "the route does not have it");
    let outcome = &record["outcome"];
    assert_eq!(outcome["baseline_model"], "a/best");
    assert_eq!(
        outcome["baseline_cost_usd"],
        json!(0.000_130),
        "7 tokens in and 3 out at ten times the price"
    );
    let line = &usage(&gateway).await[0];
    assert_eq!(
        (&line["compared_cost_usd"], &line["baseline_cost_usd"]),
        (&json!(0.000_013), &json!(0.000_13))
    );
}

#[tokio::test]
async fn a_failed_policy_and_its_fallback_are_both_reported() {
    let (good, policy) = (FakeModel::saying("hello").await, PolicyFile::new(HOSTILE));
    let config = backend("a", &good, "")
        + &model("a/chat", 1, "")
        + &format!(
            "[policies.bad]\nlimits.deadline = \"60s\"\nsource = \"{}\"\nsettings = {}\n[routes.main]\npolicy = \"bad\"\n",
            policy.path().display(),
            inline(&misbehaving(Misdeed::Trap)),
        );
    let gateway = Gateway::start(&config).await;
    let record = explained(&gateway, &ask(&gateway, &chat("main", "hi")).await).await;
    let answers: Vec<&Value> =
        record["decisions"].as_array().expect("a list").iter().map(|decision| &decision["answer"]).collect();
    assert_eq!((&answers[0]["kind"], &answers[0]["reason"]), (&json!("failure"), &json!("trap")));
    assert_eq!((&answers[1]["kind"], &answers[1]["label"]), (&json!("route"), &json!("static")));
    assert!(record["decisions"][1].get("policy").is_none(), "it was the gateway's own order");
}

#[tokio::test]
async fn the_list_is_filtered_and_has_the_newest_first() {
    let (good, failing) = (FakeModel::saying("hello").await, FakeModel::always(Step::status(500)).await);
    let more = "models = [\"a/chat\"]\n[routes.other]\npolicy = \"cost\"\nmodels = [\"b/chat\"]\n";
    let gateway = Gateway::start(&in_order(&[&good, &failing], more)).await;
    ask(&gateway, &chat("main", "hi")).await;
    open(&gateway, &streamed("main", "hi")).await.events().await;
    ask(&gateway, &chat("other", "hi")).await;
    let list = async |query: &str| -> Vec<Value> {
        let list = client::get(&gateway.admin(&format!("/admin/decisions{query}"))).await.json();
        list.as_array().expect("a list").clone()
    };
    let all = list("").await;
    let routes: Vec<&str> = all.iter().filter_map(|it| it["route"].as_str()).collect();
    assert_eq!(routes, ["other", "main", "main"]);
    assert_eq!((&all[0]["ending"], &all[0]["model"]), (&json!("failed"), &json!("b/chat")));
    assert!(all[0]["error"].as_str().is_some_and(|why| why.contains("b/chat: status 500")), "{all:#?}");
    assert_eq!(list("?route=main").await.len(), 2);
    assert_eq!(list("?model=b/chat&policy=cost").await.len(), 1);
    assert_eq!(list("?ending=answered&limit=1").await, [all[1].clone()]);
    assert_eq!(list(&format!("?since={}", all[0]["at_ms"])).await, [all[0].clone()]);

    for (query, wrong) in [("?limit=many", "limit"), ("?colour=red", "colour"), ("?since=-1", "since")] {
        let refused = client::get(&gateway.admin(&format!("/admin/decisions{query}"))).await;
        assert!(error(&refused, 400, "invalid_query").contains(wrong), "{query}");
    }
    let unknown = client::get(&gateway.admin("/admin/decisions/no-such")).await;
    assert!(error(&unknown, 404, "unknown_decision").contains("x-pointsman-decision-id"));
}

#[tokio::test]
async fn a_dry_run_decides_without_calling_a_model() {
    let (cheap, dear) = (FakeModel::saying("cheap").await, FakeModel::saying("dear").await);
    let gateway = Gateway::start(&in_order(&[&cheap, &dear], "")).await;
    let dry = dry_run(&gateway, &chat("main", "hi")).await;
    assert_eq!(dry.status, 200);
    let record = dry.json();
    assert_eq!(record["decisions"][0]["answer"]["targets"][0]["candidate"], 0);
    assert_eq!(models(&record), ["a/chat", "b/chat"]);
    assert_eq!((record.get("outcome"), &record["attempts"]), (None, &json!([])));
    assert_eq!((cheap.requests().len(), dear.requests().len()), (0, 0));
    assert_eq!(usage(&gateway).await, [] as [Value; 0], "nothing is accounted");
    let listed = client::get(&gateway.admin("/admin/decisions")).await.json();
    assert_eq!(listed, json!([]), "nor kept");

    let direct = dry_run(&gateway, &chat("b/chat", "hi")).await.json();
    assert_eq!((models(&direct), &direct["route"]), (vec!["b/chat"], &json!("b/chat")));
}

#[tokio::test]
async fn a_dry_run_is_rejected_as_the_request_would_be() {
    let gateway = Gateway::start(&in_order(&[&FakeModel::saying("").await], "")).await;
    error(&dry_run(&gateway, &chat("no-such", "hi")).await, 404, "model_not_found");
    error(&dry_run(&gateway, &json!("not even a request")).await, 400, "invalid_type");
    let picture = crate::fleet::with_picture("main", "aGVsbG8=");
    error(&dry_run(&gateway, &picture).await, 400, "unsupported_request");
    let got = client::get(&gateway.url("/v1/decisions")).await;
    assert_eq!((got.status.as_u16(), got.header("allow")), (405, Some("POST")));
}
