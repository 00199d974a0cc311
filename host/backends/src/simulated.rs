//! A fleet of models in this process: stated latency, speed and failure rate,
//! and answers that depend on the prompt. Pointsman runs with it where nothing
//! else is installed, and demonstrations and tests are repeatable with it.

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

use crate::backend::{Call, Reply, ReplyBody};
use answer::Answer;
use embedding::Embedding;
use format::Format;
use request::Asked;
use transcription::Recorded;

pub(crate) use stream::SimulatedBody;

/// No token takes longer, whatever the stated speed.
const LONGEST_TOKEN: Duration = Duration::from_secs(60);

/// A simulated fleet.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct SimulatedConfig {
    /// Each model by the name that calls give.
    pub models: BTreeMap<String, SimulatedModel>,
    /// Calls in the same order get the same answers and failures.
    pub seed: u64,
}

/// How a simulated model behaves. The default answers at once and never fails.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct SimulatedModel {
    /// Time to the first token.
    pub first_token: Duration,
    /// Tokens per second after it; `None` for all at once.
    pub tokens_per_second: Option<f64>,
    /// Share of calls, 0..1, that are answered with status 500 or 503.
    pub failure_rate: f64,
}

#[derive(Debug)]
pub(crate) struct Simulated {
    config: SimulatedConfig,
    calls: AtomicU64,
}

/// An error answer, as a real server gives them.
#[derive(Debug)]
struct Refused {
    status: u16,
    message: String,
}

impl SimulatedModel {
    /// Zero stands for no wait, and then no timer is made.
    fn time_per_token(&self) -> Duration {
        self.tokens_per_second.filter(|speed| *speed > 0.0).map_or(Duration::ZERO, |speed| {
            Duration::try_from_secs_f64(1.0 / speed).map_or(LONGEST_TOKEN, |time| time.min(LONGEST_TOKEN))
        })
    }
}

impl Simulated {
    pub(crate) fn new(config: SimulatedConfig) -> Self {
        Self { config, calls: AtomicU64::new(0) }
    }

    pub(crate) async fn call(&self, call: Call<'_>) -> Reply {
        let replied = match call.operation {
            operation if !call.model.operations.contains(&operation) => {
                let name = &call.model.upstream_name;
                Err(Refused::bad(format!("{name} does not do {} calls", operation.as_str())))
            }
            Operation::Chat => self.chat(&call).await,
            Operation::Transcription => self.transcription(&call).await,
            Operation::Embedding => self.embedding(&call).await,
        };
        replied.unwrap_or_else(Refused::reply)
    }

    async fn chat(&self, call: &Call<'_>) -> Result<Reply, Refused> {
        let asked = Asked::read(&call.body)
            .map_err(|error| Refused::bad(format!("the body is not a chat request: {error}")))?;
        let behaviour = self.behaviour(&asked.model)?;
        if let Some(reason) = unsuited(call.model, &asked) {
            return Err(Refused::bad(reason));
        }
        let mut chance = self.begin(behaviour, &asked.model, &asked.text).await?;
        let mut choices = Rng::with_seed(digest(&(self.config.seed, &asked.text, &asked.media)));
        let answer = Answer::to(&asked, &mut choices);
        let format = Format::new(chance.u64(..), &asked);
        let pace = behaviour.time_per_token();
        if asked.stream {
            let body = SimulatedBody::stream(answer, format, pace);
            return Ok(reply(200, pointsman_wire::sse::MEDIA_TYPE, body));
        }
        wait(pace * answer.tokens.len() as u32).await;
        Ok(json(format.whole(&answer)))
    }

    async fn transcription(&self, call: &Call<'_>) -> Result<Reply, Refused> {
        let body = call.body.concat();
        let recorded = Recorded::read(call.content_type.unwrap_or_default(), &body)
            .map_err(|reason| Refused::bad(format!("the body is not a transcription request: {reason}")))?;
        let behaviour = self.behaviour(recorded.model)?;
        self.begin(behaviour, recorded.model, recorded.file).await?;
        let mut choices = Rng::with_seed(digest(&(self.config.seed, recorded.file)));
        let (answer, tokens) = recorded.answer(&mut choices);
        wait(behaviour.time_per_token() * tokens).await;
        Ok(json(answer))
    }

    async fn embedding(&self, call: &Call<'_>) -> Result<Reply, Refused> {
        let asked = Embedding::read(&call.body)
            .map_err(|reason| Refused::bad(format!("the body is not an embedding request: {reason}")))?;
        let behaviour = self.behaviour(&asked.model)?;
        self.begin(behaviour, &asked.model, &asked.texts).await?;
        Ok(json(asked.answer()))
    }

    fn behaviour(&self, model: &str) -> Result<&SimulatedModel, Refused> {
        let known = self.config.models.get(model);
        known.ok_or_else(|| Refused { status: 404, message: format!("the model {model:?} does not exist") })
    }

    /// Waits as a model does before its first token, which it may fail to give.
    async fn begin(
        &self,
        behaviour: &SimulatedModel,
        model: &str,
        asked: &(impl Hash + ?Sized),
    ) -> Result<Rng, Refused> {
        let count = self.calls.fetch_add(1, Ordering::Relaxed);
        wait(behaviour.first_token).await;
        let mut chance = Rng::with_seed(digest(&(self.config.seed, asked, count)));
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

/// As a real server, a model refuses content that it cannot take.
fn unsuited(model: &Model, asked: &Asked) -> Option<String> {
    let unknown = asked.media.iter().find(|media| !model.inputs.contains(media.kind))?;
    Some(format!("{} does not accept {} content", asked.model, unknown.name()))
}

fn failure(chance: &mut Rng, model: &str) -> Refused {
    let (status, message) = if chance.bool() {
        (500, format!("{model} failed, as simulated models do now and then"))
    } else {
        (503, format!("{model} is overloaded, as simulated models are now and then"))
    };
    Refused { status, message }
}

impl Refused {
    fn bad(message: String) -> Self {
        Self { status: 400, message }
    }

    fn reply(self) -> Reply {
        let body = SimulatedBody::whole(format::error(self.status, &self.message));
        reply(self.status, "application/json", body)
    }
}

fn json(body: Bytes) -> Reply {
    reply(200, "application/json", SimulatedBody::whole(body))
}

fn reply(status: u16, content_type: &'static str, body: SimulatedBody) -> Reply {
    let mut headers = HeaderMap::new();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
    Reply { status, headers, body: ReplyBody::simulated(body) }
}

#[cfg(test)]
mod tests;
