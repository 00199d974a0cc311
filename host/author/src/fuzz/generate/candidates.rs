//! Candidates: few and many, with prices and statistics that are missing, equal and extreme.

use crate::case::format::{CandidateEntry, CandidateFormat, RequestFormat};
use crate::case::words::{Ability, ContentKind, OperationName};
use crate::fuzz::dictionary::{Dictionary, WordUse};
use crate::fuzz::generate::text;
use crate::fuzz::random::Random;

/// Prices in US dollars per million tokens.
const PRICES: &[f64] = &[0.0, 1e-9, 1e-3, 0.05, 0.4, 1.0, 2.5, 10.0, 75.0, 1e6, 1e12];

/// Properties that the candidates of one list share.
struct Profile {
    price: usize,
    health: usize,
    statistics: usize,
    facts: usize,
}

/// Returns a list of candidates that can serve a request, or for an orchestrating policy a part of it.
/// There is at least one, as the contract has it.
pub fn candidates(
    random: &mut Random,
    dictionary: &Dictionary,
    request: &RequestFormat,
    orchestrates: bool,
) -> Vec<CandidateEntry> {
    let count = match random.below(20) {
        0..=3 => 1,
        4..=11 => random.between(2, 5),
        12..=16 => random.between(6, 20),
        17 | 18 => random.between(21, 64),
        _ => random.between(65, 200),
    };
    let profile = Profile {
        price: random.below(6),
        health: random.below(8),
        statistics: random.below(4),
        facts: random.below(4),
    };
    let entries = (0..count).map(|number| {
        let mut facts = candidate(random, dictionary, &profile, number);
        serve(random, &mut facts, request, orchestrates);
        CandidateEntry::Facts(Box::new(facts))
    });
    entries.collect()
}

/// Returns one candidate with a number that makes its id unique.
pub fn one(
    random: &mut Random,
    dictionary: &Dictionary,
    request: &RequestFormat,
    orchestrates: bool,
    number: usize,
) -> CandidateFormat {
    let profile = Profile { price: 5, health: 7, statistics: 2, facts: 2 };
    let mut facts = candidate(random, dictionary, &profile, number);
    serve(random, &mut facts, request, orchestrates);
    facts
}

fn candidate(
    random: &mut Random,
    dictionary: &Dictionary,
    profile: &Profile,
    number: usize,
) -> CandidateFormat {
    let backend = random.pick(&["a", "b", "local", "openai"]);
    let id = match random.below(24) {
        // Control characters are in no name of a model.
        0 => format!("{backend}/{}-{number}", text::name(random, dictionary).replace(char::is_control, "")),
        1 => format!("{backend}/org/model:{number}"),
        _ => format!("{backend}/m{number}"),
    };
    let mut facts = CandidateFormat { id, ..CandidateFormat::default() };
    let (input, output) = match profile.price {
        0 => (0.0, 0.0),
        1 => (1.0, 2.0),
        2 => (random.pick(PRICES), random.pick(PRICES)),
        3 => (0.1 * (number + 1) as f64, 0.4 * (number + 1) as f64),
        _ => (random.fraction() * 5.0, random.fraction() * 20.0),
    };
    facts.input_price = Some(input).filter(|_| profile.price != 0 || random.flip());
    facts.output_price = Some(output).filter(|_| profile.price != 0 || random.flip());
    facts.healthy = match profile.health {
        0 => Some(false),
        1 => Some(random.flip()),
        _ => None,
    };
    let is_known = |random: &mut Random| match profile.statistics {
        0 => false,
        1 => true,
        _ => random.flip(),
    };
    if is_known(random) {
        facts.first_token_ms = Some(random.pick(&[0.0, 0.5, 90.0, 250.0, 30_000.0, 1e12]));
    }
    if is_known(random) {
        facts.tokens_per_second = Some(random.pick(&[0.001, 1.0, 45.0, 110.0, 1e6]));
    }
    if is_known(random) {
        facts.error_rate = Some(random.pick(&[0.0, 0.01, 0.5, 0.999_999, 1.0]));
        facts.in_flight = Some(random.pick(&[0, 1, 15, 16, 1_000, u32::MAX]));
    }
    describe(random, dictionary, profile, &mut facts);
    facts
}

/// Adds facts of the configuration.
fn describe(random: &mut Random, dictionary: &Dictionary, profile: &Profile, facts: &mut CandidateFormat) {
    if profile.facts == 0 {
        return;
    }
    if random.flip() {
        facts.quality = Some(match random.below(4) {
            0 => random.pick(&[0.0, 0.5, 1.0]),
            _ => random.fraction(),
        });
        facts.context_window = Some(random.pick(&[1, 4_096, 8_192, 128_000, 1_000_000, u32::MAX]));
        facts.max_output_tokens = Some(random.pick(&[0, 1, 512, 4_096, 8_192, u32::MAX]));
    }
    if random.one_in(3) {
        for task in random.subset(&dictionary.words(WordUse::TaskQuality)) {
            facts.task_quality.insert(task.to_owned(), random.pick(&[0.0, 0.3, 0.75, 1.0]));
        }
    }
    if random.one_in(3) {
        for key in random.subset(&dictionary.words(WordUse::CandidateAttribute)) {
            let value = match random.below(5) {
                0 => text::text(random, dictionary, 1_000),
                1 => random.pick(&["", "0", "-1", "nan", "inf", "1e309"]).to_owned(),
                2 => random.pick(&dictionary.words(WordUse::Text)).to_owned(),
                _ => random.count().to_string(),
            };
            facts.attributes.insert(key.to_owned(), value);
        }
    }
}

/// Makes a candidate serve the request, as every candidate of a routing policy does.
fn serve(random: &mut Random, facts: &mut CandidateFormat, request: &RequestFormat, orchestrates: bool) {
    if orchestrates && random.one_in(3) {
        facts.operations = Some(random.subset(OperationName::ALL)).filter(|all| !all.is_empty());
        facts.inputs = Some(random.subset(ContentKind::ALL));
        facts.abilities = Some(random.subset(Ability::ALL));
        return;
    }
    if let Some(operation) = request.operation {
        facts.operations = Some(vec![operation]);
    }
    if random.one_in(3) || request.inputs.is_some() || has_media(request) {
        facts.inputs = Some(ContentKind::ALL.to_vec());
    }
    if random.one_in(6) {
        facts.abilities = Some(Ability::ALL.to_vec());
    }
}

fn has_media(request: &RequestFormat) -> bool {
    match &request.messages {
        Some(crate::case::format::Messages::List(list)) => {
            list.iter().any(|message| message.parts.iter().any(|part| part.kind.is_some()))
        }
        _ => false,
    }
}
