//! The request, in a decision record.

use std::borrow::Cow;
use std::collections::BTreeMap;

use pointsman_domain::request::RequestFacts;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::units::{abilities, modalities};

/// Facts of a request that are known without reading its content.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct RequestRecord<'a> {
    /// Operation that the client called: `chat`.
    pub operation: Cow<'a, str>,
    /// Model name that the client asked for.
    pub model: Cow<'a, str>,
    /// Session of the conversation, from `x-pointsman-session`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub session: Option<Cow<'a, str>>,
    /// Estimated input tokens.
    pub input_tokens: u32,
    /// The client's limit on output tokens.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_output_tokens: Option<u32>,
    /// Kinds of content: `text`, `image`, `audio`, `video`, `document`.
    pub inputs: Vec<Cow<'a, str>>,
    /// Abilities that the request needs: `tools`, `structured-output`, `reasoning` …
    pub needs: Vec<Cow<'a, str>>,
    /// Number of messages, system messages excluded.
    pub turns: u32,
    /// True if the client asked for a stream.
    pub streaming: bool,
    /// Milliseconds available for the whole answer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub deadline_ms: Option<u32>,
    /// US dollars that the client may still spend, if it has a budget.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub budget_left_usd: Option<f64>,
    /// Named facts for policies, such as `prefer`.
    pub attributes: Cow<'a, BTreeMap<String, String>>,
}

impl<'a> RequestRecord<'a> {
    pub(crate) fn new(facts: &'a RequestFacts) -> Self {
        Self {
            operation: facts.operation.name().into(),
            model: facts.model.as_str().into(),
            session: facts.session.as_deref().map(Cow::Borrowed),
            input_tokens: facts.input_tokens,
            max_output_tokens: facts.max_output_tokens,
            inputs: modalities(facts.inputs),
            needs: abilities(facts.needs),
            turns: facts.turns,
            streaming: facts.streaming,
            deadline_ms: facts.deadline_ms,
            budget_left_usd: facts.budget_left,
            attributes: Cow::Borrowed(&facts.attributes),
        }
    }
}
