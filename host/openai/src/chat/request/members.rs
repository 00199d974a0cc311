//! Members of a request besides its messages and tools.

use pointsman_domain::serving_error::ServingError;
use serde::Deserialize;
use serde_json::value::RawValue;

use super::leave_out;
use crate::form::{
    ConversationRequest, ExtraMember, LossWeight, Losses, OutputFormat, RawJson, ReasoningEffort,
    ReasoningRequest, Sampling, SignatureOrigin,
};
use crate::json::{MemberPath, ObjectMembers};

const ROOT: &MemberPath<'static> = &MemberPath::Root;

/// Members without which the answer would be of another kind, in OpenAI's API and in those of model
/// servers.
const BINDING: [&str; 26] = [
    "n",
    "logprobs",
    "top_logprobs",
    "prompt_logprobs",
    "logit_bias",
    "audio",
    "modalities",
    "prediction",
    "web_search_options",
    "search_parameters",
    "plugins",
    "moderation",
    "response_format",
    "guided_json",
    "guided_regex",
    "guided_choice",
    "guided_grammar",
    "structured_outputs",
    "structural_tag",
    "grammar",
    "json_schema",
    "regex",
    "ebnf",
    "stop_token_ids",
    "echo",
    "best_of",
];

/// Members that chat completions have in common with legacy completions.
#[derive(Debug, Default)]
pub(crate) struct SharedMembers {
    max_output_tokens: Option<u32>,
    sampling: Sampling,
    stop: Vec<String>,
    streaming: bool,
    wants_stream_usage: bool,
    end_user: Option<String>,
}

impl SharedMembers {
    /// Removes the members from a request, and parses them.
    ///
    /// # Errors
    /// Fails if one has the wrong type.
    pub fn parse(members: &mut ObjectMembers<'_>, losses: &mut Losses) -> Result<Self, ServingError> {
        let new_limit = limit(members, "max_completion_tokens")?;
        let old_limit = limit(members, "max_tokens")?;
        let seed = number(members, "seed")?;
        let random_seed = number(members, "random_seed")?;
        Ok(Self {
            max_output_tokens: new_limit.or(old_limit),
            sampling: Sampling {
                temperature: number(members, "temperature")?,
                top_p: number(members, "top_p")?,
                top_k: number(members, "top_k")?,
                presence_penalty: number(members, "presence_penalty")?,
                frequency_penalty: number(members, "frequency_penalty")?,
                seed: seed.or(random_seed),
            },
            stop: stop(members)?,
            streaming: members.take_as("stream", ROOT, "a boolean")?.unwrap_or_default(),
            wants_stream_usage: stream_usage(members, losses)?,
            end_user: members.take_as("user", ROOT, "a string")?,
        })
    }

    /// Sets the members of a request.
    pub fn set(self, request: &mut ConversationRequest) {
        let Self { max_output_tokens, sampling, stop, streaming, wants_stream_usage, end_user } = self;
        request.max_output_tokens = max_output_tokens;
        request.sampling = sampling;
        request.stop = stop;
        request.streaming = streaming;
        request.wants_stream_usage = wants_stream_usage;
        request.end_user = end_user;
    }
}

/// Parses a limit of tokens. A negative one is none.
fn token_limit(value: &RawValue, path: &MemberPath<'_>) -> Result<Option<u32>, ServingError> {
    let limit: f64 = path.parse(value, "an integer")?;
    if limit.fract() != 0.0 {
        return Err(path.wrong_type("an integer"));
    }
    // A conversion of floats saturates.
    Ok((limit >= 0.0).then_some(limit as u32))
}

fn limit(members: &mut ObjectMembers<'_>, name: &str) -> Result<Option<u32>, ServingError> {
    members.take(name).map_or(Ok(None), |value| token_limit(value, &ROOT.member(name)))
}

fn number(members: &mut ObjectMembers<'_>, name: &str) -> Result<Option<RawJson>, ServingError> {
    let Some(value) = members.take(name) else { return Ok(None) };
    ROOT.member(name).parse::<f64>(value, "a number")?;
    Ok(Some(value.into()))
}

fn stop(members: &mut ObjectMembers<'_>) -> Result<Vec<String>, ServingError> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Stop {
        One(String),
        Many(Vec<String>),
    }
    let stop = members.take_as("stop", ROOT, "a string or an array of strings")?;
    Ok(match stop {
        Some(Stop::One(text)) => vec![text],
        Some(Stop::Many(texts)) => texts,
        None => Vec::new(),
    })
}

fn stream_usage(members: &mut ObjectMembers<'_>, losses: &mut Losses) -> Result<bool, ServingError> {
    let Some(value) = members.take("stream_options") else { return Ok(false) };
    let path = ROOT.member("stream_options");
    let mut options = ObjectMembers::parse(value, &path)?;
    let include = options.take_as("include_usage", &path, "a boolean")?.unwrap_or_default();
    leave_out(options, &path, losses);
    Ok(include)
}

/// Removes and parses the format of the answer. An unknown one stays.
pub(super) fn output_format(
    members: &mut ObjectMembers<'_>,
    losses: &mut Losses,
) -> Result<OutputFormat, ServingError> {
    let Some(value) = members.get("response_format") else { return Ok(OutputFormat::Text) };
    let path = ROOT.member("response_format");
    let mut format = ObjectMembers::parse(value, &path)?;
    let parsed = match format.require::<String>("type", &path, "a string")?.as_str() {
        "text" => OutputFormat::Text,
        "json_object" => OutputFormat::JsonObject,
        "json_schema" => {
            let schema_path = path.member("json_schema");
            let value = format.require("json_schema", &path, "an object")?;
            let mut schema = ObjectMembers::parse(value, &schema_path)?;
            let parsed = OutputFormat::JsonSchema {
                name: schema.take_as("name", &schema_path, "a string")?,
                description: schema.take_as("description", &schema_path, "a string")?,
                schema: schema.require("schema", &schema_path, "an object")?,
                strict: schema.take_as("strict", &schema_path, "a boolean")?,
            };
            leave_out(schema, &schema_path, losses);
            parsed
        }
        // Other kinds become a member without a counterpart.
        _ => return Ok(OutputFormat::Text),
    };
    leave_out(format, &path, losses);
    members.take("response_format");
    Ok(parsed)
}

/// Removes and parses the requests for reasoning: OpenAI's, and those of other providers.
pub(super) fn reasoning(
    members: &mut ObjectMembers<'_>,
    losses: &mut Losses,
) -> Result<Option<ReasoningRequest>, ServingError> {
    let mut request = ReasoningRequest::default();
    set_effort(members, "reasoning_effort", ROOT, &mut request)?;
    if let Some(value) = members.take("reasoning") {
        let path = ROOT.member("reasoning");
        let mut own = ObjectMembers::parse(value, &path)?;
        set_effort(&mut own, "effort", &path, &mut request)?;
        if let Some(value) = own.take("max_tokens") {
            request.budget_tokens = token_limit(value, &path.member("max_tokens"))?;
        }
        set_switch(own.take_as("enabled", &path, "a boolean")?, &mut request);
        let is_excluded: Option<bool> = own.take_as("exclude", &path, "a boolean")?;
        request.is_visible = is_excluded.map(|is_excluded| !is_excluded);
        leave_out(own, &path, losses);
    }
    if let Some(value) = members.take("thinking") {
        thinking(value, &mut request, losses)?;
    }
    set_switch(members.take_as("enable_thinking", ROOT, "a boolean")?, &mut request);
    if let Some(value) = members.take("thinking_budget") {
        request.budget_tokens = token_limit(value, &ROOT.member("thinking_budget"))?;
    }
    if let Some(include) = members.take_as("include_reasoning", ROOT, "a boolean")? {
        request.is_visible = Some(include);
    }
    Ok((request != ReasoningRequest::default()).then_some(request))
}

/// Parses the member of DeepSeek, Z.ai and others that resembles Anthropic's.
fn thinking(
    value: &RawValue,
    request: &mut ReasoningRequest,
    losses: &mut Losses,
) -> Result<(), ServingError> {
    let path = ROOT.member("thinking");
    let mut own = ObjectMembers::parse(value, &path)?;
    let kind: Option<String> = own.take_as("type", &path, "a string")?;
    if let Some(value) = own.take("budget_tokens") {
        request.budget_tokens = token_limit(value, &path.member("budget_tokens"))?;
    }
    match kind.as_deref() {
        Some("disabled") => set_switch(Some(false), request),
        Some(_) => set_switch(Some(true), request),
        None => {}
    }
    leave_out(own, &path, losses);
    Ok(())
}

/// Takes an effort. One with an unknown name stays a member without a counterpart.
fn set_effort(
    members: &mut ObjectMembers<'_>,
    name: &str,
    path: &MemberPath<'_>,
    request: &mut ReasoningRequest,
) -> Result<(), ServingError> {
    let Some(value) = members.get(name) else { return Ok(()) };
    let effort: String = path.member(name).parse(value, "a string")?;
    if let Some(effort) = ReasoningEffort::from_name(&effort) {
        request.effort = Some(effort);
        members.take(name);
    }
    Ok(())
}

/// Sets whether the model reasons, unless it is stated in more detail.
fn set_switch(is_on: Option<bool>, request: &mut ReasoningRequest) {
    match is_on {
        Some(true) if request.effort.is_none() && request.budget_tokens.is_none() => {
            request.is_adaptive = true;
        }
        Some(false) => request.budget_tokens = Some(0),
        _ => {}
    }
}

/// Returns the members that are left, without those that state a default.
pub(crate) fn extra(rest: ObjectMembers<'_>) -> impl Iterator<Item = ExtraMember> {
    let meaningful = rest.rest().filter(|(name, value)| !is_default(name, value.get()));
    meaningful.map(|(name, value)| ExtraMember {
        origin: SignatureOrigin::OpenAi,
        weight: weight(&name),
        path: name.to_string(),
        name: name.into_owned(),
        value: value.into(),
    })
}

/// Returns the effect of leaving out a member.
fn weight(name: &str) -> LossWeight {
    if BINDING.contains(&name) { LossWeight::Binding } else { LossWeight::Advisory }
}

/// Returns whether a member has the value that it has when it is absent.
fn is_default(name: &str, value: &str) -> bool {
    match name {
        "n" | "best_of" => value == "1",
        "logprobs" | "echo" => value == "false",
        "top_logprobs" => value == "0",
        "logit_bias" | "plugins" => serde_json::from_str::<serde_json::Value>(value).is_ok_and(|value| {
            value.as_object().is_some_and(serde_json::Map::is_empty)
                || value.as_array().is_some_and(Vec::is_empty)
        }),
        "modalities" => serde_json::from_str::<Vec<String>>(value)
            .is_ok_and(|kinds| kinds.iter().all(|kind| kind == "text")),
        _ => false,
    }
}
