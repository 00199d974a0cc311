//! Parsing of the choice among tools.

use pointsman_domain::serving_error::ServingError;
use serde_json::value::RawValue;

use super::ROOT;
use crate::form::{Losses, ToolChoice};
use crate::json::{MemberPath, ObjectMembers};
use crate::responses::offered_tools::common_name;

/// Parses `tool_choice`; `None` for the choice of a tool that the provider runs, which is a loss.
pub(super) fn parse(value: &RawValue, losses: &mut Losses) -> Result<Option<ToolChoice>, ServingError> {
    let path = ROOT.member("tool_choice");
    if value.get().starts_with('"') {
        return match &*path.parse::<String>(value, "a string")? {
            "auto" => Ok(Some(ToolChoice::Auto)),
            "none" => Ok(Some(ToolChoice::None)),
            "required" => Ok(Some(ToolChoice::Required)),
            _ => Err(path.invalid_value("`auto`, `none`, `required` or an object")),
        };
    }
    let mut choice = ObjectMembers::parse(value, &path)?;
    match &*choice.require::<String>("type", &path, "a string")? {
        "function" | "custom" => Ok(Some(ToolChoice::Tool(tool_name(&mut choice, &path)?))),
        "allowed_tools" => {
            let mode: Option<String> = choice.take_as("mode", &path, "a string")?;
            let is_required = match mode.as_deref() {
                None | Some("auto") => false,
                Some("required") => true,
                Some(_) => return Err(path.member("mode").invalid_value("`auto` or `required`")),
            };
            let names = allowed_names(&mut choice, &path, losses)?;
            Ok(Some(ToolChoice::Among { names, is_required }))
        }
        _ => {
            losses.binding(path.to_string());
            Ok(None)
        }
    }
}

fn allowed_names(
    choice: &mut ObjectMembers<'_>,
    path: &MemberPath<'_>,
    losses: &mut Losses,
) -> Result<Vec<String>, ServingError> {
    let values: Vec<&RawValue> = choice.require("tools", path, "an array of tools")?;
    let path = path.member("tools");
    let mut names = Vec::with_capacity(values.len());
    for (index, value) in values.into_iter().enumerate() {
        let path = path.element(index);
        let mut tool = ObjectMembers::parse(value, &path)?;
        match &*tool.require::<String>("type", &path, "a string")? {
            "function" | "custom" => names.push(tool_name(&mut tool, &path)?),
            _ => losses.binding(path.to_string()),
        }
    }
    Ok(names)
}

fn tool_name(tool: &mut ObjectMembers<'_>, path: &MemberPath<'_>) -> Result<String, ServingError> {
    let name: String = tool.require("name", path, "a string")?;
    let namespace: Option<String> = tool.take_as("namespace", path, "a string")?;
    Ok(common_name(namespace.as_deref(), &name))
}
