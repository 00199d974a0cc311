//! Facts about models.

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
    /// Kinds of content in a request, or that a model accepts. The order of the bits is that of
    /// `flags modalities` in the policy contract.
    #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Default)]
    pub struct Modalities: u8 {
        /// Text.
        const TEXT = 1;
        /// Images.
        const IMAGE = 1 << 1;
        /// Audio.
        const AUDIO = 1 << 2;
        /// Video.
        const VIDEO = 1 << 3;
        /// Documents such as PDF files.
        const DOCUMENT = 1 << 4;
    }
}

bitflags! {
    /// Abilities that a request needs, or a model has. The order of the bits is that of `flags
    /// abilities` in the policy contract.
    #[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
    pub struct Abilities: u8 {
        /// Tool calls.
        const TOOLS = 1;
        /// Answers that follow a given JSON schema.
        const STRUCTURED_OUTPUT = 1 << 1;
        /// Reasoning before the answer.
        const REASONING = 1 << 2;
        /// Answers as streams.
        const STREAMING = 1 << 3;
        /// Log probabilities of tokens.
        const LOG_PROBABILITIES = 1 << 4;
    }
}

bitflags! {
    /// APIs that a backend offers in their own protocol, beside the one of its dialect. Requests in
    /// other protocols are translated.
    #[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
    pub struct NativeApis: u8 {
        /// OpenAI's Responses API, which keeps state between requests.
        const RESPONSES = 1;
        /// OpenAI's legacy completions, which continue a prompt.
        const COMPLETIONS = 1 << 1;
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
    /// Text of a recording, in its language.
    Transcription,
    /// English text of a recording.
    Translation,
    /// Recording of a text that is read out.
    Speech,
    /// Images that a text describes, new or edited.
    Image,
    /// Judgement on whether content is harmful.
    Moderation,
}

impl Operation {
    /// Every operation, in the order of the variants.
    pub const ALL: [Self; 7] = [
        Self::Chat,
        Self::Embedding,
        Self::Transcription,
        Self::Translation,
        Self::Speech,
        Self::Image,
        Self::Moderation,
    ];

    /// Returns the name in the policy contract, the configuration, records and metrics.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Chat => "chat",
            Self::Embedding => "embedding",
            Self::Transcription => "transcription",
            Self::Translation => "translation",
            Self::Speech => "speech",
            Self::Image => "image",
            Self::Moderation => "moderation",
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

/// Model of a backend: facts from the configuration and the catalogue, and live stats.
#[derive(Clone, Debug)]
pub struct Model {
    /// Id, `backend/model`.
    pub id: ModelId,
    /// Backend that serves it.
    pub backend: BackendName,
    /// Name at the backend.
    pub upstream_name: String,
    /// Operations that it supports.
    pub operations: Vec<Operation>,
    /// Kinds of content that it accepts.
    pub inputs: Modalities,
    /// Abilities that it has.
    pub abilities: Abilities,
    /// Abilities that are assumed, because neither the configuration nor the catalogue states them.
    pub assumed_abilities: Abilities,
    /// Most tokens of input and output together.
    pub context_window: Option<u32>,
    /// Most tokens of one answer.
    pub max_output_tokens: Option<u32>,
    /// Prices of its tokens that are in force.
    pub price: Price,
    /// Stated quality.
    pub quality: Quality,
    /// Speed to assume until something is measured.
    pub expected: ExpectedSpeed,
    /// Limits on the time of its calls, whichever route makes them.
    pub time_limits: TimeLimits,
    /// True if the usage of a stream may be requested where the client did not. Some servers reject
    /// that member.
    pub stream_usage: bool,
    /// APIs that its backend offers beside the one of its dialect.
    pub native_apis: NativeApis,
    /// Named facts for policies, such as `parameters`.
    pub attributes: BTreeMap<String, String>,
    /// Live stats, shared across reloads of the configuration.
    pub live: Arc<LiveStats>,
}

impl Model {
    /// Returns the chat model `backend/name`, which accepts text and about which nothing else is
    /// known. The base for struct update syntax where few facts matter.
    pub fn new(backend: &str, name: &str) -> Self {
        Self {
            id: ModelId::new(format!("{backend}/{name}")),
            backend: BackendName::new(backend),
            upstream_name: name.to_owned(),
            operations: vec![Operation::Chat],
            inputs: Modalities::TEXT,
            abilities: Abilities::empty(),
            assumed_abilities: Abilities::empty(),
            context_window: None,
            max_output_tokens: None,
            price: Price::default(),
            quality: Quality::default(),
            expected: ExpectedSpeed::default(),
            time_limits: TimeLimits::default(),
            stream_usage: true,
            native_apis: NativeApis::empty(),
            attributes: BTreeMap::new(),
            live: Arc::new(LiveStats::default()),
        }
    }
}

/// Stated quality of a model, 0..1.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Quality {
    /// General quality.
    pub general: Option<f64>,
    /// Quality by kind of task (`code`, `maths` …).
    pub by_task: BTreeMap<String, f64>,
}

/// Limits on the time of a model's calls.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct TimeLimits {
    /// Longest wait for the first byte of an answer; `None` if only routes limit it.
    pub first_byte: Option<Duration>,
    /// Shortest waits without a result that count against the model's health.
    pub fault_after: CallTimeouts,
}
