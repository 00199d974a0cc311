//! Agents: a client that offers tools, executes the calls of the model, and sends the results.
//! Every built-in policy that plans has to leave such a conversation to one model, unchanged.

use pointsman_tests::{FakeModel, Gateway, Request, Step};
use serde_json::{Value, json};

use crate::fleet::{PLANNING_POLICIES, ask, backend, built_in, model};

/// List that `parallel` splits if no tools are in play.
const QUESTION: &str =
    "Answer each in one line:\n1. Is it warm in Lima?\n2. Is it dry in Oslo?\n3. Is it windy in Rome?";

/// Notation of tools in a client's requests.
#[derive(Clone, Copy, Debug)]
enum ToolDialect {
    /// `tools`, two calls at once, and messages of the role `tool`.
    Tools,
    /// The same, except that the last turn offers no tools, to get an answer in words.
    ToolsUntilTheLastTurn,
    /// `functions`, one call, and messages of the role `function`.
    Functions,
}

impl ToolDialect {
    /// Returns the message with which the model calls tools.
    fn call(self, turn: usize) -> Value {
        let function =
            |city: &str| json!({ "name": "weather", "arguments": format!("{{\"city\": \"{city}\"}}") });
        match self {
            Self::Functions => {
                json!({ "role": "assistant", "content": null, "function_call": function("Lima") })
            }
            Self::Tools | Self::ToolsUntilTheLastTurn => {
                let call = |city: &str| json!({ "id": format!("{city}-{turn}"), "type": "function", "function": function(city) });
                json!({ "role": "assistant", "content": null, "tool_calls": [call("Lima"), call("Oslo")] })
            }
        }
    }

    /// Returns the messages with the results.
    fn results(self, turn: usize) -> Vec<Value> {
        match self {
            Self::Functions => {
                vec![json!({ "role": "function", "name": "weather", "content": format!("{turn} degrees") })]
            }
            Self::Tools | Self::ToolsUntilTheLastTurn => {
                let result = |city: &str, content: Value| json!({ "role": "tool", "tool_call_id": format!("{city}-{turn}"), "content": content });
                let parts = json!([{ "type": "text", "text": "dry" }]);
                vec![result("Lima", format!("{turn} degrees").into()), result("Oslo", parts)]
            }
        }
    }

    fn body(self, route: &str, messages: &[Value], is_last: bool) -> Value {
        let schema = json!({ "type": "object", "properties": { "city": { "type": "string" } } });
        let function = json!({ "name": "weather", "parameters": schema });
        let mut body = json!({ "model": route, "messages": messages, "temperature": 0.5 });
        match self {
            Self::Functions => body["functions"] = json!([function]),
            Self::ToolsUntilTheLastTurn if is_last => {}
            Self::Tools | Self::ToolsUntilTheLastTurn => {
                body["tools"] = json!([{ "type": "function", "function": function }]);
                body["parallel_tool_calls"] = true.into();
            }
        }
        body
    }
}

/// Model that calls tools until there are the results of three turns, and then answers.
fn agent(dialect: ToolDialect) -> impl Fn(&Request) -> Step {
    move |request| {
        let body = request.json();
        let messages = body["messages"].as_array().expect("messages");
        let turns = messages.iter().filter(|message| message["role"] == "assistant").count();
        if turns == 3 {
            return Step::says(request, "It is warm.");
        }
        let choice = json!({ "index": 0, "message": dialect.call(turns), "finish_reason": "tool_calls" });
        let usage = json!({ "prompt_tokens": 9, "completion_tokens": 9, "total_tokens": 18 });
        Step::json(&json!({ "id": "c", "object": "chat.completion", "created": 1, "model": "chat",
                            "choices": [choice], "usage": usage }))
    }
}

async fn three_turns(gateway: &Gateway, upstream: &FakeModel, route: &str, dialect: ToolDialect) {
    let mut messages = vec![json!({ "role": "user", "content": QUESTION })];
    for turn in 0..4 {
        let before = upstream.requests().len();
        let body = dialect.body(route, &messages, turn == 3);
        let answer = ask(gateway, &body).await;
        let context = format!("{route}, {dialect:?}, turn {turn}: {}", String::from_utf8_lossy(&answer.body));
        assert_eq!(answer.status, 200, "{context}");
        let calls = upstream.requests().split_off(before);
        assert_eq!(calls.len(), 1, "{context}: {:?}", answer.header("x-pointsman-route"));
        let sent = body.to_string().replacen(&format!("\"model\":\"{route}\""), "\"model\":\"chat\"", 1);
        assert_eq!(String::from_utf8_lossy(&calls[0].body), sent, "{context}");
        let message = &answer.json()["choices"][0]["message"];
        if turn == 3 {
            assert_eq!(message["content"], "It is warm.", "{context}");
            return;
        }
        assert_eq!(message, &dialect.call(turn), "{context}");
        messages.push(message.clone());
        messages.extend(dialect.results(turn));
    }
}

#[tokio::test]
async fn every_planning_policy_sends_three_turns_of_tool_calls_unchanged_to_one_model() {
    for dialect in [ToolDialect::Tools, ToolDialect::ToolsUntilTheLastTurn, ToolDialect::Functions] {
        let upstream = FakeModel::builder().otherwise(agent(dialect)).start().await;
        // Two models of different quality, so that each policy has something to orchestrate.
        let mut config = backend("a", &upstream, "")
            + &backend("b", &upstream, "")
            + &model("a/chat", 1, "quality = 0.5\n")
            + &model("b/chat", 9, "quality = 0.9\n");
        for (policy, grants) in PLANNING_POLICIES {
            config += &built_in(policy, grants);
            config += &format!("[routes.{policy}]\npolicy = \"{policy}\"\nbackoff = \"1ms\"\n");
        }
        let gateway = Gateway::start(&config).await;
        for (policy, _) in PLANNING_POLICIES {
            three_turns(&gateway, &upstream, policy, dialect).await;
        }
    }
}
