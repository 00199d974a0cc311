use super::*;
use crate::random::Random;

/// Returns rows of two kinds: the small model answers easy ones as well as the large one, at a tenth of the cost.
fn sample(rows: usize, seed: u64) -> GradedData {
    let mut random = Random::new(seed);
    let mut row = |number: usize| {
        let is_easy = random.unit() < 0.6;
        let mut outcome = |rate: f64, cost: f64| GradedOutcome {
            score: f64::from(u8::from(random.unit() < rate)),
            input_tokens: 100.0,
            output_tokens: 50.0,
            latency_ms: None,
            cost,
        };
        GradedRow {
            id: number.to_string(),
            category: if is_easy { "easy" } else { "hard" }.to_owned(),
            prompt: number as u64,
            length: if is_easy { 20 } else { 200 },
            kind: if is_easy { "chat" } else { "maths/hard" },
            outcomes: vec![
                outcome(if is_easy { 0.9 } else { 0.2 }, 0.1),
                outcome(if is_easy { 0.5 } else { 0.4 }, 0.4),
                outcome(if is_easy { 0.9 } else { 0.8 }, 1.0),
            ],
        }
    };
    GradedData {
        models: ["small", "odd", "large"].map(str::to_owned).into(),
        rows: (0..rows).map(&mut row).collect(),
    }
}

fn by_category(data: &GradedData) -> Strategy {
    Strategy::of("by category", 3, data.rows.iter().map(|row| if row.category == "easy" { 0 } else { 2 }))
}

#[test]
fn equal_requests_are_in_the_same_half_and_leaks_are_left_out() {
    let mut data = sample(400, 1);
    for (number, row) in data.rows.iter_mut().enumerate() {
        row.prompt = (number / 2) as u64;
    }
    let Split { train, test, counts } = halves(&data);
    assert!(train.rows.iter().all(|row| test.rows.iter().all(|other| other.prompt != row.prompt)));
    assert!(counts.train.min(counts.test) > 150 && counts.train + counts.test == 400, "{counts:?}");
    let mixed = without_leaks(train.clone(), &data);
    assert_eq!((mixed.counts.leaks, mixed.test.rows.len()), (counts.train, counts.test));
    assert_eq!(mixed.test, test);
}

#[test]
fn facts_are_those_of_the_training_rows() {
    let data = sample(2000, 2);
    let facts = model_facts(&data);
    assert_eq!((ModelFacts::best(&facts), facts[2].model.as_str()), (2, "large"));
    let of = |kind: &str| facts[0].by_kind[kind];
    assert!((of("chat") - 0.9).abs() < 0.05 && (of("maths/hard") - 0.2).abs() < 0.05, "{facts:?}");
    assert!(facts[0].first_token_ms.is_none() && facts[0].input_price < facts[2].input_price);
}

#[test]
fn baselines_are_what_they_say() {
    let data = sample(1000, 3);
    let facts = model_facts(&data);
    let strategies = single_models(&facts, &data);
    let names: Vec<&str> = strategies.iter().map(|it| it.name.as_str()).collect();
    assert_eq!(names, ["always cheapest: small", "always best: large", "one cheaper model: large", "random"]);
    let hull = hull(&data);
    // `odd` is below the line between the others.
    assert_eq!(hull.iter().map(|point| point.model).collect::<Vec<_>>(), [0, 2]);
    let of = |strategy: &Strategy| measure(strategy, &strategies[1], &data, &hull);
    let best = of(&strategies[1]);
    assert_eq!((best.saved.value, best.difference.value, best.models), (0.0, 0.0, 1));
    let routed = of(&by_category(&data));
    assert!(routed.saved.value > 0.4 && routed.difference.value > -0.02, "{routed:?}");
    assert!(routed.above_hull.low > 0.05 && routed.models == 2, "{routed:?}");
    let cost: f64 = routed.cost_of_1000 / 1000.0 * data.rows.len() as f64;
    let length = of(&by_length("x", &facts, &data, cost));
    assert!(
        (length.cost_of_1000 - routed.cost_of_1000).abs() < 5.0 && length.name == "length, at the cost of x"
    );
    let random = of(&strategies[3]);
    assert!((random.saved.value - 0.5).abs() < 1e-9 && random.above_hull.value < 0.0);
    let oracle = of(&oracle(&data));
    assert!([&best, &routed, &length, &random].iter().all(|other| other.score.value <= oracle.score.value));
}

#[test]
fn a_corrected_oracle_is_between_the_best_choice_by_category_and_the_oracle() {
    let data = sample(3000, 4);
    let reliability = reliability(&data);
    // Outcomes are drawn anew for each model, so nothing but the category is common to them.
    assert!(reliability < 0.05, "{reliability}");
    let corrected = corrected_oracle(&data, reliability);
    let facts = model_facts(&data);
    let reference = &single_models(&facts, &data)[1];
    let score = |strategy: &Strategy| measure(strategy, reference, &data, &hull(&data)).score.value;
    assert!(corrected < score(&oracle(&data)) - 0.03);
    assert!((corrected - score(&by_category(&data))).abs() < 0.03);
    // Where all models fail and succeed together, outcomes are reliable.
    let mut same = data;
    for row in &mut same.rows {
        let first = row.outcomes[0];
        row.outcomes.fill(first);
    }
    assert!(super::reliability(&same) > 0.95);
}

#[test]
fn bounds_are_named_that_a_result_breaks() {
    let data = sample(500, 5);
    let facts = model_facts(&data);
    let reference = &single_models(&facts, &data)[1];
    let result = measure(&by_category(&data), reference, &data, &hull(&data));
    assert!(Bounds { min_saved: Some(0.3), max_loss: Some(0.05) }.broken(&result).is_empty());
    let broken = Bounds { min_saved: Some(0.9), max_loss: Some(-1.0) }.broken(&result);
    assert!(broken[0].contains("at least 90.0 %") && broken[1].contains("at most -1"), "{broken:?}");
}

#[test]
fn the_gap_recovered_is_a_half_for_chance_and_more_for_knowledge() {
    let data = sample(4000, 6);
    let mut random = Random::new(7);
    let ranks: Vec<f64> = data.rows.iter().map(|_| random.unit()).collect();
    let at = |share: f64, rank: &dyn Fn(usize) -> f64| {
        (0..data.rows.len()).map(|row| rank(row) < share).collect::<Vec<bool>>()
    };
    let curve = |rank: &dyn Fn(usize) -> f64| DecisionCurve {
        settings: (1..20).map(|step| at(f64::from(step) / 20.0, rank)).collect(),
    };
    let chance = two_models(&data, 2, 0, &curve(&|row| ranks[row])).unwrap();
    assert!((chance.apgr - 0.5).abs() < 0.03 && (chance.cpt_50.unwrap() - 0.5).abs() < 0.05, "{chance:?}");
    let known = |row: usize| {
        if data.rows[row].category == "hard" { 0.4 * ranks[row] } else { 0.4 + 0.6 * ranks[row] }
    };
    let known = two_models(&data, 2, 0, &curve(&known)).unwrap();
    assert!(known.apgr > 0.75 && known.cpt_80.unwrap() < 0.4, "{known:?}");
    // Without settings the curve is the straight line between the models.
    let none = two_models(&data, 2, 0, &DecisionCurve::default()).unwrap();
    assert!((none.apgr - 0.5).abs() < 1e-12 && none.points == 2);
    assert_eq!(two_models(&data, 0, 2, &DecisionCurve::default()), None);
}
