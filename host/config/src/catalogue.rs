//! Embedded facts of well-known models: limits, prices, inputs and abilities. They are the
//! defaults of `[models]`.
//!
//! The catalogue is text that is searched while a configuration compiles, and by `pointsman models`.
//! At other times its pages of the executable are not touched.

use pointsman_domain::date::Date;
use pointsman_domain::model::{Abilities, Modalities, Operation};
use pointsman_domain::money::{Picodollars, Price, PriceChange, PriceSchedule, PriceTier};

mod search;

pub use search::search;

const MODELS: &str = include_str!("../catalogue/models.tsv");
/// Fields of a line.
const FIELDS: usize = 21;

/// Source of most facts.
const MODELS_DEV: &str = "models.dev";
/// Source of the facts of models for speech, transcriptions, images and moderations.
const LITELLM: &str = "LiteLLM's list of prices";

/// Facts of one model.
#[derive(Clone, Debug, PartialEq)]
pub struct CatalogueFacts {
    /// Most tokens of input and output together.
    pub context_window: Option<u32>,
    /// Most tokens of one answer.
    pub max_output_tokens: Option<u32>,
    /// The provider's list price for tokens.
    pub price: Option<Price>,
    /// Changes of that price, in ascending order of their dates.
    pub price_changes: Vec<PriceChange>,
    /// Unit that the provider charges by, if that is known not to be the token.
    pub unit: Option<ChargeUnit>,
    /// Name of their source.
    pub source: &'static str,
    /// Date of the facts, as `YYYY-MM-DD`: the last time when the source changed them.
    pub date: Option<&'static str>,
    /// Kinds of content it accepts.
    pub inputs: Modalities,
    /// Abilities of the model.
    pub abilities: Abilities,
    /// Operations that it supports.
    pub operations: Vec<Operation>,
}

impl CatalogueFacts {
    /// Returns the list prices over time.
    pub fn price_schedule(&self) -> PriceSchedule {
        PriceSchedule { initial: self.price.clone(), changes: self.price_changes.clone() }
    }
}

/// Unit of a price, other than the token. The gateway does not count it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ChargeUnit {
    /// A second of audio.
    Second,
    /// A character of the input.
    Character,
    /// An image, whose price depends on its size and quality.
    Image,
}

impl ChargeUnit {
    /// Returns the name, for texts and programs.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Second => "second",
            Self::Character => "character",
            Self::Image => "image",
        }
    }

    fn from_letter(letter: &str) -> Option<Self> {
        match letter {
            "s" => Some(Self::Second),
            "c" => Some(Self::Character),
            "i" => Some(Self::Image),
            _ => None,
        }
    }
}

/// Looks up a model by `provider/model`.
pub fn lookup(id: &str) -> Option<CatalogueFacts> {
    let line = lines().find(|line| id_of(line) == id)?;
    facts(line)
}

/// Returns all models with their ids, in the order of the ids.
pub fn entries() -> impl Iterator<Item = (&'static str, CatalogueFacts)> {
    lines().filter_map(|line| Some((id_of(line), facts(line)?)))
}

/// Returns the names of the providers, in their order.
pub fn providers() -> Vec<&'static str> {
    let mut providers: Vec<&str> = lines().map(id_of).map(provider_of).collect();
    providers.dedup();
    providers
}

/// Returns the ids of a provider's models; none for an unknown provider.
pub fn ids(provider: &str) -> impl Iterator<Item = &'static str> {
    lines().map(id_of).filter(move |id| provider_of(id) == provider)
}

fn lines() -> impl Iterator<Item = &'static str> {
    MODELS.lines().filter(|line| !line.starts_with('#'))
}

fn id_of(line: &'static str) -> &'static str {
    line.split_once('\t').map_or(line, |(id, _)| id)
}

/// Returns the provider of an id.
pub fn provider_of(id: &str) -> &str {
    id.split_once('/').map_or(id, |(provider, _)| provider)
}

fn facts(line: &'static str) -> Option<CatalogueFacts> {
    let mut fields = [""; FIELDS];
    for (field, text) in fields.iter_mut().zip(line.split('\t')) {
        *field = text;
    }
    let [
        _,
        context,
        most_output,
        input,
        output,
        inputs,
        abilities,
        operations,
        date,
        special @ ..,
        tiers,
        unit,
        image_input,
        image_output,
        source,
        changes,
    ] = fields;
    let [cached_input, cache_write, reasoning, cache_write_1h, audio_input, audio_output] =
        special.map(price);
    let operations: Vec<Operation> = operations.chars().filter_map(operation).collect();
    let first = *operations.first()?;
    let stated: Abilities = abilities.chars().filter_map(ability).collect();
    Some(CatalogueFacts {
        context_window: context.parse().ok(),
        max_output_tokens: most_output.parse().ok(),
        price: price(input).zip(price(output)).map(|(input, output)| Price {
            input,
            output,
            cached_input,
            cache_write,
            cache_write_1h,
            reasoning,
            audio_input,
            audio_output,
            image_input: price(image_input),
            image_output: price(image_output),
            tiers: tiers.split(';').filter_map(tier).collect(),
        }),
        price_changes: changes.split(';').filter_map(price_change).collect(),
        unit: ChargeUnit::from_letter(unit),
        source: if source == "l" { LITELLM } else { MODELS_DEV },
        date: Some(date).filter(|date| !date.is_empty()),
        inputs: inputs.chars().filter_map(modality).collect(),
        abilities: stated | unstated(first, stated),
        operations,
    })
}

/// Parses a price in US dollars per million tokens.
fn price(field: &str) -> Option<Picodollars> {
    field.parse().ok().map(Picodollars::per_million)
}

/// Parses the prices of long inputs: the length, then the prices.
fn tier(field: &str) -> Option<PriceTier> {
    let (above, prices) = field.split_once(':')?;
    Some(PriceTier { above: above.parse().ok()?, price: short_prices(prices)? })
}

/// Parses a change of prices: the date, then the prices as of long inputs.
fn price_change(field: &str) -> Option<PriceChange> {
    let (from, prices) = field.split_once(':')?;
    Some(PriceChange { from: Date::parse(from)?, price: short_prices(prices)? })
}

/// Parses prices of input, output, and of tokens that are read from and written to the cache.
fn short_prices(field: &str) -> Option<Price> {
    let mut parts = field.split(':');
    let mut next = || price(parts.next().unwrap_or_default());
    let (input, output) = (next()?, next()?);
    let (cached_input, cache_write) = (next(), next());
    Some(Price { input, output, cached_input, cache_write, ..Price::default() })
}

/// Abilities that the catalogue's source does not record. With few exceptions, chat models
/// stream, and those that do not reason report log probabilities. It is better to send a
/// request that the backend rejects than not to send it.
fn unstated(operation: Operation, stated: Abilities) -> Abilities {
    match operation {
        Operation::Chat if stated.contains(Abilities::REASONING) => Abilities::STREAMING,
        Operation::Chat => Abilities::STREAMING | Abilities::LOG_PROBABILITIES,
        _ => Abilities::empty(),
    }
}

fn operation(letter: char) -> Option<Operation> {
    Some(match letter {
        'c' => Operation::Chat,
        'e' => Operation::Embedding,
        'r' => Operation::Transcription,
        'l' => Operation::Translation,
        's' => Operation::Speech,
        'i' => Operation::Image,
        'm' => Operation::Moderation,
        _ => return None,
    })
}

fn modality(letter: char) -> Option<Modalities> {
    Some(match letter {
        't' => Modalities::TEXT,
        'i' => Modalities::IMAGE,
        'a' => Modalities::AUDIO,
        'v' => Modalities::VIDEO,
        'd' => Modalities::DOCUMENT,
        _ => return None,
    })
}

fn ability(letter: char) -> Option<Abilities> {
    Some(match letter {
        't' => Abilities::TOOLS,
        's' => Abilities::STRUCTURED_OUTPUT,
        'r' => Abilities::REASONING,
        _ => return None,
    })
}

#[cfg(test)]
mod tests;
