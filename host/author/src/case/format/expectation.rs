//! The expected decision of a case.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::de::value::{MapAccessDeserializer, SeqAccessDeserializer};
use serde::de::{MapAccess, SeqAccess};
use serde::{Deserialize, Serialize};

use super::FromMap;

/// Expectations of a case. Each member that is stated is compared; the others may have any value. The
/// members describe the policy's last answer for the request.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Expectation {
    /// Id of the first target.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub target: Option<String>,
    /// Ids of all targets, in order.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub targets: Option<Vec<String>>,
    /// Label of the decision, the plan or the answer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub label: Option<String>,
    /// Text that the reason contains.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// Milliseconds after which the next target is started too.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hedge_after_ms: Option<u64>,
    /// Probability of the first target, within 1e-6.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub propensity: Option<f64>,
    /// Refusal: `no-candidate` or `denied`, alone or with a text that the refusal contains.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub refusal: Option<KindAndText>,
    /// Failure: its kind, such as `trap`, `deadline`, `invalid` or `internal`, alone or with a text
    /// that its message contains.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub failure: Option<KindAndText>,
    /// Text of the policy's refusal of its settings.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub settings_rejected: Option<String>,
    /// Plan.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub plan: Option<ExpectedPlan>,
    /// Answer that the policy composes from texts of its own, parts of the request and outputs.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub answer: Option<String>,
    /// Texts that log lines contain.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub log: Option<Words>,
    /// Imports that are called: interfaces such as `prompt`, or functions such as `prompt.text`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub calls: Option<Words>,
    /// Imports that are not called.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub never_calls: Option<Words>,
    /// Values that the policy keeps after the request, as texts by their keys; an empty text for a key
    /// that it does not keep. Other keys may have any value.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub state: BTreeMap<String, String>,
    /// Most executed instructions of all calls for the request, in units of fuel.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_fuel: Option<u64>,
    /// Expectations of the answers in order, for policies that are resumed. There may be fewer than
    /// answers.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub steps: Vec<Self>,
}

/// The shape of a plan.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct ExpectedPlan {
    /// All tasks, in order. A name alone expects nothing else of its task.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tasks: Option<Vec<ExpectedTask>>,
    /// Number of tasks.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub count: Option<usize>,
    /// The step after the tasks: `answer NAME` with the name of the task that answers, `compose` or
    /// `resume`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next: Option<String>,
}

/// The shape of a task.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct ExpectedTask {
    /// Name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Operation.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub operation: Option<String>,
    /// Id of the first target.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub target: Option<String>,
    /// Ids of all targets, in order.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub targets: Option<Vec<String>>,
    /// Names of the tasks that it waits for, in any order.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub after: Option<Vec<String>>,
    /// True if the plan continues when it fails.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub optional: Option<bool>,
    /// Most output tokens.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_output_tokens: Option<u32>,
}

/// A kind, alone or with a text.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(untagged)]
pub enum KindAndText {
    /// The kind.
    Kind(String),
    /// Kind and text.
    Both(KindAndTextTable),
}

/// A kind and a text.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct KindAndTextTable {
    /// Kind.
    pub kind: String,
    /// Text that the message contains.
    #[serde(default)]
    pub text: String,
}

/// One text, or several.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(untagged)]
pub enum Words {
    /// One text.
    One(String),
    /// Several texts.
    Many(Vec<String>),
}

impl KindAndText {
    /// Returns the kind and the text, which is empty if any will do.
    pub fn parts(&self) -> (&str, &str) {
        match self {
            Self::Kind(kind) => (kind, ""),
            Self::Both(both) => (&both.kind, &both.text),
        }
    }
}

impl Words {
    /// Returns the texts.
    pub fn texts(&self) -> &[String] {
        match self {
            Self::One(text) => std::slice::from_ref(text),
            Self::Many(texts) => texts,
        }
    }
}

impl Expectation {
    /// Returns whether nothing is expected.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

impl From<String> for KindAndText {
    fn from(kind: String) -> Self {
        Self::Kind(kind)
    }
}

impl<'de> FromMap<'de> for KindAndText {
    const EXPECTED: &'static str = "a kind, or a table with `kind` and `text`";

    fn from_map<A: MapAccess<'de>>(map: A) -> Result<Self, A::Error> {
        KindAndTextTable::deserialize(MapAccessDeserializer::new(map)).map(Self::Both)
    }
}

impl From<String> for Words {
    fn from(text: String) -> Self {
        Self::One(text)
    }
}

impl<'de> FromMap<'de> for Words {
    const EXPECTED: &'static str = "a text, or a list of texts";

    fn from_seq<A: SeqAccess<'de>>(seq: A) -> Result<Self, A::Error> {
        Vec::deserialize(SeqAccessDeserializer::new(seq)).map(Self::Many)
    }
}
