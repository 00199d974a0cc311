//! Mutation of cases that led to new behaviour.

use super::dictionary::Dictionary;
use super::generate::{self, Features, candidates, text};
use super::random::Random;
use crate::case::Case;
use crate::case::format::{CandidateEntry, Message, Messages};

/// Most changes of one case.
const MAX_CHANGES: usize = 4;
/// Most bytes of a text that is changed.
const MAX_TEXT: usize = 64 << 10;
/// Most candidates, as many as are generated.
const MAX_CANDIDATES: usize = 200;
/// Most messages.
const MAX_MESSAGES: usize = 200;

/// Changes some members of a case.
pub fn mutate(random: &mut Random, dictionary: &Dictionary, features: Features, case: &mut Case) {
    // Results of tasks follow from the plan, which may change.
    if random.flip() {
        case.tasks.clear();
    }
    for _ in 0..random.between(1, MAX_CHANGES) {
        match random.below(10) {
            0 => case.request.messages = generate::messages(random, dictionary),
            1..=3 => mutate_messages(random, dictionary, case),
            4 => generate::change_fact(random, dictionary, &mut case.request),
            5 => {
                case.candidates =
                    Some(candidates::candidates(random, dictionary, &case.request, features.orchestrates));
            }
            6 | 7 => mutate_candidates(random, dictionary, features, case),
            8 if features.keeps_state => case.state = Some(generate::state(random, dictionary)),
            8 => generate::change_fact(random, dictionary, &mut case.request),
            _ => {
                case.earlier.clear();
                case.isolation = None;
                if random.flip() {
                    generate::add_earlier(random, dictionary, features, case);
                }
            }
        }
    }
}

fn mutate_candidates(random: &mut Random, dictionary: &Dictionary, features: Features, case: &mut Case) {
    let entries = case.candidates.get_or_insert_default();
    let place = random.below(entries.len());
    match random.below(5) {
        0 if entries.len() > 1 => drop(entries.remove(place)),
        1 => {
            if let Some(CandidateEntry::Facts(facts)) = entries.get_mut(place) {
                let id = std::mem::take(&mut facts.id);
                **facts = candidates::one(random, dictionary, &case.request, features.orchestrates, 0);
                facts.id = id;
            }
        }
        2 => {
            let end = entries.len().saturating_sub(1);
            entries.swap(place.min(end), random.below(end + 1).min(end));
        }
        3 => {
            // All of them unhealthy, free or of the same price.
            let (health, price) = (random.flip(), random.pick(&[0.0, 1.0]));
            for entry in entries {
                let CandidateEntry::Facts(facts) = entry else { continue };
                if health {
                    facts.healthy = Some(false);
                } else {
                    (facts.input_price, facts.output_price) = (Some(price), Some(price));
                }
            }
        }
        _ if entries.len() < MAX_CANDIDATES => {
            let number = 1_000 + entries.len();
            let mut copy = match entries.get(place) {
                Some(CandidateEntry::Facts(facts)) => (**facts).clone(),
                _ => candidates::one(random, dictionary, &case.request, features.orchestrates, number),
            };
            copy.id = format!("copy/m{number}");
            if entries.iter().all(|entry| entry.id() != copy.id) {
                entries.push(CandidateEntry::Facts(Box::new(copy)));
            }
        }
        _ => {}
    }
}

fn mutate_messages(random: &mut Random, dictionary: &Dictionary, case: &mut Case) {
    match &mut case.request.messages {
        None => case.request.messages = Some(Messages::Text(text::text(random, dictionary, MAX_TEXT))),
        Some(Messages::Text(own)) => mutate_text(random, dictionary, own),
        Some(Messages::List(list)) => mutate_list(random, dictionary, list),
    }
}

fn mutate_list(random: &mut Random, dictionary: &Dictionary, list: &mut Vec<Message>) {
    let place = random.below(list.len());
    match random.below(4) {
        0 if !list.is_empty() => drop(list.remove(place)),
        1 if list.len() < MAX_MESSAGES => {
            let role = random.pick(&["user", "assistant", "system"]);
            list.insert(place, generate::message(random, dictionary, role, MAX_TEXT / (list.len() + 1)));
        }
        2 if !list.is_empty() && list.len() * 2 < MAX_MESSAGES => list.extend_from_within(..),
        _ => {
            if let Some(message) = list.get_mut(place) {
                mutate_text(random, dictionary, message.text.get_or_insert_default());
            }
        }
    }
}

fn mutate_text(random: &mut Random, dictionary: &Dictionary, own: &mut String) {
    let place = own.floor_char_boundary(random.below(own.len() + 1));
    match random.below(6) {
        0 => own.truncate(place),
        1 => drop(own.drain(..place)),
        2 => own.insert_str(place, &text::text(random, dictionary, 200)),
        3 => own.push_str(&text::text(random, dictionary, 4_000)),
        4 => *own = own.repeat(random.between(2, 8)),
        _ => own.insert_str(place, random.pick(&["é", "漢", "🙂", "\0", "\n", "\u{301}", " "])),
    }
    own.truncate(own.floor_char_boundary(MAX_TEXT));
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::case::input::decision_input;

    #[test]
    fn mutated_cases_differ_and_stay_cases() {
        let dictionary = Dictionary::default();
        let features = Features { keeps_state: true, ..Features::default() };
        let mut changed = 0;
        for number in 0..300 {
            let mut random = Random::of(11, number);
            let original = generate::case(&mut random, &dictionary, features);
            let mut case = original.clone();
            for _ in 0..4 {
                mutate(&mut random, &dictionary, features, &mut case);
            }
            changed += u32::from(case != original);
            let input = decision_input(&case, false);
            let ids: std::collections::BTreeSet<&str> =
                input.candidates.iter().map(|it| it.model.id.as_str()).collect();
            assert_eq!(ids.len(), input.candidates.len(), "ids are unique");
            assert!(!ids.is_empty());
        }
        assert!(changed > 290, "{changed}");
    }
}
