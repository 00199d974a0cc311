//! Tools and the choice among them.

use std::borrow::Cow;

use serde::Serialize;
use serde::ser::{SerializeSeq, Serializer};
use serde_json::value::RawValue;

use crate::form::{ConversationRequest, Losses, RawJson, SignatureOrigin, ToolChoice, ToolDefinition};

/// Tools: the functions, and the tools that the provider runs.
#[derive(Debug)]
pub(super) struct Tools<'a> {
    functions: Vec<FunctionDeclaration<'a>>,
    of_provider: Vec<&'a RawJson>,
}

/// Function that the client runs.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct FunctionDeclaration<'a> {
    name: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    description: Option<Cow<'a, str>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    parameters_json_schema: Option<&'a RawValue>,
}

/// Choice among the tools.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct ToolConfig<'a> {
    function_calling_config: FunctionCallingConfig<'a>,
}

/// Choice among the functions.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct FunctionCallingConfig<'a> {
    mode: &'static str,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    allowed_function_names: Vec<&'a str>,
}

impl<'a> Tools<'a> {
    /// Returns the tools of a request.
    pub(super) fn of(request: &'a ConversationRequest, losses: &mut Losses) -> Self {
        let tools = request.tools.iter().enumerate();
        let functions = tools.map(|(at, tool)| declaration(tool, at, losses)).collect();
        let mut of_provider = Vec::new();
        for tool in &request.provider_tools {
            if tool.origin == SignatureOrigin::Gemini {
                of_provider.push(&tool.definition);
            } else {
                losses.record(&*tool.path, request.weight_of_provider_tools());
            }
        }
        Self { functions, of_provider }
    }

    /// Returns whether there is no tool.
    pub(super) const fn is_empty(&self) -> bool {
        self.functions.is_empty() && self.of_provider.is_empty()
    }
}

impl Serialize for Tools<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        #[derive(Serialize)]
        #[serde(rename_all = "camelCase")]
        struct Functions<'a> {
            function_declarations: &'a [FunctionDeclaration<'a>],
        }

        let has_functions = !self.functions.is_empty();
        let length = self.of_provider.len() + usize::from(has_functions);
        let mut tools = serializer.serialize_seq(Some(length))?;
        if has_functions {
            tools.serialize_element(&Functions { function_declarations: &self.functions })?;
        }
        for tool in &self.of_provider {
            tools.serialize_element(tool)?;
        }
        tools.end()
    }
}

/// Returns the declaration of a tool. The API does not enforce the schemas of arguments.
fn declaration<'a>(tool: &'a ToolDefinition, at: usize, losses: &mut Losses) -> FunctionDeclaration<'a> {
    if tool.strict == Some(true) {
        losses.advisory(format!("tools[{at}].function.strict"));
    }
    if tool.grammar.is_some() {
        losses.advisory(format!("tools[{at}].custom.format"));
    }
    if tool.cache.is_some() {
        losses.advisory(format!("tools[{at}].cache_control"));
    }
    let schema = match &tool.schema {
        _ if tool.takes_text => Some(ToolDefinition::TEXT_SCHEMA),
        schema => schema.as_ref().map(RawJson::get),
    };
    FunctionDeclaration {
        name: &tool.name,
        description: tool.description_with_grammar(),
        parameters_json_schema: schema.and_then(|schema| serde_json::from_str(schema).ok()),
    }
}

impl<'a> ToolConfig<'a> {
    /// Returns the choice of a request; `None` for the default, or without tools.
    pub(super) fn of(request: &'a ConversationRequest) -> Option<Self> {
        if request.tools.is_empty() {
            return None;
        }
        let (mode, allowed_function_names) = match request.tool_choice.as_ref()? {
            ToolChoice::Auto => ("AUTO", Vec::new()),
            ToolChoice::None => ("NONE", Vec::new()),
            ToolChoice::Required => ("ANY", Vec::new()),
            ToolChoice::Tool(name) => ("ANY", vec![&**name]),
            ToolChoice::Among { names, is_required } => {
                // Names are only allowed with modes that constrain the decoding of calls.
                let mode = if *is_required { "ANY" } else { "VALIDATED" };
                (mode, names.iter().map(|name| &**name).collect())
            }
        };
        Some(Self { function_calling_config: FunctionCallingConfig { mode, allowed_function_names } })
    }
}
