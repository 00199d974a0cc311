use super::*;

/// Probability that an arrival waits in an M/M/c queue (Erlang C), for `load` = arrival rate / service
/// rate of one place.
fn erlang_c(places: u32, load: f64) -> f64 {
    // Erlang B by its recursion, then C from B (Cooper, Introduction to Queueing Theory, 1981).
    let blocked = (1..=places).fold(1.0, |blocked, n| load * blocked / (f64::from(n) + load * blocked));
    let places = f64::from(places);
    places * blocked / (places - load * (1.0 - blocked))
}

#[test]
fn waiting_times_are_those_of_the_erlang_c_formula() {
    for (places, load) in [(1, 0.6), (8, 6.0)] {
        let service = 0.1;
        let behaviour = ModelBehaviour {
            // A million tokens a second make the length of an answer an almost continuous time.
            tokens_per_second: Some(1e6),
            capacity: Some(places),
            ..ModelBehaviour::default()
        };
        let mut setup = setup(vec![(model("a", 1.0), behaviour)]);
        setup.limits.timeout = Duration::from_secs(100_000);
        setup.limits.timeouts.first_byte = Duration::from_secs(100_000);
        let mut random = Random::new(23);
        let mut requests = arrivals(200_000, Duration::from_secs_f64(service / load), 0);
        for request in &mut requests {
            request.output_tokens = (random.exponential() * service * 1e6) as u32;
        }
        let report = run(&setup, requests);
        let waits = erlang_c(places, load);
        let mean_wait = waits * service / (f64::from(places) - load);
        let measured = report.latency.mean().unwrap() - service;
        assert!((measured / mean_wait - 1.0).abs() < 0.06, "{places} places: {measured} {mean_wait}");
        let model = &report.models[0];
        assert!((model.utilisation.unwrap() / (load / f64::from(places)) - 1.0).abs() < 0.02);
        // Little's law.
        let queue = mean_wait * load / service;
        assert!((model.mean_queue / queue - 1.0).abs() < 0.06, "{} {queue}", model.mean_queue);
    }
}

#[test]
fn a_request_on_an_idle_model_takes_the_time_of_its_tokens_and_costs_their_price() {
    let setup = setup(vec![(model("a", 20.0), steady())]);
    let report = run(&setup, vec![request(Duration::ZERO, 100, 50), streamed(200 * MS, 50)]);
    assert_eq!((report.requests.answered, report.requests.total()), (2, 2));
    assert!(close(report.latency.largest().unwrap(), 0.060));
    assert!(close(report.latency.quantile(0.5).unwrap(), 0.059), "a stream ends with its last token");
    assert!(close(report.first_token.quantile(0.5).unwrap(), 0.010));
    assert_eq!(report.cost, Price::per_million(20.0, 20.0).of(200, 100));
    assert_eq!(report.mean_stated_quality(), Some(0.5));
    assert_eq!((report.shape.calls, report.shape.depth, report.shape.with_several_calls), (2, 2, 0));
}

#[test]
fn a_full_queue_rejects_and_another_model_takes_over() {
    let small = ModelBehaviour { capacity: Some(1), queue: Some(1), ..steady() };
    let setup = setup(vec![(model("small", 1.0), small), (model("large", 1.0), steady())]);
    let report = run(&setup, (0..4).map(|_| request(Duration::ZERO, 10, 100)).collect());
    assert_eq!(report.requests.answered, 4);
    assert_eq!(
        (report.models[0].answered, report.models[0].rejected, report.models[0].longest_queue),
        (2, 2, 1)
    );
    assert_eq!((report.models[1].answered, report.takeovers), (2, 2));
    assert!(close(report.latency.largest().unwrap(), 0.220), "the second waited for the first");
}

#[test]
fn policies_see_the_calls_in_flight_and_the_measured_speed_of_the_simulated_time() {
    struct LeastBusy(Vec<u32>, Option<f64>);
    impl DecisionMaker for LeastBusy {
        fn decide(&mut self, query: &DecisionQuery<'_>) -> Selection {
            let selection = InOrder.decide(query);
            self.0.push(selection.candidates.iter().map(|it| it.live.in_flight).sum());
            self.1 = selection.candidates[0].live.tokens_per_second;
            selection
        }

        fn resume(&mut self, _: &Resumption<'_>) -> ResumptionAnswer {
            ResumptionAnswer::Refused
        }
    }
    let fast = ModelBehaviour { tokens_per_second: Some(2_000.0), ..steady() };
    let setup = setup(vec![(model("a", 1.0), fast)]);
    let mut maker = LeastBusy(Vec::new(), None);
    let requests = [0, 1, 2, 500].map(|at| streamed(at * MS, 100));
    simulate(&setup, requests, &mut maker, &mut |_| {}).unwrap();
    assert_eq!(maker.0, [0, 1, 2, 0]);
    assert!(close(maker.1.unwrap(), 2_000.0), "{:?}", maker.1);
}

#[test]
fn prompts_in_the_cache_are_read_faster_and_cost_less() {
    let mut cached = Model::clone(&model("a", 10.0));
    cached.price.cached_input = Some(Picodollars::per_million(1.0));
    let behaviour = ModelBehaviour { input_tokens_per_second: Some(10_000.0), ..ModelBehaviour::default() };
    let mut setup = setup(vec![(Arc::new(cached), behaviour)]);
    setup.models[0].cache_blocks = 100;
    let turn = |at: u32, blocks: u64| {
        let prefix: Vec<u64> = (0..blocks).collect();
        let request = request(at * 1_000 * MS, blocks as u32 * PREFIX_BLOCK_TOKENS, 0);
        SimulatedRequest { prefix: prefix.into(), ..request }
    };
    let report = run(&setup, vec![turn(0, 10), turn(1, 10), turn(2, 12)]);
    let tokens = |blocks: u64| blocks * u64::from(PREFIX_BLOCK_TOKENS);
    let usage = report.models[0].usage;
    // The whole prompt of the second is known, but for the token that a model always reads.
    assert_eq!((usage.input_tokens, usage.cached_input_tokens), (tokens(32), tokens(20) - 1));
    let expected = (tokens(12) + 1) as f64 * 10e-6 + (tokens(20) - 1) as f64 * 1e-6;
    assert!((report.cost.usd() - expected).abs() < 1e-9);
    assert!(close(report.latency.largest().unwrap(), 0.512));
    assert!(close(report.latency.quantile(0.5).unwrap(), 0.1024));
}

#[test]
fn each_request_ends_once_and_equal_seeds_give_equal_results() {
    let flaky = ModelBehaviour { failure_rate: 0.4, capacity: Some(3), queue: Some(4), ..steady() };
    let mut first = setup(vec![(model("a", 1.0), flaky), (model("b", 2.0), flaky)]);
    first.limits.timeout = 300 * MS;
    let requests = arrivals(20_000, 20 * MS, 100);
    let fresh = |setup: &SimulationSetup| {
        let models = setup.models.iter().map(|it| {
            let model = Model { live: Arc::default(), ..Model::clone(&it.model) };
            SimulatedModel { model: Arc::new(model), ..it.clone() }
        });
        SimulationSetup { models: models.collect(), ..setup.clone() }
    };
    let (one, other) = (run(&fresh(&first), requests.clone()), run(&fresh(&first), requests.clone()));
    assert_eq!(one, other);
    assert_eq!(one.requests.total(), 20_000);
    assert!(one.requests.no_answer > 0 && one.requests.deadline > 0, "{:?}", one.requests);
    let answered: u64 = one.models.iter().map(|model| model.answered).sum();
    assert_eq!((answered, one.latency.count()), (one.requests.answered, one.requests.answered));
    let sum: Picodollars = one.models.iter().map(|model| model.cost).sum();
    assert_eq!(sum, one.cost);
    let another = SimulationSetup { seed: 6, ..fresh(&first) };
    assert_ne!(run(&another, requests).requests, one.requests);
}

#[test]
fn requests_that_arrive_for_ever_faster_than_they_end_are_an_error() {
    let mut stuck = setup(vec![(model("a", 1.0), ModelBehaviour { capacity: Some(0), ..steady() })]);
    stuck.limits.timeout = Duration::from_secs(1_000_000);
    stuck.limits.timeouts.first_byte = Duration::from_secs(1_000_000);
    let endless = (0..).map(|_| request(Duration::ZERO, 1, 1));
    let error = simulate(&stuck, endless, &mut InOrder, &mut |_| {}).unwrap_err();
    assert_eq!(error, SimulationError::Overload { in_flight: 1_000, after: Duration::ZERO });
}
