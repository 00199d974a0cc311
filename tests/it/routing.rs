//! The path of a request through a route to a model and back.

use pointsman_tests::{FakeModel, Gateway, client};
use serde_json::json;

use crate::command_line::{run, texts};
use crate::fleet::{
    ask, ask_with, backend, built_in, chat, error, in_order, model, open, streamed, usage, with_picture,
};

#[tokio::test]
async fn a_response_reports_how_it_was_routed() {
    let model = FakeModel::saying("hello there").await;
    let gateway = Gateway::start(&in_order(&[&model], "")).await;
    let answer = ask(&gateway, &chat("main", "hi")).await;
    assert_eq!((answer.status.as_u16(), answer.text().as_str()), (200, "hello there"));
    assert_eq!(answer.header("content-type"), Some("application/json"));
    assert_eq!(answer.header("x-pointsman-route"), Some("cheapest"));
    assert_eq!(answer.header("x-pointsman-model"), Some("a/chat"));
    assert_eq!(answer.header("x-pointsman-attempts"), Some("1"));
    // 7 input tokens at $1 and 2 output tokens at $2 a million.
    assert_eq!(answer.header("x-pointsman-cost-usd"), Some("0.000011"));
    let digest = answer.header("x-pointsman-policy").and_then(|policy| policy.strip_prefix("cost@"));
    assert!(digest.is_some_and(|digest| digest.chars().all(|digit| digit.is_ascii_hexdigit())), "{digest:?}");
    let latency = answer.header("x-pointsman-latency-ms").expect("a latency");
    assert!(latency.parse::<f64>().is_ok_and(|latency| latency > 0.0), "{latency}");

    let id = answer.header("x-pointsman-decision-id").expect("an id");
    let lengths: Vec<usize> = id.split('-').map(str::len).collect();
    assert_eq!(lengths, [8, 4, 4, 4, 12], "{id} is a UUID");
    let again = ask(&gateway, &chat("main", "hi")).await;
    assert_ne!(again.header("x-pointsman-decision-id"), Some(id));
}

#[tokio::test]
async fn a_model_gets_its_own_name_and_key_and_nothing_of_the_client() {
    let upstream = FakeModel::saying("hello there").await;
    let config = [
        &backend("a", &upstream, "api_key_env = \"UPSTREAM_KEY\"\nheaders = { x-team = \"points\" }"),
        &model("a/chat", 1, "upstream_name = \"vendor/chat-2026\""),
        &built_in("cost", ""),
        "[routes.main]\npolicy = \"cost\"\n",
    ];
    let gateway =
        Gateway::start_with(&config.map(str::to_owned).concat(), &[("UPSTREAM_KEY", "upstream-secret")])
            .await;
    let headers = [
        ("authorization", "Bearer client-secret"),
        ("api-key", "client-secret"),
        ("cookie", "session=1"),
        ("x-forwarded-for", "10.1.2.3"),
        ("x-pointsman-session", "mine"),
        ("x-pointsman-model", "forged"),
        ("traceparent", "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"),
        ("idempotency-key", "once"),
    ];
    let body = json!({ "model": "main", "messages": [{ "role": "user", "content": "hi" }], "seed": 7, "vendor_option": { "x": [1, 2] } });
    let answer = ask_with(&gateway, &headers, &body).await;
    assert_eq!(answer.status, 200);
    assert_eq!(answer.header("x-pointsman-model"), Some("a/chat"), "what the client claims is not repeated");

    let seen = upstream.request(1).await;
    assert_eq!(seen.path, "/v1/chat/completions");
    let mut expected = body;
    expected["model"] = "vendor/chat-2026".into();
    assert_eq!(seen.json(), expected);
    assert_eq!(seen.header("authorization"), Some("Bearer upstream-secret"));
    assert_eq!(seen.header("x-team"), Some("points"));
    assert_eq!(seen.header("traceparent"), Some(headers[6].1));
    assert_eq!(seen.header("idempotency-key"), Some("once"));
    for name in ["api-key", "cookie", "x-forwarded-for"] {
        assert_eq!(seen.header(name), None, "{name} stays here");
    }
    assert!(seen.headers.keys().all(|name| !name.as_str().starts_with("x-pointsman")), "{:?}", seen.headers);
}

#[tokio::test]
async fn secrets_stay_out_of_answers_and_of_the_log() {
    let upstream = FakeModel::builder()
        .otherwise(|_| {
            pointsman_tests::Step::answer("hi").header("set-cookie", "a=b").header("x-request-id", "r-1")
        })
        .start()
        .await;
    let config = in_order(&[], "[log]\nlevel = \"trace\"\n")
        + &backend("a", &upstream, "api_key_env = \"UPSTREAM_KEY\"")
        + &model("a/chat", 1, "");
    let gateway = Gateway::start_with(&config, &[("UPSTREAM_KEY", "upstream-secret")]).await;
    let answer =
        ask_with(&gateway, &[("authorization", "Bearer client-secret")], &chat("main", "a private matter"))
            .await;
    assert_eq!(answer.status, 200);
    assert_eq!(answer.header("set-cookie"), None);
    assert_eq!(answer.header("x-request-id"), Some("r-1"));
    gateway.logged("request ended").await;
    for secret in ["upstream-secret", "client-secret", "a private matter"] {
        assert!(!gateway.log().contains(secret), "{secret} is logged");
        assert!(!format!("{:?}", answer.headers).contains(secret), "{secret} is in a header");
    }
}

#[tokio::test]
async fn a_stream_is_forwarded_unchanged_except_for_unrequested_usage() {
    let model = FakeModel::saying("one two three").await;
    let gateway = Gateway::start(&in_order(&[&model], "")).await;
    let stream = open(&gateway, &streamed("main", "count")).await;
    assert_eq!(stream.headers["content-type"], "text/event-stream");
    assert_eq!(stream.headers["x-pointsman-model"], "a/chat");
    assert!(!stream.headers.contains_key("x-pointsman-cost-usd"), "not known before the end");
    let events = stream.events().await;
    assert_eq!(events.len(), 5, "three words, the end of the choice, and DONE: {events:#?}");
    assert!(!events.concat().contains("prompt_tokens"));
    assert_eq!(crate::fleet::text_of(&events), "one two three");
    assert_eq!(
        model.request(1).await.json()["stream_options"]["include_usage"],
        true,
        "we want it ourselves"
    );

    let mut body = streamed("main", "count");
    body["stream_options"] = json!({ "include_usage": true });
    let events = open(&gateway, &body).await.events().await;
    assert_eq!(events.len(), 6);
    assert!(events[4].contains(r#""completion_tokens":3"#), "{}", events[4]);
}

#[tokio::test]
async fn usage_is_recorded_for_whole_answers_and_streams() {
    let model = FakeModel::saying("one two three").await;
    let gateway = Gateway::start(&in_order(&[&model], "")).await;
    assert_eq!(usage(&gateway).await, [] as [serde_json::Value; 0]);
    ask(&gateway, &chat("main", "count")).await;
    open(&gateway, &streamed("main", "count")).await.events().await;
    open(&gateway, &streamed("a/chat", "count")).await.events().await;
    // A model that the client names is not compared with another; the route has but one.
    let line = |route, answered: u64, cost_usd: f64, compared: f64| {
        json!({
            "route": route, "model": "a/chat", "key": null, "answered": answered, "failed": 0, "cancelled": 0,
            "input_tokens": 7 * answered, "cached_input_tokens": 0, "output_tokens": 3 * answered,
            "reasoning_tokens": 0, "cost_usd": cost_usd, "compared_cost_usd": compared,
            "baseline_cost_usd": compared,
        })
    };
    let expected = [line("a/chat", 1, 0.000_013, 0.0), line("main", 2, 0.000_026, 0.000_026)];
    assert_eq!(usage(&gateway).await, expected);
}

#[tokio::test]
async fn a_model_can_be_addressed_directly_under_any_name() {
    let upstream = FakeModel::saying("hello there").await;
    let config = in_order(&[&upstream], "") + &model("a/meta-llama/llama-3:free", 1, "");
    let gateway = Gateway::start(&config).await;
    let answer = ask(&gateway, &chat("a/meta-llama/llama-3:free", "hi")).await;
    assert_eq!(answer.text(), "hello there");
    assert_eq!(answer.header("x-pointsman-route"), Some("direct"));
    assert_eq!(answer.header("x-pointsman-policy"), None);
    assert_eq!(answer.header("x-pointsman-model"), Some("a/meta-llama/llama-3:free"));
    assert_eq!(upstream.request(1).await.json()["model"], "meta-llama/llama-3:free");
}

#[tokio::test]
async fn routes_and_models_are_listed_and_shown_one_by_one() {
    let upstream = FakeModel::saying("hello there").await;
    let config = in_order(&[&upstream], "") + &model("a/meta/llama", 1, "");
    let gateway = Gateway::start(&config).await;
    let list = client::get(&gateway.url("/v1/models")).await.json();
    assert_eq!(list["object"], "list");
    let entries = list["data"].as_array().expect("a list");
    let ids: Vec<_> = entries.iter().map(|entry| entry["id"].as_str().expect("an id")).collect();
    assert_eq!(ids, ["main", "a/chat", "a/meta/llama"]);
    for entry in entries {
        let id = entry["id"].as_str().expect("an id");
        let one = client::get(&gateway.url(&format!("/v1/models/{id}"))).await;
        assert_eq!((one.status.as_u16(), &one.json()), (200, entry));
    }
    let encoded = client::get(&gateway.url("/v1/models/a%2Fmeta%2Fllama")).await;
    assert_eq!(encoded.json()["id"], "a/meta/llama", "clients escape the slash");
    error(&client::get(&gateway.url("/v1/models/nobody")).await, 404, "model_not_found");
}

#[tokio::test]
async fn a_route_is_served_under_its_aliases_and_the_most_specific_pattern_wins() {
    let upstream = FakeModel::saying("hello").await;
    let route = |name: &str, aliases: &str| {
        format!("[routes.\"{name}\"]\npolicy = \"cost\"\naliases = [{aliases}]\n")
    };
    let more = [
        route("all", "\"*\""),
        route("openai", "\"gpt-*\", \"gpt-4o\""),
        route("small", "\"gpt-*-mini\", \"*-nano\""),
        route("long/context", "\"claude-opus-4-8[1m]\", \"claude-*\""),
    ];
    let gateway = Gateway::start(&in_order(&[&upstream], &more.concat())).await;
    for (name, route) in [
        ("gpt-4o", "openai"),
        ("gpt-5", "openai"),
        ("gpt-5-mini", "small"),
        ("gpt-5-nano", "openai"),
        ("o9-nano", "small"),
        ("claude-opus-4-8[1m]", "long/context"),
        ("claude-haiku-4-5", "long/context"),
        ("long/context", "long/context"),
        ("main", "main"),
        ("mistral:latest", "all"),
        ("Modèle inconnu", "all"),
    ] {
        let answer = ask(&gateway, &chat(name, "hi")).await;
        assert_eq!((answer.status.as_u16(), answer.text().as_str()), (200, "hello"), "{name}");
        let id = answer.header("x-pointsman-decision-id").expect("an id");
        let record = client::get(&gateway.admin(&format!("/admin/decisions/{id}"))).await.json();
        assert_eq!((&record["route"], &record["request"]["model"]), (&json!(route), &json!(name)));
    }
    let direct = ask(&gateway, &chat("a/chat", "hi")).await;
    assert_eq!(direct.header("x-pointsman-policy"), None, "a model has precedence over every pattern");

    let list = client::get(&gateway.url("/v1/models")).await.json();
    let ids: Vec<_> = list["data"].as_array().expect("a list").iter().map(|entry| &entry["id"]).collect();
    let expected =
        ["main", "all", "openai", "gpt-4o", "small", "long/context", "claude-opus-4-8[1m]", "a/chat"];
    assert_eq!(ids, expected);
    for (id, route) in
        [("gpt-4o", "openai"), ("claude-opus-4-8%5B1m%5D", "long/context"), ("gpt-6", "openai")]
    {
        let entry = client::get(&gateway.url(&format!("/v1/models/{id}"))).await.json();
        assert_eq!(entry["pointsman"], json!({ "kind": "alias", "route": route }), "{entry}");
    }
    let overview = client::get(&gateway.admin("/admin/overview")).await.json();
    assert_eq!(overview["routes"][2]["aliases"], json!(["gpt-*", "gpt-4o"]));
    let metrics = client::get(&gateway.admin("/metrics")).await;
    let metrics = String::from_utf8_lossy(&metrics.body).into_owned();
    assert!(metrics.contains("route=\"long/context\""), "{metrics}");
    assert!(!metrics.contains("gpt-5") && !metrics.contains("inconnu"), "no label has a client's name");
}

#[tokio::test]
async fn an_unknown_name_gets_the_one_that_was_likely_meant() {
    let upstream = FakeModel::saying("hello").await;
    let more = "aliases = [\"claude-*\", \"gpt-4o-mini\"]\n\
                [routes.\"meta-llama/Llama-3.1-8B-Instruct\"]\npolicy = \"cost\"\n";
    let gateway = Gateway::start(&in_order(&[&upstream], more)).await;
    for (name, near) in [
        ("gpt-4o-mni", "gpt-4o-mini"),
        ("Main", "main"),
        ("llama-3.1-8b-instruct", "meta-llama/Llama-3.1-8B-Instruct"),
        ("chat", "a/chat"),
    ] {
        let message = error(&ask(&gateway, &chat(name, "hi")).await, 404, "model_not_found");
        let expected = format!(
            "there is no route or model `{name}`: did you mean `{near}`? GET /v1/models lists what there is"
        );
        assert_eq!(message, expected);
        let one = client::get(&gateway.url(&format!("/v1/models/{name}"))).await;
        assert_eq!(error(&one, 404, "model_not_found"), expected);
    }
    let unlike = error(&ask(&gateway, &chat(&"x".repeat(512), "hi")).await, 404, "model_not_found");
    assert!(!unlike.contains("did you mean"), "{unlike}");
}

#[tokio::test]
async fn a_picture_is_routed_to_a_model_that_accepts_images() {
    let (blind, sighted) = (FakeModel::saying("eh?").await, FakeModel::saying("a cat").await);
    let config = [
        backend("blind", &blind, ""),
        model("blind/chat", 1, ""),
        backend("sighted", &sighted, ""),
        model("sighted/chat", 5, "inputs = [\"text\", \"image\"]"),
        built_in("cost", ""),
        "[routes.main]\npolicy = \"cost\"\n[routes.blind]\npolicy = \"cost\"\nmodels = [\"blind/*\"]\n"
            .to_owned(),
    ];
    let gateway = Gateway::start(&config.concat()).await;
    let answer = ask(&gateway, &with_picture("main", "iVBORw0KGgo=")).await;
    assert_eq!(answer.text(), "a cat");
    assert_eq!(answer.header("x-pointsman-model"), Some("sighted/chat"));
    assert_eq!(ask(&gateway, &chat("main", "hi")).await.header("x-pointsman-model"), Some("blind/chat"));

    for route in ["blind", "blind/chat"] {
        let answer = ask(&gateway, &with_picture(route, "iVBORw0KGgo=")).await;
        let message = error(&answer, 400, "unsupported_request");
        assert!(message.starts_with("no model of the route accepts image, "), "{message}");
    }
    assert_eq!(blind.requests().len(), 1);
}

#[tokio::test]
async fn a_request_that_no_model_accepts_is_rejected_with_the_reason() {
    let upstream = FakeModel::saying("hello there").await;
    let config = in_order(&[], "")
        + &backend("a", &upstream, "")
        + &model("a/chat", 1, "context_window = 100\nabilities = [\"streaming\"]");
    let gateway = Gateway::start(&config).await;
    let long = ask(&gateway, &chat("main", &"words ".repeat(3_000))).await;
    let message = error(&long, 400, "context_length_exceeded");
    assert!(message.ends_with("more than any model of the route takes (at most 100)"), "{message}");

    let mut body = chat("main", "what time is it?");
    body["tools"] = json!([{ "type": "function", "function": { "name": "clock", "parameters": {} } }]);
    let message = error(&ask(&gateway, &body).await, 400, "unsupported_request");
    assert!(message.starts_with("no model of the route supports tools, "), "{message}");
    assert_eq!(upstream.requests().len(), 0);
}

#[tokio::test]
async fn ten_megabytes_of_picture_arrive_intact() {
    let upstream = FakeModel::saying("a cat").await;
    let config = in_order(&[], "")
        + &backend("a", &upstream, "")
        + &model("a/chat", 1, "inputs = [\"text\", \"image\"]");
    let gateway = Gateway::start(&config).await;
    let picture: String = ('A'..='Z').chain('a'..='z').chain('0'..='9').cycle().take(10 << 20).collect();
    let body = with_picture("main", &picture);
    assert_eq!(ask(&gateway, &body).await.text(), "a cat");
    let sent = body.to_string().replacen("\"model\":\"main\"", "\"model\":\"chat\"", 1);
    let seen = upstream.request(1).await;
    assert_eq!(seen.header("content-length"), Some(sent.len().to_string().as_str()), "not sent chunked");
    assert!(seen.body == sent.as_bytes(), "the body differs");
}

#[tokio::test]
async fn a_route_with_the_name_of_a_well_known_model_is_served_listed_and_operated() {
    let upstream = FakeModel::saying("hello").await;
    let names =
        ["anthropic/claude-sonnet-4", "llama3.1:8b", "claude-3-7-sonnet@20250219", "MoM[1m]", "x#y%20z?"];
    let mut more = built_in("performance", "");
    for name in names {
        more += &format!("[routes.\"{name}\"]\npolicy = \"cost\"\n");
    }
    let gateway = Gateway::start(&in_order(&[&upstream], &more)).await;
    let listed = client::get(&gateway.url("/v1/models")).await.json();
    for name in names {
        let answer = ask(&gateway, &chat(name, "hi")).await;
        assert_eq!((answer.status.as_u16(), answer.text().as_str()), (200, "hello"), "{name}");
        let listed = listed["data"].as_array().expect("a list").iter().any(|entry| entry["id"] == name);
        assert!(listed, "{name}");
        for arguments in [
            &["policy", "trial", name, "performance", "--shadow", "--admin", &gateway.admin_url][..],
            &["policy", "promote", name, "--admin", &gateway.admin_url],
            &["policy", "rollback", "--route", name, "--admin", &gateway.admin_url],
        ] {
            let (out, errors) = texts(&run(arguments));
            assert!(out.contains(name) && errors.is_empty(), "{arguments:?}: {out}{errors}");
        }
    }
}
