//! Several models answer, see each other's answers, and one makes the best of
//! them. Settings, labels and the plan: README.md.

use pointsman_sdk::plan::{self, Part, Plan, Task};
use pointsman_sdk::prelude::*;
use pointsman_sdk::{Abilities, Modalities, Orchestrator, Step, TaskResult, TaskStatus, outputs};
use serde::{Deserialize, Serialize};

mod agreement;
mod choose;
mod settings;
mod words;

pub use settings::{Agents, Settings};

/// Bytes of answers that are read in one step, all together: the gateway's limit
/// is 64 KiB.
const MOST_BYTES: usize = 60 << 10;

/// Most tokens of all answers of a round together: the gateway limits what the
/// tasks of a plan may give.
const MOST_TOKENS: u32 = 60_000;

/// The policy.
#[derive(Clone, Debug)]
pub struct Collaborate {
    settings: Settings,
}

/// The state of a request between two steps.
#[derive(Clone, Debug, Deserialize, Serialize)]
struct State {
    /// The round that was run, counted from 1.
    round: u32,
    /// Those that take part in it.
    agents: Vec<Agent>,
}

/// A model that answers.
#[derive(Clone, Debug, Deserialize, Serialize)]
struct Agent {
    /// The candidate.
    candidate: usize,
    /// Its place among all agents, by which it has its role.
    place: usize,
    /// The task with its newest answer of earlier rounds.
    answer: Option<u32>,
}

impl Orchestrator for Collaborate {
    type Settings = Settings;

    fn new(settings: Settings) -> Result<Self, String> {
        settings.check()?;
        Ok(Self { settings })
    }

    fn plan(&mut self, request: &Request, candidates: &[Candidate]) -> Result<Step, Refusal> {
        let able = choose::able(request, candidates)?;
        if request.operation != "chat" {
            return Ok(routed(able, "collaborate:routed", "only a chat is answered together"));
        }
        if request.needs.contains(Abilities::TOOLS) {
            return Ok(routed(able, "collaborate:tools", "only the answering model is given the tools"));
        }
        let chosen = choose::agents(&self.settings.agents, &able, candidates);
        if chosen.len() < 2 {
            return Ok(routed(able, "collaborate:alone", "there is no second model to ask"));
        }
        if !self.is_affordable(request, candidates, &chosen) {
            return Ok(routed(
                able,
                "collaborate:budget",
                "the budget pays one answer, but not a collaboration",
            ));
        }
        let agent = |(place, candidate)| Agent { candidate, place, answer: None };
        let agents: Vec<Agent> = chosen.into_iter().enumerate().map(agent).collect();
        let why = format!("{} models answer, in at most {} rounds", agents.len(), self.settings.rounds);
        Ok(self.round(Plan::new(), request, State { round: 1, agents }).because(why))
    }

    fn resume(
        &mut self,
        request: &Request,
        candidates: &[Candidate],
        state: &[u8],
        results: &[TaskResult],
    ) -> Result<Step, Refusal> {
        let state: State = plan::state(state)?;
        let asked = state.agents.len();
        let state = State { agents: answered(state.agents, results), ..state };
        let answers: Vec<u32> = state.agents.iter().filter_map(|agent| agent.answer).collect();
        let must_aggregate =
            request.needs.intersects(Abilities::STRUCTURED_OUTPUT | Abilities::LOG_PROBABILITIES);
        match answers[..] {
            [] => {
                return Err(Refusal::NoCandidate(format!(
                    "none of the {asked} models that were asked gave an answer"
                )));
            }
            [only] if !must_aggregate => {
                let step = plan::finish([Part::output(only)], "collaborate:one-answer");
                return Ok(step.because(format_args!("only 1 of {asked} models gave an answer")));
            }
            [first, ..] if !must_aggregate && self.settings.agreement > 0.0 => {
                let alike = alike(&answers, results);
                if alike >= self.settings.agreement {
                    let step = plan::finish([Part::output(first)], "collaborate:agreed");
                    let (number, round) = (answers.len(), state.round);
                    return Ok(step
                        .because(format_args!("{number} answers of round {round} are alike at {alike:.2}")));
                }
            }
            _ => {}
        }
        if state.round < self.settings.rounds && answers.len() > 1 {
            let why = format!("{} answers are exchanged", answers.len());
            let state = State { round: state.round + 1, ..state };
            return Ok(self.round(Plan::after(results), request, state).because(why));
        }
        self.aggregate(request, candidates, &answers, results)
    }
}

impl Collaborate {
    /// True if the budget covers every call that the plan may make: each agent in each round,
    /// and the most expensive of them once more for the answer.
    fn is_affordable(&self, request: &Request, candidates: &[Candidate], agents: &[usize]) -> bool {
        let Some(left) = request.budget_left else { return true };
        let costs = agents.iter().map(|&index| estimate::request_cost_usd(&candidates[index], request));
        let (sum, most) = costs.fold((0.0, 0.0_f64), |(sum, most), cost| (sum + cost, most.max(cost)));
        sum * f64::from(self.settings.rounds) + most <= left
    }

    /// All agents answer: in the first round the request, later with what the
    /// others said.
    fn round(&self, mut plan: Plan, request: &Request, state: State) -> Step {
        let State { round, agents } = &state;
        let rounds_left = self.settings.rounds.saturating_sub(*round) + 2;
        let time = request.deadline_ms.map(|left| (left / rounds_left).max(1));
        let tokens = request.max_output_tokens.map(|limit| limit.clamp(1, MOST_TOKENS / agents.len() as u32));
        for agent in agents {
            let mut task = Task::chat(format!("agent-{}:round-{round}", agent.place + 1), [agent.candidate]);
            if let Some(role) = self.settings.roles.get(agent.place) {
                task = task.system([Part::text(role)]);
            }
            task = task.conversation(Modalities::all());
            if let Some(own) = agent.answer {
                let others = agents.iter().filter_map(|other| other.answer).filter(|&other| other != own);
                let others: Vec<u32> = others.collect();
                task = task.assistant([Part::output(own)]).user(words::for_agent(&others));
            }
            task.max_output_tokens = tokens;
            task.timeout_ms = time;
            plan.add(task.optional());
        }
        plan.resume(&state, "collaborate")
    }

    /// One model writes the answer.
    fn aggregate(
        &self,
        request: &Request,
        candidates: &[Candidate],
        answers: &[u32],
        results: &[TaskResult],
    ) -> Result<Step, Refusal> {
        let able = choose::able(request, candidates)?;
        let writers = choose::aggregators(self.settings.aggregator.as_ref(), &able, candidates);
        let mut plan = Plan::after(results);
        let task = Task::chat("aggregate", writers)
            .system(words::for_aggregator(answers))
            .conversation(Modalities::all());
        let task = plan.add(task);
        let why = format!("made of {} answers", answers.len());
        Ok(plan.answer(task, "collaborate:aggregated").because(why))
    }
}

/// The best model answers the request as it is.
fn routed(able: Vec<usize>, label: &str, why: &str) -> Step {
    Step::Route(Decision::of(able, label)).because(why)
}

/// Those of the agents that gave an answer, now or earlier, with the newest. Their
/// tasks are the newest, in their order.
fn answered(agents: Vec<Agent>, results: &[TaskResult]) -> Vec<Agent> {
    let newest =
        results.len().checked_sub(agents.len()).and_then(|first| results.get(first..)).unwrap_or_default();
    let with_answer = agents.into_iter().zip(newest).filter_map(|(agent, result)| {
        let is_there = result.status == TaskStatus::Done && result.output_bytes > 0;
        let answer = if is_there { Some(result.task) } else { agent.answer };
        answer.map(|_| Agent { answer, ..agent })
    });
    with_answer.collect()
}

/// Returns the similarity of the answers; 0 if they are too long to be read together.
fn alike(answers: &[u32], results: &[TaskResult]) -> f64 {
    let share = MOST_BYTES / answers.len().max(1);
    let read = answers.iter().map(|&task| {
        let result = results.get(task as usize)?;
        let fits = usize::try_from(result.output_bytes).is_ok_and(|bytes| bytes <= share);
        fits.then(|| outputs::text(task, share)).flatten()
    });
    read.collect::<Option<Vec<String>>>().map_or(0.0, |answers| agreement::least(&answers))
}

pointsman_sdk::describe!(include_str!("../description.json"));
export!(Collaborate, orchestrator);

#[cfg(test)]
mod tests;
