//! Legacy completions.

use pointsman_dialects::completions::parse_request;

use crate::recorded;

#[test]
fn every_request_parses() {
    let Some(calls) = recorded::calls("openai.completions") else { return };
    let mut seen = 0;
    for call in calls {
        let Some(body) = call.request_body().filter(|body| body["prompt"].is_string()) else { continue };
        seen += 1;
        let (request, losses) = parse_request(&serde_json::to_vec(body).expect("JSON"))
            .unwrap_or_else(|error| panic!("{}: {error}", call.id));
        assert_eq!(request.messages[0].parts[0].as_text(), body["prompt"].as_str(), "{}", call.id);
        assert_eq!(request.max_output_tokens.map(u64::from), body["max_tokens"].as_u64(), "{}", call.id);
        assert!(losses.is_empty(), "{}: {losses:?}", call.id);
    }
    assert!(seen >= 10, "{seen} requests");
}
