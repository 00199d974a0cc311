//! Entries of `model_list`.

mod endpoint;

use std::collections::BTreeMap;

use pointsman_config::{Operation, catalogue, providers};

use super::hints;
use super::provider::ImportedProvider;
use super::section::{Section, Setting, is_secret, report_unread};
use super::wildcard;
use crate::report::{Place, Report};
use crate::yaml::Node;

pub(super) use endpoint::{Endpoint, KeyOrigin};

/// A deployment of a model.
#[derive(Clone)]
pub(super) struct Deployment {
    /// Name that clients request; a pattern if it has a `*`.
    pub(super) name: String,
    pub(super) place: Place,
    pub(super) provider: ImportedProvider,
    /// Name at the provider.
    pub(super) upstream: String,
    pub(super) endpoint: Endpoint,
    pub(super) share: Share,
    /// Place in the order in which deployments are tried.
    pub(super) order: Option<f64>,
    /// Seconds for one call.
    pub(super) timeout: Option<f64>,
    /// Seconds between two parts of a stream.
    pub(super) stream_timeout: Option<f64>,
    pub(super) facts: StatedFacts,
}

/// Numbers that determine the share of a deployment, in the order in which LiteLLM prefers them.
#[derive(Clone, Copy, Default)]
pub(super) struct Share {
    pub(super) weight: Option<f64>,
    pub(super) rpm: Option<f64>,
    pub(super) tpm: Option<f64>,
}

/// Facts that the file states about a model.
#[derive(Clone, Default, PartialEq)]
pub(super) struct StatedFacts {
    /// Model of the catalogue with the same facts.
    pub(super) base_model: Option<String>,
    /// Keys of prices, and US dollars per million tokens.
    pub(super) prices: BTreeMap<&'static str, f64>,
    pub(super) context_window: Option<f64>,
    pub(super) max_output_tokens: Option<f64>,
    pub(super) operation: Option<&'static str>,
    pub(super) attributes: BTreeMap<String, String>,
}

/// Credentials that deployments refer to by name.
#[derive(Default)]
pub(super) struct Credentials(BTreeMap<String, BTreeMap<String, Setting>>);

/// Highest price that a configuration may have, in US dollars per million tokens.
const DEAREST: f64 = 100_000.0;

/// Keys of prices, in LiteLLM and here.
const PRICES: [(&str, &str); 10] = [
    ("input_cost_per_token", "input_price"),
    ("output_cost_per_token", "output_price"),
    ("cache_read_input_token_cost", "cached_input_price"),
    ("cache_creation_input_token_cost", "cache_write_price"),
    ("cache_creation_input_token_cost_above_1hr", "cache_write_1h_price"),
    ("output_cost_per_reasoning_token", "reasoning_price"),
    ("input_cost_per_audio_token", "audio_input_price"),
    ("output_cost_per_audio_token", "audio_output_price"),
    ("input_cost_per_image_token", "image_input_price"),
    ("output_cost_per_image_token", "image_output_price"),
];

/// Modes of models, and their operations.
const MODES: [(&str, &str); 8] = [
    ("chat", "chat"),
    ("completion", "chat"),
    ("responses", "chat"),
    ("embedding", "embedding"),
    ("audio_transcription", "transcription"),
    ("audio_speech", "speech"),
    ("image_generation", "image"),
    ("moderation", "moderation"),
];

impl Credentials {
    pub(super) fn read(root: &mut Section<'_>, report: &mut Report) -> Self {
        let mut credentials = BTreeMap::new();
        let Some((list, place)) = root.take("credential_list") else { return Self::default() };
        for (index, node) in list.elements().unwrap_or_default().iter().enumerate() {
            let mut section = Section::new(node, place.element(index, node.line), report);
            let name = section.text("credential_name", report);
            section.take("credential_info");
            let mut values = section.section("credential_values", report);
            let settings = values.rest().into_iter();
            let settings =
                settings.filter_map(|(key, node, _)| Some((key.to_owned(), Setting::of(node)?))).collect();
            section.finish(&[], report);
            if let Some((name, _)) = name {
                credentials.insert(name, settings);
            }
        }
        Self(credentials)
    }

    fn get(&self, name: &str, key: &str) -> Option<Setting> {
        self.0.get(name)?.get(key).cloned()
    }
}

impl Deployment {
    /// Reads an entry. A wildcard becomes a deployment of each model that it stands for.
    pub(super) fn read(
        node: &Node,
        place: Place,
        credentials: &Credentials,
        report: &mut Report,
    ) -> Vec<Self> {
        let mut entry = Section::new(node, place.clone(), report);
        let name = entry.text("model_name", report);
        let mut params = entry.section("litellm_params", report);
        let model = params.text("model", report);
        let prefix = params.text("custom_llm_provider", report);
        let mut info = entry.section("model_info", report);
        // Older files have the shares of a deployment beside its parameters.
        let outer = Share::read(&mut entry, report);
        entry.finish(&[], report);

        let (Some((name, name_place)), Some((model, model_place))) = (name, model) else {
            report.no_counterpart(
                &place,
                "the entry lacks `model_name` or `litellm_params.model`",
                "state both",
            );
            return Vec::new();
        };
        let model = prefix.map_or(model.clone(), |(prefix, _)| format!("{prefix}/{model}"));
        let provider = provider_of(&model, &model_place, report);
        let Some((provider, upstream)) = provider.filter(|_| is_requestable(&name, &name_place, report))
        else {
            return Vec::new();
        };
        let endpoint = Endpoint::read(&mut params, &provider, credentials, &place, report);
        let inner = Share::read(&mut params, report);
        let share = Share {
            weight: inner.weight.or(outer.weight),
            rpm: inner.rpm.or(outer.rpm),
            tpm: inner.tpm.or(outer.tpm),
        };
        let number = |params: &mut Section<'_>, key: &str, report: &mut Report| {
            params.number(key, report).map(|(number, _)| number)
        };
        let deployment = Self {
            name,
            upstream,
            provider,
            endpoint,
            share,
            order: number(&mut params, "order", report),
            timeout: number(&mut params, "timeout", report).filter(|seconds| *seconds > 0.0),
            stream_timeout: number(&mut params, "stream_timeout", report).filter(|seconds| *seconds > 0.0),
            facts: StatedFacts::read(&mut params, &mut info, report),
            place: name_place,
        };
        for key in ["max_retries", "num_retries"] {
            if let Some((_, place)) = params.take(key) {
                report.different(&place, "retries belong to routes", "set `max_attempts` of the route");
            }
        }
        params.finish(&hints::PARAMS, report);
        if !deployment.is_offered() {
            report.no_counterpart(
                &model_place,
                "the gateway does not call this provider for what the model does",
                "use a backend of kind \"openai\" if the provider offers an API like OpenAI's",
            );
            return Vec::new();
        }
        if deployment.name.contains('*') || deployment.upstream.contains('*') {
            return wildcard::expand(deployment, &model_place, report);
        }
        vec![deployment]
    }

    /// Returns whether the provider's API has an operation of the model.
    pub(super) fn is_offered(&self) -> bool {
        let facts = self.catalogue_entry().and_then(|id| catalogue::lookup(&id));
        let known = facts.map_or(Vec::new(), |facts| facts.operations);
        let kind = self.provider.kind;
        match self.facts.operation.and_then(Operation::from_name) {
            Some(stated) => providers::offers(kind, stated),
            None => known.is_empty() || known.into_iter().any(|operation| providers::offers(kind, operation)),
        }
    }

    /// Returns the entry of the catalogue with the facts of the model.
    pub(super) fn catalogue_entry(&self) -> Option<String> {
        let section = self.provider.section;
        let mut ids = Vec::new();
        if let Some(base) = &self.facts.base_model {
            let model = base.split_once('/').map_or(base.as_str(), |(_, model)| model);
            ids.extend([base.clone(), format!("{section}/{model}"), format!("openai/{model}")]);
        }
        ids.push(format!("{section}/{}", self.upstream));
        if section == "azure" {
            ids.push(format!("openai/{}", self.upstream));
        }
        ids.into_iter().find(|id| catalogue::lookup(id).is_some())
    }
}

/// Returns the provider of a model and the model's name there, or reports why there is none.
fn provider_of(model: &str, place: &Place, report: &mut Report) -> Option<(ImportedProvider, String)> {
    let (Some(provider), upstream) = ImportedProvider::split(model) else {
        let prefix = model.split_once('/').map_or("", |(prefix, _)| prefix);
        let message = match prefix {
            "" if model.contains('*') => "the models that this stands for are not known".to_owned(),
            "" => "the model has no provider that is known".to_owned(),
            prefix => format!("the provider `{prefix}` has no counterpart, so the model is left out"),
        };
        report.no_counterpart(place, message, ImportedProvider::advice(prefix));
        return None;
    };
    if upstream.is_empty() || !upstream.chars().all(|character| character.is_ascii_graphic()) {
        report.no_counterpart(
            place,
            "the name of the model is empty or has characters that are not printable",
            "names of models have printable characters of ASCII, without spaces",
        );
        return None;
    }
    Some((provider, upstream.to_owned()))
}

/// Returns whether clients can request a name, or reports that they cannot.
fn is_requestable(name: &str, place: &Place, report: &mut Report) -> bool {
    let is_allowed = |character: char| character.is_ascii_graphic() && !"\"\\'`".contains(character);
    let is_requestable = (1..=256).contains(&name.len()) && name.chars().all(is_allowed);
    if !is_requestable {
        report.no_counterpart(
            place,
            "clients cannot request this name",
            "names have up to 256 printable characters of ASCII, without space, quotes and \\",
        );
    }
    is_requestable
}

impl Share {
    fn read(section: &mut Section<'_>, report: &mut Report) -> Self {
        let weight = section.number("weight", report).map(|(number, _)| number);
        let mut limit = |key: &str| {
            let (number, place) = section.number(key, report)?;
            report.different(
                &place,
                "it is no limit here, only a weight where models are drawn by weight",
                "a provider's limits are observed by its status 429, which makes the gateway try another model",
            );
            Some(number)
        };
        Self { weight, rpm: limit("rpm"), tpm: limit("tpm") }
    }
}

impl StatedFacts {
    fn read<'n>(params: &mut Section<'n>, info: &mut Section<'n>, report: &mut Report) -> Self {
        let mut facts = Self::default();
        for section in [&mut *params, &mut *info] {
            for (key, price) in PRICES {
                let Some((usd, place)) = section.number(key, report) else { continue };
                if usd * 1e6 > DEAREST {
                    report.no_counterpart(
                        &place,
                        "it is too high for a price of one token",
                        "state a price of one token",
                    );
                    continue;
                }
                // Nine digits are more than any price has, and hide the error of the conversion.
                facts.prices.insert(price, (usd * 1e15).round() / 1e9);
            }
        }
        facts.base_model = params
            .text("base_model", report)
            .or_else(|| info.text("base_model", report))
            .map(|(name, _)| name);
        let mut tokens = |key: &str| {
            let (number, _) = info.number(key, report)?;
            (number >= 1.0 && number <= f64::from(u32::MAX)).then_some(number.trunc())
        };
        facts.context_window = tokens("max_input_tokens");
        facts.max_output_tokens = tokens("max_output_tokens");
        let most = tokens("max_tokens");
        facts.max_output_tokens = facts.max_output_tokens.or(most);
        if let Some((mode, place)) = info.text("mode", report) {
            match MODES.into_iter().find(|(name, operation)| *name == mode && is_operation(operation)) {
                Some((_, operation)) => facts.operation = Some(operation),
                None => report.no_counterpart(
                    &place,
                    "the gateway has no such operation",
                    "the model is imported for its usual operation: remove it if it has another one",
                ),
            }
        }
        for (key, node, place) in info.rest() {
            let is_known =
                hints::MODEL_INFO.iter().any(|(name, _)| key.starts_with(name.trim_end_matches('*')));
            match Setting::of(node) {
                Some(Setting::Literal(text)) if !is_known && !is_secret(key) => {
                    facts.attributes.insert(key.to_owned(), text);
                }
                _ => report_unread(key, &place, &hints::MODEL_INFO, report),
            }
        }
        facts
    }
}

fn is_operation(name: &str) -> bool {
    Operation::from_name(name).is_some()
}
