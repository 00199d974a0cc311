//! Simulated chats.

mod choice;
mod logprobs;
mod prose;
mod reasoning;
mod render;
mod request;
mod stream;
mod tools;

use std::hash::{Hash, Hasher};

use fastrand::Rng;
use pointsman_domain::model::Model;
use pointsman_wire::sse;

use super::body::SimulatedBody;
use super::reply::SimulatedResponse;
use choice::SimulatedChoice;
use render::AnswerFormat;
use stream::AnswerStream;

pub(super) use prose::{heard, subject};
pub(super) use request::{AUDIO_BYTES_PER_TOKEN, ChatRequest};

/// Answer to a chat, before its form is chosen.
#[derive(Debug)]
pub(super) struct ChatAnswer {
    format: AnswerFormat,
    choices: Vec<SimulatedChoice>,
}

impl ChatRequest {
    /// Returns the reason why a model does not accept the content, if there is one.
    pub(super) fn unsuited_to(&self, model: &Model) -> Option<String> {
        let unknown = self.media.iter().find(|media| !model.inputs.contains(media.kind))?;
        Some(format!("{} does not accept {} content", self.model, unknown.name()))
    }

    /// Answers the request. Equal requests and seeds give equal answers, except for `id`.
    pub(super) fn answer(&self, id: u64, seed: u64) -> ChatAnswer {
        let choice = |index| {
            // The first choice is the same whatever the number of choices.
            let mut choices = Rng::with_seed(seed ^ u64::from(index).wrapping_mul(0x9e37_79b9_7f4a_7c15));
            SimulatedChoice::new(self, id.wrapping_add(u64::from(index)), &mut choices)
        };
        let choices: Vec<SimulatedChoice> = (0..self.choices).map(choice).collect();
        ChatAnswer { format: AnswerFormat::new(id, self, &choices), choices }
    }
}

impl Hash for ChatRequest {
    /// Hashes what the answer is about.
    fn hash<H: Hasher>(&self, state: &mut H) {
        (&self.text, &self.media).hash(state);
    }
}

impl ChatAnswer {
    /// Returns the tokens of the longest choice, whose time is that of the answer.
    pub(super) fn longest(&self) -> u32 {
        self.choices.iter().map(|choice| choice.pieces.len()).max().unwrap_or(0) as u32
    }

    pub(super) fn whole(&self) -> SimulatedResponse {
        SimulatedResponse::json(self.format.whole(&self.choices))
    }

    pub(super) fn stream(self, per_token: std::time::Duration) -> SimulatedResponse {
        let stream = AnswerStream::new(self.format, self.choices);
        SimulatedResponse::ok(sse::MEDIA_TYPE, SimulatedBody::stream(stream, per_token))
    }
}
