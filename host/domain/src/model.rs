//! What is known of a model before it is called.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use bitflags::bitflags;

use crate::failure::CallTimeouts;
use crate::ids::{BackendName, ModelId};
use crate::live::{ExpectedSpeed, LiveStats};
use crate::money::Price;

bitflags! {
    /// Kinds of content in a request, or that a model accepts. The bit order is
    /// that of `flags modalities` in the policy contract.
    #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Default)]
    pub struct Modalities: u8 {
        /// Written text.
        const TEXT = 1;
        /// Pictures.
        const IMAGE = 1 << 1;
        /// Recorded sound.
        const AUDIO = 1 << 2;
        /// Moving pictures.
        const VIDEO = 1 << 3;
        /// Files such as PDF.
        const DOCUMENT = 1 << 4;
    }
}

bitflags! {
    /// What a request needs, or a model can do. The bit order is that of `flags
    /// abilities` in the policy contract.
    #[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
    pub struct Abilities: u8 {
        /// Calls tools.
        const TOOLS = 1;
        /// Answers in a given JSON schema.
        const STRUCTURED_OUTPUT = 1 << 1;
        /// Thinks before it answers.
        const REASONING = 1 << 2;
        /// Sends the answer in pieces.
        const STREAMING = 1 << 3;
        /// Reports log probabilities.
        const LOG_PROBABILITIES = 1 << 4;
    }
}

/// Kind of work that a model is called for. This enum is the only list of operations: a
/// provider dialect maps each to a path, the configuration and telemetry to a name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Operation {
    /// Answer to a conversation.
    Chat,
    /// Vectors of texts.
    Embedding,
    /// Text of a recording.
    Transcription,
}

impl Operation {
    /// Every operation, in the order of the variants.
    pub const ALL: [Self; 3] = [Self::Chat, Self::Embedding, Self::Transcription];

    /// Returns the name in the policy contract, the configuration, records and metrics.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Chat => "chat",
            Self::Embedding => "embedding",
            Self::Transcription => "transcription",
        }
    }

    /// Returns the operation with a [name](Self::name).
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|operation| operation.name() == name)
    }
}

impl fmt::Display for Operation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// One model on one backend: facts from the configuration and the catalogue,
/// and the live stats that the gateway gathers.
#[derive(Debug)]
pub struct Model {
    /// `backend/model`.
    pub id: ModelId,
    /// Which backend serves it.
    pub backend: BackendName,
    /// The name that the backend knows it by.
    pub upstream_name: String,
    /// What it can be called for.
    pub operations: Vec<Operation>,
    /// Kinds of content it accepts.
    pub inputs: Modalities,
    /// What it can do.
    pub abilities: Abilities,
    /// The part of `abilities` that is assumed, because neither the configuration nor
    /// the catalogue states it.
    pub assumed_abilities: Abilities,
    /// Most tokens of input and output together.
    pub context_window: Option<u32>,
    /// Most tokens of one answer.
    pub max_output_tokens: Option<u32>,
    /// What it charges.
    pub price: Price,
    /// Quality in 0..1, if stated.
    pub quality: Quality,
    /// What to assume until something was measured.
    pub expected: ExpectedSpeed,
    /// Limits on the time of its calls, whichever route makes them.
    pub time_limits: TimeLimits,
    /// True if the usage of a stream may be requested where the client did not: some
    /// servers refuse the member for it.
    pub stream_usage: bool,
    /// Named facts for policies, such as `parameters`.
    pub attributes: BTreeMap<String, String>,
    /// What was measured. Shared across reloads of the configuration.
    pub live: Arc<LiveStats>,
}

/// Stated quality of a model, 0..1.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Quality {
    /// In general.
    pub general: Option<f64>,
    /// By kind of task (`code`, `maths` …).
    pub by_task: BTreeMap<String, f64>,
}

/// Limits on the time of a model's calls.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct TimeLimits {
    /// Longest wait for the first byte of an answer; `None` where only the routes limit it.
    pub first_byte: Option<Duration>,
    /// A wait of at least this time that brings nothing counts against the model's
    /// health.
    pub fault_after: CallTimeouts,
}
