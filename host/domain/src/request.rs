//! What is known of a request without reading its content.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::ids::KeyName;
use crate::model::{Abilities, Modalities, Operation};

/// The facts of one request that candidates are filtered by and policies decide on.
#[derive(Clone, Debug)]
pub struct RequestFacts {
    /// The decision's id.
    pub id: String,
    /// The endpoint.
    pub operation: Operation,
    /// The model name that the client asked for.
    pub model: String,
    /// Whose key it came with.
    pub tenant: Option<KeyName>,
    /// What ties requests of one conversation together.
    pub session: Option<String>,
    /// Estimated tokens of the input.
    pub input_tokens: u32,
    /// Lower bound on the tokens of the input, whichever tokenizer counts them.
    pub least_input_tokens: u32,
    /// The client's limit on output tokens.
    pub max_output_tokens: Option<u32>,
    /// Kinds of content in it.
    pub inputs: Modalities,
    /// Abilities that the request uses.
    pub needs: Abilities,
    /// The part of `needs` that a model may lack if no model of the route has it.
    pub negotiable_needs: Abilities,
    /// Messages that are not system messages.
    pub turns: u32,
    /// Whether the answer is to be streamed.
    pub streaming: bool,
    /// Milliseconds left for the whole answer.
    pub deadline_ms: Option<u32>,
    /// What the tenant may still spend, in US dollars.
    pub budget_left: Option<f64>,
    /// Named facts for policies.
    pub attributes: BTreeMap<String, String>,
}

impl RequestFacts {
    /// Returns the abilities that every model must have.
    pub fn binding_needs(&self) -> Abilities {
        self.needs - self.negotiable_needs
    }

    /// Tells how much time is left for the whole answer.
    pub fn set_time_left(&mut self, left: Duration) {
        self.deadline_ms = Some(u32::try_from(left.as_millis()).unwrap_or(u32::MAX));
    }
}
