//! Paths of calls below the base URL of a provider.

use std::borrow::Cow;

use pointsman_wire::provider::ProviderDialect;

use super::CallTarget;
use crate::forwarded::ForwardedApi;
use crate::gemini;
use crate::path_segment::path_segment;
use crate::protocol::Protocol;

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
