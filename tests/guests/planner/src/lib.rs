//! A policy that splits requests into tasks as its [`Settings`] describe. The load gate's
//! request is routed.

use pointsman_sdk::plan::{self, Next, Part, Plan, PlanRecord, Step, Task};
use pointsman_sdk::prelude::*;
use pointsman_sdk::{Modalities, Orchestrator, TaskResult, TaskStatus, outline, outputs};
use serde::{Deserialize, Serialize};

mod blunder;
mod repeating;

pub use blunder::Blunder;

/// The id of the load gate's request.
const TRIAL: &str = "trial";

/// The plan to make. Task `t0` calls the first candidate, `t1` the second …, and the last
/// candidate answers.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct Settings {
    /// The rule to break.
    pub blunder: Option<Blunder>,
    /// The dependencies of the tasks.
    pub shape: Shape,
    /// The number of tasks before the answer.
    pub tasks: usize,
    /// The tasks that are optional.
    pub optional: Vec<usize>,
    /// The timeout of each task in milliseconds.
    pub timeout_ms: Option<u32>,
    /// The token limit of each task.
    pub max_output_tokens: Option<u32>,
    /// Number of repetitions in the shapes that repeat something.
    #[serde(skip_serializing_if = "is_zero")]
    pub repeat: usize,
    /// True if each of them has all further candidates as targets too.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub fall_back: bool,
    /// Delay before the next target of each of them is started beside a silent one, in
    /// milliseconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hedge_after_ms: Option<u32>,
}

/// Default settings are left out, because released versions do not know all of them.
fn is_zero(number: &usize) -> bool {
    *number == 0
}

/// The dependencies of the tasks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Shape {
    /// The request is routed.
    #[default]
    Route,
    /// All tasks at once, then one that answers from their outputs.
    FanOut,
    /// One task after the other, then one that answers from the last output.
    Chain,
    /// All tasks at once; the answer is composed of their outputs.
    Compose,
    /// All tasks at once; then the policy is resumed and answers with a report of their results.
    Resume,
    /// No task: the policy answers.
    Finish,
    /// No task: the answer is the remaining time in milliseconds.
    TimeLeft,
    /// All tasks at once; then the policy is resumed and routes the request.
    ThenRoute,
    /// All tasks at once; then the policy is resumed and routes the request to the last
    /// candidate.
    ThenRouteToLast,
    /// All tasks at once; then the policy is resumed and declines.
    ThenRefuse,
    /// All tasks at once; then the policy is resumed and panics if one of them failed.
    ThenUnwrap,
    /// All tasks at once; then the policy is resumed and panics if an output is no JSON.
    ThenParse,
    /// A transcription of each recording, then a task that answers from them.
    Transcribe,
    /// An embedding of the newest text, which is the answer.
    Embed,
    /// A speech by the first candidate, an image by the second and a moderation by the third, all of
    /// the newest text; the answer is composed of their outputs.
    Produce,
    /// One task, then one that answers from its output, many times over.
    RepeatOutput,
    /// One task, whose output makes the answer many times over.
    ComposeOutput,
    /// A task that is given the conversation many times.
    RepeatConversation,
    /// A task that is given many excerpts of one byte before the end of a text.
    Excerpts,
    /// No task: the answer is the newest text many times over.
    FinishText,
    /// One task in each of two steps, both given the conversation many times.
    RepeatInSteps,
}

/// The policy.
pub struct Planner(Settings);

impl Orchestrator for Planner {
    type Settings = Settings;

    fn new(settings: Settings) -> Result<Self, String> {
        Ok(Self(settings))
    }

    fn plan(&mut self, request: &Request, candidates: &[Candidate]) -> Result<Step, Refusal> {
        if request.id == TRIAL {
            return Ok(Step::Route(Decision::of(0..outline::whole(), "trial")));
        }
        if let Some(blunder) = self.0.blunder {
            return blunder.plan(candidates.len());
        }
        Ok(self.shaped(request, candidates.len()))
    }

    fn resume(
        &mut self,
        _: &Request,
        candidates: &[Candidate],
        state: &[u8],
        results: &[TaskResult],
    ) -> Result<Step, Refusal> {
        if let Some(blunder) = self.0.blunder {
            return blunder.resume(candidates.len(), results);
        }
        let count: usize = plan::state(state)?;
        match self.0.shape {
            Shape::ThenRoute => Ok(Step::Route(Decision::of(0..outline::whole(), "routed-after-all"))),
            Shape::ThenRouteToLast => Ok(Step::Route(Decision::of([candidates.len() - 1], "routed-to-last"))),
            Shape::RepeatInSteps => Ok(repeating::second_step(self.0.repeat, results)),
            Shape::ThenRefuse => Err(Refusal::Denied("not after this".to_owned())),
            Shape::ThenUnwrap | Shape::ThenParse => Ok(trusting(self.0.shape, results)),
            _ => Ok(plan::finish([Part::text(report(count, results))], "resumed")),
        }
    }
}

impl Planner {
    fn shaped(&self, request: &Request, candidates: usize) -> Step {
        let mut plan = Plan::new();
        match self.0.shape {
            Shape::Route => Step::Route(Decision::of(0..outline::whole(), "routed")),
            Shape::Finish => plan::finish(["answered ".into(), "here".into()], "finished"),
            Shape::TimeLeft => {
                let left = request.deadline_ms.unwrap_or_default();
                plan::finish([Part::text(left.to_string())], "time-left")
            }
            Shape::FanOut => {
                let tasks = self.all(&mut plan, candidates);
                let mut heard = vec![Part::text("heard:")];
                heard.extend(
                    tasks.into_iter().flat_map(|task| [Part::text(" "), Part::output_or(task, "nothing")]),
                );
                let answer =
                    Task::chat("answer", [candidates - 1]).conversation(Modalities::all()).user(heard);
                let answer = plan.add(answer);
                plan.answer(answer, "fan-out")
            }
            Shape::Chain => {
                let mut last = None;
                for number in 0..self.0.tasks {
                    let mut task = self.task(number, candidates);
                    if let Some(last) = last {
                        task = task.assistant([Part::from(last)]);
                    }
                    last = Some(plan.add(task));
                }
                let answer = Task::chat("answer", [candidates - 1])
                    .conversation(Modalities::all())
                    .user(last.map(Part::from).into_iter().chain(["!".into()]));
                let answer = plan.add(answer);
                plan.answer(answer, "chain")
            }
            Shape::Compose => {
                let tasks = self.all(&mut plan, candidates);
                let parts =
                    tasks.into_iter().flat_map(|task| [Part::output_or(task, "nothing"), Part::text(";")]);
                plan.compose(parts.collect::<Vec<_>>(), "composed")
            }
            Shape::RepeatOutput
            | Shape::ComposeOutput
            | Shape::RepeatConversation
            | Shape::Excerpts
            | Shape::FinishText
            | Shape::RepeatInSteps => repeating::plan(self.0.shape, self.0.repeat, plan),
            Shape::Transcribe => transcribe(plan, candidates),
            Shape::Embed => {
                let text = outline::parts().into_iter().rfind(|part| part.kind == Modalities::TEXT);
                let vector = Task::embedding("embed", [0], text.iter().map(Part::from));
                let vector = plan.add(vector);
                plan.compose([Part::from(vector)], "embedded")
            }
            Shape::Produce => produce(plan),
            Shape::Resume
            | Shape::ThenRoute
            | Shape::ThenRouteToLast
            | Shape::ThenRefuse
            | Shape::ThenUnwrap
            | Shape::ThenParse => {
                let count = self.all(&mut plan, candidates).len();
                plan.resume(&count, "asked-again")
            }
        }
    }

    fn all(&self, plan: &mut Plan, candidates: usize) -> Vec<plan::TaskId> {
        plan.fan_out(0..self.0.tasks, |number| self.task(number, candidates))
    }

    fn task(&self, number: usize, candidates: usize) -> Task {
        let first = number % candidates;
        let last = if self.0.fall_back { candidates } else { first + 1 };
        let task = Task::chat(format!("t{number}"), first..last)
            .conversation(Modalities::TEXT)
            .user([Part::text(format!("part {number}"))]);
        Task {
            optional: self.0.optional.contains(&number),
            timeout_ms: self.0.timeout_ms,
            max_output_tokens: self.0.max_output_tokens,
            hedge_after_ms: self.0.hedge_after_ms,
            ..task
        }
    }
}

/// Relies on outputs that there may not be, or that may be of another form.
#[expect(clippy::unwrap_used, reason = "the fault")]
fn trusting(shape: Shape, results: &[TaskResult]) -> Step {
    for result in results {
        let output = outputs::text(result.task, 10_000);
        if shape == Shape::ThenUnwrap {
            output.unwrap();
        } else if let Some(output) = output {
            serde_json::from_str::<serde_json::Value>(&output).unwrap();
        }
    }
    plan::finish([Part::text("trusted")], "trusted")
}

fn produce(mut plan: Plan) -> Step {
    let newest = outline::parts().into_iter().rfind(|part| part.kind == Modalities::TEXT);
    let text = || newest.iter().map(Part::from);
    let tasks = [
        Task::speech("say", [0], text()).option("voice", "\"nova\""),
        Task::image("draw", [1], text()).option("size", "\"1024x1024\""),
        Task::moderation("judge", [2], text()),
    ];
    let parts = tasks.map(|task| Part::from(plan.add(task)));
    let [speech, image, judgement] = parts;
    plan.compose([speech, " ".into(), image, " ".into(), judgement], "produced")
}

fn transcribe(mut plan: Plan, candidates: usize) -> Step {
    let recordings = outline::parts().into_iter().filter(|part| part.kind == Modalities::AUDIO);
    let heard = plan.fan_out(recordings, |recording| {
        Task::transcription("hear", [0], &recording).option("language", "\"en\"")
    });
    let answer = Task::chat("answer", [candidates - 1])
        .conversation(Modalities::TEXT)
        .user(heard.into_iter().map(Part::from));
    let answer = plan.add(answer);
    plan.answer(answer, "transcribed")
}

/// `2 tasks: t0 done "one"; t1 failed (why)`
fn report(count: usize, results: &[TaskResult]) -> String {
    let line = |result: &TaskResult| match result.status {
        TaskStatus::Done => {
            let said = outputs::text(result.task, 100).unwrap_or_default();
            let reason = result.finish_reason.as_deref().unwrap_or("-");
            format!("{} done {reason} {said:?} {}+{}", result.name, result.input_tokens, result.output_tokens)
        }
        TaskStatus::Failed => format!("{} failed ({})", result.name, result.error.as_deref().unwrap_or("-")),
    };
    format!("{count} tasks: {}", results.iter().map(line).collect::<Vec<_>>().join("; "))
}

/// A plan without the corrections that the builder makes.
fn raw(tasks: Vec<Task>, next: Next) -> Step {
    Step::Run(PlanRecord { tasks, next, label: "blunder".to_owned(), reason: None })
}

pointsman_sdk::export!(Planner, orchestrator);
