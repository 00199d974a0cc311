//! Parsing of requests.

use pointsman_domain::serving_error::ServingError;
use serde::Deserialize;

use crate::chat::{SharedMembers, extra};
use crate::form::{ConversationRequest, Losses, Message, MessageRole, Part};
use crate::json::{MemberPath, ObjectMembers};

const ROOT: &MemberPath<'static> = &MemberPath::Root;

/// Prompt of a request.
#[derive(Deserialize)]
#[serde(untagged)]
enum Prompt {
    One(String),
    Many(Vec<String>),
    Tokens(Vec<u32>),
    ManyTokens(Vec<Vec<u32>>),
}

/// Parses a request for legacy completions. Its prompt becomes a message of the user. The losses are
/// what the common form cannot hold.
///
/// # Errors
/// Fails if the body is not a request: the error names the member.
pub fn parse_request(body: &[u8]) -> Result<(ConversationRequest, Losses), ServingError> {
    let mut losses = Losses::default();
    let mut members = ObjectMembers::parse_request(body)?;
    let model = members.require("model", ROOT, "a string")?;
    let prompt = members.take_as("prompt", ROOT, "a string or an array of strings or tokens")?;
    let parts = match prompt {
        Some(prompt) => prompt_parts(prompt, &mut losses),
        // A document from its beginning.
        None => {
            losses.binding("prompt");
            Vec::new()
        }
    };
    let mut request = ConversationRequest {
        model,
        messages: vec![Message::new(MessageRole::User, parts)],
        ..ConversationRequest::default()
    };
    SharedMembers::parse(&mut members, &mut losses)?.set(&mut request);
    own_members(&mut members, &mut losses)?;
    request.extra.extend(extra(members));
    Ok((request, losses))
}

/// Returns the parts of the message. Of a prompt in tokens there is none.
fn prompt_parts(prompt: Prompt, losses: &mut Losses) -> Vec<Part> {
    let texts = match prompt {
        Prompt::One(text) => vec![text],
        Prompt::Many(texts) => texts,
        Prompt::Tokens(tokens) => {
            if !tokens.is_empty() {
                losses.binding("prompt");
            }
            return Vec::new();
        }
        Prompt::ManyTokens(prompts) => {
            if !prompts.is_empty() {
                losses.binding("prompt");
            }
            return Vec::new();
        }
    };
    if texts.len() > 1 {
        losses.binding("prompt");
    }
    texts.into_iter().map(Part::text).collect()
}

/// Removes the members that only this API has, unless they have their defaults.
fn own_members(members: &mut ObjectMembers<'_>, losses: &mut Losses) -> Result<(), ServingError> {
    let suffix: Option<String> = members.take_as("suffix", ROOT, "a string")?;
    if suffix.is_some_and(|suffix| !suffix.is_empty()) {
        losses.binding("suffix");
    }
    if members.take_as("echo", ROOT, "a boolean")? == Some(true) {
        losses.binding("echo");
    }
    if members.take_count("best_of", ROOT)?.is_some_and(|answers| answers > 1) {
        losses.binding("best_of");
    }
    // 0 requests the probability of the token that was sampled; some clients write a boolean.
    if members.take("logprobs").is_some_and(|value| value.get() != "false") {
        losses.binding("logprobs");
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use pointsman_domain::serving_error::ErrorKind;

    use super::*;

    fn parse(members: &str) -> (ConversationRequest, Losses) {
        parse_request(format!(r#"{{"model":"m",{members}}}"#).as_bytes()).unwrap()
    }

    #[test]
    fn a_prompt_is_a_message_of_the_user() {
        for prompt in [r#""hi""#, r#"["hi"]"#] {
            let (request, losses) =
                parse(&format!(r#""prompt":{prompt},"max_tokens":5,"stream":true,"user":"u""#));
            assert_eq!(request.messages, [Message::new(MessageRole::User, vec![Part::text("hi")])]);
            assert_eq!((request.max_output_tokens, request.streaming), (Some(5), true));
            assert_eq!(request.end_user.as_deref(), Some("u"));
            assert!(losses.is_empty() && request.extra.is_empty());
        }
    }

    #[test]
    fn what_a_conversation_cannot_express_is_binding() {
        for (members, lost) in [
            (r#""prompt":null"#, "prompt"),
            (r#""prompt":["a","b"]"#, "prompt"),
            (r#""prompt":[1,2]"#, "prompt"),
            (r#""prompt":[[1,2]]"#, "prompt"),
            (r#""prompt":"a","suffix":"b""#, "suffix"),
            (r#""prompt":"a","echo":true"#, "echo"),
            (r#""prompt":"a","best_of":2"#, "best_of"),
            (r#""prompt":"a","logprobs":0"#, "logprobs"),
        ] {
            assert_eq!(parse(members).1.first_binding(), Some(lost), "{members}");
        }
        let (request, _) = parse(r#""prompt":"a","n":2"#);
        assert_eq!(request.extra[0].name, "n");
        let defaults =
            r#""prompt":"a","suffix":null,"echo":false,"best_of":1.0,"logprobs":null,"n":1,"logit_bias":{}"#;
        let (request, losses) = parse(defaults);
        assert!(losses.is_empty() && request.extra.is_empty());
    }

    #[test]
    fn a_member_of_the_wrong_type_is_named() {
        let error = parse_request(br#"{"model":"m","prompt":{}}"#).unwrap_err();
        assert_eq!((error.kind, error.parameter.as_deref()), (ErrorKind::InvalidType, Some("prompt")));
        let error = parse_request(br#"{"prompt":"a"}"#).unwrap_err();
        assert_eq!((error.kind, error.parameter.as_deref()), (ErrorKind::MissingParameter, Some("model")));
    }
}
