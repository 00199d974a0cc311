//! Tools and the choice among them.

use pointsman_domain::serving_error::ServingError;
use serde::Serialize;
use serde_json::value::RawValue;

use super::schema::without_limits;
use crate::anthropic::cache::{CacheControl, take_cache_hint};
use crate::anthropic::record_rest;
use crate::form::{
    ConversationRequest, Losses, ProviderTool, RawJson, SignatureOrigin, ToolChoice, ToolDefinition,
};
use crate::json::{MemberPath, ObjectMembers};

/// Parses `tools`. Tools with a type of this API's own are known to its models alone, even where
/// the client runs them.
pub(super) fn parse_tools(
    members: &mut ObjectMembers<'_>,
    request: &mut ConversationRequest,
    losses: &mut Losses,
) -> Result<(), ServingError> {
    let tools: Option<Vec<&RawValue>> = members.take_as("tools", &MemberPath::Root, "an array of tools")?;
    let path = MemberPath::Root.member("tools");
    for (at, value) in tools.into_iter().flatten().enumerate() {
        let path = path.element(at);
        let mut members = ObjectMembers::parse(value, &path)?;
        let kind: Option<String> = members.take_as("type", &path, "a string")?;
        if kind.is_some_and(|kind| kind != "custom") {
            let (origin, path) = (SignatureOrigin::Anthropic, path.to_string());
            request.provider_tools.push(ProviderTool { origin, path, definition: value.into() });
            continue;
        }
        let schema: &RawValue = members.require("input_schema", &path, "an object")?;
        ObjectMembers::parse(schema, &path.member("input_schema"))?;
        request.tools.push(ToolDefinition {
            name: members.require("name", &path, "a string")?,
            description: members.take_as("description", &path, "a string")?,
            schema: Some(schema.into()),
            strict: members.take_as("strict", &path, "a boolean")?,
            takes_text: false,
            grammar: None,
            cache: take_cache_hint(&mut members, &path, losses)?,
        });
        record_rest(members, &path, losses);
    }
    Ok(())
}

/// Parses `tool_choice`.
pub(super) fn parse_tool_choice(
    members: &mut ObjectMembers<'_>,
    request: &mut ConversationRequest,
    losses: &mut Losses,
) -> Result<(), ServingError> {
    let Some(choice) = members.take("tool_choice") else { return Ok(()) };
    let path = MemberPath::Root.member("tool_choice");
    let mut choice = ObjectMembers::parse(choice, &path)?;
    let kind: String = choice.require("type", &path, "a string")?;
    request.tool_choice = Some(match &*kind {
        "auto" => ToolChoice::Auto,
        "any" => ToolChoice::Required,
        "none" => ToolChoice::None,
        "tool" => ToolChoice::Tool(choice.require("name", &path, "a string")?),
        _ => return Err(path.member("type").invalid_value("'auto', 'any', 'tool' or 'none'")),
    });
    let is_single: Option<bool> = choice.take_as("disable_parallel_tool_use", &path, "a boolean")?;
    request.parallel_tool_calls = is_single.map(|is_single| !is_single);
    record_rest(choice, &path, losses);
    Ok(())
}

/// Tool of a call.
#[derive(Debug, Serialize)]
#[serde(untagged)]
pub(super) enum ToolBody<'a> {
    Custom {
        name: &'a str,
        #[serde(skip_serializing_if = "Option::is_none")]
        description: Option<std::borrow::Cow<'a, str>>,
        input_schema: InputSchema,
        #[serde(skip_serializing_if = "Option::is_none")]
        strict: Option<bool>,
        #[serde(skip_serializing_if = "Option::is_none")]
        cache_control: Option<CacheControl>,
    },
    Provider(&'a RawJson),
}

/// Schema of a tool's input, which has to be an object.
#[derive(Debug, Serialize)]
#[serde(untagged)]
pub(super) enum InputSchema {
    Stated(RawJson),
    AnyObject {
        #[serde(rename = "type")]
        kind: &'static str,
    },
}

/// Returns the tools of a call. A choice among some of the tools is expressed by offering those
/// alone.
pub(super) fn render_tools<'a>(request: &'a ConversationRequest, losses: &mut Losses) -> Vec<ToolBody<'a>> {
    let is_offered = |tool: &ToolDefinition| match &request.tool_choice {
        Some(ToolChoice::Among { names, .. }) => names.contains(&tool.name),
        _ => true,
    };
    let offered = request.tools.iter().enumerate().filter(|(_, tool)| is_offered(tool));
    let mut tools: Vec<_> = offered.map(|(at, tool)| render_tool(tool, at, losses)).collect();
    for tool in &request.provider_tools {
        if tool.origin == SignatureOrigin::Anthropic {
            tools.push(ToolBody::Provider(&tool.definition));
        } else {
            losses.record(&tool.path, request.weight_of_provider_tools());
        }
    }
    tools
}

fn render_tool<'a>(tool: &'a ToolDefinition, at: usize, losses: &mut Losses) -> ToolBody<'a> {
    let mut stated = if tool.takes_text {
        RawJson::parse(ToolDefinition::TEXT_SCHEMA)
    } else {
        tool.schema.as_ref().map(with_object_type)
    };
    if tool.strict == Some(true)
        && let Some(changed) = stated.as_ref().and_then(without_limits)
    {
        losses.advisory(format!("tools[{at}].function.parameters"));
        stated = Some(changed);
    }
    ToolBody::Custom {
        name: &tool.name,
        description: tool.description_with_grammar(),
        input_schema: stated.map_or(InputSchema::AnyObject { kind: "object" }, InputSchema::Stated),
        strict: tool.strict,
        cache_control: tool.cache.map(CacheControl::from),
    }
}

/// Returns a schema whose type is stated, which the API requires and OpenAI's does not.
fn with_object_type(schema: &RawJson) -> RawJson {
    let members = ObjectMembers::parse_answer(schema.get().as_bytes());
    if members.as_ref().is_some_and(|members| members.get("type").is_some()) {
        return schema.clone();
    }
    let rest = schema.get().strip_prefix('{').unwrap_or("}").trim_start();
    let comma = if rest == "}" { "" } else { "," };
    RawJson::parse(&format!(r#"{{"type":"object"{comma}{rest}"#)).unwrap_or_else(|| schema.clone())
}

/// Choice among the tools of a call.
#[derive(Debug, Serialize)]
pub(super) struct ToolChoiceBody<'a> {
    #[serde(rename = "type")]
    kind: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    disable_parallel_tool_use: Option<bool>,
}

/// Returns the choice among the tools of a call that offers some.
pub(super) fn render_tool_choice(request: &ConversationRequest) -> Option<ToolChoiceBody<'_>> {
    let is_single = request.parallel_tool_calls == Some(false);
    let (kind, name) = match &request.tool_choice {
        None if is_single => ("auto", None),
        None => return None,
        Some(ToolChoice::Auto | ToolChoice::Among { is_required: false, .. }) => ("auto", None),
        Some(ToolChoice::Required | ToolChoice::Among { is_required: true, .. }) => ("any", None),
        Some(ToolChoice::Tool(name)) => ("tool", Some(&**name)),
        Some(ToolChoice::None) => ("none", None),
    };
    let disable_parallel_tool_use = (is_single && kind != "none").then_some(true);
    Some(ToolChoiceBody { kind, name, disable_parallel_tool_use })
}

/// Returns whether the model has to call a tool.
pub(super) const fn is_forced(choice: Option<&ToolChoice>) -> bool {
    matches!(
        choice,
        Some(ToolChoice::Required | ToolChoice::Tool(_) | ToolChoice::Among { is_required: true, .. })
    )
}
