//! Client APIs and provider dialects: each API answered by each dialect, whole and streamed.

use pointsman_tests::client::{self, Answer};
use pointsman_tests::{FakeModel, Gateway, Request, Step};
use serde_json::{Value, json};

use crate::fleet::{built_in, model};

/// Text that every model writes.
const TEXT: &str = "The sky is blue.";

/// Provider dialects, as the configuration calls them.
const DIALECTS: [&str; 3] = ["openai", "anthropic", "gemini"];

/// API of a client.
#[derive(Clone, Copy, Debug)]
struct Api {
    path: &'static str,
    /// Members of a request with the text "Why is the sky blue?".
    request: fn(&str) -> Value,
    /// Returns text, input tokens and output tokens of a whole answer.
    read: fn(&Value) -> (String, u64, u64),
    /// Returns text, input tokens and output tokens of the data of all events.
    read_stream: fn(&[Value]) -> (String, u64, u64),
}

const APIS: [Api; 4] = [
    Api {
        path: "/v1/chat/completions",
        request: |model| {
            json!({
                "model": model, "max_tokens": 50,
                "stream_options": { "include_usage": true },
                "messages": [
                    { "role": "system", "content": "Be brief." },
                    { "role": "user", "content": "Why is the sky blue?" },
                ],
            })
        },
        read: |answer| {
            let usage = &answer["usage"];
            (
                text(&answer["choices"][0]["message"]["content"]),
                number(&usage["prompt_tokens"]),
                number(&usage["completion_tokens"]),
            )
        },
        read_stream: |events| {
            let content = events.iter().map(|event| text(&event["choices"][0]["delta"]["content"])).collect();
            let usage = events.iter().rev().map(|event| &event["usage"]).find(|usage| usage.is_object());
            let usage = usage.expect("the usage was requested");
            (content, number(&usage["prompt_tokens"]), number(&usage["completion_tokens"]))
        },
    },
    Api {
        path: "/v1/completions",
        request: |model| {
            json!({
                "model": model, "max_tokens": 50, "prompt": "Why is the sky blue?",
                "stream_options": { "include_usage": true },
            })
        },
        read: |answer| {
            let usage = &answer["usage"];
            assert_eq!(answer["object"], "text_completion");
            (
                text(&answer["choices"][0]["text"]),
                number(&usage["prompt_tokens"]),
                number(&usage["completion_tokens"]),
            )
        },
        read_stream: |events| {
            let content = events.iter().map(|event| text(&event["choices"][0]["text"])).collect();
            let usage = events.iter().rev().map(|event| &event["usage"]).find(|usage| usage.is_object());
            let usage = usage.expect("the usage was requested");
            (content, number(&usage["prompt_tokens"]), number(&usage["completion_tokens"]))
        },
    },
    Api {
        path: "/v1/responses",
        request: |model| {
            json!({
                "model": model, "max_output_tokens": 50, "instructions": "Be brief.",
                "input": "Why is the sky blue?", "store": false,
            })
        },
        read: |answer| {
            assert_eq!((&answer["object"], &answer["status"]), (&json!("response"), &json!("completed")));
            let usage = &answer["usage"];
            (
                text(&answer["output"][0]["content"][0]["text"]),
                number(&usage["input_tokens"]),
                number(&usage["output_tokens"]),
            )
        },
        read_stream: |events| {
            let of = |kind: &'static str| events.iter().filter(move |event| event["type"] == kind);
            let content = of("response.output_text.delta").map(|event| text(&event["delta"])).collect();
            let last = of("response.completed").next().expect("the last event");
            let usage = &last["response"]["usage"];
            (content, number(&usage["input_tokens"]), number(&usage["output_tokens"]))
        },
    },
    Api {
        path: "/v1/messages",
        request: |model| {
            json!({
                "model": model, "max_tokens": 50, "system": "Be brief.",
                "messages": [{ "role": "user", "content": "Why is the sky blue?" }],
            })
        },
        read: |answer| {
            assert_eq!((&answer["type"], &answer["stop_reason"]), (&json!("message"), &json!("end_turn")));
            let usage = &answer["usage"];
            (
                text(&answer["content"][0]["text"]),
                number(&usage["input_tokens"]),
                number(&usage["output_tokens"]),
            )
        },
        read_stream: |events| {
            let content = events.iter().map(|event| text(&event["delta"]["text"])).collect();
            let usage = events.iter().find(|event| event["type"] == "message_delta").expect("the usage");
            let usage = &usage["usage"];
            (content, number(&usage["input_tokens"]), number(&usage["output_tokens"]))
        },
    },
];

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

fn number(value: &Value) -> u64 {
    value.as_u64().expect("a number")
}

/// Returns a configuration with a model of each dialect, `openai/chat`, `anthropic/chat` and
/// `gemini/chat`; `more` follows the route `main`, which tries them in this order.
fn config(servers: &[FakeModel; 3], more: &str) -> String {
    let mut config = built_in("cost", "");
    for ((dialect, server), price) in DIALECTS.iter().zip(servers).zip(1..) {
        let key = pointsman_tests::planted::BACKEND_KEY_ENV;
        config += &format!(
            "[backends.{dialect}]\nkind = \"{dialect}\"\nbase_url = \"{}\"\napi_key_env = \"{key}\"\n",
            server.base_url()
        );
        config += &model(&format!("{dialect}/chat"), price, "");
    }
    config + "[routes.main]\npolicy = \"cost\"\nbackoff = \"1ms\"\n" + more
}

/// Returns servers of each dialect that answer every request with [`TEXT`], 7 input tokens and 4
/// output tokens.
async fn servers() -> [FakeModel; 3] {
    [
        FakeModel::builder().otherwise(|request| Step::says(request, TEXT)).start().await,
        FakeModel::builder().otherwise(anthropic).start().await,
        FakeModel::builder().otherwise(gemini).start().await,
    ]
}

fn anthropic(request: &Request) -> Step {
    let body = request.json();
    assert_eq!(request.path, "/v1/messages");
    assert_eq!(request.header("anthropic-version"), Some("2023-06-01"));
    assert!(request.header("x-api-key").is_some() && request.header("authorization").is_none());
    assert!(body["max_tokens"].is_u64(), "{body}");
    let message = |content: Value, stop: Value, output: u64| {
        json!({
            "id": "msg_1", "type": "message", "role": "assistant", "model": "claude", "content": content,
            "stop_reason": stop, "stop_sequence": null,
            "usage": { "input_tokens": 7, "output_tokens": output },
        })
    };
    if body["stream"] != true {
        return Step::json(&message(json!([{ "type": "text", "text": TEXT }]), json!("end_turn"), 4));
    }
    let mut events = vec![
        json!({ "type": "message_start", "message": message(json!([]), Value::Null, 1) }),
        json!({ "type": "content_block_start", "index": 0, "content_block": { "type": "text", "text": "" } }),
    ];
    events.extend(TEXT.split_inclusive(' ').map(|word| {
        json!({ "type": "content_block_delta", "index": 0, "delta": { "type": "text_delta", "text": word } })
    }));
    events.extend([
        json!({ "type": "content_block_stop", "index": 0 }),
        json!({
            "type": "message_delta", "delta": { "stop_reason": "end_turn", "stop_sequence": null },
            "usage": { "input_tokens": 7, "output_tokens": 4 },
        }),
        json!({ "type": "message_stop" }),
    ]);
    let events = events.iter().map(|event| format!("event: {}\ndata: {event}\n\n", text(&event["type"])));
    Step::chunks("text/event-stream", events.collect::<Vec<_>>())
}

fn gemini(request: &Request) -> Step {
    assert!(request.header("x-goog-api-key").is_some() && request.header("authorization").is_none());
    let chunk = |text: &str, finish: Value| {
        json!({
            "candidates": [{
                "content": { "role": "model", "parts": [{ "text": text }] }, "finishReason": finish, "index": 0,
            }],
            "usageMetadata": { "promptTokenCount": 7, "candidatesTokenCount": 4, "totalTokenCount": 11 },
            "modelVersion": "gemini", "responseId": "1",
        })
    };
    if request.path.contains(":streamGenerateContent") {
        assert_eq!(request.path, "/v1/models/chat:streamGenerateContent?alt=sse");
        let words: Vec<&str> = TEXT.split_inclusive(' ').collect();
        let last = words.len() - 1;
        let events = words.iter().enumerate().map(|(number, word)| {
            let finish = if number == last { json!("STOP") } else { Value::Null };
            format!("data: {}\r\n\r\n", chunk(word, finish))
        });
        return Step::chunks("text/event-stream", events.collect::<Vec<_>>());
    }
    assert_eq!(request.path, "/v1/models/chat:generateContent");
    Step::json(&chunk(TEXT, json!("STOP")))
}

/// Returns the data of all events of a stream.
fn data(events: &[String]) -> Vec<Value> {
    let data = events.iter().filter(|data| *data != "[DONE]");
    data.map(|data| serde_json::from_str(data).expect("JSON")).collect()
}

async fn post(gateway: &Gateway, path: &str, body: &Value) -> Answer {
    client::post(&gateway.url(path), body).await
}

#[tokio::test]
async fn each_client_api_is_answered_by_each_dialect_whole_and_streamed() {
    let servers = servers().await;
    let gateway = Gateway::start(&config(&servers, "")).await;
    for api in APIS {
        for dialect in DIALECTS {
            let name = format!("{dialect}/chat");
            let mut request = (api.request)(&name);
            let answer = post(&gateway, api.path, &request).await;
            assert_eq!(answer.status, 200, "{} {dialect}: {}", api.path, answer.text());
            assert_eq!(answer.header("x-pointsman-model"), Some(&*name));
            assert!(answer.header("x-pointsman-cost-usd").is_some());
            assert_eq!((api.read)(&answer.json()), (TEXT.to_owned(), 7, 4), "{} {dialect}", api.path);

            request["stream"] = true.into();
            let stream = client::stream(&gateway.url(api.path), &request).await;
            assert_eq!(stream.status, 200);
            let events = stream.events().await;
            assert_eq!(
                (api.read_stream)(&data(&events)),
                (TEXT.to_owned(), 7, 4),
                "{} {dialect}: {events:?}",
                api.path
            );
        }
    }
}

#[tokio::test]
async fn a_model_of_another_dialect_takes_over() {
    let [openai, .., gemini] = servers().await;
    let failing = [openai, FakeModel::always(Step::status(500)).await, gemini];
    let config = config(&failing, "models = [\"anthropic/chat\", \"gemini/chat\"]\n");
    let gateway = Gateway::start(&config).await;
    for api in APIS {
        let answer = post(&gateway, api.path, &(api.request)("main")).await;
        assert_eq!(answer.status, 200, "{}", answer.text());
        assert_eq!(answer.header("x-pointsman-model"), Some("gemini/chat"));
        assert_eq!((api.read)(&answer.json()).0, TEXT);
    }
}

#[tokio::test]
async fn a_request_passes_unchanged_to_a_provider_of_its_own_api() {
    let servers = servers().await;
    let gateway = Gateway::start(&config(&servers, "")).await;
    let body = r#"{ "unknown": {"b":1.50,"a":2}, "model":"anthropic/chat", "max_tokens": 9, "messages": [{"role":"user","content":"Hi"}] }"#;
    let url = gateway.url("/v1/messages");
    let headers = [("content-type", "application/json"), ("anthropic-beta", "future-2027-01-01")];
    let answer = client::call(http::Method::POST, &url, &headers, body).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    let received = &servers[1].requests()[0];
    assert_eq!(received.body, body.replace("anthropic/chat", "chat"));
    assert_eq!(received.header("anthropic-beta"), Some("future-2027-01-01"));
    assert_eq!(answer.json()["id"], "msg_1");
    assert!(answer.header("x-pointsman-dropped").is_none());
}

#[tokio::test]
async fn members_without_a_counterpart_are_dropped_by_name_or_rejected() {
    let servers = servers().await;
    let dropping =
        "[routes.lenient]\npolicy = \"cost\"\nmodels = [\"anthropic/chat\"]\non_untranslatable = \"drop\"\n";
    let gateway = Gateway::start(&config(&servers, dropping)).await;
    let mut request = (APIS[0].request)("anthropic/chat");
    request["seed"] = 7.into();
    request["service_tier"] = "flex".into();
    let answer = post(&gateway, APIS[0].path, &request).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    let dropped = answer.header("x-pointsman-dropped").expect("the dropped members are named");
    assert!(dropped.contains("seed") && dropped.contains("service_tier"), "{dropped}");

    request["n"] = 2.into();
    let answer = post(&gateway, APIS[0].path, &request).await;
    assert_eq!(answer.status, 400, "{}", answer.text());
    let error = &answer.json()["error"];
    assert_eq!((&error["param"], &error["code"]), (&json!("n"), &json!("unsupported_request")), "{error}");

    request["model"] = "lenient".into();
    let answer = post(&gateway, APIS[0].path, &request).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    assert!(answer.header("x-pointsman-dropped").is_some_and(|dropped| dropped.contains('n')));

    // A model that can express it takes over.
    request["model"] = "main".into();
    let both = "[routes.both]\npolicy = \"cost\"\n";
    let gateway = Gateway::start(&config(&servers, both)).await;
    assert_eq!(post(&gateway, APIS[0].path, &request).await.header("x-pointsman-model"), Some("openai/chat"));
}

#[tokio::test]
async fn errors_are_in_the_format_of_the_clients_api() {
    let servers = servers().await;
    let gateway = Gateway::start(&config(&servers, "")).await;
    for api in APIS {
        let answer = post(&gateway, api.path, &(api.request)("nothing")).await;
        let body = answer.json();
        assert_eq!(answer.status, 404, "{body}");
        match api.path {
            "/v1/messages" => {
                assert_eq!(
                    (&body["type"], &body["error"]["type"]),
                    (&json!("error"), &json!("not_found_error"))
                );
            }
            _ => assert_eq!(body["error"]["code"], "model_not_found"),
        }
        let answer = post(&gateway, api.path, &json!({ "model": "main" })).await;
        assert_eq!(answer.status, 400, "{}", answer.text());
    }
}

#[tokio::test]
async fn an_error_of_a_backend_is_translated() {
    let too_long = json!({
        "type": "error", "error": { "type": "invalid_request_error", "message": "prompt is too long: 9 > 8" },
    });
    let [openai, _, gemini] = servers().await;
    let servers = [openai, FakeModel::always(Step::json(&too_long).with_status(400)).await, gemini];
    let gateway = Gateway::start(&config(&servers, "")).await;
    for api in APIS {
        let answer = post(&gateway, api.path, &(api.request)("anthropic/chat")).await;
        assert_eq!(answer.status, 400, "{}", answer.text());
        let message = text(&answer.json()["error"]["message"]);
        assert!(message.contains("prompt is too long"), "{message}");
    }
}

#[tokio::test]
async fn a_stream_that_breaks_off_ends_with_an_error_of_the_clients_api() {
    let [openai, _, gemini] = servers().await;
    let breaking = FakeModel::builder().otherwise(|request| anthropic(request).die_after(3)).start().await;
    let servers = [openai, breaking, gemini];
    let gateway = Gateway::start(&config(&servers, "")).await;
    for api in APIS {
        let mut request = (api.request)("anthropic/chat");
        request["stream"] = true.into();
        let events = client::stream(&gateway.url(api.path), &request).await.events().await;
        let last = data(&events).pop().expect("an event");
        let is_error = match api.path {
            "/v1/responses" => last["type"] == "error" || last["type"] == "response.failed",
            "/v1/messages" => last["type"] == "error",
            _ => last["error"].is_object(),
        };
        assert!(is_error, "{}: {events:?}", api.path);
    }
}

#[tokio::test]
async fn a_base_url_may_end_with_v1_or_not_and_a_path_with_a_slash() {
    let servers = servers().await;
    let gateway = Gateway::start(&config(&servers, "")).await;
    for api in APIS {
        let below = api.path.strip_prefix("/v1").expect("the path of the API");
        for path in [below.to_owned(), format!("/v1/v1{below}"), format!("{}/", api.path)] {
            let answer = post(&gateway, &path, &(api.request)("main")).await;
            assert_eq!(answer.status, 200, "{path}: {}", answer.text());
        }
    }
    let answer = post(&gateway, "/v2/chat/completions", &json!({})).await;
    let error = &answer.json()["error"];
    assert_eq!((answer.status, &error["code"]), (404.try_into().expect("a status"), &json!("unknown_url")));
    assert!(text(&error["message"]).contains("the path is /v1/chat/completions"), "{error}");
}

#[tokio::test]
async fn client_libraries_get_the_id_of_the_decision_where_the_provider_states_none() {
    let servers = servers().await;
    let gateway = Gateway::start(&config(&servers, "")).await;
    for api in APIS {
        let answer = post(&gateway, api.path, &(api.request)("main")).await;
        let id = answer.header("x-pointsman-decision-id");
        let ids = (answer.header("x-request-id"), answer.header("request-id"));
        let expected = if api.path == "/v1/messages" { (None, id) } else { (id, None) };
        assert_eq!((ids, id.is_some()), (expected, true), "{}", api.path);
    }
}

#[tokio::test]
async fn tokens_of_a_message_are_counted_before_it_is_sent() {
    let servers = servers().await;
    let gateway = Gateway::start(&config(&servers, "")).await;
    let body = json!({ "model": "main", "messages": [{ "role": "user", "content": "Hello, world" }] });
    let answer = post(&gateway, "/v1/messages/count_tokens", &body).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    assert!((1..20).contains(&number(&answer.json()["input_tokens"])), "{}", answer.text());
    let missing = json!({ "model": "none", "messages": [{ "role": "user", "content": "Hello" }] });
    assert_eq!(post(&gateway, "/v1/messages/count_tokens", &missing).await.status, 404);
}

#[tokio::test]
async fn a_plan_answers_every_client_api() {
    let servers = servers().await;
    let planned = built_in("sequential", "") + "[routes.chain]\npolicy = \"sequential\"\n";
    let gateway = Gateway::start(&config(&servers, &planned)).await;
    for api in APIS {
        let mut request = (api.request)("chain");
        let answer = post(&gateway, api.path, &request).await;
        assert_eq!(answer.status, 200, "{}: {}", api.path, answer.text());
        assert!(answer.header("x-pointsman-tasks").is_some());
        assert_eq!((api.read)(&answer.json()).0, TEXT);
        request["stream"] = true.into();
        let events = client::stream(&gateway.url(api.path), &request).await.events().await;
        assert_eq!((api.read_stream)(&data(&events)).0, TEXT, "{}: {events:?}", api.path);
    }
}

#[tokio::test]
async fn responses_pass_unchanged_to_a_backend_that_has_that_api() {
    let response = json!({
        "id": "resp_1", "object": "response", "created_at": 1, "status": "completed", "model": "m", "output": [{
            "type": "message", "id": "msg_1", "role": "assistant", "status": "completed",
            "content": [{ "type": "output_text", "text": TEXT, "annotations": [] }],
        }],
        "usage": { "input_tokens": 7, "output_tokens": 4, "total_tokens": 11 }, "unknown": { "b": 1, "a": 2 },
    });
    let server = FakeModel::always(Step::json(&response)).await;
    let config = [
        built_in("cost", ""),
        crate::fleet::backend("a", &server, "apis = [\"responses\"]\n"),
        model("a/chat", 1, ""),
        "[routes.main]\npolicy = \"cost\"\n".to_owned(),
    ];
    let gateway = Gateway::start(&config.concat()).await;
    let body = r#"{"store":true,"model":"main","input":"Hi","previous_response_id":"resp_0","new":{"z":1}}"#;
    let headers = [("content-type", "application/json")];
    let answer = client::call(http::Method::POST, &gateway.url("/v1/responses"), &headers, body).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    assert_eq!(answer.json(), response);
    let received = &server.requests()[0];
    assert_eq!(
        (&*received.path, &*received.body),
        ("/v1/responses", body.replace("main", "chat").as_bytes())
    );
}

#[tokio::test]
async fn a_response_that_continues_another_needs_a_backend_that_keeps_it() {
    let servers = servers().await;
    let gateway = Gateway::start(&config(&servers, "")).await;
    let mut request = (APIS[2].request)("main");
    request["previous_response_id"] = "resp_0".into();
    let answer = post(&gateway, APIS[2].path, &request).await;
    assert_eq!(answer.status, 400, "{}", answer.text());
    assert_eq!(answer.json()["error"]["param"], "previous_response_id");
}

#[tokio::test]
async fn models_are_listed_in_the_format_of_the_clients_api() {
    let servers = servers().await;
    let gateway = Gateway::start(&config(&servers, "")).await;
    let openai = client::get(&gateway.url("/v1/models")).await.json();
    assert_eq!(openai["data"][0]["object"], "model");
    let version = [("anthropic-version", "2023-06-01")];
    let anthropic = client::get_with(&gateway.url("/v1/models"), &version).await.json();
    assert_eq!((&anthropic["data"][0]["type"], &anthropic["has_more"]), (&json!("model"), &json!(false)));
    assert_eq!(anthropic["first_id"], openai["data"][0]["id"]);
    let missing = client::get_with(&gateway.url("/v1/models/none"), &version).await;
    assert_eq!((missing.status.as_u16(), &missing.json()["type"]), (404, &json!("error")));
}
