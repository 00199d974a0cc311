//! Forwarding of requests to a provider that has this API.

use std::ops::Range;

use bytes::Bytes;
use pointsman_conversation::{BodyChanges, EditableBody};
use pointsman_domain::serving_error::ServingError;
use serde_json::value::RawValue;

use crate::input::InputSummary;
use crate::json::{MemberPath, ObjectMembers, span_in};

const ROOT: &MemberPath<'static> = &MemberPath::Root;
const STREAM_OPTIONS: &str = "stream_options";
const INCLUDE_USAGE: &str = "include_usage";

/// Request as its client wrote it, with the facts that the form of a conversation does not hold.
#[derive(Clone, Debug)]
pub struct CompletionsBody {
    body: EditableBody,
    /// Number of texts that the provider generates.
    pub answers: u32,
    /// Estimated tokens of all prompts.
    pub input_tokens: u32,
    /// Lower bound on the tokens of the longest prompt. Each is continued for itself.
    pub least_input_tokens: u32,
    usage_request: UsageRequest,
}

/// State of the client's request for the usage of a stream.
#[derive(Clone, Debug)]
enum UsageRequest {
    /// The usage is requested, or the answer is no stream.
    NotNeeded,
    /// There are no options of the stream.
    NoOptions,
    /// The options, without `include_usage`, replace those at this span.
    Options { span: Range<usize>, with_usage: Bytes },
}

impl CompletionsBody {
    /// Reads the members at the top of a request. The others are the provider's to check.
    ///
    /// # Errors
    /// Fails if the body is not a JSON object, has no model, or a member that is read has another
    /// type.
    pub fn parse(body: &Bytes) -> Result<Self, ServingError> {
        let mut members = ObjectMembers::parse_request(body)?;
        let prompt = match members.take("prompt") {
            Some(prompt) => InputSummary::read(prompt, &ROOT.member("prompt"))?,
            // The provider begins a document.
            None => InputSummary::default(),
        };
        let count = |members: &mut ObjectMembers<'_>, name| members.take_count(name, ROOT);
        let answers = count(&mut members, "n")?.max(count(&mut members, "best_of")?).unwrap_or(1).max(1);
        let prompts = u32::try_from(prompt.elements).unwrap_or(u32::MAX).max(1);
        let is_streaming = members.take_as("stream", ROOT, "a boolean")?.unwrap_or(false);
        let usage_request = if is_streaming {
            UsageRequest::of(body, members.raw(STREAM_OPTIONS))?
        } else {
            UsageRequest::NotNeeded
        };
        Ok(Self {
            body: EditableBody::find(body, &mut members, "max_tokens")?,
            answers: answers.saturating_mul(prompts),
            input_tokens: u32::try_from(prompt.tokens()).unwrap_or(u32::MAX),
            least_input_tokens: u32::try_from(prompt.least_tokens()).unwrap_or(u32::MAX),
            usage_request,
        })
    }

    /// Returns the body of a call of the model with this name at its provider, as
    /// [`EditableBody::body_for`] does. `stream_usage` requests the usage of a stream where the client
    /// did not.
    pub fn body_for(
        &self,
        upstream_name: &str,
        max_output_tokens: Option<u32>,
        stream_usage: bool,
    ) -> Vec<Bytes> {
        let mut changes = BodyChanges::default();
        match &self.usage_request {
            UsageRequest::NoOptions if stream_usage => {
                changes.added = format!(r#","{STREAM_OPTIONS}":{{"{INCLUDE_USAGE}":true}}"#);
            }
            UsageRequest::Options { span, with_usage } if stream_usage => {
                changes.edits.push((span.clone(), with_usage.clone()));
            }
            _ => {}
        }
        self.body.body_for(upstream_name, max_output_tokens, changes)
    }
}

impl UsageRequest {
    fn of(body: &Bytes, options: Option<&RawValue>) -> Result<Self, ServingError> {
        let path = ROOT.member(STREAM_OPTIONS);
        let Some(value) = options else { return Ok(Self::NoOptions) };
        let mut members = match value.get() {
            "null" => ObjectMembers::default(),
            _ => ObjectMembers::parse(value, &path)?,
        };
        if members.take_as(INCLUDE_USAGE, &path, "a boolean")? == Some(true) {
            return Ok(Self::NotNeeded);
        }
        let mut with_usage = format!(r#"{{"{INCLUDE_USAGE}":true"#);
        for (name, value) in members.rest() {
            // A string into a string: this cannot fail.
            let name = serde_json::to_string(&name).unwrap_or_default();
            with_usage.push_str(&format!(",{name}:{}", value.get()));
        }
        with_usage.push('}');
        Ok(Self::Options { span: span_in(body, value), with_usage: with_usage.into() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(members: &str) -> CompletionsBody {
        CompletionsBody::parse(&format!(r#"{{"model":"m",{members}}}"#).into()).unwrap()
    }

    #[track_caller]
    fn check(members: &str, stream_usage: bool, expected: &str) {
        let body = parse(members).body_for("n", Some(20), stream_usage);
        assert_eq!(String::from_utf8(body.concat()).unwrap(), format!(r#"{{"model":"n",{expected}}}"#));
    }

    #[test]
    fn a_call_sets_the_model_the_limit_and_the_usage() {
        let members = r#""prompt":"a","suffix":"b","max_tokens":50"#;
        check(members, true, r#""prompt":"a","suffix":"b","max_tokens":20"#);
        check(
            r#""prompt":"a","max_tokens":5,"new":[1.0]"#,
            true,
            r#""prompt":"a","max_tokens":5,"new":[1.0]"#,
        );
        let stream = r#""max_tokens":5,"stream":true"#;
        check(stream, false, stream);
        check(stream, true, &format!(r#""stream_options":{{"include_usage":true}},{stream}"#));
        for (options, expected) in [
            ("null", r#"{"include_usage":true}"#),
            ("{}", r#"{"include_usage":true}"#),
            (r#"{"include_usage":false,"x":1.0}"#, r#"{"include_usage":true,"x":1.0}"#),
            (r#"{ "include_usage":true }"#, r#"{ "include_usage":true }"#),
        ] {
            let members = |options: &str| format!(r#"{stream},"stream_options":{options}"#);
            check(&members(options), true, &members(expected));
            check(&members(options), false, &members(options));
        }
    }

    #[test]
    fn each_prompt_is_continued_for_itself() {
        let facts = |members: &str| {
            let body = parse(members);
            (body.answers, body.input_tokens, body.least_input_tokens)
        };
        let long = "x".repeat(256);
        assert_eq!(facts(r#""prompt":"eight by","n":2"#), (2, 2, 1));
        assert_eq!(facts(&format!(r#""prompt":["{long}","{long}"],"n":2,"best_of":3"#)).0, 6);
        assert_eq!(facts(&format!(r#""prompt":["{long}","{long}"]"#)).2, 2);
        assert_eq!(facts(r#""prompt":[1,2,3]"#), (1, 3, 0));
        assert_eq!(facts(r#""prompt":[[1,2,3],[4]]"#), (2, 4, 0));
        assert_eq!(facts(r#""prompt":null"#), (1, 0, 0));
        assert_eq!(facts(r#""n":1"#), (1, 0, 0));
    }

    #[test]
    fn an_invalid_member_is_named() {
        for (members, name) in [
            (r#""prompt":{}"#, "prompt"),
            (r#""prompt":[]"#, "prompt"),
            (r#""n":-1"#, "n"),
            (r#""stream":1"#, "stream"),
            (r#""stream":true,"stream_options":1"#, "stream_options"),
            (r#""stream":true,"stream_options":{"include_usage":1}"#, "stream_options.include_usage"),
        ] {
            let error = CompletionsBody::parse(&format!(r#"{{"model":"m",{members}}}"#).into()).unwrap_err();
            assert_eq!(error.parameter.as_deref(), Some(name));
        }
    }
}
