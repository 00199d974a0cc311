use super::*;
use crate::graded::GradedOutcome;

fn outcome(score: f64, input_tokens: f64, output_tokens: f64) -> GradedOutcome {
    GradedOutcome { score, input_tokens, output_tokens, ..GradedOutcome::default() }
}

fn set_places(setup: &mut SimulationSetup, places: [Option<usize>; 2]) {
    for (model, place) in setup.models.iter_mut().zip(places) {
        model.outcome_place = place;
    }
}

#[test]
fn an_answer_has_the_recorded_score_and_tokens_of_the_model_that_gave_it() {
    let mut setup = setup(vec![(model("small", 20.0), steady()), (model("large", 20.0), steady())]);
    set_places(&mut setup, [Some(1), None]);
    let outcomes: Arc<[GradedOutcome]> = [outcome(1.0, 90.0, 70.0), outcome(0.25, 80.0, 40.0)].into();
    let known = SimulatedRequest { outcomes, ..request(Duration::ZERO, 100, 50) };
    let report = run(&setup, vec![known.clone(), request(MS, 100, 50)]);
    assert_eq!(report.recorded_quality, (0.25, 1), "a request without outcomes has no score");
    assert_eq!(report.cost, Price::per_million(20.0, 20.0).of(80 + 100, 40 + 50));

    set_places(&mut setup, [None, Some(0)]);
    let report = run(&setup, vec![known]);
    assert_eq!(report.mean_recorded_quality(), None, "the first model answers, whose outcome is unknown");
}

#[test]
fn a_model_that_takes_over_has_its_own_outcome() {
    let failing = ModelBehaviour { failure_rate: 1.0, ..steady() };
    let mut setup = setup(vec![(model("a", 1.0), failing), (model("b", 1.0), steady())]);
    set_places(&mut setup, [Some(0), Some(1)]);
    let outcomes: Arc<[GradedOutcome]> = [outcome(1.0, 100.0, 10.0), outcome(0.5, 100.0, 0.0)].into();
    let report = run(&setup, vec![SimulatedRequest { outcomes, ..request(Duration::ZERO, 100, 30) }]);
    assert_eq!(report.mean_recorded_quality(), Some(0.5));
    assert_eq!(report.models[1].usage.output_tokens, 30, "an unknown length is that of the request");
}
