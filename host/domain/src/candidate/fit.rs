//! The comparison of a request with what a model accepts and can do.

use std::cmp::Reverse;

use super::NoCandidate;
use crate::model::{Abilities, Modalities, Model};
use crate::request::RequestFacts;

/// Rank of a model that can serve a request; the smallest value suits best.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Fit {
    /// True if the request needs an ability that is only assumed, or missing but negotiable.
    is_doubtful: bool,
    window: WindowFit,
}

/// Relation of the estimated tokens to the model's context window.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum WindowFit {
    LargeEnough,
    /// The larger the window, the likelier is the estimate wrong enough.
    TooSmall(Reverse<u32>),
}

/// The reason why a model cannot serve a request, in the order of the checks: the model
/// that got furthest explains best why none is left.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Miss {
    Operation,
    Inputs,
    Abilities,
    Window,
}

impl Fit {
    /// Compares a request with a model.
    ///
    /// An estimate of tokens is a rule of thumb, so it only ranks models. Only a request
    /// that is too long by any count is a miss. The limit on output tokens is no part of
    /// that: backends shorten the answer.
    pub(super) fn of(model: &Model, request: &RequestFacts) -> Result<Self, Miss> {
        if !model.operations.contains(&request.operation) {
            return Err(Miss::Operation);
        }
        if !model.inputs.contains(request.inputs) {
            return Err(Miss::Inputs);
        }
        if !model.abilities.contains(request.binding_needs()) {
            return Err(Miss::Abilities);
        }
        let window = match model.context_window {
            Some(window) if request.least_input_tokens > window => return Err(Miss::Window),
            Some(window) if estimated_tokens(request) > u64::from(window) => {
                WindowFit::TooSmall(Reverse(window))
            }
            _ => WindowFit::LargeEnough,
        };
        let stated = model.abilities - model.assumed_abilities;
        Ok(Self { is_doubtful: !stated.contains(request.needs), window })
    }
}

fn estimated_tokens(request: &RequestFacts) -> u64 {
    u64::from(request.input_tokens) + u64::from(request.max_output_tokens.unwrap_or(0))
}

/// Facts about the models that cannot serve a request.
#[derive(Debug)]
pub(super) struct Misses {
    nearest: Miss,
    /// Kinds of content that one or another model accepts.
    inputs: Modalities,
    /// Abilities that one or another model has.
    abilities: Abilities,
    /// Abilities of the models that accept the content.
    accepting_abilities: Abilities,
    largest_window: u32,
}

impl Misses {
    pub(super) const fn new() -> Self {
        Self {
            nearest: Miss::Operation,
            inputs: Modalities::empty(),
            abilities: Abilities::empty(),
            accepting_abilities: Abilities::empty(),
            largest_window: 0,
        }
    }

    pub(super) fn add(&mut self, model: &Model, miss: Miss) {
        self.nearest = self.nearest.max(miss);
        if miss >= Miss::Inputs {
            self.inputs |= model.inputs;
            self.abilities |= model.abilities;
        }
        if miss >= Miss::Abilities {
            self.accepting_abilities |= model.abilities;
        }
        if miss == Miss::Window {
            self.largest_window = self.largest_window.max(model.context_window.unwrap_or_default());
        }
    }

    /// Returns the reason why no model is left.
    pub(super) fn explain(&self, request: &RequestFacts) -> NoCandidate {
        match self.nearest {
            Miss::Operation => NoCandidate::Operation(request.operation),
            Miss::Inputs => {
                // If some model accepts each kind, no model accepts them together.
                let missing = request.inputs - self.inputs;
                NoCandidate::Inputs(if missing.is_empty() { request.inputs } else { missing })
            }
            Miss::Abilities => {
                let needs = request.binding_needs();
                let (missing, missing_here) = (needs - self.abilities, needs - self.accepting_abilities);
                match (missing.is_empty(), missing_here.is_empty()) {
                    (false, _) => NoCandidate::Abilities(missing),
                    (true, false) => {
                        NoCandidate::Combination { inputs: request.inputs, abilities: missing_here }
                    }
                    (true, true) => NoCandidate::Abilities(needs),
                }
            }
            Miss::Window => NoCandidate::ContextWindow {
                needed: request.least_input_tokens,
                largest: self.largest_window,
            },
        }
    }
}
