//! Cases that led to new behaviour, from which further ones are made.

use std::collections::HashSet;

use super::dictionary::Dictionary;
use super::generate::{self, Features};
use super::mutate::mutate;
use super::random::Random;
use crate::case::Case;

/// Most cases that are kept.
const MAX_CASES: usize = 512;
/// Most behaviours that are distinguished.
const MAX_BEHAVIOURS: usize = 20_000;
/// Bytes of all cases that are kept, as far as their texts count.
const MAX_BYTES: usize = 64 << 20;

/// Cases, behaviours and words that a campaign has met.
#[derive(Debug, Default)]
pub struct Corpus {
    cases: Vec<Case>,
    bytes: usize,
    behaviours: HashSet<u64>,
    /// Settings that the policy accepts, the first of which most inputs have.
    pub settings: Vec<Option<serde_json::Map<String, serde_json::Value>>>,
    /// Words.
    pub dictionary: Dictionary,
}

impl Corpus {
    /// Adds a case of the author, without its expectations and limits.
    pub fn add_seed(&mut self, case: &Case) {
        self.dictionary.add_case(case);
        if self.cases.len() < MAX_CASES / 2 {
            self.push(Case {
                name: None,
                limits: None,
                grants: None,
                expect: crate::case::format::Expectation::default(),
                ..case.clone()
            });
        }
    }

    /// Records a behaviour. Returns whether it is new; then the case is kept if there is room.
    pub fn record(&mut self, behaviour: u64, case: &Case) -> bool {
        let is_new = self.behaviours.len() < MAX_BEHAVIOURS && self.behaviours.insert(behaviour);
        if is_new && self.cases.len() < MAX_CASES {
            self.push(case.clone());
        }
        is_new
    }

    fn push(&mut self, case: Case) {
        let bytes = size(&case);
        if self.bytes + bytes <= MAX_BYTES {
            self.bytes += bytes;
            self.cases.push(case);
        }
    }

    /// Returns the number of behaviours.
    pub fn behaviours(&self) -> usize {
        self.behaviours.len()
    }

    /// Makes the next input: a new case, or a kept one with changes.
    pub fn next(&self, random: &mut Random, features: Features) -> Case {
        let kept = if random.flip() { None } else { random.pick_ref(&self.cases) };
        let mut case = match kept {
            None => generate::case(random, &self.dictionary, features),
            Some(kept) => {
                let mut case = kept.clone();
                mutate(random, &self.dictionary, features, &mut case);
                case
            }
        };
        let others = self.settings.len().saturating_sub(1);
        let number = if others > 0 && random.one_in(4) { 1 + random.below(others) } else { 0 };
        case.settings = self.settings.get(number).cloned().flatten();
        case
    }

    /// Returns a kept case, if there is one.
    pub fn any(&self, random: &mut Random) -> Option<Case> {
        let mut case = random.pick_ref(&self.cases)?.clone();
        case.settings = self.settings.first().cloned().flatten();
        Some(case)
    }
}

/// Returns the bytes of a case's largest members.
fn size(case: &Case) -> usize {
    let candidates = case.candidates.as_ref().map_or(0, Vec::len);
    let content = crate::case::content::CaseContent::new(case.request.messages.as_ref(), &[]);
    let texts =
        pointsman_domain::prompt::Prompt::parts(&content).iter().map(|part| part.bytes).sum::<usize>();
    let outputs = case.tasks.iter().filter_map(|task| task.output.as_ref()).map(String::len).sum::<usize>();
    1_000 + 500 * candidates + texts.min(MAX_BYTES) + outputs
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::case::format::{Messages, RequestFormat};

    fn saying(text: &str) -> Case {
        let messages = Some(Messages::Text(text.to_owned()));
        Case { request: RequestFormat { messages, ..RequestFormat::default() }, ..Case::default() }
    }

    #[test]
    fn a_case_is_kept_for_new_behaviour_only() {
        let mut corpus = Corpus::default();
        assert!(corpus.record(1, &saying("a")));
        assert!(!corpus.record(1, &saying("b")));
        assert!(corpus.record(2, &saying("c")));
        assert_eq!((corpus.behaviours(), corpus.cases.len()), (2, 2));
        assert!(corpus.any(&mut Random::of(0, 0)).is_some());
    }

    #[test]
    fn what_is_kept_is_bounded() {
        let mut corpus = Corpus::default();
        let long = saying(&"x".repeat(10 << 20));
        for behaviour in 0..10 {
            corpus.record(behaviour, &long);
        }
        assert_eq!((corpus.behaviours(), corpus.cases.len()), (10, 6));
        (10..2_000).for_each(|behaviour| assert!(corpus.record(behaviour, &saying(""))));
        assert_eq!(corpus.cases.len(), MAX_CASES);
    }

    #[test]
    fn most_inputs_have_the_first_settings() {
        let settings = |text: &str| serde_json::from_str(text).ok();
        let corpus =
            Corpus { settings: vec![settings(r#"{"a":1}"#), settings(r#"{"a":2}"#)], ..Corpus::default() };
        let first = (0..400)
            .filter(|number| {
                corpus.next(&mut Random::of(1, *number), Features::default()).settings == corpus.settings[0]
            })
            .count();
        assert!((250..350).contains(&first), "{first}");
    }
}
