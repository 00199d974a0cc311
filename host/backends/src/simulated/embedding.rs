//! Simulated embeddings: texts that share words have similar vectors.

use std::hash::{DefaultHasher, Hash, Hasher};

use bytes::Bytes;
use serde::Deserialize;
use serde_json::json;

use super::tokens::tokens;

const DIMENSIONS: usize = 32;
/// Dimensions that a word contributes to. With one, two words would often have the same vector.
const PLACES: u64 = 4;
/// Letters of a word that count, so that a plural equals its singular.
const STEM: usize = 5;

#[derive(Debug)]
pub(super) struct EmbeddingRequest {
    pub(super) model: String,
    pub(super) texts: Vec<String>,
}

#[derive(Deserialize)]
struct Body {
    model: String,
    input: Input,
    encoding_format: Option<String>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Input {
    One(String),
    Many(Vec<String>),
}

impl EmbeddingRequest {
    /// Parses a body.
    ///
    /// # Errors
    /// Returns the reason why a server would reject it.
    pub(super) fn read(pieces: &[Bytes]) -> Result<Self, String> {
        let body: Body = serde_json::from_slice(&pieces.concat()).map_err(|error| error.to_string())?;
        if let Some(other) = body.encoding_format.filter(|format| format != "float") {
            return Err(format!("encoding_format {other:?} is none that this fleet knows; use float"));
        }
        let texts = match body.input {
            Input::One(text) => vec![text],
            Input::Many(texts) => texts,
        };
        if texts.is_empty() {
            return Err("input is empty".to_owned());
        }
        Ok(Self { model: body.model, texts })
    }

    pub(super) fn answer(&self) -> Bytes {
        let embeddings = self.texts.iter().enumerate();
        let data = embeddings
            .map(|(index, text)| json!({ "object": "embedding", "index": index, "embedding": vector(text) }));
        let input_tokens: usize = self.texts.iter().map(|text| tokens(text).count()).sum();
        let answer = json!({
            "object": "list",
            "data": data.collect::<Vec<_>>(),
            "model": self.model,
            "usage": { "prompt_tokens": input_tokens, "total_tokens": input_tokens },
        });
        answer.to_string().into()
    }
}

/// Returns the vector of a text, with length 1.
fn vector(text: &str) -> [f32; DIMENSIONS] {
    let mut vector = [0.0; DIMENSIONS];
    let lower = text.to_lowercase();
    for word in lower.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty()) {
        let stem: String = word.chars().take(STEM).collect();
        for place in 0..PLACES {
            let mut hasher = DefaultHasher::new();
            (&stem, place).hash(&mut hasher);
            let hash = hasher.finish();
            let sign = if hash >> 63 == 0 { 1.0 } else { -1.0 };
            if let Some(value) = vector.get_mut((hash % DIMENSIONS as u64) as usize) {
                *value += sign;
            }
        }
    }
    let length = vector.iter().map(|value: &f32| value * value).sum::<f32>().sqrt();
    if length == 0.0 {
        // A text without words has no direction of its own.
        vector[0] = 1.0;
        return vector;
    }
    vector.map(|value| value / length)
}
