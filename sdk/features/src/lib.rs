#![doc = include_str!("../README.md")]

mod base64;
mod classify;
mod kind;
mod model;
mod ngram;
mod numbers;
mod router;
mod scan;
mod sign;
mod space;
mod vector;
mod words;

pub use classify::classify;
pub use kind::{Kind, Task};
pub use model::{QuantizedRow, WeightError};
pub use numbers::Numbers;
pub use router::{Guard, Prediction, RoutedModel, Router, RouterError};
pub use sign::{SIGN_NAMES, SIGNS};
pub use space::{Axis, Place, Space};
pub use vector::{COUNT, SparseVector, features};

/// Number of the feature set. It changes whenever a vector may change.
pub const VERSION: u32 = 1;

/// The part of a request that features are computed from.
#[derive(Clone, Copy, Debug, Default)]
pub struct Facts<'a> {
    /// The newest user message.
    pub text: &'a str,
    /// Names of the tools that the request offers.
    pub tools: &'a [String],
    /// Messages that are no instructions.
    pub turns: u32,
    /// True if the request has pictures or video.
    pub pictures: bool,
    /// True if the request has sound.
    pub sound: bool,
    /// True if the request needs tools.
    pub needs_tools: bool,
    /// True if the request asks for reasoning.
    pub needs_reasoning: bool,
}
