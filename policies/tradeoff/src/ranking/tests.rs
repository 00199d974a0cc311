use pointsman_sdk::testkit::{Gateway, candidate, request};

use super::*;

/// Good, cheap, quick, and one of which nothing is known.
fn models() -> [Candidate; 4] {
    let model = |id, price, quality, speed| Candidate {
        quality: Some(quality),
        first_token_ms: Some(50.0),
        tokens_per_second: Some(speed),
        ..candidate(id, price, price)
    };
    [
        model("a/good", 9.0, 0.9, 20.0),
        model("b/cheap", 1.0, 0.5, 50.0),
        model("c/quick", 4.0, 0.6, 400.0),
        candidate("d/new", 2.0, 2.0),
    ]
}

fn call<'a>(request: &'a Request, candidates: &'a [Candidate]) -> Call<'a> {
    Call { request, candidates, task: "vision", room: 100, calls: 2 }
}

fn order(models: &[Candidate], prefer: Preference) -> Vec<usize> {
    Gateway::new().run(|| call(&request(), models).order(&[0, 1, 2, 3], prefer)).unwrap()
}

#[test]
fn each_preference_has_its_order() {
    assert_eq!(order(&models(), Preference::Quality), [0, 2, 1, 3]);
    assert_eq!(order(&models(), Preference::Cost), [1, 3, 2, 0]);
    assert_eq!(order(&models(), Preference::Speed), [2, 1, 3, 0]);
}

#[test]
fn without_any_speed_or_quality_the_cheapest_is_taken() {
    let models = [candidate("a/dear", 9.0, 9.0), candidate("b/cheap", 1.0, 1.0)];
    for prefer in [Preference::Quality, Preference::Speed] {
        let order = Gateway::new().run(|| call(&request(), &models).order(&[0, 1], prefer)).unwrap();
        assert_eq!(order, [1, 0], "{prefer:?}");
    }
}

#[test]
fn quality_at_the_task_counts_before_the_general_one() {
    let gateway = Gateway::new().task_quality(1, "vision", 0.95);
    let models = models();
    let order = gateway.run(|| call(&request(), &models).order(&[0, 1], Preference::Quality));
    assert_eq!(order, Ok(vec![1, 0]));
}

#[test]
fn sick_models_and_those_without_room_come_last() {
    let mut models = models();
    models[0].context_window = Some(99);
    models[2].healthy = false;
    assert_eq!(order(&models, Preference::Quality), [1, 3, 0, 2]);
}

#[test]
fn a_poor_model_comes_after_the_others_however_cheap_or_fast() {
    let mut models = models();
    models[1].quality = Some(0.4);
    models[2].quality = Some(0.4);
    assert_eq!(order(&models, Preference::Cost), [3, 0, 1, 2]);
    assert_eq!(order(&models, Preference::Speed), [3, 0, 2, 1]);
}

#[test]
fn the_client_is_heard() {
    for (header, expected) in [
        ("quality", Preference::Quality),
        ("cost", Preference::Cost),
        ("speed", Preference::Speed),
        ("comfort", Preference::Speed),
    ] {
        let gateway = Gateway::new().prefer(header);
        assert_eq!(gateway.run(|| Preference::Speed.or_as_the_client_says()), expected, "{header}");
        assert_eq!(serde_json::from_str(&format!("{:?}", expected.name())).ok(), Some(expected));
    }
}

#[test]
fn a_budget_has_to_pay_all_calls() {
    let models = models();
    let with = |left: f64| {
        let request = Request { budget_left: Some(left), ..request() };
        Gateway::new().run(|| call(&request, &models).order(&[0, 1, 2], Preference::Quality))
    };
    assert_eq!(with(1.0), Ok(vec![0, 2, 1]));
    // One call costs 0.000356 at the cheapest.
    assert_eq!(with(0.00072), Ok(vec![1]));
    assert_eq!(
        with(0.0007),
        Err(Refusal::Denied(
            "2 calls to the cheapest model would cost about $0.000712, and $0.000700 of the budget is left"
                .to_owned()
        ))
    );
    let none = Request { budget_left: Some(0.0), ..request() };
    assert_eq!(call(&none, &models).order(&[], Preference::Cost), Ok(Vec::new()));
}
