use std::fmt;
use std::ops::Range;

use bytes::Bytes;
use pointsman_domain::model::Modalities;
use pointsman_domain::serving_error::{ErrorKind, ServingError};
use pointsman_wire::form::{FormPart, UploadedForm};
use pointsman_wire::{CallBody, Edit, edited, tokens};
use serde_json::value::RawValue;

use super::api::ForwardedApi;
use super::prompt::{ForwardedPrompt, TextSource};
use crate::input::InputSummary;
use crate::json::{MemberPath, ObjectMembers, span_in};

/// Request that is forwarded as it arrived, with the facts by which it is routed.
#[derive(Clone, Debug)]
pub struct ForwardedRequest {
    /// API that the client called.
    pub api: ForwardedApi,
    /// Requested model.
    pub model: String,
    /// True if the client requests events.
    pub streaming: bool,
    /// Kinds of content.
    pub inputs: Modalities,
    /// Estimated tokens of the input.
    pub input_tokens: u32,
    /// Lower bound on the tokens that a model has to hold together.
    pub least_input_tokens: u32,
    content: RequestContent,
}

#[derive(Clone)]
enum RequestContent {
    Json {
        body: Bytes,
        /// Value of `model`; `None` if the request names no model.
        model_span: Option<Range<usize>>,
        /// Value with the texts.
        text_span: Range<usize>,
    },
    Form(UploadedForm),
}

impl ForwardedRequest {
    /// Parses a request in JSON. Members that the gateway does not read are the provider's to check.
    ///
    /// # Errors
    /// Fails if the body is not an object with a model and content, or a member that is read has
    /// another type.
    pub fn parse_json(api: ForwardedApi, body: Bytes) -> Result<Self, ServingError> {
        const ROOT: MemberPath<'_> = MemberPath::Root;
        let mut members = ObjectMembers::parse_request(&body)?;
        let model_span = members.raw("model").map(|value| span_in(&body, value));
        let model_value: Option<&RawValue> = members.take("model");
        let name = api.content_member();
        let content: &RawValue = members.require(name, &ROOT, "a string or an array")?;
        let path = ROOT.member(name);
        if matches!(api, ForwardedApi::Speech | ForwardedApi::ImageGenerations | ForwardedApi::ImageEdits)
            && !content.get().starts_with('"')
        {
            return Err(path.wrong_type("a string"));
        }
        let summary = InputSummary::read(content, &path)?;
        let edits_images = api == ForwardedApi::ImageEdits;
        let images =
            if edits_images { images_of(members.take("images").or(members.take("image"))) } else { 0 };
        let mut inputs = Modalities::TEXT;
        inputs.set(Modalities::IMAGE, summary.has_images() || edits_images);
        let streaming = match api {
            ForwardedApi::Speech => {
                let format = members.take_as::<String>("stream_format", &ROOT, "a string")?;
                format.is_some_and(|format| format == "sse")
            }
            _ => members.take_as("stream", &ROOT, "a boolean")?.unwrap_or(false),
        };
        let least_input_tokens = match api {
            ForwardedApi::Embeddings => summary.least_tokens(),
            _ => 0,
        };
        Ok(Self {
            api,
            model: match (model_value, api.default_model()) {
                (Some(value), _) => ROOT.member("model").parse(value, "a string")?,
                (None, Some(default)) => default.to_owned(),
                (None, None) => return Err(ROOT.member("model").missing()),
            },
            streaming,
            inputs,
            input_tokens: saturating(summary.tokens() + images * tokens::IMAGE),
            least_input_tokens: saturating(least_input_tokens),
            content: RequestContent::Json {
                model_span,
                text_span: span_in(&body, content),
                body: body.clone(),
            },
        })
    }

    /// Reads the facts of a form.
    ///
    /// # Errors
    /// Fails if it has no model or no file.
    pub fn parse_form(api: ForwardedApi, form: UploadedForm) -> Result<Self, ServingError> {
        let missing = |name: &'static str| MemberPath::Root.member(name).missing();
        let default = || api.default_model().map(str::to_owned);
        let model = form.text("model").or_else(default).ok_or_else(|| missing("model"))?;
        let is_image = api == ForwardedApi::ImageEdits;
        if form.files().next().is_none() {
            return Err(missing(if is_image { "image" } else { "file" }));
        }
        if is_image && form.text("prompt").is_none() {
            return Err(missing("prompt"));
        }
        let text = form.text("prompt").map_or(0, |text| tokens::of_text(text.len() as u64));
        let files = form.files().map(|file| if is_image { tokens::IMAGE } else { of_recording(file) });
        // The prompt of a transcription is a hint, and the model need not take text.
        let inputs = if is_image { Modalities::TEXT | Modalities::IMAGE } else { Modalities::AUDIO };
        Ok(Self {
            api,
            model,
            streaming: form.text("stream").is_some_and(|value| value == "true"),
            inputs,
            input_tokens: saturating(text.saturating_add(files.fold(0, u64::saturating_add))),
            least_input_tokens: 0,
            content: RequestContent::Form(form),
        })
    }

    /// Returns the media type of the body of a call; `None` for JSON.
    pub fn content_type(&self) -> Option<&str> {
        match &self.content {
            RequestContent::Json { .. } => None,
            RequestContent::Form(form) => Some(form.content_type()),
        }
    }

    /// Returns the body of a call of the model that its provider knows by this name. All else stays
    /// as the client wrote it.
    pub fn body_for(&self, upstream_name: &str) -> CallBody {
        match &self.content {
            RequestContent::Json { body, model_span, .. } => {
                // A string into a string: this cannot fail.
                let model = serde_json::to_string(upstream_name).unwrap_or_default();
                let edit = match model_span {
                    Some(span) => (span.clone(), model.into()),
                    None => after_brace(body, &model),
                };
                edited(body, vec![edit]).into()
            }
            RequestContent::Form(form) => form.body_for(upstream_name),
        }
    }

    /// Returns the body as it arrived; `None` for a form.
    pub fn json(&self) -> Option<&Bytes> {
        match &self.content {
            RequestContent::Json { body, .. } => Some(body),
            RequestContent::Form(_) => None,
        }
    }

    /// Returns the content for a policy with that grant. Texts are decoded on first use.
    pub fn prompt(&self) -> ForwardedPrompt {
        match &self.content {
            RequestContent::Json { body, text_span, .. } => {
                let source = TextSource::Json { body: body.clone(), span: text_span.clone() };
                ForwardedPrompt::new(source, std::iter::empty())
            }
            RequestContent::Form(form) => {
                let text = TextSource::Field(form.text("prompt").unwrap_or_default());
                let kind = self.inputs - Modalities::TEXT;
                ForwardedPrompt::new(text, form.files().map(|file| (kind, file.size())))
            }
        }
    }

    /// Returns the bytes of memory that the request holds.
    pub fn held_bytes(&self) -> usize {
        self.json().map_or(0, Bytes::len)
    }

    /// Returns the error for a body of the wrong media type.
    pub fn wrong_media_type(api: ForwardedApi, stated: Option<&str>) -> ServingError {
        let expected = match (api.takes_forms(), api.takes_json()) {
            (true, true) => "multipart/form-data or application/json",
            (true, false) => "multipart/form-data with a boundary",
            (false, _) => "application/json",
        };
        let stated = stated.unwrap_or("none");
        let message = format!(
            "Unsupported content type: {} takes {expected}, the request states {stated}.",
            api.path()
        );
        ServingError::new(ErrorKind::UnsupportedMediaType, message)
    }
}

/// Returns the edit that makes `model` the first member of a body, which has others.
fn after_brace(body: &Bytes, model: &str) -> Edit {
    let at = body.iter().position(|byte| *byte == b'{').map_or(0, |brace| brace + 1);
    (at..at, format!(r#""model":{model},"#).into())
}

/// Returns the number of images in the value of a member.
fn images_of(value: Option<&RawValue>) -> u64 {
    let Some(value) = value else { return 0 };
    let images: Result<Vec<&RawValue>, _> = serde_json::from_str(value.get());
    images.map_or(1, |images| images.len() as u64)
}

fn of_recording(file: &FormPart) -> u64 {
    let name = file.head.file_name.as_deref().unwrap_or_default();
    tokens::of_recording(file.size(), name.to_ascii_lowercase().ends_with(".wav"))
}

fn saturating(tokens: u64) -> u32 {
    u32::try_from(tokens).unwrap_or(u32::MAX)
}

impl fmt::Debug for RequestContent {
    /// Omits the content, which is a client's and must not reach a log.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Json { body, .. } => write!(f, "Json({} bytes)", body.len()),
            Self::Form(form) => write!(f, "{form:?}"),
        }
    }
}

#[cfg(test)]
mod tests;
