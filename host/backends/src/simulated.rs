//! A fleet of models in this process: stated latency, speed and failure rate,
//! and answers that depend on the prompt. Pointsman runs with it where nothing
//! else is installed, and demonstrations and tests are repeatable with it.

mod answer;
mod format;
mod request;
mod stream;

use std::collections::BTreeMap;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use ::http::header::CONTENT_TYPE;
use ::http::{HeaderMap, HeaderValue};
use fastrand::Rng;
use pointsman_domain::model::Model;

use crate::backend::{Call, Reply, ReplyBody};
use answer::Answer;
use format::Format;
use request::Asked;

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
        let asked = match Asked::read(&call.body) {
            Ok(asked) => asked,
            Err(error) => return refusal(400, &format!("the body is not a chat request: {error}")),
        };
        let Some(behaviour) = self.config.models.get(&asked.model) else {
            return refusal(404, &format!("the model {:?} does not exist", asked.model));
        };
        if let Some(reason) = unsuited(call.model, &asked) {
            return refusal(400, &reason);
        }
        let count = self.calls.fetch_add(1, Ordering::Relaxed);
        wait(behaviour.first_token).await;
        let mut chance = Rng::with_seed(digest(&(self.config.seed, &asked.text, count)));
        if chance.f64() < behaviour.failure_rate {
            return failure(&mut chance, &asked.model);
        }
        let mut choices = Rng::with_seed(digest(&(self.config.seed, &asked.text, &asked.media)));
        let answer = Answer::to(&asked, &mut choices);
        let format = Format::new(chance.u64(..), &asked);
        let pace = behaviour.time_per_token();
        if asked.stream {
            let body = SimulatedBody::stream(answer, format, pace);
            return reply(200, "text/event-stream", body);
        }
        wait(pace * answer.tokens.len() as u32).await;
        reply(200, "application/json", SimulatedBody::whole(format.whole(&answer)))
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

fn failure(chance: &mut Rng, model: &str) -> Reply {
    if chance.bool() {
        refusal(500, &format!("{model} failed, as simulated models do now and then"))
    } else {
        refusal(503, &format!("{model} is overloaded, as simulated models are now and then"))
    }
}

fn refusal(status: u16, message: &str) -> Reply {
    reply(status, "application/json", SimulatedBody::whole(format::error(status, message)))
}

fn reply(status: u16, content_type: &'static str, body: SimulatedBody) -> Reply {
    let mut headers = HeaderMap::new();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
    Reply { status, headers, body: ReplyBody::simulated(body) }
}

#[cfg(test)]
mod tests;
