//! Parsing of requests.

use pointsman_domain::serving_error::{ErrorKind, ServingError};
use serde_json::value::RawValue;

use self::input::InputParser;
use self::tools::ToolParser;
use super::echoed::EchoedMembers;
use crate::form::{
    ConversationRequest, ExtraMember, LossWeight, Losses, Message, MessageRole, OutputFormat, Part, RawJson,
    ReasoningEffort, ReasoningRequest, Sampling, SignatureOrigin,
};
use crate::json::{MemberPath, ObjectMembers};

mod content;
mod input;
mod tool_choice;
mod tools;

const ROOT: MemberPath<'static> = MemberPath::Root;

/// Members that the provider needs kept state for.
const STATEFUL: [&str; 3] = ["previous_response_id", "conversation", "prompt"];

/// Members that OpenAI's chat API has under the same name.
const SHARED_WITH_CHAT: [&str; 5] = [
    "service_tier",
    "prompt_cache_key",
    "prompt_cache_retention",
    "prompt_cache_options",
    "safety_identifier",
];

/// Values of `include` that concern tools of the provider or content of the request, so that an
/// answer without such items has nothing to include.
const WITHOUT_EFFECT: [&str; 7] = [
    "reasoning.encrypted_content",
    "message.input_image.image_url",
    "web_search_call.results",
    "web_search_call.action.sources",
    "file_search_call.results",
    "code_interpreter_call.outputs",
    "computer_call_output.output.image_url",
];

/// Parses the body of `POST /v1/responses`.
///
/// # Errors
/// Fails if the body is not valid, with the path of the member at fault.
pub fn parse_request(body: &[u8]) -> Result<(ConversationRequest, EchoedMembers, Losses), ServingError> {
    let mut members = ObjectMembers::parse_request(body)?;
    let mut echoed = EchoedMembers::of(&members);
    let mut losses = Losses::default();
    let mut request = ConversationRequest {
        model: members.require("model", &ROOT, "a string")?,
        streaming: members.take_as("stream", &ROOT, "a boolean")?.unwrap_or(false),
        max_output_tokens: max_output_tokens(&mut members)?,
        parallel_tool_calls: members.take_as("parallel_tool_calls", &ROOT, "a boolean")?,
        end_user: members.take_as("user", &ROOT, "a string")?,
        sampling: Sampling {
            temperature: take_number(&mut members, "temperature")?,
            top_p: take_number(&mut members, "top_p")?,
            ..Sampling::default()
        },
        ..ConversationRequest::default()
    };
    // The API reports usage at the end of every stream.
    request.wants_stream_usage = request.streaming;
    let needs_input = !STATEFUL.iter().any(|name| members.get(name).is_some());
    parse_state(&mut members, &mut losses)?;

    let mut tools = ToolParser::new(&mut request, &mut echoed.offered, &mut losses);
    if let Some(value) = members.take("tools") {
        tools.parse_list(value, &ROOT.member("tools"))?;
    }
    if let Some(instructions) = members.take_as::<String>("instructions", &ROOT, "a string")?
        && !instructions.is_empty()
    {
        let parts = vec![Part::text(instructions)];
        tools.request.messages.push(Message::new(MessageRole::System, parts));
    }
    match members.take("input") {
        Some(input) if needs_input && is_empty_array(input) => return Err(empty_input()),
        Some(input) => InputParser::new(tools).parse(input)?,
        None if needs_input => return Err(ROOT.member("input").missing()),
        None => {}
    }
    if request.messages.is_empty() {
        // The provider's state has the conversation. A chat has at least one message.
        request.messages.push(Message::new(MessageRole::User, vec![Part::text("")]));
    }
    if let Some(choice) = members.take("tool_choice") {
        request.tool_choice = tool_choice::parse(choice, &mut losses)?;
    }
    parse_text(&mut members, &mut request, &mut echoed, &mut losses)?;
    parse_reasoning(&mut members, &mut request, &mut echoed, &mut losses)?;
    parse_include(&mut members, &mut losses)?;
    parse_options(&mut members, &mut losses)?;
    for name in SHARED_WITH_CHAT {
        if let Some(value) = members.take(name) {
            request.extra.push(extra(name, name, value));
        }
    }
    losses.extend(rest(members, &ROOT));
    request.name_tool_results();
    Ok((request, echoed, losses))
}

fn is_empty_array(value: &RawValue) -> bool {
    let elements = value.get().strip_prefix('[').and_then(|rest| rest.strip_suffix(']'));
    elements.is_some_and(|elements| elements.trim_ascii().is_empty())
}

fn empty_input() -> ServingError {
    let message = "Invalid 'input': empty array. Expected an array with minimum length 1, but got an empty array instead.";
    ServingError::new(ErrorKind::EmptyArray, message).with_parameter("input")
}

/// Records the members that need a provider which keeps state.
fn parse_state(members: &mut ObjectMembers<'_>, losses: &mut Losses) -> Result<(), ServingError> {
    for name in STATEFUL {
        if members.take(name).is_some() {
            losses.binding(name);
        }
    }
    if members.take_as("background", &ROOT, "a boolean")? == Some(true) {
        losses.binding("background");
    }
    // A translated response is not stored, and says so.
    if members.take_as("store", &ROOT, "a boolean")? == Some(true) {
        losses.advisory("store");
    }
    Ok(())
}

fn parse_text(
    members: &mut ObjectMembers<'_>,
    request: &mut ConversationRequest,
    echoed: &mut EchoedMembers,
    losses: &mut Losses,
) -> Result<(), ServingError> {
    let Some(value) = members.take("text") else { return Ok(()) };
    let path = ROOT.member("text");
    let mut text = ObjectMembers::parse(value, &path)?;
    if let Some(verbosity) = text.take("verbosity") {
        echoed.verbosity = Some(verbosity.into());
        request.extra.push(extra("verbosity", "text.verbosity", verbosity));
    }
    if let Some(format) = text.take("format") {
        echoed.text_format = Some(format.into());
        let path = path.member("format");
        let mut format = ObjectMembers::parse(format, &path)?;
        request.output_format = output_format(&mut format, &path)?;
        losses.extend(rest(format, &path));
    }
    losses.extend(rest(text, &path));
    Ok(())
}

fn output_format(
    format: &mut ObjectMembers<'_>,
    path: &MemberPath<'_>,
) -> Result<OutputFormat, ServingError> {
    let kind: String = format.require("type", path, "a string")?;
    match &*kind {
        "text" => Ok(OutputFormat::Text),
        "json_object" => Ok(OutputFormat::JsonObject),
        "json_schema" => Ok(OutputFormat::JsonSchema {
            name: format.take_as("name", path, "a string")?,
            description: format.take_as("description", path, "a string")?,
            schema: format.require::<&RawValue>("schema", path, "an object")?.into(),
            strict: format.take_as("strict", path, "a boolean")?,
        }),
        _ => Err(path.member("type").invalid_value("`text`, `json_object` or `json_schema`")),
    }
}

fn parse_reasoning(
    members: &mut ObjectMembers<'_>,
    request: &mut ConversationRequest,
    echoed: &mut EchoedMembers,
    losses: &mut Losses,
) -> Result<(), ServingError> {
    let Some(value) = members.take("reasoning") else { return Ok(()) };
    let path = ROOT.member("reasoning");
    let mut reasoning = ObjectMembers::parse(value, &path)?;
    let mut parsed = ReasoningRequest::default();
    if let Some(value) = reasoning.take("effort") {
        let path = path.member("effort");
        let name: String = path.parse(value, "a string")?;
        parsed.effort = ReasoningEffort::from_name(&name);
        if parsed.effort.is_none() {
            // An effort that a later version of the API has.
            request.extra.push(extra("reasoning_effort", "reasoning.effort", value));
        }
    }
    for name in ["summary", "generate_summary"] {
        let Some(detail) = reasoning.take_as::<String>(name, &path, "a string")? else { continue };
        parsed.is_visible = Some(true);
        echoed.wants_summary = true;
        if detail != "auto" {
            losses.advisory(path.member(name).to_string());
        }
    }
    for (name, default) in [("mode", "standard"), ("context", "auto")] {
        if let Some(value) = reasoning.take_as::<String>(name, &path, "a string")?
            && value != default
        {
            losses.advisory(path.member(name).to_string());
        }
    }
    losses.extend(rest(reasoning, &path));
    request.reasoning = (parsed != ReasoningRequest::default()).then_some(parsed);
    Ok(())
}

fn parse_include(members: &mut ObjectMembers<'_>, losses: &mut Losses) -> Result<(), ServingError> {
    let path = ROOT.member("include");
    let values: Option<Vec<String>> = members.take_as("include", &ROOT, "an array of strings")?;
    for (index, value) in values.unwrap_or_default().iter().enumerate() {
        let member = path.element(index).to_string();
        if value == "message.output_text.logprobs" {
            losses.binding(member);
        } else if !WITHOUT_EFFECT.contains(&&**value) {
            losses.advisory(member);
        }
    }
    Ok(())
}

/// Parses members whose default value changes nothing.
fn parse_options(members: &mut ObjectMembers<'_>, losses: &mut Losses) -> Result<(), ServingError> {
    if members.take_count("top_logprobs", &ROOT)?.is_some_and(|count| count > 0) {
        losses.binding("top_logprobs");
    }
    if members.take("moderation").is_some() {
        losses.binding("moderation");
    }
    if let Some(truncation) = members.take_as::<String>("truncation", &ROOT, "a string")?
        && truncation != "disabled"
    {
        losses.advisory("truncation");
    }
    if let Some(value) = members.take("stream_options") {
        let path = ROOT.member("stream_options");
        let mut options = ObjectMembers::parse(value, &path)?;
        // Events of a translated stream have no padding against observers of their sizes.
        if options.take_as("include_obfuscation", &path, "a boolean")? == Some(true) {
            losses.advisory("stream_options.include_obfuscation");
        }
        losses.extend(rest(options, &path));
    }
    Ok(())
}

fn max_output_tokens(members: &mut ObjectMembers<'_>) -> Result<Option<u32>, ServingError> {
    let limit = members.take_count("max_output_tokens", &ROOT)?;
    if limit == Some(0) {
        let message = "Invalid 'max_output_tokens': integer below minimum value. Expected a value >= 1, but got 0 instead.";
        return Err(ServingError::new(ErrorKind::BelowMinimum, message).with_parameter("max_output_tokens"));
    }
    Ok(limit)
}

fn take_number(members: &mut ObjectMembers<'_>, name: &str) -> Result<Option<RawJson>, ServingError> {
    let Some(value) = members.take(name) else { return Ok(None) };
    if value.get().starts_with(|first: char| first == '-' || first.is_ascii_digit()) {
        return Ok(Some(value.into()));
    }
    Err(ROOT.member(name).wrong_type("a number"))
}

fn extra(name: &str, path: &str, value: &RawValue) -> ExtraMember {
    ExtraMember {
        origin: SignatureOrigin::OpenAi,
        name: name.to_owned(),
        path: path.to_owned(),
        value: value.into(),
        weight: LossWeight::Advisory,
    }
}

/// Returns the members that are left of an object as losses without which the answer means the
/// same.
fn rest(members: ObjectMembers<'_>, path: &MemberPath<'_>) -> Losses {
    let mut losses = Losses::default();
    members.rest().for_each(|(name, _)| losses.advisory(path.member(&name).to_string()));
    losses
}

#[cfg(test)]
mod tests;
