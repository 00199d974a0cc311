//! The shape of case files. Their reference is docs/policy-cases.md.

use std::collections::BTreeMap;
use std::fmt;

use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::de::value::MapAccessDeserializer;
use serde::de::{Error, MapAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::{Map, Value};

use super::words::{Ability, ContentKind, GrantName, IsolationName, OperationName};

mod earlier;
mod expectation;

pub use earlier::{EarlierCall, OutcomeFormat, RatingFormat};
pub use expectation::{Expectation, ExpectedPlan, ExpectedTask, KindAndText, Words};

/// Members that cases of one file or folder share, and cases. In `defaults.toml` there are no cases.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct CaseFile {
    /// Members of requests that do not state them.
    pub request: RequestFormat,
    /// Candidates of cases that list none, and facts of those that cases name.
    pub candidates: Vec<CandidateEntry>,
    /// Settings of cases that have none of their own.
    pub settings: Option<Map<String, Value>>,
    /// Values that the policy keeps in cases that state none.
    pub state: Option<BTreeMap<String, String>>,
    /// Grants of cases that state none.
    pub grants: Option<Vec<GrantName>>,
    /// Limits of cases that state none.
    pub limits: Option<LimitsFormat>,
    /// The cases.
    pub cases: Vec<Case>,
}

/// A request, what the policy sees of the models, and the expected decision.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Case {
    /// Name in reports; by default the name of the file and the number of the case.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// The request.
    pub request: RequestFormat,
    /// The models, in the order in which the policy sees them. An id alone takes the facts that are
    /// shared under it; a table with that id changes some of them. By default all that are shared, or
    /// three stand-ins: `example/small`, `example/medium` and `example/large`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub candidates: Option<Vec<CandidateEntry>>,
    /// Number of candidates, counted from the first, that can serve the whole request. By default it
    /// follows from their operations, inputs and abilities. Only orchestrating policies see it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub whole: Option<usize>,
    /// The policy's settings.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub settings: Option<Map<String, Value>>,
    /// Values that the policy has kept, as texts by their keys. By default none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub state: Option<BTreeMap<String, String>>,
    /// Grants of the configuration. By default all that the policy's imports need.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub grants: Option<Vec<GrantName>>,
    /// Limits on the policy.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub limits: Option<LimitsFormat>,
    /// `warm` makes all calls of the case in one instance, as the configuration's `isolation = "warm"`
    /// does. By default each call has a fresh one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub isolation: Option<IsolationName>,
    /// Calls that the policy got before the request, in order.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub earlier: Vec<EarlierCall>,
    /// Results of the tasks of plans, by the name of the task. Several results of one name are used in
    /// order, and the last one for all further tasks of that name.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub tasks: Vec<TaskOutcome>,
    /// The expected decision.
    pub expect: Expectation,
}

/// A request. What is not stated follows from the messages, or is that of a short text chat.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct RequestFormat {
    /// Decision id.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// Operation; by default `chat`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub operation: Option<OperationName>,
    /// Requested model name, the route's; by default `auto`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub model: Option<String>,
    /// Name of the client's key.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tenant: Option<String>,
    /// Key of the conversation.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub session: Option<String>,
    /// Tokens of the input; by default estimated from the messages.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub input_tokens: Option<u32>,
    /// The client's limit on output tokens.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_output_tokens: Option<u32>,
    /// Kinds of content; by default those of the messages.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub inputs: Option<Vec<ContentKind>>,
    /// Abilities that a model must have; by default `tools` if there are tools, and `streaming` for a
    /// stream.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub needs: Option<Vec<Ability>>,
    /// Messages that are not system messages; by default counted.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub turns: Option<u32>,
    /// True for a stream.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub streaming: Option<bool>,
    /// Milliseconds left for the whole answer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub deadline_ms: Option<u32>,
    /// US dollars left to the client.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub budget_left: Option<f64>,
    /// The conversation: a text is one message of the user.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub messages: Option<Messages>,
    /// Names of tools.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tools: Option<Vec<String>>,
    /// Named facts, such as `prefer`.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub attributes: BTreeMap<String, String>,
}

/// A conversation.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(untagged)]
pub enum Messages {
    /// One message of the user.
    Text(String),
    /// Messages, the oldest first.
    List(Vec<Message>),
}

/// A message: a text, or parts.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Message {
    /// Author: `system`, `user`, `assistant`, `tool` …; by default `user`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub role: Option<String>,
    /// Text.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
    /// Parts, after the text if there is one.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub parts: Vec<MessagePart>,
}

/// A part of a message: a text, or media of which policies see kind and size.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct MessagePart {
    /// Text.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
    /// Kind of media.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub kind: Option<ContentKind>,
    /// Bytes of the media as it is encoded in the request.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub bytes: Option<usize>,
}

/// A candidate: the id of a shared one, or facts.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(untagged)]
pub enum CandidateEntry {
    /// Id of a shared candidate.
    Id(String),
    /// Facts.
    Facts(Box<CandidateFormat>),
}

/// Facts of a candidate. What is not stated is unknown, or that of a healthy idle text model.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CandidateFormat {
    /// `backend/model`.
    pub id: String,
    /// Most tokens of input and output together.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub context_window: Option<u32>,
    /// Most tokens of one answer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_output_tokens: Option<u32>,
    /// Kinds of content that it accepts; by default text.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub inputs: Option<Vec<ContentKind>>,
    /// Abilities; by default those that the request needs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub abilities: Option<Vec<Ability>>,
    /// Operations that it supports; by default `chat`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub operations: Option<Vec<OperationName>>,
    /// US dollars per million input tokens; by default 0.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub input_price: Option<f64>,
    /// US dollars per million output tokens; by default 0.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub output_price: Option<f64>,
    /// General quality, 0..1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub quality: Option<f64>,
    /// Quality by kind of task, 0..1.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub task_quality: BTreeMap<String, f64>,
    /// Named facts.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub attributes: BTreeMap<String, String>,
    /// False if recent calls failed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub healthy: Option<bool>,
    /// Calls under way.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub in_flight: Option<u32>,
    /// Milliseconds to the first token.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub first_token_ms: Option<f64>,
    /// Tokens per second after it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tokens_per_second: Option<f64>,
    /// Share of recent calls that failed, 0..1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error_rate: Option<f64>,
}

/// Limits on the policy, where they differ from those of the configuration's defaults.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct LimitsFormat {
    /// Longest time of one call. By default a second: a busy machine fails no case, and an endless
    /// loop ends.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub deadline_ms: Option<u32>,
    /// Memory of one instance, in bytes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub memory_bytes: Option<usize>,
    /// Bytes of content that one call may read.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub prompt_bytes: Option<u32>,
}

/// The result of a task.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct TaskOutcome {
    /// Name of the task.
    pub name: String,
    /// Output; absent if the task failed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub output: Option<String>,
    /// Error of a task that failed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
    /// Id of the candidate that gave the output; by default the task's first target.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub candidate: Option<String>,
    /// Finish reason of the model; by default `stop`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub finish_reason: Option<String>,
    /// Input tokens; by default 0.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub input_tokens: Option<u32>,
    /// Output tokens; by default estimated from the output.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub output_tokens: Option<u32>,
    /// US dollars; by default from the tokens and the candidate's prices.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cost: Option<f64>,
    /// Milliseconds; by default 0.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub latency_ms: Option<f64>,
}

impl CandidateEntry {
    /// Returns the id.
    pub fn id(&self) -> &str {
        match self {
            Self::Id(id) => id,
            Self::Facts(facts) => &facts.id,
        }
    }
}

/// Reads a text or a table. An untagged enum would lose the place of an error.
struct TextOr<T>(std::marker::PhantomData<T>);

impl<'de, T: From<String> + FromMap<'de>> Visitor<'de> for TextOr<T> {
    type Value = T;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(T::EXPECTED)
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<T, E> {
        Ok(T::from(text.to_owned()))
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<T, A::Error> {
        T::from_map(map)
    }

    fn visit_seq<A: serde::de::SeqAccess<'de>>(self, seq: A) -> Result<T, A::Error> {
        T::from_seq(seq)
    }
}

/// A value that is a text in short.
trait FromMap<'de>: Sized {
    const EXPECTED: &'static str;

    fn from_map<A: MapAccess<'de>>(_: A) -> Result<Self, A::Error> {
        Err(A::Error::custom(format_args!("expected {}", Self::EXPECTED)))
    }

    fn from_seq<A: serde::de::SeqAccess<'de>>(_: A) -> Result<Self, A::Error> {
        Err(A::Error::custom(format_args!("expected {}", Self::EXPECTED)))
    }
}

impl From<String> for CandidateEntry {
    fn from(id: String) -> Self {
        Self::Id(id)
    }
}

impl<'de> FromMap<'de> for CandidateEntry {
    const EXPECTED: &'static str = "the id of a shared candidate, or a table of facts";

    fn from_map<A: MapAccess<'de>>(map: A) -> Result<Self, A::Error> {
        CandidateFormat::deserialize(MapAccessDeserializer::new(map))
            .map(|facts| Self::Facts(Box::new(facts)))
    }
}

impl From<String> for Messages {
    fn from(text: String) -> Self {
        Self::Text(text)
    }
}

impl<'de> FromMap<'de> for Messages {
    const EXPECTED: &'static str = "a text, or a list of messages";

    fn from_seq<A: serde::de::SeqAccess<'de>>(seq: A) -> Result<Self, A::Error> {
        Vec::deserialize(serde::de::value::SeqAccessDeserializer::new(seq)).map(Self::List)
    }
}

macro_rules! text_or {
    ($name:ident, $more:ty) => {
        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                deserializer.deserialize_any(TextOr(std::marker::PhantomData))
            }
        }

        impl JsonSchema for $name {
            fn schema_name() -> std::borrow::Cow<'static, str> {
                stringify!($name).into()
            }

            fn json_schema(generator: &mut SchemaGenerator) -> Schema {
                let more = generator.subschema_for::<$more>();
                schemars::json_schema!({ "anyOf": [{ "type": "string" }, more] })
            }
        }
    };
}

text_or!(CandidateEntry, CandidateFormat);
text_or!(Messages, Vec<Message>);
text_or!(KindAndText, expectation::KindAndTextTable);
text_or!(Words, Vec<String>);
