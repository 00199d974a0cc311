//! Embeddings: OpenAI's request and answer as `batchEmbedContents`.

use std::borrow::Cow;

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use bytes::Bytes;
use pointsman_domain::serving_error::{ErrorKind, ServingError};
use pointsman_wire::usage_count::{UsageCount, UsageMember};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use super::error::reported_error;
use super::path::{resource_name, split_collection};
use crate::form::{InvalidAnswer, Losses};
use crate::json::{MemberPath, ObjectMembers};

/// Most texts of one call, which the API sets.
pub const MAX_TEXTS: usize = 100;

/// Call that embeds texts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EmbeddingCall {
    /// Body of the request.
    pub body: Bytes,
    /// Number of texts.
    pub texts: usize,
    /// Format of the vectors that the client requests.
    pub format: VectorFormat,
}

/// Format of vectors in OpenAI's API.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum VectorFormat {
    /// Array of numbers.
    #[default]
    Float,
    /// Base64 of 32-bit floats, little-endian.
    Base64,
}

/// Answer in the format of OpenAI's API.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EmbeddingAnswer {
    /// Body of the response.
    pub body: Bytes,
    /// Tokens as the provider counted them, if it did.
    pub count: UsageCount,
}

/// Returns the path of the operation, relative to the base URL that ends with the API version.
pub fn operation_path(model: &str) -> String {
    format!("{}:batchEmbedContents", resource_name(model))
}

/// Renders the call for a request of OpenAI's API. `model` is the name at the provider.
///
/// # Errors
/// Fails if the request is invalid, or has more than [`MAX_TEXTS`] texts or tokens in place of texts.
pub fn render_request(body: &[u8], model: &str, losses: &mut Losses) -> Result<EmbeddingCall, ServingError> {
    #[derive(Serialize)]
    #[serde(rename_all = "camelCase")]
    struct EmbedContentRequest<'a> {
        model: &'a str,
        content: Content<'a>,
        #[serde(skip_serializing_if = "Option::is_none")]
        output_dimensionality: Option<u32>,
    }

    #[derive(Serialize)]
    struct Content<'a> {
        parts: [TextPart<'a>; 1],
    }

    #[derive(Serialize)]
    struct TextPart<'a> {
        text: &'a str,
    }

    #[derive(Serialize)]
    struct BatchEmbedContentsRequest<'a> {
        requests: Vec<EmbedContentRequest<'a>>,
    }

    let mut members = ObjectMembers::parse_request(body)?;
    members.take("model");
    let input: &RawValue = members.require("input", &MemberPath::Root, "a string or an array of strings")?;
    let texts = parse_input(input)?;
    let output_dimensionality = members.take_as("dimensions", &MemberPath::Root, "a whole number")?;
    let format = match members.take_as::<Cow<'_, str>>("encoding_format", &MemberPath::Root, "a string")? {
        None => VectorFormat::Float,
        Some(name) if name == "float" => VectorFormat::Float,
        Some(name) if name == "base64" => VectorFormat::Base64,
        Some(_) => {
            return Err(MemberPath::Root.member("encoding_format").invalid_value("`float` or `base64`"));
        }
    };
    for (name, _) in members.rest() {
        losses.advisory(name);
    }
    let (collection, name) = split_collection(model);
    let model = format!("{collection}/{name}");
    let requests = texts.iter().map(|text| EmbedContentRequest {
        model: &model,
        content: Content { parts: [TextPart { text }] },
        output_dimensionality,
    });
    let requests = BatchEmbedContentsRequest { requests: requests.collect() };
    // Only texts and numbers: this cannot fail.
    let body = serde_json::to_vec(&requests).unwrap_or_default().into();
    Ok(EmbeddingCall { body, texts: texts.len(), format })
}

fn parse_input(input: &RawValue) -> Result<Vec<Cow<'_, str>>, ServingError> {
    #[derive(Deserialize)]
    struct Text<'a>(#[serde(borrow)] Cow<'a, str>);

    let path = MemberPath::Root.member("input");
    if !input.get().starts_with('[') {
        return Ok(vec![path.parse::<Text<'_>>(input, "a string or an array of strings")?.0]);
    }
    let elements: Vec<&RawValue> = path.parse(input, "a string or an array of strings")?;
    let unsupported = |message: String| {
        Err(ServingError::new(ErrorKind::UnsupportedRequest, message).with_parameter("input"))
    };
    match elements.first() {
        None => {
            let message = "Invalid 'input': it must not be empty.";
            return Err(ServingError::new(ErrorKind::EmptyArray, message).with_parameter("input"));
        }
        Some(first) if !first.get().starts_with('"') => {
            return unsupported("The model embeds texts; 'input' has tokens.".to_owned());
        }
        Some(_) if elements.len() > MAX_TEXTS => {
            let count = elements.len();
            return unsupported(format!(
                "The model embeds at most {MAX_TEXTS} texts in a request; 'input' has {count}."
            ));
        }
        Some(_) => {}
    }
    let texts = elements.into_iter().enumerate();
    texts.map(|(at, text)| Ok(path.element(at).parse::<Text<'_>>(text, "a string")?.0)).collect()
}

/// Parses the answer to a call, and renders it in the format of OpenAI's API. `model` is the name
/// that it states; `input_estimate` stands for tokens that the provider does not count.
///
/// # Errors
/// Fails if it is no answer of this API, has another number of vectors than the call has texts, or
/// reports an error.
pub fn parse_answer(
    answer: &[u8],
    call: &EmbeddingCall,
    model: &str,
    input_estimate: u32,
) -> Result<EmbeddingAnswer, InvalidAnswer> {
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Answer<'a> {
        #[serde(borrow)]
        embeddings: Option<Vec<ContentEmbedding<'a>>>,
        #[serde(borrow)]
        embedding: Option<ContentEmbedding<'a>>,
        usage_metadata: Option<UsageMetadata>,
        #[serde(borrow)]
        error: Option<&'a RawValue>,
    }

    #[derive(Deserialize)]
    struct ContentEmbedding<'a> {
        #[serde(borrow)]
        values: Vec<&'a RawValue>,
    }

    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct UsageMetadata {
        prompt_token_count: Option<u64>,
    }

    let answer: Answer<'_> = serde_json::from_slice(answer).map_err(|error| match error.classify() {
        serde_json::error::Category::Data => InvalidAnswer::WrongShape(format!("it has no vectors: {error}")),
        _ => InvalidAnswer::NotJson(error.to_string()),
    })?;
    if let Some(error) = answer.error {
        return Err(InvalidAnswer::Reported(reported_error(None, error.get().as_bytes())));
    }
    let vectors = answer.embeddings.unwrap_or_else(|| answer.embedding.into_iter().collect());
    if vectors.len() != call.texts {
        let message = format!("it has {} vectors for {} texts", vectors.len(), call.texts);
        return Err(InvalidAnswer::WrongShape(message));
    }
    let data = vectors.iter().enumerate().map(|(index, vector)| {
        let embedding = Vector::of(&vector.values, call.format)?;
        Some(Embedding { object: "embedding", index, embedding })
    });
    let data: Option<Vec<_>> = data.collect();
    let data =
        data.ok_or_else(|| InvalidAnswer::WrongShape("a vector has other values than numbers".into()))?;
    let stated = answer.usage_metadata.and_then(|usage| usage.prompt_token_count);
    let mut count = UsageCount::NONE;
    if let Some(stated) = stated {
        count.set(UsageMember::Input, stated);
        count.set(UsageMember::Output, 0);
    }
    let tokens = count.usage(input_estimate, 0).input_tokens;
    let usage = EmbeddingUsage { prompt_tokens: tokens, total_tokens: tokens };
    let list = EmbeddingList { object: "list", data, model, usage };
    // Only texts and numbers: this cannot fail.
    Ok(EmbeddingAnswer { body: serde_json::to_vec(&list).unwrap_or_default().into(), count })
}

#[derive(Serialize)]
struct EmbeddingList<'a> {
    object: &'static str,
    data: Vec<Embedding<'a>>,
    model: &'a str,
    usage: EmbeddingUsage,
}

#[derive(Serialize)]
struct Embedding<'a> {
    object: &'static str,
    index: usize,
    embedding: Vector<'a>,
}

#[derive(Serialize)]
struct EmbeddingUsage {
    prompt_tokens: u64,
    total_tokens: u64,
}

/// Vector in the format that the client requests. Numbers are as the provider wrote them.
#[derive(Serialize)]
#[serde(untagged)]
enum Vector<'a> {
    Numbers(&'a [&'a RawValue]),
    Base64(String),
}

impl<'a> Vector<'a> {
    /// Returns the vector; `None` if it has other values than numbers.
    fn of(values: &'a [&'a RawValue], format: VectorFormat) -> Option<Self> {
        let numbers = values.iter().map(|value| serde_json::from_str::<f32>(value.get()).ok());
        match format {
            VectorFormat::Float => {
                numbers.map(|number| number.map(drop)).collect::<Option<()>>().map(|()| Self::Numbers(values))
            }
            VectorFormat::Base64 => {
                let bytes: Option<Vec<[u8; 4]>> =
                    numbers.map(|number| number.map(f32::to_le_bytes)).collect();
                bytes.map(|bytes| Self::Base64(BASE64_STANDARD.encode(bytes.concat())))
            }
        }
    }
}

#[cfg(test)]
mod tests;
