//! Tools of a chat, and the choice of those that a simulated model calls.

use std::collections::BTreeSet;

use fastrand::Rng;
use serde::Deserialize;
use serde_json::Value;

use super::super::invalid_request::InvalidRequest;
use super::super::schema::{self, Hints};
use super::prose::is_stop_word;
use super::request::SCHEMA_BYTES_PER_TOKEN;

/// Most tools that one answer calls.
const MAX_CALLS: usize = 4;
/// Schema of arguments of a function that states none.
const NO_ARGUMENTS: Value = Value::Bool(true);

/// Tools of a request and what it says about their use.
#[derive(Debug, Default)]
pub(super) struct Tools {
    tools: Vec<Tool>,
    choice: ToolChoice,
    /// True if an answer may call several.
    parallel: bool,
}

#[derive(Debug)]
pub(super) struct Tool {
    pub(super) name: String,
    pub(super) kind: ToolKind,
    /// Name and description in lower case, by which the tool is chosen.
    words: BTreeSet<String>,
    parameters: Value,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ToolKind {
    Function,
    /// Tool that takes text.
    Custom,
    /// Function of the API before tools.
    LegacyFunction,
}

/// Beginning of a tool call.
#[derive(Clone, Debug)]
pub(super) struct ToolCall {
    pub(super) id: String,
    pub(super) name: String,
    pub(super) kind: ToolKind,
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
enum ToolChoice {
    #[default]
    Auto,
    None,
    Required,
    /// One of the tools with these names has to be called; if the flag is not set, it may.
    Among(Vec<String>, bool),
}

/// Members of a request that are about tools.
pub(super) struct ToolMembers {
    pub(super) tools: Vec<ToolMember>,
    pub(super) functions: Vec<FunctionMember>,
    pub(super) choice: Option<Value>,
    pub(super) is_parallel: Option<bool>,
}

#[derive(Deserialize)]
#[serde(expecting = "an object")]
pub(super) struct ToolMember {
    r#type: String,
    function: Option<FunctionMember>,
    custom: Option<FunctionMember>,
}

#[derive(Deserialize)]
#[serde(expecting = "an object")]
pub(super) struct FunctionMember {
    name: String,
    #[serde(default)]
    description: Option<String>,
    #[serde(default)]
    parameters: Option<Value>,
}

impl ToolMembers {
    /// Returns the tokens that the tools add to the input.
    pub(super) fn tokens(&self) -> u64 {
        let functions = self.functions.iter();
        let tools = self.tools.iter().flat_map(|tool| tool.function.iter().chain(&tool.custom));
        functions.chain(tools).map(FunctionMember::tokens).sum()
    }
}

impl FunctionMember {
    fn tokens(&self) -> u64 {
        let parameters = self.parameters.as_ref().map_or(0, |parameters| parameters.to_string().len());
        let bytes = self.name.len() + self.description.as_ref().map_or(0, String::len) + parameters;
        bytes.div_ceil(SCHEMA_BYTES_PER_TOKEN) as u64
    }
}

impl Tools {
    /// Reads the members of a request.
    ///
    /// # Errors
    /// Returns the reason why a server would reject them.
    pub(super) fn read(members: ToolMembers) -> Result<Self, InvalidRequest> {
        let mut tools = Vec::new();
        for (index, tool) in members.tools.into_iter().enumerate() {
            tools.push(match (tool.r#type.as_str(), tool.function, tool.custom) {
                ("function", Some(function), _) => Tool::new(function, ToolKind::Function),
                ("custom", _, Some(custom)) => Tool::new(custom, ToolKind::Custom),
                (kind @ ("function" | "custom"), _, _) => {
                    return Err(InvalidRequest::missing(&format!("tools[{index}].{kind}")));
                }
                (other, _, _) => {
                    let message =
                        format!("tools[{index}] has the type {other:?}; use \"function\" or \"custom\"");
                    return Err(InvalidRequest::value(&format!("tools[{index}].type"), message));
                }
            });
        }
        for function in members.functions {
            tools.push(Tool::new(function, ToolKind::LegacyFunction));
        }
        let choice = match members.choice {
            Some(choice) => ToolChoice::read(&choice)?,
            None => ToolChoice::Auto,
        };
        if let ToolChoice::Among(names, _) = &choice
            && let Some(unknown) = names.iter().find(|name| !tools.iter().any(|tool| tool.name == **name))
        {
            let message = format!("tool_choice names {unknown:?}, which is not among the tools");
            return Err(InvalidRequest::value("tool_choice", message));
        }
        if tools.is_empty() && !matches!(choice, ToolChoice::None | ToolChoice::Auto) {
            let message = "tool_choice requires a call, and there are no tools";
            return Err(InvalidRequest::value("tool_choice", message));
        }
        // An answer of the older API has one call.
        let is_legacy = tools.iter().any(|tool| tool.kind == ToolKind::LegacyFunction);
        let parallel = members.is_parallel.unwrap_or(true) && !is_legacy;
        Ok(Self { tools, choice, parallel })
    }

    /// Returns the tools that are called. Without an order to call one, these are the tools whose
    /// name or description has a word in common with the prompt, and none once there are results.
    pub(super) fn select(&self, prompt: &str, has_results: bool) -> Vec<&Tool> {
        let (names, required) = match &self.choice {
            ToolChoice::None => return Vec::new(),
            ToolChoice::Auto => (None, false),
            ToolChoice::Required => (None, true),
            ToolChoice::Among(names, required) => (Some(names), *required),
        };
        if has_results && !required {
            return Vec::new();
        }
        let words = words(prompt);
        let allowed = self.tools.iter().filter(|tool| names.is_none_or(|names| names.contains(&tool.name)));
        let mut ranked: Vec<(usize, &Tool)> =
            allowed.map(|tool| (tool.words.intersection(&words).count(), tool)).collect();
        ranked.sort_by_key(|(common, _)| std::cmp::Reverse(*common));
        let fitting = ranked.iter().take_while(|(common, _)| *common > 0).count();
        let several = if self.parallel { MAX_CALLS } else { 1 };
        let count = fitting.min(several).max(usize::from(required));
        ranked.into_iter().take(count).map(|(_, tool)| tool).collect()
    }
}

impl ToolChoice {
    fn read(choice: &Value) -> Result<Self, InvalidRequest> {
        let name = |object: &Value| object.get("name").and_then(Value::as_str).map(str::to_owned);
        let named = |choice: &Value| {
            let object = choice.get("function").or_else(|| choice.get("custom")).unwrap_or(choice);
            name(object)
        };
        match choice {
            Value::String(mode) => match mode.as_str() {
                "auto" => return Ok(Self::Auto),
                "none" => return Ok(Self::None),
                "required" => return Ok(Self::Required),
                _ => {}
            },
            Value::Object(object) if object.get("type").is_some_and(|it| it == "allowed_tools") => {
                let object = object.get("allowed_tools").unwrap_or(choice);
                let tools = object.get("tools").and_then(Value::as_array).into_iter().flatten();
                let required = object.get("mode").is_some_and(|mode| mode == "required");
                return Ok(Self::Among(tools.filter_map(named).collect(), required));
            }
            Value::Object(_) => {
                if let Some(name) = named(choice) {
                    return Ok(Self::Among(vec![name], true));
                }
            }
            _ => {}
        }
        let message = format!("tool_choice {choice} is not \"auto\", \"none\", \"required\" or a tool");
        Err(InvalidRequest::value("tool_choice", message))
    }
}

impl Tool {
    fn new(member: FunctionMember, kind: ToolKind) -> Self {
        let words = words(&format!("{} {}", member.name, member.description.unwrap_or_default()));
        Self { name: member.name, kind, words, parameters: member.parameters.unwrap_or(NO_ARGUMENTS) }
    }

    /// Returns the arguments of a call: JSON that fits the parameters, or a text.
    pub(super) fn arguments(&self, hints: &mut Hints, choices: &mut Rng) -> String {
        match self.kind {
            ToolKind::Custom => hints.text(),
            _ => schema::object(&self.parameters, hints, choices).to_string(),
        }
    }
}

/// Returns the words that describe something, in lower case: `get_currentWeather` has the words
/// `current` and `weather`.
fn words(text: &str) -> BTreeSet<String> {
    let mut words = BTreeSet::new();
    for part in text.split(|c: char| !c.is_alphanumeric()) {
        let mut word = String::new();
        let mut after_lower = false;
        for character in part.chars() {
            if character.is_uppercase() && after_lower {
                words.insert(std::mem::take(&mut word));
            }
            after_lower = character.is_lowercase();
            word.extend(character.to_lowercase());
        }
        words.insert(word);
    }
    words.retain(|word| word.chars().count() > 2 && !is_stop_word(word));
    words
}
