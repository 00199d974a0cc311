//! Parsing of requests.

use pointsman_domain::serving_error::{ErrorKind, ServingError};
use serde_json::value::RawValue;

use super::tools::{parse_tool_choice, parse_tools};
use crate::anthropic::blocks::parse::{BlockPlace, parse_content};
use crate::anthropic::record_rest;
use crate::form::{
    ConversationRequest, ExtraMember, LossWeight, Losses, Message, MessageRole, OutputFormat,
    ReasoningEffort, ReasoningRequest, Sampling, SignatureOrigin,
};
use crate::json::{MemberPath, ObjectMembers};

/// Members without which the answer would be of another kind: they add tools, state or content.
/// `context_management` is none of them: without it the model sees more of the conversation.
const BINDING: [&str; 4] = ["container", "mcp_servers", "compaction", "thread"];

/// Parses the body of `POST /v1/messages`.
///
/// # Errors
/// Fails if it is no request of this API, and names the member at fault.
pub fn parse_request(body: &[u8]) -> Result<(ConversationRequest, Losses), ServingError> {
    let mut members = ObjectMembers::parse_request(body)?;
    let limit: u32 = members.require("max_tokens", &MemberPath::Root, "a positive integer")?;
    if limit == 0 {
        let path = MemberPath::Root.member("max_tokens");
        return Err(path.invalid_value("a positive integer"));
    }
    let (mut request, losses) = parse(members)?;
    request.max_output_tokens = Some(limit);
    Ok((request, losses))
}

/// Parses the body of `POST /v1/messages/count_tokens`: a request without a limit of tokens.
///
/// # Errors
/// Fails if it is no request of this API, and names the member at fault.
pub fn parse_count_tokens(body: &[u8]) -> Result<(ConversationRequest, Losses), ServingError> {
    parse(ObjectMembers::parse_request(body)?)
}

fn parse(mut members: ObjectMembers<'_>) -> Result<(ConversationRequest, Losses), ServingError> {
    let root = MemberPath::Root;
    let mut losses = Losses::default();
    let mut request =
        ConversationRequest { model: members.require("model", &root, "a string")?, ..Default::default() };
    if let Some(system) = members.take("system") {
        let parts = parse_content(system, &root.member("system"), BlockPlace::Message, &mut losses)?;
        request.messages.push(Message::new(MessageRole::System, parts));
    }
    parse_messages(&mut members, &mut request, &mut losses)?;
    parse_tools(&mut members, &mut request, &mut losses)?;
    parse_tool_choice(&mut members, &mut request, &mut losses)?;
    request.sampling = Sampling {
        temperature: take_number(&mut members, "temperature")?,
        top_p: take_number(&mut members, "top_p")?,
        top_k: take_number(&mut members, "top_k")?,
        ..Sampling::default()
    };
    request.stop = members.take_as("stop_sequences", &root, "an array of strings")?.unwrap_or_default();
    request.streaming = members.take_as("stream", &root, "a boolean")?.unwrap_or(false);
    // A stream of this API always ends with its usage.
    request.wants_stream_usage = request.streaming;
    parse_metadata(&mut members, &mut request, &mut losses)?;
    parse_reasoning(&mut members, &mut request, &mut losses)?;
    parse_output(&mut members, &mut request, &mut losses)?;
    request.extra = members.rest().map(|(name, value)| extra_member(&name, value)).collect();
    request.name_tool_results();
    Ok((request, losses))
}

fn parse_messages(
    members: &mut ObjectMembers<'_>,
    request: &mut ConversationRequest,
    losses: &mut Losses,
) -> Result<(), ServingError> {
    let messages: Vec<&RawValue> = members.require("messages", &MemberPath::Root, "an array of messages")?;
    let path = MemberPath::Root.member("messages");
    if messages.is_empty() {
        let message = "Invalid 'messages': at least one message is required.";
        return Err(ServingError::new(ErrorKind::EmptyArray, message).with_parameter("messages"));
    }
    for (at, message) in messages.into_iter().enumerate() {
        let path = path.element(at);
        let mut members = ObjectMembers::parse(message, &path)?;
        let role: String = members.require("role", &path, "a string")?;
        let role = match &*role {
            "user" => MessageRole::User,
            "assistant" => MessageRole::Assistant,
            "system" => MessageRole::System,
            _ => return Err(path.member("role").invalid_value("'user', 'assistant' or 'system'")),
        };
        let content: &RawValue =
            members.require("content", &path, "a string or an array of content blocks")?;
        let parts = parse_content(content, &path.member("content"), BlockPlace::Message, losses)?;
        record_rest(members, &path, losses);
        request.messages.push(Message::new(role, parts));
    }
    Ok(())
}

fn take_number(
    members: &mut ObjectMembers<'_>,
    name: &str,
) -> Result<Option<crate::form::RawJson>, ServingError> {
    let Some(value) = members.take(name) else { return Ok(None) };
    MemberPath::Root.member(name).parse::<f64>(value, "a number")?;
    Ok(Some(value.into()))
}

fn parse_metadata(
    members: &mut ObjectMembers<'_>,
    request: &mut ConversationRequest,
    losses: &mut Losses,
) -> Result<(), ServingError> {
    let Some(metadata) = members.take("metadata") else { return Ok(()) };
    let path = MemberPath::Root.member("metadata");
    let mut metadata = ObjectMembers::parse(metadata, &path)?;
    request.end_user = metadata.take_as("user_id", &path, "a string")?;
    record_rest(metadata, &path, losses);
    Ok(())
}

fn parse_reasoning(
    members: &mut ObjectMembers<'_>,
    request: &mut ConversationRequest,
    losses: &mut Losses,
) -> Result<(), ServingError> {
    let Some(thinking) = members.take("thinking") else { return Ok(()) };
    let path = MemberPath::Root.member("thinking");
    let mut thinking = ObjectMembers::parse(thinking, &path)?;
    let kind: String = thinking.require("type", &path, "a string")?;
    let mut reasoning = ReasoningRequest::default();
    match &*kind {
        "enabled" => {
            reasoning.budget_tokens = Some(thinking.require("budget_tokens", &path, "an integer")?)
        }
        "adaptive" => reasoning.is_adaptive = true,
        "disabled" => reasoning.budget_tokens = Some(0),
        _ => {
            // A later mode: the model reasons when it sees fit.
            reasoning.is_adaptive = true;
            losses.advisory(path.member("type").to_string());
        }
    }
    let display: Option<String> = thinking.take_as("display", &path, "a string")?;
    reasoning.is_visible = match display.as_deref() {
        None => None,
        Some("omitted") => Some(false),
        Some(_) => Some(true),
    };
    record_rest(thinking, &path, losses);
    request.reasoning = Some(reasoning);
    Ok(())
}

/// Parses `output_config`, and `output_format`, its predecessor.
fn parse_output(
    members: &mut ObjectMembers<'_>,
    request: &mut ConversationRequest,
    losses: &mut Losses,
) -> Result<(), ServingError> {
    if let Some(format) = members.take("output_format") {
        request.output_format = parse_format(format, &MemberPath::Root.member("output_format"), losses)?;
    }
    let Some(config) = members.take("output_config") else { return Ok(()) };
    let path = MemberPath::Root.member("output_config");
    let mut config = ObjectMembers::parse(config, &path)?;
    if let Some(format) = config.take("format") {
        request.output_format = parse_format(format, &path.member("format"), losses)?;
    }
    let effort: Option<String> = config.take_as("effort", &path, "a string")?;
    match effort.as_deref().map(ReasoningEffort::from_name) {
        None => {}
        Some(Some(effort)) => request.reasoning.get_or_insert_default().effort = Some(effort),
        Some(None) => losses.advisory(path.member("effort").to_string()),
    }
    record_rest(config, &path, losses);
    Ok(())
}

fn parse_format(
    value: &RawValue,
    path: &MemberPath<'_>,
    losses: &mut Losses,
) -> Result<OutputFormat, ServingError> {
    let mut members = ObjectMembers::parse(value, path)?;
    let kind: String = members.require("type", path, "a string")?;
    if kind != "json_schema" {
        return Err(path.member("type").invalid_value("'json_schema'"));
    }
    let schema: &RawValue = members.require("schema", path, "an object")?;
    ObjectMembers::parse(schema, &path.member("schema"))?;
    record_rest(members, path, losses);
    // This API always enforces the schema.
    Ok(OutputFormat::JsonSchema { name: None, description: None, schema: schema.into(), strict: Some(true) })
}

fn extra_member(name: &str, value: &RawValue) -> ExtraMember {
    let weight = if BINDING.contains(&name) { LossWeight::Binding } else { LossWeight::Advisory };
    ExtraMember {
        origin: SignatureOrigin::Anthropic,
        name: name.to_owned(),
        path: name.to_owned(),
        value: value.into(),
        weight,
    }
}
