//! Parsing of the input: a text, or a list of items.

use std::collections::HashMap;

use pointsman_domain::serving_error::ServingError;
use serde_json::value::RawValue;

use super::tools::ToolParser;
use super::{ROOT, content, rest};
use crate::form::{
    Message, MessageRole, Part, PartContent, Reasoning, Signature, ToolCall, ToolInput, ToolResult,
};
use crate::json::{MemberPath, ObjectMembers};
use crate::responses::offered_tools::{SEARCH_TOOL, common_name};
use crate::responses::signed_content::{SignedContent, SignedPart};

/// Records of tools that the provider ran, whose findings are in the text that follows.
const PROVIDER_RECORDS: [&str; 3] = ["web_search_call", "mcp_list_tools", "x_search_call"];

/// Parser of the input. Items of one author that follow each other become one message, as other
/// APIs require it of calls and their results.
pub(super) struct InputParser<'r> {
    tools: ToolParser<'r>,
    /// Signatures of calls, which stand in items of their own.
    call_signatures: HashMap<String, Signature>,
    /// Signature that waits for the text to which it belongs.
    text_signature: Option<Signature>,
    turn: ModelTurn,
}

/// Content of the message of the model that is the last one so far.
#[derive(Default)]
struct ModelTurn {
    /// Position of the latest text among the parts.
    last_text: Option<usize>,
    has_answer: bool,
    has_call: bool,
}

/// Beginning of the ids of reasoning.
const REASONING_ID: &str = "\"rs_";

/// Returns whether the id of an item is that of reasoning.
fn refers_to_reasoning(item: &ObjectMembers<'_>) -> bool {
    item.get("id").is_some_and(|id| id.get().starts_with(REASONING_ID))
}

impl<'r> InputParser<'r> {
    pub fn new(tools: ToolParser<'r>) -> Self {
        Self { tools, call_signatures: HashMap::new(), text_signature: None, turn: ModelTurn::default() }
    }

    /// Parses the input.
    pub fn parse(mut self, input: &RawValue) -> Result<(), ServingError> {
        let path = ROOT.member("input");
        if input.get().starts_with('"') {
            let text: String = path.parse(input, "a string")?;
            self.tools.request.messages.push(Message::new(MessageRole::User, vec![Part::text(text)]));
            return Ok(());
        }
        let items: Vec<&RawValue> = path.parse(input, "a string or an array of items")?;
        for (index, item) in items.into_iter().enumerate() {
            let path = path.element(index);
            self.parse_item(ObjectMembers::parse(item, &path)?, &path)?;
        }
        self.sign_calls();
        Ok(())
    }

    fn parse_item(&mut self, mut item: ObjectMembers<'_>, path: &MemberPath<'_>) -> Result<(), ServingError> {
        let kind: Option<String> = item.take_as("type", path, "a string")?;
        // An item without a type is a message, or else a reference by its id.
        let implied = if item.get("role").is_some() { "message" } else { "item_reference" };
        match kind.as_deref().unwrap_or(implied) {
            "message" => self.parse_message(&mut item, path)?,
            "function_call" => self.parse_call(&mut item, "arguments", path)?,
            "custom_tool_call" => self.parse_call(&mut item, "input", path)?,
            "function_call_output" | "custom_tool_call_output" => self.parse_output(&mut item, path)?,
            "reasoning" => self.parse_reasoning(&mut item, path)?,
            "tool_search_call" => self.parse_search(&mut item, path)?,
            "tool_search_output" => self.parse_found_tools(&mut item, path)?,
            "additional_tools" => {
                item.take("role");
                let tools: &RawValue = item.require("tools", path, "an array of tools")?;
                self.tools.parse_list(tools, &path.member("tools"))?;
            }
            kind if PROVIDER_RECORDS.contains(&kind) => {
                self.tools.losses.advisory(path.to_string());
                return Ok(());
            }
            // Reasoning that a client refers to rather than send it: the answer does not depend on it.
            "item_reference" if refers_to_reasoning(&item) => {
                self.tools.losses.advisory(path.to_string());
                return Ok(());
            }
            // Items that refer to kept state, that only their provider can read, or that belong to
            // tools of which other APIs know nothing.
            _ => {
                self.tools.losses.binding(path.to_string());
                return Ok(());
            }
        }
        // The identity and the state of an item mean nothing without kept state.
        for name in ["id", "status", "created_by"] {
            item.take(name);
        }
        self.tools.losses.extend(rest(item, path));
        Ok(())
    }

    fn parse_message(
        &mut self,
        item: &mut ObjectMembers<'_>,
        path: &MemberPath<'_>,
    ) -> Result<(), ServingError> {
        let role = match &*item.require::<String>("role", path, "a string")? {
            "user" => MessageRole::User,
            "assistant" => MessageRole::Assistant,
            "system" => MessageRole::System,
            "developer" => MessageRole::Developer,
            _ => {
                let expected = "`user`, `assistant`, `system` or `developer`";
                return Err(path.member("role").invalid_value(expected));
            }
        };
        let value: &RawValue = item.require("content", path, "a string or an array of parts")?;
        let mut parts = content::parse(value, &path.member("content"), self.tools.losses)?;
        if parts.is_empty() {
            return Ok(());
        }
        if role != MessageRole::Assistant {
            self.tools.request.messages.push(Message::new(role, parts));
            return Ok(());
        }
        if let Some(signature) = self.text_signature.take()
            && let Some(text) = parts.iter_mut().find(|part| part.as_text().is_some())
        {
            text.signature = Some(signature);
        }
        self.add_to_turn(true, parts);
        Ok(())
    }

    fn parse_call(
        &mut self,
        item: &mut ObjectMembers<'_>,
        input: &str,
        path: &MemberPath<'_>,
    ) -> Result<(), ServingError> {
        let id = item.require("call_id", path, "a string")?;
        let name: String = item.require("name", path, "a string")?;
        let namespace: Option<String> = item.take_as("namespace", path, "a string")?;
        let name = common_name(namespace.as_deref(), &name);
        let text: String = item.require(input, path, "a string")?;
        let input = if input == "input" { ToolInput::Text(text) } else { ToolInput::Json(text) };
        self.take_caller(item, path)?;
        let call = PartContent::ToolCall(ToolCall { id, name, input });
        self.add_to_turn(false, vec![Part::new(call)]);
        Ok(())
    }

    fn parse_output(
        &mut self,
        item: &mut ObjectMembers<'_>,
        path: &MemberPath<'_>,
    ) -> Result<(), ServingError> {
        let call_id = item.require("call_id", path, "a string")?;
        let value: &RawValue = item.require("output", path, "a string or an array of parts")?;
        let content = content::parse(value, &path.member("output"), self.tools.losses)?;
        let name: Option<String> = item.take_as("name", path, "a string")?;
        let namespace: Option<String> = item.take_as("namespace", path, "a string")?;
        let tool_name = name.map(|name| common_name(namespace.as_deref(), &name));
        self.take_caller(item, path)?;
        self.push_result(ToolResult { call_id, tool_name, content, is_error: false });
        Ok(())
    }

    /// Parses the caller of a tool: the model, or a program of the model that the provider runs.
    fn take_caller(
        &mut self,
        item: &mut ObjectMembers<'_>,
        path: &MemberPath<'_>,
    ) -> Result<(), ServingError> {
        let Some(value) = item.take("caller") else { return Ok(()) };
        let path = path.member("caller");
        let kind: String = ObjectMembers::parse(value, &path)?.require("type", &path, "a string")?;
        if kind != "direct" {
            self.tools.losses.advisory(path.to_string());
        }
        Ok(())
    }

    fn parse_reasoning(
        &mut self,
        item: &mut ObjectMembers<'_>,
        path: &MemberPath<'_>,
    ) -> Result<(), ServingError> {
        let id: Option<String> = item.take_as("id", path, "a string")?;
        let summary = texts(item.take("summary"), &path.member("summary"))?;
        let content = texts(item.take("content"), &path.member("content"))?;
        let encrypted: Option<String> = item.take_as("encrypted_content", path, "a string")?;
        let encrypted = encrypted.filter(|value| !value.is_empty());
        let is_summary = content.is_empty();
        if !is_summary && !summary.is_empty() {
            self.tools.losses.advisory(path.member("summary").to_string());
        }
        let text = if is_summary { summary } else { content };
        let is_bare = text.is_empty() && encrypted.is_none();
        let mut part = Reasoning { text, is_summary, encrypted: None, id };
        let mut signature = None;
        if let Some(SignedContent { signature: value, target }) =
            encrypted.as_deref().map(SignedContent::parse)
        {
            match target {
                SignedPart::Encrypted => part.encrypted = Some(value),
                SignedPart::Reasoning => {
                    // The text is that of the model, whichever member carries it.
                    part.is_summary = false;
                    signature = Some(value);
                }
                SignedPart::Text => {
                    self.sign_text(value);
                    return Ok(());
                }
                SignedPart::Call(id) => {
                    self.call_signatures.insert(id, value);
                    return Ok(());
                }
            }
        }
        if is_bare {
            // Reasoning that is withheld and not encrypted is kept by its provider.
            self.tools.losses.advisory(path.to_string());
            return Ok(());
        }
        let part = Part { signature, ..Part::new(PartContent::Reasoning(part)) };
        self.add_to_turn(true, vec![part]);
        Ok(())
    }

    /// Parses a search for tools. One that the client runs is a call like others.
    fn parse_search(
        &mut self,
        item: &mut ObjectMembers<'_>,
        path: &MemberPath<'_>,
    ) -> Result<(), ServingError> {
        let execution: Option<String> = item.take_as("execution", path, "a string")?;
        let arguments: &RawValue = item.require("arguments", path, "an object")?;
        let call_id: Option<String> = item.take_as("call_id", path, "a string")?;
        match call_id {
            Some(id) if execution.as_deref() == Some("client") => {
                let input = ToolInput::Json(arguments.get().to_owned());
                let call = ToolCall { id, name: SEARCH_TOOL.to_owned(), input };
                self.add_to_turn(false, vec![Part::new(PartContent::ToolCall(call))]);
            }
            _ => self.tools.losses.advisory(path.to_string()),
        }
        Ok(())
    }

    /// Parses the tools that a search found: they are offered from then on.
    fn parse_found_tools(
        &mut self,
        item: &mut ObjectMembers<'_>,
        path: &MemberPath<'_>,
    ) -> Result<(), ServingError> {
        let tools: &RawValue = item.require("tools", path, "an array of tools")?;
        let names = self.tools.parse_list(tools, &path.member("tools"))?;
        let execution: Option<String> = item.take_as("execution", path, "a string")?;
        let call_id: Option<String> = item.take_as("call_id", path, "a string")?;
        match call_id {
            Some(call_id) if execution.as_deref() == Some("client") => {
                let text = match &*names {
                    [] => "No tools found.".to_owned(),
                    names => format!("Tools found: {}", names.join(", ")),
                };
                let tool_name = Some(SEARCH_TOOL.to_owned());
                let content = vec![Part::text(text)];
                self.push_result(ToolResult { call_id, tool_name, content, is_error: false });
            }
            _ => self.tools.losses.advisory(path.to_string()),
        }
        Ok(())
    }

    /// Adds parts to the message of the model. After a text without calls a further text or
    /// reasoning `begins_message`; calls belong to what precedes them, because the results of all
    /// calls have to follow one message.
    fn add_to_turn(&mut self, begins_message: bool, parts: Vec<Part>) {
        let messages = &mut self.tools.request.messages;
        let is_closed = begins_message && self.turn.has_answer && !self.turn.has_call;
        if is_closed || messages.last().is_none_or(|last| last.role != MessageRole::Assistant) {
            messages.push(Message::new(MessageRole::Assistant, Vec::new()));
            self.turn = ModelTurn::default();
        }
        let Some(message) = messages.last_mut() else { return };
        for part in parts {
            match &part.content {
                PartContent::Text { .. } => {
                    self.turn.last_text = Some(message.parts.len());
                    self.turn.has_answer = true;
                }
                PartContent::Refusal(_) => self.turn.has_answer = true,
                PartContent::ToolCall(_) => self.turn.has_call = true,
                _ => {}
            }
            message.parts.push(part);
        }
    }

    /// Adds a result. Those that follow each other are one message, which nothing else is in.
    fn push_result(&mut self, result: ToolResult) {
        let part = Part::new(PartContent::ToolResult(result));
        let messages = &mut self.tools.request.messages;
        let is_result = |part: &Part| matches!(part.content, PartContent::ToolResult(_));
        match messages.last_mut().filter(|last| last.parts.first().is_some_and(is_result)) {
            Some(last) => last.parts.push(part),
            None => messages.push(Message::new(MessageRole::User, vec![part])),
        }
    }

    /// Signs the text before the item, or else the next one.
    fn sign_text(&mut self, signature: Signature) {
        let last = self.tools.request.messages.last_mut();
        let turn = last.filter(|last| last.role == MessageRole::Assistant);
        let text = turn.zip(self.turn.last_text).and_then(|(turn, text)| turn.parts.get_mut(text));
        match text {
            Some(text) => text.signature = Some(signature),
            None => self.text_signature = Some(signature),
        }
    }

    fn sign_calls(&mut self) {
        let parts = self.tools.request.messages.iter_mut().flat_map(|message| &mut message.parts);
        for part in parts {
            if let PartContent::ToolCall(call) = &part.content
                && let Some(signature) = self.call_signatures.remove(&call.id)
            {
                part.signature = Some(signature);
            }
        }
    }
}

/// Returns the texts of a summary or of a content of reasoning, separated by empty lines.
fn texts(value: Option<&RawValue>, path: &MemberPath<'_>) -> Result<String, ServingError> {
    #[derive(serde::Deserialize)]
    struct TextPart {
        text: String,
    }

    let Some(value) = value else { return Ok(String::new()) };
    let parts: Vec<TextPart> = path.parse(value, "an array of texts")?;
    Ok(parts.into_iter().map(|part| part.text).collect::<Vec<_>>().join("\n\n"))
}
