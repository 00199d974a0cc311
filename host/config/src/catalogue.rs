//! Facts of well-known models, inside the binary: limits, prices, what they
//! accept and can do. The configuration takes from it what the operator does
//! not state.
//!
//! It is text that is searched while a configuration compiles, and otherwise
//! pages of the executable that nobody touches.

use pointsman_domain::model::{Abilities, Modalities, Operation};
use pointsman_domain::money::{Picodollars, Price};

const MODELS: &str = include_str!("../catalogue/models.tsv");

/// What the catalogue knows of a model.
#[derive(Clone, Debug, PartialEq)]
pub struct Facts {
    /// Most tokens of input and output together.
    pub context_window: Option<u32>,
    /// Most tokens of one answer.
    pub max_output_tokens: Option<u32>,
    /// The provider's list price.
    pub price: Option<Price>,
    /// Kinds of content it accepts.
    pub inputs: Modalities,
    /// What it can do.
    pub abilities: Abilities,
    /// What it can be called for.
    pub operations: Vec<Operation>,
}

/// The facts of a model by `provider/model`.
pub fn lookup(id: &str) -> Option<Facts> {
    let line = lines().find(|line| id_of(line) == id)?;
    facts(line)
}

/// The ids of a provider's models; none for an unknown provider.
pub fn ids(provider: &str) -> impl Iterator<Item = &'static str> {
    lines().map(id_of).filter(move |id| id.split_once('/').is_some_and(|(section, _)| section == provider))
}

fn lines() -> impl Iterator<Item = &'static str> {
    MODELS.lines().filter(|line| !line.starts_with('#'))
}

fn id_of(line: &'static str) -> &'static str {
    line.split_once('\t').map_or(line, |(id, _)| id)
}

fn facts(line: &str) -> Option<Facts> {
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
    Some(Facts {
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

/// Abilities that the catalogue's source does not record. Chat models stream,
/// and those that do not reason report log probabilities, with few exceptions;
/// a request should rather be tried and refused by the backend than not tried.
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
