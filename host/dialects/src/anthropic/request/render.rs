//! Rendering of calls.

use std::borrow::Cow;

use bytes::Bytes;
use serde::ser::{Serialize, SerializeMap, Serializer};

use super::messages::{Conversation, Turn, serialize_content};
use super::model::ModelTraits;
use super::options::OptionsBody;
use super::tools::{ToolBody, ToolChoiceBody, render_tool_choice, render_tools};
use crate::anthropic::blocks::render::Block;
use crate::anthropic::serialize;
use crate::form::{ConversationRequest, ExtraMember, Losses, SignatureOrigin};

/// Body of a call.
#[derive(Debug, serde::Serialize)]
struct CallBody<'a> {
    model: &'a str,
    #[serde(skip_serializing_if = "Vec::is_empty", serialize_with = "serialize_content")]
    system: Vec<Block<'a>>,
    messages: Vec<Turn<'a>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    tools: Vec<ToolBody<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    tool_choice: Option<ToolChoiceBody<'a>>,
    #[serde(flatten)]
    options: OptionsBody<'a>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    stop_sequences: Vec<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    metadata: Option<Metadata<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    service_tier: Option<&'static str>,
    #[serde(flatten)]
    extra: ExtraMembers<'a>,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    stream: bool,
}

#[derive(Debug, serde::Serialize)]
struct Metadata<'a> {
    user_id: Cow<'a, str>,
}

/// Members of this API without a counterpart in others.
#[derive(Debug)]
struct ExtraMembers<'a>(Vec<&'a ExtraMember>);

impl Serialize for ExtraMembers<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(self.0.len()))?;
        for member in &self.0 {
            map.serialize_entry(&member.name, &member.value)?;
        }
        map.end()
    }
}

/// Members without a counterpart in other APIs that determine the number of tokens.
const COUNTED: [&str; 3] = ["cache_control", "context_management", "mcp_servers"];

/// Renders the body of a call of `POST /v1/messages`. Members of the request that the API cannot
/// express are recorded as losses.
///
/// The API requires a limit of tokens: if the request states none, it is [`DEFAULT_MAX_TOKENS`],
/// above the budget of reasoning if there is one.
///
/// [`DEFAULT_MAX_TOKENS`]: super::DEFAULT_MAX_TOKENS
pub fn render_request(request: &ConversationRequest, losses: &mut Losses) -> Bytes {
    serialize(&CallBody::of(request, losses))
}

/// Renders the body of a call of `POST /v1/messages/count_tokens`.
pub fn render_count_tokens_request(request: &ConversationRequest, losses: &mut Losses) -> Bytes {
    let body = CallBody::of(request, losses);
    let options = body.options.without_limit();
    let mut extra = body.extra;
    extra.0.retain(|member| COUNTED.contains(&&*member.name));
    serialize(&CallBody {
        options,
        extra,
        stop_sequences: Vec::new(),
        metadata: None,
        service_tier: None,
        stream: false,
        ..body
    })
}

impl<'a> CallBody<'a> {
    fn of(request: &'a ConversationRequest, losses: &mut Losses) -> Self {
        let traits = ModelTraits::of(&request.model);
        let Conversation { system, turns } = Conversation::of(&request.messages, traits, losses);
        let tools = render_tools(request, losses);
        let tool_choice = render_tool_choice(request).filter(|_| !tools.is_empty());
        let options = OptionsBody::of(request, traits, losses);
        let stop_sequences = stop_sequences(&request.stop, losses);
        let OtherMembers { user_id, service_tier, own } = OtherMembers::of(request, losses);
        Self {
            model: &request.model,
            system,
            messages: turns,
            tools,
            tool_choice,
            options,
            stop_sequences,
            metadata: user_id.map(|user_id| Metadata { user_id }),
            service_tier,
            extra: ExtraMembers(own),
            stream: request.streaming,
        }
    }
}

/// Returns the texts that end the answer. The API rejects those of white space alone.
fn stop_sequences<'a>(stop: &'a [String], losses: &mut Losses) -> Vec<&'a str> {
    let mut accepted = Vec::with_capacity(stop.len());
    for (at, text) in stop.iter().enumerate() {
        if text.trim().is_empty() {
            losses.binding(format!("stop[{at}]"));
        } else {
            accepted.push(&**text);
        }
    }
    accepted
}

/// Members without a counterpart in the common form.
struct OtherMembers<'a> {
    /// Client's name for its own user.
    user_id: Option<Cow<'a, str>>,
    service_tier: Option<&'static str>,
    /// Members of this API.
    own: Vec<&'a ExtraMember>,
}

impl<'a> OtherMembers<'a> {
    fn of(request: &'a ConversationRequest, losses: &mut Losses) -> Self {
        let user_id = request.end_user.as_deref().map(Cow::Borrowed);
        let mut others = Self { user_id, service_tier: None, own: Vec::new() };
        for member in &request.extra {
            if !others.take(member) {
                losses.record(&member.path, member.weight);
            }
        }
        others
    }

    /// Takes a member, and returns whether the API can express it.
    fn take(&mut self, member: &'a ExtraMember) -> bool {
        match (member.origin, &*member.name) {
            (SignatureOrigin::Anthropic, _) => self.own.push(member),
            // OpenAI's later name of the user.
            (SignatureOrigin::OpenAi, "safety_identifier") if self.user_id.is_none() => {
                self.user_id = member.value.parse_as::<String>().ok().map(Cow::Owned);
                return self.user_id.is_some();
            }
            (SignatureOrigin::OpenAi, "service_tier") => {
                self.service_tier = match member.value.get() {
                    r#""auto""# => Some("auto"),
                    r#""default""# => Some("standard_only"),
                    _ => None,
                };
                return self.service_tier.is_some();
            }
            _ => return false,
        }
        true
    }
}
