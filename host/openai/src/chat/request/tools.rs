//! Tools of a request, and calls of them.

use pointsman_domain::serving_error::ServingError;
use serde_json::value::RawValue;

use super::content::cache_hint;
use super::leave_out;
use super::messages::extra_signature;
use crate::form::{
    ConversationRequest, Losses, Part, PartContent, ProviderTool, SignatureOrigin, ToolCall, ToolChoice,
    ToolDefinition, ToolGrammar, ToolInput,
};
use crate::json::{MemberPath, ObjectMembers};

const ROOT: &MemberPath<'static> = &MemberPath::Root;

/// Removes and parses the tools, and the choice among them.
pub(super) fn parse(
    members: &mut ObjectMembers<'_>,
    request: &mut ConversationRequest,
    losses: &mut Losses,
) -> Result<(), ServingError> {
    let tools: Vec<&RawValue> = members.take_as("tools", ROOT, "an array of objects")?.unwrap_or_default();
    let all = ROOT.member("tools");
    for (index, value) in tools.into_iter().enumerate() {
        tool(value, &all.element(index), request, losses)?;
    }
    let functions: Vec<&RawValue> =
        members.take_as("functions", ROOT, "an array of objects")?.unwrap_or_default();
    if !functions.is_empty() {
        // Their clients expect a `function_call` in the answer.
        losses.binding("functions");
    }
    let all = ROOT.member("functions");
    for (index, value) in functions.into_iter().enumerate() {
        let path = all.element(index);
        let function = ObjectMembers::parse(value, &path)?;
        request.tools.push(self::function(function, &path, losses)?);
    }
    if let Some(value) = members.take("tool_choice") {
        request.tool_choice = Some(tool_choice(value, &ROOT.member("tool_choice"), losses)?);
    } else if let Some(value) = members.take("function_call") {
        request.tool_choice = Some(function_choice(value, &ROOT.member("function_call"), losses)?);
    }
    request.parallel_tool_calls = members.take_as("parallel_tool_calls", ROOT, "a boolean")?;
    Ok(())
}

fn tool(
    value: &RawValue,
    path: &MemberPath<'_>,
    request: &mut ConversationRequest,
    losses: &mut Losses,
) -> Result<(), ServingError> {
    let mut members = ObjectMembers::parse(value, path)?;
    let kind: Option<String> = members.take_as("type", path, "a string")?;
    let cache = cache_hint(&mut members, path)?;
    let definition = match kind.as_deref() {
        Some("function") | None => {
            let path = path.member("function");
            let value = members.take("function").ok_or_else(|| path.missing())?;
            function(ObjectMembers::parse(value, &path)?, &path, losses)?
        }
        Some("custom") => {
            let path = path.member("custom");
            let value = members.take("custom").ok_or_else(|| path.missing())?;
            custom_tool(ObjectMembers::parse(value, &path)?, &path, losses)?
        }
        Some(_) => {
            request.provider_tools.push(ProviderTool {
                origin: SignatureOrigin::OpenAi,
                path: path.to_string(),
                definition: value.into(),
            });
            return Ok(());
        }
    };
    leave_out(members, path, losses);
    request.tools.push(ToolDefinition { cache: cache.or(definition.cache), ..definition });
    Ok(())
}

fn function(
    mut members: ObjectMembers<'_>,
    path: &MemberPath<'_>,
    losses: &mut Losses,
) -> Result<ToolDefinition, ServingError> {
    let definition = ToolDefinition {
        name: members.require("name", path, "a string")?,
        description: members.take_as("description", path, "a string")?,
        schema: members.take("parameters").map(Into::into),
        strict: members.take_as("strict", path, "a boolean")?,
        takes_text: false,
        grammar: None,
        cache: cache_hint(&mut members, path)?,
    };
    leave_out(members, path, losses);
    Ok(definition)
}

fn custom_tool(
    mut members: ObjectMembers<'_>,
    path: &MemberPath<'_>,
    losses: &mut Losses,
) -> Result<ToolDefinition, ServingError> {
    let format = members.take("format").map(|value| grammar(value, &path.member("format"), losses));
    let definition = ToolDefinition {
        name: members.require("name", path, "a string")?,
        description: members.take_as("description", path, "a string")?,
        schema: None,
        strict: None,
        takes_text: true,
        grammar: format.transpose()?.flatten(),
        cache: None,
    };
    leave_out(members, path, losses);
    Ok(definition)
}

/// Parses the format of the text that a tool takes; `None` if it is any text.
fn grammar(
    value: &RawValue,
    path: &MemberPath<'_>,
    losses: &mut Losses,
) -> Result<Option<ToolGrammar>, ServingError> {
    let mut members = ObjectMembers::parse(value, path)?;
    match members.require::<String>("type", path, "a string")?.as_str() {
        "text" => Ok(None),
        "grammar" => {
            let path = path.member("grammar");
            let value = members.take("grammar").ok_or_else(|| path.missing())?;
            let mut own = ObjectMembers::parse(value, &path)?;
            let grammar = ToolGrammar {
                syntax: own.require("syntax", &path, "a string")?,
                definition: own.require("definition", &path, "a string")?,
            };
            leave_out(own, &path, losses);
            Ok(Some(grammar))
        }
        _ => {
            losses.binding(path.to_string());
            Ok(None)
        }
    }
}

fn tool_choice(
    value: &RawValue,
    path: &MemberPath<'_>,
    losses: &mut Losses,
) -> Result<ToolChoice, ServingError> {
    if let Ok(mode) = serde_json::from_str::<String>(value.get()) {
        return match mode.as_str() {
            "auto" => Ok(ToolChoice::Auto),
            "none" => Ok(ToolChoice::None),
            "required" | "any" => Ok(ToolChoice::Required),
            _ => Err(path.invalid_value("auto, none, required or an object")),
        };
    }
    let mut members = ObjectMembers::parse(value, path)?;
    let kind: Option<String> = members.take_as("type", path, "a string")?;
    let choice = match kind.as_deref() {
        Some("allowed_tools") => {
            let path = path.member("allowed_tools");
            let value = members.take("allowed_tools").ok_or_else(|| path.missing())?;
            allowed_tools(value, &path, losses)?
        }
        Some("custom") => ToolChoice::Tool(named(&mut members, "custom", path)?),
        Some("function") | None => ToolChoice::Tool(named(&mut members, "function", path)?),
        Some(_) => {
            losses.binding(path.to_string());
            return Ok(ToolChoice::Auto);
        }
    };
    leave_out(members, path, losses);
    Ok(choice)
}

/// Parses the name in an object such as `{"function": {"name": …}}`.
fn named(members: &mut ObjectMembers<'_>, kind: &str, path: &MemberPath<'_>) -> Result<String, ServingError> {
    let path = path.member(kind);
    let value = members.take(kind).ok_or_else(|| path.missing())?;
    ObjectMembers::parse(value, &path)?.require("name", &path, "a string")
}

fn allowed_tools(
    value: &RawValue,
    path: &MemberPath<'_>,
    losses: &mut Losses,
) -> Result<ToolChoice, ServingError> {
    let mut members = ObjectMembers::parse(value, path)?;
    let mode: String = members.require("mode", path, "a string")?;
    let tools: Vec<&RawValue> = members.require("tools", path, "an array of objects")?;
    let all = path.member("tools");
    let mut names = Vec::with_capacity(tools.len());
    for (index, value) in tools.into_iter().enumerate() {
        let path = all.element(index);
        let mut tool = ObjectMembers::parse(value, &path)?;
        let kind: String = tool.require("type", &path, "a string")?;
        names.push(named(&mut tool, &kind, &path)?);
    }
    leave_out(members, path, losses);
    Ok(ToolChoice::Among { names, is_required: mode == "required" })
}

/// Parses a choice in the form that preceded `tool_choice`.
fn function_choice(
    value: &RawValue,
    path: &MemberPath<'_>,
    losses: &mut Losses,
) -> Result<ToolChoice, ServingError> {
    if serde_json::from_str::<String>(value.get()).is_ok() {
        return tool_choice(value, path, losses);
    }
    ObjectMembers::parse(value, path)?.require("name", path, "a string").map(ToolChoice::Tool)
}

/// Parses a call of a tool in a message.
pub(super) fn tool_call(
    value: &RawValue,
    path: &MemberPath<'_>,
    losses: &mut Losses,
) -> Result<Part, ServingError> {
    let mut members = ObjectMembers::parse(value, path)?;
    let id: Option<String> = members.take_as("id", path, "a string")?;
    let kind: Option<String> = members.take_as("type", path, "a string")?;
    let is_custom = kind.as_deref() == Some("custom");
    let (member, input) = if is_custom { ("custom", "input") } else { ("function", "arguments") };
    let call_path = path.member(member);
    let value = members.take(member).ok_or_else(|| call_path.missing())?;
    let mut call = ObjectMembers::parse(value, &call_path)?;
    let name = call.require("name", &call_path, "a string")?;
    let text = call.take(input).map(text_or_json).unwrap_or_default();
    let signature = extra_signature(&mut members);
    members.take("index");
    leave_out(call, &call_path, losses);
    leave_out(members, path, losses);
    let input = if is_custom { ToolInput::Text(text) } else { ToolInput::Json(text) };
    let call = ToolCall { id: id.unwrap_or_default(), name, input };
    Ok(Part { signature, ..Part::new(PartContent::ToolCall(call)) })
}

/// Returns arguments: a string with JSON, or the JSON itself, which some programs write.
pub(in crate::chat) fn text_or_json(value: &RawValue) -> String {
    serde_json::from_str(value.get()).unwrap_or_else(|_| value.get().to_owned())
}
