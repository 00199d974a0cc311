//! Calls that count the tokens of a request's input.

use pointsman_wire::CallBody;
use pointsman_wire::provider::ProviderDialect;

use super::Untranslatable;
use crate::answer::InvalidAnswer;
use crate::anthropic::pass_through::has_foreign_reasoning;
use crate::anthropic::{parse_token_count, render_count_tokens_request};
use crate::form::Losses;
use crate::request::{ClientConversation, OriginalBody};

/// Path of the call below the base URL of a provider.
pub const TOKEN_COUNT_PATH: &str = "messages/count_tokens";

/// Returns whether providers of a dialect count the tokens of messages.
pub const fn counts_tokens(dialect: ProviderDialect) -> bool {
    match dialect {
        ProviderDialect::Anthropic => true,
        ProviderDialect::OpenAi | ProviderDialect::Azure | ProviderDialect::Gemini => false,
    }
}

/// Returns the body of a call to the model that its provider knows by a name: as the client sent it,
/// unless a part is not the provider's own.
///
/// # Errors
/// Fails if the provider's API cannot express a part that determines the number of tokens.
pub fn token_count_body(
    request: &ClientConversation,
    upstream_name: &str,
) -> Result<CallBody, Untranslatable> {
    let parsed = request.parsed().map_err(Untranslatable::Invalid)?;
    if let Some(OriginalBody::Messages(original)) = request.original()
        && !has_foreign_reasoning(&parsed.request)
    {
        return Ok(original.body_for(upstream_name, None).into());
    }
    let mut request = parsed.request.clone();
    upstream_name.clone_into(&mut request.model);
    let mut losses = Losses::default();
    let body = render_count_tokens_request(&request, &mut losses);
    match losses.first_binding() {
        Some(member) => Err(Untranslatable::Member(member.to_owned())),
        None => Ok(body.into()),
    }
}

/// Reads the answer to the call, and returns the tokens of the input.
///
/// # Errors
/// Fails if it is no such answer.
pub fn read_token_count(answer: &[u8]) -> Result<u64, InvalidAnswer> {
    Ok(parse_token_count(answer)?)
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use super::*;
    use crate::request::{ClientRequest, ClientRequestScan};

    fn body_of(request: &str) -> String {
        let mut scan = ClientRequestScan::count_tokens(1 << 20);
        scan.push(Bytes::copy_from_slice(request.as_bytes())).unwrap();
        let ClientRequest::Conversation(request) = scan.finish().unwrap() else { panic!("no conversation") };
        let body = token_count_body(&request, "claude-sonnet").unwrap();
        String::from_utf8(body.to_bytes().unwrap().to_vec()).unwrap()
    }

    #[test]
    fn a_request_passes_to_the_byte_but_for_the_name_of_its_model() {
        let request = r#"{ "new": {"z": 1, "a": 1.0}, "model":"main","messages" : [{"role":"user","content":"Hi"}],
            "thinking": {"type": "enabled", "budget_tokens": 2048}, "tools": [] }"#;
        assert_eq!(body_of(request), request.replace("main", "claude-sonnet"));
    }

    #[test]
    fn reasoning_of_other_providers_is_not_sent() {
        let request = r#"{"model":"main","messages":[{"role":"user","content":"Hi"},{"role":"assistant","content":[
            {"type":"thinking","thinking":"Hm.","signature":"gemini:abc"},{"type":"text","text":"Hello"}]},
            {"role":"user","content":"Why?"}]}"#;
        let body = body_of(request);
        assert!(!body.contains("gemini:abc") && body.contains("Hello"), "{body}");
        assert!(body.contains(r#""model":"claude-sonnet""#) && !body.contains("max_tokens"), "{body}");
    }

    #[test]
    fn only_anthropics_dialect_counts() {
        let counting = ProviderDialect::ALL.into_iter().filter(|dialect| counts_tokens(*dialect));
        assert_eq!(counting.collect::<Vec<_>>(), [ProviderDialect::Anthropic]);
    }
}
