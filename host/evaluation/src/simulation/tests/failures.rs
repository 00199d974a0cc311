use super::*;

fn failing(rate: f64) -> ModelBehaviour {
    ModelBehaviour { failure_rate: rate, ..steady() }
}

#[test]
fn a_failed_call_costs_nothing_and_the_next_model_answers() {
    let setup = setup(vec![(model("broken", 50.0), failing(1.0)), (model("works", 20.0), steady())]);
    let report = run(&setup, vec![request(Duration::ZERO, 100, 50)]);
    assert_eq!((report.requests.answered, report.takeovers, report.shape.with_several_calls), (1, 1, 1));
    assert_eq!(report.cost, Price::per_million(20.0, 20.0).of(100, 50));
    assert!(close(report.latency.largest().unwrap(), 0.070), "10 ms to the failure, then 60 ms");
    assert_eq!((report.models[0].calls, report.models[0].failed_calls), (1, 1));
}

#[test]
fn failures_come_at_their_rate_and_are_retried_with_back_off() {
    let setup = setup(vec![(model("a", 1.0), failing(0.3))]);
    let report = run(&setup, arrivals(20_000, 500 * MS, 1));
    let model = &report.models[0];
    let rate = model.failed_calls as f64 / model.calls as f64;
    assert!((rate - 0.3).abs() < 0.01, "{rate}");
    // Three attempts.
    let failed = report.requests.failed() as f64 / 20_000.0;
    assert!((failed - 0.027).abs() < 0.005, "{failed}");
    assert!(report.latency.largest().unwrap() > 0.1, "a retry waits for the back-off");
}

#[test]
fn a_model_that_always_fails_becomes_unhealthy_and_is_left_out() {
    let setup = setup(vec![(model("broken", 1.0), failing(1.0)), (model("works", 1.0), steady())]);
    let report = run(&setup, arrivals(10_000, 20 * MS, 10));
    assert_eq!(report.requests.answered, 10_000);
    assert!(report.models[0].calls < 500, "{}", report.models[0].calls);
    assert!(report.models[0].calls > 3, "it is tried again after its cool-down");
}

#[test]
fn a_call_without_a_first_byte_in_time_is_abandoned_and_its_input_charged() {
    let slow = ModelBehaviour { first_token: Duration::from_secs(5), ..ModelBehaviour::default() };
    let mut setup = setup(vec![(model("slow", 10.0), slow), (model("fast", 10.0), steady())]);
    setup.limits.timeouts.first_byte = Duration::from_secs(1);
    let report = run(&setup, vec![request(Duration::ZERO, 100, 50)]);
    assert_eq!((report.requests.answered, report.timeouts), (1, 1));
    assert!(close(report.latency.largest().unwrap(), 1.060));
    assert_eq!(report.cost, Price::per_million(10.0, 10.0).of(200, 50));
}

#[test]
fn a_request_ends_at_its_deadline_even_within_a_stream() {
    let mut setup = setup(vec![(model("a", 10.0), steady())]);
    setup.limits.timeout = 50 * MS;
    let report = run(&setup, vec![streamed(Duration::ZERO, 100), streamed(Duration::ZERO, 10)]);
    assert_eq!((report.requests.answered, report.requests.deadline), (1, 1));
    let mut own = streamed(100 * MS, 10);
    Arc::make_mut(&mut own.facts).deadline_ms = Some(15);
    assert_eq!(run(&setup, vec![own]).requests.deadline, 1);
}

/// The targets of a decision, in the order of the models, with a hedge.
struct Hedged(Duration);

impl DecisionMaker for Hedged {
    fn decide(&mut self, query: &DecisionQuery<'_>) -> Selection {
        let mut selection = InOrder.decide(query);
        let targets = (0..selection.whole).map(|candidate| Target { candidate, timeout: None }).collect();
        let proposal = Proposal {
            targets,
            label: "hedged".to_owned(),
            reason: None,
            hedge_after: Some(self.0),
            propensity: None,
        };
        selection.action = Action::Route(proposal.validate(selection.whole).unwrap());
        selection
    }

    fn resume(&mut self, _: &Resumption<'_>) -> ResumptionAnswer {
        ResumptionAnswer::Refused
    }
}

#[test]
fn a_hedge_calls_the_next_model_and_the_first_answer_counts() {
    let slow = ModelBehaviour { first_token: Duration::from_secs(5), ..ModelBehaviour::default() };
    let setup = setup(vec![(model("slow", 10.0), slow), (model("fast", 10.0), steady())]);
    let requests = vec![request(Duration::ZERO, 100, 50)];
    let report = simulate(&setup, requests, &mut Hedged(200 * MS), &mut |_| {}).unwrap();
    assert_eq!((report.requests.answered, report.hedges, report.timeouts), (1, 1, 0));
    assert!(close(report.latency.largest().unwrap(), 0.260));
    assert_eq!(report.labels["hedged"], 1);
    // The slow call is cancelled; its input may be charged.
    assert_eq!(report.cost, Price::per_million(10.0, 10.0).of(200, 50));
    assert_eq!(setup.models[0].model.live.snapshot(&ExpectedSpeed::default(), setup.start).in_flight, 0);
}

/// A policy that fails, and a rejection after it; it observes outcomes.
#[derive(Default)]
struct Fails(Vec<(RequestEnd, bool)>);

impl DecisionMaker for Fails {
    fn decide(&mut self, query: &DecisionQuery<'_>) -> Selection {
        let action = if query.request.input_tokens > 50 { Action::Reject } else { Action::Refuse };
        Selection { action, failures: vec!["trap"], ..InOrder.decide(query) }
    }

    fn resume(&mut self, _: &Resumption<'_>) -> ResumptionAnswer {
        ResumptionAnswer::Refused
    }

    fn observes(&self) -> bool {
        true
    }

    fn observe(&mut self, _: usize, outcome: &Outcome) {
        self.0.push((outcome.ending, outcome.fault.is_some()));
    }
}

#[test]
fn failed_and_refused_decisions_are_counted_and_outcomes_observed() {
    let setup = setup(vec![(model("a", 1.0), steady())]);
    let mut maker = Fails::default();
    let requests = [100, 10].map(|tokens| request(Duration::ZERO, tokens, 5));
    let report = simulate(&setup, requests, &mut maker, &mut |_| {}).unwrap();
    assert_eq!((report.requests.rejected, report.requests.refused), (1, 1));
    assert_eq!(report.decision_failures["trap"], 2);
    assert_eq!(maker.0, [(RequestEnd::Failed, true); 2]);
    let mut sound = request(Duration::ZERO, 10, 5);
    Arc::make_mut(&mut sound.facts).operation = Operation::Speech;
    assert_eq!(run(&setup, vec![sound]).requests.no_candidate, 1);
}

#[test]
fn decisions_in_order_call_the_last_resort_when_all_candidates_failed() {
    let setup = setup(vec![(model("a", 1.0), failing(1.0)), (model("b", 1.0), steady())]);
    let (down, now) = (&setup.models[1].model, setup.start);
    (0..3).for_each(|_| down.live.record_failure(now));
    let models: Vec<_> = setup.models.iter().map(|it| Arc::clone(&it.model)).collect();
    let chosen = eligible(&models, &RequestFacts::new("id", "auto"), now).unwrap();
    assert_eq!((chosen.candidates.len(), chosen.last_resort.len()), (1, 1));
    let report = run(&setup, vec![request(Duration::ZERO, 1, 1)]);
    assert_eq!((report.requests.answered, report.models[1].answered), (1, 1));
    assert_eq!(Decision::in_order(2, "static").targets().len(), 2);
}
