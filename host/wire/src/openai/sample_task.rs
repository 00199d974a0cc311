//! Validated tasks for tests, which can only be made from a plan.

use std::sync::Arc;

use bytes::Bytes;
use pointsman_domain::candidate::Candidate;
use pointsman_domain::decision::Target;
use pointsman_domain::model::{Abilities, Modalities, Model, Operation};
use pointsman_domain::plan::{
    ComposedMessage, ComposedPart, ContentRef, Continuation, FinishProposal, InvalidPlan, MessageRole,
    OutputRef, PlanLimits, PlanProposal, PlanScope, PlanStep, Task, TaskInput, TaskProposal,
};
use pointsman_domain::request::RequestFacts;

use super::client::{ChatRequest, RequestScan};
use crate::task_outputs::TaskOutputs;

/// Number of tasks that ended before the one under test.
pub(super) const ENDED: usize = 3;

pub(super) fn request(body: &str) -> ChatRequest {
    let mut scan = RequestScan::default();
    scan.push(Bytes::copy_from_slice(body.as_bytes())).unwrap();
    scan.finish().unwrap()
}

pub(super) fn chat(input: Vec<TaskInput>) -> TaskProposal {
    TaskProposal {
        name: "test".to_owned(),
        operation: "chat".to_owned(),
        targets: vec![Target { candidate: 0, timeout: None }],
        input,
        after: Vec::new(),
        optional: false,
        max_output_tokens: None,
        timeout: None,
        hedge_after: None,
        options: Vec::new(),
    }
}

pub(super) fn user(content: Vec<ComposedPart>) -> TaskInput {
    TaskInput::Message(ComposedMessage { role: MessageRole::User, content })
}

pub(super) fn text(text: &str) -> ComposedPart {
    ComposedPart::Text(text.to_owned())
}

pub(super) fn original(message: usize, part: usize) -> ComposedPart {
    ComposedPart::Original(ContentRef { message, part, excerpt: None })
}

pub(super) fn output(task: usize, otherwise: Option<&str>) -> ComposedPart {
    ComposedPart::Output(OutputRef { task, otherwise: otherwise.map(str::to_owned) })
}

/// Returns the outputs of tasks, by number.
pub(super) fn outputs_of<'a>(texts: impl IntoIterator<Item = Option<&'a str>>) -> TaskOutputs {
    let mut outputs = TaskOutputs::default();
    for (task, text) in texts.into_iter().enumerate() {
        outputs.set(task, text.map(Arc::from));
    }
    outputs
}

/// Returns the validated task of a request, with one candidate that can do everything.
pub(super) fn checked(request: &ChatRequest, proposal: TaskProposal) -> Task {
    let plan = PlanProposal {
        tasks: vec![proposal],
        next: Continuation::Resume(Vec::new()),
        label: "test".to_owned(),
        reason: None,
    };
    in_scope(request, |scope| plan.validate(scope)).unwrap().tasks()[0].clone()
}

/// Validates a composed answer to a request.
pub(super) fn finish_of(request: &ChatRequest, proposal: FinishProposal) -> Result<PlanStep, InvalidPlan> {
    in_scope(request, |scope| scope.finish(proposal))
}

fn in_scope<T>(request: &ChatRequest, check: impl FnOnce(&PlanScope<'_>) -> T) -> T {
    let facts = RequestFacts {
        input_tokens: request.input_tokens,
        least_input_tokens: request.least_input_tokens,
        max_output_tokens: request.max_output_tokens,
        inputs: request.inputs,
        needs: request.needs,
        negotiable_needs: request.negotiable_needs,
        turns: request.turns,
        streaming: request.streaming,
        ..RequestFacts::new("test", request.model.clone())
    };
    check(&PlanScope {
        request: &facts,
        content: &request.prompt(),
        candidates: &[candidate()],
        whole: 1,
        first: ENDED,
        limits: &PlanLimits::default(),
    })
}

fn candidate() -> Candidate {
    let model = Model {
        operations: Operation::ALL.to_vec(),
        inputs: Modalities::all(),
        abilities: Abilities::all(),
        ..Model::new("fake", "all")
    };
    let live = model.live.snapshot(&model.expected, std::time::Instant::now());
    Candidate { model: Arc::new(model), live }
}
