//! The nearest labelled example says which model gets a request. Settings and labels: README.md.

use pointsman_kinds::{helpers, is_asked_about, route, route_otherwise};
use pointsman_sdk::embedding::Embedding;
use pointsman_sdk::plan::{self, Part, Plan, Step, Task};
use pointsman_sdk::prelude::*;
use pointsman_sdk::{Orchestrator, TaskResult, ask};
use serde::{Deserialize, Serialize};

mod examples;
mod nearest;
mod settings;

use nearest::{Nearest, nearest};
use settings::NUMBERS;
pub use settings::{Kind, Settings};

/// Name of the task that embeds the request.
const TASK: &str = "embed";
/// Beginning of the names of tasks that embed an example.
const EXAMPLE: &str = "example:";
/// Examples that are embedded beside a request.
const EXAMPLES_AT_ONCE: usize = 4;
/// Bytes of a number in the JSON of an embedding, such as `-0.012345678901234567,`, with some to spare. With
/// the most numbers, five embeddings are within the 64 KiB that a call may read.
const NUMBER_BYTES: usize = 32;
const _: () = assert!((EXAMPLES_AT_ONCE + 1) * *NUMBERS.end() * NUMBER_BYTES <= 64 << 10);

/// The policy.
#[derive(Clone, Debug)]
pub struct Semantic {
    settings: Settings,
}

/// State of a plan for its resumption.
#[derive(Debug, Deserialize, Serialize)]
struct State {
    /// The model that embeds.
    model: String,
    /// Indices of the examples that are embedded beside the request.
    examples: Vec<usize>,
}

impl Orchestrator for Semantic {
    type Settings = Settings;

    fn new(settings: Settings) -> Result<Self, String> {
        settings.check()?;
        Ok(Self { settings })
    }

    fn plan(&mut self, request: &Request, candidates: &[Candidate]) -> Result<Step, Refusal> {
        if !is_asked_about(request, self.settings.with_tools) {
            return self.otherwise(request, candidates, "skipped", "requests of this form are not compared");
        }
        let helpers = helpers(request, candidates, "embedding", self.settings.model.as_ref());
        // Embeddings of different models cannot be compared, so there is no second one to fall back to.
        let Some(&helper) = helpers.first() else {
            return self.otherwise(request, candidates, "skipped", "there is no model to embed the request");
        };
        let Some(message) = ask::newest_user_message(self.settings.max_bytes) else {
            let why = "the newest message has no text, or too much";
            return self.otherwise(request, candidates, "skipped", why);
        };
        let model = &candidates[helper].id;
        let time = ask::time(request, self.settings.timeout_ms);
        let embed =
            |name: String, text: Vec<Part>| Task::embedding(name, [helper], text).optional().in_time(time);
        let mut plan = Plan::new();
        plan.add(embed(TASK.to_owned(), message));
        let missing = self.missing(model);
        for (index, text) in self.settings.examples().enumerate().filter(|(index, _)| missing.contains(index))
        {
            plan.add(embed(format!("{EXAMPLE}{index}"), vec![Part::text(text.1)]));
        }
        Ok(plan.resume(&State { model: model.clone(), examples: missing }, "semantic"))
    }

    fn resume(
        &mut self,
        request: &Request,
        candidates: &[Candidate],
        state: &[u8],
        results: &[TaskResult],
    ) -> Result<Step, Refusal> {
        let State { model, examples } = plan::state(state)?;
        let embedded = self.embedding(results, TASK);
        self.learn(&model, &examples, results);
        let Some(embedded) = embedded else {
            return self.otherwise(request, candidates, "unanswered", "the request was not embedded in time");
        };
        let known = examples::known(&model, self.settings.numbers);
        let numbers = self.settings.numbers;
        let examples = self.settings.examples().filter_map(|(kind, text)| {
            let key = examples::key(&model, numbers, text);
            let place = known.binary_search_by(|(known, _)| known.cmp(&key)).ok()?;
            known.get(place).map(|(_, embedding)| (kind, text, embedding))
        });
        let examples: Vec<(&str, &str, &Embedding)> = examples.collect();
        let is_known = |name: &String| examples.iter().any(|(kind, ..)| kind == name);
        if !self.settings.kinds.keys().all(is_known) {
            let why = "the examples are not embedded yet";
            return self.otherwise(request, candidates, "learning", why);
        }
        self.route(request, candidates, nearest(&embedded, examples.into_iter()))
    }
}

impl Semantic {
    fn route(
        &self,
        request: &Request,
        candidates: &[Candidate],
        nearest: Option<(Nearest<'_>, Option<f64>)>,
    ) -> Result<Step, Refusal> {
        let Some((Nearest { kind, example, similarity }, next)) = nearest else {
            let why = "the request cannot be compared with the examples";
            return self.otherwise(request, candidates, "unclear", why);
        };
        let margin = next.map_or(f64::INFINITY, |next| similarity - next);
        if similarity < self.settings.min_similarity || margin < self.settings.min_margin {
            let why =
                format!("similarity {similarity:.2} to {kind}, {margin:.2} more than to any other kind");
            return self.otherwise(request, candidates, "unclear", &why);
        }
        let models = self.settings.kinds.get(kind).map(Kind::models).unwrap_or_default();
        let decision = route(request, candidates, &models, format!("semantic:{kind}"))?;
        Ok(Step::Route(decision.because(format_args!("similarity {similarity:.2} to `{example}`"))))
    }

    fn otherwise(
        &self,
        request: &Request,
        candidates: &[Candidate],
        label: &str,
        why: &str,
    ) -> Result<Step, Refusal> {
        let kind = self.settings.otherwise.as_ref().and_then(|name| self.settings.kinds.get(name));
        let label = format!("semantic:{label}");
        route_otherwise(request, candidates, kind.map(Kind::models).as_ref(), &label, why)
    }

    /// Returns the indices of some examples that this model has not embedded yet: of each kind the first
    /// ones first, so that all kinds are known soon.
    fn missing(&self, model: &str) -> Vec<usize> {
        let numbers = self.settings.numbers;
        let known = examples::known(model, numbers);
        let is_missing = |text: &str| {
            let key = examples::key(model, numbers, text);
            known.binary_search_by(|(known, _)| known.cmp(&key)).is_err()
        };
        let mut missing = Vec::new();
        let mut first = 0;
        for kind in self.settings.kinds.values() {
            let places = kind.examples.iter().enumerate().filter(|(_, text)| is_missing(text));
            missing.extend(places.map(|(place, _)| (place, first + place)));
            first += kind.examples.len();
        }
        missing.sort_unstable();
        missing.into_iter().map(|(_, index)| index).take(EXAMPLES_AT_ONCE).collect()
    }

    /// Keeps the embeddings of examples.
    fn learn(&self, model: &str, indices: &[usize], results: &[TaskResult]) {
        for (index, (_, text)) in self.settings.examples().enumerate() {
            if !indices.contains(&index) {
                continue;
            }
            if let Some(embedding) = self.embedding(results, &format!("{EXAMPLE}{index}")) {
                examples::keep(&examples::key(model, self.settings.numbers, text), &embedding);
            }
        }
    }

    /// Reads the output of the task with a name.
    fn embedding(&self, results: &[TaskResult], name: &str) -> Option<Embedding> {
        let text = ask::reply(results, name, self.settings.numbers * NUMBER_BYTES)?;
        Embedding::from_json(&text, self.settings.numbers)
    }
}

pointsman_sdk::describe!(include_str!("../description.json"));
export!(Semantic, orchestrator);

#[cfg(test)]
mod tests;
