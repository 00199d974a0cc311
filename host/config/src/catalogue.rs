//! Embedded facts of well-known models: limits, prices, inputs and abilities. They are the
//! defaults of `[models]`.
//!
//! The catalogue is text that is searched while a configuration compiles. At other times its
//! pages of the executable are not touched.

use pointsman_domain::model::{Abilities, Modalities, Operation};
use pointsman_domain::money::{Picodollars, Price};

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

fn facts(line: &str) -> Option<CatalogueFacts> {
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
    let mut special = || field().parse().ok().map(Picodollars::per_million);
    let (cached_input, cache_write, reasoning) = (special(), special(), special());
    Some(CatalogueFacts {
        context_window,
        max_output_tokens,
        price: input.zip(output).map(|(input, output)| Price {
            cached_input,
            cache_write,
            reasoning,
            ..Price::per_million(input, output)
        }),
        inputs,
        abilities: stated | unstated(operation, stated),
        operations: vec![operation],
    })
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
