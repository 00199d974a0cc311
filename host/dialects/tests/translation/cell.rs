//! Results of one translation.

use pointsman_dialects::form::{LossWeight, Losses};
use serde_json::{Value, json};

use crate::requests::Unrendered;

/// Fate of a member between a client API and a provider dialect.
#[derive(Debug)]
pub enum Cell {
    /// The request passes through.
    Unchanged,
    /// The member is rendered. Some of its own members may be left out.
    Kept {
        /// Body of the call.
        body: Value,
        /// Members that are left out.
        without: Vec<String>,
    },
    /// The member is left out, and named.
    Dropped(Vec<String>),
    /// The request is rejected, unless its route drops what cannot be translated.
    Rejected(String),
    /// The member is not of the body: the gateway acts on it.
    OfGateway,
    /// The member requests what the provider does by default.
    Default,
    /// The member is neither rendered nor named as a loss, which is an error of a translation.
    Empty,
}

impl Cell {
    /// Returns the cell of a request whose losses and rendered body are known. `base` is the body
    /// without the member; `unrendered` if the member need not change it.
    pub fn new(losses: &Losses, body: Value, base: &Value, unrendered: Unrendered) -> Self {
        if let Some(member) = losses.first_binding() {
            return Self::Rejected(member.to_owned());
        }
        let without: Vec<String> = losses
            .iter()
            .filter(|loss| loss.weight == LossWeight::Advisory)
            .map(|loss| loss.member.clone())
            .collect();
        match (body == *base, without.is_empty()) {
            (false, _) => Self::Kept { body, without },
            (true, false) => Self::Dropped(without),
            (true, true) => match unrendered {
                Unrendered::Never => Self::Empty,
                Unrendered::OfGateway => Self::OfGateway,
                Unrendered::Default => Self::Default,
            },
        }
    }

    /// Returns the text of the cell in the document.
    pub fn text(&self) -> String {
        let names =
            |names: &[String]| names.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ");
        match self {
            Self::Unchanged => "unchanged".into(),
            Self::Kept { without, .. } if without.is_empty() => "kept".into(),
            Self::Kept { without, .. } => format!("kept, {} dropped", names(without)),
            Self::Dropped(members) => format!("dropped: {}", names(members)),
            Self::Rejected(member) => format!("**rejected**: `{member}`"),
            Self::OfGateway => "by the gateway".into(),
            Self::Default => "by default".into(),
            Self::Empty => String::new(),
        }
    }

    /// Returns the cell in the golden file.
    pub fn golden(&self) -> Value {
        match self {
            Self::Unchanged => "unchanged".into(),
            Self::Kept { body, without } if without.is_empty() => json!({"body": body}),
            Self::Kept { body, without } => json!({"body": body, "dropped": without}),
            Self::Dropped(members) => json!({"dropped": members}),
            Self::Rejected(member) => json!({"rejected": member}),
            Self::OfGateway => "of the gateway".into(),
            Self::Default => "the default".into(),
            Self::Empty => Value::Null,
        }
    }
}
