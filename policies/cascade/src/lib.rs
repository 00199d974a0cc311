//! A cheap model first, and a better one where its answer will not do. Settings,
//! labels and the plan: README.md.

use pointsman_sdk::plan::{self, Part, Plan, Task};
use pointsman_sdk::prelude::*;
use pointsman_sdk::{Abilities, Modalities, Orchestrator, Step, TaskResult, prompt};
use pointsman_tasks::{Task as Kind, classify};
use serde::{Deserialize, Serialize};

mod code;
mod confidence;
mod grade;
mod json;
mod ladder;
mod settings;
mod verdict;

pub use settings::{Check, Settings};
use verdict::Verdict;

/// Most tokens of an answer that is going to be checked; the gateway limits what
/// all tasks of a request may give together, and this leaves room for the others.
const MOST_TOKENS: u32 = 16_384;

/// Most tokens of a grade, with what a model thinks before it gives one.
const GRADE_TOKENS: u32 = 2_048;

/// The policy.
#[derive(Clone, Debug)]
pub struct Cascade {
    settings: Settings,
}

/// The state of a request between two steps.
#[derive(Clone, Debug, Deserialize, Serialize)]
struct State {
    /// The check of answers; not `Auto`.
    check: Check,
    /// The candidates from the cheapest to the best.
    levels: Vec<usize>,
    /// The level that was tried.
    level: usize,
    /// The task that tried it, when what ended since is its judge.
    judged: Option<u32>,
}

impl Orchestrator for Cascade {
    type Settings = Settings;

    fn new(settings: Settings) -> Result<Self, String> {
        settings.check()?;
        Ok(Self { settings })
    }

    fn plan(&mut self, request: &Request, candidates: &[Candidate]) -> Result<Step, Refusal> {
        let able = ladder::able(request, candidates)?;
        if request.operation != "chat" {
            return Ok(routed(able, "cascade:routed", "only answers to a chat are checked"));
        }
        if request.needs.contains(Abilities::TOOLS) {
            return Ok(routed(able, "cascade:tools", "calls of tools are not checked"));
        }
        if request.needs.intersects(Abilities::STRUCTURED_OUTPUT | Abilities::LOG_PROBABILITIES) {
            return Ok(routed(able, "cascade:format", "only the answering model is given the schema"));
        }
        let levels = ladder::levels(&able, candidates, request, self.settings.levels);
        if levels.len() < 2 {
            return Ok(routed(able, "cascade:single", "no model is better than the cheapest"));
        }
        let state = State { check: self.check_for(request), levels, level: 0, judged: None };
        Ok(attempt(Plan::new(), request, state).because("the cheapest is tried first"))
    }

    fn resume(
        &mut self,
        request: &Request,
        candidates: &[Candidate],
        state: &[u8],
        results: &[TaskResult],
    ) -> Result<Step, Refusal> {
        let state: State = plan::state(state)?;
        let Some(newest) = results.last() else {
            return Err(Refusal::Internal("there is no result to go on with".to_owned()));
        };
        let verdict = if state.judged.is_some() {
            verdict::of_judge(newest, self.settings.grade)
        } else if state.check == Check::Judge && verdict::is_complete(newest) {
            return self.judge(request, candidates, state, results);
        } else {
            verdict::of_rule(state.check, newest, &self.settings)
        };
        let tried = state.judged.unwrap_or(newest.task);
        let label = format!("cascade:level-{}", state.level + 1);
        match verdict {
            Verdict::Accept(why) => Ok(plan::finish([Part::output(tried)], label).because(why)),
            Verdict::AcceptCut(text, why) => Ok(plan::finish([Part::text(text)], label).because(why)),
            Verdict::Reject(why) => escalate(request, candidates, state, results, &why),
        }
    }
}

impl Cascade {
    /// The check for a request.
    fn check_for(&self, request: &Request) -> Check {
        if self.settings.check != Check::Auto {
            return self.settings.check;
        }
        let text = prompt::last_user_text(self.settings.read_bytes);
        if json::is_asked_for(&text) {
            Check::Json
        } else if classify(request, &text, &[]).task == Kind::Code {
            Check::Code
        } else {
            Check::SelfReport
        }
    }

    /// Has the newest answer judged.
    fn judge(
        &self,
        request: &Request,
        candidates: &[Candidate],
        state: State,
        results: &[TaskResult],
    ) -> Result<Step, Refusal> {
        let Some(tried) = results.last() else {
            return Err(Refusal::Internal("no answer to judge".to_owned()));
        };
        let able = ladder::able(request, candidates)?;
        let model = state.levels.get(state.level).copied().unwrap_or_default();
        let judges = ladder::judges(self.settings.judge.as_ref(), model, candidates, &able);
        if judges.is_empty() {
            return escalate(request, candidates, state, results, "there is no judge");
        }
        let mut judging = Task::chat("judge", judges)
            .conversation(Modalities::all())
            .user([Part::text(grade::ASK), Part::output(tried.task), Part::text(grade::THEN)])
            .at_most(GRADE_TOKENS)
            .optional();
        judging.timeout_ms = share_of_time(request, &state);
        let mut plan = Plan::after(results);
        plan.add(judging);
        Ok(plan.resume(&State { judged: Some(tried.task), ..state }, "cascade"))
    }
}

/// The best model answers the request as it is.
fn routed(able: Vec<usize>, label: &str, why: &str) -> Step {
    Step::Route(Decision::of(able, label)).because(why)
}

/// Tries a level.
fn attempt(mut plan: Plan, request: &Request, state: State) -> Step {
    let model = state.levels.get(state.level).copied();
    let mut task = Task::chat(format!("level-{}", state.level + 1), model).optional();
    if state.check == Check::SelfReport {
        task = task.system([confidence::ASK.into()]);
    }
    task = task.conversation(Modalities::all());
    task.max_output_tokens = request.max_output_tokens.map(|limit| limit.clamp(1, MOST_TOKENS));
    task.timeout_ms = share_of_time(request, &state);
    plan.add(task);
    plan.resume(&state, "cascade")
}

/// Goes on to the next level; the last one answers without a check.
fn escalate(
    request: &Request,
    candidates: &[Candidate],
    state: State,
    results: &[TaskResult],
    why: &str,
) -> Result<Step, Refusal> {
    let mut plan = Plan::after(results);
    let state = State { level: state.level + 1, judged: None, ..state };
    if state.level + 1 < state.levels.len() {
        return Ok(attempt(plan, request, state).because(why));
    }
    // Should the last level be dead, any other model is better than none.
    let last = state.levels.last().copied();
    let others = ladder::able(request, candidates)?.into_iter().filter(|&index| Some(index) != last);
    let task = Task::chat("last", last.into_iter().chain(others)).conversation(Modalities::all());
    let task = plan.add(task);
    Ok(plan.answer(task, "cascade:last").because(why))
}

/// An equal share of the time that is left for each call that may follow, so that
/// a model which hangs leaves time for a better one.
fn share_of_time(request: &Request, state: &State) -> Option<u32> {
    let before_last = state.levels.len().saturating_sub(state.level + 1);
    let calls = if state.check == Check::Judge { 2 * before_last } else { before_last } + 1;
    let calls = calls - usize::from(state.judged.is_some());
    request.deadline_ms.map(|left| (left / calls.max(1) as u32).max(1))
}

pointsman_sdk::describe!(include_str!("../description.json"));
export!(Cascade, orchestrator);

#[cfg(test)]
mod tests;
