//! Discrete-event simulation of a fleet of models under load.
//!
//! [`simulate`] takes the models of a route, their behaviour and a sequence of requests, and asks a
//! [`DecisionMaker`] about each, as the gateway does: the domain's rules filter the candidates, order
//! the attempts, run plans and derive the live statistics, here in simulated time. Equal inputs give
//! equal results; the chance of a failure depends on the request alone, so two simulations of the same
//! requests differ by their settings and not by chance.
//!
//! A model is a server with a number of places, a queue, a speed, a rate of failures and a prompt
//! cache. Its speed does not depend on the number of calls that it works on.

mod call;
mod decision;
mod engine;
mod events;
mod fault;
mod model;
mod output;
mod plan;
mod prefix_cache;
mod quantiles;
mod race;
mod report;
mod request;
mod server;
mod slab;

pub use decision::{Action, DecisionMaker, DecisionQuery, InOrder, Resumption, ResumptionAnswer, Selection};
pub use engine::{SimulationError, SimulationSetup, simulate};
pub use model::SimulatedModel;
pub use quantiles::QuantileSketch;
pub use report::{ModelReport, RequestCounts, SimulationReport, WorkShape};
pub use request::{PREFIX_BLOCK_TOKENS, RequestLimits, SimulatedRequest};

#[cfg(test)]
mod tests;
