//! Tools of a call, and the choice among them.

use std::borrow::Cow;
use std::collections::HashSet;

use serde::Serialize;

use super::ChatQuirks;
use super::content::CacheControl;
use crate::form::{ConversationRequest, Losses, RawJson, ToolChoice, ToolDefinition, ToolGrammar};

#[derive(Serialize)]
pub(super) struct ToolBody<'a> {
    #[serde(flatten)]
    kind: ToolKind<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    cache_control: Option<CacheControl>,
}

#[derive(Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
enum ToolKind<'a> {
    Function { function: Function<'a> },
    Custom { custom: Custom<'a> },
}

#[derive(Serialize)]
struct Function<'a> {
    name: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    description: Option<Cow<'a, str>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    parameters: Option<Cow<'a, RawJson>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    strict: Option<bool>,
}

#[derive(Serialize)]
struct Custom<'a> {
    name: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    description: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    format: Option<CustomFormat<'a>>,
}

#[derive(Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
enum CustomFormat<'a> {
    Grammar { grammar: Grammar<'a> },
}

#[derive(Serialize)]
struct Grammar<'a> {
    syntax: &'a str,
    definition: &'a str,
}

impl<'a> From<&'a ToolGrammar> for CustomFormat<'a> {
    fn from(grammar: &'a ToolGrammar) -> Self {
        let ToolGrammar { syntax, definition } = grammar;
        Self::Grammar { grammar: Grammar { syntax, definition } }
    }
}

#[derive(Serialize)]
#[serde(untagged)]
pub(super) enum ToolChoiceBody<'a> {
    Mode(&'static str),
    Named(NamedTool<'a>),
    Allowed {
        #[serde(rename = "type")]
        kind: &'static str,
        allowed_tools: AllowedTools<'a>,
    },
}

#[derive(Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub(super) enum NamedTool<'a> {
    Function { function: ToolName<'a> },
    Custom { custom: ToolName<'a> },
}

#[derive(Serialize)]
pub(super) struct ToolName<'a> {
    name: &'a str,
}

#[derive(Serialize)]
pub(super) struct AllowedTools<'a> {
    mode: &'static str,
    tools: Vec<NamedTool<'a>>,
}

/// Renders the tools and the choice among them. Without tools there is no choice: servers reject it.
pub(super) fn render<'a>(
    request: &'a ConversationRequest,
    quirks: &ChatQuirks,
    losses: &mut Losses,
) -> (Vec<ToolBody<'a>>, Option<ToolChoiceBody<'a>>) {
    for tool in &request.provider_tools {
        losses.record(&tool.path, request.weight_of_provider_tools());
    }
    let allowed = match &request.tool_choice {
        Some(ToolChoice::Among { names, .. }) if !quirks.allowed_tools => {
            Some(names.iter().map(String::as_str).collect::<HashSet<_>>())
        }
        _ => None,
    };
    let is_offered = |tool: &ToolDefinition| allowed.as_ref().is_none_or(|names| names.contains(&*tool.name));
    let mut tools = Vec::with_capacity(request.tools.len());
    for (index, tool) in request.tools.iter().enumerate().filter(|(_, tool)| is_offered(tool)) {
        if tool.grammar.is_some() && !quirks.custom_tools {
            losses.advisory(format!("tools[{index}].custom.format"));
        }
        if tool.cache.is_some() && !quirks.cache_control {
            losses.advisory(format!("tools[{index}].cache_control"));
        }
        tools.push(ToolBody::of(tool, quirks));
    }
    if !tools.is_empty() {
        return (tools, request.tool_choice.as_ref().map(|choice| choice_body(choice, request, quirks)));
    }
    // Without tools the model calls none in any case.
    if !matches!(request.tool_choice, None | Some(ToolChoice::Auto | ToolChoice::None)) {
        losses.advisory("tool_choice");
    }
    if request.parallel_tool_calls.is_some() {
        losses.advisory("parallel_tool_calls");
    }
    (tools, None)
}

impl<'a> ToolBody<'a> {
    fn of(tool: &'a ToolDefinition, quirks: &ChatQuirks) -> Self {
        let name = &*tool.name;
        let kind = if tool.takes_text && quirks.custom_tools {
            let format = tool.grammar.as_ref().map(CustomFormat::from);
            ToolKind::Custom { custom: Custom { name, description: tool.description.as_deref(), format } }
        } else if tool.takes_text {
            let description = tool.description_with_grammar();
            let parameters = RawJson::parse(ToolDefinition::TEXT_SCHEMA).map(Cow::Owned);
            ToolKind::Function { function: Function { name, description, parameters, strict: None } }
        } else {
            let description = tool.description.as_deref().map(Cow::Borrowed);
            let parameters = tool.schema.as_ref().map(Cow::Borrowed);
            ToolKind::Function { function: Function { name, description, parameters, strict: tool.strict } }
        };
        let cache_control = tool.cache.filter(|_| quirks.cache_control).map(CacheControl::from);
        Self { kind, cache_control }
    }
}

fn choice_body<'a>(
    choice: &'a ToolChoice,
    request: &'a ConversationRequest,
    quirks: &ChatQuirks,
) -> ToolChoiceBody<'a> {
    let tools = request.tools.iter().filter(|tool| tool.takes_text && quirks.custom_tools);
    let custom: HashSet<&str> = tools.map(|tool| &*tool.name).collect();
    let named = |name: &'a String| {
        let is_custom = custom.contains(&**name);
        let name = ToolName { name };
        if is_custom { NamedTool::Custom { custom: name } } else { NamedTool::Function { function: name } }
    };
    let mode = |is_required: bool| if is_required { "required" } else { "auto" };
    match choice {
        ToolChoice::Auto => ToolChoiceBody::Mode("auto"),
        ToolChoice::None => ToolChoiceBody::Mode("none"),
        ToolChoice::Required => ToolChoiceBody::Mode("required"),
        ToolChoice::Tool(name) => ToolChoiceBody::Named(named(name)),
        // Only the allowed tools are offered.
        ToolChoice::Among { is_required, .. } if !quirks.allowed_tools => {
            ToolChoiceBody::Mode(mode(*is_required))
        }
        ToolChoice::Among { names, is_required } => ToolChoiceBody::Allowed {
            kind: "allowed_tools",
            allowed_tools: AllowedTools {
                mode: mode(*is_required),
                tools: names.iter().map(named).collect(),
            },
        },
    }
}
