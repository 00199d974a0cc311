//! The content of calls, which is the same for each model that is tried, and the expected response.

use std::sync::Arc;

use bytes::Bytes;
use http::HeaderMap;
use pointsman_domain::model::{Model, Operation};
use pointsman_domain::plan::{CallLimits, OutputLimit, PlanLimitExceeded, PlanLimits};
use pointsman_domain::usage::Usage;
use pointsman_wire::openai::client::ChatRequest;
use pointsman_wire::openai::pass_through::{CallMembers, TaskBody};
use pointsman_wire::openai::provider::{EmbeddingBody, TranscriptionBody};

use crate::accounting::{CallId, RequestAccounting};

/// A call as each attempt of a request, or of a task of a plan, makes it.
#[derive(Debug)]
pub struct OutgoingCall<'a> {
    /// The content.
    pub payload: Payload<'a>,
    /// The expected response.
    pub mode: ResponseMode,
    /// Number of the task of a plan that it belongs to.
    pub task: Option<usize>,
    /// Headers of the client to forward.
    pub headers: HeaderMap,
    /// Budget of its calls, if a plan limits them.
    pub budget: Option<CallBudget>,
}

/// Budget of the calls of a plan.
#[derive(Clone, Copy, Debug)]
pub struct CallBudget {
    /// Limits of all calls together.
    pub limits: PlanLimits,
    /// Limit of output tokens that the plan sets for the task.
    pub task: Option<u32>,
}

/// The content of a call, without the name of the model.
#[derive(Debug)]
pub enum Payload<'a> {
    /// The client's request as it came.
    Request(&'a ChatRequest),
    /// A chat that a policy put together.
    Chat(TaskBody),
    /// A recording.
    Transcription(TranscriptionBody),
    /// A text to embed.
    Embedding(EmbeddingBody),
}

/// The use of a model's response.
#[derive(Clone, Copy, Debug)]
pub enum ResponseMode {
    /// It is the client's answer.
    Answer {
        /// True for a stream.
        streaming: bool,
        /// True if the client did not request the usage of a stream.
        hide_usage: bool,
        /// Usage of other tasks of the request.
        others: Usage,
        /// The client's limit of output tokens for each answer.
        max_output_tokens: Option<u32>,
        /// Number of answers that the client requested.
        answers: u32,
    },
    /// It is the output of a task, for the plan.
    Output,
}

impl<'a> OutgoingCall<'a> {
    /// A call with the request as received, for the client's answer. `others` is the usage of a plan
    /// before it.
    pub fn whole(request: &'a ChatRequest, headers: HeaderMap, others: Usage) -> Self {
        let mode = ResponseMode::answer_to(request, others);
        Self { payload: Payload::Request(request), mode, task: None, headers, budget: None }
    }

    /// Records that a model is called now. Under the limits of a plan, the most that the call may
    /// cost is reserved first, and the limit of output tokens for the model is returned.
    ///
    /// # Errors
    /// Fails when the call could exceed a limit of the plan. It must not be made then.
    pub fn begin_call(
        &self,
        model: &Arc<Model>,
        accounting: &RequestAccounting,
        more_may_follow: bool,
    ) -> Result<(CallId, Option<u32>), PlanLimitExceeded> {
        let Some(budget) = &self.budget else {
            return Ok((accounting.calls().begin(model, self.payload.input_tokens(), self.task), None));
        };
        let (client, answers) = match self.mode {
            ResponseMode::Answer { max_output_tokens, answers, .. } => (max_output_tokens, answers),
            ResponseMode::Output => (None, 1),
        };
        let call = CallLimits {
            model,
            task: self.task,
            input_tokens: self.payload.input_tokens().into(),
            output: self.payload.output_limit(model, budget.task, client),
            answers,
            more_may_follow,
        };
        let (id, limit) = accounting.calls().begin_within(&budget.limits, model, &call)?;
        Ok((id, Some(limit)))
    }
}

impl ResponseMode {
    /// The client's answer, whole or as a stream.
    pub fn answer_to(request: &ChatRequest, others: Usage) -> Self {
        Self::Answer {
            streaming: request.streaming,
            hide_usage: !request.wants_usage,
            others,
            max_output_tokens: request.max_output_tokens,
            answers: request.answers,
        }
    }
}

impl Payload<'_> {
    /// The body for a call.
    pub fn body_for(&self, call: &CallMembers<'_>) -> Vec<Bytes> {
        match self {
            Self::Request(request) => request.body_for(call),
            Self::Chat(body) => body.body_for(call),
            Self::Transcription(body) => body.body_for(call.upstream_name),
            Self::Embedding(body) => body.body_for(call.upstream_name),
        }
    }

    /// Returns whether a call would request the usage of a stream where the client did not.
    pub fn adds_stream_usage(&self) -> bool {
        match self {
            Self::Request(request) => request.adds_stream_usage(),
            Self::Chat(body) => body.adds_stream_usage(),
            Self::Transcription(_) | Self::Embedding(_) => false,
        }
    }

    /// The operation of the call.
    pub fn operation(&self) -> Operation {
        match self {
            Self::Request(_) | Self::Chat(_) => Operation::Chat,
            Self::Transcription(_) => Operation::Transcription,
            Self::Embedding(_) => Operation::Embedding,
        }
    }

    /// The type of the body, if it is not JSON.
    pub fn content_type(&self) -> Option<&str> {
        match self {
            Self::Transcription(body) => Some(&body.content_type),
            Self::Request(_) | Self::Chat(_) | Self::Embedding(_) => None,
        }
    }

    /// Estimated input tokens.
    pub fn input_tokens(&self) -> u32 {
        match self {
            Self::Request(request) => request.input_tokens,
            Self::Chat(body) => body.input_tokens,
            Self::Transcription(body) => body.input_tokens,
            Self::Embedding(body) => body.input_tokens,
        }
    }

    /// Limit on the output tokens of a call, with the limits of its task and of
    /// the client.
    fn output_limit(&self, model: &Model, task: Option<u32>, client: Option<u32>) -> OutputLimit {
        match (self, task) {
            (Self::Embedding(_), _) => OutputLimit::AtMost(0),
            // It takes no limit. Speech has fewer tokens as text than as sound.
            (Self::Transcription(body), _) => OutputLimit::AtMost(body.input_tokens.into()),
            (Self::Request(_) | Self::Chat(_), Some(task)) => {
                OutputLimit::AtMost(client.map_or(task, |client| client.min(task)).into())
            }
            (Self::Request(_) | Self::Chat(_), None) => {
                // Servers refuse a limit that is beyond what the model can do.
                let window = model.context_window.and_then(|window| window.checked_sub(self.input_tokens()));
                let most = [client, model.max_output_tokens, window.filter(|left| *left > 0)];
                OutputLimit::Share(most.into_iter().flatten().min().map(u64::from))
            }
        }
    }

    /// Returns whether the content is the client's own. Content that a policy composed is not the
    /// client's fault.
    pub fn is_of_client(&self) -> bool {
        matches!(self, Self::Request(_))
    }
}
