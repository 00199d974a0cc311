//! Paths of calls below the base URL of a provider.

use std::borrow::Cow;

use pointsman_wire::provider::ProviderDialect;

use super::CallTarget;
use crate::forwarded::ForwardedApi;
use crate::gemini;
use crate::path_segment::path_segment;
use crate::protocol::Protocol;

/// Returns the path of a request for a response that its provider keeps: `action` is the part behind
/// its id, and `query` the client's.
pub fn stored_response_path(
    dialect: ProviderDialect,
    id: &str,
    action: Option<&str>,
    query: Option<&str>,
) -> String {
    let base = match dialect {
        ProviderDialect::Azure => "openai/v1/responses",
        ProviderDialect::OpenAi | ProviderDialect::Anthropic | ProviderDialect::Gemini => "responses",
    };
    let mut path = format!("{base}/{}", path_segment(id));
    for (mark, part) in [("/", action), ("?", query)] {
        if let Some(part) = part {
            path.push_str(mark);
            path.push_str(part);
        }
    }
    path
}

/// Returns the path of a call.
pub(super) fn of_call<'a>(target: &CallTarget<'a>, protocol: Protocol, streaming: bool) -> Cow<'a, str> {
    let operation = match protocol {
        Protocol::ChatCompletions => "chat/completions",
        Protocol::Completions => "completions",
        Protocol::Responses => "responses",
        Protocol::Messages => "messages",
        Protocol::Forwarded(ForwardedApi::Embeddings) if target.dialect == ProviderDialect::Gemini => {
            return gemini::embedding::operation_path(target.upstream_name).into();
        }
        Protocol::Forwarded(api) => api.path(),
        Protocol::GenerateContent => return gemini::operation_path(target.upstream_name, streaming).into(),
    };
    match target.dialect {
        ProviderDialect::Azure if protocol == Protocol::Responses => "openai/v1/responses".into(),
        ProviderDialect::Azure => {
            format!("openai/deployments/{}/{operation}", path_segment(target.upstream_name)).into()
        }
        ProviderDialect::OpenAi | ProviderDialect::Anthropic | ProviderDialect::Gemini => operation.into(),
    }
}
