use std::collections::BTreeSet;

use super::*;
use crate::case::document::{Syntax, parse};
use crate::case::input::decision_input;

const EVERYTHING: Features =
    Features { orchestrates: true, keeps_state: true, wants_outcomes: true, wants_ratings: true };

fn cases(features: Features) -> Vec<Case> {
    let dictionary = Dictionary::default();
    (0..400).map(|number| case(&mut Random::of(5, number), &dictionary, features)).collect()
}

#[test]
fn every_generated_case_can_be_written_as_a_case_file() {
    for case in cases(EVERYTHING).iter().take(150) {
        let text = toml::to_string(case).unwrap();
        assert_eq!(parse(&text, Syntax::Toml).unwrap().cases, std::slice::from_ref(case), "{text}");
        assert!(case.earlier.iter().all(EarlierCall::is_one));
    }
}

#[test]
fn candidates_of_a_router_are_unique_and_can_serve_the_request() {
    for case in cases(Features::default()) {
        let input = decision_input(&case, false);
        let ids: BTreeSet<&str> = input.candidates.iter().map(|it| it.model.id.as_str()).collect();
        assert_eq!(ids.len(), input.candidates.len());
        assert!(!ids.is_empty());
        for candidate in input.candidates.iter() {
            assert!(candidate.model.operations.contains(&input.request.operation));
            assert!(candidate.model.abilities.contains(input.request.needs));
            assert!(candidate.model.inputs.contains(input.request.inputs), "{case:?}");
        }
    }
}

#[test]
fn the_cases_differ_in_everything_that_the_format_states() {
    let cases = cases(EVERYTHING);
    let some = |what: &str, is_so: &dyn Fn(&Case) -> bool| {
        let count = cases.iter().filter(|case| is_so(case)).count();
        assert!(count > 2, "{what}: {count}");
    };
    some("one candidate", &|case| case.candidates.as_ref().unwrap().len() == 1);
    some("many candidates", &|case| case.candidates.as_ref().unwrap().len() > 50);
    some("state", &|case| case.state.as_ref().is_some_and(|state| !state.is_empty()));
    some("outcomes", &|case| case.earlier.iter().any(|call| call.outcome.is_some()));
    some("ratings", &|case| case.earlier.iter().any(|call| call.rating.is_some()));
    some("earlier requests", &|case| case.earlier.iter().any(|call| call.request.is_some()));
    some("tools", &|case| case.request.tools.is_some());
    some("attributes", &|case| !case.request.attributes.is_empty());
    some("tenant", &|case| case.request.tenant.is_some());
    some("other operations", &|case| case.request.operation.is_some());
    some("no messages", &|case| case.request.messages.is_none());
    some(
        "many messages",
        &|case| matches!(&case.request.messages, Some(Messages::List(list)) if list.len() > 12),
    );
    some("all unhealthy", &|case| decision_input(case, true).candidates.iter().all(|it| !it.live.healthy));
    some("no whole candidate", &|case| decision_input(case, true).orchestration.whole == 0);
}

#[test]
fn tasks_fail_and_give_outputs_that_are_no_json() {
    let dictionary = Dictionary::default();
    let mut random = Random::of(2, 0);
    let outcomes: Vec<TaskOutcome> =
        (0..200).map(|_| task_outcome(&mut random, &dictionary, "t", true)).collect();
    assert!(outcomes.iter().any(|outcome| outcome.output.is_none()));
    let outputs = || outcomes.iter().filter_map(|outcome| outcome.output.as_deref());
    assert!(outputs().any(str::is_empty) && outputs().any(|output| output.len() > 10_000));
    assert!(outputs().any(|output| serde_json::from_str::<serde_json::Value>(output).is_ok()));
    assert!(outputs().any(|output| output == "{"));
}
