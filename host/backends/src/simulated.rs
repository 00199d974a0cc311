//! Fleet of simulated models in this process, with configured latency, speed and failure rate,
//! and answers that depend on the prompt. With it, Pointsman runs where nothing else is
//! installed, and demonstrations and tests are repeatable.

mod answer;
mod embedding;
mod format;
mod request;
mod stream;
mod tokens;
mod transcription;

use std::collections::BTreeMap;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use ::http::header::CONTENT_TYPE;
use ::http::{HeaderMap, HeaderValue};
use bytes::Bytes;
use fastrand::Rng;
use pointsman_domain::model::{Model, Operation};

use crate::call::BackendCall;
use answer::SimulatedAnswer;
use embedding::EmbeddingRequest;
use format::AnswerFormat;
use request::ChatRequest;
use transcription::TranscriptionRequest;

pub(crate) use stream::SimulatedBody;

/// Longest time for a token, whatever the configured speed.
const LONGEST_TOKEN: Duration = Duration::from_secs(60);

/// Settings of a simulated fleet.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct SimulatedConfig {
    /// Models by the name that calls use.
    pub models: BTreeMap<String, SimulatedModel>,
    /// Seed of answers and failures. Equal seeds and equal calls in the same order produce equal
    /// results.
    pub seed: u64,
}

/// Behaviour of a simulated model. The default answers immediately and never fails.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct SimulatedModel {
    /// Time to the first token.
    pub first_token: Duration,
    /// Tokens per second after the first; `None` for all at once.
    pub tokens_per_second: Option<f64>,
    /// Share of calls, 0..1, that fail with status 500 or 503.
    pub failure_rate: f64,
}

#[derive(Debug)]
pub(crate) struct SimulatedFleet {
    config: SimulatedConfig,
    calls: AtomicU64,
}

/// Head of a response, and the body that follows.
#[derive(Debug)]
pub(crate) struct SimulatedResponse {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) body: SimulatedBody,
}

/// Error response in the form of a real server's.
#[derive(Debug)]
struct ErrorReply {
    status: u16,
    message: String,
}

impl SimulatedModel {
    /// Returns the time from one token to the next. Zero means no wait and no timer.
    fn time_per_token(&self) -> Duration {
        self.tokens_per_second.filter(|speed| *speed > 0.0).map_or(Duration::ZERO, |speed| {
            Duration::try_from_secs_f64(1.0 / speed).map_or(LONGEST_TOKEN, |time| time.min(LONGEST_TOKEN))
        })
    }
}

impl SimulatedFleet {
    pub(crate) fn new(config: SimulatedConfig) -> Self {
        Self { config, calls: AtomicU64::new(0) }
    }

    pub(crate) async fn call(&self, call: BackendCall<'_>) -> SimulatedResponse {
        let response = match call.operation {
            operation if !call.model.operations.contains(&operation) => {
                let name = &call.model.upstream_name;
                Err(ErrorReply::bad(format!("{name} does not do {} calls", operation.name())))
            }
            Operation::Chat => self.chat(&call).await,
            Operation::Transcription => self.transcription(&call).await,
            Operation::Embedding => self.embedding(&call).await,
        };
        response.unwrap_or_else(ErrorReply::into_response)
    }

    async fn chat(&self, call: &BackendCall<'_>) -> Result<SimulatedResponse, ErrorReply> {
        let request = ChatRequest::read(&call.body)
            .map_err(|error| ErrorReply::bad(format!("the body is not a chat request: {error}")))?;
        let behaviour = self.behaviour(&request.model)?;
        if let Some(reason) = unsuited(call.model, &request) {
            return Err(ErrorReply::bad(reason));
        }
        let mut chance = self.begin(behaviour, &request.model, &request.text).await?;
        let mut choices = Rng::with_seed(digest(&(self.config.seed, &request.text, &request.media)));
        let answer = SimulatedAnswer::new(&request, &mut choices);
        let format = AnswerFormat::new(chance.u64(..), &request);
        let pace = behaviour.time_per_token();
        if request.stream {
            let body = SimulatedBody::stream(answer, format, pace);
            return Ok(response(200, pointsman_wire::sse::MEDIA_TYPE, body));
        }
        wait(pace * answer.tokens.len() as u32).await;
        Ok(json(format.whole(&answer)))
    }

    async fn transcription(&self, call: &BackendCall<'_>) -> Result<SimulatedResponse, ErrorReply> {
        let body = call.body.concat();
        let recorded =
            TranscriptionRequest::read(call.content_type.unwrap_or_default(), &body).map_err(|reason| {
                ErrorReply::bad(format!("the body is not a transcription request: {reason}"))
            })?;
        let behaviour = self.behaviour(recorded.model)?;
        self.begin(behaviour, recorded.model, recorded.file).await?;
        let mut choices = Rng::with_seed(digest(&(self.config.seed, recorded.file)));
        let (answer, tokens) = recorded.answer(&mut choices);
        wait(behaviour.time_per_token() * tokens).await;
        Ok(json(answer))
    }

    async fn embedding(&self, call: &BackendCall<'_>) -> Result<SimulatedResponse, ErrorReply> {
        let request = EmbeddingRequest::read(&call.body)
            .map_err(|reason| ErrorReply::bad(format!("the body is not an embedding request: {reason}")))?;
        let behaviour = self.behaviour(&request.model)?;
        self.begin(behaviour, &request.model, &request.texts).await?;
        Ok(json(request.answer()))
    }

    fn behaviour(&self, model: &str) -> Result<&SimulatedModel, ErrorReply> {
        let known = self.config.models.get(model);
        known
            .ok_or_else(|| ErrorReply { status: 404, message: format!("the model {model:?} does not exist") })
    }

    /// Waits for the time to the first token, and fails at the configured rate. Returns the random
    /// numbers for the rest of the call.
    async fn begin(
        &self,
        behaviour: &SimulatedModel,
        model: &str,
        request: &(impl Hash + ?Sized),
    ) -> Result<Rng, ErrorReply> {
        let count = self.calls.fetch_add(1, Ordering::Relaxed);
        wait(behaviour.first_token).await;
        let mut chance = Rng::with_seed(digest(&(self.config.seed, request, count)));
        if chance.f64() < behaviour.failure_rate {
            return Err(failure(&mut chance, model));
        }
        Ok(chance)
    }
}

fn digest(value: &impl Hash) -> u64 {
    let mut hasher = DefaultHasher::new();
    value.hash(&mut hasher);
    hasher.finish()
}

async fn wait(time: Duration) {
    if !time.is_zero() {
        tokio::time::sleep(time).await;
    }
}

/// Returns the reason why a model does not accept the content of a request, if there is one.
fn unsuited(model: &Model, request: &ChatRequest) -> Option<String> {
    let unknown = request.media.iter().find(|media| !model.inputs.contains(media.kind))?;
    Some(format!("{} does not accept {} content", request.model, unknown.name()))
}

fn failure(chance: &mut Rng, model: &str) -> ErrorReply {
    let (status, message) = if chance.bool() {
        (500, format!("{model} failed, as simulated models do now and then"))
    } else {
        (503, format!("{model} is overloaded, as simulated models are now and then"))
    };
    ErrorReply { status, message }
}

impl ErrorReply {
    fn bad(message: String) -> Self {
        Self { status: 400, message }
    }

    fn into_response(self) -> SimulatedResponse {
        let body = SimulatedBody::whole(format::error(self.status, &self.message));
        response(self.status, "application/json", body)
    }
}

fn json(body: Bytes) -> SimulatedResponse {
    response(200, "application/json", SimulatedBody::whole(body))
}

fn response(status: u16, content_type: &'static str, body: SimulatedBody) -> SimulatedResponse {
    let mut headers = HeaderMap::new();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
    SimulatedResponse { status, headers, body }
}

#[cfg(test)]
mod tests;
