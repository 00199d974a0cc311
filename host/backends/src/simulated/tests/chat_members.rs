//! Members of chat requests: tools, formats, choices, stop sequences, log probabilities, reasoning.

use super::*;

/// Merges members into a chat about the weather.
fn request(members: &Value) -> Value {
    let messages = json!([{ "role": "user", "content": "What is the weather like in Paris and in Lima?" }]);
    let mut body = json!({ "model": "llama-70b", "messages": messages });
    body.as_object_mut().unwrap().extend(members.as_object().unwrap().clone());
    body
}

async fn answer(members: Value) -> Value {
    let (status, answer) = whole(&fleet(ModelBehaviour::default()), &request(&members)).await;
    assert_eq!(status, 200, "{answer}");
    answer
}

/// Returns the error for members that are not valid.
async fn error(members: Value) -> Value {
    let (status, answer) = whole(&fleet(ModelBehaviour::default()), &request(&members)).await;
    assert_eq!(status, 400, "{answer}");
    answer["error"].clone()
}

/// Streams an answer, and puts its events together to a whole one.
async fn assembled(members: Value) -> Value {
    let mut body = request(&members);
    body["stream"] = true.into();
    body["stream_options"] = json!({ "include_usage": true });
    let events = events(&call(&fleet(ModelBehaviour::default()), &body).await.1);
    let mut choices: Vec<Value> = Vec::new();
    let mut usage = Value::Null;
    for event in events {
        assert_eq!(event["object"], "chat.completion.chunk");
        if !event["usage"].is_null() {
            usage = event["usage"].clone();
        }
        for part in event["choices"].as_array().unwrap() {
            let index = part["index"].as_u64().unwrap() as usize;
            if choices.len() <= index {
                assert_eq!(part["delta"]["role"], "assistant");
                choices.resize(index + 1, json!({ "message": {}, "logprobs": null }));
            }
            add(&mut choices[index], part);
        }
    }
    json!({ "choices": choices, "usage": usage })
}

fn add(choice: &mut Value, part: &Value) {
    if !part["finish_reason"].is_null() {
        assert!(choice["finish_reason"].is_null(), "a choice ends once");
        choice["finish_reason"] = part["finish_reason"].clone();
    }
    for logprob in part["logprobs"]["content"].as_array().into_iter().flatten() {
        if choice["logprobs"].is_null() {
            choice["logprobs"] = json!([]);
        }
        choice["logprobs"].as_array_mut().unwrap().push(logprob.clone());
    }
    concat(&mut choice["message"], &part["delta"]);
}

/// Adds a delta to a message: texts are joined, lists go by index.
fn concat(message: &mut Value, delta: &Value) {
    for (name, value) in delta.as_object().unwrap() {
        match value {
            Value::String(text) if message[name].is_string() && name != "role" => {
                message[name] = format!("{}{text}", message[name].as_str().unwrap()).into();
            }
            Value::Array(items) => {
                for item in items {
                    let index = item["index"].as_u64().unwrap() as usize;
                    if message[name].is_null() {
                        message[name] = json!([]);
                    }
                    let list = message[name].as_array_mut().unwrap();
                    if list.len() <= index {
                        list.resize(index + 1, json!({}));
                    }
                    let mut item = item.clone();
                    item.as_object_mut().unwrap().remove("index");
                    concat(&mut list[index], &item);
                }
            }
            Value::Object(_) if message[name].is_object() => concat(&mut message[name], value),
            _ => message[name] = value.clone(),
        }
    }
}

/// Asserts that the stream has what the whole answer has.
async fn same_streamed(members: Value) -> Value {
    let whole = answer(members.clone()).await;
    let streamed = assembled(members).await;
    assert_eq!(streamed["usage"], whole["usage"]);
    let choices = whole["choices"].as_array().unwrap();
    assert_eq!(streamed["choices"].as_array().unwrap().len(), choices.len());
    for (streamed, whole) in streamed["choices"].as_array().unwrap().iter().zip(choices) {
        assert_eq!(streamed["finish_reason"], whole["finish_reason"]);
        assert_eq!(streamed["logprobs"], whole["logprobs"]["content"]);
        for member in ["reasoning_content", "tool_calls", "function_call"] {
            assert_eq!(streamed["message"][member], whole["message"][member], "{member}");
        }
        let text = |message: &Value| message["content"].as_str().unwrap_or_default().to_owned();
        assert_eq!(text(&streamed["message"]), text(&whole["message"]));
    }
    whole
}

fn tools() -> Value {
    json!([
        { "type": "function", "function": {
            "name": "get_weather", "description": "Current weather at a place",
            "parameters": {
                "type": "object", "required": ["location", "unit"], "additionalProperties": false,
                "properties": { "location": { "type": "string" }, "unit": { "enum": ["celsius", "fahrenheit"] } },
            },
        } },
        { "type": "function", "function": { "name": "send_email" } },
        { "type": "custom", "custom": { "name": "notes" } },
    ])
}

#[tokio::test]
async fn a_tool_that_fits_the_prompt_is_called_with_arguments_that_fit_its_schema() {
    let answer = same_streamed(json!({ "tools": tools() })).await;
    let choice = &answer["choices"][0];
    assert_eq!(
        (&choice["finish_reason"], &choice["message"]["content"]),
        (&json!("tool_calls"), &Value::Null)
    );
    let calls = choice["message"]["tool_calls"].as_array().unwrap();
    assert_eq!(
        (calls.len(), &calls[0]["type"], &calls[0]["function"]["name"]),
        (1, &json!("function"), &json!("get_weather"))
    );
    let arguments: Value = serde_json::from_str(calls[0]["function"]["arguments"].as_str().unwrap()).unwrap();
    assert_eq!((arguments.as_object().unwrap().len(), &arguments["location"]), (2, &json!("Paris")));
    assert!(["celsius", "fahrenheit"].contains(&arguments["unit"].as_str().unwrap()));
    assert!(answer["usage"]["completion_tokens"].as_u64().unwrap() > 3);
    let tokens = async |members| self::answer(members).await["usage"]["prompt_tokens"].as_u64().unwrap();
    assert!(tokens(json!({ "tools": tools() })).await > tokens(json!({})).await, "tools are input too");
}

#[tokio::test]
async fn tool_choice_decides_whether_and_which_tool_is_called() {
    let called = async |choice: Value| {
        let answer = same_streamed(json!({ "tools": tools(), "tool_choice": choice })).await;
        let calls = answer["choices"][0]["message"]["tool_calls"].clone();
        let calls = calls.as_array().cloned().unwrap_or_default();
        let name = |call: &Value| {
            call["function"]["name"].as_str().or(call["custom"]["name"].as_str()).unwrap().to_owned()
        };
        calls.iter().map(name).collect::<Vec<_>>()
    };
    assert_eq!(called(json!("auto")).await, ["get_weather"]);
    assert_eq!(called(json!("none")).await, [""; 0]);
    assert_eq!(called(json!("required")).await, ["get_weather"]);
    assert_eq!(
        called(json!({ "type": "function", "function": { "name": "send_email" } })).await,
        ["send_email"]
    );
    assert_eq!(called(json!({ "type": "custom", "custom": { "name": "notes" } })).await, ["notes"]);
    let allowed = |mode: &str| {
        let tools = json!([{ "type": "function", "function": { "name": "send_email" } }]);
        json!({ "type": "allowed_tools", "allowed_tools": { "mode": mode, "tools": tools } })
    };
    assert_eq!(called(allowed("auto")).await, [""; 0]);
    assert_eq!(called(allowed("required")).await, ["send_email"]);
}

#[tokio::test]
async fn several_tools_are_called_at_once_unless_the_request_forbids_it() {
    let tool = |name: &str| json!({ "type": "function", "function": { "name": name } });
    let tools = json!([tool("weatherInParis"), tool("weather_in_lima"), tool("other")]);
    let calls = async |parallel: bool| {
        let answer = same_streamed(json!({ "tools": tools, "parallel_tool_calls": parallel })).await;
        answer["choices"][0]["message"]["tool_calls"].as_array().unwrap().clone()
    };
    let both = calls(true).await;
    assert_eq!(both.len(), 2);
    assert_ne!(both[0]["id"], both[1]["id"]);
    assert_eq!(calls(false).await.len(), 1);
}

#[tokio::test]
async fn results_of_tools_are_taken_up() {
    let messages = json!([
        { "role": "user", "content": "What is the weather like in Paris?" },
        { "role": "assistant", "tool_calls": [{ "id": "a", "type": "function", "function": { "name": "get_weather", "arguments": "{}" } }] },
        { "role": "tool", "tool_call_id": "a", "content": "21 degrees, sunny" },
    ]);
    let answer = same_streamed(json!({ "messages": messages, "tools": tools() })).await;
    let choice = &answer["choices"][0];
    assert_eq!(choice["finish_reason"], "stop");
    assert_eq!(choice["message"]["content"], "llama-70b: weather like Paris: 21 degrees, sunny");
}

#[tokio::test]
async fn functions_of_the_older_api_are_called_in_its_form() {
    let parameters = json!({ "type": "object" });
    let functions = json!([{ "name": "get_weather", "parameters": parameters }, { "name": "other_weather" }]);
    let answer = same_streamed(json!({ "functions": functions })).await;
    let choice = &answer["choices"][0];
    assert_eq!(
        (&choice["finish_reason"], &choice["message"]["tool_calls"]),
        (&json!("function_call"), &Value::Null)
    );
    assert_eq!(choice["message"]["function_call"], json!({ "name": "get_weather", "arguments": "{}" }));
    let named =
        same_streamed(json!({ "functions": functions, "function_call": { "name": "get_weather" } })).await;
    assert_eq!(named["choices"][0]["finish_reason"], "function_call");
}

#[tokio::test]
async fn json_is_answered_where_it_is_requested() {
    let content = |answer: &Value| -> Value {
        serde_json::from_str(answer["choices"][0]["message"]["content"].as_str().unwrap()).unwrap()
    };
    let answer = same_streamed(json!({ "response_format": { "type": "json_object" } })).await;
    assert!(content(&answer)["answer"].as_str().unwrap().contains("weather"));
    let schema = json!({
        "type": "object", "required": ["city", "days"],
        "properties": { "city": { "type": "string" }, "days": { "type": "array", "minItems": 3, "items": { "type": "integer", "minimum": 1 } } },
    });
    let format = json!({ "type": "json_schema", "json_schema": { "name": "forecast", "schema": schema } });
    let answer = same_streamed(json!({ "response_format": format })).await;
    assert_eq!(content(&answer)["city"], "Paris");
    assert_eq!(content(&answer)["days"].as_array().unwrap().len(), 3);
}

#[tokio::test]
async fn n_choices_are_streamed_side_by_side() {
    let one = answer(json!({})).await;
    let three = same_streamed(json!({ "n": 3 })).await;
    let choices = three["choices"].as_array().unwrap();
    assert_eq!(choices[0]["message"], one["choices"][0]["message"], "the first is the same");
    assert_ne!(choices[0]["message"], choices[1]["message"]);
    assert!(three["usage"]["completion_tokens"].as_u64() > one["usage"]["completion_tokens"].as_u64());

    let mut body = request(&json!({ "n": 2, "stream": true }));
    body["max_tokens"] = 3.into();
    let events = events(&call(&fleet(ModelBehaviour::default()), &body).await.1);
    let indices: Vec<u64> =
        events.iter().map(|event| event["choices"][0]["index"].as_u64().unwrap()).collect();
    assert_eq!(indices, [0, 1, 0, 1, 0, 1, 0, 1, 0, 1]);
}

#[tokio::test]
async fn an_answer_ends_before_a_stop_sequence() {
    let text = async |members| {
        let answer = same_streamed(members).await;
        assert_eq!(answer["choices"][0]["finish_reason"], "stop");
        answer["choices"][0]["message"]["content"].as_str().unwrap().to_owned()
    };
    let full = text(json!({})).await;
    let before = full.split("Paris").next().unwrap().trim_end();
    assert_eq!(text(json!({ "stop": "Paris" })).await, before);
    assert_eq!(text(json!({ "stop": ["never", "Lima", "Paris"] })).await, before);
    assert_eq!(text(json!({ "stop": ["never", ""] })).await, full);
    assert_eq!(text(json!({ "stop": "llama" })).await, "");
}

#[tokio::test]
async fn log_probabilities_cover_every_token() {
    let answer = same_streamed(json!({ "logprobs": true, "top_logprobs": 3 })).await;
    let choice = &answer["choices"][0];
    let content = choice["logprobs"]["content"].as_array().unwrap();
    let tokens: String = content.iter().map(|token| token["token"].as_str().unwrap()).collect();
    assert_eq!(choice["message"]["content"], tokens);
    for token in content {
        let top = token["top_logprobs"].as_array().unwrap();
        assert_eq!((top.len(), &top[0]["token"]), (3, &token["token"]));
        let sum: f64 = top.iter().map(|likelihood| likelihood["logprob"].as_f64().unwrap().exp()).sum();
        assert!(sum <= 1.0, "{token}");
    }
    let without = same_streamed(json!({ "logprobs": true })).await;
    assert_eq!(without["choices"][0]["logprobs"]["content"][0]["top_logprobs"], json!([]));
    assert_eq!(self::answer(json!({})).await["choices"][0]["logprobs"], Value::Null);
}

#[tokio::test]
async fn reasoning_comes_first_and_is_part_of_the_usage() {
    let counts = async |effort: &str| {
        let answer = same_streamed(json!({ "reasoning_effort": effort })).await;
        let text =
            answer["choices"][0]["message"]["reasoning_content"].as_str().unwrap_or_default().to_owned();
        let count = answer["usage"]["completion_tokens_details"]["reasoning_tokens"].as_u64().unwrap_or(0);
        assert_eq!(text.split_whitespace().count() as u64, count);
        assert!(answer["usage"]["completion_tokens"].as_u64().unwrap() > count);
        count
    };
    assert_eq!((counts("none").await, counts("minimal").await), (0, 0));
    let (low, medium, high) = (counts("low").await, counts("medium").await, counts("high").await);
    assert!(0 < low && low < medium && medium < high, "{low} {medium} {high}");

    let cut = same_streamed(json!({ "reasoning_effort": "high", "max_completion_tokens": 4 })).await;
    let choice = &cut["choices"][0];
    assert_eq!((&choice["finish_reason"], &choice["message"]["content"]), (&json!("length"), &json!("")));
    assert_eq!(cut["usage"]["completion_tokens"], 4);
}

#[tokio::test]
async fn a_limit_cuts_arguments_too() {
    let answer = same_streamed(json!({ "tools": tools(), "max_tokens": 2 })).await;
    let choice = &answer["choices"][0];
    assert_eq!(choice["finish_reason"], "length");
    assert_eq!(choice["message"]["tool_calls"][0]["function"]["arguments"], "{\"locati");
}

#[tokio::test]
async fn members_out_of_range_are_rejected_with_what_is_expected() {
    let format = |kind: &str| json!({ "response_format": { "type": kind } });
    let tool = |tool: Value| json!({ "tools": [tool] });
    for (members, reason) in [
        (json!({ "n": 0 }), "n is 0; a number from 1 to 128 is expected"),
        (json!({ "n": 1000 }), "n is 1000"),
        (json!({ "stop": ["a", "b", "c", "d", "e"] }), "stop has 5 sequences; at most 4 are expected"),
        (json!({ "top_logprobs": 21, "logprobs": true }), "top_logprobs is 21"),
        (json!({ "top_logprobs": 2 }), "top_logprobs needs logprobs"),
        (json!({ "reasoning_effort": "huge" }), "reasoning_effort is \"huge\""),
        (format("xml"), "response_format has the type \"xml\""),
        (format("json_schema"), "Missing required parameter: 'response_format.json_schema.schema'."),
        (tool(json!({ "type": "function" })), "Missing required parameter: 'tools[0].function'."),
        (tool(json!({ "type": "web_search" })), "tools[0] has the type \"web_search\""),
        (
            tool(json!({ "type": "function", "function": {} })),
            "Missing required parameter: 'tools[0].function.name'.",
        ),
        (json!({ "tools": tools(), "tool_choice": "always" }), "tool_choice \"always\" is not"),
        (
            json!({ "tools": tools(), "tool_choice": { "type": "function", "function": { "name": "x" } } }),
            "tool_choice names \"x\", which is not among the tools",
        ),
        (json!({ "tool_choice": "required" }), "tool_choice requires a call, and there are no tools"),
    ] {
        let error = error(members).await;
        let message = error["message"].as_str().unwrap();
        assert!(error["param"].is_string(), "{error}");
        assert!(message.starts_with(reason), "{message}");
    }
}

#[tokio::test]
async fn whole_numbers_may_have_a_fraction_of_zero() {
    let plain = json!({ "n": 2, "max_tokens": 9, "logprobs": true, "top_logprobs": 1 });
    let fractions = json!({ "n": 2.0, "max_tokens": 9.0, "logprobs": true, "top_logprobs": 1.0 });
    assert_eq!(answer(fractions).await["choices"], answer(plain).await["choices"]);
}

#[tokio::test]
async fn a_member_of_another_type_is_named_without_types_of_rust() {
    let content = json!([{ "role": "user", "content": 5 }]);
    for (members, parameter, message) in [
        (json!({ "n": 2.5 }), "n", "Invalid type for 'n': floating point `2.5`, expected a whole number."),
        (
            json!({ "messages": content }),
            "messages[0].content",
            "Invalid type for 'messages[0].content': expected a text or a list of parts.",
        ),
        (
            json!({ "stream_options": true }),
            "stream_options",
            "Invalid type for 'stream_options': boolean `true`, expected an object.",
        ),
        (json!({ "stop": 1 }), "stop", "Invalid type for 'stop': expected a text or a list of texts."),
    ] {
        let error = error(members).await;
        assert_eq!((&error["param"], &error["message"]), (&json!(parameter), &json!(message)));
        assert_eq!(
            (&error["code"], &error["type"]),
            (&json!("invalid_type"), &json!("invalid_request_error"))
        );
    }
}
