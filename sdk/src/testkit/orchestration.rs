//! Execution of plans with models that a test simulates.

use std::cell::RefCell;
use std::collections::BTreeMap;

use super::Gateway;
use super::content::shown;
use super::rules::{broken_plan_rule, broken_rule, broken_text_rule};
use crate::plan::{Input, Next, Part, PlanRecord, Role, Step, Task};
use crate::{
    Candidate, Decision, Orchestrator, Refusal, Request, TaskResult, TaskStatus, component, estimate,
};

/// The steps after which a policy counts as endless.
const MAX_STEPS: usize = 16;

/// A call of a model for a task. Media are shown as `[image 0.1]`: kind, message, part.
#[derive(Clone, Debug, PartialEq)]
pub struct Call {
    /// The task's number.
    pub number: u32,
    /// The task.
    pub task: Task,
    /// The id of the candidate that is called.
    pub model: String,
    /// Role and text of each message.
    pub messages: Vec<(String, String)>,
}

/// The end of an orchestrated request.
#[derive(Clone, Debug, PartialEq)]
pub enum Ending {
    /// The policy routed the request to one model.
    Routed(Decision),
    /// The plan produced this answer.
    Answered(String),
}

/// The result of an orchestrated request.
#[derive(Clone, Debug, PartialEq)]
pub struct Orchestrated {
    /// The end of the request.
    pub ending: Ending,
    /// The label of the last step.
    pub label: String,
    /// The reason of the last step.
    pub reason: Option<String>,
    /// All calls, in the order in which they were made.
    pub calls: Vec<Call>,
    /// The number of calls of the policy.
    pub steps: usize,
}

impl Orchestrated {
    /// Returns the answer.
    ///
    /// # Panics
    /// If the request was only routed.
    #[track_caller]
    pub fn answer(&self) -> &str {
        match &self.ending {
            Ending::Answered(text) => text,
            Ending::Routed(decision) => unreachable!("the request was routed: {decision:?}"),
        }
    }

    /// Returns the names of the tasks whose models were called, in order.
    pub fn names(&self) -> Vec<&str> {
        self.calls.iter().map(|call| call.task.name.as_str()).collect()
    }
}

/// The state of a request while its plans run.
struct Run<'a> {
    gateway: &'a Gateway,
    candidates: &'a [Candidate],
    results: Vec<TaskResult>,
    calls: Vec<Call>,
}

impl Gateway {
    /// Plans and resumes with fresh instances of a policy, and runs the tasks as the gateway
    /// does, but one after the other. `model` answers each call; if it returns an error, the
    /// task's next target is called.
    ///
    /// # Errors
    /// A refusal of the policy; [`Refusal::Internal`] if a task fails that is not optional.
    ///
    /// # Panics
    /// If a plan breaks a rule of the contract.
    pub fn orchestrate<P: Orchestrator>(
        &self,
        request: &Request,
        candidates: &[Candidate],
        mut model: impl FnMut(&Call) -> Result<String, String>,
    ) -> Result<Orchestrated, Refusal> {
        let gateway = self.clone().whole(self.count_whole(request, candidates));
        gateway.stand_in.calls.outputs.replace(BTreeMap::new());
        let mut run = Run { gateway: &gateway, candidates, results: Vec::new(), calls: Vec::new() };
        let mut step = gateway.run(|| component::plan_step::<P>(&RefCell::new(None), request, candidates))?;
        for steps in 1..=MAX_STEPS {
            let (ending, label, reason) = match step {
                Step::Route(decision) => {
                    assert_eq!(
                        broken_rule(&decision, gateway.stand_in.whole.unwrap_or(0)),
                        None,
                        "{decision:?}"
                    );
                    let (label, reason) = (decision.label.clone(), decision.reason.clone());
                    (Ending::Routed(decision), label, reason)
                }
                Step::Finish(finished) => {
                    assert_eq!(broken_text_rule(&finished.label, finished.reason.as_deref()), None);
                    (Ending::Answered(run.joined(&finished.content)), finished.label, finished.reason)
                }
                Step::Run(plan) => {
                    let first = run.results.len() as u32;
                    assert_eq!(broken_plan_rule(&plan, first, candidates.len()), None, "{plan:?}");
                    run.tasks(&plan, &mut model)?;
                    let ending = match &plan.next {
                        Next::Answer(task) => run.output(*task).unwrap_or_default(),
                        Next::Compose(parts) => run.joined(parts),
                        Next::Resume(state) => {
                            let results = &run.results;
                            step = gateway.run(|| {
                                let instance = RefCell::new(None);
                                component::resume_step::<P>(&instance, request, candidates, state, results)
                            })?;
                            continue;
                        }
                    };
                    (Ending::Answered(ending), plan.label, plan.reason)
                }
            };
            return Ok(Orchestrated { ending, label, reason, calls: run.calls, steps });
        }
        unreachable!("the policy is still not done after {MAX_STEPS} steps")
    }

    /// Checks the settings, as when the policy is loaded.
    pub fn validate_orchestrator<P: Orchestrator>(&self) -> Result<(), String> {
        self.run(component::validate_orchestrator::<P>)
    }

    /// Counts the candidates that can serve the whole request. The gateway puts them first.
    fn count_whole(&self, request: &Request, candidates: &[Candidate]) -> usize {
        if let Some(whole) = self.stand_in.whole {
            return whole;
        }
        let chats = |index: usize| {
            self.stand_in
                .operations
                .get(&(index as u32))
                .is_none_or(|names| names.iter().any(|name| name == "chat"))
        };
        let is_whole = |(index, candidate): (usize, &Candidate)| {
            candidate.inputs.contains(request.inputs)
                && candidate.abilities.contains(request.needs)
                && chats(index)
        };
        let whole: Vec<bool> = candidates.iter().enumerate().map(is_whole).collect();
        assert!(
            whole.is_sorted_by_key(|whole| !whole),
            "the gateway puts candidates that can serve the whole request first: do so in the test"
        );
        whole.into_iter().filter(|whole| *whole).count()
    }
}

impl Run<'_> {
    /// Runs the tasks of a plan, each once the tasks that it waits for have ended.
    fn tasks(
        &mut self,
        plan: &PlanRecord,
        model: &mut impl FnMut(&Call) -> Result<String, String>,
    ) -> Result<(), Refusal> {
        let first = self.results.len() as u32;
        let mut done: BTreeMap<u32, TaskResult> = BTreeMap::new();
        while done.len() < plan.tasks.len() {
            let is_ready = |&(at, task): &(usize, &Task)| {
                !done.contains_key(&(first + at as u32)) && task.after.iter().all(|it| done.contains_key(it))
            };
            let ready = plan.tasks.iter().enumerate().find(is_ready);
            let Some((at, task)) = ready else { unreachable!("a checked plan has no circle") };
            let number = first + at as u32;
            let result = self.task(number, task, model);
            if let (TaskStatus::Failed, false) = (result.status, task.optional) {
                let why = result.error.unwrap_or_default();
                return Err(Refusal::Internal(format!("task `{}` failed: {why}", task.name)));
            }
            done.insert(number, result);
        }
        self.results.extend(done.into_values());
        Ok(())
    }

    fn task(
        &mut self,
        number: u32,
        task: &Task,
        model: &mut impl FnMut(&Call) -> Result<String, String>,
    ) -> TaskResult {
        let mut result = TaskResult {
            task: number,
            name: task.name.clone(),
            status: TaskStatus::Failed,
            candidate: None,
            finish_reason: None,
            output_bytes: 0,
            input_tokens: 0,
            output_tokens: 0,
            cost: 0.0,
            latency_ms: 100.0,
            error: None,
        };
        let messages: Vec<(String, String)> = task.input.iter().flat_map(|input| self.shown(input)).collect();
        for target in &task.targets {
            let candidate = &self.candidates[target.candidate as usize];
            let call =
                Call { number, task: task.clone(), model: candidate.id.clone(), messages: messages.clone() };
            let said = model(&call);
            let tokens: usize = call.messages.iter().map(|(_, text)| text.len().div_ceil(4)).sum();
            result.input_tokens += tokens as u32;
            self.calls.push(call);
            match said {
                Ok(text) => {
                    result.output_tokens = text.len().div_ceil(4) as u32;
                    result.output_bytes = text.len() as u32;
                    let (input, output) = (f64::from(result.input_tokens), f64::from(result.output_tokens));
                    result.cost = estimate::cost_usd(candidate, input, output);
                    result.candidate = Some(target.candidate);
                    result.finish_reason = Some("stop".to_owned());
                    result.status = TaskStatus::Done;
                    self.gateway.stand_in.calls.outputs.borrow_mut().insert(number, text);
                    return result;
                }
                Err(why) => result.error = Some(why),
            }
        }
        result
    }

    fn shown(&self, input: &Input) -> Vec<(String, String)> {
        match input {
            Input::Message(message) => {
                vec![(role_name(message.role).to_owned(), self.joined(&message.content))]
            }
            Input::Conversation(kinds) => self.gateway.conversation(*kinds),
        }
    }

    fn joined(&self, parts: &[Part]) -> String {
        parts.iter().map(|part| self.part(part)).collect()
    }

    fn part(&self, part: &Part) -> String {
        match part {
            Part::Text(text) => text.clone(),
            Part::Output(output) => {
                self.output(output.task).or_else(|| output.otherwise.clone()).unwrap_or_default()
            }
            Part::Original(place) => {
                let found = self.gateway.part_at(place.message, place.part);
                let Some(found) = found else { unreachable!("the request has no part {place:?}") };
                let text = shown(found, place.message, place.part);
                match place.excerpt {
                    Some((from, to)) => text[from as usize..to as usize].to_owned(),
                    None => text,
                }
            }
        }
    }

    fn output(&self, task: u32) -> Option<String> {
        self.gateway.stand_in.calls.outputs.borrow().get(&task).cloned()
    }
}

fn role_name(role: Role) -> &'static str {
    match role {
        Role::System => "system",
        Role::User => "user",
        Role::Assistant => "assistant",
    }
}
