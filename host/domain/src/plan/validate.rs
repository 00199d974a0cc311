use std::time::Duration;

use super::{
    ComposedPart, Continuation, Finish, FinishProposal, InvalidPlan, MAX_STATE, OutputRef, Plan, PlanLimits,
    PlanProposal, PlanStep, Task, TaskFault, TaskProposal, outputs_of,
};
use crate::candidate::Candidate;
use crate::decision::{Decision, MAX_LABEL, Proposal, check_texts, is_label};
use crate::model::{Abilities, Modalities, Operation};
use crate::prompt::{ContentSize, Prompt};
use crate::request::RequestFacts;
use crate::text::printable;

mod assembly;
mod options;
mod order;

use assembly::Assembly;

/// Context that a step is validated against.
#[derive(Clone, Copy)]
pub struct PlanScope<'a> {
    /// Facts of the request.
    pub request: &'a RequestFacts,
    /// Content of the request, of which only the shape is read.
    pub content: &'a dyn Prompt,
    /// Candidates of the policy's input.
    pub candidates: &'a [Candidate],
    /// Number of candidates, counted from the first, that can serve the whole request.
    pub whole: usize,
    /// Number of tasks of earlier steps.
    pub first: usize,
    /// Limits of the plan.
    pub limits: &'a PlanLimits,
}

impl PlanScope<'_> {
    /// Validates a decision for the whole request.
    pub fn decision(&self, proposal: Proposal) -> Result<PlanStep, InvalidPlan> {
        let decision = proposal.validate(self.candidates.len())?;
        let not_whole = |target: &crate::decision::Target| target.candidate >= self.whole;
        match decision.targets().iter().position(not_whole) {
            None => Ok(PlanStep::Route(decision)),
            Some(position) => {
                let candidate = decision.targets()[position].candidate;
                let model = self.candidates[candidate].model.id.to_string();
                Err(InvalidPlan::NotWhole { position, model })
            }
        }
    }

    /// Validates an answer.
    pub fn finish(&self, proposal: FinishProposal) -> Result<PlanStep, InvalidPlan> {
        self.check_operation()?;
        let FinishProposal { content, label, reason } = proposal;
        let reason = check_texts(&label, reason)?;
        let mut assembly = Assembly::new(self);
        assembly.check_pieces(content.len())?;
        let size = self.check_answer(&content, self.first, &mut assembly)?;
        Ok(PlanStep::Finish(Finish { content, size, label, reason }))
    }

    /// Validates the parts of an answer after `tasks` tasks, and returns its size.
    fn check_answer(
        &self,
        content: &[ComposedPart],
        tasks: usize,
        assembly: &mut Assembly<'_>,
    ) -> Result<ContentSize, InvalidPlan> {
        if let Some(unknown) = outputs_of(content).find(|output| output.task >= tasks) {
            return Err(InvalidPlan::UnknownAnswer(unknown.task));
        }
        assembly.answer(content)
    }

    /// Validates that the request is one that a plan can answer.
    fn check_operation(&self) -> Result<(), InvalidPlan> {
        match self.request.operation {
            Operation::Chat => Ok(()),
            other => Err(InvalidPlan::Operation(other)),
        }
    }

    fn task(
        &self,
        number: usize,
        proposal: TaskProposal,
        answers: bool,
        assembly: &mut Assembly<'_>,
    ) -> Result<Task, InvalidPlan> {
        let TaskProposal { name, operation, targets, input, after, optional, .. } = proposal;
        if !is_label(&name) {
            return Err(InvalidPlan::Name { number, name: printable(&name, MAX_LABEL) });
        }
        let fault = |fault| InvalidPlan::Task { task: name.clone(), fault };
        let operation = operation_named(&operation).map_err(fault)?;
        options::check(operation, &proposal.options).map_err(fault)?;
        check_zeros(proposal.max_output_tokens, proposal.timeout).map_err(fault)?;
        let (kinds, size) = assembly.input(&name, operation, &input, &proposal.options)?;
        if answers {
            check_answering(operation, optional).map_err(fault)?;
        }
        let decision = Proposal {
            targets,
            label: name.clone(),
            reason: None,
            hedge_after: proposal.hedge_after,
            propensity: None,
        };
        let decision =
            decision.validate(self.candidates.len()).map_err(|error| fault(TaskFault::Targets(error)))?;
        let needs = if answers { self.request.binding_needs() } else { Abilities::empty() };
        self.check_models(&decision, operation, kinds, needs).map_err(fault)?;
        Ok(Task {
            operation,
            input,
            after,
            optional,
            max_output_tokens: proposal.max_output_tokens,
            timeout: proposal.timeout,
            options: proposal.options,
            size,
            decision,
        })
    }

    /// Validates that every target can do the task.
    fn check_models(
        &self,
        decision: &Decision,
        operation: Operation,
        kinds: Modalities,
        needs: Abilities,
    ) -> Result<(), TaskFault> {
        for target in decision.targets() {
            let Some(candidate) = self.candidates.get(target.candidate) else { continue };
            let model = || candidate.model.id.to_string();
            if !candidate.model.operations.contains(&operation) {
                return Err(TaskFault::WrongOperation { model: model(), operation });
            }
            let missing = kinds - candidate.model.inputs;
            if !missing.is_empty() {
                return Err(TaskFault::WrongInput { model: model(), kinds: missing });
            }
            if !candidate.model.abilities.contains(needs) {
                return Err(TaskFault::WrongAbilities(model()));
            }
        }
        Ok(())
    }
}

impl PlanProposal {
    /// Validates the plan against every rule of the contract and every limit.
    pub fn validate(self, scope: &PlanScope<'_>) -> Result<Plan, InvalidPlan> {
        let Self { tasks, next, label, reason } = self;
        let reason = check_texts(&label, reason)?;
        let total = scope.first + tasks.len();
        scope.check_operation()?;
        if tasks.is_empty() {
            return Err(InvalidPlan::NoTask);
        }
        if total > scope.limits.tasks {
            let limit = scope.limits.tasks;
            return Err(InvalidPlan::TooManyTasks { tasks: tasks.len(), total, limit });
        }
        check_tokens(&tasks, scope.limits)?;
        let mut assembly = Assembly::new(scope);
        assembly.check_pieces(assembly::pieces(&tasks, &next))?;
        let first = scope.first;
        let answers = |at: usize| matches!(next, Continuation::Answer(task) if task == first + at);
        let checked = tasks.into_iter().enumerate();
        let checked = checked.map(|(at, task)| scope.task(first + at, task, answers(at), &mut assembly));
        let tasks = checked.collect::<Result<_, _>>()?;
        let mut plan = Plan { first, tasks, next, answer_size: ContentSize::default(), label, reason };
        order::check(&plan, scope.limits)?;
        match &plan.next {
            Continuation::Answer(task) if *task < first || *task >= total => {
                Err(InvalidPlan::UnknownAnswer(*task))
            }
            Continuation::Resume(state) if state.len() > MAX_STATE => {
                Err(InvalidPlan::StateTooLarge(state.len()))
            }
            Continuation::Compose(parts) => {
                plan.answer_size = scope.check_answer(parts, total, &mut assembly)?;
                order::check_use(&plan)?;
                Ok(plan)
            }
            Continuation::Answer(_) => {
                order::check_use(&plan)?;
                Ok(plan)
            }
            Continuation::Resume(_) => Ok(plan),
        }
    }
}

fn operation_named(name: &str) -> Result<Operation, TaskFault> {
    Operation::from_name(name).ok_or_else(|| TaskFault::Operation(printable(name, MAX_LABEL)))
}

fn check_zeros(tokens: Option<u32>, timeout: Option<Duration>) -> Result<(), TaskFault> {
    match (tokens, timeout) {
        (Some(0), _) => Err(TaskFault::Zero("limit of output tokens")),
        (_, Some(Duration::ZERO)) => Err(TaskFault::Zero("time")),
        _ => Ok(()),
    }
}

fn check_answering(operation: Operation, optional: bool) -> Result<(), TaskFault> {
    match operation {
        Operation::Chat if optional => Err(TaskFault::OptionalAnswer),
        Operation::Chat => Ok(()),
        other => Err(TaskFault::NotAChat(other)),
    }
}

fn check_tokens(tasks: &[TaskProposal], limits: &PlanLimits) -> Result<(), InvalidPlan> {
    let tokens: u64 = tasks.iter().filter_map(|task| task.max_output_tokens).map(u64::from).sum();
    if tokens > u64::from(limits.output_tokens) {
        return Err(InvalidPlan::TooManyTokens { tokens, limit: limits.output_tokens });
    }
    Ok(())
}

/// Returns the outputs that a task uses.
pub(super) fn uses(task: &Task) -> impl Iterator<Item = &OutputRef> {
    super::outputs_of_inputs(&task.input)
}
