//! Models of a simulation.

use std::sync::Arc;

use pointsman_domain::model::Model;
use pointsman_domain::model_behaviour::ModelBehaviour;

/// Model of a simulation.
#[derive(Clone, Debug)]
pub struct SimulatedModel {
    /// Model. Its live statistics have to be its own: the simulation changes them.
    pub model: Arc<Model>,
    /// Speed, capacity and failures.
    pub behaviour: ModelBehaviour,
    /// Size of its prompt cache, in blocks of [`PREFIX_BLOCK_TOKENS`](super::PREFIX_BLOCK_TOKENS)
    /// tokens.
    pub cache_blocks: usize,
    /// Place in the recorded outcomes of requests; `None` without outcomes.
    pub outcome_place: Option<usize>,
}

impl SimulatedModel {
    /// Creates a model without a prompt cache and recorded outcomes.
    pub const fn new(model: Arc<Model>, behaviour: ModelBehaviour) -> Self {
        Self { model, behaviour, cache_blocks: 0, outcome_place: None }
    }
}
