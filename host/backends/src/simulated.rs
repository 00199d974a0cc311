//! Fleet of simulated models in this process, with configured latency, speed and failure rate,
//! and answers that depend on the request. With it, Pointsman runs where nothing else is
//! installed, and demonstrations and tests are repeatable.

mod audio;
mod body;
mod chat;
mod embedding;
mod endpoint;
mod events;
mod image;
mod invalid_request;
mod moderation;
mod places;
mod png;
mod reply;
mod schema;
mod speech;
mod tokens;
mod transcription;

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use bytes::Bytes;
use fastrand::Rng;
use pointsman_domain::model_behaviour::ModelBehaviour;
use pointsman_wire::CallBody;

use crate::call::BackendCall;
use chat::ChatRequest;
use embedding::EmbeddingRequest;
use endpoint::Endpoint;
use image::ImageRequest;
use invalid_request::InvalidRequest;
use moderation::ModerationRequest;
use places::{Place, Places};
use reply::ErrorReply;
use speech::SpeechRequest;
use transcription::TranscriptionRequest;

pub(crate) use body::SimulatedBody;
pub(crate) use reply::SimulatedResponse;

/// Largest upload that a simulated model reads, in bytes.
const MAX_STORED: u64 = 64 << 20;

/// Settings of a simulated fleet.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct SimulatedConfig {
    /// Models by the name that calls use.
    pub models: BTreeMap<String, ModelBehaviour>,
    /// Seed of answers and failures. Equal seeds and equal calls in the same order produce equal
    /// results.
    pub seed: u64,
}

#[derive(Debug)]
pub(crate) struct SimulatedFleet {
    config: SimulatedConfig,
    /// Places of the models that have a limited number.
    places: BTreeMap<String, Places>,
    calls: AtomicU64,
}

/// Call that a model has begun to work on.
struct BegunCall {
    /// Random numbers for the rest of the call.
    chance: Rng,
    /// Place of the call, which it holds to the end of its answer.
    place: Option<Place>,
}

type Reply = Result<SimulatedResponse, ErrorReply>;

impl SimulatedFleet {
    pub(crate) fn new(config: SimulatedConfig) -> Self {
        let limited = |(name, model): (&String, &ModelBehaviour)| {
            Some((name.clone(), Places::new(model.capacity?, model.queue)))
        };
        let places = config.models.iter().filter_map(limited).collect();
        Self { config, places, calls: AtomicU64::new(0) }
    }

    /// Returns the response to a request for something that the fleet does not have.
    pub(crate) fn not_found(path: &str) -> SimulatedResponse {
        ErrorReply::not_found(format!("the simulated fleet has no {path:?}")).into()
    }

    pub(crate) async fn call(&self, call: BackendCall<'_>) -> SimulatedResponse {
        self.reply(&call).await.unwrap_or_else(SimulatedResponse::from)
    }

    async fn reply(&self, call: &BackendCall<'_>) -> Reply {
        if !call.model.operations.contains(&call.operation) {
            let (name, operation) = (&call.model.upstream_name, call.operation.name());
            return Err(ErrorReply::bad_request(format!("{name} does not do {operation} calls")));
        }
        let endpoint = Endpoint::at(call.path)?;
        let body = &*pieces_of(&call.body).await?;
        match endpoint {
            Endpoint::Chat => self.chat(call, body).await,
            Endpoint::Embeddings => self.embeddings(body).await,
            Endpoint::Transcriptions => self.transcription(call, body, false).await,
            Endpoint::Translations => self.transcription(call, body, true).await,
            Endpoint::Speech => self.speech(body).await,
            Endpoint::Images => {
                self.images(ImageRequest::read(body, now()).map_err(invalid("an image"))?).await
            }
            Endpoint::ImageEdits => {
                let form = body.concat();
                let request = match call.content_type {
                    Some(content_type) => ImageRequest::read_edit(content_type, &form, now()),
                    None => ImageRequest::read(body, now()),
                };
                self.images(request.map_err(invalid("an image edit"))?).await
            }
            Endpoint::Moderations => self.moderation(body).await,
        }
    }

    async fn chat(&self, call: &BackendCall<'_>, body: &[Bytes]) -> Reply {
        let request = ChatRequest::read(body).map_err(invalid("a chat"))?;
        let behaviour = self.behaviour(&request.model)?;
        if let Some(reason) = request.unsuited_to(call.model) {
            return Err(ErrorReply::bad_request(reason));
        }
        let BegunCall { mut chance, place } =
            self.begin(behaviour, &request.model, request.input_tokens, &request).await?;
        let answer = request.answer(chance.u64(..), self.seed(&request));
        let pace = behaviour.time_per_token();
        if request.stream {
            return Ok(answer.stream(pace).holding(place));
        }
        wait(pace * answer.longest()).await;
        Ok(answer.whole())
    }

    async fn transcription(&self, call: &BackendCall<'_>, body: &[Bytes], translates: bool) -> Reply {
        let form = body.concat();
        let content_type = call.content_type.unwrap_or_default();
        let request = TranscriptionRequest::read(content_type, &form, translates)
            .map_err(invalid(if translates { "a translation" } else { "a transcription" }))?;
        let behaviour = self.behaviour(request.model)?;
        let BegunCall { place, .. } = self.begin(behaviour, request.model, 0, request.file).await?;
        let transcript = request.transcript(&mut Rng::with_seed(self.seed(request.file)));
        let pace = behaviour.time_per_token();
        if request.stream {
            return Ok(transcript.stream(pace).holding(place));
        }
        wait(pace * transcript.tokens()).await;
        Ok(transcript.whole())
    }

    async fn embeddings(&self, body: &[Bytes]) -> Reply {
        let request = EmbeddingRequest::read(body).map_err(invalid("an embedding"))?;
        let behaviour = self.behaviour(&request.model)?;
        self.begin(behaviour, &request.model, 0, &request.inputs).await?;
        Ok(SimulatedResponse::json(request.answer()))
    }

    async fn speech(&self, body: &[Bytes]) -> Reply {
        let request = SpeechRequest::read(body).map_err(invalid("a speech"))?;
        let behaviour = self.behaviour(&request.model)?;
        let BegunCall { place, .. } = self.begin(behaviour, &request.model, 0, &request.input).await?;
        Ok(request.answer(behaviour.time_per_token()).holding(place))
    }

    async fn images(&self, request: ImageRequest) -> Reply {
        let behaviour = self.behaviour(&request.model)?;
        let BegunCall { place, .. } = self.begin(behaviour, &request.model, 0, &request.prompt).await?;
        let pace = behaviour.time_per_token();
        if !request.is_stream() {
            wait(pace * request.tokens()).await;
        }
        Ok(request.answer(self.seed(&request.prompt), pace).holding(place))
    }

    async fn moderation(&self, body: &[Bytes]) -> Reply {
        let request = ModerationRequest::read(body).map_err(invalid("a moderation"))?;
        let behaviour = self.behaviour(&request.model)?;
        let BegunCall { mut chance, .. } = self.begin(behaviour, &request.model, 0, &request.inputs).await?;
        Ok(SimulatedResponse::json(request.answer(chance.u64(..))))
    }

    fn behaviour(&self, model: &str) -> Result<&ModelBehaviour, ErrorReply> {
        let known = self.config.models.get(model);
        known.ok_or_else(|| ErrorReply::not_found(format!("the model {model:?} does not exist")))
    }

    /// Returns the seed of the answer to a request.
    fn seed(&self, request: &(impl Hash + ?Sized)) -> u64 {
        digest(&(self.config.seed, request))
    }

    /// Waits for a place and for the time to the first token, and fails at the configured rate.
    async fn begin(
        &self,
        behaviour: &ModelBehaviour,
        model: &str,
        input_tokens: u64,
        request: &(impl Hash + ?Sized),
    ) -> Result<BegunCall, ErrorReply> {
        let count = self.calls.fetch_add(1, Ordering::Relaxed);
        let place = match self.places.get(model) {
            Some(places) => Some(places.take().await.ok_or_else(|| queue_is_full(model))?),
            None => None,
        };
        wait(behaviour.time_to_first_token(input_tokens)).await;
        let mut chance = Rng::with_seed(digest(&(self.config.seed, request, count)));
        if chance.f64() < behaviour.failure_rate {
            return Err(failure(&mut chance, model));
        }
        Ok(BegunCall { chance, place })
    }
}

/// Returns the pieces of a body, which are read if they are stored.
async fn pieces_of(body: &CallBody) -> Result<Cow<'_, [Bytes]>, ErrorReply> {
    if let CallBody::Memory(pieces) = body {
        return Ok(pieces.into());
    }
    if body.size() > MAX_STORED {
        let limit = MAX_STORED >> 20;
        let message = format!("the simulated fleet reads uploads of at most {limit} MiB");
        return Err(ErrorReply::new(413, message));
    }
    let body = body.clone();
    let read = tokio::task::spawn_blocking(move || body.to_bytes()).await;
    match read {
        Ok(Ok(whole)) => Ok(vec![whole].into()),
        Ok(Err(error)) => Err(ErrorReply::new(500, format!("the upload cannot be read: {error}"))),
        Err(_) => Err(ErrorReply::new(503, "the server is stopping")),
    }
}

fn digest(value: &impl Hash) -> u64 {
    let mut hasher = DefaultHasher::new();
    value.hash(&mut hasher);
    hasher.finish()
}

/// Returns the seconds since 1970.
fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs())
}

async fn wait(time: Duration) {
    if !time.is_zero() {
        tokio::time::sleep(time).await;
    }
}

/// Returns a conversion of the reason why a body is no request of a kind.
fn invalid(kind: &str) -> impl FnOnce(InvalidRequest) -> ErrorReply {
    move |reason| match reason {
        InvalidRequest { message, parameter: parameter @ Some(_), code } => {
            ErrorReply { parameter, code, ..ErrorReply::bad_request(message) }
        }
        reason => ErrorReply::bad_request(format!("the body is not {kind} request: {}", reason.message)),
    }
}

fn queue_is_full(model: &str) -> ErrorReply {
    let message = format!("the queue of {model} is full, as its configuration has it");
    ErrorReply { code: Some("rate_limit_exceeded"), ..ErrorReply::new(429, message) }
}

fn failure(chance: &mut Rng, model: &str) -> ErrorReply {
    let (status, message) = if chance.bool() {
        (500, format!("{model} failed, as simulated models do now and then"))
    } else {
        (503, format!("{model} is overloaded, as simulated models are now and then"))
    };
    ErrorReply::new(status, message)
}

#[cfg(test)]
mod tests;
