//! Requests of each client API to each provider dialect.

use std::collections::BTreeMap;

use bytes::Bytes;
use pointsman_dialects::form::{ConversationRequest, Losses};
use pointsman_dialects::{anthropic, chat, completions, gemini, responses};
use pointsman_domain::serving_error::ServingError;
use serde_json::{Value, json};

use crate::cell::Cell;
use crate::{golden_text, rows};

/// Row of a table: a member, and a request that uses it.
#[derive(Clone, Copy, Debug)]
pub struct Row {
    /// Member, and its value where several mean different things; also the name of the case.
    pub member: &'static str,
    /// Members that the request has beside, or in place of, those of the base request.
    pub request: &'static str,
    /// The same for the request without the member.
    pub without: &'static str,
    /// Reason why the body of a call may be the same without the member.
    pub unrendered: Unrendered,
}

/// Reason why the body of a call may be the same without a member.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unrendered {
    /// There is none.
    Never,
    /// The gateway acts on the member.
    OfGateway,
    /// The member requests what some providers do by default.
    Default,
}

/// API of clients with conversations.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ClientApi {
    Chat,
    Completions,
    Responses,
    Messages,
}

/// Dialect of providers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Provider {
    OpenAi,
    Anthropic,
    Gemini,
}

impl Provider {
    pub const ALL: [Self; 3] = [Self::OpenAi, Self::Anthropic, Self::Gemini];

    pub const fn name(self) -> &'static str {
        match self {
            Self::OpenAi => "openai",
            Self::Anthropic => "anthropic",
            Self::Gemini => "gemini",
        }
    }

    const fn model(self) -> &'static str {
        match self {
            Self::OpenAi => "gpt-5.2",
            Self::Anthropic => "claude-sonnet-4-5",
            Self::Gemini => "gemini-2.5-flash",
        }
    }

    fn render(self, request: &ConversationRequest, losses: &mut Losses) -> Bytes {
        match self {
            Self::OpenAi => chat::render_request(request, losses),
            Self::Anthropic => anthropic::render_request(request, losses),
            Self::Gemini => gemini::render_request(request, losses),
        }
    }
}

impl ClientApi {
    pub const ALL: [Self; 4] = [Self::Chat, Self::Completions, Self::Responses, Self::Messages];

    pub const fn name(self) -> &'static str {
        match self {
            Self::Chat => "OpenAI chat completions",
            Self::Completions => "OpenAI completions",
            Self::Responses => "OpenAI Responses",
            Self::Messages => "Anthropic Messages",
        }
    }

    pub const fn path(self) -> &'static str {
        match self {
            Self::Chat => "/v1/chat/completions",
            Self::Completions => "/v1/completions",
            Self::Responses => "/v1/responses",
            Self::Messages => "/v1/messages",
        }
    }

    pub const fn file(self) -> &'static str {
        match self {
            Self::Chat => "chat.json",
            Self::Completions => "completions.json",
            Self::Responses => "responses.json",
            Self::Messages => "messages.json",
        }
    }

    pub const fn rows(self) -> &'static [Row] {
        match self {
            Self::Chat => rows::chat::ROWS,
            Self::Completions => rows::completions::ROWS,
            Self::Responses => rows::responses::ROWS,
            Self::Messages => rows::messages::ROWS,
        }
    }

    fn base(self) -> Value {
        match self {
            Self::Chat => json!({"model": "m", "messages": [{"role": "user", "content": "hi"}]}),
            Self::Completions => json!({"model": "m", "prompt": "hi"}),
            Self::Responses => json!({"model": "m", "input": "hi", "store": false}),
            Self::Messages => {
                json!({"model": "m", "max_tokens": 1000, "messages": [{"role": "user", "content": "hi"}]})
            }
        }
    }

    fn parse(self, body: &[u8]) -> Result<(ConversationRequest, Losses), ServingError> {
        match self {
            Self::Chat => chat::parse_request(body),
            Self::Completions => completions::parse_request(body),
            Self::Responses => responses::parse_request(body).map(|(request, _, losses)| (request, losses)),
            Self::Messages => anthropic::parse_request(body),
        }
    }

    pub const fn is_protocol_of(self, provider: Provider) -> bool {
        matches!((self, provider), (Self::Chat, Provider::OpenAi) | (Self::Messages, Provider::Anthropic))
    }
}

/// Returns the base request of an API with other members.
fn body_with(api: ClientApi, members: &str) -> Value {
    let mut body = api.base();
    let added: Value = serde_json::from_str(members).unwrap_or_else(|error| panic!("{members}: {error}"));
    for (name, value) in added.as_object().expect("an object") {
        body[name] = value.clone();
    }
    body
}

/// Runs one translation.
pub fn translate(api: ClientApi, row: &Row, provider: Provider) -> Cell {
    if api.is_protocol_of(provider) {
        return Cell::Unchanged;
    }
    let case = format!("{}#{} to {}", api.file(), row.member, provider.name());
    let render = |body: &Value| {
        let bytes = serde_json::to_vec(body).expect("JSON");
        let (mut request, mut losses) = api.parse(&bytes)?;
        request.model = provider.model().into();
        let rendered = provider.render(&request, &mut losses);
        let rendered: Value = serde_json::from_slice(&rendered).expect("JSON");
        Ok::<_, ServingError>((rendered, losses))
    };
    let (base, base_losses) =
        render(&body_with(api, row.without)).unwrap_or_else(|error| panic!("{case}: {error}"));
    assert!(base_losses.is_empty(), "{case}: {base_losses:?}");
    match render(&body_with(api, row.request)) {
        Ok((body, losses)) => Cell::new(&losses, body, &base, row.unrendered),
        Err(error) => Cell::Rejected(error.parameter.unwrap_or(error.message)),
    }
}

/// Returns the golden file of a client API: the request of each row, and its translations.
pub fn golden(api: ClientApi) -> String {
    let mut cases = BTreeMap::new();
    for row in api.rows() {
        let mut case = BTreeMap::from([("request".to_owned(), body_with(api, row.request))]);
        for provider in Provider::ALL {
            case.insert(provider.name().to_owned(), translate(api, row, provider).golden());
        }
        assert!(cases.insert(row.member.to_owned(), case).is_none(), "{} twice", row.member);
    }
    golden_text(&cases)
}

#[test]
fn no_cell_is_empty() {
    let mut empty = Vec::new();
    for api in ClientApi::ALL {
        for row in api.rows() {
            let is_empty = |provider: &Provider| matches!(translate(api, row, *provider), Cell::Empty);
            let providers = Provider::ALL.into_iter().filter(is_empty);
            empty.extend(
                providers.map(|provider| format!("{}#{} to {}", api.file(), row.member, provider.name())),
            );
        }
    }
    assert!(empty.is_empty(), "members that are neither rendered nor named: {empty:#?}");
}
