use pointsman_sdk::testkit::{candidate, request};

use super::*;

fn model(id: &str, price: f64, quality: Option<f64>) -> Candidate {
    Candidate { quality, ..candidate(id, price, price) }
}

fn all(models: &[Candidate], most: usize) -> Vec<usize> {
    let able = order::descending(models, |_, model| model.quality.unwrap_or(0.0));
    levels(&able, models, &request(), most)
}

#[test]
fn a_level_is_better_than_all_cheaper_ones() {
    let models = [
        model("a/best", 9.0, Some(0.9)),
        model("a/cheap", 1.0, Some(0.3)),
        model("a/dear-and-poor", 5.0, Some(0.2)),
        model("a/unrated", 0.1, None),
        model("a/same-price-better", 1.0, Some(0.4)),
        model("a/medium", 2.0, Some(0.6)),
        model("a/good", 4.0, Some(0.7)),
    ];
    assert_eq!(all(&models, 4), [4, 5, 6, 0]);
    assert_eq!(all(&models, 3), [4, 5, 0], "at even distances");
    assert_eq!(all(&models, 2), [4, 0], "the cheapest and the best");
}

#[test]
fn where_none_is_rated_the_dearer_counts_as_better() {
    let models = [model("a/b", 2.0, None), model("a/a", 1.0, None), model("a/same", 1.0, None)];
    assert_eq!(all(&models, 3), [1, 0]);
}

#[test]
fn broken_models_and_those_without_text_are_no_levels() {
    let sick = Candidate { healthy: false, ..model("a/sick", 0.1, Some(0.1)) };
    let ears = Candidate { inputs: Modalities::AUDIO, ..model("a/ears", 0.2, Some(0.2)) };
    assert_eq!(all(&[sick, ears, model("a/a", 1.0, Some(0.5))], 3), [2]);
}

#[test]
fn judges_fit_the_pattern_and_do_not_judge_themselves_first() {
    let models = [model("a/one", 1.0, None), model("b/two", 1.0, None), model("c/one-more", 1.0, None)];
    assert_eq!(judges(None, 0, &models, &[0, 1, 2]), [1, 2, 0]);
    assert_eq!(judges(Some(&Pattern::new("one*")), 2, &models, &[2, 0, 1]), [0, 2]);
    assert_eq!(judges(Some(&Pattern::new("b/*")), 0, &models, &[0, 1, 2]), [1]);
    assert!(judges(Some(&Pattern::new("z")), 0, &models, &[0, 1, 2]).is_empty());
}
