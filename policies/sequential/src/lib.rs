//! A chain of models, each going on from what others wrote; the last one answers.
//! Settings, labels and a drawing of the plan: README.md.

use pointsman_sdk::plan::{Part, Plan, Step, Task, TaskId, able, is_too_long};
use pointsman_sdk::prelude::*;
use pointsman_sdk::{Abilities, Modalities, Orchestrator, outline};
use pointsman_tradeoff::{Call, Preference};

mod chain;
mod settings;

use chain::Link;
pub use settings::{Settings, Stage};

/// The policy.
#[derive(Clone, Debug)]
pub struct Sequential {
    chain: Vec<Link>,
    prefer: Preference,
}

impl Orchestrator for Sequential {
    type Settings = Settings;

    fn new(settings: Settings) -> Result<Self, String> {
        let prefer = settings.prefer;
        Ok(Self { chain: chain::link(settings)?, prefer })
    }

    fn plan(&mut self, request: &Request, candidates: &[Candidate]) -> Result<Step, Refusal> {
        let prefer = self.prefer.or_as_the_client_says();
        let run = Run { request, candidates, chain: &self.chain, prefer };
        if request.operation != "chat" {
            return run.route("sequential:routed", "only a chat has stages");
        }
        if request.needs.contains(Abilities::TOOLS) {
            // Calls and results refer to each other, and only one model is given the tools.
            return run.route("sequential:tools", "stages would break a loop of tool calls");
        }
        run.step()
    }
}

/// One request on its way through the chain.
struct Run<'a> {
    request: &'a Request,
    candidates: &'a [Candidate],
    chain: &'a [Link],
    prefer: Preference,
}

impl Run<'_> {
    fn step(&self) -> Result<Step, Refusal> {
        if is_too_long(self.request, self.candidates) {
            return Err(Refusal::NoCandidate(
                "the request is too long for every model of this route".to_owned(),
            ));
        }
        let mut plan = Plan::new();
        let (mut ids, mut first_models) = (Vec::new(), Vec::new());
        for (at, link) in self.chain.iter().enumerate() {
            let needs = if at + 1 == self.chain.len() { self.request.needs } else { Abilities::empty() };
            let models = match self.models(link, needs) {
                // One model can do it, so a stage without one is no reason to turn the request down.
                Err(Refusal::NoCandidate(why)) if outline::whole() > 0 => {
                    return self.route("sequential:routed", &why);
                }
                models => models?,
            };
            first_models.push(format!("{} by {}", link.name, self.candidates[models[0]].id));
            ids.push(plan.add(self.task(link, models, &ids)));
        }
        let answer = ids[ids.len() - 1];
        Ok(plan.answer(answer, "sequential").because(first_models.join(", ")))
    }

    /// The models that can do a stage, in the order in which they are tried.
    fn models(&self, link: &Link, needs: Abilities) -> Result<Vec<usize>, Refusal> {
        let seen = if link.sees_conversation { self.request.inputs } else { Modalities::empty() };
        let kinds = seen | Modalities::TEXT;
        let mut models = able(self.candidates, "chat", kinds);
        models.retain(|&index| {
            let model = &self.candidates[index];
            model.abilities.contains(needs)
                && link.model.as_ref().is_none_or(|pattern| pattern.fits(&model.id))
        });
        if models.is_empty() {
            return Err(nobody(link, kinds, needs));
        }
        let room = if link.sees_conversation { self.request.input_tokens } else { 0 };
        self.order(&models, room, self.chain.len())
    }

    fn order(&self, models: &[usize], room: u32, calls: usize) -> Result<Vec<usize>, Refusal> {
        let (request, candidates) = (self.request, self.candidates);
        Call { request, candidates, task: "chat", room, calls }.order(models, self.prefer)
    }

    /// The outputs of earlier stages become assistant messages, and the instruction the next user
    /// message: then user and assistant alternate,
    /// which the templates of many models ask for, and the instruction comes last,
    /// where small models heed it most.
    fn task(&self, link: &Link, models: Vec<usize>, ids: &[TaskId]) -> Task {
        let mut task = Task::chat(&link.name, models);
        task.max_output_tokens = link.max_output_tokens;
        let instruction = Part::text(&link.instruction);
        match (link.sees_conversation, link.sees.is_empty()) {
            (_, true) => task.system([instruction]).conversation(Modalities::all()),
            (true, false) => {
                task.conversation(Modalities::all()).assistant(self.outputs(link, ids)).user([instruction])
            }
            (false, false) => {
                let mut said = self.outputs(link, ids);
                said.extend([Part::text("\n\n"), instruction]);
                task.user(said)
            }
        }
    }

    /// The outputs that a stage sees, each below its name where there are several.
    fn outputs(&self, link: &Link, ids: &[TaskId]) -> Vec<Part> {
        if let [only] = link.sees[..] {
            return vec![ids[only].into()];
        }
        let mut parts = Vec::new();
        for (nth, &place) in link.sees.iter().enumerate() {
            let gap = if nth > 0 { "\n\n" } else { "" };
            parts.extend([Part::text(format!("{gap}[{}]\n", self.chain[place].name)), ids[place].into()]);
        }
        parts
    }

    /// One model serves the request as it is: first those that fit the last stage.
    fn route(&self, label: &str, why: &str) -> Result<Step, Refusal> {
        let whole: Vec<usize> = (0..outline::whole()).collect();
        if whole.is_empty() {
            let operation = &self.request.operation;
            return Err(Refusal::NoCandidate(format!(
                "no model of this route can serve the whole {operation} request"
            )));
        }
        let mut order = self.order(&whole, self.request.input_tokens, 1)?;
        if let Some(pattern) = self.chain.last().and_then(|link| link.model.as_ref()) {
            order.sort_by_key(|&index| {
                let model = &self.candidates[index];
                (!model.healthy, !pattern.fits(&model.id))
            });
        }
        Ok(Step::Route(Decision::of(order, label)).because(why))
    }
}

/// ``stage `draft`: no model of this route that fits `llama-*` takes text and image``
fn nobody(link: &Link, kinds: Modalities, needs: Abilities) -> Refusal {
    let fitting = link.model.as_ref().map(|it| format!(" that fits `{}`", it.as_str())).unwrap_or_default();
    let kinds = listed(kinds.iter_names().map(|(name, _)| name));
    let needs = match needs.is_empty() {
        true => String::new(),
        false => format!(" and can do {}", listed(needs.iter_names().map(|(name, _)| name))),
    };
    let name = &link.name;
    Refusal::NoCandidate(format!("stage `{name}`: no model of this route{fitting} takes {kinds}{needs}"))
}

fn listed<'a>(names: impl Iterator<Item = &'a str>) -> String {
    let names: Vec<String> = names.map(|name| name.to_ascii_lowercase().replace('_', " ")).collect();
    names.join(" and ")
}

pointsman_sdk::describe!(include_str!("../description.json"));
export!(Sequential, orchestrator);

#[cfg(test)]
mod tests;
