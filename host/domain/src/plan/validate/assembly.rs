//! Kinds and sizes of the content that a plan assembles, as far as they are known before any task
//! has run.

use std::collections::HashMap;

use super::PlanScope;
use crate::model::{Modalities, Operation};
use crate::plan::{
    ComposedMessage, ComposedPart, ContentRef, Continuation, InvalidPlan, PlanLimitExceeded, TaskFault,
    TaskInput, TaskProposal,
};
use crate::prompt::{ContentSize, PIECE_BYTES};

/// Sums of the sizes of the inputs of a step and of its answer.
pub(super) struct Assembly<'a> {
    scope: &'a PlanScope<'a>,
    bytes: u64,
    input_tokens: u64,
    /// Sizes of the conversation by kinds of parts. It is walked once for each.
    conversations: HashMap<Modalities, ContentSize>,
}

/// Returns the number of pieces in a plan without walking them.
pub(super) fn pieces(tasks: &[TaskProposal], next: &Continuation) -> usize {
    let of_input = |input: &TaskInput| match input {
        TaskInput::Conversation(_) => 1,
        TaskInput::Message(message) => 1 + message.content.len(),
    };
    let of_tasks = tasks.iter().flat_map(|task| &task.input).map(of_input).sum::<usize>();
    let of_answer = match next {
        Continuation::Compose(parts) => parts.len(),
        Continuation::Answer(_) | Continuation::Resume(_) => 0,
    };
    of_tasks + of_answer
}

impl<'a> Assembly<'a> {
    pub(super) fn new(scope: &'a PlanScope<'a>) -> Self {
        Self { scope, bytes: 0, input_tokens: 0, conversations: HashMap::new() }
    }

    /// Validates a number of pieces before they are walked.
    pub(super) fn check_pieces(&self, pieces: usize) -> Result<(), PlanLimitExceeded> {
        self.check_bytes((pieces as u64).saturating_mul(PIECE_BYTES))
    }

    /// Returns the kinds of content in the input of a task, and its size without outputs.
    pub(super) fn input(
        &mut self,
        name: &str,
        operation: Operation,
        input: &[TaskInput],
        options: &[(String, String)],
    ) -> Result<(Modalities, ContentSize), InvalidPlan> {
        let fault = |fault| InvalidPlan::Task { task: name.to_owned(), fault };
        let written = options.iter().map(|(name, value)| (name.len() + value.len()) as u64).sum();
        let (mut kinds, mut size) = (Modalities::empty(), ContentSize::text(0, written));
        for input in input {
            match input {
                TaskInput::Conversation(wanted) => {
                    kinds |= *wanted & self.scope.request.inputs;
                    size += self.conversation(*wanted);
                }
                TaskInput::Message(message) => {
                    let (of_message, message) = self.message(name, message, &size)?;
                    kinds |= of_message;
                    size += message;
                }
            }
            self.check_bytes(size.assembled_bytes())?;
        }
        check_shape(operation, input, kinds).map_err(fault)?;
        self.bytes = self.bytes.saturating_add(size.assembled_bytes());
        self.input_tokens = self.input_tokens.saturating_add(size.input_tokens());
        let limit = self.scope.limits.input_tokens;
        if self.input_tokens > limit {
            return Err(PlanLimitExceeded::InputTokens(limit).into());
        }
        Ok((kinds, size))
    }

    /// Returns the size of an answer that is composed of texts, without outputs.
    pub(super) fn answer(&mut self, content: &[ComposedPart]) -> Result<ContentSize, InvalidPlan> {
        let mut size = ContentSize::default();
        for part in content {
            size += match part {
                ComposedPart::Original(place) => match self.original(place) {
                    Ok((Modalities::TEXT, size)) => size,
                    _ => return Err(InvalidPlan::AnswerContent { message: place.message, part: place.part }),
                },
                ComposedPart::Text(_) | ComposedPart::Output(_) => own_size(part),
            };
            self.check_bytes(size.assembled_bytes())?;
        }
        Ok(size)
    }

    fn conversation(&mut self, kinds: Modalities) -> ContentSize {
        let content = self.scope.content;
        *self.conversations.entry(kinds).or_insert_with(|| content.conversation_size(kinds))
    }

    /// Returns the kinds and the size of a message; `before` is the size of the preceding content
    /// of the same input.
    fn message(
        &self,
        name: &str,
        message: &ComposedMessage,
        before: &ContentSize,
    ) -> Result<(Modalities, ContentSize), InvalidPlan> {
        let fault = |fault| InvalidPlan::Task { task: name.to_owned(), fault };
        if message.content.is_empty() {
            return Err(fault(TaskFault::NoInput));
        }
        let (mut kinds, mut size) = (Modalities::empty(), ContentSize::message());
        for part in &message.content {
            let (kind, of_part) = match part {
                ComposedPart::Text(_) | ComposedPart::Output(_) => (Modalities::TEXT, own_size(part)),
                ComposedPart::Original(place) => self.original(place).map_err(fault)?,
            };
            kinds |= kind;
            size += of_part;
            self.check_bytes((*before + size).assembled_bytes())?;
        }
        Ok((kinds, size))
    }

    /// Returns the kind and the size of a part of the request, if it exists.
    fn original(&self, place: &ContentRef) -> Result<(Modalities, ContentSize), TaskFault> {
        let ContentRef { message, part, excerpt } = *place;
        let parts = self.scope.content.parts();
        // Parts are in the order of the conversation.
        let found = parts.binary_search_by_key(&(message, part), |it| (it.message, it.part));
        let unknown = TaskFault::UnknownContent { message, part };
        let found = found.ok().and_then(|at| parts.get(at)).ok_or(unknown.clone())?;
        match (self.scope.content.part_size(message, part, excerpt), excerpt) {
            (Some(size), _) => Ok((found.kind, size)),
            (None, Some((from, to))) => Err(TaskFault::Excerpt { message, part, from, to }),
            (None, None) => Err(unknown),
        }
    }

    fn check_bytes(&self, more: u64) -> Result<(), PlanLimitExceeded> {
        let limit = self.scope.limits.assembled_bytes;
        if self.bytes.saturating_add(more) > limit {
            return Err(PlanLimitExceeded::AssembledBytes(limit));
        }
        Ok(())
    }
}

/// Returns the size of a part that is not from the request. The length of an output is not known
/// yet.
fn own_size(part: &ComposedPart) -> ContentSize {
    match part {
        ComposedPart::Text(text) => ContentSize::unwritten(text),
        ComposedPart::Original(_) | ComposedPart::Output(_) => ContentSize::text(0, 0),
    }
}

/// Validates that an input has the shape that an operation requires.
fn check_shape(operation: Operation, input: &[TaskInput], kinds: Modalities) -> Result<(), TaskFault> {
    let (first, only) = match input {
        [] => return Err(TaskFault::NoInput),
        [TaskInput::Message(message)] => (message.content.as_slice(), true),
        _ => (&[][..], false),
    };
    match operation {
        Operation::Chat => Ok(()),
        // The recording is sent as a file, and the model need not take text.
        Operation::Transcription | Operation::Translation => {
            let is_recording = only && first.len() == 1 && kinds == Modalities::AUDIO;
            is_recording.then_some(()).ok_or(TaskFault::InputShape(match operation {
                Operation::Translation => "a translation takes one message with one recording in it",
                _ => "a transcription takes one message with one recording in it",
            }))
        }
        Operation::Embedding | Operation::Speech | Operation::Image | Operation::Moderation => {
            let is_text = only && !first.is_empty() && kinds == Modalities::TEXT;
            is_text.then_some(()).ok_or(TaskFault::InputShape(match operation {
                Operation::Embedding => "an embedding takes one message with text in it",
                Operation::Speech => "a speech takes one message with text in it",
                Operation::Image => "an image takes one message with text in it",
                _ => "a moderation takes one message with text in it",
            }))
        }
    }
}
