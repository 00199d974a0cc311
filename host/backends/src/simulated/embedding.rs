//! Simulated embeddings: texts that share words have similar vectors.

use std::hash::{DefaultHasher, Hash, Hasher};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use serde::{Deserialize, Serialize};

use super::invalid_request::{Count, InvalidRequest, parse};
use super::tokens::tokens;

/// Dimensions of a vector where the request states none.
const DIMENSIONS: usize = 32;
/// Most dimensions of a vector.
const MAX_DIMENSIONS: usize = 4_096;
/// Most inputs of a request.
const MAX_INPUTS: usize = 2_048;
/// Most values of all vectors of an answer.
const MAX_VALUES: usize = 1_000_000;
/// Dimensions that a word contributes to. With one, two words would often have the same vector.
const PLACES: u64 = 4;
/// Letters of a word that count, so that a plural equals its singular.
const STEM: usize = 5;

#[derive(Debug)]
pub(super) struct EmbeddingRequest {
    pub(super) model: String,
    pub(super) inputs: Vec<EmbeddingInput>,
    dimensions: usize,
    base64: bool,
}

/// Text, or its tokens by number.
#[derive(Debug, Deserialize, Hash)]
#[serde(untagged)]
pub(super) enum EmbeddingInput {
    Text(String),
    Tokens(Vec<Count<u32>>),
}

#[derive(Deserialize)]
#[serde(expecting = "an object")]
struct Body {
    model: String,
    input: Input,
    encoding_format: Option<String>,
    dimensions: Option<Count<usize>>,
}

#[derive(Deserialize)]
#[serde(untagged, expecting = "expected a text, a list of tokens, or a list of such")]
enum Input {
    One(EmbeddingInput),
    Many(Vec<EmbeddingInput>),
}

#[derive(Serialize)]
struct Answer<'a> {
    object: &'static str,
    data: Vec<Embedding>,
    model: &'a str,
    usage: Usage,
}

#[derive(Serialize)]
struct Embedding {
    object: &'static str,
    index: usize,
    embedding: Vector,
}

#[derive(Serialize)]
#[serde(untagged)]
enum Vector {
    Floats(Vec<f32>),
    Base64(String),
}

#[derive(Serialize)]
struct Usage {
    prompt_tokens: usize,
    total_tokens: usize,
}

impl EmbeddingRequest {
    /// Parses a body.
    ///
    /// # Errors
    /// Returns the reason why a server would reject it.
    pub(super) fn read(pieces: &[Bytes]) -> Result<Self, InvalidRequest> {
        let body: Body = parse(pieces)?;
        let base64 = match body.encoding_format.as_deref() {
            None | Some("float") => false,
            Some("base64") => true,
            Some(other) => {
                let message = format!("encoding_format is {other:?}; use float or base64");
                return Err(InvalidRequest::value("encoding_format", message));
            }
        };
        let inputs = match body.input {
            Input::One(input) => vec![input],
            Input::Many(inputs) => inputs,
        };
        if inputs.is_empty() || inputs.iter().any(EmbeddingInput::is_no_input) {
            return Err(InvalidRequest::value("input", "input is empty"));
        }
        if inputs.len() > MAX_INPUTS {
            let message = format!("input has {} items; at most {MAX_INPUTS} are expected", inputs.len());
            return Err(InvalidRequest::value("input", message));
        }
        let dimensions = body.dimensions.map_or(DIMENSIONS, |Count(dimensions)| dimensions);
        if !(1..=MAX_DIMENSIONS).contains(&dimensions) {
            let message =
                format!("dimensions is {dimensions}; a number from 1 to {MAX_DIMENSIONS} is expected");
            return Err(InvalidRequest::value("dimensions", message));
        }
        if inputs.len() * dimensions > MAX_VALUES {
            let inputs = inputs.len();
            let message =
                format!("{inputs} inputs with {dimensions} dimensions are more than {MAX_VALUES} values");
            return Err(InvalidRequest::value("dimensions", message));
        }
        Ok(Self { model: body.model, inputs, dimensions, base64 })
    }

    pub(super) fn answer(&self) -> Bytes {
        let embedding = |(index, input): (usize, &EmbeddingInput)| {
            let vector = vector(input, self.dimensions);
            let embedding = match self.base64 {
                true => Vector::Base64(
                    STANDARD.encode(vector.iter().flat_map(|it| it.to_le_bytes()).collect::<Vec<_>>()),
                ),
                false => Vector::Floats(vector),
            };
            Embedding { object: "embedding", index, embedding }
        };
        let input_tokens = self.inputs.iter().map(EmbeddingInput::tokens).sum();
        let answer = Answer {
            object: "list",
            data: self.inputs.iter().enumerate().map(embedding).collect(),
            model: &self.model,
            usage: Usage { prompt_tokens: input_tokens, total_tokens: input_tokens },
        };
        // Strings and finite numbers into a vector: this cannot fail.
        serde_json::to_vec(&answer).unwrap_or_default().into()
    }
}

impl EmbeddingInput {
    fn is_no_input(&self) -> bool {
        matches!(self, Self::Tokens(tokens) if tokens.is_empty())
    }

    fn tokens(&self) -> usize {
        match self {
            Self::Text(text) => tokens(text).count(),
            Self::Tokens(tokens) => tokens.len(),
        }
    }
}

/// Returns the vector of an input, with length 1.
fn vector(input: &EmbeddingInput, dimensions: usize) -> Vec<f32> {
    let mut vector = vec![0.0; dimensions];
    match input {
        EmbeddingInput::Text(text) => {
            let lower = text.to_lowercase();
            for word in lower.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty()) {
                let stem: String = word.chars().take(STEM).collect();
                add(&stem, &mut vector);
            }
        }
        EmbeddingInput::Tokens(tokens) => tokens.iter().for_each(|token| add(token, &mut vector)),
    }
    let length = vector.iter().map(|value: &f32| value * value).sum::<f32>().sqrt();
    if length == 0.0 {
        // A text without words has no direction of its own.
        if let Some(first) = vector.first_mut() {
            *first = 1.0;
        }
        return vector;
    }
    vector.iter_mut().for_each(|value| *value /= length);
    vector
}

/// Adds a word to a vector.
fn add(word: &impl Hash, vector: &mut [f32]) {
    for place in 0..PLACES {
        let mut hasher = DefaultHasher::new();
        (word, place).hash(&mut hasher);
        let hash = hasher.finish();
        let sign = if hash >> 63 == 0 { 1.0 } else { -1.0 };
        let dimension = (hash % vector.len().max(1) as u64) as usize;
        if let Some(value) = vector.get_mut(dimension) {
            *value += sign;
        }
    }
}
