use pointsman_text_features::{Facts, features};

use super::*;

/// Returns made-up requests: the small model writes poems as well as the large one, and fails at proofs. The
/// outcome of a log is that of one model, drawn with probabilities 0.3 and 0.7.
fn sample(rows: usize, is_log: bool) -> LearningData {
    let mut random = Random::new(11);
    let mut row = |_| {
        let (is_proof, thing) = (random.unit() < 0.5, THINGS[random.below(8)]);
        let other = THINGS[random.below(8)];
        let text = if is_proof { proof(thing, other) } else { poem(thing, other) };
        let weights = [1.0 / 0.3, 1.0 / 0.7];
        let logged = usize::from(random.unit() < 0.7);
        let mut outcome = |model: usize, rate: f64, cost: f64| {
            let outcome = LearningOutcome {
                score: f64::from(u8::from(random.unit() < rate)),
                output_tokens: Some(100.0),
                cost,
                weight: Some(if is_log { weights[model] } else { 1.0 }),
            };
            (!is_log || logged == model).then_some(outcome)
        };
        let small = outcome(0, if is_proof { 0.1 } else { 0.95 }, 1e-5);
        let large = outcome(1, 0.8, 1e-3);
        LearningRow {
            vector: features(&Facts { text: &text, ..Facts::default() }),
            input_tokens: 0.0,
            outcomes: vec![small, large],
        }
    };
    let model = |name: &str, output_price: f64| LearningModel {
        name: name.to_owned(),
        input_price: 0.0,
        output_price,
    };
    LearningData {
        models: vec![model("small", 0.1), model("large", 10.0)],
        rows: (0..rows).map(&mut row).collect(),
    }
}

/// Returns the shares of poems and of proofs that the small model gets.
fn small_shares(router: &Router) -> (f64, f64) {
    let share = |text: fn(&str, &str) -> String| {
        let texts = THINGS.iter().flat_map(|thing| THINGS.map(|other| text(thing, other)));
        texts.filter(|text| takes_small(router, text)).count() as f64 / 64.0
    };
    (share(poem), share(proof))
}

/// Returns whether the small model is chosen.
fn takes_small(router: &Router, text: &str) -> bool {
    let prediction = router.predict(&Facts { text, ..Facts::default() });
    let values =
        [(0, 1e-5), (1, 1e-3)].map(|(model, cost)| prediction.scores[model] - router.score_per_dollar * cost);
    prediction.is_familiar && values[0] > values[1]
}

fn poem(thing: &str, other: &str) -> String {
    format!("Write a short poem about a {thing} and a {other}.")
}

fn proof(thing: &str, other: &str) -> String {
    format!("Prove that for every {thing} x there is a {other} y with f(x) = y.")
}

const THINGS: [&str; 8] = ["river", "winter", "clock", "garden", "train", "number", "circle", "field"];
const OTHER: &str = "Liste alle Hauptstädte Europas auf, nach Einwohnern; bitte ohne Erklärung!";

#[test]
fn the_cheap_model_gets_what_it_does_well_and_strange_requests_go_to_the_best() {
    let learnt = learn(&sample(400, false), &LearningOptions::default()).unwrap();
    let router = &learnt.router;
    let (poems, proofs) = small_shares(router);
    assert!(poems > 0.4 && proofs < 0.1, "{poems} {proofs}");
    assert!(!router.predict(&Facts { text: OTHER, ..Facts::default() }).is_familiar);
    assert_eq!(router.check(), Ok(()));
    let validation = learnt.validation.unwrap();
    assert!(validation.saved.low > 0.3 && validation.difference.high > -0.02, "{validation:?}");
    assert_eq!((validation.rows, learnt.outcomes.as_slice()), (400, [Some(400), Some(400)].as_slice()));
}

#[test]
fn a_log_with_one_outcome_for_each_request_is_enough() {
    let learnt = learn(&sample(800, true), &LearningOptions::default()).unwrap();
    let (poems, proofs) = small_shares(&learnt.router);
    assert!(poems > 0.5 && proofs < 0.1, "{poems} {proofs}");
    assert_eq!(learnt.validation, None);
    assert!(learnt.outcomes.iter().all(|count| count.is_some_and(|count| count < 800)));
}

#[test]
fn the_same_data_give_the_same_router() {
    let options = LearningOptions { folds: 0, ..LearningOptions::default() };
    let of = || learn(&sample(200, false), &options).unwrap().router;
    assert_eq!(of(), of());
}

#[test]
fn where_routing_does_not_pay_the_best_model_is_always_chosen() {
    let mut data = sample(300, false);
    for row in &mut data.rows {
        let small = row.outcomes[0].as_mut().unwrap();
        small.score = 0.0;
    }
    let router = learn(&data, &LearningOptions { folds: 0, ..LearningOptions::default() }).unwrap().router;
    assert_eq!(small_shares(&router), (0.0, 0.0));
}

#[test]
fn too_few_or_too_many_data_are_declined() {
    let options = LearningOptions { folds: 0, ..LearningOptions::default() };
    let error = |data: &LearningData| learn(data, &options).unwrap_err();
    assert_eq!(error(&sample(99, false)), LearningError::FewRows { rows: 99 });
    let mut one = sample(200, false);
    one.rows.iter_mut().for_each(|row| row.outcomes[0] = None);
    assert_eq!(error(&one), LearningError::FewModels { models: 1 });
    let mut many = sample(100, false);
    let first = many.rows[0].clone();
    many.rows.resize(MAX_ROWS + 1, first);
    assert_eq!(error(&many), LearningError::ManyRows { rows: MAX_ROWS + 1 });
    let mut models = sample(100, false);
    let model = models.models[0].clone();
    models.models.resize(MAX_MODELS + 1, model);
    models.rows.iter_mut().for_each(|row| row.outcomes.resize(MAX_MODELS + 1, row.outcomes[0]));
    assert_eq!(error(&models), LearningError::ManyModels { models: MAX_MODELS + 1 });
}
