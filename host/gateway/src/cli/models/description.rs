//! Facts of a model, as `pointsman models` prints them.

use pointsman_config::FactsOrigin;
use pointsman_config::catalogue::{self, CatalogueFacts};
use pointsman_domain::model::{Abilities, Modalities, Model, Operation};
use pointsman_domain::money::{Picodollars, Price, PriceSchedule};
use serde::Serialize;

/// Picodollars per token for one US dollar per million tokens.
const PER_USD_PER_MILLION: f64 = 1e6;

/// Facts of a model of the catalogue or of a configuration. Its serialisation is the output of
/// `--json`: members are added to it, and none is removed.
#[derive(Clone, Debug, Serialize)]
pub(super) struct ModelDescription {
    pub(super) id: String,
    pub(super) operations: Vec<&'static str>,
    pub(super) context_window: Option<u32>,
    pub(super) max_output_tokens: Option<u32>,
    pub(super) inputs: Vec<String>,
    pub(super) abilities: Vec<String>,
    /// Unit that the provider charges by: `token`, or another one, which the gateway does not count.
    pub(super) charged_by: &'static str,
    /// Prices that are in force; `None` if the prices of tokens are not known.
    pub(super) usd_per_million_tokens: Option<Prices>,
    /// Past, current and coming prices, in their order; none if no change is known.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) price_periods: Vec<Period>,
    /// Source of the facts; `None` if the configuration states all.
    pub(super) source: Option<Source>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) configuration: Option<Configured>,
}

/// Prices in US dollars per million tokens. An absent one is that of any other token of its direction.
#[derive(Clone, Debug, Default, Serialize)]
pub(super) struct Prices {
    pub(super) input: f64,
    pub(super) output: f64,
    #[serde(skip_serializing_if = "Option::is_none")]
    cached_input: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    cache_write: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    cache_write_1h: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reasoning: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    audio_input: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    audio_output: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    image_input: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    image_output: Option<f64>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) tiers: Vec<TierPrices>,
}

/// Prices during a time.
#[derive(Clone, Debug, Serialize)]
pub(super) struct Period {
    /// First day, from 00:00 UTC on; `None` if it is not known.
    pub(super) from: Option<String>,
    /// First day of the next prices; `None` if no change is known.
    pub(super) until: Option<String>,
    pub(super) status: PeriodStatus,
    pub(super) usd_per_million_tokens: Prices,
}

/// Place of a period in time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum PeriodStatus {
    Past,
    Current,
    Coming,
}

/// Prices of calls with a long input.
#[derive(Clone, Debug, Serialize)]
pub(super) struct TierPrices {
    /// Input tokens above which the whole call has these prices.
    pub(super) above: u64,
    #[serde(flatten)]
    pub(super) prices: Prices,
}

/// Source of the facts that a configuration does not state.
#[derive(Clone, Debug, Serialize)]
pub(super) struct Source {
    pub(super) name: &'static str,
    /// Entry of the catalogue.
    pub(super) entry: String,
    /// Date of the last change.
    pub(super) date: Option<&'static str>,
}

/// Place of a model in a configuration.
#[derive(Clone, Debug, Serialize)]
pub(super) struct Configured {
    pub(super) backend: String,
    pub(super) upstream_name: String,
    /// Keys of the file that state prices. All other prices are those of the catalogue.
    pub(super) stated_prices: Vec<&'static str>,
}

impl ModelDescription {
    /// Describes an entry of the catalogue.
    pub(super) fn listed(id: &str, facts: &CatalogueFacts, now: u64) -> Self {
        let schedule = facts.price_schedule();
        Self {
            id: id.to_owned(),
            operations: facts.operations.iter().copied().map(Operation::name).collect(),
            context_window: facts.context_window,
            max_output_tokens: facts.max_output_tokens,
            inputs: modalities(facts.inputs),
            abilities: abilities(facts.abilities),
            charged_by: charged_by(facts),
            usd_per_million_tokens: schedule.at(now).map(Prices::new),
            price_periods: periods(&schedule, now),
            source: Some(Source::new(id, facts)),
            configuration: None,
        }
    }

    /// Describes a model of a configuration.
    pub(super) fn configured(
        model: &Model,
        origin: &FactsOrigin,
        schedule: &PriceSchedule,
        now: u64,
    ) -> Self {
        let entry = origin.catalogue.as_deref().and_then(|id| Some((id, catalogue::lookup(id)?)));
        let facts = entry.as_ref().map(|(_, facts)| facts);
        Self {
            id: model.id.to_string(),
            operations: model.operations.iter().copied().map(Operation::name).collect(),
            context_window: model.context_window,
            max_output_tokens: model.max_output_tokens,
            inputs: modalities(model.inputs),
            abilities: abilities(model.abilities),
            charged_by: facts.map_or("token", charged_by),
            usd_per_million_tokens: schedule.at(now).map(Prices::new),
            price_periods: periods(schedule, now),
            source: entry.as_ref().map(|(id, facts)| Source::new(id, facts)),
            configuration: Some(Configured {
                backend: model.backend.to_string(),
                upstream_name: model.upstream_name.clone(),
                stated_prices: origin.stated.clone(),
            }),
        }
    }

    /// Returns the key that states a price in force: its own, or the list of changes.
    pub(super) fn key_in_force(&self, key: &'static str) -> &'static str {
        let current = self.price_periods.iter().find(|period| period.status == PeriodStatus::Current);
        if current.is_some_and(|period| period.from.is_some()) { "prices" } else { key }
    }

    /// Returns the origin of the price with a key of the configuration, such as `input_price`.
    pub(super) fn price_origin(&self, key: &str) -> String {
        let stated = self.configuration.as_ref().is_some_and(|place| place.stated_prices.contains(&key));
        match &self.source {
            _ if stated => format!("{key} in the file"),
            Some(source) => format!("catalogue: {}", source.entry),
            None => "default".to_owned(),
        }
    }
}

/// Returns the times with different prices; none if there is only one.
fn periods(schedule: &PriceSchedule, now: u64) -> Vec<Period> {
    let dated = schedule.periods().filter(|_| !schedule.changes.is_empty());
    let periods = dated.map(|period| Period {
        from: period.from.map(|from| from.to_string()),
        until: period.until.map(|until| until.to_string()),
        status: match (period.contains(now), period.has_begun(now)) {
            (true, _) => PeriodStatus::Current,
            (false, true) => PeriodStatus::Past,
            (false, false) => PeriodStatus::Coming,
        },
        usd_per_million_tokens: Prices::new(period.price),
    });
    periods.collect()
}

impl Prices {
    fn new(price: &Price) -> Self {
        let tiers = price.tiers.iter();
        let special = |price: Option<Picodollars>| price.map(usd);
        Self {
            input: usd(price.input),
            output: usd(price.output),
            cached_input: special(price.cached_input),
            cache_write: special(price.cache_write),
            cache_write_1h: special(price.cache_write_1h),
            reasoning: special(price.reasoning),
            audio_input: special(price.audio_input),
            audio_output: special(price.audio_output),
            image_input: special(price.image_input),
            image_output: special(price.image_output),
            tiers: tiers
                .map(|tier| TierPrices { above: tier.above, prices: Self::new(&tier.price) })
                .collect(),
        }
    }

    /// Returns each price with its name for readers and its key in the configuration.
    pub(super) fn rows(&self) -> Vec<(&'static str, &'static str, f64)> {
        let special = [
            ("cached read", "cached_input_price", self.cached_input),
            ("cache write, 5 min", "cache_write_price", self.cache_write),
            ("cache write, 1 h", "cache_write_1h_price", self.cache_write_1h),
            ("reasoning", "reasoning_price", self.reasoning),
            ("audio input", "audio_input_price", self.audio_input),
            ("audio output", "audio_output_price", self.audio_output),
            ("image input", "image_input_price", self.image_input),
            ("image output", "image_output_price", self.image_output),
        ];
        let regular = [("input", "input_price", self.input), ("output", "output_price", self.output)];
        let special = special.into_iter().filter_map(|(name, key, price)| Some((name, key, price?)));
        regular.into_iter().chain(special).collect()
    }
}

impl Source {
    fn new(entry: &str, facts: &CatalogueFacts) -> Self {
        Self { name: facts.source, entry: entry.to_owned(), date: facts.date }
    }
}

fn charged_by(facts: &CatalogueFacts) -> &'static str {
    facts.unit.map_or("token", catalogue::ChargeUnit::name)
}

fn usd(price: Picodollars) -> f64 {
    price.get() as f64 / PER_USD_PER_MILLION
}

fn modalities(kinds: Modalities) -> Vec<String> {
    kinds.iter_names().map(|(name, _)| word(name)).collect()
}

fn abilities(abilities: Abilities) -> Vec<String> {
    abilities.iter_names().map(|(name, _)| word(name)).collect()
}

/// Returns the word of the configuration for the name of a flag.
fn word(flag: &str) -> String {
    flag.to_ascii_lowercase().replace('_', "-")
}
