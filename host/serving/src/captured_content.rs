//! Content of a request, taken from the bytes that the gateway holds anyway.

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use pointsman_dialects::answer::AnswerFormat;
use pointsman_dialects::request::ClientRequest;
use pointsman_domain::prompt::Prompt;
use pointsman_telemetry::{AnswerText, CapturedOutput, ContentSource};

/// Messages of a request, and its answer if the gateway has all of it. A streamed answer passes
/// through and is not captured.
pub struct CapturedContent {
    prompt: Arc<dyn Prompt>,
    request_bytes: usize,
    answer: Option<CapturedAnswer>,
    /// Outputs of tasks, if they are wanted. Tasks of a plan run side by side.
    outputs: Option<Mutex<Vec<CapturedOutput>>>,
}

/// A whole answer.
pub enum CapturedAnswer {
    /// Body of a model's answer.
    Model(AnswerFormat, Bytes),
    /// Text that a plan composed.
    Text(String),
}

impl CapturedContent {
    /// Captures a request that has not been answered yet.
    pub fn new(prompt: Arc<dyn Prompt>, request: &ClientRequest, wants_outputs: bool) -> Self {
        let request_bytes = request.held_bytes();
        Self { prompt, request_bytes, answer: None, outputs: wants_outputs.then(Mutex::default) }
    }

    /// Adds the output of a task, if outputs are wanted.
    pub fn add_output(&self, output: impl FnOnce() -> CapturedOutput) {
        if let Some(outputs) = &self.outputs {
            lock(outputs).push(output());
        }
    }

    /// Discards the outputs of tasks from a number on, which belong to an abandoned plan.
    pub fn discard_outputs(&self, first: usize) {
        if let Some(outputs) = &self.outputs {
            lock(outputs).retain(|output| output.task < first);
        }
    }

    /// Adds the answer.
    pub fn set_answer(&mut self, answer: CapturedAnswer) {
        self.answer = Some(answer);
    }
}

impl ContentSource for CapturedContent {
    fn prompt(&self) -> &dyn Prompt {
        &*self.prompt
    }

    fn bytes(&self) -> usize {
        let answer = match &self.answer {
            Some(CapturedAnswer::Model(_, bytes)) => bytes.len(),
            Some(CapturedAnswer::Text(text)) => text.len(),
            None => 0,
        };
        let outputs = self.outputs.as_ref().map(|outputs| lock(outputs).iter().map(|it| it.text.len()).sum());
        self.request_bytes + answer + outputs.unwrap_or(0)
    }

    fn outputs(&self) -> Vec<CapturedOutput> {
        let mut outputs = self.outputs.as_ref().map(|outputs| lock(outputs).clone()).unwrap_or_default();
        outputs.sort_unstable_by_key(|output| output.task);
        outputs
    }

    fn answer(&self, max_bytes: usize) -> Option<AnswerText> {
        let (mut text, finish_reason) = match self.answer.as_ref()? {
            CapturedAnswer::Model(format, bytes) => {
                let output = format.read_client_answer(bytes).ok()?;
                (output.text, output.finish_reason)
            }
            CapturedAnswer::Text(text) => (text.clone(), Some("stop".to_owned())),
        };
        let end = text.floor_char_boundary(max_bytes);
        let is_cut = end < text.len();
        text.truncate(end);
        Some(AnswerText { text, is_cut, finish_reason })
    }
}

fn lock(outputs: &Mutex<Vec<CapturedOutput>>) -> MutexGuard<'_, Vec<CapturedOutput>> {
    outputs.lock().unwrap_or_else(PoisonError::into_inner)
}

impl fmt::Debug for CapturedContent {
    /// Hides the content, which must not end up in a log.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("CapturedContent(hidden)")
    }
}
