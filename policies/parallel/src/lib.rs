//! Independent parts of a request at once. Settings, labels and the plan:
//! README.md.

use pointsman_sdk::plan::{self, Plan, Task};
use pointsman_sdk::prelude::*;
use pointsman_sdk::{
    Abilities, Modalities, Orchestrator, Step, TaskResult, TaskStatus, outline, outputs, prompt,
};
use pointsman_tasks::best_first;
use serde::{Deserialize, Serialize};

mod place;
mod planner;
mod settings;
mod span;
mod split;
mod work;

use place::Place;
pub use settings::{Combine, Planner, Settings};
use split::{Kind, Split};
use work::Work;

/// Most bytes of the newest message that are read: the gateway's limit is 64 KiB.
const MOST_BYTES: usize = 64 << 10;

/// Most tokens of a plan, with what a model thinks before it makes one.
const PLAN_TOKENS: u32 = 4_096;

/// Fewest bytes that a token stands for, to be sure that a chunk fits a model.
const BYTES_OF_TOKEN: usize = 2;

/// Tokens that a model has to have room for besides what it is given.
const ROOM: usize = 2_048;

/// The policy.
#[derive(Clone, Debug)]
pub struct Parallel {
    settings: Settings,
}

/// The state of a request between two steps.
#[derive(Clone, Debug, Deserialize, Serialize)]
enum State {
    /// The planner was asked.
    Asked,
    /// Parts were worked on.
    Worked(Work),
}

impl Orchestrator for Parallel {
    type Settings = Settings;

    fn new(settings: Settings) -> Result<Self, String> {
        settings.check()?;
        Ok(Self { settings })
    }

    fn plan(&mut self, request: &Request, candidates: &[Candidate]) -> Result<Step, Refusal> {
        let models = Models::of(request, candidates)?;
        if request.operation != "chat" {
            return models.routed("parallel:routed", "only a chat has parts");
        }
        if request.needs.contains(Abilities::TOOLS) {
            return models.routed("parallel:tools", "parts are not given the tools");
        }
        if request.needs.intersects(Abilities::STRUCTURED_OUTPUT | Abilities::LOG_PROBABILITIES) {
            return models.routed("parallel:format", "parts put together do not keep the schema");
        }
        let Some(place) = Place::find(&outline::parts()) else {
            return models.routed("parallel:single", "the request is not one new text");
        };
        let seen = prompt::text(place.message(), MOST_BYTES).unwrap_or_default();
        if let Some(split) = split::by_rule(&seen, place.bytes as usize, &self.settings) {
            return self.work_on(&split, &seen, &place, &models);
        }
        let asks = match self.settings.planner {
            Planner::Never => false,
            Planner::Always => true,
            Planner::Auto => place.bytes >= self.settings.planner_bytes,
        };
        let planners = models.whole_readers();
        if !asks || planners.is_empty() {
            return models.routed("parallel:single", "no independent parts are seen");
        }
        let mut task = Task::chat("plan", planners)
            .conversation(Modalities::TEXT)
            .user([planner::ask(self.settings.max_parts).into()])
            .at_most(PLAN_TOKENS)
            .optional();
        task.timeout_ms = request.deadline_ms.map(|left| (left / 4).max(1));
        let mut plan = Plan::new();
        plan.add(task);
        Ok(plan.resume(&State::Asked, "parallel:planned").because("a model is asked for parts"))
    }

    fn resume(
        &mut self,
        request: &Request,
        candidates: &[Candidate],
        state: &[u8],
        results: &[TaskResult],
    ) -> Result<Step, Refusal> {
        let models = Models::of(request, candidates)?;
        match plan::state(state)? {
            State::Asked => self.planned(&models, results),
            State::Worked(work) => combine(&work, &models, results),
        }
    }
}

impl Parallel {
    /// Has the parts of a text worked on.
    fn work_on(
        &self,
        split: &Split,
        seen: &str,
        place: &Place,
        models: &Models<'_>,
    ) -> Result<Step, Refusal> {
        let longest =
            split.parts.iter().map(|piece| piece.span.to - piece.span.from).max().unwrap_or_default();
        let workers = match split.kind {
            Kind::Document => models.readers_of(longest + place.earlier_bytes()),
            Kind::List | Kind::Questions | Kind::Planned => models.whole_readers(),
        };
        let Some(&first) = workers.first() else {
            return models.routed("parallel:single", "no model can do the parts");
        };
        let work = Work::of_split(split, seen, self.settings.combine);
        if !models.can_pay(first, &work) {
            return models.routed("parallel:budget", "the budget pays one answer, but not all parts");
        }
        let mut plan = Plan::new();
        work.add_to(&mut plan, work::tasks_of_split(split, place, &workers), models.request);
        let (parts, label) = (work.len(), work.kind.label());
        Ok(plan.resume(&State::Worked(work), label).because(format_args!("{parts} parts at once")))
    }

    /// Has what a planner proposed worked on.
    fn planned(&self, models: &Models<'_>, results: &[TaskResult]) -> Result<Step, Refusal> {
        let reply = results.first().filter(|result| result.status == TaskStatus::Done);
        let reply = reply.and_then(|result| outputs::text(result.task, planner::MOST_REPLY + 1));
        let Some(reply) = reply else {
            return models.routed("parallel:unplanned", "the planner failed");
        };
        let tasks = match planner::read(&reply, self.settings.max_parts) {
            Ok(tasks) if tasks.len() > 1 => tasks,
            Ok(_) => return models.routed("parallel:single", "the planner sees no independent parts"),
            Err(why) => {
                return models.routed("parallel:unplanned", format_args!("the planner is of no use: {why}"));
            }
        };
        let workers = models.whole_readers();
        let work = Work::of_plan(&tasks, results, self.settings.combine);
        if workers.first().is_none_or(|&first| !models.can_pay(first, &work)) {
            return models.routed("parallel:budget", "the budget pays one answer, but not all parts");
        }
        let mut plan = Plan::after(results);
        work.add_to(&mut plan, work::tasks_of_plan(&tasks, &workers), models.request);
        let parts = work.len();
        Ok(plan
            .resume(&State::Worked(work), Kind::Planned.label())
            .because(format_args!("{parts} planned parts")))
    }
}

/// Makes the answer of those to the parts.
fn combine(work: &Work, models: &Models<'_>, results: &[TaskResult]) -> Result<Step, Refusal> {
    let (done, parts, label) = (work.done(results), work.len(), work.kind.label());
    if done == 0 {
        return Err(Refusal::NoCandidate(format!("none of the {parts} parts of the request was answered")));
    }
    let why = format!("{done} of {parts} parts were answered");
    let place = Place::find(&outline::parts());
    let writers = models.writers(work.kind);
    match place {
        Some(place) if work.combine == Combine::Model && !writers.is_empty() => {
            let mut plan = Plan::after(results);
            let task = plan.add(work.combining(&place, writers, results));
            Ok(plan.answer(task, label).because(why))
        }
        place => Ok(plan::finish(work.joined(place.as_ref(), results), label).because(why)),
    }
}

/// The models of a request.
struct Models<'a> {
    request: &'a Request,
    candidates: &'a [Candidate],
    /// Those that the budget can pay, best first; broken ones last.
    order: Vec<usize>,
    /// The number of candidates that can serve the whole request.
    whole: usize,
}

impl<'a> Models<'a> {
    fn of(request: &'a Request, candidates: &'a [Candidate]) -> Result<Self, Refusal> {
        let quality: Vec<Option<f64>> = candidates.iter().map(|model| model.quality).collect();
        let mut order = best_first(candidates, request, &quality, 0.0)?;
        order.sort_by_key(|&index| !candidates[index].healthy);
        Ok(Self { request, candidates, order, whole: outline::whole() })
    }

    /// The best model answers the request as it is.
    fn routed(&self, label: &str, why: impl std::fmt::Display) -> Result<Step, Refusal> {
        let whole: Vec<usize> = self.order.iter().copied().filter(|&index| index < self.whole).collect();
        if whole.is_empty() {
            return Err(Refusal::NoCandidate(
                "no single model can serve the request, and it has no parts".to_owned(),
            ));
        }
        Ok(Step::Route(Decision::of(whole, label)).because(why))
    }

    /// Those that can read the whole request.
    fn whole_readers(&self) -> Vec<usize> {
        self.readers().filter(|&index| index < self.whole).collect()
    }

    /// Keeps the models whose context has room for this many bytes.
    fn readers_of(&self, bytes: usize) -> Vec<usize> {
        let fits = |&index: &usize| {
            let window = self.candidates[index].context_window;
            window.is_none_or(|window| bytes / BYTES_OF_TOKEN + ROOM <= window as usize)
        };
        self.readers().filter(fits).collect()
    }

    /// Those that may write the answer.
    fn writers(&self, kind: Kind) -> Vec<usize> {
        if kind == Kind::Document { self.readers().collect() } else { self.whole_readers() }
    }

    /// Those that read text and have all abilities that the request needs.
    fn readers(&self) -> impl Iterator<Item = usize> + '_ {
        let mut able = plan::able(self.candidates, "chat", Modalities::TEXT);
        able.retain(|&index| self.candidates[index].abilities.contains(self.request.needs));
        self.order.iter().copied().filter(move |index| able.contains(index))
    }

    /// True if the budget covers all parts, and the model that combines them.
    fn can_pay(&self, worker: usize, work: &Work) -> bool {
        let Some(left) = self.request.budget_left else { return true };
        let calls = work.len() as f64 + if work.combine == Combine::Model { 1.0 } else { 0.0 };
        let input = f64::from(self.request.input_tokens);
        // The chunks of a document together have its tokens; other parts may each have all.
        let input = if work.kind == Kind::Document { 2.0 * input } else { calls * input };
        let output = calls * estimate::output_tokens(self.request);
        estimate::cost_usd(&self.candidates[worker], input, output) <= left
    }
}

pointsman_sdk::describe!(include_str!("../description.json"));
export!(Parallel, orchestrator);

#[cfg(test)]
mod tests;
