use pointsman_sdk::testkit::{Gateway, candidate, request};

use super::*;

#[test]
fn a_cheap_model_that_would_be_late_comes_second() {
    let speed = |tokens_per_second, model| Candidate {
        first_token_ms: Some(100.0),
        tokens_per_second: Some(tokens_per_second),
        ..model
    };
    let models = [speed(10.0, candidate("a/slow", 0.1, 0.1)), speed(100.0, candidate("b/fast", 1.0, 1.0))];
    let first = |request| Gateway::new().route::<InTime>(&request, &models).unwrap().targets[0].candidate;
    assert_eq!(first(request()), 0);
    assert_eq!(first(Request { deadline_ms: Some(5000), ..request() }), 1);
}
