//! Whole answers of each provider dialect for each client API.

use std::collections::BTreeMap;

use bytes::Bytes;
use pointsman_dialects::form::{
    AnswerIdentity, ConversationAnswer, InvalidAnswer, ProviderError, ProviderErrorKind,
};
use pointsman_dialects::responses::EchoedMembers;
use pointsman_dialects::{anthropic, chat, completions, gemini, responses};
use serde_json::{Value, json};

use crate::golden_text;
use crate::requests::{ClientApi, Provider};
use crate::rows::answers::ROWS;

/// Row of a table: what an answer contains.
#[derive(Clone, Copy, Debug)]
pub struct AnswerRow {
    /// Feature; also the name of the case.
    pub feature: &'static str,
    /// Texts that show the feature in an answer of each client API.
    pub marks: [&'static str; 4],
    /// Members of the answer in OpenAI's, Anthropic's and Gemini's API; empty where the API has no
    /// such feature.
    pub answers: [&'static str; 3],
}

/// Fate of a feature between a provider dialect and a client API.
#[derive(Clone, Debug)]
pub enum AnswerCell {
    /// The provider's API has no such feature.
    None,
    /// The answer passes through.
    Unchanged,
    /// It is rendered.
    Kept(Value),
    /// It is left out.
    LeftOut(Value),
}

impl AnswerCell {
    /// Returns the cell of a rendered answer.
    pub fn new(rendered: Value, text: &str, mark: &str) -> Self {
        if text.contains(mark) { Self::Kept(rendered) } else { Self::LeftOut(rendered) }
    }

    /// Returns the text of the cell in the document.
    pub const fn text(&self) -> &'static str {
        match self {
            Self::None => "",
            Self::Unchanged => "unchanged",
            Self::Kept(_) => "kept",
            Self::LeftOut(_) => "left out",
        }
    }

    /// Returns the cell in the golden file.
    pub fn golden(self) -> Value {
        match self {
            Self::None => "no such feature".into(),
            Self::Unchanged => "unchanged".into(),
            Self::Kept(answer) => json!({"kept": answer}),
            Self::LeftOut(answer) => json!({"left out": answer}),
        }
    }
}

pub fn identity() -> AnswerIdentity {
    AnswerIdentity { id: "1".into(), created: 1_700_000_000, model: "m".into() }
}

impl AnswerRow {
    /// Returns the members of the answer of a provider, if its API has the feature.
    pub fn members(&self, provider: Provider) -> Option<Value> {
        let text = self.answers[provider as usize];
        (!text.is_empty())
            .then(|| serde_json::from_str(text).unwrap_or_else(|error| panic!("{}: {error}", self.feature)))
    }

    /// Returns the text that shows the feature to the clients of an API.
    pub const fn mark(&self, api: ClientApi) -> &'static str {
        self.marks[api as usize]
    }
}

/// Returns a whole answer with these members.
fn whole(provider: Provider, members: &Value) -> Value {
    let or = |name: &str, default: Value| members.get(name).cloned().unwrap_or(default);
    match provider {
        Provider::OpenAi => json!({
            "id": "c", "object": "chat.completion", "created": 1, "model": "m",
            "choices": [{
                "index": 0,
                "message": or("message", json!({"role": "assistant", "content": "a"})),
                "finish_reason": or("finish_reason", "stop".into()),
            }],
            "usage": or("usage", json!({"prompt_tokens": 1, "completion_tokens": 1, "total_tokens": 2})),
        }),
        Provider::Anthropic => json!({
            "id": "msg_1", "type": "message", "role": "assistant", "model": "m",
            "content": or("content", json!([{"type": "text", "text": "a"}])),
            "stop_reason": or("stop_reason", "end_turn".into()),
            "stop_sequence": or("stop_sequence", Value::Null),
            "usage": or("usage", json!({"input_tokens": 1, "output_tokens": 1})),
        }),
        Provider::Gemini => crate::streams::gemini_response(members),
    }
}

fn parse(provider: Provider, body: &[u8]) -> Result<ConversationAnswer, InvalidAnswer> {
    match provider {
        Provider::OpenAi => chat::parse_answer(body),
        Provider::Anthropic => anthropic::parse_answer(body),
        Provider::Gemini => gemini::parse_answer(body),
    }
}

fn render(api: ClientApi, answer: &ConversationAnswer) -> Bytes {
    let usage = answer.count.usage(1, answer.output_bytes());
    match api {
        ClientApi::Chat => chat::render_answer(answer, &identity(), usage),
        ClientApi::Completions => completions::render_answer(answer, &identity(), usage),
        ClientApi::Responses => {
            responses::render_answer(answer, &identity(), &EchoedMembers::default(), usage)
        }
        ClientApi::Messages => anthropic::render_answer(answer, &identity(), usage),
    }
}

/// Runs one translation.
pub fn translate(row: &AnswerRow, provider: Provider, api: ClientApi) -> AnswerCell {
    let Some(members) = row.members(provider) else { return AnswerCell::None };
    if api.is_protocol_of(provider) {
        return AnswerCell::Unchanged;
    }
    let body = serde_json::to_vec(&whole(provider, &members)).expect("JSON");
    let answer = parse(provider, &body)
        .unwrap_or_else(|error| panic!("{} of {}: {error}", row.feature, provider.name()));
    let rendered: Value = serde_json::from_slice(&render(api, &answer)).expect("JSON");
    let text = rendered.to_string();
    AnswerCell::new(rendered, &text, row.mark(api))
}

/// Returns the golden file: each feature from each provider for each client API.
pub fn golden() -> String {
    let mut cases = BTreeMap::new();
    for row in ROWS {
        for provider in Provider::ALL.into_iter().filter(|provider| row.members(*provider).is_some()) {
            let cells =
                ClientApi::ALL.map(|api| (api.file().to_owned(), translate(row, provider, api).golden()));
            cases.insert(format!("{} from {}", row.feature, provider.name()), BTreeMap::from(cells));
        }
    }
    golden_text(&cases)
}

/// Kinds of errors, with their meaning.
pub const ERROR_KINDS: [(ProviderErrorKind, &str); 11] = [
    (ProviderErrorKind::InvalidRequest, "invalid request"),
    (ProviderErrorKind::ContextLength, "context window exceeded"),
    (ProviderErrorKind::TooLarge, "request too large"),
    (ProviderErrorKind::ContentPolicy, "content policy"),
    (ProviderErrorKind::Authentication, "the gateway's credentials"),
    (ProviderErrorKind::Permission, "the gateway's account"),
    (ProviderErrorKind::NotFound, "model or path not found"),
    (ProviderErrorKind::RateLimit, "rate limit"),
    (ProviderErrorKind::Overloaded, "overloaded"),
    (ProviderErrorKind::Timeout, "time-out of the provider"),
    (ProviderErrorKind::Server, "failure of the provider"),
];

/// Returns the status, type and code that the clients of an API get for a kind of error.
pub fn error_text(kind: ProviderErrorKind, api: ClientApi) -> String {
    let error = ProviderError {
        kind,
        status: 500,
        message: "m".into(),
        code: None,
        parameter: None,
        retry_after: None,
    };
    let (status, body) = match api {
        ClientApi::Chat => chat::render_provider_error(&error),
        ClientApi::Completions => completions::render_provider_error(&error),
        ClientApi::Responses => responses::render_provider_error(&error),
        ClientApi::Messages => anthropic::render_provider_error(&error),
    };
    let body: Value = serde_json::from_slice(&body).expect("JSON");
    let names = ["type", "code"].iter().filter_map(|name| body["error"][name].as_str());
    let names: Vec<_> = names.map(|name| format!("`{name}`")).collect();
    format!("{status} {}", names.join(" "))
}
