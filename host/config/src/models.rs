//! Models: the entries of the file, completed from the catalogue.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use pointsman_domain::ids::{BackendName, ModelId};
use pointsman_domain::live::ExpectedSpeed;
use pointsman_domain::live::LiveStats;
use pointsman_domain::model::{Abilities, Modalities, Model, NativeApis, Operation, Quality, TimeLimits};
use pointsman_domain::model_behaviour::ModelBehaviour;
use pointsman_domain::money::PriceSchedule;
use pointsman_wire::provider::ProviderDialect;

use super::document::Node;
use super::problem::Problems;
use super::{native_apis, raw};
use crate::catalogue::{self, CatalogueFacts};

mod origin;
mod prices;

pub use origin::FactsOrigin;

/// A model, and its behaviour if it is simulated.
pub(super) struct CompiledModel {
    pub(super) model: Model,
    /// Its prices over time.
    pub(super) prices: PriceSchedule,
    pub(super) origin: FactsOrigin,
    pub(super) behaviour: ModelBehaviour,
}

pub(super) fn compile(
    file: &raw::File,
    root: Node<'_>,
    now: u64,
    problems: &mut Problems<'_>,
    warnings: &mut Vec<String>,
) -> Vec<CompiledModel> {
    let backends: Vec<&str> = root.get("backends").entries().map(|(name, _)| name).collect();
    let mut models = Vec::new();
    for (id, node) in root.get("models").entries() {
        let Some(raw) = file.models.get(id) else { continue };
        let is_printable = id.bytes().all(|byte| byte.is_ascii_graphic());
        let Some((backend, name)) = id.split_once('/').filter(|(_, name)| !name.is_empty() && is_printable)
        else {
            problems
                .add(node.key(), format!("{id:?} is not the id of a model"))
                .hint("the id is the backend's name and the model's: [models.\"backend/model\"]");
            continue;
        };
        if !backends.contains(&backend) {
            problems
                .add(node.key(), format!("unknown backend `{backend}`"))
                .did_you_mean(backend, &backends, "backends");
            continue;
        }
        let Some(backend_raw) = file.backends.get(backend) else { continue };
        let provider = backend_raw.provider.as_deref().unwrap_or(backend);
        let (kind, stream_usage) = (backend_raw.kind, backend_raw.stream_usage);
        let native_apis = native_apis::of_backend(backend_raw);
        models.push(
            ModelEntry { raw, id, name, backend, provider, kind, stream_usage, native_apis, now, node }
                .compile(problems, warnings),
        );
    }
    if root.get("models").entries().next().is_none() {
        problems.add(None, "there is no model").hint("add [backends.NAME] and [models.\"NAME/MODEL\"]");
    }
    models
}

/// One entry of `[models]`.
struct ModelEntry<'a> {
    raw: &'a raw::Model,
    id: &'a str,
    name: &'a str,
    backend: &'a str,
    provider: &'a str,
    kind: raw::BackendKind,
    stream_usage: bool,
    native_apis: NativeApis,
    /// Time in seconds since 1970.
    now: u64,
    node: Node<'a>,
}

impl ModelEntry<'_> {
    fn compile(&self, problems: &mut Problems<'_>, warnings: &mut Vec<String>) -> CompiledModel {
        let raw = self.raw;
        let (catalogue, facts) = self.facts(problems).unzip();
        let origin =
            FactsOrigin { model: ModelId::new(self.id), catalogue, stated: origin::stated_prices(raw) };
        let behaviour = self.behaviour(problems);
        let prices = prices::compile(self, facts.as_ref(), problems, warnings);
        // A model without known abilities is assumed to have all; its backend rejects what it lacks.
        let (abilities, assumed_abilities) = match (&raw.abilities, &facts) {
            (Some(stated), _) => {
                (stated.iter().map(|ability| ability.domain()).collect(), Abilities::empty())
            }
            (None, Some(facts)) => (facts.abilities, Abilities::empty()),
            (None, None) => (Abilities::all(), Abilities::REASONING),
        };
        let model = Model {
            id: ModelId::new(self.id),
            backend: BackendName::new(self.backend),
            upstream_name: raw.upstream_name.as_deref().unwrap_or(self.name).to_owned(),
            operations: self.operations(facts.as_ref(), problems),
            inputs: match &raw.inputs {
                Some(stated) => stated.iter().map(|input| input.domain()).collect(),
                None => facts.as_ref().map_or(Modalities::TEXT, |facts| facts.inputs),
            },
            abilities,
            assumed_abilities,
            context_window: raw.context_window.or(facts.as_ref().and_then(|facts| facts.context_window)),
            max_output_tokens: raw
                .max_output_tokens
                .or(facts.as_ref().and_then(|facts| facts.max_output_tokens)),
            price: prices.at(self.now).cloned().unwrap_or_default(),
            quality: self.quality(problems),
            expected: self.expected(problems),
            time_limits: TimeLimits::default(),
            stream_usage: self.stream_usage,
            native_apis: self.native_apis,
            attributes: raw.attributes.iter().map(|(key, value)| (key.clone(), value.0.clone())).collect(),
            live: Arc::new(LiveStats::default()),
        };
        for (key, is_empty) in
            [("operations", model.operations.is_empty()), ("inputs", model.inputs.is_empty())]
        {
            if is_empty {
                problems.add(
                    self.node.get(key).place(),
                    format!("`{key}` is empty, so no request could use the model"),
                );
            }
        }
        CompiledModel { model, prices, origin, behaviour }
    }

    /// Returns the operations that the model supports, as far as its provider's API has them.
    fn operations(&self, facts: Option<&CatalogueFacts>, problems: &mut Problems<'_>) -> Vec<Operation> {
        let dialect = match self.kind {
            raw::BackendKind::Anthropic => ProviderDialect::Anthropic,
            raw::BackendKind::Gemini => ProviderDialect::Gemini,
            raw::BackendKind::Openai | raw::BackendKind::Azure | raw::BackendKind::Simulated => {
                ProviderDialect::OpenAi
            }
        };
        let offered = |operation: &Operation| dialect.offers(*operation);
        let Some(stated) = &self.raw.operations else {
            let known = facts.map_or_else(|| vec![Operation::Chat], |facts| facts.operations.clone());
            let (served, missing): (Vec<Operation>, Vec<Operation>) = known.into_iter().partition(offered);
            if let (true, Some(missing)) = (served.is_empty(), missing.first()) {
                problems
                    .add(
                        self.node.key(),
                        format!(
                            "a backend of kind \"{}\" has no {missing} calls, which the model is for",
                            dialect.name()
                        ),
                    )
                    .hint("use a backend of kind \"openai\" if the provider offers an API like OpenAI's");
            }
            return served;
        };
        let stated: Vec<Operation> = stated.iter().map(|operation| operation.domain()).collect();
        if let Some(missing) = stated.iter().find(|operation| !offered(operation)) {
            let (node, name) = (self.node.get("operations"), dialect.name());
            problems
                .add(node.place(), format!("a backend of kind \"{name}\" has no {missing} calls"))
                .hint("use a backend of kind \"openai\" if the provider offers an API like OpenAI's");
        }
        stated
    }

    /// Returns the facts of the catalogue, and the id of their entry.
    fn facts(&self, problems: &mut Problems<'_>) -> Option<(String, CatalogueFacts)> {
        let upstream = self.raw.upstream_name.as_deref().unwrap_or(self.name);
        let Some(named) = &self.raw.catalogue else {
            let id = format!("{}/{upstream}", self.provider);
            return catalogue::lookup(&id).map(|facts| (id, facts));
        };
        let facts = catalogue::lookup(named);
        if facts.is_none() {
            let section = named.split_once('/').map_or("", |(provider, _)| provider);
            let known: Vec<&str> = catalogue::ids(section).collect();
            let place = self.node.get("catalogue").place();
            problems.add(place, format!("the catalogue has no `{named}`")).did_you_mean(
                named,
                &known,
                "in that section",
            );
        }
        facts.map(|facts| (named.clone(), facts))
    }

    fn quality(&self, problems: &mut Problems<'_>) -> Quality {
        let node = self.node.get("quality");
        let mut quality = match &self.raw.quality {
            None => return Quality::default(),
            Some(raw::Quality::General(general)) => {
                Quality { general: Some(*general), by_task: BTreeMap::new() }
            }
            Some(raw::Quality::ByTask(by_task)) => Quality { general: None, by_task: by_task.clone() },
        };
        let in_range = |value: f64| (0.0..=1.0).contains(&value);
        if let Some(general) = quality.general.filter(|value| !in_range(*value)) {
            problems.add(node.place(), format!("{general} is not a quality")).hint("a quality is 0 to 1");
        }
        for (task, value) in quality.by_task.iter().filter(|(_, value)| !in_range(**value)) {
            problems
                .add(node.get(task).place(), format!("{value} is not a quality"))
                .hint("a quality is 0 to 1");
        }
        quality.general = quality.general.or(quality.by_task.remove("general"));
        quality
    }

    /// Reads `expected`. The default for a simulated model is its simulated speed, and vice
    /// versa.
    fn expected(&self, problems: &mut Problems<'_>) -> ExpectedSpeed {
        let node = self.node.get("expected");
        let expected = &self.raw.expected;
        let simulate = self.raw.simulate.as_ref();
        let first = expected.first_token_ms.or(simulate.and_then(|simulate| simulate.first_token_ms));
        let speed = expected.tokens_per_second.or(simulate.and_then(|simulate| simulate.tokens_per_second));
        check_speed(node, expected.first_token_ms, expected.tokens_per_second, problems);
        ExpectedSpeed { first_token_ms: first, tokens_per_second: speed }
    }

    fn behaviour(&self, problems: &mut Problems<'_>) -> ModelBehaviour {
        let node = self.node.get("simulate");
        let default = raw::Simulate::default();
        let simulate = self.raw.simulate.as_ref().unwrap_or(&default);
        if self.raw.simulate.is_some() && self.kind != raw::BackendKind::Simulated {
            problems
                .add(
                    node.key(),
                    format!("backend `{}` is a real server, so nothing is simulated", self.backend),
                )
                .hint("remove `simulate`, or set `kind = \"simulated\"` on the backend");
        }
        check_speed(node, simulate.first_token_ms, simulate.tokens_per_second, problems);
        let failure_rate = simulate.failure_rate.unwrap_or(0.0);
        if !(0.0..=1.0).contains(&failure_rate) {
            problems
                .add(node.get("failure_rate").place(), format!("{failure_rate} is not a share"))
                .hint("a share is 0 to 1");
        }
        if let Some(speed) =
            simulate.input_tokens_per_second.filter(|speed| !speed.is_finite() || *speed <= 0.0)
        {
            problems
                .add(node.get("input_tokens_per_second").place(), format!("{speed} is not a speed"))
                .hint("it is tokens per second, above 0");
        }
        if simulate.capacity == Some(0) {
            problems
                .add(node.get("capacity").place(), "`capacity` is zero, so the model could not answer")
                .hint("leave it out for any number of calls at once");
        }
        if simulate.queue.is_some() && simulate.capacity.is_none() {
            problems
                .add(node.get("queue").place(), "`queue` has no effect without `capacity`")
                .hint("set the number of calls that the model works on at once");
        }
        let first_token_ms = simulate.first_token_ms.or(self.raw.expected.first_token_ms).unwrap_or(0.0);
        ModelBehaviour {
            first_token: Duration::try_from_secs_f64(first_token_ms / 1e3).unwrap_or_default(),
            tokens_per_second: simulate.tokens_per_second.or(self.raw.expected.tokens_per_second),
            input_tokens_per_second: simulate.input_tokens_per_second,
            failure_rate,
            capacity: simulate.capacity,
            queue: simulate.queue,
        }
    }
}

fn check_speed(node: Node<'_>, first: Option<f64>, speed: Option<f64>, problems: &mut Problems<'_>) {
    if let Some(first) = first.filter(|ms| !(0.0..=3_600_000.0).contains(ms)) {
        problems
            .add(node.get("first_token_ms").place(), format!("{first} is not a time to the first token"))
            .hint("it is milliseconds, 0 to an hour");
    }
    if let Some(speed) = speed.filter(|speed| !speed.is_finite() || *speed <= 0.0) {
        problems
            .add(node.get("tokens_per_second").place(), format!("{speed} is not a speed"))
            .hint("it is tokens per second, above 0");
    }
}

impl raw::Input {
    fn domain(self) -> Modalities {
        match self {
            Self::Text => Modalities::TEXT,
            Self::Image => Modalities::IMAGE,
            Self::Audio => Modalities::AUDIO,
            Self::Video => Modalities::VIDEO,
            Self::Document => Modalities::DOCUMENT,
        }
    }
}

impl raw::Ability {
    fn domain(self) -> Abilities {
        match self {
            Self::Tools => Abilities::TOOLS,
            Self::StructuredOutput => Abilities::STRUCTURED_OUTPUT,
            Self::Reasoning => Abilities::REASONING,
            Self::Streaming => Abilities::STREAMING,
            Self::LogProbabilities => Abilities::LOG_PROBABILITIES,
        }
    }
}

impl raw::Operation {
    fn domain(self) -> Operation {
        match self {
            Self::Chat => Operation::Chat,
            Self::Embedding => Operation::Embedding,
            Self::Transcription => Operation::Transcription,
            Self::Translation => Operation::Translation,
            Self::Speech => Operation::Speech,
            Self::Image => Operation::Image,
            Self::Moderation => Operation::Moderation,
        }
    }
}
