//! Whole answers.

use pointsman_dialects::chat::{parse_answer, render_answer};
use pointsman_dialects::form::AnswerIdentity;
use serde_json::Value;

use super::facts;
use crate::recorded;

#[test]
fn every_answer_parses_and_comes_back() {
    let Some(calls) = recorded::calls("openai.chat") else { return };
    let mut seen = 0;
    for call in calls.iter().filter(|call| call.status < 400) {
        let Some(body) = call.response_body().filter(|body| body["choices"][0].is_object()) else { continue };
        seen += 1;
        let answer = parse_answer(&serde_json::to_vec(body).expect("JSON"))
            .unwrap_or_else(|error| panic!("{}: {error}", call.id));
        let expected = facts::of_json(body);
        assert_eq!(facts::of_answer(&answer, &expected), expected, "{}", call.id);
        assert_eq!(answer.id, body["id"].as_str().unwrap_or_default(), "{}", call.id);
        assert_eq!(answer.model, body["model"].as_str().unwrap_or_default(), "{}", call.id);

        let identity = AnswerIdentity { id: "1".to_owned(), created: 0, model: "m".to_owned() };
        let rendered = render_answer(&answer, &identity, answer.count.usage(0, 0));
        let rendered: Value = serde_json::from_slice(&rendered).expect("JSON");
        let mut again = facts::of_json(&rendered);
        for (own, (stated, ..)) in again.calls.iter_mut().zip(&expected.calls) {
            own.0 = own.0.take().filter(|_| stated.is_some());
        }
        if expected.stop == "Other" {
            again.stop = "Other";
        }
        assert_eq!(again, expected, "{}", call.id);
    }
    assert!(seen >= 190, "{seen} answers");
}
