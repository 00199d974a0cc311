//! Paths of calls below the base URL of a provider.

use std::borrow::Cow;

use pointsman_wire::provider::ProviderDialect;

use super::CallTarget;
use crate::gemini;
use crate::protocol::Protocol;

/// Returns the path of a call.
pub(super) fn of_call<'a>(target: &CallTarget<'a>, protocol: Protocol, streaming: bool) -> Cow<'a, str> {
    let operation = match protocol {
        Protocol::ChatCompletions => "chat/completions",
        Protocol::Completions => "completions",
        Protocol::Responses => "responses",
        Protocol::Messages => "messages",
        Protocol::Embeddings => "embeddings",
        Protocol::Transcriptions => "audio/transcriptions",
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

/// Percent-encodes a name as one segment of a path (RFC 3986, unreserved characters stay).
fn path_segment(name: &str) -> String {
    let mut segment = String::with_capacity(name.len());
    for byte in name.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            segment.push(char::from(byte));
        } else {
            segment.push_str(&format!("%{byte:02X}"));
        }
    }
    segment
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_name_of_a_deployment_is_one_segment_of_the_path() {
        assert_eq!(path_segment("gpt-4o_mini.v1"), "gpt-4o_mini.v1");
        assert_eq!(path_segment("../a b?c#ü"), "..%2Fa%20b%3Fc%23%C3%BC");
    }
}
