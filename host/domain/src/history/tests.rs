use std::collections::BTreeMap;

use super::*;
use crate::model::{Abilities, Modalities, Quality};
use crate::money::Price;

fn at(milliseconds: u64) -> Duration {
    Duration::from_millis(milliseconds)
}

fn model(name: &str, dollars_per_million: f64, quality: Option<f64>) -> Arc<Model> {
    Arc::new(Model {
        abilities: Abilities::STREAMING,
        context_window: Some(1_000),
        price: Price::per_million(dollars_per_million, dollars_per_million),
        quality: Quality { general: quality, by_task: BTreeMap::new() },
        ..Model::new("a", name)
    })
}

fn request() -> RequestFacts {
    RequestFacts { input_tokens: 100, ..RequestFacts::new("1", "auto") }
}

fn call(begun: u64, first_token: Option<u64>, ended: u64) -> ModelCall {
    ModelCall {
        model: model("m", 1.0, None),
        task: None,
        span: 1,
        begun: at(begun),
        first_token: first_token.map(at),
        ended: Some(at(ended)),
        end: CallEnd::Answered,
        usage: Usage::counted(80, 20),
    }
}

fn history(body_read_after: u64, calls: Vec<ModelCall>, first_token: Option<u64>) -> History {
    History {
        arrived: SystemTime::UNIX_EPOCH,
        route: Arc::from("auto"),
        trace: None,
        body_read_after: at(body_read_after),
        request: Arc::new(request()),
        decisions: Vec::new(),
        calls,
        plan: None,
        baseline: None,
        outcome: Outcome {
            id: "1".to_owned(),
            label: "cheap".to_owned(),
            ending: RequestEnd::Answered,
            model: None,
            attempts: 1,
            usage: Usage::default(),
            cost: Picodollars::ZERO,
            first_token: first_token.map(at),
            latency: at(1_000),
            error: None,
            fault: None,
        },
        cause: None,
    }
}

#[test]
fn added_latency_is_the_time_without_a_model_or_the_client_at_work() {
    // Read by 5, called at 7, first token at 47, which the client has at 48.
    assert_eq!(history(5, vec![call(7, Some(47), 90)], Some(48)).added_latency(), Some(at(3)));
    // A failure until 20, a pause, then a call from 30.
    assert_eq!(
        history(5, vec![call(6, None, 20), call(30, Some(50), 90)], Some(50)).added_latency(),
        Some(at(11))
    );
    // A hedge: two calls overlap, the second one wins.
    assert_eq!(
        history(5, vec![call(6, None, 90), call(20, Some(40), 90)], Some(40)).added_latency(),
        Some(at(1))
    );
    // A call that nobody waited for begins after the first token.
    assert_eq!(
        history(5, vec![call(6, Some(10), 20), call(12, None, 90)], Some(10)).added_latency(),
        Some(at(1))
    );
    // An answer that took no call is the gateway's own work.
    assert_eq!(history(5, vec![], Some(9)).added_latency(), Some(at(4)));
    assert_eq!(history(5, vec![call(6, None, 90)], None).added_latency(), None);
}

#[test]
fn an_open_call_ends_as_its_request_does() {
    let end = |answering: bool, ending: RequestEnd| {
        let mut open = ModelCall { end: CallEnd::Open, ended: None, ..call(1, None, 0) };
        open.close(at(9), answering, ending);
        assert_eq!(open.ended, Some(at(9)));
        open.end
    };
    assert_eq!(end(true, RequestEnd::Answered), CallEnd::Answered);
    assert_eq!(end(true, RequestEnd::Failed), CallEnd::BrokeOff);
    assert_eq!(end(true, RequestEnd::Cancelled), CallEnd::Cancelled);
    assert_eq!(end(false, RequestEnd::Answered), CallEnd::Cancelled);
    let mut failed = ModelCall { end: CallEnd::Failed(FailureKind::server_error(500)), ..call(1, None, 5) };
    failed.close(at(9), true, RequestEnd::Failed);
    assert_eq!((failed.end, failed.ended), (CallEnd::Failed(FailureKind::server_error(500)), Some(at(5))));
}

#[test]
fn the_default_baseline_is_the_best_model_and_among_equals_the_most_expensive() {
    let models =
        [model("cheap", 1.0, Some(0.5)), model("dear", 9.0, Some(0.9)), model("same", 5.0, Some(0.9))];
    assert_eq!(Baseline::usual(&models).map(|model| model.id.as_str()), Some("a/dear"));
    let unrated = [model("cheap", 1.0, None), model("dear", 9.0, None)];
    assert_eq!(Baseline::usual(&unrated).map(|model| model.id.as_str()), Some("a/dear"));
    assert!(Baseline::usual([]).is_none());
}

#[test]
fn a_baseline_answers_the_same_request_with_as_many_tokens() {
    let (dear, request) = (model("dear", 10.0, None), request());
    let cost = |request: &RequestFacts, call: Option<&ModelCall>| {
        Baseline::of(&dear, request, call, 20).map(|baseline| baseline.cost)
    };
    let usd = |tokens: f64| Some(Picodollars::from_usd(tokens * 10.0 / 1e6));
    let whole = call(0, None, 1);
    assert_eq!(cost(&request, Some(&whole)), usd(100.0), "80 tokens as the backend counted, and 20");
    let part = ModelCall { task: Some(0), ..whole };
    assert_eq!(cost(&request, Some(&part)), usd(120.0), "100 as estimated, and 20");
    let picture = RequestFacts { inputs: Modalities::IMAGE, ..request.clone() };
    assert_eq!(cost(&picture, None), None, "it cannot be compared with what takes no pictures");
}
