//! The content of calls, which is the same for each model that is tried, and the expected response.

use std::sync::Arc;

use http::HeaderMap;
use pointsman_dialects::call::CallContent;
use pointsman_dialects::request::{ClientConversation, ClientRequest};
use pointsman_domain::model::{Model, Operation};
use pointsman_domain::plan::{CallLimits, OutputLimit, PlanLimitExceeded, PlanLimits};
use pointsman_domain::usage::Usage;

use crate::accounting::{CallId, RequestAccounting};

/// Most tokens of an image: 1024 x 1536 in high quality has 6,208 (OpenAI, "Image generation", GPT
/// Image 1), and up to three partial images of 100 each.
const IMAGE_TOKENS: u64 = 6_508;

/// A call as each attempt of a request, or of a task of a plan, makes it.
#[derive(Debug)]
pub struct OutgoingCall<'a> {
    /// The content.
    pub content: CallContent<'a>,
    /// The expected response.
    pub mode: ResponseMode,
    /// Number of the task of a plan that it belongs to.
    pub task: Option<usize>,
    /// Headers of the client to forward.
    pub headers: HeaderMap,
    /// Budget of its calls, if a plan limits them.
    pub budget: Option<CallBudget>,
    /// True to leave out members that a model's API cannot express.
    pub drop_untranslatable: bool,
}

/// Budget of the calls of a plan.
#[derive(Clone, Copy, Debug)]
pub struct CallBudget {
    /// Limits of all calls together.
    pub limits: PlanLimits,
    /// Limit of output tokens that the plan sets for the task.
    pub task: Option<u32>,
}

/// The use of a model's response.
#[derive(Clone, Copy, Debug)]
pub enum ResponseMode {
    /// It is the client's answer.
    Answer {
        /// True if the client requested a stream.
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
    pub fn whole(request: &'a ClientRequest, headers: HeaderMap, others: Usage) -> Self {
        let mode = ResponseMode::answer_to(request, others);
        Self {
            content: CallContent::Request(request),
            mode,
            task: None,
            headers,
            budget: None,
            drop_untranslatable: false,
        }
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
            return Ok((accounting.calls().begin(model, self.content.input_tokens(), self.task), None));
        };
        let (client, answers) = match self.mode {
            ResponseMode::Answer { max_output_tokens, answers, .. } => (max_output_tokens, answers),
            ResponseMode::Output => (None, 1),
        };
        let call = CallLimits {
            model,
            task: self.task,
            input_tokens: self.content.input_tokens().into(),
            output: output_limit(&self.content, model, budget.task, client),
            answers,
            more_may_follow,
        };
        let (id, limit) = accounting.calls().begin_within(&budget.limits, model, &call)?;
        Ok((id, Some(limit)))
    }
}

impl ResponseMode {
    /// Returns whether a stream of events is requested.
    pub const fn is_streaming(&self) -> bool {
        matches!(self, Self::Answer { streaming: true, .. })
    }

    /// The client's answer, whole or as a stream.
    pub fn answer_to(request: &ClientRequest, others: Usage) -> Self {
        match request {
            ClientRequest::Conversation(request) => Self::answer_to_conversation(request, others),
            ClientRequest::Forwarded(request) => Self::Answer {
                streaming: request.streaming,
                hide_usage: false,
                others,
                max_output_tokens: None,
                answers: 1,
            },
        }
    }

    /// The client's answer to a conversation, whole or as a stream.
    pub fn answer_to_conversation(request: &ClientConversation, others: Usage) -> Self {
        Self::Answer {
            streaming: request.is_streaming(),
            hide_usage: !request.wants_stream_usage(),
            others,
            max_output_tokens: request.max_output_tokens(),
            answers: request.answers(),
        }
    }
}

/// Limit on the output tokens of a call, with the limits of its task and of the client.
fn output_limit(
    content: &CallContent<'_>,
    model: &Model,
    task: Option<u32>,
    client: Option<u32>,
) -> OutputLimit {
    match (content.operation(), task) {
        // Vectors and judgements are not charged, and neither is sound, which servers do not count.
        (Operation::Embedding | Operation::Moderation | Operation::Speech, _) => OutputLimit::AtMost(0),
        // It takes no limit. Speech has fewer tokens as text than as sound.
        (Operation::Transcription | Operation::Translation, _) => {
            OutputLimit::AtMost(content.input_tokens().into())
        }
        (Operation::Image, _) => OutputLimit::AtMost(model.max_output_tokens.map_or(IMAGE_TOKENS, u64::from)),
        (Operation::Chat, Some(task)) => {
            OutputLimit::AtMost(client.map_or(task, |client| client.min(task)).into())
        }
        (Operation::Chat, None) => {
            // Servers refuse a limit that is beyond what the model can do.
            let window = model.context_window.and_then(|window| window.checked_sub(content.input_tokens()));
            let most = [client, model.max_output_tokens, window.filter(|left| *left > 0)];
            OutputLimit::Share(most.into_iter().flatten().min().map(u64::from))
        }
    }
}
