//! The format of recorded outcomes: one JSON object a line.

use std::collections::BTreeMap;

use serde::Deserialize;

/// A line of a data file.
#[derive(Clone, Debug, Deserialize)]
pub struct GradedLine {
    /// Identifier.
    pub id: String,
    /// Label of the request, for corrections of the oracle. No policy sees it.
    #[serde(default)]
    pub category: String,
    /// The request.
    pub request: RecordedRequest,
    /// Outcomes by model.
    pub outcomes: BTreeMap<String, RecordedOutcome>,
}

/// A request as a client sends it.
#[derive(Clone, Debug, Deserialize)]
pub struct RecordedRequest {
    /// Messages, the oldest first.
    pub messages: Vec<RecordedMessage>,
    /// Tools.
    #[serde(default)]
    pub tools: Vec<RecordedTool>,
}

/// A message.
#[derive(Clone, Debug, Deserialize)]
pub struct RecordedMessage {
    /// Role, such as `user`.
    pub role: String,
    /// Content; none for a call of a tool.
    #[serde(default)]
    pub content: Option<RecordedContent>,
}

/// Content of a message.
#[derive(Clone, Debug, Deserialize)]
#[serde(untagged)]
pub enum RecordedContent {
    /// Text.
    Text(String),
    /// Parts, of which those with a text are read.
    Parts(Vec<RecordedPart>),
}

/// Part of a message.
#[derive(Clone, Debug, Deserialize)]
pub struct RecordedPart {
    /// Text, if it is one.
    #[serde(default)]
    pub text: Option<String>,
}

/// A tool.
#[derive(Clone, Debug, Deserialize)]
pub struct RecordedTool {
    /// Function of the tool.
    pub function: RecordedFunction,
}

/// Function of a tool.
#[derive(Clone, Debug, Deserialize)]
pub struct RecordedFunction {
    /// Name.
    pub name: String,
}

/// Outcome of a request with one model.
#[derive(Clone, Copy, Debug, Deserialize)]
pub struct RecordedOutcome {
    /// Quality of the answer, 0..1.
    pub score: f64,
    /// Tokens of the request, as the model counts them.
    pub input_tokens: f64,
    /// Tokens of the answer, if known.
    #[serde(default)]
    pub output_tokens: Option<f64>,
    /// Milliseconds to the whole answer, if known.
    #[serde(default)]
    pub latency_ms: Option<f64>,
    /// Cost in US dollars, if known.
    #[serde(default)]
    pub cost_usd: Option<f64>,
}

impl RecordedContent {
    /// Returns the texts, joined by line ends.
    pub fn text(&self) -> String {
        match self {
            Self::Text(text) => text.clone(),
            Self::Parts(parts) => {
                parts.iter().filter_map(|part| part.text.as_deref()).collect::<Vec<_>>().join("\n")
            }
        }
    }
}

impl RecordedOutcome {
    /// Returns what is wrong with the outcome, if anything is.
    pub fn fault(&self) -> Option<String> {
        let fault =
            |name: &str, value: f64, range: &str| Some(format!("`{name}` is {value}, which is not {range}"));
        let numbers = [
            ("input_tokens", Some(self.input_tokens)),
            ("output_tokens", self.output_tokens),
            ("latency_ms", self.latency_ms),
            ("cost_usd", self.cost_usd),
        ];
        if !(0.0..=1.0).contains(&self.score) {
            return fault("score", self.score, "in 0..1");
        }
        let is_wrong = |value: &f64| !value.is_finite() || *value < 0.0;
        let wrong = numbers.into_iter().find_map(|(name, value)| Some((name, value.filter(is_wrong)?)));
        wrong.and_then(|(name, value)| fault(name, value, "0 or more"))
    }
}
