//! Renders requests.

mod contents;
mod generation;
mod media;
mod message;
mod part;
mod tool_result;
mod tools;

use std::collections::BTreeMap;

use bytes::Bytes;
use serde::Serialize;

use self::contents::{Contents, RequestContent};
use self::generation::GenerationConfig;
use self::tools::{ToolConfig, Tools};
use super::model_family::ModelFamily;
use crate::form::{ConversationRequest, Losses, RawJson, SignatureOrigin};

/// Members that are rendered from the common form.
const MEMBERS: [&str; 5] = ["contents", "systemInstruction", "tools", "toolConfig", "generationConfig"];

/// Body of `generateContent`. The model is in the path.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct GenerateContentRequest<'a> {
    contents: Vec<RequestContent<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    system_instruction: Option<RequestContent<'a>>,
    #[serde(skip_serializing_if = "Tools::is_empty")]
    tools: Tools<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    tool_config: Option<ToolConfig<'a>>,
    #[serde(skip_serializing_if = "GenerationConfig::is_empty")]
    generation_config: GenerationConfig<'a>,
    /// Members that only this API has, such as `safetySettings`.
    #[serde(flatten)]
    extra: BTreeMap<&'a str, &'a RawJson>,
}

/// Renders the body of a call, whole or streamed: the [path](super::operation_path) states which.
///
/// Records in `losses` each member that the API cannot express.
pub fn render_request(request: &ConversationRequest, losses: &mut Losses) -> Bytes {
    let family = ModelFamily::of(&request.model);
    let Contents { system_instruction, contents } = Contents::of(request, family, losses);
    let tools = Tools::of(request, losses);
    let tool_config = ToolConfig::of(request);
    let generation_config = GenerationConfig::of(request, family, losses);
    if request.end_user.is_some() {
        losses.advisory("user");
    }
    let mut extra = BTreeMap::new();
    for member in &request.extra {
        if member.origin == SignatureOrigin::Gemini && !MEMBERS.contains(&&*member.name) {
            extra.insert(&*member.name, &member.value);
        } else {
            losses.record(&*member.path, member.weight);
        }
    }
    let body =
        GenerateContentRequest { contents, system_instruction, tools, tool_config, generation_config, extra };
    // Only texts and JSON values: this cannot fail.
    serde_json::to_vec(&body).unwrap_or_default().into()
}

#[cfg(test)]
mod tests;
