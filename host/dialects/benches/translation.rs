//! Cost of a small request and its whole answer: passed through, and translated for each provider.

#![expect(clippy::unwrap_used, reason = "a bench may panic")]

use bytes::Bytes;
use divan::{Bencher, black_box};
use pointsman_dialects::call::{CallContent, CallTarget};
use pointsman_dialects::protocol::Protocol;
use pointsman_dialects::request::{ClientRequest, ClientRequestScan};
use pointsman_domain::model::NativeApis;
use pointsman_domain::usage::Usage;
use pointsman_wire::provider::ProviderDialect;

fn main() {
    divan::main();
}

/// About 300 bytes, as a client library writes it.
const CHAT: &str = r#"{"model":"auto","messages":[{"role":"system","content":"You are a helpful assistant."},{"role":"user","content":"Explain in two sentences how a railway pointsman chooses the track on which a train goes on."}],"temperature":0.7,"max_tokens":256,"stream":false}"#;
const MESSAGES: &str = r#"{"model":"auto","system":"You are a helpful assistant.","messages":[{"role":"user","content":"Explain in two sentences how a railway pointsman chooses the track on which a train goes on."}],"temperature":0.7,"max_tokens":256,"stream":false}"#;

const CHAT_ANSWER: &str = r#"{"id":"chatcmpl-1","object":"chat.completion","created":1,"model":"m","choices":[{"index":0,"message":{"role":"assistant","content":"A pointsman reads the signal and throws the lever. The train takes the track that is set."},"finish_reason":"stop"}],"usage":{"prompt_tokens":31,"completion_tokens":20,"total_tokens":51}}"#;
const MESSAGES_ANSWER: &str = r#"{"id":"msg_1","type":"message","role":"assistant","model":"m","content":[{"type":"text","text":"A pointsman reads the signal and throws the lever. The train takes the track that is set."}],"stop_reason":"end_turn","stop_sequence":null,"usage":{"input_tokens":31,"output_tokens":20}}"#;
const GEMINI_ANSWER: &str = r#"{"candidates":[{"content":{"role":"model","parts":[{"text":"A pointsman reads the signal and throws the lever. The train takes the track that is set."}]},"finishReason":"STOP","index":0}],"usageMetadata":{"promptTokenCount":31,"candidatesTokenCount":20,"totalTokenCount":51},"modelVersion":"m"}"#;

/// Client's protocol, and provider's dialect.
const PAIRS: [(&str, Protocol, ProviderDialect); 6] = [
    ("chat to openai (passes through)", Protocol::ChatCompletions, ProviderDialect::OpenAi),
    ("chat to anthropic", Protocol::ChatCompletions, ProviderDialect::Anthropic),
    ("chat to gemini", Protocol::ChatCompletions, ProviderDialect::Gemini),
    ("messages to anthropic (passes through)", Protocol::Messages, ProviderDialect::Anthropic),
    ("messages to openai", Protocol::Messages, ProviderDialect::OpenAi),
    ("messages to gemini", Protocol::Messages, ProviderDialect::Gemini),
];

#[divan::bench(args = PAIRS.map(|(name, ..)| name))]
fn request_and_answer(bencher: Bencher<'_, '_>, name: &str) {
    let (_, protocol, dialect) = PAIRS.into_iter().find(|(known, ..)| *known == name).unwrap();
    let request = if protocol == Protocol::Messages { MESSAGES } else { CHAT };
    let answer = match dialect {
        ProviderDialect::Anthropic => MESSAGES_ANSWER,
        ProviderDialect::Gemini => GEMINI_ANSWER,
        ProviderDialect::OpenAi | ProviderDialect::Azure => CHAT_ANSWER,
    };
    let target = CallTarget {
        dialect,
        host: "llm.example.com",
        native_apis: NativeApis::empty(),
        upstream_name: "claude-or-another",
        max_output_tokens: None,
        stream_usage: true,
        drop_untranslatable: false,
        decision_id: "01a22b62-bf64-7990-af19-5a4c9896ba53",
        created: 1,
    };
    bencher.bench(|| {
        let request = read(protocol, Bytes::from_static(black_box(request).as_bytes()));
        let content = CallContent::Request(&request);
        let call = content.render(&target).unwrap();
        let body = Bytes::from_static(black_box(answer).as_bytes());
        let whole = call.format.read(&body).unwrap();
        (call.body, call.format.render(body, &whole, Usage::counted(31, 20), None))
    });
}

fn read(protocol: Protocol, body: Bytes) -> ClientRequest {
    let mut scan = ClientRequestScan::new(protocol, 1 << 20);
    scan.push(body).unwrap();
    scan.finish().unwrap()
}
