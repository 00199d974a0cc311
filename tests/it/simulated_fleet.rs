//! Members of requests that simulated models honour, through the gateway.

use pointsman_tests::Gateway;
use pointsman_tests::client::{self, Answer};
use serde_json::{Value, json};

use crate::fleet::ask;

const CONFIG: &str = "[backends.fleet]\nkind = \"simulated\"\n[models.\"fleet/m\"]\ninput_price = 1\noutput_price = 1\n\
    expected = { first_token_ms = 1, tokens_per_second = 100000 }\n";

fn request(members: &Value) -> Value {
    let messages = json!([{ "role": "user", "content": "What is the weather like in Paris?" }]);
    let mut body = json!({ "model": "fleet/m", "messages": messages });
    body.as_object_mut().expect("an object").extend(members.as_object().expect("an object").clone());
    body
}

async fn answer(gateway: &Gateway, members: Value) -> Value {
    let answer: Answer = ask(gateway, &request(&members)).await;
    assert_eq!(answer.status, 200, "{}", answer.json());
    answer.json()
}

/// Returns the choices of all events of a streamed answer.
async fn deltas(gateway: &Gateway, members: Value) -> Vec<Value> {
    let mut body = request(&members);
    body["stream"] = true.into();
    let events = client::stream(&gateway.url("/v1/chat/completions"), &body).await.events().await;
    let data = events.iter().filter(|event| *event != "[DONE]");
    let choices = data.map(|event| serde_json::from_str::<Value>(event).expect("JSON")["choices"].clone());
    choices.flat_map(|choices| choices.as_array().cloned().unwrap_or_default()).collect()
}

#[tokio::test]
async fn a_simulated_model_calls_tools_whole_and_streaming() {
    let gateway = Gateway::start(CONFIG).await;
    let parameters = json!({
        "type": "object", "required": ["location"], "additionalProperties": false,
        "properties": { "location": { "type": "string" }, "unit": { "enum": ["celsius", "fahrenheit"] } },
    });
    let function = json!({ "name": "get_weather", "parameters": parameters });
    let tools = json!({ "tools": [{ "type": "function", "function": function }] });
    let choice = answer(&gateway, tools.clone()).await["choices"][0].clone();
    let call = &choice["message"]["tool_calls"][0]["function"];
    assert_eq!((&choice["finish_reason"], &call["name"]), (&json!("tool_calls"), &json!("get_weather")));
    let arguments = call["arguments"].as_str().expect("JSON in a text");
    let parsed: Value = serde_json::from_str(arguments).expect("JSON");
    assert_eq!(parsed["location"], "Paris");

    let streamed: String = deltas(&gateway, tools)
        .await
        .iter()
        .filter_map(|part| {
            part["delta"]["tool_calls"][0]["function"]["arguments"].as_str().map(str::to_owned)
        })
        .collect();
    assert_eq!(streamed, arguments);
}

#[tokio::test]
async fn a_simulated_model_answers_in_the_requested_format_and_number() {
    let gateway = Gateway::start(CONFIG).await;
    let schema = json!({
        "type": "object", "required": ["city", "degrees"], "additionalProperties": false,
        "properties": { "city": { "type": "string" }, "degrees": { "type": "integer", "minimum": 15, "maximum": 25 } },
    });
    let format = json!({ "type": "json_schema", "json_schema": { "name": "weather", "schema": schema } });
    let whole = answer(&gateway, json!({ "response_format": format, "n": 2, "logprobs": true })).await;
    assert_eq!(whole["choices"].as_array().map(Vec::len), Some(2));
    for choice in whole["choices"].as_array().expect("choices") {
        let content: Value =
            serde_json::from_str(choice["message"]["content"].as_str().expect("a text")).expect("JSON");
        assert_eq!(content["city"], "Paris");
        assert!((15..=25).contains(&content["degrees"].as_i64().expect("an integer")));
        assert!(choice["logprobs"]["content"].as_array().is_some_and(|tokens| !tokens.is_empty()));
    }
    let stopped = answer(&gateway, json!({ "stop": "weather" })).await;
    assert_eq!(stopped["choices"][0]["message"]["content"], "m: about");
}

#[tokio::test]
async fn a_simulated_model_reasons_and_the_gateway_counts_it() {
    let gateway = Gateway::start(CONFIG).await;
    let reasoned = answer(&gateway, json!({ "reasoning_effort": "high" })).await;
    let reasoning = reasoned["choices"][0]["message"]["reasoning_content"].as_str().expect("a text");
    let count = reasoning.split_whitespace().count();
    assert_eq!(reasoned["usage"]["completion_tokens_details"]["reasoning_tokens"], count);
    let parts = deltas(&gateway, json!({ "reasoning_effort": "high" })).await;
    let streamed: String =
        parts.iter().filter_map(|part| part["delta"]["reasoning_content"].as_str()).collect();
    assert_eq!(streamed, reasoning);
}

#[tokio::test]
async fn a_simulated_model_rejects_what_a_server_would() {
    let gateway = Gateway::start(CONFIG).await;
    for (members, reason) in [
        (json!({ "top_logprobs": 2 }), "top_logprobs needs logprobs to be true"),
        (
            json!({ "tools": [{ "type": "function", "function": {} }] }),
            "Missing required parameter: 'tools[0].function.name'.",
        ),
    ] {
        let answer = ask(&gateway, &request(&members)).await;
        assert_eq!(answer.status, 400, "{}", answer.json());
        assert!(answer.json()["error"]["message"].as_str().is_some_and(|message| message.contains(reason)));
    }
}
