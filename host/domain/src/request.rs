//! Facts about requests that are known without reading their content.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::ids::KeyName;
use crate::model::{Abilities, Modalities, Operation};

/// Facts about a request by which candidates are filtered and policies decide.
#[derive(Clone, Debug)]
pub struct RequestFacts {
    /// Id of the decision.
    pub id: String,
    /// Operation of the endpoint.
    pub operation: Operation,
    /// Model name that the client requested.
    pub model: String,
    /// Name of the client's key.
    pub tenant: Option<KeyName>,
    /// Id that the requests of a conversation share.
    pub session: Option<String>,
    /// Estimated tokens of the input.
    pub input_tokens: u32,
    /// Lower bound on the tokens of the input, whichever tokenizer counts them.
    pub least_input_tokens: u32,
    /// Limit on output tokens that the client set.
    pub max_output_tokens: Option<u32>,
    /// Kinds of content in the request.
    pub inputs: Modalities,
    /// Abilities that the request uses.
    pub needs: Abilities,
    /// Abilities of `needs` that a model may lack if no model of the route has them.
    pub negotiable_needs: Abilities,
    /// Messages that are not system messages.
    pub turns: u32,
    /// True if the client requests a stream.
    pub streaming: bool,
    /// Milliseconds left for the whole answer.
    pub deadline_ms: Option<u32>,
    /// Budget left to the tenant, in US dollars.
    pub budget_left: Option<f64>,
    /// Further facts for policies, by name.
    pub attributes: BTreeMap<String, String>,
}

impl RequestFacts {
    /// Returns the facts of a short chat with one message, text only, by a client without a key.
    /// The base for struct update syntax where few facts matter.
    pub fn new(id: impl Into<String>, model: impl Into<String>) -> Self {
        Self {
            id: id.into(),
            operation: Operation::Chat,
            model: model.into(),
            tenant: None,
            session: None,
            input_tokens: 0,
            least_input_tokens: 0,
            max_output_tokens: None,
            inputs: Modalities::TEXT,
            needs: Abilities::empty(),
            negotiable_needs: Abilities::empty(),
            turns: 1,
            streaming: false,
            deadline_ms: None,
            budget_left: None,
            attributes: BTreeMap::new(),
        }
    }

    /// Returns the abilities that every model must have.
    pub fn binding_needs(&self) -> Abilities {
        self.needs - self.negotiable_needs
    }

    /// Sets the time left for the whole answer.
    pub fn set_time_left(&mut self, left: Duration) {
        self.deadline_ms = Some(u32::try_from(left.as_millis()).unwrap_or(u32::MAX));
    }
}
