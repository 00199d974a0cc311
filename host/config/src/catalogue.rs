//! Embedded facts of well-known models: limits, prices, inputs and abilities. They are the
//! defaults of `[models]`.
//!
//! The catalogue is text that is searched while a configuration compiles. At other times its
//! pages of the executable are not touched.

use pointsman_domain::model::{Abilities, Modalities, Operation};
use pointsman_domain::money::{Picodollars, Price, PriceTier};

const MODELS: &str = include_str!("../catalogue/models.tsv");

/// Facts of one model.
#[derive(Clone, Debug, PartialEq)]
pub struct CatalogueFacts {
    /// Most tokens of input and output together.
    pub context_window: Option<u32>,
    /// Most tokens of one answer.
    pub max_output_tokens: Option<u32>,
    /// The provider's list price.
    pub price: Option<Price>,
    /// Date of the facts, as `YYYY-MM-DD`: the last time when the source changed them.
    pub date: Option<&'static str>,
    /// Kinds of content it accepts.
    pub inputs: Modalities,
    /// Abilities of the model.
    pub abilities: Abilities,
    /// Operations that it supports.
    pub operations: Vec<Operation>,
}

/// Looks up a model by `provider/model`.
pub fn lookup(id: &str) -> Option<CatalogueFacts> {
    let line = lines().find(|line| id_of(line) == id)?;
    facts(line)
}

/// Returns the ids of a provider's models; none for an unknown provider.
pub fn ids(provider: &str) -> impl Iterator<Item = &'static str> {
    lines().map(id_of).filter(move |id| id.split_once('/').is_some_and(|(section, _)| section == provider))
}

fn lines() -> impl Iterator<Item = &'static str> {
    MODELS.lines().filter(|line| !line.starts_with('#'))
}

fn id_of(line: &'static str) -> &'static str {
    line.split_once('\t').map_or(line, |(id, _)| id)
}

fn facts(line: &'static str) -> Option<CatalogueFacts> {
    let mut fields = line.split('\t').skip(1);
    let mut field = || fields.next().unwrap_or_default();
    let context_window = field().parse().ok();
    let max_output_tokens = field().parse().ok();
    let (input, output): (Option<f64>, Option<f64>) = (field().parse().ok(), field().parse().ok());
    let inputs = field().chars().filter_map(modality).collect();
    let stated: Abilities = field().chars().filter_map(ability).collect();
    let operation = match field() {
        "c" => Operation::Chat,
        "e" => Operation::Embedding,
        "r" => Operation::Transcription,
        _ => return None,
    };
    let date = Some(field()).filter(|date| !date.is_empty());
    let mut special = || price(field());
    let [cached_input, cache_write, reasoning] = [special(), special(), special()];
    let [cache_write_1h, audio_input, audio_output] = [special(), special(), special()];
    let tiers = field().split(';').filter_map(tier).collect();
    Some(CatalogueFacts {
        context_window,
        max_output_tokens,
        price: input.zip(output).map(|(input, output)| Price {
            cached_input,
            cache_write,
            cache_write_1h,
            reasoning,
            audio_input,
            audio_output,
            tiers,
            ..Price::per_million(input, output)
        }),
        date,
        inputs,
        abilities: stated | unstated(operation, stated),
        operations: vec![operation],
    })
}

/// Parses a price in US dollars per million tokens.
fn price(field: &str) -> Option<Picodollars> {
    field.parse().ok().map(Picodollars::per_million)
}

/// Parses the prices of long inputs: the length, then the prices of input, output, and of tokens that
/// are read from and written to the cache.
fn tier(field: &str) -> Option<PriceTier> {
    let mut parts = field.split(':');
    let above = parts.next()?.parse().ok()?;
    let mut next = || price(parts.next().unwrap_or_default());
    let (input, output) = (next()?, next()?);
    let (cached_input, cache_write) = (next(), next());
    Some(PriceTier { above, price: Price { input, output, cached_input, cache_write, ..Price::default() } })
}

/// Abilities that the catalogue's source does not record. With few exceptions, chat models
/// stream, and those that do not reason report log probabilities. It is better to send a
/// request that the backend rejects than not to send it.
fn unstated(operation: Operation, stated: Abilities) -> Abilities {
    match operation {
        Operation::Chat if stated.contains(Abilities::REASONING) => Abilities::STREAMING,
        Operation::Chat => Abilities::STREAMING | Abilities::LOG_PROBABILITIES,
        Operation::Embedding | Operation::Transcription => Abilities::empty(),
    }
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
