//! Requests in the common form.

use super::raw_json::RawJson;
use super::reasoning::ReasoningRequest;

/// Request for an answer to a conversation.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ConversationRequest {
    /// Requested model.
    pub model: String,
    /// Messages from the oldest to the newest, instructions of the system among them.
    pub messages: Vec<Message>,
    /// Offered tools that the client runs.
    pub tools: Vec<ToolDefinition>,
    /// Offered tools that the provider runs, such as a web search.
    pub provider_tools: Vec<ProviderTool>,
    /// Choice among the tools.
    pub tool_choice: Option<ToolChoice>,
    /// True if the model may call several tools at once; `None` for the API's default.
    pub parallel_tool_calls: Option<bool>,
    /// Limit of tokens of the answer.
    pub max_output_tokens: Option<u32>,
    /// Sampling of tokens.
    pub sampling: Sampling,
    /// Texts that end the answer.
    pub stop: Vec<String>,
    /// Format of the answer.
    pub output_format: OutputFormat,
    /// Reasoning before the answer; `None` for the model's default.
    pub reasoning: Option<ReasoningRequest>,
    /// True if the client requests a stream.
    pub streaming: bool,
    /// True if the client requests usage at the end of a stream. Some APIs always report it.
    pub wants_stream_usage: bool,
    /// Client's name for its own user.
    pub end_user: Option<String>,
    /// Members without a counterpart in the common form.
    pub extra: Vec<ExtraMember>,
}

/// Member without a counterpart in the common form. Only dialects of its own family can express it;
/// others record it as a loss.
#[derive(Clone, Debug, PartialEq)]
pub struct ExtraMember {
    /// Family of the API that defines it.
    pub origin: SignatureOrigin,
    /// Name there: in OpenAI's chat API, Anthropic's Messages API or Gemini's API.
    pub name: String,
    /// Path in the client's own request, for error messages.
    pub path: String,
    /// Value.
    pub value: RawJson,
    /// Effect of leaving it out.
    pub weight: super::LossWeight,
}

/// Message of a conversation.
#[derive(Clone, Debug, PartialEq)]
pub struct Message {
    /// Author.
    pub role: MessageRole,
    /// Content in order. Results of tools are parts of a message of the user.
    pub parts: Vec<Part>,
    /// Name of the author, which OpenAI's chat API has.
    pub name: Option<String>,
}

/// Author of a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MessageRole {
    /// Operator of the application.
    System,
    /// Developer of the application: OpenAI's later name of [`System`](Self::System).
    Developer,
    /// User, or the results of tools.
    User,
    /// Model.
    Assistant,
}

/// Part of a message or of an answer.
#[derive(Clone, Debug, PartialEq)]
pub struct Part {
    /// Content.
    pub content: PartContent,
    /// Request to cache the conversation up to the end of this part.
    pub cache: Option<CacheHint>,
    /// Proof of origin that the provider wants back with the part.
    pub signature: Option<Signature>,
}

/// Content of a part.
#[derive(Clone, Debug, PartialEq)]
pub enum PartContent {
    /// Text.
    Text {
        /// Text.
        text: String,
        /// Sources that it cites.
        citations: Vec<Citation>,
    },
    /// Image.
    Image {
        /// Location.
        source: MediaSource,
        /// OpenAI's level of detail: `low`, `high` or `auto`.
        detail: Option<String>,
    },
    /// Audio.
    Audio(MediaSource),
    /// Video.
    Video(MediaSource),
    /// Document.
    Document(Document),
    /// Call of a tool, by the model.
    ToolCall(ToolCall),
    /// Result of a tool.
    ToolResult(ToolResult),
    /// Reasoning of the model.
    Reasoning(Reasoning),
    /// Refusal of the model, in its own words.
    Refusal(String),
    /// Part that only the dialects of one family can express.
    Provider(ProviderPart),
}

/// Part that only the dialects of one family can express, such as a search that the provider ran,
/// or its result. Others record it as a loss in requests, and leave it out of answers.
#[derive(Clone, Debug, PartialEq)]
pub struct ProviderPart {
    /// Family of the provider.
    pub origin: SignatureOrigin,
    /// Part as the provider or the client wrote it.
    pub value: RawJson,
    /// Effect of leaving it out of a request.
    pub weight: super::LossWeight,
}

/// Location of media.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum MediaSource {
    /// In the request.
    Base64 {
        /// Media type such as `image/png`.
        media_type: String,
        /// Base64 of the content.
        data: String,
    },
    /// At a URL, which the provider fetches.
    Url {
        /// URL; not a `data:` URL.
        url: String,
        /// Media type, if it is stated.
        media_type: Option<String>,
    },
    /// In a store of the provider.
    File {
        /// Id of the file there.
        id: String,
        /// Media type, if it is stated.
        media_type: Option<String>,
    },
}

/// Document that the model reads.
#[derive(Clone, Debug, PartialEq)]
pub struct Document {
    /// Content.
    pub content: DocumentContent,
    /// Name or title.
    pub title: Option<String>,
    /// Remarks for the model that are not to be cited (Anthropic's `context`).
    pub context: Option<String>,
    /// True if the answer is to cite it.
    pub with_citations: bool,
    /// Source that citations name, for a result of a search that the client ran (Anthropic's
    /// `search_result`).
    pub search_source: Option<String>,
}

/// Content of a document.
#[derive(Clone, Debug, PartialEq)]
pub enum DocumentContent {
    /// File such as a PDF.
    Media(MediaSource),
    /// Text.
    Text(String),
    /// Parts, which citations refer to one by one.
    Parts(Vec<Part>),
}

/// Call of a tool.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ToolCall {
    /// Id, to which the result refers.
    pub id: String,
    /// Name of the tool.
    pub name: String,
    /// Arguments.
    pub input: ToolInput,
}

/// Arguments of a call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ToolInput {
    /// JSON as the model wrote it. It should be an object that fits the tool's schema, and may be
    /// empty or invalid.
    Json(String),
    /// Text, for OpenAI's custom tools.
    Text(String),
}

/// Result of a tool.
#[derive(Clone, Debug, PartialEq)]
pub struct ToolResult {
    /// Id of the call.
    pub call_id: String,
    /// Name of the tool, which Gemini needs. Parsers set it from the call with the id, if there is
    /// one.
    pub tool_name: Option<String>,
    /// Content: texts, images, documents.
    pub content: Vec<Part>,
    /// True if the tool failed.
    pub is_error: bool,
}

/// Reasoning of a model.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Reasoning {
    /// Text; empty if it is withheld.
    pub text: String,
    /// True if the text is a summary.
    pub is_summary: bool,
    /// Encrypted reasoning in place of a text (Anthropic's `redacted_thinking`, OpenAI's
    /// `encrypted_content`), which the provider wants back.
    pub encrypted: Option<Signature>,
    /// Id of the item, which OpenAI's Responses API has.
    pub id: Option<String>,
}

/// Opaque value that only its provider can read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Signature {
    /// Family of providers that can read it. Other dialects leave it out.
    pub origin: SignatureOrigin,
    /// Value.
    pub value: String,
}

/// Family of providers that made a signature.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SignatureOrigin {
    /// Anthropic.
    Anthropic,
    /// Google.
    Gemini,
    /// OpenAI.
    OpenAi,
}

/// Request to cache the conversation up to a part.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct CacheHint {
    /// Lifetime; `None` for the provider's default.
    pub lifetime: Option<CacheLifetime>,
}

/// Lifetime of an entry in a provider's cache.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CacheLifetime {
    /// Five minutes.
    FiveMinutes,
    /// One hour.
    OneHour,
}

/// Source that a text cites.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Citation {
    /// Cited words.
    pub cited_text: Option<String>,
    /// Title of the source.
    pub title: Option<String>,
    /// URL of the source.
    pub url: Option<String>,
    /// Characters of the answer that the citation supports, if they are stated.
    pub answer_range: Option<(u32, u32)>,
    /// Citation as the provider wrote it, with its family.
    pub original: Option<(SignatureOrigin, RawJson)>,
}

/// Tool that the client runs.
#[derive(Clone, Debug, PartialEq)]
pub struct ToolDefinition {
    /// Name.
    pub name: String,
    /// Description.
    pub description: Option<String>,
    /// JSON Schema of the arguments; `None` for a tool that takes text (OpenAI's custom tools) or
    /// nothing.
    pub schema: Option<RawJson>,
    /// True if the arguments have to fit the schema; `None` for the API's default.
    pub strict: Option<bool>,
    /// True for a tool whose input is text (OpenAI's custom tools).
    pub takes_text: bool,
    /// Grammar of that text, if it is not any text.
    pub grammar: Option<ToolGrammar>,
    /// Request to cache the tools up to this one.
    pub cache: Option<CacheHint>,
}

/// Grammar of the text that a tool takes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ToolGrammar {
    /// Notation of the definition: `lark` or `regex`.
    pub syntax: String,
    /// Definition.
    pub definition: String,
}

/// Tool that a provider runs. Only dialects of its own family can express it.
#[derive(Clone, Debug, PartialEq)]
pub struct ProviderTool {
    /// Family of the provider.
    pub origin: SignatureOrigin,
    /// Path in the client's request, for error messages.
    pub path: String,
    /// Definition as the client wrote it.
    pub definition: RawJson,
}

/// Choice among the offered tools.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ToolChoice {
    /// The model decides.
    Auto,
    /// The model calls none.
    None,
    /// The model calls at least one.
    Required,
    /// The model calls this one.
    Tool(String),
    /// The model decides among these (`is_required`: it calls at least one).
    Among {
        /// Names of the tools.
        names: Vec<String>,
        /// True if it has to call one.
        is_required: bool,
    },
}

/// Sampling of tokens. Numbers are as the client wrote them, which other languages' floats may not
/// survive.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Sampling {
    /// Temperature.
    pub temperature: Option<RawJson>,
    /// Nucleus sampling.
    pub top_p: Option<RawJson>,
    /// Number of the likeliest tokens to sample from.
    pub top_k: Option<RawJson>,
    /// Penalty of tokens that have occurred.
    pub presence_penalty: Option<RawJson>,
    /// Penalty of tokens by the number of their occurrences.
    pub frequency_penalty: Option<RawJson>,
    /// Seed.
    pub seed: Option<RawJson>,
}

/// Format of the answer.
#[derive(Clone, Debug, Default, PartialEq)]
pub enum OutputFormat {
    /// Text.
    #[default]
    Text,
    /// Any JSON object.
    JsonObject,
    /// JSON that fits a schema.
    JsonSchema {
        /// Name of the schema.
        name: Option<String>,
        /// Description of the schema.
        description: Option<String>,
        /// JSON Schema.
        schema: RawJson,
        /// True if the answer has to fit exactly; `None` for the API's default.
        strict: Option<bool>,
    },
}

impl Part {
    /// Returns a part without a cache hint and without a signature.
    pub fn new(content: PartContent) -> Self {
        Self { content, cache: None, signature: None }
    }

    /// Returns a text that cites nothing.
    pub fn text(text: impl Into<String>) -> Self {
        Self::new(PartContent::Text { text: text.into(), citations: Vec::new() })
    }
}

impl Message {
    /// Returns a message without a name.
    pub fn new(role: MessageRole, parts: Vec<Part>) -> Self {
        Self { role, parts, name: None }
    }
}

impl ConversationRequest {
    /// Returns the effect of leaving out the tools that another family of providers runs. A request
    /// that offers no others is made for them; beside tools of the client, as agents offer them,
    /// they are one possibility among several, and the model answers without.
    pub fn weight_of_provider_tools(&self) -> super::LossWeight {
        if self.tools.is_empty() { super::LossWeight::Binding } else { super::LossWeight::Advisory }
    }

    /// Sets the names of the tools in the results, from the calls that they refer to. Parsers call
    /// it last.
    pub fn name_tool_results(&mut self) {
        let mut names = std::collections::HashMap::new();
        for part in self.messages.iter_mut().flat_map(|message| &mut message.parts) {
            match &mut part.content {
                PartContent::ToolCall(call) => {
                    names.insert(call.id.clone(), call.name.clone());
                }
                PartContent::ToolResult(result) if result.tool_name.is_none() => {
                    result.tool_name = names.get(&result.call_id).cloned();
                }
                _ => {}
            }
        }
    }
}

impl Part {
    /// Returns the text of a part that is one.
    pub fn as_text(&self) -> Option<&str> {
        match &self.content {
            PartContent::Text { text, .. } => Some(text),
            _ => None,
        }
    }

    /// Returns the bytes of text that a model wrote in the part: content, reasoning, refusal and
    /// arguments of tools.
    pub fn text_bytes(&self) -> u64 {
        let bytes = match &self.content {
            PartContent::Text { text, .. } | PartContent::Refusal(text) => text.len(),
            PartContent::Reasoning(reasoning) => reasoning.text.len(),
            PartContent::ToolCall(call) => {
                call.name.len()
                    + match &call.input {
                        ToolInput::Json(input) | ToolInput::Text(input) => input.len(),
                    }
            }
            PartContent::Image { .. }
            | PartContent::Audio(_)
            | PartContent::Video(_)
            | PartContent::Document(_)
            | PartContent::ToolResult(_)
            | PartContent::Provider(_) => 0,
        };
        bytes as u64
    }
}
