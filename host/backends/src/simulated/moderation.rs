//! Simulated moderation: content is flagged by its words.

use bytes::Bytes;
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::invalid_request::{InvalidRequest, parse};

/// Most inputs of a request.
const MAX_INPUTS: usize = 1_000;
/// Score of a category that is flagged, and of one that is not.
const FLAGGED: f64 = 0.92;
const CLEAR: f64 = 0.0001;

/// Categories, with the beginnings of words that belong to them.
const CATEGORIES: [(&str, &[&str]); 13] = [
    ("harassment", &["idiot", "moron", "loser"]),
    ("harassment/threatening", &["threat"]),
    ("hate", &["hate", "racist"]),
    ("hate/threatening", &["genocid"]),
    ("illicit", &["smuggl", "counterfeit"]),
    ("illicit/violent", &["bomb", "explosive"]),
    ("self-harm", &["suicid"]),
    ("self-harm/intent", &["suicid"]),
    ("self-harm/instructions", &[]),
    ("sexual", &["porn"]),
    ("sexual/minors", &[]),
    ("violence", &["kill", "murder", "stab", "bomb"]),
    ("violence/graphic", &["gore", "mutilat"]),
];

/// Categories for which images are judged; texts are for all.
const IMAGE_CATEGORIES: [&str; 6] =
    ["self-harm", "self-harm/intent", "self-harm/instructions", "sexual", "violence", "violence/graphic"];

#[derive(Debug)]
pub(super) struct ModerationRequest {
    pub(super) model: String,
    pub(super) inputs: Vec<ModerationInput>,
}

/// Content that is judged as one.
#[derive(Debug, Hash)]
pub(super) struct ModerationInput {
    text: String,
    has_image: bool,
}

#[derive(Deserialize)]
#[serde(expecting = "an object")]
struct Body {
    model: String,
    input: Input,
}

#[derive(Deserialize)]
#[serde(untagged, expecting = "expected a text, a list of texts, or a list of parts")]
enum Input {
    Text(String),
    Texts(Vec<String>),
    Parts(Vec<Part>),
}

#[derive(Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
enum Part {
    Text { text: String },
    ImageUrl {},
}

impl ModerationRequest {
    /// Parses a body.
    ///
    /// # Errors
    /// Returns the reason why a server would reject it.
    pub(super) fn read(pieces: &[Bytes]) -> Result<Self, InvalidRequest> {
        let body: Body = parse(pieces)?;
        let text = |text| ModerationInput { text, has_image: false };
        let inputs: Vec<ModerationInput> = match body.input {
            Input::Text(one) => vec![text(one)],
            Input::Texts(texts) => texts.into_iter().map(text).collect(),
            Input::Parts(parts) => vec![ModerationInput::of(parts)],
        };
        if inputs.is_empty() || inputs.len() > MAX_INPUTS {
            let message = format!("input has {} items; 1 to {MAX_INPUTS} are expected", inputs.len());
            return Err(InvalidRequest::value("input", message));
        }
        Ok(Self { model: body.model, inputs })
    }

    pub(super) fn answer(&self, id: u64) -> Bytes {
        let results: Vec<Value> = self.inputs.iter().map(ModerationInput::result).collect();
        json!({ "id": format!("modr-simulated-{id:016x}"), "model": self.model, "results": results })
            .to_string()
            .into()
    }
}

impl ModerationInput {
    fn of(parts: Vec<Part>) -> Self {
        let mut input = Self { text: String::new(), has_image: false };
        for part in parts {
            match part {
                Part::Text { text } => input.text.extend([text.as_str(), "\n"]),
                Part::ImageUrl {} => input.has_image = true,
            }
        }
        input
    }

    fn result(&self) -> Value {
        let lower = self.text.to_lowercase();
        let words: Vec<&str> = lower.split(|c: char| !c.is_alphanumeric()).collect();
        let (mut categories, mut scores, mut types) = (Map::new(), Map::new(), Map::new());
        for (category, stems) in CATEGORIES {
            let flagged = words.iter().any(|word| stems.iter().any(|stem| word.starts_with(stem)));
            categories.insert(category.to_owned(), flagged.into());
            scores.insert(category.to_owned(), if flagged { FLAGGED } else { CLEAR }.into());
            let judges_image = self.has_image && IMAGE_CATEGORIES.contains(&category);
            let kinds = if judges_image { json!(["text", "image"]) } else { json!(["text"]) };
            types.insert(category.to_owned(), kinds);
        }
        json!({
            "flagged": categories.values().any(|flagged| flagged == &Value::Bool(true)),
            "categories": categories,
            "category_scores": scores,
            "category_applied_input_types": types,
        })
    }
}
