//! Parsing of offered tools.

use std::collections::HashSet;

use pointsman_domain::serving_error::ServingError;
use serde_json::value::RawValue;

use super::rest;
use crate::form::{ConversationRequest, Losses, ProviderTool, SignatureOrigin, ToolDefinition, ToolGrammar};
use crate::json::{MemberPath, ObjectMembers};
use crate::responses::offered_tools::{CallKind, OfferedTool, OfferedTools, SEARCH_TOOL};

/// Parser of tools, which are offered in the request and by items of its input.
#[derive(Debug)]
pub(super) struct ToolParser<'r> {
    pub request: &'r mut ConversationRequest,
    pub offered: &'r mut OfferedTools,
    pub losses: &'r mut Losses,
    /// Names of the tools so far.
    names: HashSet<String>,
}

impl<'r> ToolParser<'r> {
    pub fn new(
        request: &'r mut ConversationRequest,
        offered: &'r mut OfferedTools,
        losses: &'r mut Losses,
    ) -> Self {
        Self { request, offered, losses, names: HashSet::new() }
    }

    /// Parses an array of tools, and returns the names of those that the client runs.
    pub fn parse_list(
        &mut self,
        value: &RawValue,
        path: &MemberPath<'_>,
    ) -> Result<Vec<String>, ServingError> {
        let values: Vec<&RawValue> = path.parse(value, "an array of tools")?;
        let mut names = Vec::new();
        for (index, value) in values.into_iter().enumerate() {
            self.parse(value, &path.element(index), &mut names)?;
        }
        Ok(names)
    }

    fn parse(
        &mut self,
        value: &RawValue,
        path: &MemberPath<'_>,
        names: &mut Vec<String>,
    ) -> Result<(), ServingError> {
        let mut tool = ObjectMembers::parse(value, path)?;
        let kind: String = tool.require("type", path, "a string")?;
        match &*kind {
            "function" | "custom" => names.push(self.parse_own(tool, &kind, None, path)?),
            "namespace" => self.parse_namespace(tool, path, names)?,
            "tool_search" => {
                let execution: Option<String> = tool.take_as("execution", path, "a string")?;
                if execution.as_deref() == Some("client") {
                    names.push(self.parse_search(tool, path)?);
                } else {
                    // The tools that the search would find are offered without it.
                    self.losses.advisory(path.to_string());
                }
            }
            _ => {
                let (path, definition) = (path.to_string(), value.into());
                let origin = SignatureOrigin::OpenAi;
                self.request.provider_tools.push(ProviderTool { origin, path, definition });
            }
        }
        Ok(())
    }

    /// Parses the functions of a namespace.
    fn parse_namespace(
        &mut self,
        mut tool: ObjectMembers<'_>,
        path: &MemberPath<'_>,
        names: &mut Vec<String>,
    ) -> Result<(), ServingError> {
        let namespace: String = tool.require("name", path, "a string")?;
        let path_of_tools = path.member("tools");
        let values: Vec<&RawValue> = tool.require("tools", path, "an array of tools")?;
        for (index, value) in values.into_iter().enumerate() {
            let path = path_of_tools.element(index);
            let mut tool = ObjectMembers::parse(value, &path)?;
            let kind: String = tool.require("type", &path, "a string")?;
            if !matches!(&*kind, "function" | "custom") {
                return Err(path.member("type").invalid_value("`function` or `custom`"));
            }
            names.push(self.parse_own(tool, &kind, Some(namespace.clone()), &path)?);
        }
        self.losses.extend(rest(tool, path));
        Ok(())
    }

    /// Parses a tool that the client runs, and returns its name in the common form.
    fn parse_own(
        &mut self,
        mut tool: ObjectMembers<'_>,
        kind: &str,
        namespace: Option<String>,
        path: &MemberPath<'_>,
    ) -> Result<String, ServingError> {
        let takes_text = kind == "custom";
        let kind = if takes_text { CallKind::Custom } else { CallKind::Function };
        let name = tool.require("name", path, "a string")?;
        let name = self.offered.add(OfferedTool { kind, namespace, name });
        let mut definition = ToolDefinition {
            name: name.clone(),
            description: tool.take_as("description", path, "a string")?,
            schema: None,
            strict: None,
            takes_text,
            grammar: None,
            cache: None,
        };
        if takes_text {
            definition.grammar = grammar(&mut tool, path)?;
        } else {
            definition.schema = tool.take("parameters").map(Into::into);
            definition.strict = tool.take_as("strict", path, "a boolean")?;
        }
        for name in ["defer_loading", "async"] {
            if tool.take_as(name, path, "a boolean")? == Some(true) {
                self.losses.advisory(path.member(name).to_string());
            }
        }
        let callers: Option<Vec<String>> = tool.take_as("allowed_callers", path, "an array of strings")?;
        if callers.is_some_and(|callers| callers.iter().any(|caller| caller != "direct")) {
            self.losses.advisory(path.member("allowed_callers").to_string());
        }
        self.losses.extend(rest(tool, path));
        self.add(definition);
        Ok(name)
    }

    /// Parses a search for tools that the client runs: the common form has it as a function.
    fn parse_search(
        &mut self,
        mut tool: ObjectMembers<'_>,
        path: &MemberPath<'_>,
    ) -> Result<String, ServingError> {
        let name = SEARCH_TOOL.to_owned();
        let name = self.offered.add(OfferedTool { kind: CallKind::Search, namespace: None, name });
        let definition = ToolDefinition {
            name: name.clone(),
            description: tool.take_as("description", path, "a string")?,
            schema: tool.take("parameters").map(Into::into),
            strict: None,
            takes_text: false,
            grammar: None,
            cache: None,
        };
        self.losses.extend(rest(tool, path));
        self.add(definition);
        Ok(name)
    }

    /// Adds a tool. One that the input offers again, as every search that finds it does, is added
    /// once.
    fn add(&mut self, definition: ToolDefinition) {
        if self.names.insert(definition.name.clone()) {
            self.request.tools.push(definition);
        }
    }
}

/// Parses the `format` of a tool that takes text.
fn grammar(tool: &mut ObjectMembers<'_>, path: &MemberPath<'_>) -> Result<Option<ToolGrammar>, ServingError> {
    let Some(value) = tool.take("format") else { return Ok(None) };
    let path = path.member("format");
    let mut format = ObjectMembers::parse(value, &path)?;
    match &*format.require::<String>("type", &path, "a string")? {
        "text" => Ok(None),
        "grammar" => Ok(Some(ToolGrammar {
            syntax: format.require("syntax", &path, "a string")?,
            definition: format.require("definition", &path, "a string")?,
        })),
        _ => Err(path.member("type").invalid_value("`text` or `grammar`")),
    }
}
