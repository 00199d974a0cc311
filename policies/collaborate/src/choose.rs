//! Selection of the models that answer, and of the one that combines their answers.

use pointsman_sdk::prelude::*;
use pointsman_sdk::{Modalities, Pattern, outline};
use pointsman_tasks::best_first;

use crate::settings::Agents;

/// The candidates that can serve the request whole and that the budget can pay,
/// best first; broken ones last.
pub(crate) fn able(request: &Request, candidates: &[Candidate]) -> Result<Vec<usize>, Refusal> {
    let whole = candidates.get(..outline::whole()).unwrap_or(candidates);
    if whole.is_empty() {
        return Err(Refusal::NoCandidate("no single model can serve the whole request".to_owned()));
    }
    let quality: Vec<Option<f64>> = whole.iter().map(|model| model.quality).collect();
    let mut order = best_first(whole, request, &quality, 0.0)?;
    order.sort_by_key(|&index| !whole[index].healthy);
    Ok(order)
}

/// The models that answer: all different, and of those that are able and read text.
pub(crate) fn agents(wanted: &Agents, able: &[usize], candidates: &[Candidate]) -> Vec<usize> {
    let readers = able.iter().copied().filter(|&index| candidates[index].inputs.contains(Modalities::TEXT));
    let readers: Vec<usize> = readers.collect();
    match wanted {
        Agents::Number(number) => most_different(*number, &readers, candidates),
        Agents::Patterns(patterns) => {
            let mut chosen = Vec::new();
            for pattern in patterns {
                let is_next = |index: &usize| !chosen.contains(index) && pattern.fits(&candidates[*index].id);
                if let Some(index) = readers.iter().copied().find(is_next) {
                    chosen.push(index);
                }
            }
            chosen
        }
    }
}

/// The best of each backend and model; then the best of other models, whatever
/// their backend; then the same models from other backends.
fn most_different(number: usize, readers: &[usize], candidates: &[Candidate]) -> Vec<usize> {
    let names = |index: usize| {
        let id = candidates[index].id.as_str();
        id.split_once('/').unwrap_or(("", id))
    };
    let mut chosen: Vec<usize> = Vec::new();
    for (new_backend, new_model) in [(true, true), (false, true), (false, false)] {
        for &index in readers {
            let (backend, model) = names(index);
            let is_taken = chosen.contains(&index)
                || new_model && chosen.iter().any(|&other| names(other).1 == model)
                || new_backend && chosen.iter().any(|&other| names(other).0 == backend);
            if !is_taken && chosen.len() < number {
                chosen.push(index);
            }
        }
    }
    chosen
}

/// The models that may write the answer: those that fit the pattern first.
pub(crate) fn aggregators(pattern: Option<&Pattern>, able: &[usize], candidates: &[Candidate]) -> Vec<usize> {
    let readers = able.iter().copied().filter(|&index| candidates[index].inputs.contains(Modalities::TEXT));
    let mut order: Vec<usize> = readers.collect();
    if let Some(pattern) = pattern {
        order.sort_by_key(|&index| !pattern.fits(&candidates[index].id));
    }
    order
}

#[cfg(test)]
mod tests {
    use pointsman_sdk::testkit::candidate;

    use super::*;

    const IDS: [&str; 5] = ["a/one", "a/two", "b/one", "c/three", "c/four"];

    fn chosen(wanted: &Agents) -> Vec<usize> {
        agents(wanted, &[0, 1, 2, 3, 4], &IDS.map(|id| candidate(id, 1.0, 1.0)))
    }

    fn patterns(patterns: &[&str]) -> Agents {
        Agents::Patterns(patterns.iter().map(|&pattern| Pattern::new(pattern)).collect())
    }

    #[test]
    fn other_backends_and_models_come_before_better_ones_of_the_same() {
        assert_eq!(chosen(&Agents::Number(2)), [0, 3]);
        assert_eq!(chosen(&Agents::Number(4)), [0, 3, 1, 4]);
        assert_eq!(chosen(&Agents::Number(8)), [0, 3, 1, 4, 2], "the same model elsewhere comes last");
    }

    #[test]
    fn a_pattern_gets_the_best_that_fits_and_is_free() {
        assert_eq!(chosen(&patterns(&["c/*", "one", "one", "one"])), [3, 0, 2]);
        assert_eq!(chosen(&patterns(&["*t*e*", "z"])), [3]);
        assert_eq!(chosen(&patterns(&["*", "*"])), [0, 1]);
    }

    #[test]
    fn models_that_read_no_text_neither_answer_nor_aggregate() {
        let deaf = Candidate { inputs: Modalities::AUDIO, ..candidate("a/ears", 1.0, 1.0) };
        let models = [deaf, candidate("b/b", 1.0, 1.0), candidate("c/c", 1.0, 1.0)];
        assert_eq!(agents(&Agents::Number(3), &[0, 1, 2], &models), [1, 2]);
        assert_eq!(aggregators(Some(&Pattern::new("c")), &[0, 1, 2], &models), [2, 1]);
        assert_eq!(aggregators(None, &[0, 1, 2], &models), [1, 2]);
    }
}
